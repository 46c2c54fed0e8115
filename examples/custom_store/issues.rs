//! Listing, counting, changing issues.

use crate::{
    data::{Entry, is_among},
    recording::as_tallied,
    store::MemoryStore,
};
use async_trait::async_trait;
use errtrack_core::{
    Issue, IssueId, IssueRef, ProjectId, Status, StoreError, Timestamp,
    store::{Change, Cursor, IssueEvent, IssuePage, IssueQuery, IssueStore, Sort, StatusCounts, TagTally},
    user_hash,
};
use std::{cmp::Reverse, collections::BTreeMap};

#[async_trait]
impl IssueStore for MemoryStore {
    async fn issues(&self, query: &IssueQuery) -> Result<IssuePage, StoreError> {
        let data = self.lock()?;
        let with_status = |issue: &Issue| {
            query.status.is_none_or(|status| issue.status == status)
                && (!query.regressed || (issue.regressed && issue.status == Status::Unresolved))
        };
        let matching = data.issues().filter(|entry| matches(entry, query) && with_status(&entry.issue));
        let mut issues: Vec<Issue> = matching.map(|entry| entry.issue).collect();
        let total = i64::try_from(issues.len()).unwrap_or(i64::MAX);
        issues.sort_by_key(|issue| Reverse(place(issue, query.sort)));
        let skipped = match query.cursor {
            Some(cursor) => issues.partition_point(|issue| place(issue, query.sort) >= (cursor.key, cursor.id)),
            None => size(query.offset),
        };
        let mut issues = issues.into_iter().skip(skipped);
        let page: Vec<Issue> = issues.by_ref().take(size(query.limit)).collect();
        let last = page.last().filter(|_| issues.next().is_some()).map(|last| place(last, query.sort));
        Ok(IssuePage { issues: page, total, next: last.map(|(key, id)| Cursor { key, id }) })
    }

    async fn status_counts(&self, query: &IssueQuery) -> Result<StatusCounts, StoreError> {
        let mut counts = StatusCounts::default();
        for Entry { issue, .. } in self.lock()?.issues().filter(|entry| matches(entry, query)) {
            match issue.status {
                Status::Unresolved => {
                    counts.unresolved += 1;
                    counts.regressed += i64::from(issue.regressed);
                }
                Status::Resolved => counts.resolved += 1,
                Status::Ignored => counts.ignored += 1,
            }
        }
        Ok(counts)
    }

    async fn issue(&self, name: &IssueRef) -> Result<Option<Issue>, StoreError> {
        let data = self.lock()?;
        let is_it = |issue: &Issue| match name {
            IssueRef::Uuid(uuid) => issue.uuid == *uuid,
            IssueRef::Id(id) => issue.id == *id,
            IssueRef::Short { project, number } => issue.project_slug == *project && issue.number == *number,
        };
        let named = data.groups.values().map(|entry| &entry.issue).find(|issue| is_it(issue));
        Ok(named.and_then(|named| data.issue(named.id)).map(|entry| entry.issue))
    }

    async fn set_status(&self, issues: &[IssueId], status: Status) -> Result<u64, StoreError> {
        self.edit(issues, |issue| {
            let resolved = issue.resolved_at.filter(|_| issue.status == Status::Resolved);
            issue.resolved_at = (status == Status::Resolved).then(|| resolved.unwrap_or(issue.updated_at));
            issue.regressed &= status == Status::Unresolved;
            (issue.status, issue.condition) = (status, None);
        })
    }

    async fn assign(&self, issue: IssueId, to: Option<&str>) -> Result<bool, StoreError> {
        Ok(self.edit(&[issue], |issue| issue.assigned_to = to.map(str::to_owned))? > 0)
    }

    async fn delete_issues(&self, issues: &[IssueId]) -> Result<u64, StoreError> {
        let mut data = self.lock()?;
        let issues: Vec<IssueId> = issues.iter().map(|id| data.name_of(*id)).collect();
        let deleted = data.delete_issues(|issue| issues.contains(&issue.id));
        drop(data);
        self.tell(&deleted, IssueEvent::Deleted);
        Ok(deleted.len() as u64)
    }

    async fn histograms(
        &self,
        issues: &[IssueId],
        until: Timestamp,
        width: u32,
        buckets: u32,
    ) -> Result<Vec<Vec<i64>>, StoreError> {
        let data = self.lock()?;
        let width = i64::from(width.max(1));
        // Buckets begin at multiples of their width, so that bars do not change as time goes by.
        let end = (until.hour() / width + 1) * width;
        let starts = (1..=i64::from(buckets)).rev().map(|back| end - back * width);
        let histogram = |id: &IssueId| {
            let hours = data.issue(*id).map(|entry| entry.hours);
            let count =
                |start: i64| hours.as_ref().map_or(0, |hours| hours.range(start..start + width).map(|(_, n)| n).sum());
            starts.clone().map(count).collect()
        };
        Ok(issues.iter().map(histogram).collect())
    }

