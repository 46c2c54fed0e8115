//! Alert rules on both databases: what is told, once, whatever happens.

use anyhow::{Context, Result};
use async_trait::async_trait;
use errtrack::{SqlStore, Tracker};
use errtrack_core::{
    Event, Exception, Formula, Level, Preparer, Project, Status, Timestamp,
    alert::AlertRule,
    notify::{Delivery, Notifier, NotifyError, Trigger},
    ownership::Ownership,
    store::{
        AlertStore, Batch, Evaluation, FiringQuery, IssueQuery, IssueStore, OutboxItem, OutboxQuery, OutboxStore,
        ProjectStore, Recorder,
    },
};
use errtrack_tests::{Database, on_both};
use std::{
    collections::{BTreeMap, BTreeSet},
    future::poll_fn,
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering::Relaxed},
    },
    task::Poll,
    time::{Duration, Instant},
};
use uuid::Uuid;

on_both!(
    a_flood_of_new_issues_is_capped_and_a_regression_comes_through
    several_nodes_tell_it_once
    what_was_not_committed_is_decided_again
    an_issue_that_flaps_is_told_of_once_in_a_while
    a_spike_is_told
    owners_alone_are_told_each_by_a_mail_of_its_own
    a_new_issue_is_assigned_although_its_writer_died
    an_assignment_is_written_with_the_taking_of_its_signal
    nobody_is_told_of_an_issue_that_was_deleted_meanwhile
);

fn event(ty: &str, at: Timestamp) -> Event {
    let mut event = Event { timestamp: at, received_at: at, environment: Some("production".into()), ..Event::new() };
    event.exceptions.push(Exception::new(ty, "it happened"));
    event
}

async fn record(store: &SqlStore, project: &Project, events: impl IntoIterator<Item = Event>) -> Result<()> {
    let preparer = Preparer::default();
    let occurrences = events.into_iter().map(|event| preparer.prepare(project.id, event, Formula::Ours)).collect();
    store.record(&Batch::whole(occurrences)).await?;
    Ok(())
}

async fn node(store: &SqlStore) -> Result<Tracker> {
    Ok(Tracker::builder().project("shop").store(store.clone()).alert_emails(["ana@example.com"]).build().await?)
}

async fn outbox(store: &SqlStore) -> Result<Vec<OutboxItem>> {
    Ok(store.outbox(&OutboxQuery { limit: 10_000, ..OutboxQuery::default() }).await?)
}

/// What is in the outbox, by trigger.
async fn told(store: &SqlStore) -> Result<BTreeMap<Trigger, usize>> {
    let mut told = BTreeMap::new();
    for item in outbox(store).await? {
        *told.entry(item.entry.notification.trigger).or_default() += 1;
    }
    Ok(told)
}

/// Asks the rules as of some time until nothing is left; the tracker does so by itself meanwhile.
async fn ask(tracker: &Tracker, store: &SqlStore, now: Timestamp) -> Result<()> {
    loop {
        tracker.evaluate_alerts(now).await?;
        if store.signals(1).await?.is_empty() {
            return Ok(());
        }
    }
}

async fn a_flood_of_new_issues_is_capped_and_a_regression_comes_through(database: Database) -> Result<()> {
    let store = SqlStore::open(&database.url).await?;
    let tracker = node(&store).await?;
    let shop = store.ensure_project("shop").await?;
    let start = Timestamp::now();
    record(&store, &shop, [event("Known", start)]).await?;
    ask(&tracker, &store, start).await?;
    let known = store.issues(&IssueQuery { limit: 1, ..IssueQuery::default() }).await?.issues[0].id;
    for batch in 0..10 {
        let events = (0..1_000).map(|n| event(&format!("E{batch}-{n}"), start));
        record(&store, &shop, events).await?;
    }
    ask(&tracker, &store, start).await?;
    assert_eq!(told(&store).await?, [(Trigger::NewIssue, 60)].into(), "the cap");
    store.set_status(&[known], Status::Resolved).await?;
    record(&store, &shop, [event("Known", start)]).await?;
    ask(&tracker, &store, start.plus(Duration::from_secs(30))).await?;
    assert_eq!(told(&store).await?.get(&Trigger::Regression), Some(&1), "it comes through");
    // The tracker itself may have told the digest meanwhile; there is one all the same.
    for minutes in [3, 4, 11, 12] {
        ask(&tracker, &store, start.plus(Duration::from_secs(minutes * 60))).await?;
    }
    let expected = [(Trigger::NewIssue, 60), (Trigger::Regression, 1), (Trigger::Digest, 1)];
    assert_eq!(told(&store).await?, expected.into());
    let digest = outbox(&store).await?.into_iter().find(|item| item.entry.notification.trigger == Trigger::Digest);
    let digest = digest.context("the digest")?.entry;
    assert_eq!((digest.notification.digest_total, digest.recipients), (9_941, vec!["ana@example.com".to_owned()]));
    tracker.shutdown().await;
    Ok(())
}

