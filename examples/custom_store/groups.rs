//! Merging: groups stay as they are, and an issue is their sum whenever somebody asks. A database keeps the sum as well.

use crate::{
    data::{Data, Entry},
    store::MemoryStore,
};
use async_trait::async_trait;
use errtrack_core::{
    Fingerprint, Issue, IssueId, Occurrence, ProjectId, Status, StoreError, Timestamp,
    store::{GroupStore, IssueEvent, MAX_GROUPS, Outcome, Refusal, Regrouped, StoredEvent},
};

#[async_trait]
impl GroupStore for MemoryStore {
    async fn groups(&self, issue: IssueId) -> Result<Vec<Issue>, StoreError> {
        let data = self.lock()?;
        Ok(data.groups_in(data.name_of(issue)).into_iter().map(|entry| entry.issue.clone()).collect())
    }

    async fn merge(&self, project: ProjectId, into: IssueId, others: &[IssueId]) -> Result<Regrouped, StoreError> {
        let mut data = self.lock()?;
        let named = others.iter().chain([&into]).map(|id| data.groups.get(id));
        let Some(named) = named.collect::<Option<Vec<_>>>() else { return Ok(Regrouped::Refused(Refusal::Gone)) };
        if named.iter().any(|entry| entry.issue.project != project) {
            return Ok(Regrouped::Refused(Refusal::OtherProject));
        }
        let into = data.name_of(into);
        let mut issues: Vec<IssueId> = others.iter().map(|id| data.name_of(*id)).filter(|id| *id != into).collect();
        if issues.is_empty() {
            return Ok(Regrouped::Refused(Refusal::OneIssue));
        }
        issues.push(into);
        let is_in = |entry: &Entry| issues.contains(&entry.merged_into.unwrap_or(entry.issue.id));
        if data.groups.values().filter(|entry| is_in(entry)).count() > MAX_GROUPS {
            return Ok(Regrouped::Refused(Refusal::TooMany));
        }
        for entry in data.groups.values_mut().filter(|entry| is_in(entry) && entry.issue.id != into) {
            entry.merged_into = Some(into);
        }
        data.figures.edits += 1;
        let merged = data.issue(into).map(|entry| entry.issue).into_iter().collect();
        drop(data);
        self.tell(&issues.into_iter().map(|issue| (project, issue)).collect::<Vec<_>>(), IssueEvent::Edited);
        Ok(Regrouped::Done(merged))
    }

    async fn unmerge(&self, issue: IssueId, fingerprints: &[Fingerprint]) -> Result<Regrouped, StoreError> {
        let mut data = self.lock()?;
        let name = data.name_of(issue);
        let groups: Vec<IssueId> = data.groups_in(name).iter().map(|entry| entry.issue.id).collect();
        let Some(project) = data.groups.get(&name).map(|entry| entry.issue.project) else {
            return Ok(Regrouped::Refused(Refusal::Gone));
        };
        if fingerprints.is_empty() {
            return Ok(Regrouped::Refused(Refusal::NoFingerprint));
        }
        let mut leaving = Vec::new();
        for fingerprint in fingerprints {
            match data.groupings.get(&(project, *fingerprint)).filter(|group| groups.contains(group)) {
                Some(group) if leaving.contains(group) => {}
                Some(group) => leaving.push(*group),
                None => return Ok(Regrouped::Refused(Refusal::NotOfIssue(*fingerprint))),
            }
        }
        // The one whose name it has is the first.
        let rest: Vec<IssueId> = groups.iter().copied().filter(|group| !leaving.contains(group)).collect();
        let Some(rest_name) = rest.first().copied() else { return Ok(Regrouped::Refused(Refusal::LastGroup)) };
        for id in groups {
            let merged_into = (rest.contains(&id) && id != rest_name).then_some(rest_name);
            if let Some(entry) = data.groups.get_mut(&id) {
                entry.merged_into = merged_into;
            }
        }
        data.figures.edits += 1;
        let ids: Vec<IssueId> = [rest_name].into_iter().chain(leaving).collect();
        let issues = ids.iter().filter_map(|id| Some(data.issue(*id)?.issue)).collect();
        drop(data);
        self.tell(&ids.into_iter().map(|issue| (project, issue)).collect::<Vec<_>>(), IssueEvent::Edited);
        Ok(Regrouped::Done(issues))
    }
}

