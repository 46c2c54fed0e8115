//! One event of an issue, ready to be shown.

use super::{
    crumbs::{self, Crumb},
    facts,
    field::{self, Field, Section},
    request::RequestView,
    stack::{Mode, StackView},
};
use crate::pages::{shell::Shell, text, time::When};
use errtrack_core::{
    Event, Mark,
    grouping::Grouping,
    store::{EventPosition, StoredEvent},
};
use uuid::Uuid;

/// The event.
#[derive(Debug)]
pub(in crate::pages) struct EventView {
    pub(in crate::pages) is_pinned: bool,
    /// Where the form that pins it is sent to, and where it returns to.
    pub(in crate::pages) pin_url: String,
    pub(in crate::pages) here: String,
    pub(in crate::pages) index: String,
    pub(in crate::pages) total: String,
    pub(in crate::pages) when: When,
    pub(in crate::pages) handled: &'static str,
    pub(in crate::pages) first: Option<String>,
    pub(in crate::pages) previous: Option<String>,
    pub(in crate::pages) next: Option<String>,
    pub(in crate::pages) last: Option<String>,
    pub(in crate::pages) stack: StackView,
    pub(in crate::pages) crumbs: Vec<Crumb>,
    pub(in crate::pages) older_crumbs: Option<String>,
    pub(in crate::pages) request: Option<RequestView>,
    pub(in crate::pages) contexts: Vec<Section>,
    pub(in crate::pages) modules: Vec<Field>,
    pub(in crate::pages) grouping: Option<Why>,
    pub(in crate::pages) facts: Vec<Section>,
    pub(in crate::pages) filtered: Vec<Field>,
    pub(in crate::pages) truncated: Vec<Field>,
}

/// Why events are one issue.
#[derive(Debug)]
pub(in crate::pages) struct Why {
    pub(in crate::pages) sentence: String,
    pub(in crate::pages) rows: Vec<Field>,
}

impl EventView {
    pub(super) fn new(
        shell: &Shell,
        path: &str,
        stored: &StoredEvent,
        position: &EventPosition,
        mode: Mode,
        now: errtrack_core::Timestamp,
    ) -> Self {
        let event = &stored.event;
        let place = |id: Uuid, mode: Mode| {
            let id = id.simple().to_string();
            let mut parameters = vec![("event", id.as_str())];
            parameters.extend(mode.parameter());
            text::url(path, &parameters)
        };
        let link = |id: Option<Uuid>, mode: Mode| Some(shell.links.path(place(id?, mode)));
        let to = |id: Option<Uuid>| link(id.filter(|id| *id != stored.id), mode);
        Self {
            is_pinned: stored.pinned,
            pin_url: {
                let action = if stored.pinned { "unpin" } else { "pin" };
                shell.links.path(format!("{path}/events/{}/{action}", stored.id.simple()))
            },
            here: place(stored.id, mode),
            index: text::number(position.index),
            total: text::number(position.total),
            when: When::new(event.timestamp, now),
            handled: if event.handled() { "handled" } else { "not handled" },
            first: to(position.first),
            previous: to(position.previous),
            next: to(position.next),
            last: to(position.last),
            stack: StackView::new(event, mode, |mode| link(Some(stored.id), mode).unwrap_or_default()),
            crumbs: crumbs::view(event),
            older_crumbs: truncated_crumbs(event),
            request: event.request.as_ref().map(RequestView::new),
            contexts: facts::contexts(event),
            modules: field::of_texts(&event.modules),
            grouping: event.grouping.as_ref().map(why),
            facts: facts::of(stored),
            filtered: marks(&event.filtered),
            truncated: marks(&event.truncated),
        }
    }
}

fn marks(marks: &[Mark]) -> Vec<Field> {
    marks.iter().take(100).map(|mark| Field::new(&mark.path, &mark.what)).collect()
}

fn truncated_crumbs(event: &Event) -> Option<String> {
    let mark = event.truncated.iter().find(|mark| mark.path == "breadcrumbs")?;
    Some(format!("Older entries were left out: {}.", text::line(&mark.what, 80)))
}

fn why(grouping: &Grouping) -> Why {
    let name = |name: &str| match name {
        "type" => "Type".to_owned(),
        "types" => "Types".into(),
        "frames" => "Frames".into(),
        "message" => "Message".into(),
        "fingerprint" => "Fingerprint".into(),
        "formula" => "Formula".into(),
        other => text::line(other, 60),
    };
    let rule = grouping.rule.as_deref().map(|rule| text::line(rule, 200));
    let sentence = match (grouping.by.as_str(), &rule) {
        ("rule", Some(rule)) => format!("The rule “{rule}” decides. Events join it when all of these are the same:"),
        (by, Some(rule)) if !by.is_empty() => {
            format!(
                "The rule “{rule}” leaves it to their {}. Events join it when all of these are the same:",
                text::line(by, 60)
            )
        }
        ("", _) => "Events join it when all of these are the same:".to_owned(),
        ("formula", _) => "Events join it by the formula of the dialect that they were reported in:".into(),
        (by, _) => format!("Events join it by their {}, when all of these are the same:", text::line(by, 60)),
    };
    let mut rows: Vec<Field> =
        grouping.components.iter().map(|part| Field::new(&name(&part.name), &part.values.join("\n"))).collect();
    if let Some(instead) = grouping.instead_of.first() {
        rows.push(Field::new("Instead of", &instead.values.join("\n")));
    }
    if !grouping.version.is_empty() {
        rows.push(Field::new("Version", &grouping.version));
    }
    Why { sentence, rows }
}
