//! What the journeys share: the standalone server as a process, and a client that speaks plain HTTP to it.
//!
//! Start a server with [`Server::start`], talk to it with [`Client`]; it is killed when it is dropped.

mod client;
mod faulty;
mod recordings;
mod server;
mod watched;

pub use client::{Answer, Client};
pub use faulty::FaultyStore;
pub use recordings::{Recording, recordings};
pub use server::{Exit, Server, aborting_example, example};
pub use watched::Watched;

/// Waits until a condition holds.
///
/// # Panics
/// It does not within 30 seconds.
pub async fn until(what: &str, condition: impl Fn() -> bool) {
    let start = std::time::Instant::now();
    while !condition() {
        assert!(start.elapsed().as_secs() < 30, "waited in vain until {what}");
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
}
