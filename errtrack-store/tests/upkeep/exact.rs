//! Whatever is let go, what is counted stays exact; and a preview of retention tells what it will do.

use crate::lab::{DAY, Dice, Hit, Lab};
use errtrack_core::{
    IssueId, ProjectId, Status, Timestamp,
    store::{Batch, EventStore, IssueStore, Outcome, Recorder, Retention, RetentionReport, Upkeep},
};
use std::{collections::BTreeMap, time::Duration};

const TYPES: [&str; 6] = ["A", "B", "C", "D", "E", "F"];
const USERS: [&str; 4] = ["ana", "ben", "cleo", "dan"];
const COLORS: [&str; 3] = ["red", "green", "blue"];

/// What an issue must say of itself.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Expected {
    count: i64,
    hours: BTreeMap<i64, i64>,
    colors: BTreeMap<String, i64>,
}

/// The store and what it must hold.
struct Trial {
    lab: Lab,
    dice: Dice,
    projects: [ProjectId; 2],
    issues: BTreeMap<IssueId, Expected>,
    hours: BTreeMap<(i64, i64), i64>,
    /// What retention has let go of, in all.
    gone: RetentionReport,
}

impl Trial {
    async fn record(&mut self) {
        let size = 1 + self.dice.roll(60);
        let mut hits = Vec::new();
        for _ in 0..size {
            let ty = *self.dice.pick(&TYPES);
            // Some issues have no event of these days, so that they can be too old.
            let hours = if ty < "C" { 5 * 24 + self.dice.roll(4 * 24) } else { self.dice.roll(9 * 24) };
            let at = Timestamp::now().minus(Duration::from_secs(hours * 3600));
            let user = (self.dice.roll(2) == 0).then(|| *self.dice.pick(&USERS));
            let color: &str = self.dice.pick::<&str>(&COLORS);
            let hit = Hit { user, color, ..Hit::new(ty, at) };
            hits.push((*self.dice.pick(&self.projects), hit));
        }
        let mut batch = Batch::whole(hits.iter().map(|(project, hit)| hit.clone().of(*project)).collect());
        batch.counted_only = hits.iter().map(|_| self.dice.roll(5) == 0).collect();
        let recorded = self.lab.store.record(&batch).await.unwrap();
        for ((project, hit), recorded) in hits.iter().zip(recorded) {
            assert_ne!(recorded.outcome, Outcome::Duplicate);
            let expected = self.issues.entry(recorded.issue).or_default();
            expected.count += 1;
            *expected.hours.entry(hit.at.hour()).or_default() += 1;
            *expected.colors.entry(hit.color.to_owned()).or_default() += 1;
            *self.hours.entry((project.0, hit.at.hour())).or_default() += 1;
        }
    }

    async fn change(&mut self) {
        let issues: Vec<IssueId> = self.issues.keys().copied().collect();
        let Some(issue) = (!issues.is_empty()).then(|| *self.dice.pick(&issues)) else { return };
        match self.dice.roll(8) {
            0 | 1 => {
                self.lab.store.set_status(&[issue], Status::Resolved).await.unwrap();
            }
            2..=4 => {
                let events = self.lab.store.events(issue, None, 50).await.unwrap().events;
                if !events.is_empty() {
                    let event = self.dice.pick(&events);
                    assert!(self.lab.store.pin(event, !event.pinned).await.unwrap());
                }
            }
            5 => {
                let keep = u32::try_from(1 + self.dice.roll(20)).unwrap();
                self.lab.store.trim_events(keep).await.unwrap();
                assert_eq!(self.lab.store.trim_events(keep).await.unwrap(), 0);
            }
            6 => {
                let user = *self.dice.pick(&USERS);
                let project = *self.dice.pick(&self.projects);
                self.lab.store.erase_user(Some(&[project]), user).await.unwrap();
                assert_eq!(self.lab.store.erase_user(Some(&[project]), user).await.unwrap(), 0);
            }
            _ => assert_eq!(self.lab.store.delete_issues(&[issue]).await.unwrap(), 1),
        }
    }

    fn rules(&mut self) -> Retention {
        let mut rules = Retention::default();
        rules.age = (self.dice.roll(3) > 0).then(|| DAY * u32::try_from(3 + self.dice.roll(7)).unwrap());
        rules.events_per_issue = u32::try_from(self.dice.roll(40)).unwrap();
        rules.events_per_project = (self.dice.roll(2) == 0).then(|| self.dice.roll(80));
        rules.free_disk = if self.dice.roll(5) == 0 { u64::MAX } else { 0 };
        rules
    }

