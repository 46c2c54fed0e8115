//! The store of errtrack in a SQL database, a SQLite file or a PostgreSQL server: with its migrations, and the suite that
//! every store must pass.
//!
//! ```text
//! Batch ──plan (coalesce, compress)──▶ one transaction ──▶ file or server
//!                                      readers ◀──────────────┘
//! ```
//!
//! Which of them it is, the URL says when the store is opened ([`SqlStore::open`]); the features `sqlite` and `postgres` say
//! what is compiled in. To a file one connection writes, for one caller after the other, and a few read-only connections
//! answer questions beside it; of a server there is a pool. Connections are driven by threads of the store's own, so that
//! none depends on the runtime that opened it.

#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod accounts;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod alerts;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod analytics;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod assignees;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod audit;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod bulk;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod copies;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod delete;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod erase;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod error;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod events;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod feed;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod incidents;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod integrations;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod issues;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod keys;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod known;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod link;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod members;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod merge;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod migrate;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod node;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod outbox;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod pace;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod payload;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod plan;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod pool;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod projects;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod push;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod record;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod retain;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod rollup;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod series;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod set_aside;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod settings;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod signal;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod sql;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod storage;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod store;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod tag;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod tally;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod tickets;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod triage;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod trim;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod upkeep;
#[cfg(feature = "sqlite")]
mod writer;

#[cfg(feature = "postgres")]
pub use store::PostgresStore;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub use store::SqlStore;
#[cfg(feature = "sqlite")]
pub use store::SqliteStore;
