//! Quiet hours: a part of each day in which a rule keeps what it has to say.

use crate::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{fmt, str::FromStr, time::Duration};

/// Minutes of a day.
const DAY: i64 = 1_440;

/// A part of each day, by a clock that stands so far from UTC: what is to be told then is told at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct QuietHours {
    /// When they begin: `22:00`.
    #[cfg_attr(feature = "openapi", schema(value_type = String, example = "22:00"))]
    pub from: TimeOfDay,
    /// When they end: `07:00`; if that is not later, on the next day.
    #[cfg_attr(feature = "openapi", schema(value_type = String, example = "07:00"))]
    pub until: TimeOfDay,
    /// How many minutes that clock is ahead of UTC; 0 unless set.
    #[serde(default)]
    pub utc_offset: i32,
}

/// A minute of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeOfDay(u16);

/// A text that is no time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no time of day like 07:30")]
pub struct InvalidTimeOfDay;

impl QuietHours {
    /// When they end, if they are at that time.
    #[must_use]
    pub fn end_at(self, now: Timestamp) -> Option<Timestamp> {
        let minute = (now.as_seconds().div_euclid(60) + i64::from(self.utc_offset)).rem_euclid(DAY);
        let (from, until) = (i64::from(self.from.0), i64::from(self.until.0));
        let length = (until - from).rem_euclid(DAY);
        // From a time to the same time is a whole day, in which nothing would ever be told: that is none.
        let passed = (minute - from).rem_euclid(DAY);
        if passed >= length {
            return None;
        }
        let start_of_minute = Timestamp::from_micros(now.as_seconds().div_euclid(60) * 60_000_000);
        Some(start_of_minute.plus(Duration::from_secs((length - passed).unsigned_abs() * 60)))
    }
}

impl FromStr for TimeOfDay {
    type Err = InvalidTimeOfDay;

    fn from_str(text: &str) -> Result<Self, InvalidTimeOfDay> {
        let (hour, minute) = text.trim().split_once(':').ok_or(InvalidTimeOfDay)?;
        let part = |text: &str, most: u16| {
            let is_plain = !text.is_empty() && text.len() <= 2 && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse::<u16>().ok().filter(|n| is_plain && *n < most).ok_or(InvalidTimeOfDay)
        };
        Ok(Self(part(hour, 24)? * 60 + part(minute, 60)?))
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl Serialize for TimeOfDay {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TimeOfDay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_in_quiet_hours_waits_for_their_end() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let night: QuietHours = serde_json::from_str(r#"{"from":"22:00","until":"07:00","utc_offset":60}"#).unwrap();
        let end = |text| night.end_at(at(text)).map(|end| end.to_string());
        assert_eq!(end("2026-11-20T20:59:59Z"), None);
        assert_eq!(end("2026-11-20T21:00:00Z").as_deref(), Some("2026-11-21T06:00:00Z"));
        assert_eq!(end("2026-11-21T05:59:59.5Z").as_deref(), Some("2026-11-21T06:00:00Z"));
        assert_eq!(end("2026-11-21T06:00:00Z"), None);
        let day: QuietHours = serde_json::from_str(r#"{"from":"9:00","until":"09:30"}"#).unwrap();
        assert_eq!(day.end_at(at("2026-11-21T09:15:00Z")), Some(at("2026-11-21T09:30:00Z")));
        let never = QuietHours { until: day.from, ..day };
        assert_eq!(never.end_at(at("2026-11-21T09:15:00Z")), None);
        for wrong in ["24:00", "7", "07:60", "", "a:b", "-1:00", "+1:00", "001:00"] {
            assert_eq!(wrong.parse::<TimeOfDay>(), Err(InvalidTimeOfDay), "{wrong}");
        }
    }
}