    async fn tag_tallies(&self, issue: IssueId, values: u32) -> Result<Vec<TagTally>, StoreError> {
        let data = self.lock()?;
        let tags = data.issue(issue).into_iter().flat_map(|entry| entry.tags);
        let tally = |(key, counts): (String, BTreeMap<String, i64>)| TagTally {
            key,
            total: counts.values().sum(),
            values: most_frequent(counts, values),
        };
        Ok(tags.map(tally).collect())
    }

    async fn tag_values(&self, projects: &[ProjectId], key: &str, limit: u32) -> Result<Vec<String>, StoreError> {
        let mut counts = BTreeMap::new();
        for entry in self.lock()?.groups_of(Some(projects)) {
            for (value, count) in entry.tags.get(&as_tallied(key)).into_iter().flatten() {
                *counts.entry(value.clone()).or_default() += count;
            }
        }
        Ok(most_frequent(counts, limit).into_iter().map(|(value, _)| value).collect())
    }
}

impl MemoryStore {
    /// Changes each group of the issues that are there; answers how many issues those were.
    pub(crate) fn edit(&self, issues: &[IssueId], change: impl Fn(&mut Issue)) -> Result<u64, StoreError> {
        let mut data = self.lock()?;
        let issues: Vec<IssueId> = issues.iter().map(|id| data.name_of(*id)).collect();
        let now = Timestamp::now();
        let open: Vec<Entry> = data.issues().filter(|entry| entry.issue.status != Status::Resolved).collect();
        let mut edited = Vec::new();
        for Entry { issue, merged_into, .. } in data.groups.values_mut() {
            if issues.contains(&merged_into.unwrap_or(issue.id)) {
                issue.updated_at = now;
                change(issue);
                edited.extend(merged_into.is_none().then_some((issue.project, issue.id)));
            }
        }
        for Entry { issue, tags, .. } in open.into_iter().filter(|entry| issues.contains(&entry.issue.id)) {
            if data.issue(issue.id).is_some_and(|now| now.issue.status == Status::Resolved) {
                let environments = tags.get("environment").into_iter().flatten().map(|(name, _)| name.clone());
                data.figures.resolve(&issue, environments.collect(), now);
            }
        }
        data.figures.edits += 1;
        drop(data);
        self.tell(&edited, IssueEvent::Edited);
        Ok(edited.len() as u64)
    }

    pub(crate) fn tell(&self, issues: &[(ProjectId, IssueId)], event: IssueEvent) {
        for &(project, issue) in issues {
            self.feed.tell(Change::Issue { project, issue, event });
        }
    }
}

/// Whether an issue is asked for, its status aside.
fn matches(Entry { issue, tags, users, .. }: &Entry, query: &IssueQuery) -> bool {
    let holds = |word: &String| {
        let word = word.replace('\0', "\u{fffd}").to_lowercase();
        [&issue.ty, &issue.value, &issue.culprit].iter().any(|text| text.to_lowercase().contains(&word))
    };
    let tagged = |(key, value): &(String, String)| match key.as_str() {
        "level" => value.parse() == Ok(issue.level),
        "user" if users.contains(&user_hash(value)) => true,
        _ => tags.get(&as_tallied(key)).is_some_and(|values| values.contains_key(&as_tallied(value))),
    };
    is_among(issue.project, query.projects.as_deref())
        && (query.levels.is_empty() || query.levels.contains(&issue.level))
        && (query.source.is_none() || query.source == issue.source)
        && query.words.iter().all(holds)
        && query.tags.iter().all(tagged)
        && query.since.is_none_or(|since| issue.last_seen >= since)
        && query.until.is_none_or(|until| issue.first_seen <= until)
}

/// Where an issue stands in a list: its key, and its id to tell equal keys apart.
fn place(issue: &Issue, sort: Sort) -> (i64, i64) {
    let key = match sort {
        Sort::LastSeen => issue.last_seen.as_micros(),
        Sort::FirstSeen => issue.first_seen.as_micros(),
        Sort::Count => issue.count,
        Sort::Users => issue.user_count,
    };
    (key, issue.id.0)
}

fn most_frequent(counts: BTreeMap<String, i64>, limit: u32) -> Vec<(String, i64)> {
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| Reverse(*count));
    counts.truncate(size(limit));
    counts
}

pub(crate) fn size(n: u32) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}
