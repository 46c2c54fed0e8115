//! The one connection that writes to a SQLite file, for one caller after the other.
//!
//! sqlx runs it on a thread of its own, so the callers need none in between. A caller that stops waiting leaves no
//! transaction behind: the connection rolls it back before it does anything else.

use crate::error::primary_code;
use errtrack_core::lower_priority;
use sqlx::{ConnectOptions, Connection as _, Error, SqliteConnection, sqlite::SqliteConnectOptions};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};
use tokio::{
    runtime::Handle,
    sync::{MappedMutexGuard, Mutex, MutexGuard, oneshot},
};

/// A handle on the connection, which is closed with the last handle or by [`Writer::close`].
#[derive(Debug, Clone)]
pub(crate) struct Writer(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// `None` when it is closed.
    connection: Mutex<Option<SqliteConnection>>,
    options: SqliteConnectOptions,
    /// The connection can be used no more; the next caller opens another.
    broken: AtomicBool,
}

impl Writer {
    pub(crate) fn new(connection: SqliteConnection, options: SqliteConnectOptions) -> Self {
        Self(Arc::new(Shared { connection: Mutex::new(Some(connection)), options, broken: AtomicBool::new(false) }))
    }

    /// Waits until those who asked before are done.
    pub(crate) async fn lock(&self) -> Result<MappedMutexGuard<'_, SqliteConnection>, Error> {
        let mut guard = self.0.connection.lock().await;
        if self.0.broken.load(Ordering::Relaxed) && guard.is_some() {
            *guard = Some(connect(self.0.options.clone()).await?);
            self.0.broken.store(false, Ordering::Relaxed);
        }
        MutexGuard::try_map(guard, Option::as_mut).map_err(|_| Error::PoolClosed)
    }

    /// Notes if the connection can be used no more after what came of using it.
    pub(crate) fn check<T>(&self, result: Result<T, Error>) -> Result<T, Error> {
        if result.as_ref().is_err_and(breaks) {
            self.0.broken.store(true, Ordering::Relaxed);
        }
        result
    }

    /// Closes the connection when all that was asked before is done.
    pub(crate) async fn close(&self) {
        if let Some(connection) = self.0.connection.lock().await.take() {
            let _ = connection.close().await;
        }
    }
}

/// Opens the connection. Its thread inherits the priority of the one that starts it.
pub(crate) async fn connect(options: SqliteConnectOptions) -> Result<SqliteConnection, Error> {
    let runtime = Handle::current();
    let (send, opened) = oneshot::channel();
    thread::Builder::new().name("errtrack-sqlite-w".into()).spawn(move || {
        lower_priority();
        let _ = send.send(runtime.block_on(options.connect()));
    })?;
    opened.await.unwrap_or(Err(Error::WorkerCrashed))
}

/// Whether the connection may not be what its driver takes it for. Where memory or the disk fails, SQLite rolls back by
/// itself; the driver still counts a transaction, and would begin no other.
fn breaks(error: &Error) -> bool {
    match error {
        Error::WorkerCrashed | Error::BeginFailed | Error::InvalidSavePointStatement => true,
        // no memory, i/o error, full
        Error::Database(_) => matches!(primary_code(error), Some(7 | 10 | 13)),
        _ => false,
    }
}
