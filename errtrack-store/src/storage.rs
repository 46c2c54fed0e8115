//! How large the store is.

use crate::{
    SqlStore,
    pool::{Backend, Dialect, reading},
    sql::storage as sql,
};
#[cfg(feature = "sqlite")]
use crate::{pace::Pace, sqlite::Sqlite};
use errtrack_core::{
    StoreError,
    store::{Storage, TableSize},
};

#[cfg(feature = "sqlite")]
use std::time::{Duration, Instant};

const READ: &str = "cannot tell how large the store is";
/// A file of that many bytes is large.
#[cfg(feature = "sqlite")]
const LARGE: u64 = 256 << 20;

impl SqlStore {
    pub(crate) async fn read_storage(&self) -> Result<Storage, StoreError> {
        Ok(match &self.backend {
            #[cfg(feature = "sqlite")]
            Backend::Sqlite(open) => {
                let pages = open.pages().await?;
                Storage {
                    backend: "sqlite".into(),
                    tables: self.sizes_in(open, pages).await?,
                    bytes: pages.all * pages.size,
                    reusable_bytes: pages.free * pages.size,
                    free_disk: open.free_disk(),
                }
            }
            // What is free within its tables and on its disk, a server does not tell.
            #[cfg(feature = "postgres")]
            Backend::Postgres(_) => {
                let tables = self.table_sizes().await?;
                Storage {
                    backend: "postgres".into(),
                    bytes: tables.iter().map(|table| table.bytes).sum(),
                    tables,
                    reusable_bytes: 0,
                    free_disk: None,
                }
            }
        })
    }

    async fn table_sizes(&self) -> Result<Vec<TableSize>, StoreError> {
        let tables: Vec<(String, i64, i64)> =
            reading!(self, READ, |connection| sqlx::query_as(Db::text(sql::TABLES)).fetch_all(connection).await)?;
        let size = |(name, rows, bytes)| TableSize { name, rows: Some(count(rows)), bytes: count(bytes) };
        Ok(tables.into_iter().map(size).collect())
    }

    /// Of a large file, which is read whole for that, so seldom that it takes a hundredth of the time.
    #[cfg(feature = "sqlite")]
    async fn sizes_in(&self, open: &Sqlite, pages: Pages) -> Result<Vec<TableSize>, StoreError> {
        let mut last = open.sizes.lock().await;
        if let Some(last) = last.as_ref().filter(|last| last.at.elapsed() < last.took * 100) {
            return Ok(last.tables.clone());
        }
        let start = Instant::now();
        let tables = self.table_sizes().await?;
        if pages.all * pages.size > LARGE {
            *last = Some(Sizes { tables: tables.clone(), at: Instant::now(), took: start.elapsed() });
        }
        Ok(tables)
    }

    /// How many of the oldest events have to go for that many bytes to be free on the disk. What a file could be shrunk by
    /// counts as free; the disk of a server cannot be seen.
    pub(crate) async fn events_to_free(&self, floor: u64) -> Result<u64, StoreError> {
        if floor == 0 {
            return Ok(0);
        }
        let lacking: u64 = match &self.backend {
            #[cfg(feature = "sqlite")]
            Backend::Sqlite(open) => {
                let Some(free) = open.free_disk() else { return Ok(0) };
                let pages = open.pages().await?;
                floor.saturating_sub(free.saturating_add(pages.free * pages.size))
            }
            #[cfg(feature = "postgres")]
            Backend::Postgres(_) => 0,
        };
        if lacking == 0 {
            return Ok(0);
        }
        let size: i64 = reading!(self, READ, |connection| {
            sqlx::query_scalar(Db::text(crate::sql::retain::EVENT_SIZE)).fetch_one(connection).await
        })?;
        Ok(lacking.div_ceil(count(size).max(1)))
    }
}

impl SqlStore {
    /// Gives back the space that deletions have freed. A server does that by itself.
    pub(crate) async fn shrink(&self) -> Result<(), StoreError> {
        match &self.backend {
            #[cfg(feature = "sqlite")]
            Backend::Sqlite(open) => open.shrink(&self.pace).await,
            #[cfg(feature = "postgres")]
            Backend::Postgres(_) => Ok(()),
        }
    }
}

/// The tables of a large file, as they were measured.
#[cfg(feature = "sqlite")]
#[derive(Debug)]
pub(crate) struct Sizes {
    tables: Vec<TableSize>,
    at: Instant,
    took: Duration,
}

/// Pages of a file.
#[cfg(feature = "sqlite")]
#[derive(Debug, Clone, Copy)]
struct Pages {
    /// Bytes of each.
    size: u64,
    all: u64,
    /// Those that hold nothing.
    free: u64,
}

#[cfg(feature = "sqlite")]
impl Sqlite {
    async fn pages(&self) -> Result<Pages, StoreError> {
        let read = sqlx::query_as(sql::PAGES).fetch_one(&self.readers).await;
        let (size, all, free): (i64, i64, i64) = crate::error::Doing::doing(read, READ)?;
        Ok(Pages { size: count(size), all: count(all), free: count(free) })
    }

    /// Gives pages back to the file system in small steps, but for a twentieth of the file, which is soon used again.
    async fn shrink(&self, pace: &Pace) -> Result<(), StoreError> {
        loop {
            let before = self.pages().await?;
            if before.free <= before.all / 20 {
                return Ok(());
            }
            let work = async {
                let mut connection = self.writer.lock().await?;
                let start = Instant::now();
                sqlx::query(sql::SHRINK).execute(&mut *connection).await?;
                Ok(start.elapsed())
            };
            let took = crate::error::Doing::doing(self.writer.check(work.await), "cannot shrink the file")?;
            pace.rest(took).await;
            // A file that the host has made may not give anything back.
            if self.pages().await?.all >= before.all {
                return Ok(());
            }
        }
    }

    /// Bytes that are free on the disk of the file, for those who are not root.
    #[cfg_attr(not(unix), expect(clippy::unused_self, reason = "only Unix tells"))]
    fn free_disk(&self) -> Option<u64> {
        #[cfg(unix)]
        {
            let disk = rustix::fs::statvfs(&*self.path).ok()?;
            Some(disk.f_bavail.saturating_mul(disk.f_frsize))
        }
        #[cfg(not(unix))]
        None
    }
}

fn count(n: i64) -> u64 {
    u64::try_from(n).unwrap_or_default()
}
