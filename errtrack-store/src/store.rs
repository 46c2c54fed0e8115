//! The store: readers, one writer, and the way to open them.

use crate::{known::Known, pace::Pace, payload::Codec, pool::Backend, rollup::Environments};
use errtrack_core::{StoreError, store::LocalFeed};
use std::sync::Arc;
use tokio::sync::Mutex;

/// A store in a SQL database. Clones share its connections.
///
/// # Example
#[cfg_attr(feature = "sqlite", doc = "```")]
#[cfg_attr(not(feature = "sqlite"), doc = "```ignore")]
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
    pub(crate) backend: Backend,
    pub(crate) codec: Arc<Codec>,
    pub(crate) known: Arc<Known>,
    pub(crate) environments: Arc<Environments>,
    pub(crate) feed: LocalFeed,
    pub(crate) pace: Pace,
    /// Of those who let go of events, one works at a time: what it has chosen must not go meanwhile.
    pub(crate) upkeep: Arc<Mutex<()>>,
}

/// A store in a SQLite file.
#[cfg(feature = "sqlite")]
pub type SqliteStore = SqlStore;

/// A store in a PostgreSQL database.
#[cfg(feature = "postgres")]
pub type PostgresStore = SqlStore;

impl SqlStore {
    /// Opens the database of that path or URL and brings its tables up to date. Several programs may do so at once.
    ///
    /// | location | database |
    /// |---|---|
    /// | `errors.db`, `data/errors.db` | a SQLite file; folder and file are made where they are missing |
    /// | `sqlite://data/errtrack.db`, `sqlite:///var/lib/errtrack.db` | the same |
    /// | `postgres://user:password@host:5432/database` | a PostgreSQL database, version 13 or later, which must exist |
    /// | `postgres://host/database?schema=errtrack` | the same; all tables stand in that schema, which is made where it is missing |
    /// | `postgres://host/database?sslmode=verify-full` | the same over TLS, with a feature `tls-ring` or `tls-aws-lc-rs` |
    /// | `postgres:///database?host=/run/postgresql` | the same over a Unix socket |
    ///
    /// `postgresql://` is taken too, and so are libpq's other parameters (`sslrootcert`, `application_name`, …) and
    /// variables (`PGPASSWORD`, `PGPASSFILE`, …). Without `schema`, the tables (each named `errtrack_…`) stand where the
    /// role's `search_path` puts them.
    ///
    /// # Errors
    /// In one line, which never shows a password, what is wrong: the folder cannot be written, the file is no database,
    /// the server cannot be reached or refuses the role, there is no such database, the server is too old, the role may
    /// not make tables, or the tables were made by a newer program. [`StoreError::is_unavailable`] says whether trying
    /// again later can help.
    pub async fn open(location: &str) -> Result<Self, StoreError> {
        let is_postgres = ["postgres:", "postgresql:"].iter().any(|scheme| location.starts_with(scheme));
        let backend = if is_postgres { postgres(location).await? } else { sqlite(location).await? };
        Ok(Self {
            backend,
            codec: Arc::default(),
            known: Arc::default(),
            environments: Arc::default(),
            feed: LocalFeed::default(),
            pace: Pace::default(),
            upkeep: Arc::default(),
        })
    }

    /// The same as [`open`](Self::open).
    ///
    /// # Errors
    /// As those of [`open`](Self::open).
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        Self::open(url).await
    }
}

#[cfg(feature = "sqlite")]
async fn sqlite(location: &str) -> Result<Backend, StoreError> {
    crate::sqlite::open(location).await.map(Backend::Sqlite)
}

#[cfg(not(feature = "sqlite"))]
async fn sqlite(_: &str) -> Result<Backend, StoreError> {
    let message = "this program was built without SQLite: a postgres:// URL is needed";
    Err(StoreError::other(message).context(message))
}

#[cfg(feature = "postgres")]
async fn postgres(location: &str) -> Result<Backend, StoreError> {
    crate::postgres::open(location).await.map(Backend::Postgres)
}

#[cfg(not(feature = "postgres"))]
async fn postgres(_: &str) -> Result<Backend, StoreError> {
    let message = "this program was built without PostgreSQL; errtrack's feature postgres adds it";
    Err(StoreError::other(message).context(message))
}
