//! What is kept, what the last run let go of, and what would go now.

use crate::{
    pages::{text, time, time::When},
    status::Status,
};
use errtrack_core::{
    Timestamp,
    store::{Retention, RetentionReport},
};

/// The section.
#[derive(Debug)]
pub(in crate::pages) struct RetentionView {
    pub(in crate::pages) rows: Vec<Row>,
    pub(in crate::pages) last: Option<When>,
    /// How long the last run took.
    pub(in crate::pages) took: String,
    pub(in crate::pages) has_preview: bool,
    pub(in crate::pages) nothing_would_go: bool,
    pub(in crate::pages) running: Option<When>,
    pub(in crate::pages) failed: Option<(When, String)>,
}

/// A rule, and what it let go of.
#[derive(Debug)]
pub(in crate::pages) struct Row {
    pub(in crate::pages) what: &'static str,
    pub(in crate::pages) rule: String,
    /// There is no such bound.
    pub(in crate::pages) is_off: bool,
    pub(in crate::pages) last: Option<String>,
    pub(in crate::pages) next: Option<String>,
}

impl RetentionView {
    pub(super) fn new(
        status: &Status,
        preview: Option<&RetentionReport>,
        running: Option<Timestamp>,
        failed: Option<&(Timestamp, String)>,
    ) -> Self {
        let now = status.now;
        let last = status.last_retention.as_ref();
        Self {
            rows: rows(&status.rules, last, preview),
            last: last.map(|last| When::new(last.at, now)),
            took: last.map(|last| took(last.took_ms)).unwrap_or_default(),
            has_preview: preview.is_some(),
            nothing_would_go: preview.is_some_and(|report| report.issues + report.events() == 0),
            running: running.map(|since| When::new(since, now)),
            failed: failed.map(|(at, why)| (When::new(*at, now), text::line(why, 400))),
        }
    }
}

fn rows(rules: &Retention, last: Option<&RetentionReport>, preview: Option<&RetentionReport>) -> Vec<Row> {
    let row = |what, rule: Option<String>, of: fn(&RetentionReport) -> u64| Row {
        what,
        is_off: rule.is_none(),
        rule: rule.unwrap_or_else(|| "no bound".into()),
        last: last.map(|report| text::count(of(report))),
        next: preview.map(|report| text::count(of(report))),
    };
    let age = rules.age.map(|age| format!("older than {}", days(age.as_secs() / 86_400)));
    let most = |n: u64| format!("more than {}", text::count(n));
    let disk = (rules.free_disk > 0).then(|| format!("less than {} free", text::bytes(rules.free_disk)));
    vec![
        row("Resolved issues", age.clone(), |report| report.issues),
        row("Events by age", age, |report| report.old_events),
        row("Events per issue", Some(most(rules.events_per_issue.into())), |report| report.surplus_events),
        row("Events per project", rules.events_per_project.map(most), |report| report.quota_events),
        row("Events for free disk", disk, |report| report.disk_events),
    ]
}

fn days(n: u64) -> String {
    if n == 1 { "1 day".into() } else { format!("{} days", text::count(n)) }
}

fn took(millis: u64) -> String {
    match millis {
        ..1_000 => format!("{millis} ms"),
        _ => time::span(i64::try_from(millis / 1_000).unwrap_or(i64::MAX)),
    }
}