    async fn retain(&mut self) {
        let rules = self.rules();
        let issues: Vec<IssueId> = self.issues.keys().copied().filter(|_| self.dice.roll(3) == 0).collect();
        self.lab.store.set_status(&issues, Status::Resolved).await.unwrap();
        let before = Timestamp::now();
        let preview = self.lab.store.preview_retention(&rules).await.unwrap();
        let report = self.lab.store.retain(&rules).await.unwrap();
        assert_eq!(alike(preview), alike(report), "{rules:?}");
        assert!(report.at >= before);
        self.gone.issues += report.issues;
        self.gone.old_events += report.old_events;
        self.gone.surplus_events += report.surplus_events;
        self.gone.quota_events += report.quota_events;
        self.gone.disk_events += report.disk_events;
        assert_eq!(self.lab.store.last_retention().await.unwrap(), Some(report));
        let again = self.lab.store.preview_retention(&rules).await.unwrap();
        assert_eq!(alike(again), RetentionReport::default(), "nothing is left to do: {rules:?}");
        if let Some(quota) = rules.events_per_project {
            for project in self.projects {
                let events =
                    format!("SELECT COUNT(*) FROM errtrack_event WHERE NOT pinned AND project_id = {}", project.0);
                assert!(self.lab.number(&events).await <= i64::try_from(quota).unwrap());
            }
        }
    }

    /// Everything that is there is as it must be.
    async fn check(&mut self) {
        self.lab.check().await;
        let ids = self.lab.texts("SELECT CAST(id AS TEXT) FROM errtrack_issue").await;
        let ids: Vec<IssueId> = ids.iter().map(|id| IssueId(id.parse().unwrap())).collect();
        self.issues.retain(|issue, _| ids.contains(issue));
        for (issue, expected) in &self.issues {
            let rows =
                "SELECT CAST(hour AS TEXT) || ' ' || CAST(count AS TEXT) FROM errtrack_issue_hour WHERE issue_id = ";
            let hours = self.lab.texts(&format!("{rows}{}", issue.0)).await;
            let hours = hours.iter().map(|row| row.split_once(' ').unwrap());
            let hours = hours.map(|(hour, count)| (hour.parse().unwrap(), count.parse().unwrap())).collect();
            let tallies = self.lab.store.tag_tallies(*issue, 100).await.unwrap();
            let colors = tallies.into_iter().find(|tally| tally.key == "color").map(|tally| tally.values);
            let found = Expected {
                count: self.lab.number(&format!("SELECT count FROM errtrack_issue WHERE id = {}", issue.0)).await,
                hours,
                colors: colors.unwrap_or_default().into_iter().collect(),
            };
            assert_eq!(&found, expected, "{issue:?}");
        }
        for ((project, hour), count) in &self.hours {
            let sql = format!(
                "SELECT CAST(SUM(count) AS BIGINT) FROM errtrack_rollup WHERE project_id = {project} AND width = 1 AND start = {hour}"
            );
            assert_eq!(self.lab.number(&sql).await, *count);
        }
    }
}

/// Without what differs from run to run.
pub(crate) fn alike(report: RetentionReport) -> RetentionReport {
    RetentionReport { at: Timestamp::default(), took_ms: 0, ..report }
}

async fn trials() -> Vec<Lab> {
    let mut labs = Vec::new();
    for n in 0..4 {
        labs.push(Lab::sqlite().await);
        if n < 2 {
            labs.extend(Lab::postgres().await);
        }
    }
    labs
}

#[tokio::test]
async fn counts_stay_exact_whatever_is_let_go() {
    let mut gone = RetentionReport::default();
    for (seed, lab) in (1_u64..).zip(trials().await) {
        let projects = [lab.project("shop").await, lab.project("blog").await];
        let dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let (issues, hours) = (BTreeMap::new(), BTreeMap::new());
        let mut trial = Trial { lab, dice, projects, issues, hours, gone };
        for step in 0..20 {
            trial.record().await;
            trial.change().await;
            if step % 4 == 3 {
                trial.retain().await;
            }
            trial.check().await;
        }
        gone = trial.gone;
    }
    let reasons = [gone.issues, gone.old_events, gone.surplus_events, gone.quota_events, gone.disk_events];
    assert!(reasons.iter().all(|n| *n > 0), "each rule had something to do: {gone:?}");
}
