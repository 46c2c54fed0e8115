//! What is deleted is gone from every table, also when the deletion was cut short.

use crate::lab::{Hit, Lab, days_ago};
use errtrack_core::{
    Balance, ProjectId, Status, Timestamp,
    alert::{AlertRule, Firing},
    incident::NewIncident,
    store::{
        AlertStore, BalanceStore, Batch, BatchKey, Evaluation, EventStore, IncidentStore, IssueStore, LeaseStore,
        ProjectStore, Recorder, Retention, Series, SeriesPoint, SeriesStore, SettingStore, TriageStore, Upkeep,
    },
};
use std::{
    future::Future,
    pin::pin,
    task::{Context, Poll},
    time::Duration,
};
use uuid::Uuid;

/// Puts something of a project into every table that has to do with projects.
async fn fill(lab: &Lab, project: ProjectId) {
    let users = ["ana", "ben"];
    let hit = |n: usize| {
        let ty = ["A", "B", "C"][n % 3];
        let at = days_ago(u64::try_from(n % 5).unwrap());
        Hit { user: Some(users[n % 2]), ..Hit::new(ty, at) }.of(project)
    };
    let batch = Batch {
        key: Some(BatchKey { writer: Uuid::new_v4(), number: 1, repeats: true }),
        ..Batch::whole((0..40).map(hit).collect())
    };
    let issue = lab.store.record(&batch).await.unwrap()[0].issue;
    let event = lab.store.events(issue, None, 1).await.unwrap().events.remove(0);
    assert!(lab.store.pin(&event, true).await.unwrap());
    lab.store.set_status(&[issue], Status::Resolved).await.unwrap();
    assert!(lab.store.add_comment(issue, "ana", "seen before").await.unwrap().is_some());
    lab.store.set_aside(&hit(1), "it could not be written").await.unwrap();
    lab.store.add_balances(&[(project, Balance { captured: 40, ..Balance::default() })]).await.unwrap();
    assert!(lab.store.put_setting(project, "ignore", Some("[]")).await.unwrap());
    let (name, node, data) = ("GET /".into(), Uuid::new_v4(), "[]".into());
    let point = SeriesPoint { series: Series::Routes, project, width: 10, start: 0, name, node, data };
    lab.store.put_points(&[point]).await.unwrap();
    assert!(lab.store.add_public_key(project, &format!("key-{}", project.0)).await.unwrap());
    let incident = NewIncident { project: Some(project), issues: vec![issue], ..NewIncident::new("slow", "ana") };
    assert!(lab.store.open_incident(&incident).await.unwrap().is_some());
    let rule = AlertRule { id: Uuid::new_v4(), project: Some(project), ..AlertRule::default() };
    assert!(lab.store.put_alert_rule(&rule).await.unwrap());
    let firing =
        Firing { id: Uuid::new_v4(), rule: rule.id, project: Some(project), issue: Some(issue), ..Firing::default() };
    let version = lab.store.alert_state().await.unwrap().version;
    // One is looked at, the others wait.
    let signals = lab.store.signals(1_000).await.unwrap();
    let one = signals.iter().find(|signal| signal.project == project).unwrap().id;
    let evaluation = Evaluation { version, firings: vec![firing], signals: vec![one], ..Evaluation::default() };
    assert!(lab.store.fire(&evaluation).await.unwrap());
}

/// How many rows are left of a project, by table.
async fn left_of(lab: &Lab, project: ProjectId, issues: &[String]) -> Vec<(String, i64)> {
    let issues = issues.join(", ");
    let mut left = Vec::new();
    // Who did what stays: also that they deleted it.
    for (table, columns) in lab.tables().await.into_iter().filter(|(table, _)| table != "errtrack_audit") {
        let id = if table == "errtrack_project" { "id" } else { "project_id" };
        for (column, list) in [(id, project.0.to_string()), ("issue_id", issues.clone())] {
            if columns.iter().any(|name| name == column) {
                let rows = lab.number(&format!("SELECT COUNT(*) FROM {table} WHERE {column} IN ({list})")).await;
                left.push((table.clone(), rows));
            }
        }
    }
    left
}

