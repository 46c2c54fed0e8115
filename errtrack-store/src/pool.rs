//! The connections behind a store: one variant per database, one body per query.

use sqlx::{SqliteConnection, SqlitePool};

/// Something of whichever database.
#[derive(Debug, Clone)]
pub(crate) enum Any<S> {
    /// Of SQLite.
    Sqlite(S),
}

/// The connections that read.
pub(crate) type Pool = Any<SqlitePool>;
/// The connection that writes.
pub(crate) type Connection = Any<SqliteConnection>;

/// What the databases do not spell alike.
pub(crate) trait Dialect {
    /// Begins a transaction that will write.
    const BEGIN: &'static str;
    /// Gives back to the file system what deletions have freed.
    const SHRINK: &'static str;
}

impl Dialect for sqlx::Sqlite {
    // A deferred transaction that turns to writing can fail at once with "busy".
    const BEGIN: &'static str = "BEGIN IMMEDIATE";
    const SHRINK: &'static str = "PRAGMA incremental_vacuum(1000)";
}

/// Runs one body against whichever pool or connection is open; `Db` names its database.
macro_rules! on {
    ($pool:expr, |$open:ident| $body:expr) => {
        match $pool {
            $crate::pool::Any::Sqlite($open) => {
                #[expect(clippy::allow_attributes, reason = "not every body names its database")]
                #[allow(dead_code, reason = "not every body names its database")]
                type Db = sqlx::Sqlite;
                $body
            }
        }
    };
}
pub(crate) use on;

impl Pool {
    /// Waits for what is under way and closes every connection.
    pub(crate) async fn close(&self) {
        on!(self, |pool| pool.close().await);
    }
}
