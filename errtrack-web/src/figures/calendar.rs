//! The calendar of UTC, in hours and days since 1970.

/// The day of an hour.
pub(crate) const fn day(hour: i64) -> i64 {
    hour.div_euclid(24)
}

/// The Monday of the week of a day.
pub(super) const fn week(day: i64) -> i64 {
    // 1970 began on a Thursday.
    day - (day + 3).rem_euclid(7)
}

/// The first day of the month of a day.
pub(crate) const fn month(day: i64) -> i64 {
    let (year, month, _) = date(day);
    first_day(year, month)
}

/// The first day of the month that is so many months later.
pub(crate) const fn months_later(day: i64, months: i64) -> i64 {
    let (year, month, _) = date(day);
    let month = year * 12 + month - 1 + months;
    first_day(month.div_euclid(12), month.rem_euclid(12) + 1)
}

/// Year, month and day of a month; both from 1. Years are counted from March meanwhile, so that the odd day comes last.
const fn date(day: i64) -> (i64, i64, i64) {
    let day = day + 719_468;
    let era = day.div_euclid(146_097);
    let of_era = day.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + if month <= 2 { 1 } else { 0 }, month, of_month)
}

/// The day on which a month begins.
const fn first_day(year: i64, month: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use errtrack_core::Timestamp;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for day in (0..60_000).step_by(13).chain([59, 60, 789, 11_016, 11_017]) {
            let time = Timestamp::from_micros(day * 86_400_000_000);
            let (year, month, of_month) = date(day);
            assert_eq!(format!("{year:04}-{month:02}-{of_month:02}"), time.strftime("%F"));
            assert_eq!(super::month(day), day - of_month + 1);
            let monday = Timestamp::from_micros(week(day).max(0) * 86_400_000_000);
            assert!(week(day) < 0 || monday.strftime("%u") == "1", "{day}");
            assert!((0..7).contains(&(day - week(day))));
        }
    }

    #[test]
    fn months_follow_each_other() {
        let (january, march) = (first_day(2024, 1), first_day(2024, 3));
        assert_eq!(march - january, 31 + 29);
        assert_eq!(months_later(january + 30, 2), march);
        assert_eq!(months_later(march, -11), first_day(2023, 4));
        assert_eq!(months_later(first_day(2023, 12), 1), january);
    }
}
