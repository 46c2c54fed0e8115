//! Times as people read them: relative first, exact on hover.

use errtrack_core::Timestamp;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// A point in time, ready to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct When {
    /// `2 min ago`.
    pub(super) relative: String,
    /// `20 Nov 2026, 22:41:07 UTC`.
    pub(super) exact: String,
    /// For the `datetime` attribute.
    pub(super) iso: String,
}

impl When {
    pub(super) fn new(time: Timestamp, now: Timestamp) -> Self {
        Self {
            relative: ago(time, now),
            exact: time.strftime("%-d %b %Y, %H:%M:%S UTC"),
            iso: time.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
    }
}

/// How long ago: `just now`, `2 min ago`. The script counts on in the same words.
pub(super) fn ago(time: Timestamp, now: Timestamp) -> String {
    let seconds = now.as_seconds() - time.as_seconds();
    if seconds < -MINUTE {
        return format!("in {}", span(-seconds));
    }
    if seconds < 45 { "just now".into() } else { format!("{} ago", span(seconds.max(MINUTE))) }
}

/// A length of time in its largest unit: `4 s`, `3 d`.
pub(super) fn span(seconds: i64) -> String {
    match seconds {
        ..MINUTE => format!("{seconds} s"),
        MINUTE..HOUR => format!("{} min", seconds / MINUTE),
        HOUR..DAY => format!("{} h", seconds / HOUR),
        DAY.. if seconds < 14 * DAY => format!("{} d", seconds / DAY),
        DAY.. if seconds < 60 * DAY => format!("{} wk", seconds / (7 * DAY)),
        DAY.. if seconds < 730 * DAY => format!("{} mo", seconds / (30 * DAY)),
        _ => format!("{} y", seconds / (365 * DAY)),
    }
}

/// How long before the event something happened: `−5.31 s`.
pub(super) fn offset(time: Timestamp, event: Timestamp) -> String {
    let micros = time.as_micros() - event.as_micros();
    let sign = match micros {
        0 => return "0".into(),
        ..0 => '−',
        _ => '+',
    };
    let hundredths = micros.unsigned_abs() / 10_000;
    let seconds = i64::try_from(hundredths / 100).unwrap_or(i64::MAX);
    if seconds < MINUTE {
        format!("{sign}{seconds}.{:02} s", hundredths % 100)
    } else {
        format!("{sign}{}", span(seconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_relative_in_the_largest_unit() {
        let now: Timestamp = "2026-11-20T22:41:07Z".parse().unwrap();
        let at = |text: &str| ago(text.parse().unwrap(), now);
        assert_eq!(at("2026-11-20T22:40:40Z"), "just now");
        assert_eq!(at("2026-11-20T22:40:10Z"), "1 min ago");
        assert_eq!(at("2026-11-20T20:00:00Z"), "2 h ago");
        assert_eq!(at("2026-11-17T20:00:00Z"), "3 d ago");
        assert_eq!(at("2026-07-01T20:00:00Z"), "4 mo ago");
        assert_eq!(at("2026-11-20T23:41:07Z"), "in 1 h");
    }

    #[test]
    fn offsets_have_hundredths_below_a_minute() {
        let event: Timestamp = "2026-11-20T22:41:07Z".parse().unwrap();
        assert_eq!(offset("2026-11-20T22:41:01.69Z".parse().unwrap(), event), "−5.31 s");
        assert_eq!(offset("2026-11-20T22:35:07Z".parse().unwrap(), event), "−6 min");
        assert_eq!(offset(event, event), "0");
    }
}