async fn issues_of(lab: &Lab, project: ProjectId) -> Vec<String> {
    lab.texts(&format!("SELECT CAST(id AS TEXT) FROM errtrack_issue WHERE project_id = {}", project.0)).await
}

/// Polls a future that many times at most; whether it came to its end.
async fn advance<F: Future>(future: F, polls: usize) -> bool {
    let mut future = pin!(future);
    let mut left = polls;
    std::future::poll_fn(|context: &mut Context<'_>| {
        if left == 0 {
            return Poll::Ready(false);
        }
        left -= 1;
        future.as_mut().poll(context).map(|_| true)
    })
    .await
}

#[tokio::test]
async fn a_project_is_deleted_from_every_table() {
    for lab in Lab::each().await {
        project_is_gone(&lab).await;
    }
}

async fn project_is_gone(lab: &Lab) {
    let (gone, kept) = (lab.project("gone").await, lab.project("kept").await);
    for project in [gone, kept] {
        fill(lab, project).await;
    }
    let (issues, others) = (issues_of(lab, gone).await, issues_of(lab, kept).await);
    let full = left_of(lab, gone, &issues).await;
    // The last is for nodes of earlier versions alone.
    let temporary = ["errtrack_deleted_issue", "errtrack_deleted_project", "errtrack_project_hour"];
    for (table, rows) in &full {
        assert!(*rows > 0 || temporary.contains(&table.as_str()), "the test puts nothing into {table}");
    }
    let before = left_of(lab, kept, &others).await;
    assert!(lab.store.delete_project(gone).await.unwrap());
    assert!(!lab.store.delete_project(gone).await.unwrap());
    for (table, rows) in left_of(lab, gone, &issues).await {
        assert_eq!(rows, 0, "rows that are left in {table}");
    }
    assert_eq!(left_of(lab, kept, &others).await, before);
    lab.check().await;
    // What comes late finds no project.
    let late = Hit::new("A", Timestamp::now()).of(gone);
    assert!(!lab.store.record(&Batch::whole(vec![late.clone()])).await.unwrap_err().is_unavailable());
    lab.store.set_aside(&late, "there is no project").await.unwrap();
    lab.store.add_balances(&[(gone, Balance { captured: 1, ..Balance::default() })]).await.unwrap();
    for (table, rows) in left_of(lab, gone, &issues).await {
        assert_eq!(rows, 0, "rows that came late in {table}");
    }
    assert_ne!(lab.project("gone").await, gone);
}

#[tokio::test]
async fn a_deletion_that_was_cut_short_goes_on_with_retention() {
    cut_short(3, async || Some(Lab::sqlite().await)).await;
    cut_short(10, Lab::postgres).await;
}

/// Cuts a deletion short ever later, until one comes to its end.
///
/// How many polls it takes depends on how busy the machine is; where they were too few, it begins anew in smaller steps.
async fn cut_short(mut step: usize, open: impl AsyncFn() -> Option<Lab>) {
    let (mut cut, mut polls, mut ends) = (0, 1, 0);
    while let Some(lab) = open().await {
        let (gone, kept) = (lab.project("gone").await, lab.project("kept").await);
        for project in [gone, kept] {
            fill(&lab, project).await;
        }
        let issues = issues_of(&lab, gone).await;
        let ended = advance(lab.store.delete_project(gone), polls).await;
        let started = lab.store.projects().await.unwrap().iter().all(|project| project.id != gone);
        let left: i64 = left_of(&lab, gone, &issues).await.iter().map(|(_, rows)| rows).sum();
        if started && left > 0 {
            cut += 1;
            lab.store.retain(&Retention::default()).await.unwrap();
            for (table, rows) in left_of(&lab, gone, &issues).await {
                assert_eq!(rows, 0, "rows that are left in {table} after {polls} polls");
            }
            lab.check().await;
        }
        if ended && cut >= 3 {
            return;
        }
        if ended {
            ends += 1;
            assert!(ends < 5, "the deletion was cut short only {cut} times");
            (step, polls) = (1, 0);
        }
        polls += step;
    }
}

