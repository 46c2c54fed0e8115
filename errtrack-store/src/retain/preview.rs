//! What retention would do: the same rules, counted instead of carried out.

use super::{READ, first_id, oldest};
use crate::{
    SqlStore,
    pool::{Dialect, reading},
    sql::preview as sql,
};
use errtrack_core::{
    StoreError, Timestamp,
    store::{Retention, RetentionReport},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

/// Events of one issue that are read at once.
const CHUNK: i64 = 5000;

/// What a project would keep.
#[derive(Debug, Default, Clone, Copy)]
struct Left {
    events: i64,
    pinned: i64,
}

impl SqlStore {
    pub(crate) async fn preview(&self, rules: &Retention) -> Result<RetentionReport, StoreError> {
        let (at, start) = (Timestamp::now(), Instant::now());
        let mut report = RetentionReport { at, ..RetentionReport::default() };
        let disk = self.events_to_free(rules.free_disk).await?;
        let mut left = BTreeMap::new();
        let mut with_issues = 0;
        for (project, rules) in self.rules_of_projects(rules).await? {
            with_issues +=
                self.preview_project(project, &rules, at, &mut report, left.entry(project).or_default()).await?;
        }
        let loose = left.values().map(|left| count(left.events - left.pinned)).sum();
        report.disk_events = disk.saturating_sub(count(with_issues) + report.events()).min(loose);
        report.took_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        Ok(report)
    }

    /// What would become of a project; answers how many events would go with its issues.
    async fn preview_project(
        &self,
        project: i64,
        rules: &Retention,
        at: Timestamp,
        report: &mut RetentionReport,
        left: &mut Left,
    ) -> Result<i64, StoreError> {
        // With no age, nothing is older than the beginning of time.
        let oldest = rules.age.map_or(Timestamp::default(), |age| oldest(at, age));
        let before = oldest.as_micros();
        let (issues, with_issues): (i64, i64) = reading!(self, READ, |connection| {
            let query = sqlx::query_as(Db::text(sql::STALE)).bind(before).bind(project);
            query.fetch_one(connection).await
        })?;
        report.issues += count(issues);
        let (stored, pinned, old): (i64, i64, i64) = reading!(self, READ, |connection| {
            let query = sqlx::query_as(Db::text(sql::PROJECT)).bind(project).bind(first_id(oldest)).bind(before);
            query.fetch_one(connection).await
        })?;
        report.old_events += count(old);
        *left = Left { events: stored - old, pinned };
        let mut after = 0;
        loop {
            let full: Vec<(i64, i64)> = reading!(self, READ, |connection| {
                let query = sqlx::query_as(Db::text(sql::FULL)).bind(i64::from(rules.events_per_issue)).bind(after);
                query.bind(before).bind(project).fetch_all(connection).await
            })?;
            let Some((_, last)) = full.last() else { break };
            after = *last;
            for (_, issue) in full {
                let surplus = self.surplus_of(issue, &first_id(oldest), rules.events_per_issue).await?;
                report.surplus_events += surplus;
                left.events -= i64::try_from(surplus).unwrap_or(i64::MAX);
            }
        }
        if let Some(quota) = rules.events_per_project {
            let quota = i64::try_from(quota).unwrap_or(i64::MAX);
            let gone = (left.events - quota).clamp(0, (left.events - left.pinned).max(0));
            report.quota_events += count(gone);
            left.events -= gone;
        }
        Ok(with_issues)
    }

    /// How many events of an issue would be surplus, once those below an id are gone.
    async fn surplus_of(&self, issue: i64, first: &[u8], keep: u32) -> Result<u64, StoreError> {
        let (mut events, mut pinned) = (0, BTreeSet::new());
        let mut after = (i64::MIN, 0);
        loop {
            let rows: Vec<(i64, i64, bool, bool)> = reading!(self, READ, |connection| {
                let query = sqlx::query_as(Db::text(sql::EVENTS)).bind(issue).bind(after.0).bind(after.1);
                query.bind(CHUNK).bind(first.to_vec()).fetch_all(connection).await
            })?;
            let Some((row, timestamp, ..)) = rows.last() else { break };
            after = (*timestamp, *row);
            for (.., pin) in rows.iter().filter(|(_, _, old, _)| !old) {
                if *pin {
                    pinned.insert(events);
                }
                events += 1;
            }
        }
        Ok(surplus(events, &pinned, u64::from(keep)))
    }
}

/// How many [`surplus`](errtrack_core::retention::surplus) finds among so many events, those at some places pinned.
fn surplus(events: u64, pinned: &BTreeSet<u64>, keep: u64) -> u64 {
    let newest = events.saturating_sub(keep.div_ceil(2));
    let fixed = u64::from(newest > 0) + (events - newest);
    let held = fixed + pinned.range(1..newest.max(1)).count() as u64;
    let between = events - held;
    between - between.min(keep.saturating_sub(held))
}

fn count(n: i64) -> u64 {
    u64::try_from(n).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::surplus;
    use errtrack_core::{Timestamp, retention::Kept};
    use std::collections::BTreeSet;

    #[test]
    fn surplus_is_counted_as_it_is_found() {
        for n in 0..40_u64 {
            for keep in 0..25 {
                for step in [2, 3, 7, 100] {
                    let pinned: BTreeSet<u64> = (0..n).filter(|place| place % step == step - 1).collect();
                    let kept = |place: u64| Kept {
                        row: place as i64,
                        timestamp: Timestamp::from_micros(place as i64 * 1000),
                        pinned: pinned.contains(&place),
                    };
                    let events: Vec<Kept> = (0..n).map(kept).collect();
                    let found = errtrack_core::retention::surplus(&events, keep).len() as u64;
                    assert_eq!(surplus(n, &pinned, keep as u64), found, "{n} events, {keep} to keep, pins each {step}");
                }
            }
        }
    }
}
