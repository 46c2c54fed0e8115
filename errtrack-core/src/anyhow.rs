//! Errors of `anyhow`, which are no [`std::error::Error`]s themselves.

use crate::{EventId, Scope, Tracker, current::tracker, with_scope};
use std::{any::type_name, error::Error, panic::Location};

/// Captures an error of `anyhow` with its chain, contexts included.
///
/// Where it has a backtrace of its own (the environment asks for it by `RUST_BACKTRACE` or `RUST_LIB_BACKTRACE`), that is its
/// stack; see [`capture_error_with_backtrace`](crate::capture_error_with_backtrace) for what that costs. Where it has none,
/// issues are told apart by the types of the chain, the texts of what was made from text (contexts, `anyhow!("…")`) and the
/// place of this call.
///
/// # Example
/// ```
/// use anyhow::Context;
///
/// fn load() -> anyhow::Result<u16> { "http".parse::<u16>().context("PORT is no number") }
///
/// if let Err(error) = load() {
///     errtrack_core::capture_anyhow(&error);
/// }
/// ```
#[track_caller]
pub fn capture_anyhow(error: &anyhow::Error) -> EventId {
    let place = Location::caller();
    tracker().map_or_else(EventId::default, |tracker| tracker.capture_anyhow_at(error, place))
}

impl Tracker {
    /// Captures an error of `anyhow`, as [`capture_anyhow`] does.
    #[track_caller]
    pub fn capture_anyhow(&self, error: &anyhow::Error) -> EventId {
        self.capture_anyhow_at(error, Location::caller())
    }

    fn capture_anyhow_at(&self, error: &anyhow::Error, place: &'static Location<'static>) -> EventId {
        let chain: &(dyn Error + Send + Sync + 'static) = &**error;
        let path = type_name::<dyn Error>();
        self.capture_with_backtrace(chain, path, "anyhow", place, error.backtrace())
    }
}

/// Reports the error of an [`anyhow::Result`] and passes the result on, as [`ResultExt`](crate::ResultExt) does for others.
///
/// # Example
/// ```
/// use errtrack_core::AnyhowExt;
///
/// fn port() -> anyhow::Result<u16> { Ok("http".parse()?) }
/// let port = port().capture().unwrap_or(8080);
/// # assert_eq!(port, 8080);
/// ```
pub trait AnyhowExt: Sized {
    /// Captures the error, if it is one, as [`capture_anyhow`] does.
    #[must_use]
    #[track_caller]
    fn capture(self) -> Self;

    /// The same, in a [scope of its own](with_scope) that `configure` changes first.
    #[must_use]
    #[track_caller]
    fn capture_with(self, configure: impl FnOnce(&mut Scope)) -> Self;
}

impl<T> AnyhowExt for anyhow::Result<T> {
    #[track_caller]
    fn capture(self) -> Self {
        if let Err(error) = &self {
            capture_anyhow(error);
        }
        self
    }

    #[track_caller]
    fn capture_with(self, configure: impl FnOnce(&mut Scope)) -> Self {
        if let Err(error) = &self {
            let place = Location::caller();
            with_scope(configure, || tracker().map(|tracker| tracker.capture_anyhow_at(error, place)));
        }
        self
    }
}
