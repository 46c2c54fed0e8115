//! Opening a SQLite file.

use crate::{
    error::{primary_code, translate},
    migrate,
    storage::Sizes,
    writer::{Writer, connect},
};
use errtrack_core::{StoreError, store::Connections};
use sqlx::{
    SqliteConnection, SqlitePool,
    migrate::MigrateError,
    sqlite::{SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::sync::Mutex;

/// How many connections read at once.
const READERS: u32 = 4;
/// How long a statement waits for another process's transaction, and a caller for a connection.
const PATIENCE: Duration = Duration::from_secs(10);

/// An open file.
#[derive(Debug, Clone)]
pub(crate) struct Sqlite {
    pub(crate) readers: SqlitePool,
    pub(crate) writer: Writer,
    pub(crate) path: Arc<Path>,
    pub(crate) sizes: Arc<Mutex<Option<Sizes>>>,
}

impl Sqlite {
    /// Of those that read; one more writes, for one caller after the other.
    pub(crate) fn connections(&self) -> Connections {
        let idle = u32::try_from(self.readers.num_idle()).unwrap_or(u32::MAX);
        Connections { backend: "sqlite", used: self.readers.size().saturating_sub(idle), most: READERS }
    }

    pub(crate) async fn close(&self) {
        // The writer last: closing the last connection tidies up the file, which readers may not.
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// Opens the file, makes it where it is missing, and migrates it.
pub(crate) async fn open(location: &str) -> Result<Sqlite, StoreError> {
    let path = path(location)?;
    create(&path)?;
    let options = SqliteConnectOptions::new()
        .filename(&path)
        .foreign_keys(false)
        .busy_timeout(PATIENCE)
        .pragma("temp_store", "MEMORY");
    let writer = options
        .clone()
        // These two matter to a new file only. Small pages, since a small batch writes little in many places.
        .page_size(4096)
        .auto_vacuum(SqliteAutoVacuum::Incremental)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("wal_autocheckpoint", "16000")
        .pragma("journal_size_limit", "67108864")
        .pragma("cache_size", "-16000")
        .thread_name(|_| "errtrack-sqlite-w".into());
    let mut connection = connect(writer.clone()).await.map_err(|error| explain(error, &path))?;
    warn_of_old(&mut connection).await;
    migrate::sqlite(&mut connection).await.map_err(|error| explain_migration(error, &path))?;
    let readers = options.read_only(true).thread_name(|n| format!("errtrack-sqlite-{n}"));
    let readers = pool(READERS).connect_lazy_with(readers);
    Ok(Sqlite { readers, writer: Writer::new(connection, writer), path: path.into(), sizes: Arc::default() })
}

/// Before 3.51.3, two connections that write or checkpoint at the same instant could corrupt the file
/// (<https://sqlite.org/wal.html#walresetbug>). The one compiled in is newer; a host may link another.
async fn warn_of_old(connection: &mut SqliteConnection) {
    let version: Result<String, _> = sqlx::query_scalar("SELECT sqlite_version()").fetch_one(connection).await;
    if let Ok(version) = version
        && is_old(&version)
    {
        tracing::warn!(target: "errtrack", "SQLite {version} has a bug that can corrupt the file; use 3.51.3 or later");
    }
}

fn is_old(version: &str) -> bool {
    let parts = version.split('.').map(|part| part.parse().unwrap_or(0_u32));
    parts.lt([3, 51, 3])
}

/// Connections that live as long as the pool: a reaper would be a task on the runtime that happened to open it.
fn pool(size: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(size)
        .acquire_timeout(PATIENCE)
        // To wait for a reader is no news for the log of the host.
        .acquire_slow_threshold(PATIENCE)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
}

/// The path in a location; a URL's query is left out.
fn path(location: &str) -> Result<PathBuf, StoreError> {
    let rest = location.strip_prefix("sqlite:").map(|rest| rest.strip_prefix("//").unwrap_or(rest));
    let path = rest.map_or(location, |rest| rest.split('?').next().unwrap_or(rest));
    if path.is_empty() {
        return Err(failure("no path to a SQLite file was given"));
    }
    if path.starts_with(":memory:") {
        return Err(failure("a SQLite database in memory would lose what it holds; give the path of a file"));
    }
    if rest.is_none() && path.contains("://") {
        let scheme = path.split("://").next().unwrap_or_default();
        return Err(failure(&format!("there is no store for {scheme}:// URLs; use sqlite:// or a path")));
    }
    Ok(path.into())
}

/// Makes the folder and an empty file that only its owner can read; SQLite's side files take the same mode.
fn create(path: &Path) -> Result<(), StoreError> {
    let shown = path.display();
    if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
        let explain = |e: io::Error| unavailable(&format!("cannot make the folder {}: {e}", folder.display()), e);
        fs::create_dir_all(folder).map_err(explain)?;
    }
    if path.is_dir() {
        return Err(failure(&format!("{shown} is a folder, not a SQLite file")));
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(e) => Err(unavailable(&format!("cannot write {shown}: {e}"), e)),
    }
}

fn explain(error: sqlx::Error, path: &Path) -> StoreError {
    let shown = path.display();
    match primary_code(&error) {
        Some(26) => StoreError::corrupt(format!("{shown} is no SQLite database")),
        Some(8) => unavailable(&format!("{shown} cannot be written"), error),
        _ => translate(error, &format!("cannot open {shown}")),
    }
}

fn explain_migration(error: MigrateError, path: &Path) -> StoreError {
    let shown = path.display();
    match error {
        MigrateError::VersionMissing(n) | MigrateError::VersionTooNew(n, _) => {
            failure(&format!("{shown} was written by a newer errtrack (its schema has version {n})"))
        }
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => explain(error, path),
        other => {
            let text = format!("cannot bring the tables of {shown} up to date: {other}");
            StoreError::other(other).context(text)
        }
    }
}

fn failure(message: &str) -> StoreError {
    StoreError::other(message).context(message)
}

fn unavailable(message: &str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> StoreError {
    StoreError::unavailable(source).context(message)
}

#[cfg(test)]
mod tests {
    use super::{is_old, path};

    #[test]
    fn versions_with_the_bug_are_known() {
        for old in ["3.7.0", "3.45.1", "3.50.4", "3.51.2"] {
            assert!(is_old(old), "{old}");
        }
        for good in ["3.51.3", "3.51.10", "3.52.0", "4.0.0"] {
            assert!(!is_old(good), "{good}");
        }
    }

    #[test]
    fn locations_are_paths_or_urls() {
        for (location, expected) in [
            ("errors.db", "errors.db"),
            ("sqlite:errors.db", "errors.db"),
            ("sqlite://data/errtrack.db", "data/errtrack.db"),
            ("sqlite:///var/lib/errtrack.db?mode=rwc", "/var/lib/errtrack.db"),
        ] {
            assert_eq!(path(location).unwrap().to_str(), Some(expected));
        }
        for wrong in ["", "sqlite::memory:", ":memory:", "mysql://localhost/x"] {
            assert!(path(wrong).is_err(), "{wrong}");
        }
    }
}
