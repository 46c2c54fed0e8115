//! Points in time, as microseconds since 1970 in UTC.

use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{
    fmt,
    str::FromStr,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Microseconds since 1970-01-01T00:00:00Z. In JSON and text: RFC 3339 with as many digits as it has.
///
/// An integer, because that is what databases compare, index and divide into buckets at no cost.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
pub struct Timestamp(i64);

/// The error of parsing a timestamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a time as in RFC 3339, like 2026-11-20T22:41:07Z")]
pub struct InvalidTimestamp;

/// Microseconds in a second.
const SECOND: i64 = 1_000_000;
/// The last microsecond that jiff takes, near the end of the year 9999; its own `MAX` is a fraction beyond that.
const LAST: i64 = 253_402_207_200_000_000;

impl Timestamp {
    /// The present.
    #[must_use]
    pub fn now() -> Self {
        SystemTime::now().into()
    }

    /// From microseconds since 1970, clamped to what can be written: 1970 to the end of 9999.
    #[must_use]
    pub fn from_micros(micros: i64) -> Self {
        Self(micros.clamp(0, LAST))
    }

    /// From seconds since 1970; `None` if that is no number.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "a float saturates, and the result is clamped")]
    pub fn from_seconds(seconds: f64) -> Option<Self> {
        if !seconds.is_finite() {
            return None;
        }
        Some(Self::from_micros((seconds * 1e6).round() as i64))
    }

    /// Microseconds since 1970.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970.
    #[must_use]
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(SECOND)
    }

    /// The number of whole minutes since 1970: the bucket of the minute rollups.
    #[must_use]
    pub const fn minute(self) -> i64 {
        self.0.div_euclid(60 * SECOND)
    }

    /// The number of whole hours since 1970: the bucket of the hour rollups.
    #[must_use]
    pub const fn hour(self) -> i64 {
        self.0.div_euclid(3600 * SECOND)
    }

    /// Later by a duration.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self::from_micros(self.0.saturating_add(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)))
    }

    /// Earlier by a duration.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self::from_micros(self.0.saturating_sub(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)))
    }

    /// Formats it in UTC as [`jiff::fmt::strtime`] describes; for pages.
    #[must_use]
    pub fn strftime(self, format: &str) -> String {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(time) => time.to_zoned(TimeZone::UTC).strftime(format).to_string(),
            Err(_) => String::new(),
        }
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(time) => fmt::Display::fmt(&time, f),
            Err(_) => f.write_str("1970-01-01T00:00:00Z"),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Timestamp {
    type Err = InvalidTimestamp;

    /// Takes RFC 3339, and the same without a zone, which means UTC.
    fn from_str(text: &str) -> Result<Self, InvalidTimestamp> {
        if let Ok(time) = text.parse::<jiff::Timestamp>() {
            return Ok(Self::from_micros(time.as_microsecond()));
        }
        let civil: jiff::civil::DateTime = text.parse().map_err(|_| InvalidTimestamp)?;
        let zoned = civil.to_zoned(TimeZone::UTC).map_err(|_| InvalidTimestamp)?;
        Ok(Self::from_micros(zoned.timestamp().as_microsecond()))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_with_and_without_a_zone() {
        let time: Timestamp = "2026-11-20T22:41:07.123456Z".parse().unwrap();
        assert_eq!(time.to_string(), "2026-11-20T22:41:07.123456Z");
        assert_eq!("2026-11-20T22:41:07.123456".parse(), Ok(time));
        assert_eq!("2026-11-21T00:41:07.123456+02:00".parse(), Ok(time));
        assert_eq!("yesterday".parse::<Timestamp>(), Err(InvalidTimestamp));
    }

    #[test]
    fn seconds_are_clamped_to_what_can_be_written() {
        assert_eq!(Timestamp::from_seconds(f64::NAN), None);
        assert_eq!(Timestamp::from_seconds(-5.0).unwrap().to_string(), "1970-01-01T00:00:00Z");
        assert_eq!(Timestamp::from_seconds(1e30).unwrap().strftime("%Y"), "9999");
        assert_eq!(Timestamp::from_seconds(1_795_218_780.514).unwrap().to_string(), "2026-11-20T23:53:00.514Z");
    }
}
