//! Incidents, each with its timeline and the issues that are linked to it.

use crate::{
    data::{Data, is_among},
    store::MemoryStore,
};
use async_trait::async_trait;
use errtrack_core::{
    Issue, IssueId, StoreError, Timestamp,
    incident::{
        EntryKind, Incident, IncidentChange, IncidentEntry, IncidentStatus, MAX_LINKED_ISSUES, MAX_NOTED_FIRINGS,
        NewIncident,
    },
    store::{IncidentChanged, IncidentQuery, IncidentStore, OpenedIncident, Recovery},
};
use uuid::Uuid;

/// An incident and all that belongs to it.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) incident: Incident,
    pub(crate) timeline: Vec<IncidentEntry>,
    /// The groups whose names the issues had when they were linked.
    pub(crate) issues: Vec<IssueId>,
}

#[async_trait]
impl IncidentStore for MemoryStore {
    async fn open_incident(&self, new: &NewIncident) -> Result<Option<OpenedIncident>, StoreError> {
        let mut data = self.lock()?;
        if new.project.is_some_and(|project| !data.projects.contains_key(&project)) {
            return Ok(None);
        }
        if let Some(place) = data.open_case_of(new.rule)
            && let Some(case) = data.incidents.get_mut(place)
        {
            case.incident.firings += 1;
            case.incident.updated_at = case.incident.updated_at.max(new.at);
            let id = case.incident.id;
            data.add(place, new.again(), MAX_NOTED_FIRINGS);
            data.link(place, &new.issues, &new.by, new.at);
            return Ok(Some(OpenedIncident { id, is_new: false }));
        }
        if data.case(new.id).is_some() {
            return Err(StoreError::other(format!("there is an incident {}", new.id)));
        }
        data.last_incident += 1;
        let incident = Incident { row: data.last_incident, ..new.incident() };
        data.incidents.push(Case { incident, timeline: Vec::new(), issues: Vec::new() });
        let place = data.incidents.len() - 1;
        data.add(place, new.entry(), i64::MAX);
        if new.rule.is_none() {
            data.tell(&new.incident(), &[new.entry()]);
        }
        data.link(place, &new.issues, &new.by, new.at);
        Ok(Some(OpenedIncident { id: new.id, is_new: true }))
    }

    async fn incidents(&self, query: &IncidentQuery) -> Result<Vec<Incident>, StoreError> {
        let data = self.lock()?;
        let name = query.issue.map(|issue| data.name_of(issue));
        let matches = |case: &&Case| {
            let incident = &case.incident;
            let is_over = incident.resolved_at.zip(query.since).is_some_and(|(at, since)| at < since);
            (query.projects.is_none() || incident.project.is_some_and(|of| is_among(of, query.projects.as_deref())))
                && query.open.is_none_or(|open| open == incident.is_open())
                && query.status.is_none_or(|status| status == incident.status)
                && query.severity.is_none_or(|severity| severity == incident.severity)
                && name.is_none_or(|name| case.issues.iter().any(|issue| data.name_of(*issue) == name))
                && query.before.is_none_or(|before| incident.row < before)
                && !is_over
        };
        let found = data.incidents.iter().rev().filter(matches).map(|case| case.incident.clone());
        Ok(found.take(query.limit as usize).collect())
    }

    async fn incident(&self, id: Uuid) -> Result<Option<Incident>, StoreError> {
        let data = self.lock()?;
        Ok(data.case(id).and_then(|place| Some(data.incidents.get(place)?.incident.clone())))
    }

    async fn change_incident(
        &self,
        id: Uuid,
        change: &IncidentChange,
        by: &str,
        at: Timestamp,
    ) -> Result<IncidentChanged, StoreError> {
        let mut data = self.lock()?;
        let Some(place) = data.case(id) else { return Ok(IncidentChanged::Gone) };
        let Some(before) = data.incidents.get(place).map(|case| case.incident.clone()) else {
            return Ok(IncidentChanged::Gone);
        };
        let reopens = change.status.is_some_and(|status| status != IncidentStatus::Resolved) && !before.is_open();
        if reopens && data.open_case_of(before.rule).is_some() {
            return Ok(IncidentChanged::RuleHasAnother);
        }
        let (after, entries) = data.change(place, &before, change, by, at);
        data.tell(&after, &entries);
        Ok(IncidentChanged::Done(Box::new(after)))
    }

    async fn recover_incident(
        &self,
        rule: Uuid,
        recovery: &Recovery,
        at: Timestamp,
    ) -> Result<Option<Uuid>, StoreError> {
        let mut data = self.lock()?;
        let Some(place) = data.open_case_of(Some(rule)) else { return Ok(None) };
        let Some(before) = data.incidents.get(place).map(|case| case.incident.clone()) else { return Ok(None) };
        let entry = IncidentEntry::new(EntryKind::Recovered, &recovery.by, at);
        data.add(place, IncidentEntry { text: recovery.note.clone(), ..entry }, MAX_NOTED_FIRINGS);
        let status = recovery.resolve.then_some(IncidentStatus::Resolved);
        data.change(place, &before, &IncidentChange { status, ..IncidentChange::default() }, &recovery.by, at);
        if let Some(case) = data.incidents.get_mut(place) {
            case.incident.updated_at = case.incident.updated_at.max(at);
        }
        Ok(Some(before.id))
    }

