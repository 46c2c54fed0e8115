//! The answers that stand on every issue, in the order in which they are asked, and the chart below them.

use super::event::EventView;
use crate::pages::{
    chart::{self, Bars, News},
    text,
    time::When,
};
use errtrack_core::{Event, Issue, Timestamp};

/// Hours that are asked for: two weeks.
pub(super) const HOURS: u32 = 14 * 24;
const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// The strip.
#[derive(Debug)]
pub(in crate::pages) struct Answers {
    pub(in crate::pages) first_seen: When,
    pub(in crate::pages) last_seen: When,
    pub(in crate::pages) events: String,
    pub(in crate::pages) trend: Option<Trend>,
    pub(in crate::pages) users: String,
    pub(in crate::pages) release: String,
    pub(in crate::pages) first_release: Option<String>,
    /// File and line, and the function.
    pub(in crate::pages) line: Option<(String, String)>,
    pub(in crate::pages) line_url: &'static str,
    pub(in crate::pages) before: Option<String>,
}

/// How the last day compares to the one before.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::pages) struct Trend {
    pub(in crate::pages) class: &'static str,
    pub(in crate::pages) text: String,
}

impl Answers {
    pub(super) fn new(
        issue: &Issue,
        event: Option<&Event>,
        view: Option<&EventView>,
        hours: &[i64],
        now: Timestamp,
    ) -> Self {
        let release = |release: &Option<String>| release.as_deref().map(|r| text::line(r, 60));
        let last = release(&issue.last_release);
        Self {
            first_seen: When::new(issue.first_seen, now),
            last_seen: When::new(issue.last_seen, now),
            events: text::counted(issue.count, "event"),
            trend: trend(issue, hours, now),
            users: if issue.user_count == 0 { "No known user".into() } else { text::counted(issue.user_count, "user") },
            first_release: release(&issue.first_release).filter(|first| Some(first) != last.as_ref()),
            release: last.unwrap_or_else(|| "Unknown".into()),
            line: view.and_then(|view| view.stack.line.clone()),
            line_url: view.map_or("#stack", |view| view.stack.line_url),
            before: event.and_then(|event| event.breadcrumbs.last()).map(super::crumbs::summary),
        }
    }
}

fn trend(issue: &Issue, hours: &[i64], now: Timestamp) -> Option<Trend> {
    if now.as_seconds() - issue.first_seen.as_seconds() < DAY {
        return None;
    }
    let today: i64 = hours.iter().rev().take(24).sum();
    let before: i64 = hours.iter().rev().skip(24).take(24).sum();
    let (class, text) = match (today, before) {
        (0, 0) => ("muted", "none in two days".to_owned()),
        (0, before) => ("ok", format!("▼ none today, {} the day before", text::number(before))),
        (today, 0) => ("error", format!("▲ {} today, none the day before", text::number(today))),
        (today, before) => {
            let percent = (today - before).saturating_mul(100) / before;
            match percent {
                -4..=4 => ("muted", "as on the day before".into()),
                ..-4 => ("ok", format!("▼ {} % on the day before", percent.abs())),
                5..1_000 => ("error", format!("▲ {percent} % on the day before")),
                _ => ("error", format!("▲ {}× the day before", text::number(today / before))),
            }
        }
    };
    Some(Trend { class, text })
}

/// The chart of an issue and its heading: hours while it is young, else days.
pub(super) fn chart(issue: &Issue, hours: &[i64], news: News, now: Timestamp) -> (Bars, &'static str) {
    let age = now.as_seconds() - issue.first_seen.as_seconds();
    if age < 2 * DAY {
        let shown = if age < DAY { 24 } else { 48 };
        let counts: Vec<i64> = hours.iter().copied().skip(hours.len().saturating_sub(shown)).collect();
        let names: Vec<String> = (0..counts.len()).rev().map(|back| at(now, back, HOUR).strftime("%H:%M")).collect();
        return (bars(&counts, &names, "hour", shown / 6, news), "Events per hour");
    }
    // Whole days of UTC, the last one up to now.
    let into_day = usize::try_from(now.hour() % 24 + 1).unwrap_or(24);
    let mut counts: Vec<i64> = Vec::with_capacity(14);
    let (before, today) = hours.split_at_checked(hours.len().saturating_sub(into_day)).unwrap_or((hours, &[]));
    counts.extend(before.rchunks(24).take(13).map(|day| day.iter().sum::<i64>()));
    counts.reverse();
    counts.push(today.iter().sum());
    let names: Vec<String> = (0..counts.len()).rev().map(|back| at(now, back, DAY).strftime("%-d %b")).collect();
    (bars(&counts, &names, "day", 2, news), "Events per day")
}

fn at(now: Timestamp, back: usize, unit: i64) -> Timestamp {
    let start = now.as_seconds().div_euclid(unit) * unit - i64::try_from(back).unwrap_or(0) * unit;
    Timestamp::from_micros(start.saturating_mul(1_000_000))
}

fn bars(counts: &[i64], names: &[String], unit: &str, every: usize, news: News) -> Bars {
    let most = counts.iter().zip(names).max_by_key(|(count, _)| **count);
    let label = match (most, names.first(), names.last()) {
        (Some((most, name)), Some(first), Some(last)) if *most > 0 => {
            let total = text::number(counts.iter().sum());
            format!(
                "Events per {unit}, {first} to {last}: {total} in all, most at {name} with {}.",
                text::number(*most)
            )
        }
        _ => format!("Events per {unit}: none."),
    };
    chart::bars(counts, names, every, news, label)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::samples;

    #[test]
    fn days_are_whole_and_end_now() {
        let (now, mut hours) = (samples::now(), vec![0; HOURS as usize]);
        // 22:41: the day has 23 hours so far.
        hours[335] = 5;
        hours[335 - 22] = 2;
        hours[335 - 23] = 7;
        let mut issue = samples::issue(1);
        issue.first_seen = now.minus(std::time::Duration::from_secs(9 * 86_400));
        let (chart, title) = chart(&issue, &hours, News::None, now);
        assert_eq!(title, "Events per day");
        let last: Vec<_> = chart.bars.iter().rev().take(2).map(|b| (b.name.as_str(), b.count.as_str())).collect();
        assert_eq!(last, [("20 Nov", "7"), ("19 Nov", "7")]);
        assert_eq!(chart.label, "Events per day, 7 Nov to 20 Nov: 14 in all, most at 20 Nov with 7.");
    }

    #[test]
    fn trends_compare_whole_days() {
        let mut issue = samples::issue(1);
        issue.first_seen = Timestamp::from_micros(0);
        let said = |before: i64, today: i64| {
            let hours: Vec<i64> = (0..48).map(|h| if h == 0 { before } else { i64::from(h == 40) * today }).collect();
            trend(&issue, &hours, samples::now()).unwrap().text
        };
        assert_eq!(said(100, 163), "▲ 63 % on the day before");
        assert_eq!(said(100, 40), "▼ 60 % on the day before");
        assert_eq!(said(1, 4_000), "▲ 4,000× the day before");
        assert_eq!(said(0, 3), "▲ 3 today, none the day before");
    }
}
