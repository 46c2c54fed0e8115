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

/// Notes every value but the first that is an error: that becomes exceptions, with its chain.
pub(crate) struct Reporting<'a> {
    pub(crate) note: &'a mut Note,
    pub(crate) exceptions: Vec<Exception>,
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
        if self.exceptions.is_empty() {
            self.exceptions = Exception::chain(value, "tracing", true);
        } else {
            Noting(self.note).record_error(field, value);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        Noting(self.note).record_debug(field, value);
    }
}
