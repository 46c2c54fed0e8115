//! How an incident begins and is changed. What a change does is decided here, so that all stores agree.

use super::{EntryKind, Incident, IncidentEntry, IncidentStatus, Severity};
use crate::{IssueId, ProjectId, Timestamp};
use uuid::Uuid;

/// An incident that is to be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewIncident {
    /// Its public id; a new one unless given.
    pub id: Uuid,
    /// The project that it is about; `None` if it is about more than one.
    pub project: Option<ProjectId>,
    /// What is wrong, in a few words.
    pub title: String,
    /// What is known.
    pub description: String,
    /// How bad it is.
    pub severity: Severity,
    /// How far people are.
    pub status: IncidentStatus,
    /// The member who looks after it.
    pub assigned_to: Option<String>,
    /// The rule that opens it. While the rule has an open incident, that is used instead.
    pub rule: Option<Uuid>,
    /// The firing of that rule.
    pub firing: Option<Uuid>,
    /// The channels that are told of changes of its status.
    pub channels: Vec<String>,
    /// Issues to link, of its project if it has one; others are left out, and those beyond
    /// [`MAX_LINKED_ISSUES`](super::MAX_LINKED_ISSUES).
    pub issues: Vec<IssueId>,
    /// Who opens it: the name or address of a member, or the name of a rule or key.
    pub by: String,
    /// What is noted beside it: of a rule, what it saw.
    pub note: String,
    /// When.
    pub at: Timestamp,
}

impl NewIncident {
    /// An incident of severity `medium`, about no one project, opened now.
    #[must_use]
    pub fn new(title: impl Into<String>, by: impl Into<String>) -> Self {
        Self {
            id: Uuid::now_v7(),
            project: None,
            title: title.into(),
            description: String::new(),
            severity: Severity::default(),
            status: IncidentStatus::default(),
            assigned_to: None,
            rule: None,
            firing: None,
            channels: Vec::new(),
            issues: Vec::new(),
            by: by.into(),
            note: String::new(),
            at: Timestamp::now(),
        }
    }

    /// The incident as it begins, before the store gives it a number.
    #[must_use]
    pub fn incident(&self) -> Incident {
        Incident {
            id: self.id,
            row: 0,
            project: self.project,
            title: self.title.clone(),
            description: self.description.clone(),
            severity: self.severity,
            status: self.status,
            assigned_to: self.assigned_to.clone(),
            rule: self.rule,
            firings: i64::from(self.rule.is_some()),
            channels: self.channels.clone(),
            opened_by: self.by.clone(),
            created_at: self.at,
            updated_at: self.at,
            resolved_at: (self.status == IncidentStatus::Resolved).then_some(self.at),
        }
    }

    /// The first entry of its timeline.
    #[must_use]
    pub fn entry(&self) -> IncidentEntry {
        IncidentEntry {
            to: Some(self.status.as_str().to_owned()),
            text: self.note.clone(),
            firing: self.firing,
            ..IncidentEntry::new(EntryKind::Opened, &self.by, self.at)
        }
    }

    /// What is noted on the open incident that the rule has already.
    #[must_use]
    pub fn again(&self) -> IncidentEntry {
        IncidentEntry {
            text: self.note.clone(),
            firing: self.firing,
            ..IncidentEntry::new(EntryKind::Fired, &self.by, self.at)
        }
    }
}

/// What is to be changed about an incident. What is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IncidentChange {
    /// Another title.
    pub title: Option<String>,
    /// Another description.
    pub description: Option<String>,
    /// Another severity.
    pub severity: Option<Severity>,
    /// Another status.
    pub status: Option<IncidentStatus>,
    /// Another member who looks after it, or nobody.
    pub assigned_to: Option<Option<String>>,
    /// Other channels. This has no entry in the timeline.
    pub channels: Option<Vec<String>>,
    /// What is said about it: beside the new status if there is one, else as a comment.
    pub note: Option<String>,
}

