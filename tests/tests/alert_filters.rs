//! Alert rules that ask for releases, sources and tags, and what rules would have said, on both databases.

use anyhow::{Context, Result};
use errtrack::{SqlStore, Tracker};
use errtrack_core::{
    Condition, Event, Exception, Formula, Preparer, Project, Report, Routes, Status, StatusClass, Timestamp, User,
    alert::{
        AlertRule,
        preview::{Preview, preview},
    },
    notify::Trigger,
    store::{
        AlertStore, Batch, FiringQuery, IssueQuery, IssueStore, ProjectStore, Recorder, Series, SeriesPoint,
        SeriesStore, TriageStore,
    },
};
use errtrack_tests::{Database, on_both};
use std::time::Duration;
use uuid::Uuid;

on_both!(
    what_several_nodes_wrote_adds_up_for_a_rule
    users_are_counted_by_what_their_events_say
    a_trigger_asks_for_what_its_event_says
    what_a_trigger_would_have_said_is_told_from_what_happened
    a_spike_of_last_week_is_found_again
    a_condition_on_requests_is_tried_on_what_is_kept
    what_no_rule_asked_for_yet_is_looked_for_in_the_events
);

const HOUR: Duration = Duration::from_secs(3_600);

fn event(ty: &str, release: &str, team: &str, at: Timestamp) -> Event {
    let mut event = Event { timestamp: at, received_at: at, release: Some(release.into()), ..Event::new() };
    event.source = Some("worker".into());
    event.environment = Some("production".into());
    event.tags.insert("team".into(), team.into());
    event.exceptions.push(Exception::new(ty, "it happened"));
    event
}

fn rule(change: impl FnOnce(&mut AlertRule)) -> AlertRule {
    let mut rule = AlertRule { id: Uuid::new_v4(), name: "r".into(), enabled: true, ..AlertRule::default() };
    rule.notifications = vec!["slack".into()];
    rule.updated_at = Timestamp::now();
    change(&mut rule);
    rule
}

fn when(condition: &str) -> AlertRule {
    rule(|rule| rule.condition = Some(condition.into()))
}

fn on(trigger: Trigger, filter: Option<&str>) -> AlertRule {
    rule(|rule| (rule.trigger, rule.filter) = (Some(trigger), filter.map(Into::into)))
}

async fn node(database: &Database) -> Result<(SqlStore, Tracker)> {
    let store = SqlStore::open(&database.url).await?;
    let tracker = Tracker::builder().project("shop").store(store.clone()).build().await?;
    Ok((store, tracker))
}

async fn report(tracker: &Tracker, event: Event) -> Result<()> {
    let report = Report { project: tracker.project().id, event, formula: Formula::Ours };
    tracker.ingest(report).await.map(drop).context("a report")
}

async fn record(store: &SqlStore, project: &Project, events: impl IntoIterator<Item = Event>) -> Result<()> {
    let preparer = Preparer::default();
    let occurrences = events.into_iter().map(|event| preparer.prepare(project.id, event, Formula::Ours)).collect();
    store.record(&Batch::whole(occurrences)).await?;
    Ok(())
}

async fn ask(tracker: &Tracker, store: &SqlStore, now: Timestamp) -> Result<()> {
    loop {
        tracker.evaluate_alerts(now).await?;
        if store.signals(1).await?.is_empty() {
            return Ok(());
        }
    }
}

async fn values(store: &SqlStore, rule: &AlertRule) -> Result<Vec<Option<f64>>> {
    let query = FiringQuery { rule: Some(rule.id), after: None, limit: 10 };
    Ok(store.firings(&query).await?.iter().map(|firing| firing.value).collect())
}

/// How often it would have fired.
async fn tried(store: &SqlStore, rule: &AlertRule) -> Result<(Option<usize>, Preview)> {
    let preview = preview(store, rule, Timestamp::now()).await?;
    Ok((preview.firings.as_ref().map(Vec::len), preview))
}

