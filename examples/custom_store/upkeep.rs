//! Keeping the store small.

use crate::{
    data::{Data, Entry},
    issues::size,
    store::MemoryStore,
};
use async_trait::async_trait;
use errtrack_core::{
    Issue, IssueId, ProjectId, Status, StoreError, Timestamp, retention,
    store::{IssueEvent, ProjectRetention, Retention, RetentionReport, SetAside, Storage, TableSize, Upkeep},
};
use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

const DAY: i64 = 86_400_000_000;

#[async_trait]
impl Upkeep for MemoryStore {
    async fn ping(&self) -> Result<Duration, StoreError> {
        let start = Instant::now();
        drop(self.lock()?);
        Ok(start.elapsed())
    }

    async fn trim_events(&self, keep: u32) -> Result<u64, StoreError> {
        Ok(self.lock()?.trim(keep))
    }

    async fn retain(&self, rules: &Retention) -> Result<RetentionReport, StoreError> {
        let mut data = self.lock()?;
        let (report, deleted) = data.retain(rules);
        data.tokens.retain(|token| token.expires_at > report.at);
        data.alerts.let_go(report.at);
        data.last_retention = Some(report);
        drop(data);
        self.tell(&deleted, IssueEvent::Deleted);
        Ok(report)
    }

    async fn preview_retention(&self, rules: &Retention) -> Result<RetentionReport, StoreError> {
        let mut copy = self.lock()?.clone();
        Ok(copy.retain(rules).0)
    }

    async fn last_retention(&self) -> Result<Option<RetentionReport>, StoreError> {
        Ok(self.lock()?.last_retention)
    }

    async fn storage(&self) -> Result<Storage, StoreError> {
        let data = self.lock()?;
        let bytes = |n: usize| n as u64;
        let table = |name: &str, rows: usize, size: usize| TableSize {
            name: name.into(),
            rows: Some(bytes(rows)),
            bytes: bytes(size),
        };
        let events = data.events().map(|stored| stored.event.approximate_size()).sum();
        let groups = data.groups.len() * size_of::<Entry>();
        let mut tables =
            vec![table("events", data.events().count(), events), table("groups", data.groups.len(), groups)];
        tables.sort_by_key(|table| std::cmp::Reverse(table.bytes));
        let (backend, bytes) = ("memory".into(), tables.iter().map(|table| table.bytes).sum());
        Ok(Storage { backend, tables, bytes, ..Storage::default() })
    }

    async fn set_aside_events(&self, limit: u32) -> Result<Vec<SetAside>, StoreError> {
        Ok(self.lock()?.set_aside.iter().rev().take(size(limit)).map(|aside| aside.event.clone()).collect())
    }

    async fn close(&self) {
        if let Ok(mut data) = self.lock() {
            data.closed = true;
        }
    }
}

impl Data {
    fn trim(&mut self, keep: u32) -> u64 {
        let trim = |entry: &mut Entry| {
            let events = entry.events.iter().map(|kept| &kept.stored);
            let kept = events.map(|e| retention::Kept { row: e.row, timestamp: e.event.timestamp, pinned: e.pinned });
            let surplus: BTreeSet<i64> =
                retention::surplus(&kept.collect::<Vec<_>>(), size(keep)).into_iter().collect();
            entry.let_go(|kept| surplus.contains(&kept.stored.row))
        };
        self.groups.values_mut().map(trim).sum()
    }

    /// Applies the rules, one after the other; answers what went, and which issues did. No disk is looked at: there is none.
    fn retain(&mut self, rules: &Retention) -> (RetentionReport, Vec<(ProjectId, IssueId)>) {
        let (at, start) = (Timestamp::now(), Instant::now());
        let mut report = RetentionReport { at, ..RetentionReport::default() };
        let mut deleted = Vec::new();
        let projects: Vec<(ProjectId, Retention)> =
            self.projects.keys().map(|id| (*id, self.rules_of(*id, rules))).collect();
        for (project, rules) in &projects {
            let Some(age) = rules.age else { continue };
            let moment = at.minus(age).as_micros();
            let day = Timestamp::from_micros(moment - moment % DAY);
            let is_stale = |issue: &Issue| issue.status == Status::Resolved && issue.last_seen < day;
            deleted.extend(self.delete_issues(|issue| issue.project == *project && is_stale(issue)));
            let groups = self.groups_of(Some(std::slice::from_ref(project)));
            report.old_events += groups.map(|e| e.let_go(|kept| kept.stored.event.received_at < day)).sum::<u64>();
        }
        report.issues = deleted.len() as u64;
        report.surplus_events = self.trim(rules.events_per_issue);
        for (project, rules) in projects {
            report.quota_events += rules.events_per_project.map_or(0, |quota| self.keep_newest(project, quota));
        }
        report.took_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        (report, deleted)
    }

    /// The rules that hold for a project.
    fn rules_of(&self, project: ProjectId, rules: &Retention) -> Retention {
        let set = self.settings.get(&(ProjectRetention::SETTING.to_owned(), project));
        set.map(|json| ProjectRetention::from_json(json)).unwrap_or_default().within(rules)
    }

    /// Lets go of the oldest events of a project that are not pinned, until it has no more than its quota.
    fn keep_newest(&mut self, project: ProjectId, quota: u64) -> u64 {
        let events = self.events().filter(|stored| stored.project == project);
        let (pinned, mut loose): (Vec<_>, Vec<_>) = events.partition(|stored| stored.pinned);
        let excess = (pinned.len() + loose.len()).saturating_sub(usize::try_from(quota).unwrap_or(usize::MAX));
        loose.sort_by_key(|stored| (stored.event.received_at, stored.row));
        let gone: BTreeSet<i64> = loose.into_iter().take(excess).map(|stored| stored.row).collect();
        self.groups_of(Some(&[project])).map(|entry| entry.let_go(|kept| gone.contains(&kept.stored.row))).sum()
    }
}
