//! A year of alert rules and retention on both databases, in seconds: what they go by is told to them.

use anyhow::{Context, Result};
use errtrack::{SqlStore, Tracker};
use errtrack_core::{
    Event, Exception, Formula, IssueRef, Preparer, Project, Status, Timestamp,
    alert::{AlertRule, OpenIncident},
    notify::Trigger,
    store::{
        AlertStore, Batch, EventStore, IncidentQuery, IncidentStore, IssueStore, LeaseStore, OutboxQuery, OutboxStore,
        ProjectStore, Recorder, Retention, Upkeep,
    },
};
use errtrack_tests::{Database, on_both};
use std::{collections::BTreeMap, time::Duration};
use uuid::Uuid;

on_both!(a_year_of_rules_and_retention);

const DAYS: u64 = 365;
const KEPT_DAYS: u64 = 30;
const HOUR: Duration = Duration::from_secs(3_600);

fn event(ty: &str, at: Timestamp) -> Event {
    let mut event = Event { timestamp: at, received_at: at, ..Event::new() };
    event.exceptions.push(Exception::new(ty, "it happened"));
    event
}

async fn record(store: &SqlStore, project: &Project, events: Vec<Event>) -> Result<Vec<IssueRef>> {
    let preparer = Preparer::default();
    let occurrences = events.into_iter().map(|event| preparer.prepare(project.id, event, Formula::Ours)).collect();
    Ok(store.record(&Batch::whole(occurrences)).await?.iter().map(|recorded| IssueRef::Id(recorded.issue)).collect())
}

/// Lets go of what is older than [`KEPT_DAYS`] as of `now`: ages are counted from today.
async fn retain(store: &SqlStore, now: Timestamp) -> Result<()> {
    let today = Timestamp::now();
    let since_then = Duration::from_micros(today.as_micros().saturating_sub(now.as_micros()).unsigned_abs());
    let mut rules = Retention::default();
    rules.age = Some(since_then + 24 * HOUR * u32::try_from(KEPT_DAYS)?);
    rules.events_per_issue = 10_000;
    let preview = store.preview_retention(&rules).await?;
    let report = store.retain(&rules).await?;
    assert_eq!(preview.old_events, report.old_events);
    Ok(())
}

async fn a_year_of_rules_and_retention(database: Database) -> Result<()> {
    let store = SqlStore::open(&database.url).await?;
    // Nobody else asks the rules, or lets go of anything: for the tracker it is today.
    for job in ["alerts", "retention", "trim"] {
        assert!(store.lease(job, Uuid::new_v4(), 24 * HOUR).await?);
    }
    let tracker =
        Tracker::builder().project("shop").store(store.clone()).alert_emails(["ana@example.com"]).build().await?;
    let shop = store.ensure_project("shop").await?;
    let rule = AlertRule {
        id: Uuid::new_v4(),
        name: "much".into(),
        condition: Some("error_count >= 100 in 1h".into()),
        enabled: true,
        notifications: vec!["slack".into()],
        open_incident: Some(OpenIncident { severity: "high".into(), resolve: true }),
        ..AlertRule::default()
    };
    assert!(store.put_alert_rule(&rule).await?);

    let today = Timestamp::now();
    let midnight = Timestamp::from_micros(today.as_micros() - today.as_micros() % 86_400_000_000);
    let (mut steady, mut total, mut weeks, mut bursts, mut regressions) = (None, 0, 0, 0, 0);
    for day in 0..DAYS {
        let start = midnight.minus(24 * HOUR * u32::try_from(DAYS - day)?);
        let mut events: Vec<_> = (0..10).map(|n| event("Steady", start.plus(HOUR * (2 * n)))).collect();
        if day % 7 == 0 {
            weeks += 1;
            events.push(event(&format!("Weekly{weeks}"), start.plus(HOUR)));
        }
        if day % 30 == 0 {
            bursts += 1;
            events.extend((0..150_u32).map(|n| event("Burst", start.plus(10 * HOUR + Duration::from_secs(10) * n))));
        }
        total += events.len();
        let issues = record(&store, &shop, events).await?;
        steady = steady.or_else(|| issues.first().cloned());
        if day % 30 == 0 {
            tracker.evaluate_alerts(start.plus(10 * HOUR + HOUR / 2)).await?;
        }
        tracker.evaluate_alerts(start.plus(23 * HOUR)).await?;
        if day % 90 == 89 {
            regressions += 1;
            let issue = store.issue(steady.as_ref().context("an issue")?).await?.context("it is there")?;
            store.set_status(&[issue.id], Status::Resolved).await?;
        }
        if day % 7 == 0 || day == DAYS - 1 {
            retain(&store, start.plus(24 * HOUR)).await?;
        }
    }

    let mut told: BTreeMap<Trigger, usize> = BTreeMap::new();
    for item in store.outbox(&OutboxQuery { limit: 10_000, ..OutboxQuery::default() }).await? {
        *told.entry(item.entry.notification.trigger).or_default() += 1;
    }
    let expected = [
        (Trigger::NewIssue, weeks + 2),
        (Trigger::Regression, regressions),
        (Trigger::Rule, bursts),
        (Trigger::Recovered, bursts),
    ];
    assert_eq!(told, expected.into());
    let incidents = store.incidents(&IncidentQuery { limit: 100, ..IncidentQuery::default() }).await?;
    assert_eq!(incidents.len(), bursts);
    assert!(incidents.iter().all(|incident| incident.resolved_at.is_some()), "each recovered");

    // Counts are of the year, events of its end.
    let steady = store.issue(&steady.context("an issue")?).await?.context("it is there")?;
    assert_eq!(steady.count, 10 * i64::try_from(DAYS)?);
    let days = store.histograms(&[steady.id], steady.last_seen, 24, 366).await?.remove(0);
    assert_eq!(days.iter().filter(|count| **count == 10).count(), usize::try_from(DAYS)?);
    let left = store.events(steady.id, None, 5_000).await?.events;
    let oldest = midnight.minus(24 * HOUR * u32::try_from(KEPT_DAYS)?);
    assert!(left.iter().all(|event| event.event.received_at >= oldest), "the others went");
    assert_eq!(left.len(), 10 * usize::try_from(KEPT_DAYS)?);
    assert!(total > 5_000, "{total} events in all");
    tracker.shutdown().await;
    Ok(())
}