async fn owners_alone_are_told_each_by_a_mail_of_its_own(database: Database) -> Result<()> {
    let store = SqlStore::open(&database.url).await?;
    let tracker = Tracker::builder().project("shop").store(store.clone()).build().await?;
    let shop = store.ensure_project("shop").await?;
    let ownership = Ownership::parse("type:Payment* → bob@example.com cleo@example.com")?;
    assert!(tracker.set_ownership(shop.id, &ownership).await?);
    let rule = AlertRule {
        id: Uuid::new_v4(),
        name: "new".into(),
        trigger: Some(Trigger::NewIssue),
        enabled: true,
        notifications: vec!["email".into(), "slack".into()],
        recipients: vec!["ana@example.com".into(), "dan@example.com".into()],
        owners_only: true,
        ..AlertRule::default()
    };
    assert!(store.put_alert_rule(&rule).await?);
    let now = Timestamp::now();
    record(&store, &shop, [event("PaymentRefused", now)]).await?;
    record(&store, &shop, [event("Other", now)]).await?;
    ask(&tracker, &store, now).await?;

    let mut told: Vec<_> = outbox(&store).await?.into_iter().map(|item| item.entry).collect();
    let orderings: BTreeSet<_> = told.iter().map(|entry| (&entry.channel, &entry.ordering)).collect();
    assert_eq!(orderings.len(), told.len(), "nobody waits for another's mail");
    told.sort_by_key(|entry| (entry.channel.clone(), entry.recipients.clone()));
    let told = told.iter().map(|entry| {
        let title = entry.notification.issue.as_ref().map(|issue| issue.title.split(':').next().unwrap_or_default());
        (entry.channel.as_str(), entry.recipients.join(" "), title.unwrap_or_default())
    });
    let both = "ana@example.com dan@example.com".to_owned();
    assert_eq!(
        told.collect::<Vec<_>>(),
        [
            ("email", "ana@example.com".to_owned(), "Other"),
            ("email", "bob@example.com".to_owned(), "PaymentRefused"),
            ("email", "cleo@example.com".to_owned(), "PaymentRefused"),
            ("email", "dan@example.com".to_owned(), "Other"),
            // A chat is one place, whoever reads it.
            ("slack", both.clone(), "Other"),
            ("slack", both, "PaymentRefused"),
        ]
    );
    tracker.shutdown().await;
    Ok(())
}

/// The assignee of the issue with that type.
async fn assignee(store: &SqlStore, ty: &str) -> Result<Option<String>> {
    let issues = store.issues(&IssueQuery { limit: 100, ..IssueQuery::default() }).await?.issues;
    Ok(issues.into_iter().find(|issue| issue.ty == ty).context("the issue")?.assigned_to)
}

