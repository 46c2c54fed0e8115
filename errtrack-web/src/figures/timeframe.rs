//! How far back readings are asked for.

use errtrack_core::Timestamp;
use serde::Serialize;
use std::str::FromStr;
use utoipa::ToSchema;

/// How far back to look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) enum Timeframe {
    /// An hour.
    #[default]
    #[serde(rename = "1h")]
    Hour,
    /// Six hours.
    #[serde(rename = "6h")]
    SixHours,
    /// A day.
    #[serde(rename = "24h")]
    Day,
    /// Seven days.
    #[serde(rename = "7d")]
    Week,
    /// Thirty days.
    #[serde(rename = "30d")]
    Month,
}

impl Timeframe {
    pub(crate) const ALL: [Self; 5] = [Self::Hour, Self::SixHours, Self::Day, Self::Week, Self::Month];
    /// What it has to be.
    pub(crate) const WHAT: &str = "one of 1h, 6h, 24h, 7d, 30d";

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Hour => "1h",
            Self::SixHours => "6h",
            Self::Day => "24h",
            Self::Week => "7d",
            Self::Month => "30d",
        }
    }

    /// In words, for people.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::SixHours => "6 hours",
            Self::Day => "24 hours",
            Self::Week => "7 days",
            Self::Month => "30 days",
        }
    }

    /// In minutes.
    pub(crate) const fn minutes(self) -> i64 {
        match self {
            Self::Hour => 60,
            Self::SixHours => 360,
            Self::Day => 1_440,
            Self::Week => 10_080,
            Self::Month => 43_200,
        }
    }
}

/// The error of parsing one.
#[derive(Debug)]
pub(crate) struct Unknown;

impl FromStr for Timeframe {
    type Err = Unknown;

    fn from_str(name: &str) -> Result<Self, Unknown> {
        Self::ALL.into_iter().find(|frame| frame.name() == name).ok_or(Unknown)
    }
}

/// Minutes since 1970.
pub(crate) const fn minute(time: Timestamp) -> i64 {
    time.as_seconds().div_euclid(60)
}

/// The time of a minute since 1970.
pub(crate) fn time(minute: i64) -> Timestamp {
    Timestamp::from_micros(minute.saturating_mul(60_000_000))
}
