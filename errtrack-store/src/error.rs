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
        // PostgreSQL does not speak TLS any more.
        Error::Tls(_) => true,
        Error::Database(_) => {
            // busy, locked, no memory, read-only, io error, full, cannot open
            matches!(primary_code(error), Some(5 | 6 | 7 | 8 | 10 | 13 | 14)) || is_away(error)
        }
        _ => false,
    }
}

/// PostgreSQL is away, starting or stopping (08, 57), has no room (53), fails to read or write (58), is a copy that is only
/// read (25006), has just lost the partition of a day long past (23514; we check nothing else), lets us wait for locks too long (55P03), or lost too often to others (40); or somebody is changing roles and
/// databases (28, 3D), which has nothing to do with what is written.
fn is_away(error: &Error) -> bool {
    let Some(state) = sqlstate(error) else { return false };
    ["08", "28", "3D", "40", "53", "57", "58"].iter().any(|class| state.starts_with(class))
        || ["23514", "25006", "55P03"].contains(&state.as_str())
}

fn is_corrupt(error: &Error) -> bool {
    matches!(primary_code(error), Some(11 | 26))
        || sqlstate(error).is_some_and(|state| state.starts_with("XX00") && state != "XX000")
        || matches!(error, Error::ColumnDecode { .. } | Error::Decode(_))
}

/// The primary result code of SQLite: the lower byte of the extended one.
#[cfg(feature = "sqlite")]
pub(crate) fn primary_code(error: &Error) -> Option<i32> {
    let error = error.as_database_error()?;
    error.try_downcast_ref::<sqlx::sqlite::SqliteError>()?;
    Some(error.code()?.parse::<i32>().ok()? & 0xff)
}

#[cfg(not(feature = "sqlite"))]
const fn primary_code(_: &Error) -> Option<i32> {
    None
}

/// The SQLSTATE of PostgreSQL: five characters, of which the first two are the class.
#[cfg(feature = "postgres")]
pub(crate) fn sqlstate(error: &Error) -> Option<String> {
    let error = error.as_database_error()?;
    Some(error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>()?.code().to_owned())
}

#[cfg(not(feature = "postgres"))]
const fn sqlstate(_: &Error) -> Option<String> {
    None
}

/// A transaction was rolled back because of another one (a deadlock, a conflict), and can be tried again at once.
#[cfg(feature = "postgres")]
pub(crate) fn has_lost<T>(done: &Result<T, Error>) -> bool {
    done.as_ref().err().and_then(sqlstate).is_some_and(|state| state == "40P01" || state == "40001")
}
