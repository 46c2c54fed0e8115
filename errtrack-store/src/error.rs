//! From the errors of the driver to those of the store.

use errtrack_core::StoreError;
use sqlx::Error;

/// Says what was being done when the database failed.
pub(crate) trait Doing<T> {
    fn doing(self, what: &'static str) -> Result<T, StoreError>;
}

impl<T> Doing<T> for Result<T, Error> {
    fn doing(self, what: &'static str) -> Result<T, StoreError> {
        self.map_err(|error| translate(error, what))
    }
}

/// The store's error for an error of the driver.
pub(crate) fn translate(error: Error, what: &str) -> StoreError {
    let text = match &error {
        Error::Database(inner) => inner.message().to_owned(),
        other => other.to_string(),
    };
    if is_corrupt(&error) {
        return StoreError::corrupt(format!("{what}: {text}"));
    }
    let unavailable = is_unavailable(&error);
    let error = if unavailable { StoreError::unavailable(error) } else { StoreError::other(error) };
    error.context(format!("{what}: {text}"))
}

fn is_unavailable(error: &Error) -> bool {
    match error {
        Error::Io(_) | Error::PoolTimedOut | Error::PoolClosed | Error::WorkerCrashed | Error::BeginFailed => true,
        // busy, locked, no memory, read-only, io error, full, cannot open
        Error::Database(_) => matches!(primary_code(error), Some(5 | 6 | 7 | 8 | 10 | 13 | 14)),
        _ => false,
    }
}

fn is_corrupt(error: &Error) -> bool {
    matches!(primary_code(error), Some(11 | 26)) || matches!(error, Error::ColumnDecode { .. } | Error::Decode(_))
}

/// The primary result code of SQLite: the lower byte of the extended one.
pub(crate) fn primary_code(error: &Error) -> Option<i32> {
    let code = error.as_database_error()?.code()?;
    Some(code.parse::<i32>().ok()? & 0xff)
}
