//! The outbox.

use errtrack_core::{
    Level, Store, Timestamp,
    notify::{DigestLine, IssueFacts, Notification, OutboxEntry, RuleFacts, Trigger},
    store::{OutboxCount, OutboxItem, OutboxQuery, OutboxState, Settlement},
};
use std::{collections::BTreeSet, time::Duration};
use uuid::Uuid;

const LEASE: Duration = Duration::from_secs(600);
const MAIL: &str = "email";

fn at(seconds: u32) -> Timestamp {
    Timestamp::from_micros(1_790_000_000_000_000 + i64::from(seconds) * 1_000_000)
}

fn entry(channel: &str, ordering: &str, title: &str) -> OutboxEntry {
    let issue = IssueFacts { title: title.into(), ..IssueFacts::default() };
    let notification = Notification { issue: Some(issue), at: at(0), ..Notification::default() };
    OutboxEntry {
        key: Uuid::new_v4(),
        channel: channel.into(),
        recipients: Vec::new(),
        ordering: ordering.into(),
        firing: None,
        due_at: at(0),
        notification,
    }
}

fn titles(items: &[OutboxItem]) -> Vec<&str> {
    items.iter().map(|item| item.entry.notification.issue.as_ref().unwrap().title.as_str()).collect()
}

fn every() -> OutboxQuery {
    OutboxQuery { limit: 100, ..OutboxQuery::default() }
}

pub async fn an_entry_is_kept_once_and_whole(store: &impl Store) {
    let issue = IssueFacts {
        title: "ü 🐢 \"'\\ $1".into(),
        level: Level::Fatal,
        count: 3,
        frames: vec!["shop::pay (src/pay.rs:7)".into()],
        release: Some("1.4.0".into()),
        first_seen: at(1),
        ..IssueFacts::default()
    };
    let rule = RuleFacts { value: Some(0.5), threshold: Some(1e9), ..RuleFacts::default() };
    let line = DigestLine { trigger: Trigger::Regression, title: "x".into(), ..DigestLine::default() };
    let notification = Notification {
        trigger: Trigger::Spike,
        at: at(5),
        project: Some("shop".into()),
        rule: Some(rule),
        issue: Some(issue),
        digest: vec![line],
        digest_total: 900,
        ..Notification::default()
    };
    let mut first = entry("größe '\"", "issue 7 ü", "");
    first.notification = notification;
    first.recipients = vec!["a@example.com".into(), "ü@example.com".into()];
    first.firing = Some(Uuid::new_v4());
    let second = entry(MAIL, "", "two");
    assert_eq!(store.put_outbox(&[]).await.unwrap(), 0);
    assert_eq!(store.put_outbox(&[first.clone(), second.clone(), first.clone()]).await.unwrap(), 2);
    let changed = OutboxEntry { channel: "other".into(), ..first.clone() };
    assert_eq!(store.put_outbox(&[changed]).await.unwrap(), 0, "the key is known");
    let items = store.outbox(&every()).await.unwrap();
    assert_eq!(items.iter().map(|item| &item.entry).collect::<Vec<_>>(), [&second, &first], "the newest first");
    assert_eq!((items[0].state, items[0].attempts, items[0].next_at), (OutboxState::Waiting, 0, at(0)));
    assert!(items[0].settled_at.is_none() && items[0].error.is_none() && items[0].made_at > at(0));
}

pub async fn an_entry_is_leased_to_one_of_many_nodes(store: &impl Store) {
    let entries: Vec<_> = (0..60).map(|n| entry(MAIL, &format!("issue {n}"), &n.to_string())).collect();
    store.put_outbox(&entries).await.unwrap();
    let deliver = async || {
        let (node, mut had) = (Uuid::new_v4(), Vec::new());
        loop {
            let items = store.lease_outbox(node, MAIL, at(1), 4, LEASE).await.unwrap();
            assert!(items.len() <= 4 && items.iter().all(|item| item.attempts == 1), "{items:?}");
            had.extend(items.iter().map(|item| item.entry.key));
            if items.is_empty() {
                // Others may hold what is locked just now, not what is free: another look finds it.
                tokio::task::yield_now().await;
                if store.due_channels(at(1)).await.unwrap().is_empty() {
                    return had;
                }
            }
        }
    };
    let (a, b, c, d) = tokio::join!(deliver(), deliver(), deliver(), deliver());
    let had: Vec<Uuid> = [a, b, c, d].concat();
    assert_eq!(had.len(), 60, "none twice");
    assert_eq!(had.into_iter().collect::<BTreeSet<_>>(), entries.iter().map(|entry| entry.key).collect());
}

