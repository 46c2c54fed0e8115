//! The connections behind a store: one variant per database, one body per query.

#[cfg(feature = "postgres")]
use crate::postgres::Postgres;
#[cfg(feature = "sqlite")]
use crate::sqlite::Sqlite;
use crate::{bulk::Bulk, plan::Plan, sql::Sql};
use errtrack_core::{StoreError, store::Connections};

/// The database of a store.
#[derive(Debug, Clone)]
pub(crate) enum Backend {
    /// A SQLite file.
    #[cfg(feature = "sqlite")]
    Sqlite(Sqlite),
    /// A PostgreSQL server.
    #[cfg(feature = "postgres")]
    Postgres(Postgres),
}

/// What the databases do not spell alike.
pub(crate) trait Dialect: sqlx::Database<Connection: Bulk> {
    /// Begins a transaction that will write.
    const BEGIN: &'static str;
    /// Begins a transaction that records a batch.
    const RECORD: &'static str;

    /// A statement in this database's words.
    fn text(sql: Sql) -> &'static str;
}

#[cfg(feature = "sqlite")]
impl Dialect for sqlx::Sqlite {
    // A deferred transaction that turns to writing can fail at once with "busy".
    const BEGIN: &'static str = "BEGIN IMMEDIATE";
    const RECORD: &'static str = Self::BEGIN;

    fn text(sql: Sql) -> &'static str {
        sql.sqlite
    }
}

#[cfg(feature = "postgres")]
impl Dialect for sqlx::Postgres {
    const BEGIN: &'static str = "BEGIN";
    // A batch looks everything up by keys, however few rows the statistics knew when its statements were planned.
    const RECORD: &'static str = "BEGIN; SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL enable_seqscan = off; \
                                  SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off";

    fn text(sql: Sql) -> &'static str {
        sql.postgres
    }
}

/// Runs one body against a connection that reads, of whichever database; `Db` names it. The body answers what the driver
/// does, the macro what the store does.
macro_rules! reading {
    ($store:expr, $what:expr, |$connection:ident| $body:expr) => {
        match &$store.backend {
            #[cfg(feature = "sqlite")]
            $crate::pool::Backend::Sqlite(open) => {
                type Db = sqlx::Sqlite;
                let work = async {
                    let mut lease = open.readers.acquire().await?;
                    let $connection = &mut *lease;
                    $body
                };
                let done: Result<_, sqlx::Error> = work.await;
                $crate::error::Doing::doing(done, $what)
            }
            #[cfg(feature = "postgres")]
            $crate::pool::Backend::Postgres(open) => {
                type Db = sqlx::Postgres;
                let done = open.drive(async {
                    let mut lease = open.lease().await?;
                    let done = open.patiently(async {
                        let $connection = lease.connection();
                        $body
                    });
                    let done: Result<_, sqlx::Error> = done.await;
                    lease.settle(done).await
                });
                $crate::error::Doing::doing(done.await, $what)
            }
        }
    };
}
pub(crate) use reading;

/// The same for a connection that writes. On PostgreSQL the body runs again when it lost to another transaction, so it
/// must not use up what it captures.
macro_rules! writing {
    ($store:expr, $what:expr, |$connection:ident| $body:expr) => {
        match &$store.backend {
            #[cfg(feature = "sqlite")]
            $crate::pool::Backend::Sqlite(open) => {
                type Db = sqlx::Sqlite;
                let work = async {
                    let mut lease = open.writer.lock().await?;
                    let $connection = &mut *lease;
                    $body
                };
                let done: Result<_, sqlx::Error> = work.await;
                $crate::error::Doing::doing(open.writer.check(done), $what)
            }
            #[cfg(feature = "postgres")]
            $crate::pool::Backend::Postgres(open) => {
                type Db = sqlx::Postgres;
                let mut tries = 0;
                loop {
                    let done = open.drive(async {
                        let mut lease = open.lease().await?;
                        let done = open.patiently(async {
                            let $connection = lease.connection();
                            $body
                        });
                        let done: Result<_, sqlx::Error> = done.await;
                        lease.settle(done).await
                    });
                    let done = done.await;
                    tries += 1;
                    if tries < $crate::postgres::TRIES && $crate::error::has_lost(&done) {
                        continue;
                    }
                    break $crate::error::Doing::doing(done, $what);
                }
            }
        }
    };
}
pub(crate) use writing;

impl Backend {
    /// Sees to it that the events of a plan have a place.
    #[cfg_attr(not(feature = "postgres"), expect(clippy::unused_async, reason = "SQLite has one place for all"))]
    pub(crate) async fn make_room(&self, plan: &Plan<'_>) -> Result<(), StoreError> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(_) => {
                let _ = plan;
                Ok(())
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(open) => open.make_room(plan.events.iter().map(|event| event.id)).await,
        }
    }

    /// Makes the partitions of the days to come, so that no batch has to.
    #[cfg_attr(not(feature = "postgres"), expect(clippy::unused_async, reason = "SQLite has no partitions"))]
    pub(crate) async fn make_days_ahead(&self) -> Result<(), StoreError> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(_) => Ok(()),
            #[cfg(feature = "postgres")]
            Self::Postgres(open) => open.make_days_ahead().await,
        }
    }

    /// How many connections there are.
    pub(crate) fn connections(&self) -> Connections {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(open) => open.connections(),
            #[cfg(feature = "postgres")]
            Self::Postgres(open) => open.connections(),
        }
    }

    /// Waits for what is under way and closes every connection.
    pub(crate) async fn close(&self) {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(open) => open.close().await,
            #[cfg(feature = "postgres")]
            Self::Postgres(open) => open.close().await,
        }
    }
}
