//! Why events are one issue: what was compared, and which groups were merged.

use super::field::Field;
use crate::{
    app::App,
    error::Error,
    pages::{issues::row, text, time::When},
};
use errtrack_core::{Issue, Timestamp, grouping::Grouping, store::StoredEvent};

/// Groups of which it is looked up what was compared: each takes an event.
const EXPLAINED: usize = 20;

/// A group of an issue, and what was compared to find it, if an event of it still tells.
#[derive(Debug)]
pub(super) struct Part {
    group: Issue,
    grouping: Option<Grouping>,
}

/// Why this is one issue.
#[derive(Debug)]
pub(in crate::pages) struct Why {
    /// That it was merged, and of how many groups.
    pub(in crate::pages) merged: Option<String>,
    pub(in crate::pages) groups: Vec<Group>,
}

/// A group, ready to be shown.
#[derive(Debug)]
pub(in crate::pages) struct Group {
    pub(in crate::pages) fingerprint: String,
    /// The name that it has by itself.
    pub(in crate::pages) short_id: String,
    pub(in crate::pages) ty: String,
    pub(in crate::pages) value: String,
    pub(in crate::pages) events: String,
    pub(in crate::pages) users: String,
    pub(in crate::pages) first: When,
    pub(in crate::pages) last: When,
    pub(in crate::pages) sentence: String,
    pub(in crate::pages) rows: Vec<Field>,
}

/// What an issue is made of. Of one group the event that is shown tells what was compared, of several the newest of each.
pub(super) async fn parts(app: &App, issue: &Issue, shown: Option<&StoredEvent>) -> Result<Vec<Part>, Error> {
    let groups = app.store().groups(issue.id).await?;
    let alone = groups.len() <= 1;
    let mut parts = Vec::with_capacity(groups.len());
    for (place, group) in groups.into_iter().enumerate() {
        let grouping = if alone {
            shown.and_then(|shown| shown.event.grouping.clone())
        } else if place < EXPLAINED && !group.last_event.is_nil() {
            let newest = app.store().event(Some(&[group.project]), group.last_event.uuid()).await;
            // One that cannot be read says nothing; the page shows the others.
            newest.ok().flatten().and_then(|newest| newest.event.grouping)
        } else {
            None
        };
        parts.push(Part { group, grouping });
    }
    Ok(parts)
}

impl Why {
    pub(super) fn new(parts: &[Part], now: Timestamp) -> Self {
        let merged = (parts.len() > 1).then(|| {
            let n = parts.len();
            format!("It was merged of {n} groups, each with a fingerprint of its own; whatever has one of these counts here.")
        });
        Self { merged, groups: parts.iter().map(|part| Group::new(part, now)).collect() }
    }
}

impl Group {
    fn new(part: &Part, now: Timestamp) -> Self {
        let group = &part.group;
        let (ty, value) = row::title(group);
        let fingerprint = group.fingerprint.to_string();
        let (sentence, mut rows) = part.grouping.as_ref().map_or_else(unknown, compared);
        rows.push(Field::new("Fingerprint", &fingerprint));
        Self {
            fingerprint,
            short_id: text::line(&group.short_id(), 80),
            ty,
            value,
            events: text::number(group.count),
            users: text::number(group.user_count),
            first: When::new(group.first_seen, now),
            last: When::new(group.last_seen, now),
            sentence,
            rows,
        }
    }
}

fn unknown() -> (String, Vec<Field>) {
    ("Its events have the same fingerprint; none that tells what it was made of is kept.".into(), Vec::new())
}

/// What was compared: a sentence, and the parts with their values.
fn compared(grouping: &Grouping) -> (String, Vec<Field>) {
    let name = |name: &str| match name {
        "type" => "Type".to_owned(),
        "types" => "Types".into(),
        "frames" => "Frames".into(),
        "message" => "Message".into(),
        "place" => "Place".into(),
        "fingerprint" => "Sent fingerprint".into(),
        "formula" => "Formula".into(),
        other => text::line(other, 60),
    };
    let rule = grouping.rule.as_deref().map(|rule| text::line(rule, 200));
    let all = "Events join it when all of these are the same:";
    let sentence = match (grouping.by.as_str(), &rule) {
        ("rule", Some(rule)) => format!("The rule “{rule}” decides. {all}"),
        (by, Some(rule)) if !by.is_empty() => {
            format!("The rule “{rule}” leaves it to their {}. {all}", text::line(by, 60))
        }
        ("", _) => all.to_owned(),
        ("formula", _) => "Events join it by the formula of the dialect that they were reported in:".into(),
        (by, _) => format!("Events join it by their {}, when all of these are the same:", text::line(by, 60)),
    };
    let parts = grouping.components.iter();
    let mut rows: Vec<Field> = parts.map(|part| Field::new(&name(&part.name), &part.values.join("\n"))).collect();
    if let Some(instead) = grouping.instead_of.first() {
        rows.push(Field::new("Instead of", &instead.values.join("\n")));
    }
    if !grouping.version.is_empty() {
        rows.push(Field::new("Version of the formula", &grouping.version));
    }
    (sentence, rows)
}

/// Issues of one group, and of several.
#[cfg(test)]
pub(super) fn samples(issue: &Issue, event: Option<&errtrack_core::Event>, merged: bool) -> Vec<Part> {
    let grouping = event.and_then(|event| event.grouping.clone());
    let part = |number: i64| {
        let fingerprint = errtrack_core::Fingerprint([u8::try_from(number).unwrap_or_default(); 16]);
        Part { group: Issue { number, fingerprint, ..issue.clone() }, grouping: grouping.clone() }
    };
    if merged { vec![part(issue.number), part(77), part(78)] } else { vec![part(issue.number)] }
}
