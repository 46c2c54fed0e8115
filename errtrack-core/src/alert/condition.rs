//! The condition of an alert rule: what is measured, and when it is too much or too little.
//!
//! ```text
//! METRIC OP (NUMBER | threshold) in (WINDOW | time_window) [where KEY = VALUE [and KEY = VALUE …]]
//! ```
//! A key is `project`, `environment`, `level`, `release`, `source` or `tag.NAME`, as far as the metric is counted by it. What is
//! asked for by release, source or tag is counted from the moment on at which a rule with such a condition is there.
//!
//! `threshold` and `time_window` stand for the fields of the rule with these names. A value is one word, or stands in double
//! quotes, in which `\"` and `\\` are a quote and a backslash. Words of the language may be written in capitals.
//!
//! ```
//! use errtrack_core::alert::Condition;
//!
//! let condition: Condition = "error_count > 50 in 5 minutes where environment = production".parse()?;
//! assert_eq!(condition.to_string(), "error_count > 50 in 5m where environment = production");
//! let wrong = "error_count = 50 in 5m".parse::<Condition>().unwrap_err();
//! assert_eq!(wrong.to_string(), "column 13: expected >, >=, < or <=, found =");
//! # Ok::<(), errtrack_core::alert::InvalidCondition>(())
//! ```

mod parse;
#[cfg(test)]
mod tests;

pub(super) use parse::parse_filters;
pub use parse::{InvalidCondition, parse_window};

use std::{fmt, time::Duration};

/// What is measured, and when that is worth telling.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// What is measured.
    pub metric: Metric,
    /// How it is compared.
    pub operator: Operator,
    /// With what.
    pub bound: Bound,
    /// Over how long.
    pub window: WindowChoice,
    /// Of what alone; all hold at once.
    pub filters: Vec<Filter>,
}

/// What a condition measures over its window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Metric {
    /// Events.
    ErrorCount,
    /// Issues that were made.
    NewIssueCount,
    /// Resolved issues that were reported again.
    RegressionCount,
    /// Users who met an event; about, beyond some fifty.
    UserCount,
    /// Percent of the requests that failed on the server's side.
    ErrorRate,
    /// Milliseconds within which 95 percent of the requests were answered.
    P95Ms,
}

/// How a measured value is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operator {
    /// `>`
    Over,
    /// `>=`
    AtLeast,
    /// `<`
    Under,
    /// `<=`
    AtMost,
}

/// What a measured value is compared with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bound {
    /// A number that is not negative.
    Number(f64),
    /// The rule's `threshold`.
    Threshold,
}

/// How long a condition looks back: whole minutes, from one to thirty days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Window(u32);

/// The window of a condition, or where it is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WindowChoice {
    /// This one.
    Of(Window),
    /// The rule's `time_window`.
    TimeWindow,
}

/// One thing that a condition narrows to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Filter {
    /// What of an event is looked at.
    pub key: FilterKey,
    /// The tag, where that is one; else empty.
    pub tag: String,
    /// What it must be, letter by letter.
    pub value: String,
}

/// What a condition can narrow to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FilterKey {
    /// A project, by its slug.
    Project,
    /// An environment.
    Environment,
    /// A level.
    Level,
    /// A release.
    Release,
    /// Where events come from.
    Source,
    /// A tag, or what is tallied like one.
    Tag,
}

impl Metric {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::ErrorCount, Self::NewIssueCount, Self::RegressionCount, Self::UserCount, Self::ErrorRate, Self::P95Ms];

    /// Its name in a condition.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ErrorCount => "error_count",
            Self::NewIssueCount => "new_issue_count",
            Self::RegressionCount => "regression_count",
            Self::UserCount => "user_count",
            Self::ErrorRate => "error_rate",
            Self::P95Ms => "p95_ms",
        }
    }

    /// What it can be narrowed to: what is counted apart as events and requests come, so that no event is looked at later.
    #[must_use]
    pub const fn narrows_to(self) -> &'static [FilterKey] {
        match self {
            Self::ErrorCount | Self::NewIssueCount | Self::RegressionCount => &FilterKey::ALL,
            Self::UserCount => &[FilterKey::Project, FilterKey::Release, FilterKey::Source, FilterKey::Tag],
            Self::ErrorRate | Self::P95Ms => &[FilterKey::Project],
        }
    }

    /// Whether it counts what happened, so that nothing at all is 0. The others have no value when nothing was measured.
    #[must_use]
    pub const fn counts(self) -> bool {
        matches!(self, Self::ErrorCount | Self::NewIssueCount | Self::RegressionCount | Self::UserCount)
    }
}