pub async fn entries_of_one_ordering_come_one_after_the_other(store: &impl Store) {
    let names = [("a", "a1"), ("a", "a2"), ("b", "b1"), ("", "c1"), ("", "c2"), ("a", "a3")];
    let entries: Vec<_> = names.iter().map(|(ordering, title)| entry(MAIL, ordering, title)).collect();
    let chat = entry("chat", "a", "other channel");
    // The first one is due last: those after it wait all the same.
    let late = OutboxEntry { due_at: at(5), ..entries[0].clone() };
    store.put_outbox(&[late]).await.unwrap();
    store.put_outbox(&entries).await.unwrap();
    store.put_outbox(&[chat]).await.unwrap();
    let node = Uuid::new_v4();
    let lease = async |now| store.lease_outbox(node, MAIL, now, 10, LEASE).await.unwrap();
    assert_eq!(titles(&lease(at(1)).await), ["b1", "c1", "c2"]);
    assert_eq!(titles(&lease(at(5)).await), ["a1"]);
    assert_eq!(titles(&lease(at(6)).await), Vec::<&str>::new());
    assert_eq!(titles(&store.lease_outbox(node, "chat", at(1), 10, LEASE).await.unwrap()), ["other channel"]);
    let again = Settlement::Again { at: at(9), error: "no".into() };
    assert!(store.settle_outbox(node, entries[0].key, &again, at(6)).await.unwrap());
    assert_eq!(titles(&lease(at(8)).await), Vec::<&str>::new(), "it is not settled yet");
    assert_eq!(titles(&lease(at(9)).await), ["a1"]);
    assert!(store.settle_outbox(node, entries[0].key, &Settlement::Delivered, at(9)).await.unwrap());
    assert_eq!(titles(&lease(at(9)).await), ["a2"]);
    let failed = Settlement::Failed { error: "no".into() };
    assert!(store.settle_outbox(node, entries[1].key, &failed, at(9)).await.unwrap());
    assert_eq!(titles(&lease(at(9)).await), ["a3"], "what was given up holds up nothing");
}

