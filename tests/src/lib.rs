//! What the journeys share: the standalone server as a process, and a client that speaks plain HTTP to it.
//!
//! Start a server with [`Server::start`], talk to it with [`Client`]; it is killed when it is dropped.

mod client;
mod faulty;
mod server;

pub use client::{Answer, Client};
pub use faulty::FaultyStore;
pub use server::{Exit, Server};