async fn a_new_issue_is_assigned_although_its_writer_died(database: Database) -> Result<()> {
    let store = SqlStore::open(&database.url).await?;
    let shop = store.ensure_project("shop").await?;
    let tracker = Tracker::builder().project("shop").store(store.clone()).build().await?;
    let ownership = Ownership::parse("type:Payment* → bob@example.com cleo@example.com")?;
    assert!(tracker.set_ownership(shop.id, &ownership.assign(true)).await?);
    tracker.shutdown().await;
    // A process writes these and is no more; somebody has taken one by the time another process comes.
    let events = ["PaymentRefused", "PaymentLost", "Other"];
    record(&store, &shop, events.map(|ty| event(ty, Timestamp::now()))).await?;
    let issues = store.issues(&IssueQuery { limit: 9, ..IssueQuery::default() }).await?.issues;
    let lost = issues.iter().find(|issue| issue.ty == "PaymentLost").context("the issue")?.id;
    store.assign(lost, Some("dan@example.com")).await?;
    let rule = AlertRule {
        id: Uuid::new_v4(),
        name: "new".into(),
        trigger: Some(Trigger::NewIssue),
        enabled: true,
        notifications: vec!["email".into()],
        recipients: vec!["ana@example.com".into()],
        owners_only: true,
        ..AlertRule::default()
    };
    assert!(store.put_alert_rule(&rule).await?);
    let tracker = Tracker::builder().project("shop").store(store.clone()).build().await?;
    ask(&tracker, &store, Timestamp::now()).await?;
    assert_eq!(assignee(&store, "PaymentRefused").await?.as_deref(), Some("bob@example.com"));
    assert_eq!(assignee(&store, "PaymentLost").await?.as_deref(), Some("dan@example.com"));
    assert_eq!(assignee(&store, "Other").await?, None);
    // Who is told has heard of it: the one whose it is, not all who might look after it.
    let told = outbox(&store).await?.into_iter().map(|item| (item.entry.recipients, item.entry.notification.issue));
    let told = told.map(|(to, issue)| (to.join(" "), issue.and_then(|issue| issue.assigned_to)));
    let own = |name: &str| (name.to_owned(), Some(name.to_owned()));
    let expected = [own("bob@example.com"), own("dan@example.com"), ("ana@example.com".into(), None)];
    assert_eq!(told.collect::<BTreeSet<_>>(), expected.into());
    // Once: what people decide afterwards stays.
    let paid = issues.iter().find(|issue| issue.ty == "PaymentRefused").context("the issue")?.id;
    store.assign(paid, None).await?;
    record(&store, &shop, [event("PaymentRefused", Timestamp::now())]).await?;
    ask(&tracker, &store, Timestamp::now()).await?;
    assert_eq!(assignee(&store, "PaymentRefused").await?, None);
    tracker.shutdown().await;
    Ok(())
}

async fn an_assignment_is_written_with_the_taking_of_its_signal(database: Database) -> Result<()> {
    let store = SqlStore::open(&database.url).await?;
    let shop = store.ensure_project("shop").await?;
    let mut cut = 0;
    // A database that answers at once may be done before it can be cut short.
    for round in 0..100 {
        let ty = format!("A{round}");
        record(&store, &shop, [event(&ty, Timestamp::now())]).await?;
        for polls in 1.. {
            let (signals, state) = (store.signals(10).await?, store.alert_state().await?);
            let Some(signal) = signals.first() else {
                // A commit that was under way when it was looked came after all, as a whole.
                assert!(assignee(&store, &ty).await?.is_some());
                break;
            };
            let issue = signal.issue.as_ref().context("the issue")?.id;
            let evaluation = Evaluation {
                version: state.version,
                signals: signals.iter().map(|signal| signal.id).collect(),
                assignments: vec![(issue, "ann@example.com".into())],
                ..Evaluation::default()
            };
            cut_short(store.fire(&evaluation), polls).await;
            // A commit that was under way may come a moment later, as a whole.
            let start = Instant::now();
            let is_written = loop {
                let is_taken = store.signals(10).await?.is_empty();
                if assignee(&store, &ty).await?.is_some() == is_taken {
                    break is_taken;
                }
                assert!(start.elapsed() < Duration::from_secs(10), "one without the other");
            };
            if is_written {
                break;
            }
            cut += 1;
        }
        if cut > 0 {
            return Ok(());
        }
    }
    panic!("none was cut short");
}

