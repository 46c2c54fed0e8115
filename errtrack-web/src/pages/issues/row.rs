//! One line of the list.

use super::super::{
    chart::{self, News, Spark},
    shell::{Shell, Who},
    text,
    time::{self, When},
};
use errtrack_core::{Issue, Level, Status, Timestamp};
use std::time::Duration;

/// For how long an issue counts as new.
const NEW: Duration = Duration::from_secs(24 * 3600);

/// An issue as a line of the list shows it.
#[derive(Debug)]
pub(in super::super) struct Row {
    pub(in super::super) id: String,
    pub(in super::super) short_id: String,
    pub(in super::super) url: String,
    pub(in super::super) level: &'static str,
    pub(in super::super) level_name: &'static str,
    pub(in super::super) ty: String,
    pub(in super::super) value: String,
    pub(in super::super) badge: Option<Badge>,
    pub(in super::super) culprit: String,
    pub(in super::super) environment: Option<String>,
    pub(in super::super) release: Option<String>,
    pub(in super::super) spark: Spark,
    pub(in super::super) events: String,
    pub(in super::super) users: String,
    pub(in super::super) seen: When,
    pub(in super::super) since: String,
    pub(in super::super) assigned: Option<Who>,
}

/// A word in a thin outline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Badge {
    pub(in super::super) class: &'static str,
    pub(in super::super) text: &'static str,
}

impl Badge {
    /// What a badge means for charts.
    pub(in super::super) fn news(badge: Option<Self>) -> News {
        match badge.map(|badge| badge.text) {
            Some("New") => News::New,
            Some("Regressed") => News::Back,
            _ => News::None,
        }
    }
}

impl Row {
    pub(super) fn new(shell: &Shell, issue: &Issue, hours: &[i64], now: Timestamp) -> Self {
        let (ty, value) = title(issue);
        let badge = badge(issue, hours, now);
        Self {
            id: issue.uuid.to_string(),
            short_id: text::line(&issue.short_id(), 80),
            url: shell.links.path(format!("/issues/{}", text::path_part(&issue.short_id()))),
            level: issue.level.as_str(),
            level_name: level_name(issue.level),
            ty,
            value,
            badge,
            culprit: text::line(&issue.culprit, 160),
            environment: issue.environment.as_deref().map(|e| text::line(e, 40)),
            release: issue.last_release.as_deref().map(|r| text::line(r, 40)),
            spark: chart::spark(hours, Badge::news(badge)),
            events: text::number(issue.count),
            users: text::number(issue.user_count),
            seen: When::new(issue.last_seen, now),
            since: time::span((now.as_seconds() - issue.first_seen.as_seconds()).max(0)),
            assigned: issue.assigned_to.as_deref().map(Who::named),
        }
    }
}

/// Type and value on one line each; a message has no type.
pub(in super::super) fn title(issue: &Issue) -> (String, String) {
    let (ty, value) = (text::line(&issue.ty, 300), text::line(&issue.value, 300));
    if ty.is_empty() && value.is_empty() { (ty, "(no message)".into()) } else { (ty, value) }
}

/// Whether an issue has come back, is new or is rising, while nobody has dealt with it.
pub(in super::super) fn badge(issue: &Issue, hours: &[i64], now: Timestamp) -> Option<Badge> {
    if issue.status != Status::Unresolved {
        return None;
    }
    if issue.regressed {
        return Some(Badge { class: "error", text: "Regressed" });
    }
    if issue.first_seen > now.minus(NEW) {
        return Some(Badge { class: "info", text: "New" });
    }
    chart::rising_from(hours).map(|_| Badge { class: "warning", text: "Rising" })
}

/// The name of a level for people.
pub(in super::super) fn level_name(level: Level) -> &'static str {
    match level {
        Level::Fatal => "Fatal",
        Level::Error => "Error",
        Level::Warning => "Warning",
        Level::Info => "Info",
        Level::Debug => "Debug",
    }
}
