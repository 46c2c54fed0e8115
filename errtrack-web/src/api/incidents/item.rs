//! An incident as the API answers it.

use crate::api::item;
use errtrack_core::{
    Issue, Project, Timestamp,
    incident::{self, EntryKind, IncidentEntry, IncidentStatus, Severity},
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// An incident.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Incident)]
pub(in crate::api) struct Item {
    id: Uuid,
    title: String,
    severity: Severity,
    status: IncidentStatus,
    /// Markdown, as it was written.
    description: String,
    /// The member who looks after it.
    assigned_to: Option<String>,
    created_at: Timestamp,
    updated_at: Timestamp,
    /// While it is resolved.
    resolved_at: Option<Timestamp>,
    /// The slug of the project that it is about; `null` if it is about more than one.
    project: Option<String>,
    /// The rule that opened it; `null` if somebody did.
    rule: Option<Uuid>,
    /// How often that rule fired while it was open.
    firings: i64,
    /// The channels that are told of its status.
    channels: Vec<String>,
    /// Who opened it.
    opened_by: String,
}

impl Item {
    pub(super) fn new(incident: incident::Incident, projects: &[Project]) -> Self {
        let slug = |id| projects.iter().find(|project| project.id == id).map(|project| project.slug.clone());
        Self {
            id: incident.id,
            title: incident.title,
            severity: incident.severity,
            status: incident.status,
            description: incident.description,
            assigned_to: incident.assigned_to,
            created_at: incident.created_at,
            updated_at: incident.updated_at,
            resolved_at: incident.resolved_at,
            project: incident.project.map(|id| slug(id).unwrap_or_else(|| id.to_string())),
            rule: incident.rule,
            firings: incident.firings,
            channels: incident.channels,
            opened_by: incident.opened_by,
        }
    }
}

/// An incident with what belongs to it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = IncidentDetail)]
pub(in crate::api) struct Detail<'a> {
    #[serde(flatten)]
    incident: Item,
    /// The issues that are linked to it.
    issues: Vec<item::Item<'a>>,
    /// Every status that it had, the oldest first.
    status_history: Vec<Step>,
}

/// A status that an incident got.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = IncidentStep)]
struct Step {
    status: IncidentStatus,
    at: Timestamp,
    by: String,
}

impl<'a> Detail<'a> {
    pub(super) fn new(
        incident: incident::Incident,
        issues: &'a [Issue],
        timeline: &[IncidentEntry],
        projects: &[Project],
    ) -> Self {
        let steps = timeline.iter().filter(|entry| matches!(entry.kind, EntryKind::Opened | EntryKind::Status));
        let step = |entry: &IncidentEntry| {
            Some(Step { status: entry.to.as_deref()?.parse().ok()?, at: entry.at, by: entry.by.clone() })
        };
        Self {
            incident: Item::new(incident, projects),
            issues: issues.iter().map(item::Item::new).collect(),
            status_history: steps.filter_map(step).collect(),
        }
    }
}

/// Something that happened to an incident.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = IncidentEntry)]
pub(in crate::api) struct Entry {
    id: i64,
    at: Timestamp,
    /// Who did it: somebody, a key, or a rule.
    by: String,
    kind: EntryKind,
    /// What was there before, of a change.
    from: Option<String>,
    /// What is there since: a severity, a status, a member, the name of an issue.
    to: Option<String>,
    /// What was said; Markdown, as it was written.
    text: String,
    /// The firing of a rule that it is about.
    firing: Option<Uuid>,
}

impl From<IncidentEntry> for Entry {
    fn from(entry: IncidentEntry) -> Self {
        let IncidentEntry { id, at, by, kind, from, to, text, firing } = entry;
        Self { id, at, by, kind, from, to, text, firing }
    }
}