/// A channel that is down until it is told otherwise.
#[derive(Clone, Default)]
struct Mail {
    is_up: Arc<AtomicBool>,
    tries: Arc<AtomicU32>,
    arrived: Arc<Mutex<Vec<String>>>,
}

#[async_trait]
impl Notifier for Mail {
    fn name(&self) -> &str {
        "email"
    }

    async fn notify(&self, delivery: &Delivery<'_>) -> Result<(), NotifyError> {
        self.tries.fetch_add(1, Relaxed);
        if !self.is_up.load(Relaxed) {
            return Err(NotifyError::new("it is down"));
        }
        let title = delivery.entry.notification.issue.as_ref().map(|issue| issue.title.clone());
        self.arrived.lock().unwrap().extend(title);
        Ok(())
    }
}

async fn nobody_is_told_of_an_issue_that_was_deleted_meanwhile(database: Database) -> Result<()> {
    let store = SqlStore::open(&database.url).await?;
    let mail = Mail::default();
    let builder = Tracker::builder().project("shop").store(store.clone()).alert_emails(["ana@example.com"]);
    let tracker = builder.notifier(mail.clone()).build().await?;
    let shop = store.ensure_project("shop").await?;
    record(&store, &shop, [event("Secret", Timestamp::now()), event("Kept", Timestamp::now())]).await?;
    ask(&tracker, &store, Timestamp::now()).await?;
    until("both were tried", async || mail.tries.load(Relaxed) >= 2).await;
    let issues = store.issues(&IssueQuery { limit: 9, ..IssueQuery::default() }).await?.issues;
    let secret = issues.iter().find(|issue| issue.ty == "Secret").context("the issue")?.id;
    store.delete_issues(&[secret]).await?;
    mail.is_up.store(true, Relaxed);
    until("the other arrived", async || !mail.arrived.lock().unwrap().is_empty()).await;
    let left = outbox(&store).await?;
    assert_eq!(left.len(), 1, "{left:?}");
    assert_eq!(*mail.arrived.lock().unwrap(), ["Kept: it happened"]);
    let firings = store.firings(&FiringQuery { rule: None, after: None, limit: 9 }).await?;
    let titles: BTreeSet<_> = firings.iter().map(|firing| firing.title.as_str()).collect();
    assert_eq!(titles, ["", "Kept: it happened"].into(), "both fired, and of one no more is known");
    tracker.shutdown().await;
    Ok(())
}

