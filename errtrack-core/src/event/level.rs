//! How bad an event is.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// How bad an event is. Ordered: `Debug` is the least.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// For developers.
    Debug,
    /// For the record.
    Info,
    /// May become a failure.
    Warning,
    /// A failure.
    #[default]
    Error,
    /// The program, or the thread, ended.
    Fatal,
}

impl Level {
    /// Every level, the worst first.
    pub const ALL: [Self; 5] = [Self::Fatal, Self::Error, Self::Warning, Self::Info, Self::Debug];

    /// The name used in JSON, in queries and on pages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Fatal => "fatal",
        }
    }

    /// The number under which it is stored; grows with severity.
    #[must_use]
    pub const fn to_number(self) -> i64 {
        match self {
            Self::Debug => 10,
            Self::Info => 20,
            Self::Warning => 30,
            Self::Error => 40,
            Self::Fatal => 50,
        }
    }

    /// The level of a number in Python's scale (10 to 50), rounded to the nearest one at or below.
    #[must_use]
    pub const fn from_number(number: i64) -> Self {
        match number {
            ..20 => Self::Debug,
            20..30 => Self::Info,
            30..40 => Self::Warning,
            40..50 => Self::Error,
            50.. => Self::Fatal,
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Level {
    type Err = UnknownLevel;

    /// Understands the names of all dialects: `critical` is fatal, `log` is info, `warn` is warning.
    fn from_str(name: &str) -> Result<Self, UnknownLevel> {
        Ok(match name.to_ascii_lowercase().as_str() {
            "debug" | "trace" | "verbose" => Self::Debug,
            "info" | "log" | "notice" => Self::Info,
            "warning" | "warn" => Self::Warning,
            "error" => Self::Error,
            "fatal" | "critical" => Self::Fatal,
            _ => return Err(UnknownLevel),
        })
    }
}

/// The error of parsing a level that no dialect knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not one of fatal, error, warning, info, debug")]
pub struct UnknownLevel;
