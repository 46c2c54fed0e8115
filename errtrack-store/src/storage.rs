//! How large the store is.

use crate::{SqlStore, error::Doing, pool::on, sql::storage as sql};
use errtrack_core::{
    StoreError,
    store::{Storage, TableSize},
};

const READ: &str = "cannot tell how large the store is";

/// Pages of the file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pages {
    /// Bytes of each.
    pub(crate) size: u64,
    pub(crate) all: u64,
    /// Those that hold nothing.
    pub(crate) free: u64,
}

impl SqlStore {
    pub(crate) async fn read_storage(&self) -> Result<Storage, StoreError> {
        let pages = self.pages().await?;
        let tables: Vec<(String, i64, i64)> =
            on!(&self.readers, |pool| sqlx::query_as(sql::TABLES).fetch_all(pool).await.doing(READ)?);
        let count = |n: i64| u64::try_from(n).unwrap_or_default();
        let size = |(name, rows, bytes)| TableSize { name, rows: Some(count(rows)), bytes: count(bytes) };
        Ok(Storage {
            backend: "sqlite".into(),
            tables: tables.into_iter().map(size).collect(),
            bytes: pages.all * pages.size,
            reusable_bytes: pages.free * pages.size,
            free_disk: self.free_disk(),
        })
    }

    pub(crate) async fn pages(&self) -> Result<Pages, StoreError> {
        let (size, all, free): (i64, i64, i64) =
            on!(&self.readers, |pool| sqlx::query_as(sql::PAGES).fetch_one(pool).await.doing(READ)?);
        let count = |n: i64| u64::try_from(n).unwrap_or_default();
        Ok(Pages { size: count(size), all: count(all), free: count(free) })
    }

    /// Bytes that are free on the disk of the file, for those who are not root.
    pub(crate) fn free_disk(&self) -> Option<u64> {
        #[cfg(unix)]
        {
            let disk = rustix::fs::statvfs(self.file.as_deref()?).ok()?;
            Some(disk.f_bavail.saturating_mul(disk.f_frsize))
        }
        #[cfg(not(unix))]
        None
    }
}