async fn what_several_nodes_wrote_adds_up_for_a_rule(database: Database) -> Result<()> {
    let first = SqlStore::open(&database.url).await?;
    first.ensure_project("shop").await?;
    let asks = when("error_count > 6 in 5m where release = 2.0 and tag.team = payments");
    let new = when("new_issue_count > 0 in 5m where source = worker and level = error");
    let other = when("error_count > 0 in 5m where source = browser");
    for rule in [&asks, &new, &other] {
        assert!(first.put_alert_rule(rule).await?);
    }
    let nodes = [node(&database).await?, node(&database).await?];
    let now = Timestamp::now();
    for (place, (_, tracker)) in nodes.iter().enumerate() {
        for _ in 0..4 {
            report(tracker, event("A", "2.0", "payments", now)).await?;
        }
        for wrong in [event("A", "2.1", "payments", now), event("A", "2.0", "search", now)] {
            report(tracker, wrong).await?;
        }
        // A client says the same again.
        let twice = event(&format!("B{place}"), "1.0", "x", now);
        report(tracker, twice.clone()).await?;
        report(tracker, twice).await?;
    }
    for (store, tracker) in &nodes {
        ask(tracker, store, now).await?;
        ask(tracker, store, now).await?;
    }
    assert_eq!(values(&first, &asks).await?, [Some(8.0)], "once, with what both have written");
    // Letters are no numbers: B0 and B1 are one issue.
    assert!(values(&first, &new).await?.last().context("it fired")?.is_some_and(|issues| issues >= 1.0));
    assert_eq!(values(&first, &other).await?, []);
    // Both are gone, and what they counted is not.
    for (_, tracker) in nodes {
        tracker.shutdown().await;
    }
    let (store, tracker) = node(&database).await?;
    let same = when("error_count >= 8 in 5m where tag.team = payments and release = 2.0");
    assert!(store.put_alert_rule(&same).await?);
    ask(&tracker, &store, now).await?;
    assert_eq!(values(&store, &same).await?, [Some(8.0)]);
    tracker.shutdown().await;
    Ok(())
}

async fn users_are_counted_by_what_their_events_say(database: Database) -> Result<()> {
    let first = SqlStore::open(&database.url).await?;
    first.ensure_project("shop").await?;
    let asks = when("user_count > 1 in 10m where release = 2.0");
    let all = when("user_count > 3 in 10m");
    for rule in [&asks, &all] {
        assert!(first.put_alert_rule(rule).await?);
    }
    let nodes = [node(&database).await?, node(&database).await?];
    let now = Timestamp::now();
    for (place, (user, release)) in
        [("ana", "2.0"), ("ana", "2.0"), ("ben", "2.0"), ("cleo", "1.0"), ("dan", "1.0")].into_iter().enumerate()
    {
        let mut event = event("A", release, "x", now);
        event.user = Some(User::id(user));
        report(&nodes[place % 2].1, event).await?;
    }
    for (store, tracker) in &nodes {
        ask(tracker, store, now).await?;
    }
    for (rule, users) in [(&asks, 2.0), (&all, 4.0)] {
        assert_eq!(values(&first, rule).await?, [Some(users)]);
        assert_eq!(tried(&first, rule).await?.1.extreme, Some(users));
    }
    let unknown = tried(&first, &when("user_count > 1 in 10m where release = 1.0")).await?;
    assert_eq!(unknown.0, None);
    assert!(unknown.1.note.is_some_and(|note| note.contains("from the moment")));
    for (_, tracker) in nodes {
        tracker.shutdown().await;
    }
    Ok(())
}

async fn a_trigger_asks_for_what_its_event_says(database: Database) -> Result<()> {
    let (store, tracker) = node(&database).await?;
    let shop = store.ensure_project("shop").await?;
    let asks = on(Trigger::NewIssue, Some("release = 2.0 and tag.team = payments and source = worker"));
    assert!(store.put_alert_rule(&asks).await?);
    let now = Timestamp::now();
    let events = [("A", "2.0", "payments"), ("B", "2.0", "search"), ("C", "1.0", "payments")];
    record(&store, &shop, events.map(|(ty, release, team)| event(ty, release, team, now))).await?;
    ask(&tracker, &store, now).await?;
    let query = FiringQuery { rule: Some(asks.id), after: None, limit: 10 };
    let titles: Vec<_> = store.firings(&query).await?.into_iter().map(|firing| firing.title).collect();
    assert_eq!(titles, ["A: it happened"]);
    tracker.shutdown().await;
    Ok(())
}

async fn what_a_trigger_would_have_said_is_told_from_what_happened(database: Database) -> Result<()> {
    let (store, tracker) = node(&database).await?;
    let shop = store.ensure_project("shop").await?;
    let now = Timestamp::now();
    record(&store, &shop, (0..12).map(|_| event("A", "1.0", "payments", now))).await?;
    let issue = store.issues(&IssueQuery { limit: 1, ..IssueQuery::default() }).await?.issues[0].id;
    record(&store, &shop, [event("A", "1.1", "search", now)]).await?;
    store.set_status(&[issue], Status::Resolved).await?;
    record(&store, &shop, [event("A", "1.1", "payments", now)]).await?;
    store.set_condition(&[issue], &Condition::Until { time: None, count: Some(15) }).await?;
    record(&store, &shop, [event("A", "1.1", "payments", now)]).await?;
    let nothing = tried(&store, &on(Trigger::Milestone, None)).await?;
    assert_eq!(nothing.0, Some(0), "nobody has looked at it yet");
    assert!(nothing.1.since > now.minus(HOUR), "and it says since when such is kept");
    ask(&tracker, &store, now).await?;
    for (trigger, filter, times) in [
        (Trigger::Milestone, None, 1),
        (Trigger::Milestone, Some("release = 1.0"), 1),
        (Trigger::Milestone, Some("release = 1.1"), 0),
        (Trigger::NewInRelease, None, 1),
        (Trigger::NewInRelease, Some("tag.team = search"), 1),
        (Trigger::NewInRelease, Some("tag.team = payments"), 0),
        (Trigger::Unignored, None, 1),
        (Trigger::Unignored, Some("level = fatal"), 0),
        (Trigger::Regression, Some("tag.team = payments and source = worker"), 1),
        (Trigger::NewIssue, Some("release = 1.0"), 1),
        (Trigger::NewIssue, Some("release = 9"), 0),
    ] {
        assert_eq!(tried(&store, &on(trigger, filter)).await?.0, Some(times), "{trigger} {filter:?}");
    }
    let regressions = when("regression_count > 0 in 5m where release = 1.1");
    assert_eq!(tried(&store, &regressions).await?.0, Some(1), "what is known of signals needs no rule");
    tracker.shutdown().await;
    Ok(())
}