impl Data {
    /// The number of the issue that a group belongs to: that of the group whose name it has.
    pub(crate) fn name_of(&self, group: IssueId) -> IssueId {
        self.groups.get(&group).and_then(|entry| entry.merged_into).unwrap_or(group)
    }

    /// The issue that a group belongs to.
    pub(crate) fn issue(&self, group: IssueId) -> Option<Entry> {
        sum(&self.groups_in(self.name_of(group)))
    }

    /// What an occurrence does to the status of the issue that its group belongs to.
    pub(crate) fn reopened(&self, group: IssueId, occurrence: &Occurrence) -> Option<Outcome> {
        let groups = self.groups_in(self.name_of(group));
        let whole = sum(&groups)?.issue;
        let is_resolved = groups.iter().all(|entry| entry.issue.status == Status::Resolved);
        let Some(condition) = &whole.condition else { return is_resolved.then_some(Outcome::Regressed) };
        let count = whole.count + i64::try_from(occurrence.times()).unwrap_or(i64::MAX);
        let first_seen = |release: &str| self.releases.get(&(occurrence.project(), release.to_owned())).copied();
        let releases = Vec::from_iter(occurrence.release());
        let met = condition.is_met(Timestamp::now(), count, &releases, first_seen);
        let outcome = if is_resolved { Outcome::Regressed } else { Outcome::Unignored };
        (met && condition.status() == whole.status).then_some(outcome)
    }

    /// Every issue.
    pub(crate) fn issues(&self) -> impl Iterator<Item = Entry> {
        let names = self.groups.values().filter(|entry| entry.merged_into.is_none()).map(|entry| entry.issue.id);
        names.filter_map(|name| sum(&self.groups_in(name)))
    }

    /// An event with the name of the issue that it belongs to.
    pub(crate) fn named(&self, mut stored: StoredEvent) -> StoredEvent {
        stored.issue = self.name_of(stored.issue);
        stored.issue_uuid = self.groups.get(&stored.issue).map_or(stored.issue_uuid, |entry| entry.issue.uuid);
        stored
    }

    /// The groups of the issue of that name, the one that has it first.
    pub(crate) fn groups_in(&self, name: IssueId) -> Vec<&Entry> {
        let others = self.groups.values().filter(|entry| entry.merged_into == Some(name));
        self.groups.get(&name).into_iter().chain(others).collect()
    }
}

/// What groups are together. The first gives the name.
fn sum(groups: &[&Entry]) -> Option<Entry> {
    let (first, others) = groups.split_first()?;
    let mut sum = (*first).clone();
    for Entry { issue, events, hours, tags, users, .. } in others {
        let whole = &mut sum.issue;
        whole.count += issue.count;
        whole.first_seen = whole.first_seen.min(issue.first_seen);
        if issue.last_seen >= whole.last_seen {
            let newest = issue.clone();
            (whole.ty, whole.value, whole.culprit) = (newest.ty, newest.value, newest.culprit);
            (whole.level, whole.last_seen) = (newest.level, newest.last_seen);
            (whole.source, whole.platform) = (newest.source, newest.platform);
            whole.environment = newest.environment;
            whole.last_release = newest.last_release.or(whole.last_release.take());
        }
        whole.updated_at = whole.updated_at.max(issue.updated_at);
        if whole.status == Status::Resolved && issue.status != Status::Resolved {
            (whole.status, whole.regressed, whole.resolved_at) = (Status::Unresolved, issue.regressed, None);
        }
        let moved = events.iter().cloned().map(|mut kept| {
            (kept.stored.issue, kept.stored.issue_uuid) = (whole.id, whole.uuid);
            kept
        });
        sum.events.extend(moved);
        hours.iter().for_each(|(hour, n)| *sum.hours.entry(*hour).or_default() += n);
        for (key, counts) in tags {
            let values = sum.tags.entry(key.clone()).or_default();
            counts.iter().for_each(|(value, n)| *values.entry(value.clone()).or_default() += n);
        }
        sum.users.extend(users);
    }
    // The release that came first is that of the group that did.
    let mut by_age: Vec<&Issue> = groups.iter().map(|entry| &entry.issue).collect();
    by_age.sort_by_key(|issue| issue.id);
    sum.issue.first_release = by_age.into_iter().find_map(|issue| issue.first_release.clone());
    sum.events.sort_by_key(crate::data::Kept::place);
    sum.settle();
    Some(sum)
}