impl Operator {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Over, Self::AtLeast, Self::Under, Self::AtMost];

    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Over => ">",
            Self::AtLeast => ">=",
            Self::Under => "<",
            Self::AtMost => "<=",
        }
    }

    /// Whether a value stands to a bound as this says.
    #[must_use]
    pub fn holds(self, value: f64, bound: f64) -> bool {
        match self {
            Self::Over => value > bound,
            Self::AtLeast => value >= bound,
            Self::Under => value < bound,
            Self::AtMost => value <= bound,
        }
    }
}

impl FilterKey {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Project, Self::Environment, Self::Level, Self::Release, Self::Source, Self::Tag];
    /// Those that stand in the filter of a rule with a trigger.
    pub const OF_TRIGGERS: [Self; 5] = [Self::Environment, Self::Level, Self::Release, Self::Source, Self::Tag];

    /// Its name in a condition.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Project => "project",
            Self::Environment => "environment",
            Self::Level => "level",
            Self::Release => "release",
            Self::Source => "source",
            Self::Tag => "tag.NAME",
        }
    }
}

impl Window {
    /// The longest, in minutes.
    pub const MOST: u32 = 30 * 1_440;

    /// Of that many minutes; `None` for none at all or more than thirty days.
    #[must_use]
    pub const fn of_minutes(minutes: u32) -> Option<Self> {
        if minutes == 0 || minutes > Self::MOST { None } else { Some(Self(minutes)) }
    }

    /// How many minutes it has.
    #[must_use]
    pub const fn minutes(self) -> u32 {
        self.0
    }

    /// How long it is.
    #[must_use]
    pub const fn duration(self) -> Duration {
        Duration::from_secs(self.0 as u64 * 60)
    }
}

impl Condition {
    /// The one value that a filter asks for.
    #[must_use]
    pub fn filter(&self, key: FilterKey) -> Option<&str> {
        self.filters.iter().find(|filter| filter.key == key).map(|filter| filter.value.as_str())
    }
}

impl Condition {
    /// Whether it asks for what is only counted because a rule does.
    #[must_use]
    pub fn is_watched(&self) -> bool {
        self.filters.iter().any(|filter| matches!(filter.key, FilterKey::Release | FilterKey::Source | FilterKey::Tag))
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ", self.metric.as_str(), self.operator.as_str())?;
        match self.bound {
            Bound::Number(number) => write!(f, "{number}")?,
            Bound::Threshold => f.write_str("threshold")?,
        }
        match self.window {
            WindowChoice::Of(window) => write!(f, " in {window}")?,
            WindowChoice::TimeWindow => f.write_str(" in time_window")?,
        }
        for (index, filter) in self.filters.iter().enumerate() {
            let before = if index == 0 { "where" } else { "and" };
            match filter.key {
                FilterKey::Tag => {
                    write!(f, " {before} tag.")?;
                    write_value(f, &filter.tag)?;
                }
                key => write!(f, " {before} {}", key.as_str())?,
            }
            f.write_str(" = ")?;
            write_value(f, &filter.value)?;
        }
        Ok(())
    }
}

/// Writes a value as it can be read again.
fn write_value(f: &mut fmt::Formatter<'_>, value: &str) -> fmt::Result {
    if !value.is_empty() && value.chars().all(parse::is_word) {
        return f.write_str(value);
    }
    f.write_str("\"")?;
    for letter in value.chars() {
        if matches!(letter, '"' | '\\') {
            f.write_str("\\")?;
        }
        write!(f, "{letter}")?;
    }
    f.write_str("\"")
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            minutes if minutes % 1_440 == 0 => write!(f, "{}d", minutes / 1_440),
            minutes if minutes % 60 == 0 => write!(f, "{}h", minutes / 60),
            minutes => write!(f, "{minutes}m"),
        }
    }
}