/// Waits until a condition holds.
async fn until(what: &str, condition: impl AsyncFn() -> bool) {
    let start = Instant::now();
    while !condition().await {
        assert!(start.elapsed() < Duration::from_secs(60), "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn several_nodes_tell_it_once(database: Database) -> Result<()> {
    let stores = [SqlStore::open(&database.url).await?, SqlStore::open(&database.url).await?];
    let nodes = [node(&stores[0]).await?, node(&stores[1]).await?];
    let shop = stores[0].ensure_project("shop").await?;
    let rule = AlertRule {
        id: Uuid::new_v4(),
        name: "much".into(),
        condition: Some("error_count > 20 in 5m where environment = production".into()),
        enabled: true,
        notifications: vec!["slack".into()],
        ..AlertRule::default()
    };
    assert!(stores[1].put_alert_rule(&rule).await?);
    let now = Timestamp::now();
    for batch in 0..5 {
        record(&stores[batch % 2], &shop, (0..8).map(|n| event(&format!("E{batch}-{n}"), now))).await?;
        let (one, other) = tokio::join!(nodes[0].evaluate_alerts(now), nodes[1].evaluate_alerts(now));
        let _ = (one?, other?);
    }
    ask(&nodes[0], &stores[0], now).await?;
    let expected = [(Trigger::NewIssue, 40), (Trigger::Rule, 1)];
    assert_eq!(told(&stores[1]).await?, expected.into());
    let query = FiringQuery { rule: Some(rule.id), after: None, limit: 10 };
    assert_eq!(stores[0].firings(&query).await?.len(), 1);
    for node in nodes {
        node.shutdown().await;
    }
    Ok(())
}

/// Lets a future go on for so many polls, and drops it.
async fn cut_short(future: impl Future, mut polls: u32) {
    let mut future = pin!(future);
    poll_fn(|context| {
        polls -= 1;
        let is_done = future.as_mut().poll(context).is_ready();
        if is_done || polls == 0 { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

/// A process that dies between reading signals and committing what they come to leaves all of it to the next; one that dies after
/// has told it.
async fn what_was_not_committed_is_decided_again(database: Database) -> Result<()> {
    let store = SqlStore::open(&database.url).await?;
    let shop = store.ensure_project("shop").await?;
    record(&store, &shop, [event("A", Timestamp::now())]).await?;
    let mut cut = 0;
    for polls in 1.. {
        let (signals, state) = (store.signals(10).await?, store.alert_state().await?);
        let evaluation = Evaluation {
            version: state.version,
            signals: signals.iter().map(|signal| signal.id).collect(),
            state: vec![("rule:x".into(), Some("{}".into()))],
            ..Evaluation::default()
        };
        cut_short(store.fire(&evaluation), polls).await;
        // A commit that was under way may come a moment later, as a whole.
        let start = Instant::now();
        let is_written = loop {
            let (left, after) = (store.signals(10).await?.len(), store.alert_state().await?);
            let is_written = after.entries.contains_key("rule:x");
            if left == usize::from(!is_written) {
                break is_written;
            }
            assert!(start.elapsed() < Duration::from_secs(10), "{left} signals are left, written: {is_written}");
        };
        if is_written {
            break;
        }
        cut += 1;
    }
    assert!(cut > 0, "some were cut short");
    record(&store, &shop, [event("B", Timestamp::now())]).await?;
    let tracker = node(&store).await?;
    ask(&tracker, &store, Timestamp::now()).await?;
    assert_eq!(told(&store).await?, [(Trigger::NewIssue, 1)].into(), "the other was taken");
    tracker.shutdown().await;
    Ok(())
}

async fn an_issue_that_flaps_is_told_of_once_in_a_while(database: Database) -> Result<()> {
    let store = SqlStore::open(&database.url).await?;
    let tracker = node(&store).await?;
    let shop = store.ensure_project("shop").await?;
    let now = Timestamp::now();
    record(&store, &shop, [event("A", now)]).await?;
    let issue = store.issues(&IssueQuery { limit: 1, ..IssueQuery::default() }).await?.issues[0].id;
    for _ in 0..3 {
        store.set_status(&[issue], Status::Resolved).await?;
        record(&store, &shop, [event("A", now)]).await?;
        ask(&tracker, &store, Timestamp::now()).await?;
    }
    assert_eq!(told(&store).await?, [(Trigger::NewIssue, 1), (Trigger::Regression, 1)].into());
    tracker.shutdown().await;
    Ok(())
}

async fn a_spike_is_told(database: Database) -> Result<()> {
    let store = SqlStore::open(&database.url).await?;
    let shop = store.ensure_project("shop").await?;
    let rule = AlertRule {
        id: Uuid::new_v4(),
        name: "spikes".into(),
        trigger: Some(Trigger::Spike),
        enabled: true,
        notifications: vec!["email".into()],
        min_level: Some(Level::Warning),
        ..AlertRule::default()
    };
    assert!(store.put_alert_rule(&rule).await?);
    let now = Timestamp::now();
    let hours_ago = |hours: u64| now.minus(Duration::from_secs(hours * 3_600));
    record(&store, &shop, (1..100).map(|hours| event("A", hours_ago(hours)))).await?;
    record(&store, &shop, (0..90).map(|_| event("A", now))).await?;
    let tracker = Tracker::builder().project("shop").store(store.clone()).build().await?;
    ask(&tracker, &store, now).await?;
    ask(&tracker, &store, now).await?;
    assert_eq!(told(&store).await?, [(Trigger::Spike, 1)].into());
    let notification = outbox(&store).await?.remove(0).entry.notification;
    let facts = notification.rule.context("the rule")?;
    assert_eq!(facts.value, Some(90.0));
    assert!(facts.threshold.is_some_and(|most| most < 40.0), "{facts:?}");
    tracker.shutdown().await;
    Ok(())
}
