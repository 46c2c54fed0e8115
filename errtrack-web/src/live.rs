//! What happens, as it happens: issues that are new, come back or are changed, and counters.
//!
//! One task listens to the store for all clients of the process, while there are some and a little longer, and writes what it
//! hears into a ring of bounded size. A client is a position in the ring: nothing waits for a slow one, which is told that it
//! missed something when what it has not read yet is gone.

mod client;
mod hub;
mod ring;

pub(crate) use client::{Client, Told};
pub(crate) use hub::Live;
pub(crate) use ring::Kind;
