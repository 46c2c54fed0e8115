//! The store of errtrack in a SQL database: a SQLite file, with its migrations and the suite that every store must pass.
//!
//! ```text
//! Batch ──plan (coalesce, compress)──▶ writer ──one transaction──▶ file
//!                                      readers ◀─────────────────
//! ```
//!
//! One connection writes, for one caller after the other; a few read-only connections answer questions beside it. Each has
//! a thread of its own, so none depends on the runtime that opened it.

#[cfg(feature = "sqlite")]
mod accounts;
#[cfg(feature = "sqlite")]
mod bulk;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
#[cfg(feature = "sqlite")]
mod delete;
#[cfg(feature = "sqlite")]
mod erase;
#[cfg(feature = "sqlite")]
mod error;
#[cfg(feature = "sqlite")]
mod events;
#[cfg(feature = "sqlite")]
mod feed;
#[cfg(feature = "sqlite")]
mod issues;
#[cfg(feature = "sqlite")]
mod known;
#[cfg(feature = "sqlite")]
mod migrate;
#[cfg(feature = "sqlite")]
mod node;
#[cfg(feature = "sqlite")]
mod pace;
#[cfg(feature = "sqlite")]
mod payload;
#[cfg(feature = "sqlite")]
mod plan;
#[cfg(feature = "sqlite")]
mod pool;
#[cfg(feature = "sqlite")]
mod projects;
#[cfg(feature = "sqlite")]
mod record;
#[cfg(feature = "sqlite")]
mod retain;
#[cfg(feature = "sqlite")]
mod set_aside;
#[cfg(feature = "sqlite")]
mod sql;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(feature = "sqlite")]
mod storage;
#[cfg(feature = "sqlite")]
mod store;
#[cfg(feature = "sqlite")]
mod tag;
#[cfg(feature = "sqlite")]
mod tally;
#[cfg(feature = "sqlite")]
mod trim;
#[cfg(feature = "sqlite")]
mod upkeep;
#[cfg(feature = "sqlite")]
mod writer;

#[cfg(feature = "sqlite")]
pub use store::{SqlStore, SqliteStore};
