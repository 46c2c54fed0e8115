//! The one connection that writes, for one caller after the other.
//!
//! sqlx runs it on a thread of its own, so the callers need none in between. A caller that stops waiting leaves no
//! transaction behind: the connection rolls it back before it does anything else.

use crate::{
    error::translate,
    pool::{Any, Connection},
};
use errtrack_core::StoreError;
use sqlx::{ConnectOptions, Connection as _, sqlite::SqliteConnectOptions};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use tokio::sync::{MappedMutexGuard, Mutex, MutexGuard};

/// A handle on the connection, which is closed with the last handle or by [`Writer::close`].
#[derive(Debug, Clone)]
pub(crate) struct Writer(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// `None` when it is closed.
    connection: Mutex<Option<Connection>>,
    options: Any<SqliteConnectOptions>,
    /// The thread of the connection has ended; the next caller opens another.
    broken: AtomicBool,
}

impl Writer {
    pub(crate) fn new(connection: Connection, options: Any<SqliteConnectOptions>) -> Self {
        Self(Arc::new(Shared { connection: Mutex::new(Some(connection)), options, broken: AtomicBool::new(false) }))
    }

    /// Waits until those who asked before are done.
    pub(crate) async fn lock(&self, what: &str) -> Result<MappedMutexGuard<'_, Connection>, StoreError> {
        let mut guard = self.0.connection.lock().await;
        if self.0.broken.load(Ordering::Relaxed) && guard.is_some() {
            let Any::Sqlite(options) = &self.0.options;
            *guard = Some(Any::Sqlite(options.connect().await.map_err(|error| translate(error, what))?));
            self.0.broken.store(false, Ordering::Relaxed);
        }
        MutexGuard::try_map(guard, Option::as_mut).map_err(|_| translate(sqlx::Error::PoolClosed, what))
    }

    /// Translates what came of using the connection, and notes if it can be used no more.
    pub(crate) fn check<T>(&self, result: Result<T, sqlx::Error>, what: &str) -> Result<T, StoreError> {
        if matches!(result, Err(sqlx::Error::WorkerCrashed)) {
            self.0.broken.store(true, Ordering::Relaxed);
        }
        result.map_err(|error| translate(error, what))
    }

    /// Closes the connection when all that was asked before is done.
    pub(crate) async fn close(&self) {
        if let Some(Any::Sqlite(connection)) = self.0.connection.lock().await.take() {
            let _ = connection.close().await;
        }
    }
}
