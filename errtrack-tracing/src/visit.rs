//! Visitors: from the values of `tracing` to notes.

use crate::note::Note;
use errtrack_core::Exception;
use std::{
    error::Error,
    fmt::{self, Write},
};
use tracing_core::field::{Field, Visit};

/// Notes every value.
pub(crate) struct Noting<'a>(pub(crate) &'a mut Note);

impl Visit for Noting<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.text(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.signed(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.unsigned(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.0.float(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.bool(field, value);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.0.written(field, |text| write!(text, "{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.written(field, |text| write!(text, "{value:?}"));
    }
}

/// Notes every value but one that is an error: that becomes exceptions, with its chain. It is the one that is called `error`
/// or `err`, else the first.
pub(crate) struct Reporting<'a> {
    note: &'a mut Note,
    exceptions: Vec<Exception>,
    taken: Option<Field>,
}

impl<'a> Reporting<'a> {
    pub(crate) fn new(note: &'a mut Note) -> Self {
        Self { note, exceptions: Vec::new(), taken: None }
    }

    pub(crate) fn into_exceptions(self) -> Vec<Exception> {
        self.exceptions
    }
}

fn is_the_error(field: &Field) -> bool {
    matches!(field.name(), "error" | "err")
}

impl Visit for Reporting<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        Noting(self.note).record_str(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        Noting(self.note).record_i64(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        Noting(self.note).record_u64(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        Noting(self.note).record_f64(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        Noting(self.note).record_bool(field, value);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        match &self.taken {
            Some(taken) if is_the_error(taken) || !is_the_error(field) => Noting(self.note).record_error(field, value),
            taken => {
                // The one that was taken before is a field like others now.
                if let (Some(taken), Some(text)) = (taken, self.exceptions.last().and_then(|e| e.value.as_deref())) {
                    self.note.text(taken, text);
                }
                self.exceptions = Exception::chain(value, "tracing", true);
                self.taken = Some(field.clone());
            }
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        Noting(self.note).record_debug(field, value);
    }
}
