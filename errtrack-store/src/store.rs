//! The store: readers, one writer, and the way to open them.

use crate::{known::Known, pace::Pace, payload::Codec, pool::Pool, sqlite, writer::Writer};
use errtrack_core::{StoreError, store::LocalFeed};
use std::{path::Path, sync::Arc};
use tokio::sync::Mutex;

/// A store in a SQL database. Clones share its connections.
///
/// # Example
/// ```
/// use errtrack_core::store::{ProjectStore, Upkeep};
/// use errtrack_store::SqlStore;
///
/// # async fn run() -> Result<(), errtrack_core::StoreError> {
/// # let folder = tempfile::tempdir().map_err(errtrack_core::StoreError::other)?;
/// # let path = folder.path().join("errors.db");
/// # let path = path.to_str().unwrap_or_default();
/// let store = SqlStore::open(path).await?;
/// assert_eq!(store.ensure_project("shop").await?.id.0, 1);
/// store.close().await;
/// # Ok(())
/// # }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(run()).unwrap();
/// ```
#[derive(Debug, Clone)]
pub struct SqlStore {
    pub(crate) readers: Pool,
    pub(crate) writer: Writer,
    pub(crate) codec: Arc<Codec>,
    pub(crate) known: Arc<Known>,
    pub(crate) feed: LocalFeed,
    pub(crate) pace: Pace,
    /// Of those who let go of events, one works at a time: what it has chosen must not go meanwhile.
    pub(crate) upkeep: Arc<Mutex<()>>,
    /// The file, if it is one.
    pub(crate) file: Option<Arc<Path>>,
}

/// A store in a SQLite file.
pub type SqliteStore = SqlStore;

impl SqlStore {
    /// Opens the database of that path or URL (`errors.db`, `sqlite://data/errtrack.db`); folder and file are made where
    /// they are missing, and the tables are brought up to date.
    ///
    /// # Errors
    /// In one line, what is wrong: the folder cannot be written, the file is no database, or it was written by a newer
    /// program.
    pub async fn open(location: &str) -> Result<Self, StoreError> {
        let (readers, writer, path) = sqlite::open(location).await?;
        Ok(Self {
            readers,
            writer,
            codec: Arc::default(),
            known: Arc::default(),
            feed: LocalFeed::default(),
            pace: Pace::default(),
            upkeep: Arc::default(),
            file: Some(path.into()),
        })
    }
}