    async fn delete_incident(&self, id: Uuid) -> Result<bool, StoreError> {
        let mut data = self.lock()?;
        let place = data.case(id);
        Ok(place.map(|place| data.incidents.remove(place)).is_some())
    }

    async fn incident_timeline(
        &self,
        id: Uuid,
        after: Option<i64>,
        limit: u32,
    ) -> Result<Vec<IncidentEntry>, StoreError> {
        let data = self.lock()?;
        let case = data.case(id).and_then(|place| data.incidents.get(place));
        let entries = case.into_iter().flat_map(|case| &case.timeline);
        let later = entries.filter(|entry| after.is_none_or(|after| entry.id > after));
        Ok(later.take(limit as usize).cloned().collect())
    }

    async fn link_issues(
        &self,
        id: Uuid,
        issues: &[IssueId],
        by: &str,
        at: Timestamp,
    ) -> Result<Option<u64>, StoreError> {
        let mut data = self.lock()?;
        let Some(place) = data.case(id) else { return Ok(None) };
        let linked = data.link(place, issues, by, at);
        if linked > 0
            && let Some(case) = data.incidents.get_mut(place)
        {
            case.incident.updated_at = at;
        }
        Ok(Some(linked))
    }

    async fn unlink_issue(&self, id: Uuid, issue: IssueId, by: &str, at: Timestamp) -> Result<bool, StoreError> {
        let mut data = self.lock()?;
        let Some(place) = data.case(id) else { return Ok(false) };
        let groups: Vec<IssueId> = data.groups_in(data.name_of(issue)).iter().map(|entry| entry.issue.id).collect();
        let name = data.issue(issue).map(|entry| entry.issue.short_id());
        let Some(case) = data.incidents.get_mut(place) else { return Ok(false) };
        let before = case.issues.len();
        case.issues.retain(|linked| !groups.contains(linked));
        if case.issues.len() == before {
            return Ok(false);
        }
        case.incident.updated_at = at;
        let entry = IncidentEntry::new(EntryKind::IssueUnlinked, by, at);
        data.add(place, IncidentEntry { from: name, ..entry }, i64::MAX);
        Ok(true)
    }

    async fn incident_issues(&self, id: Uuid) -> Result<Vec<Issue>, StoreError> {
        let data = self.lock()?;
        let case = data.case(id).and_then(|place| data.incidents.get(place));
        let mut names: Vec<IssueId> =
            case.into_iter().flat_map(|case| &case.issues).map(|issue| data.name_of(*issue)).collect();
        names.sort_unstable();
        names.dedup();
        Ok(names.into_iter().filter_map(|name| Some(data.issue(name)?.issue)).collect())
    }
}

impl Data {
    /// Where an incident stands.
    fn case(&self, id: Uuid) -> Option<usize> {
        self.incidents.iter().position(|case| case.incident.id == id)
    }

    /// Where the open incident of a rule stands.
    fn open_case_of(&self, rule: Option<Uuid>) -> Option<usize> {
        let rule = rule?;
        self.incidents.iter().position(|case| case.incident.rule == Some(rule) && case.incident.is_open())
    }

    /// Adds to a timeline, unless that has so many entries.
    fn add(&mut self, place: usize, entry: IncidentEntry, most: i64) {
        let Some(case) = self.incidents.get_mut(place) else { return };
        if i64::try_from(case.timeline.len()).is_ok_and(|length| length < most) {
            self.last_incident_entry += 1;
            case.timeline.push(IncidentEntry { id: self.last_incident_entry, ..entry });
        }
    }

    fn change(
        &mut self,
        place: usize,
        before: &Incident,
        change: &IncidentChange,
        by: &str,
        at: Timestamp,
    ) -> (Incident, Vec<IncidentEntry>) {
        let (after, entries) = change.of(before, by, at);
        if let Some(case) = self.incidents.get_mut(place) {
            case.incident.clone_from(&after);
        }
        for entry in &entries {
            self.add(place, entry.clone(), i64::MAX);
        }
        (after, entries)
    }

    /// Lets the channels of an incident be told of what somebody did.
    fn tell(&mut self, incident: &Incident, entries: &[IncidentEntry]) {
        let project = incident.project.and_then(|project| self.projects.get(&project));
        let slug = project.map(|shelf| shelf.project.slug.clone());
        for entry in entries {
            self.send(&incident.updates(entry, slug.as_deref()));
        }
    }

    /// Links issues; answers how many were not linked yet.
    fn link(&mut self, place: usize, issues: &[IssueId], by: &str, at: Timestamp) -> u64 {
        let mut linked = 0;
        for issue in issues {
            let name = self.name_of(*issue);
            let Some(found) = self.issue(name).map(|entry| entry.issue) else { continue };
            let Some(case) = self.incidents.get(place) else { continue };
            let is_known = case.issues.iter().any(|issue| self.name_of(*issue) == name);
            let is_foreign = case.incident.project.is_some_and(|project| project != found.project);
            let is_full = i64::try_from(case.issues.len()).is_ok_and(|length| length >= MAX_LINKED_ISSUES);
            if is_known || is_foreign || is_full {
                continue;
            }
            if let Some(case) = self.incidents.get_mut(place) {
                case.issues.push(name);
            }
            let entry = IncidentEntry::new(EntryKind::IssueLinked, by, at);
            self.add(place, IncidentEntry { to: Some(found.short_id()), ..entry }, i64::MAX);
            linked += 1;
        }
        linked
    }
}
