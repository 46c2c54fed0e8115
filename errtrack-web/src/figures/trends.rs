//! What happened over time, in buckets of UTC.

use super::calendar;
use errtrack_core::{
    Store, StoreError, Timestamp,
    store::{FigureScope, Rollup, RollupWidth},
};
use serde::Serialize;
use std::{fmt, str::FromStr};
use utoipa::ToSchema;

/// How far back to look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Period {
    /// 24 hours.
    Day,
    /// 7 days.
    #[default]
    Week,
    /// 30 days.
    Month,
    /// 365 days, or 12 months.
    Year,
}

/// How long a bucket is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum GroupBy {
    /// An hour.
    Hour,
    /// A day of UTC.
    #[default]
    Day,
    /// From Monday on.
    Week,
    /// A month of the calendar.
    Month,
}

impl Period {
    pub(crate) const ALL: [Self; 4] = [Self::Day, Self::Week, Self::Month, Self::Year];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Year => "year",
        }
    }

    const fn days(self) -> i64 {
        match self {
            Self::Day => 1,
            Self::Week => 7,
            Self::Month => 30,
            Self::Year => 365,
        }
    }
}

impl GroupBy {
    pub(crate) const ALL: [Self; 4] = [Self::Hour, Self::Day, Self::Week, Self::Month];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    const fn width(self) -> RollupWidth {
        match self {
            Self::Hour => RollupWidth::Hour,
            Self::Day | Self::Week | Self::Month => RollupWidth::Day,
        }
    }

    /// The hour at which the bucket of an hour begins.
    const fn start(self, hour: i64) -> i64 {
        let day = calendar::day(hour);
        match self {
            Self::Hour => hour,
            Self::Day => day * 24,
            Self::Week => calendar::week(day) * 24,
            Self::Month => calendar::month(day) * 24,
        }
    }

    /// The hour at which the bucket after the one that begins there begins.
    const fn next(self, start: i64) -> i64 {
        match self {
            Self::Hour => start + 1,
            Self::Day => start + 24,
            Self::Week => start + 7 * 24,
            Self::Month => calendar::months_later(calendar::day(start), 1) * 24,
        }
    }
}

/// The error of parsing a period or the length of a bucket.
#[derive(Debug)]
pub(crate) struct Unknown;

impl FromStr for Period {
    type Err = Unknown;

    fn from_str(name: &str) -> Result<Self, Unknown> {
        Self::ALL.into_iter().find(|period| period.name() == name).ok_or(Unknown)
    }
}

impl FromStr for GroupBy {
    type Err = Unknown;

    fn from_str(name: &str) -> Result<Self, Unknown> {
        Self::ALL.into_iter().find(|group| group.name() == name).ok_or(Unknown)
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What happened in a period, the oldest bucket first.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Trend {
    pub(crate) period: Period,
    pub(crate) group_by: GroupBy,
    pub(crate) data_points: Vec<TrendPoint>,
}

/// What happened in a bucket of time.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct TrendPoint {
    /// When it begins. The first one is whole, also where the period begins within it.
    pub(crate) timestamp: Timestamp,
    /// Events.
    pub(crate) error_count: i64,
    /// How often an issue was resolved.
    pub(crate) resolved_count: i64,
    /// Events of level `fatal`.
    pub(crate) critical_count: i64,
    /// Issues that were made.
    pub(crate) new_count: i64,
}

/// The hours at which the buckets of a period begin that ends now.
fn starts(period: Period, group_by: GroupBy, now: i64) -> Vec<i64> {
    let first = match group_by {
        GroupBy::Hour => now + 1 - period.days() * 24,
        // As many months as a year has, not the thirteen that 365 days touch.
        GroupBy::Month if period == Period::Year => calendar::months_later(calendar::day(now), -11) * 24,
        GroupBy::Day | GroupBy::Week | GroupBy::Month => (calendar::day(now) + 1 - period.days()) * 24,
    };
    let first = group_by.start(first.max(0));
    std::iter::successors(Some(first), |start| Some(group_by.next(*start))).take_while(|start| *start <= now).collect()
}

impl Trend {
    pub(crate) async fn read(
        store: &dyn Store,
        scope: &FigureScope,
        period: Period,
        group_by: GroupBy,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let starts = starts(period, group_by, now.hour());
        let first = Timestamp::from_micros(starts.first().copied().unwrap_or_default() * HOUR);
        let rollups = store.rollups(scope, group_by.width(), first, now).await?;
        let mut buckets: Vec<Rollup> = starts.iter().map(|hour| Rollup { hour: *hour, ..Rollup::default() }).collect();
        for rollup in rollups {
            let place = starts.partition_point(|start| *start <= rollup.hour);
            if let Some(bucket) = place.checked_sub(1).and_then(|place| buckets.get_mut(place)) {
                bucket.add(&rollup);
            }
        }
        let point = |rollup: Rollup| TrendPoint {
            timestamp: Timestamp::from_micros(rollup.hour * HOUR),
            error_count: rollup.events,
            resolved_count: rollup.resolved,
            critical_count: rollup.fatal,
            new_count: rollup.new_issues,
        };
        Ok(Self { period, group_by, data_points: buckets.into_iter().map(point).collect() })
    }
}

/// Microseconds of an hour.
const HOUR: i64 = 3_600_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    /// 2024-03-10T12:00Z, a Sunday in a leap year.
    const NOW: i64 = 475_020;

    fn shown(period: Period, group_by: GroupBy) -> (usize, String, String) {
        let starts = starts(period, group_by, NOW);
        let text = |hour: i64| Timestamp::from_micros(hour * HOUR).strftime("%F %H");
        (starts.len(), text(starts[0]), text(starts[starts.len() - 1]))
    }

    #[test]
    fn buckets_begin_where_the_calendar_says() {
        use GroupBy as By;
        for (period, group_by, count, first, last) in [
            (Period::Day, By::Hour, 24, "2024-03-09 13", "2024-03-10 12"),
            (Period::Day, By::Day, 1, "2024-03-10 00", "2024-03-10 00"),
            (Period::Week, By::Day, 7, "2024-03-04 00", "2024-03-10 00"),
            (Period::Week, By::Week, 1, "2024-03-04 00", "2024-03-04 00"),
            (Period::Month, By::Day, 30, "2024-02-10 00", "2024-03-10 00"),
            (Period::Month, By::Week, 5, "2024-02-05 00", "2024-03-04 00"),
            (Period::Month, By::Month, 2, "2024-02-01 00", "2024-03-01 00"),
            (Period::Year, By::Month, 12, "2023-04-01 00", "2024-03-01 00"),
            (Period::Year, By::Day, 365, "2023-03-12 00", "2024-03-10 00"),
            (Period::Year, By::Hour, 8760, "2023-03-11 13", "2024-03-10 12"),
        ] {
            assert_eq!(shown(period, group_by), (count, first.into(), last.into()), "{period} by {group_by:?}");
        }
    }

    #[test]
    fn the_beginning_of_time_is_no_problem() {
        for period in Period::ALL {
            for group_by in GroupBy::ALL {
                assert!(!starts(period, group_by, 5).is_empty());
            }
        }
    }
}