#[tokio::test]
async fn a_user_is_deleted_from_every_table() {
    for lab in Lab::each().await {
        user_is_gone(&lab).await;
    }
}

async fn user_is_gone(lab: &Lab) {
    let (shop, blog) = (lab.project("shop").await, lab.project("blog").await);
    let now = Timestamp::now();
    let hits = |project| {
        let hit = move |user| Hit { user: Some(user), ..Hit::new("A", now) }.of(project);
        Batch::whole((0..700).map(|n| hit(["ana@example.com", "ben"][n % 2])).collect())
    };
    let issue = lab.store.record(&hits(shop)).await.unwrap()[0].issue;
    lab.store.record(&hits(blog)).await.unwrap();
    for user in ["ana@example.com", "ben"] {
        let aside = Hit { user: Some(user), ..Hit::new("A", now) }.of(shop);
        lab.store.set_aside(&aside, "it could not be written").await.unwrap();
    }
    let pinned = lab.store.events(issue, None, 2).await.unwrap().events;
    for event in &pinned {
        lab.store.pin(event, true).await.unwrap();
    }
    assert_eq!(lab.store.erase_user(Some(&[shop]), "ana@example.com").await.unwrap(), 350);
    assert_eq!(lab.store.erase_user(Some(&[shop]), "nobody").await.unwrap(), 0);
    lab.check().await;
    let left = lab.store.events(issue, None, 1000).await.unwrap().events;
    assert_eq!(left.len(), 350);
    assert!(left.iter().all(|event| event.event.user.as_ref().unwrap().key() == Some("ben")));
    let aside = lab.store.set_aside_events(10).await.unwrap();
    assert_eq!(aside.len(), 1);
    assert_eq!(aside[0].event.as_ref().unwrap().user.as_ref().unwrap().key(), Some("ben"));
    let counts = format!("SELECT count || ' ' || user_count FROM errtrack_issue WHERE id = {}", issue.0);
    assert_eq!(lab.texts(&counts).await, ["700 1"]);
    let hash = errtrack_core::user_hash("ana@example.com");
    let hashes = format!("SELECT COUNT(*) FROM errtrack_issue_user WHERE user_hash = {hash}");
    assert_eq!(lab.number(&hashes).await, 1, "the other project has not been asked for");
    // Another process that knew the user, and this one, count the user anew.
    lab.store.record(&hits(shop)).await.unwrap();
    assert_eq!(lab.texts(&counts).await, ["1400 2"]);
    assert_eq!(lab.store.erase_user(None, "ana@example.com").await.unwrap(), 700);
    assert_eq!(lab.number(&hashes).await, 0);
    lab.check().await;
}

#[tokio::test]
async fn leases_end_by_the_clock_of_the_database() {
    for lab in Lab::each().await {
        let (one, two) = (Uuid::new_v4(), Uuid::new_v4());
        let hour = Duration::from_secs(3600);
        assert!(lab.store.lease("retention", one, hour).await.unwrap());
        assert!(!lab.store.lease("retention", two, hour).await.unwrap());
        lab.run("UPDATE errtrack_lease SET ends_at = ends_at - 3600000000").await;
        assert!(lab.store.lease("retention", two, hour).await.unwrap());
        assert!(!lab.store.lease("retention", one, hour).await.unwrap());
        let left = lab.number("SELECT ends_at FROM errtrack_lease").await - Timestamp::now().as_micros();
        assert!((3_590_000_000..=3_600_000_000).contains(&left));
    }
}
