//! Merging and unmerging beside everything else that changes an issue: the rows of merged issues stay the sums of their groups.

use crate::{
    exact::alike,
    lab::{DAY, Dice, Hit, Lab},
};
use errtrack_core::{
    Issue, ProjectId, Status, Timestamp,
    store::{Batch, EventStore, GroupStore, IssueQuery, IssueStore, Recorder, Regrouped, Retention, Upkeep},
};
use std::time::Duration;

const TYPES: [&str; 8] = ["A", "B", "C", "D", "E", "F", "G", "H"];
const USERS: [&str; 4] = ["ana", "ben", "cleo", "dan"];

struct Trial {
    lab: Lab,
    dice: Dice,
    shop: ProjectId,
    merged: u32,
    unmerged: u32,
}

impl Trial {
    async fn record(&mut self) {
        let mut hits = Vec::new();
        for _ in 0..=self.dice.roll(40) {
            let at = Timestamp::now().minus(Duration::from_secs(self.dice.roll(9 * 24 * 60) * 60));
            let user = (self.dice.roll(2) == 0).then(|| *self.dice.pick(&USERS));
            let color: &str = self.dice.pick::<&str>(&["red", "green"]);
            hits.push(Hit { user, color, ..Hit::new(self.dice.pick::<&str>(&TYPES), at) }.of(self.shop));
        }
        let mut batch = Batch::whole(hits);
        batch.counted_only = batch.occurrences.iter().map(|_| self.dice.roll(6) == 0).collect();
        self.lab.store.record(&batch).await.unwrap();
    }

    async fn issues(&self) -> Vec<Issue> {
        self.lab.store.issues(&IssueQuery { limit: 100, ..IssueQuery::default() }).await.unwrap().issues
    }

    async fn regroup(&mut self) {
        let issues = self.issues().await;
        if issues.is_empty() {
            return;
        }
        let (one, other) = (self.dice.pick(&issues).id, self.dice.pick(&issues).id);
        if self.dice.roll(3) > 0 {
            let done = self.lab.store.merge(self.shop, one, &[other]).await.unwrap();
            self.merged += u32::from(matches!(done, Regrouped::Done(_)));
        } else {
            let groups = self.lab.store.groups(one).await.unwrap();
            let group = self.dice.pick(&groups).fingerprint;
            let done = self.lab.store.unmerge(one, &[group]).await.unwrap();
            self.unmerged += u32::from(matches!(done, Regrouped::Done(_)));
        }
    }

    async fn change(&mut self) {
        let issues = self.issues().await;
        if issues.is_empty() {
            return;
        }
        let issue = self.dice.pick(&issues).id;
        match self.dice.roll(6) {
            0 => {
                let keep = u32::try_from(1 + self.dice.roll(6)).unwrap();
                self.lab.store.trim_events(keep).await.unwrap();
                assert_eq!(self.lab.store.trim_events(keep).await.unwrap(), 0);
            }
            1 => {
                let user = *self.dice.pick(&USERS);
                self.lab.store.erase_user(None, user).await.unwrap();
                assert_eq!(self.lab.store.erase_user(None, user).await.unwrap(), 0);
            }
            2 => assert_eq!(self.lab.store.set_status(&[issue], Status::Resolved).await.unwrap(), 1),
            3 if self.dice.roll(3) == 0 => assert_eq!(self.lab.store.delete_issues(&[issue]).await.unwrap(), 1),
            _ => {
                let mut rules = Retention::default();
                rules.age = (self.dice.roll(3) > 0).then(|| DAY * u32::try_from(3 + self.dice.roll(7)).unwrap());
                rules.events_per_issue = u32::try_from(1 + self.dice.roll(8)).unwrap();
                rules.events_per_project = (self.dice.roll(2) == 0).then(|| self.dice.roll(60));
                let preview = self.lab.store.preview_retention(&rules).await.unwrap();
                assert_eq!(alike(preview), alike(self.lab.store.retain(&rules).await.unwrap()), "{rules:?}");
            }
        }
    }
}

#[tokio::test]
async fn merged_issues_stay_the_sums_of_their_groups() {
    for lab in Lab::each().await {
        let shop = lab.project("shop").await;
        let mut trial = Trial { lab, dice: Dice(0x9e37_79b9_7f4a_7c15), shop, merged: 0, unmerged: 0 };
        for _ in 0..50 {
            trial.record().await;
            trial.regroup().await;
            trial.lab.check().await;
            trial.change().await;
            trial.lab.check().await;
        }
        assert!(trial.merged > 10 && trial.unmerged > 3, "{} {}", trial.merged, trial.unmerged);
    }
}

#[tokio::test]
async fn a_caller_that_stops_waiting_leaves_issues_merged_or_not() {
    for lab in Lab::each().await {
        let shop = lab.project("shop").await;
        let now = Timestamp::now();
        let hits =
            || Batch::whole(TYPES.iter().map(|ty| Hit { user: Some("ana"), ..Hit::new(ty, now) }.of(shop)).collect());
        let recorded = lab.store.record(&hits()).await.unwrap();
        let (first, others) =
            (recorded[0].issue, recorded[1..].iter().map(|recorded| recorded.issue).collect::<Vec<_>>());
        let fingerprints: Vec<_> = hits().occurrences[1..].iter().map(errtrack_core::Occurrence::fingerprint).collect();
        for n in 0..40_u64 {
            let patience = Duration::from_micros(n * n * 20);
            // Whether it was in time does not matter.
            if n % 2 == 0 {
                let _ = tokio::time::timeout(patience, lab.store.merge(shop, first, &others)).await;
            } else {
                let _ = tokio::time::timeout(patience, lab.store.unmerge(first, &fingerprints)).await;
            }
            lab.store.record(&hits()).await.unwrap();
        }
        // What was cut short goes with the next run.
        lab.store.retain(&Retention::default()).await.unwrap();
        lab.check().await;
        let _ = lab.store.unmerge(first, &fingerprints).await.unwrap();
        lab.check().await;
        let page = lab.store.issues(&IssueQuery { limit: 100, ..IssueQuery::default() }).await.unwrap();
        assert_eq!(page.total, 8);
        assert!(page.issues.iter().all(|issue| (issue.count, issue.user_count) == (41, 1)));
    }
}
