//! What upkeep leaves, on each backend: the tests look into the tables.

#![cfg(all(feature = "sqlite", feature = "postgres"))]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "these are tests")]

mod complete;
mod exact;
mod lab;
mod merging;
#[path = "../server/mod.rs"]
mod server;
mod space;