async fn a_spike_of_last_week_is_found_again(database: Database) -> Result<()> {
    let store = SqlStore::open(&database.url).await?;
    let shop = store.ensure_project("shop").await?;
    let now = Timestamp::now();
    let ago = |hours: u32| now.minus(HOUR * hours);
    record(&store, &shop, (1..400).map(|hours| event("A", "1", "x", ago(hours)))).await?;
    record(&store, &shop, (0..90).map(|_| event("A", "1", "x", ago(50)))).await?;
    let (times, preview) = tried(&store, &on(Trigger::Spike, None)).await?;
    assert_eq!(times, Some(1), "{preview:?}");
    let at = preview.firings.context("when")?[0];
    assert_eq!(at.hour(), ago(50).hour());
    Ok(())
}

async fn a_condition_on_requests_is_tried_on_what_is_kept(database: Database) -> Result<()> {
    let store = SqlStore::open(&database.url).await?;
    let shop = store.ensure_project("shop").await?;
    let now = Timestamp::now();
    let serve = |class, count: u32, took: u64| {
        let routes = Routes::default();
        for _ in 0..count {
            routes.record("GET", "/pay", class, Duration::from_millis(took));
        }
        routes.snapshot().remove(0)
    };
    let mut points = Vec::new();
    // Well, but for an hour of three days ago and ten minutes of today.
    for (width, buckets, bad) in [(60, 8 * 24, 72), (10, 2 * 144, 30)] {
        for back in 0..buckets {
            let mut route = serve(StatusClass::Success, 50, 20);
            if back == bad {
                route.add(&serve(StatusClass::ServerError, 50, 900));
            }
            points.push(SeriesPoint {
                series: Series::Routes,
                project: shop.id,
                width,
                start: now.minute().div_euclid(width) * width - back * width,
                name: route.name(),
                node: Uuid::nil(),
                data: route.to_point(),
            });
        }
    }
    store.put_points(&points).await?;
    for (condition, times, back) in [
        ("error_rate > 20 in 1h", 1, 72 * 60),
        ("error_rate > 60 in 1h", 0, 0),
        ("p95_ms > 500 in 2h", 1, 72 * 60),
        ("error_rate > 20 in 10m", 1, 300),
    ] {
        let (fired, preview) = tried(&store, &when(condition)).await?;
        assert_eq!(fired, Some(times), "{condition}: {preview:?}");
        if let Some(at) = preview.firings.as_ref().and_then(|firings| firings.first()) {
            assert!((now.minute() - at.minute() - back).abs() <= 60, "{condition}: {at}");
        }
        let short = condition.ends_with("10m");
        assert_eq!(preview.since > now.minus(HOUR * 24 * 3), short, "fine buckets are kept for two days");
    }
    let (none, _) = tried(&store, &when("error_rate > 1 in 1h where project = nowhere")).await?;
    assert_eq!(none, None, "nothing was measured");
    Ok(())
}

async fn what_no_rule_asked_for_yet_is_looked_for_in_the_events(database: Database) -> Result<()> {
    let (store, tracker) = node(&database).await?;
    let shop = store.ensure_project("shop").await?;
    let ago = |minutes: u32| Timestamp::now().minus(Duration::from_secs(60) * minutes);
    record(&store, &shop, (0..5).map(|n| event("A", "2.0", "payments", ago(600 + n)))).await?;
    record(&store, &shop, [event("A", "1.0", "payments", ago(300))]).await?;
    let asks = when("error_count >= 5 in 10m where release = 2.0");
    let (times, seen) = tried(&store, &asks).await?;
    assert_eq!(times, Some(1));
    assert!(seen.note.is_some_and(|note| note.contains("events that are kept")), "{seen:?}");
    assert_eq!(tried(&store, &when("error_count >= 6 in 10m where release = 2.0")).await?.0, Some(0));
    // From then on it is counted, and says since when.
    assert!(store.put_alert_rule(&asks).await?);
    let (times, counted) = tried(&store, &asks).await?;
    assert_eq!((times, counted.note, counted.since), (Some(0), None, asks.updated_at));
    tracker.shutdown().await;
    Ok(())
}