pub async fn a_lease_that_ended_is_handed_out_again(store: &impl Store) {
    store.put_outbox(&[entry(MAIL, "a", "one")]).await.unwrap();
    let (one, other) = (Uuid::new_v4(), Uuid::new_v4());
    let short = Duration::from_millis(300);
    assert_eq!(store.lease_outbox(one, MAIL, at(1), 1, short).await.unwrap().len(), 1);
    assert_eq!(store.due_channels(at(1)).await.unwrap(), Vec::<String>::new());
    let ended = async {
        loop {
            let items = store.lease_outbox(other, MAIL, at(1), 1, LEASE).await.unwrap();
            if !items.is_empty() {
                return items;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    };
    let items = tokio::time::timeout(Duration::from_secs(20), ended).await.expect("the lease ends");
    assert_eq!(items[0].attempts, 2, "each time is a try");
}

pub async fn what_is_not_due_waits_and_its_channel_is_not_named(store: &impl Store) {
    let later = OutboxEntry { due_at: at(60), ..entry("slack", "a", "later") };
    store.put_outbox(&[later, entry(MAIL, "a", "now"), entry("webhook", "b", "now too")]).await.unwrap();
    let node = Uuid::new_v4();
    assert_eq!(store.due_channels(at(1)).await.unwrap(), ["email", "webhook"]);
    assert_eq!(store.due_channels(at(60)).await.unwrap(), ["email", "slack", "webhook"]);
    assert_eq!(store.lease_outbox(node, "slack", at(59), 9, LEASE).await.unwrap(), []);
    assert_eq!(store.lease_outbox(node, MAIL, at(1), 9, LEASE).await.unwrap().len(), 1);
    assert_eq!(store.due_channels(at(1)).await.unwrap(), ["webhook"], "what is leased is under way");
    assert_eq!(store.lease_outbox(node, "nobody", at(99), 9, LEASE).await.unwrap(), []);
}

pub async fn what_came_of_a_try_is_noted(store: &impl Store) {
    let entries: Vec<_> = ["arrives", "again", "fails"].iter().map(|title| entry(MAIL, "", title)).collect();
    store.put_outbox(&entries).await.unwrap();
    let node = Uuid::new_v4();
    assert_eq!(titles(&store.lease_outbox(node, MAIL, at(1), 9, LEASE).await.unwrap()), ["arrives", "again", "fails"]);
    let error = |text: &str| text.to_owned();
    let came = [
        Settlement::Delivered,
        Settlement::Again { at: at(30), error: error("the server said \"no\" ü") },
        Settlement::Failed { error: error("there is no such address") },
    ];
    for (entry, came) in entries.iter().zip(&came) {
        assert!(store.settle_outbox(node, entry.key, came, at(2)).await.unwrap());
    }
    let mut items = store.outbox(&every()).await.unwrap();
    items.reverse();
    let seen: Vec<_> = items.iter().map(|i| (i.state, i.attempts, i.settled_at, i.error.as_deref())).collect();
    let expected = [
        (OutboxState::Delivered, 1, Some(at(2)), None),
        (OutboxState::Waiting, 1, None, Some("the server said \"no\" ü")),
        (OutboxState::Failed, 1, Some(at(2)), Some("there is no such address")),
    ];
    assert_eq!(seen, expected);
    assert_eq!(items[1].next_at, at(30));
    let count = OutboxCount { channel: MAIL.into(), waiting: 1, failed: 1 };
    assert_eq!(store.outbox_counts().await.unwrap(), [count]);
    assert_eq!(titles(&store.lease_outbox(node, MAIL, at(30), 9, LEASE).await.unwrap()), ["again"]);
}

pub async fn a_try_is_noted_by_whoever_has_the_lease_but_an_arrival_by_anyone(store: &impl Store) {
    let one = entry(MAIL, "", "one");
    store.put_outbox(std::slice::from_ref(&one)).await.unwrap();
    let (holder, other) = (Uuid::new_v4(), Uuid::new_v4());
    let failed = Settlement::Failed { error: "x".into() };
    assert!(!store.settle_outbox(other, one.key, &failed, at(1)).await.unwrap(), "nobody has it");
    store.lease_outbox(holder, MAIL, at(1), 1, LEASE).await.unwrap();
    assert!(!store.settle_outbox(other, one.key, &failed, at(1)).await.unwrap());
    assert!(!store.settle_outbox(holder, Uuid::new_v4(), &failed, at(1)).await.unwrap(), "there is none such");
    assert_eq!(store.outbox(&every()).await.unwrap()[0].state, OutboxState::Waiting);
    assert!(store.settle_outbox(other, one.key, &Settlement::Delivered, at(1)).await.unwrap());
    assert!(!store.settle_outbox(holder, one.key, &failed, at(2)).await.unwrap(), "it has arrived");
    assert_eq!(store.outbox(&every()).await.unwrap()[0].state, OutboxState::Delivered);
}

pub async fn what_was_given_up_is_tried_again_when_asked(store: &impl Store) {
    let entries = [entry(MAIL, "a", "one"), entry(MAIL, "a", "two")];
    store.put_outbox(&entries).await.unwrap();
    let (node, key) = (Uuid::new_v4(), entries[0].key);
    assert!(!store.retry_outbox(key, at(1)).await.unwrap(), "it was not given up");
    store.lease_outbox(node, MAIL, at(1), 1, LEASE).await.unwrap();
    store.settle_outbox(node, key, &Settlement::Failed { error: "x".into() }, at(1)).await.unwrap();
    assert!(!store.retry_outbox(Uuid::new_v4(), at(1)).await.unwrap());
    assert!(store.retry_outbox(key, at(50)).await.unwrap());
    assert_eq!(store.lease_outbox(node, MAIL, at(49), 9, LEASE).await.unwrap(), [], "it comes before those after it");
    let items = store.lease_outbox(node, MAIL, at(50), 9, LEASE).await.unwrap();
    assert_eq!((titles(&items), items[0].attempts, items[0].settled_at), (vec!["one"], 1, None));
}

pub async fn settled_entries_go_by_age(store: &impl Store) {
    let entries: Vec<_> = (0..4).map(|n| entry(MAIL, "", &n.to_string())).collect();
    store.put_outbox(&entries).await.unwrap();
    let node = Uuid::new_v4();
    store.lease_outbox(node, MAIL, at(1), 9, LEASE).await.unwrap();
    store.settle_outbox(node, entries[0].key, &Settlement::Delivered, at(10)).await.unwrap();
    store.settle_outbox(node, entries[1].key, &Settlement::Failed { error: "x".into() }, at(10)).await.unwrap();
    store.settle_outbox(node, entries[2].key, &Settlement::Delivered, at(20)).await.unwrap();
    assert_eq!(store.drop_outbox(at(10)).await.unwrap(), 0);
    assert_eq!(store.drop_outbox(at(11)).await.unwrap(), 2);
    assert_eq!(titles(&store.outbox(&every()).await.unwrap()), ["3", "2"], "what waits stays");
}

pub async fn entries_are_found_by_firing_state_and_channel(store: &impl Store) {
    let firing = Some(Uuid::new_v4());
    let of = |channel: &str, title: &str| OutboxEntry { firing, ..entry(channel, "", title) };
    let entries = [of(MAIL, "one"), of("slack", "two"), entry(MAIL, "", "three")];
    store.put_outbox(&entries).await.unwrap();
    let node = Uuid::new_v4();
    for channel in [MAIL, "slack"] {
        store.lease_outbox(node, channel, at(1), 9, LEASE).await.unwrap();
    }
    for entry in &entries[1..] {
        store.settle_outbox(node, entry.key, &Settlement::Failed { error: "x".into() }, at(2)).await.unwrap();
    }
    let found = async |query: OutboxQuery| {
        titles(&store.outbox(&query).await.unwrap()).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let (mail, failed) = (Some(MAIL.to_owned()), Some(OutboxState::Failed));
    assert_eq!(found(OutboxQuery { firing, ..every() }).await, ["two", "one"]);
    assert_eq!(found(OutboxQuery { firing: Some(Uuid::new_v4()), ..every() }).await, Vec::<String>::new());
    assert_eq!(found(OutboxQuery { state: failed, ..every() }).await, ["three", "two"]);
    assert_eq!(found(OutboxQuery { channel: mail.clone(), ..every() }).await, ["three", "one"]);
    assert_eq!(found(OutboxQuery { channel: mail, state: failed, ..every() }).await, ["three"]);
    assert_eq!(found(OutboxQuery { state: failed, firing, ..every() }).await, ["two"]);
    assert_eq!(found(OutboxQuery { limit: 1, ..every() }).await, ["three"]);
}