impl IncidentChange {
    /// The incident after the change, and what its timeline says of it. What is already as it should be is no change.
    #[must_use]
    pub fn of(&self, before: &Incident, by: &str, at: Timestamp) -> (Incident, Vec<IncidentEntry>) {
        let mut after = before.clone();
        let mut entries = Vec::new();
        let mut add = |kind, from: Option<String>, to: Option<String>| {
            entries.push(IncidentEntry { from, to, ..IncidentEntry::new(kind, by, at) });
        };
        if let Some(title) = self.title.as_ref().filter(|title| **title != before.title) {
            after.title.clone_from(title);
            add(EntryKind::Title, Some(before.title.clone()), Some(title.clone()));
        }
        if let Some(description) = self.description.as_ref().filter(|text| **text != before.description) {
            after.description.clone_from(description);
            add(EntryKind::Description, None, None);
        }
        if let Some(severity) = self.severity.filter(|severity| *severity != before.severity) {
            after.severity = severity;
            add(EntryKind::Severity, Some(before.severity.to_string()), Some(severity.to_string()));
        }
        if let Some(to) = self.assigned_to.as_ref().filter(|to| **to != before.assigned_to) {
            after.assigned_to.clone_from(to);
            add(EntryKind::Assigned, before.assigned_to.clone(), to.clone());
        }
        if let Some(status) = self.status.filter(|status| *status != before.status) {
            after.status = status;
            after.resolved_at = (status == IncidentStatus::Resolved).then_some(at);
            add(EntryKind::Status, Some(before.status.to_string()), Some(status.to_string()));
        }
        if let Some(channels) = &self.channels {
            after.channels.clone_from(channels);
        }
        if let Some(note) = self.note.as_ref().filter(|note| !note.is_empty()) {
            if let Some(entry) = entries.last_mut().filter(|entry| entry.kind == EntryKind::Status) {
                entry.text.clone_from(note);
            } else {
                entries.push(IncidentEntry { text: note.clone(), ..IncidentEntry::new(EntryKind::Comment, by, at) });
            }
        }
        if after != *before || !entries.is_empty() {
            after.updated_at = at;
        }
        (after, entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn each_change_is_told_and_what_stays_is_not() {
        let new = NewIncident::new("slow", "ann");
        let before = new.incident();
        let later = new.at.plus(Duration::from_secs(60));
        let same = IncidentChange {
            title: Some("slow".into()),
            status: Some(IncidentStatus::Investigating),
            assigned_to: Some(None),
            ..IncidentChange::default()
        };
        assert_eq!(same.of(&before, "bob", later), (before.clone(), Vec::new()));
        let all = IncidentChange {
            title: Some("very slow".into()),
            description: Some("since the deploy".into()),
            severity: Some(Severity::Critical),
            status: Some(IncidentStatus::Resolved),
            assigned_to: Some(Some("bob".into())),
            channels: Some(vec!["slack".into()]),
            note: Some("rolled back".into()),
        };
        let (after, entries) = all.of(&before, "bob", later);
        let kinds: Vec<_> = entries.iter().map(|entry| entry.kind.as_str()).collect();
        assert_eq!(kinds, ["title", "description", "severity", "assigned", "status"]);
        assert_eq!(entries.last().unwrap().text, "rolled back");
        assert_eq!((after.resolved_at, after.updated_at, after.is_open()), (Some(later), later, false));
        let reopen = IncidentChange { status: Some(IncidentStatus::Monitoring), ..IncidentChange::default() };
        let (open, entries) = reopen.of(&after, "ann", later);
        assert_eq!((open.resolved_at, entries[0].from.as_deref()), (None, Some("resolved")));
        let say = IncidentChange { note: Some("hm".into()), ..IncidentChange::default() };
        assert_eq!(say.of(&after, "ann", later).1[0].kind, EntryKind::Comment);
    }
}
