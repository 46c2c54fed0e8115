//! What a dry run found, in words.

use crate::{links::Links, pages::text};
use errtrack_core::{
    Issue,
    rules::preview::{Affected, Change, EVENTS, Group, ISSUES, Preview},
};

/// The section.
#[derive(Debug)]
pub(in crate::pages) struct Trial {
    /// What was looked at.
    pub(in crate::pages) scope: String,
    /// How many events each rule decided about.
    pub(in crate::pages) applied: Vec<String>,
    pub(in crate::pages) is_quiet: bool,
    /// `12 events would be ignored`.
    pub(in crate::pages) ignored_title: String,
    pub(in crate::pages) ignored: Vec<Line>,
    pub(in crate::pages) groups: Vec<GroupView>,
    pub(in crate::pages) left_out: Option<String>,
}

/// Events of an issue.
#[derive(Debug)]
pub(in crate::pages) struct Line {
    pub(in crate::pages) issue: Link,
    /// `3 of 10 events`.
    pub(in crate::pages) share: String,
    pub(in crate::pages) by: String,
    pub(in crate::pages) example: String,
}

/// An issue.
#[derive(Debug)]
pub(in crate::pages) struct Link {
    pub(in crate::pages) url: String,
    pub(in crate::pages) short_id: String,
    pub(in crate::pages) title: String,
}

/// Where events would go.
#[derive(Debug)]
pub(in crate::pages) struct GroupView {
    pub(in crate::pages) what: &'static str,
    pub(in crate::pages) into: Option<Link>,
    pub(in crate::pages) parts: String,
    pub(in crate::pages) from: Vec<Line>,
}

impl Trial {
    pub(super) fn new(preview: &Preview, links: &Links) -> Self {
        let count = |n: usize, noun: &str| text::counted(i64::try_from(n).unwrap_or(i64::MAX), noun);
        let cut = if preview.is_cut {
            format!(": the {EVENTS} newest at most of each of the {ISSUES} issues that were seen last")
        } else {
            ", which is all that are kept".into()
        };
        Self {
            scope: format!(
                "Tried on {} of {}{cut}. Nothing was changed: rules hold for what comes.",
                count(preview.events, "event"),
                count(preview.issues, "issue"),
            ),
            applied: preview.applied.iter().map(|n| count(*n, "event")).collect(),
            is_quiet: preview.ignored.is_empty() && preview.groups.is_empty(),
            ignored_title: format!("{} would be ignored", count(preview.ignored_events, "event")),
            ignored: preview.ignored.iter().map(|affected| Line::new(affected, links)).collect(),
            groups: preview.groups.iter().map(|group| GroupView::new(group, links)).collect(),
            left_out: (preview.left_out > 0).then(|| format!("And {} more.", count(preview.left_out, "change"))),
        }
    }
}

impl Line {
    fn new(affected: &Affected, links: &Links) -> Self {
        let events = i64::try_from(affected.of).unwrap_or(i64::MAX);
        let event = text::url(&path(&affected.issue), &[("event", &affected.example.to_string())]);
        Self {
            issue: Link::new(&affected.issue, links),
            share: format!("{} of {}", affected.events, text::counted(events, "event")),
            by: affected.rule.map_or_else(|| "no rule any more".into(), |rule| format!("rule {}", rule + 1)),
            example: links.path(event),
        }
    }
}

impl GroupView {
    fn new(group: &Group, links: &Links) -> Self {
        Self {
            what: match group.change() {
                Change::Merge => "Would come together in",
                Change::Split => "Would be split off into",
                Change::Move => "Would go on as",
            },
            into: group.into.as_ref().map(|issue| Link::new(issue, links)),
            parts: text::line(&group.parts.join(" · "), 200),
            from: group.from.iter().map(|affected| Line::new(affected, links)).collect(),
        }
    }
}

impl Link {
    fn new(issue: &Issue, links: &Links) -> Self {
        let title = [issue.ty.as_str(), issue.value.as_str()].into_iter().filter(|text| !text.is_empty());
        Self {
            url: links.path(path(issue)),
            short_id: text::line(&issue.short_id(), 80),
            title: text::line(&title.collect::<Vec<_>>().join(": "), 120),
        }
    }
}

fn path(issue: &Issue) -> String {
    format!("/issues/{}", text::path_part(&issue.short_id()))
}
