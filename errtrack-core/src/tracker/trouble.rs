//! What goes wrong inside the tracker: kept for the status page and logged once per burst, never captured.

use super::Engine;
use crate::{StoreError, Timestamp};
use std::{
    error::Error,
    fmt,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// Between two lines of log about the same sort of trouble.
const QUIET: Duration = Duration::from_secs(60);

/// The last trouble.
#[derive(Debug, Default)]
pub(crate) struct Trouble(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    last: Option<(Timestamp, String)>,
    /// It is over as soon as anything can be written again; a row that was refused stays refused.
    passes: bool,
    logged: Option<Timestamp>,
}

impl Trouble {
    pub(crate) fn last(&self) -> Option<(Timestamp, String)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).last.clone()
    }

    fn note(&self, text: String, passes: bool) {
        let now = Timestamp::now();
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.logged.is_none_or(|logged| logged.plus(QUIET) < now) {
            state.logged = Some(now);
            tracing::warn!(target: "errtrack", "{text}");
        }
        state.last = Some((now, text));
        state.passes = passes;
    }

    fn clear(&self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.passes && state.last.take().is_some() {
            tracing::info!(target: "errtrack", "writing again");
        }
    }
}

/// An error with all that its sources say.
pub(crate) fn told(error: &StoreError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

impl Engine {
    /// Notes that the store failed, with all that its sources say.
    pub(crate) fn note_trouble(&self, error: &StoreError) {
        self.trouble.note(told(error), error.is_unavailable());
    }

    /// Notes that the spool could not be used.
    pub(crate) fn note_spool_trouble(&self, error: &impl fmt::Display) {
        self.trouble.note(error.to_string(), true);
    }

    /// Notes that writing goes well.
    pub(crate) fn note_recovery(&self) {
        self.trouble.clear();
    }
}
