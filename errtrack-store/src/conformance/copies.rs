//! What is said of issues elsewhere goes with them.

use super::kit::{by_user, event, issue_of, project, record};
use errtrack_core::{
    Issue, Store, Timestamp,
    alert::Firing,
    notify::{DigestLine, IssueFacts, Notification, OutboxEntry, Trigger},
    store::{Evaluation, FiringQuery, OutboxItem, OutboxQuery, OutboxState, Settlement},
};
use serde_json::json;
use std::{collections::BTreeMap, time::Duration};
use uuid::Uuid;

fn of(issue: &Issue) -> Notification {
    let facts = IssueFacts {
        id: issue.uuid.to_string(),
        short_id: issue.short_id(),
        title: format!("secret of {}", issue.ty),
        culprit: "secret::place".into(),
        path: format!("issues/{}", issue.short_id()),
        ..IssueFacts::default()
    };
    Notification { trigger: Trigger::NewIssue, issue: Some(facts), ..Notification::default() }
}

fn digest(issues: &[&Issue]) -> Notification {
    let line = |issue: &&Issue| DigestLine {
        title: format!("secret of {}", issue.ty),
        short_id: Some(issue.short_id()),
        path: format!("issues/{}", issue.short_id()),
        ..DigestLine::default()
    };
    let digest: Vec<_> = issues.iter().map(line).collect();
    let digest_total = digest.len() as u64;
    Notification { trigger: Trigger::Digest, digest, digest_total, ..Notification::default() }
}

fn entry(channel: &str, notification: Notification) -> OutboxEntry {
    OutboxEntry {
        key: Uuid::new_v4(),
        channel: channel.into(),
        recipients: Vec::new(),
        ordering: String::new(),
        firing: notification.issue.is_some().then(Uuid::new_v4),
        due_at: Timestamp::from_micros(1),
        notification,
    }
}

/// What was told of two issues: a firing of each, and entries of the outbox, each named by its channel.
async fn told(store: &impl Store, one: &Issue, other: &Issue) {
    let firing = |issue: &Issue, value| Firing {
        id: Uuid::new_v4(),
        at: Timestamp::from_micros(7),
        issue: Some(issue.id),
        title: format!("secret \0 of {}", issue.ty),
        value: Some(value),
        ..Firing::default()
    };
    let line = |issue: &Issue| {
        let name = issue.short_id();
        json!({"trigger": "new_issue", "title": "secret", "short_id": name, "path": format!("issues/{name}")})
    };
    let gathered = json!({"channel": "email", "total": 2, "lines": [line(one), line(other)]}).to_string();
    let evaluation = Evaluation {
        version: store.alert_state().await.unwrap().version,
        state: vec![("gathered:quiet:r:email".into(), Some(gathered)), ("channel:email".into(), Some("{}".into()))],
        firings: vec![firing(one, 1.0), firing(other, 2.0)],
        outbox: vec![
            entry("waits", of(one)),
            entry("arrived", of(one)),
            entry("failed", of(one)),
            entry("other", of(other)),
            entry("digest", digest(&[one, other])),
            entry("digest of one", digest(&[one])),
            entry("digest that arrived", digest(&[one, other])),
        ],
        ..Evaluation::default()
    };
    assert!(store.fire(&evaluation).await.unwrap());
    let node = Uuid::new_v4();
    for (channel, came) in [
        ("arrived", Settlement::Delivered),
        ("digest that arrived", Settlement::Delivered),
        ("failed", Settlement::Failed { error: "no".into() }),
    ] {
        let now = Timestamp::now();
        let leased = store.lease_outbox(node, channel, now, 1, Duration::from_secs(60)).await.unwrap();
        assert!(store.settle_outbox(node, leased[0].entry.key, &came, now).await.unwrap());
    }
}

async fn outbox(store: &impl Store) -> BTreeMap<String, OutboxItem> {
    let all = store.outbox(&OutboxQuery { limit: 100, ..OutboxQuery::default() }).await.unwrap();
    all.into_iter().map(|item| (item.entry.channel.clone(), item)).collect()
}

async fn firings(store: &impl Store) -> BTreeMap<i64, Firing> {
    let all = store.firings(&FiringQuery { rule: None, after: None, limit: 100 }).await.unwrap();
    all.into_iter().map(|firing| (firing.issue.unwrap().0, firing)).collect()
}

pub async fn what_was_told_of_a_deleted_issue_goes_with_it(store: &impl Store) {
    let shop = project(store).await;
    let recorded = record(store, &shop, [event("A"), event("B")]).await;
    let (a, b) = (issue_of(store, &recorded[0]).await, issue_of(store, &recorded[1]).await);
    told(store, &a, &b).await;
    let before = outbox(store).await;
    let arrived = &before["digest that arrived"].entry.notification;
    assert_eq!((arrived.trigger, arrived.digest.len()), (Trigger::Digest, 0), "it need not say of what any longer");
    let late = Evaluation { version: store.alert_state().await.unwrap().version, ..Evaluation::default() };
    store.delete_issues(&[a.id]).await.unwrap();

    let left = outbox(store).await;
    let channels: Vec<&str> = left.keys().map(String::as_str).collect();
    assert_eq!(channels, ["arrived", "digest", "digest that arrived", "other"], "nobody is told any more");
    assert_eq!(left["arrived"].state, OutboxState::Delivered);
    assert_eq!(left["arrived"].entry.firing, before["arrived"].entry.firing);
    assert_eq!(left["arrived"].entry.notification, Notification::default());
    assert_eq!(left["other"].entry, before["other"].entry);
    assert_eq!(left["digest"].entry.notification, digest(&[&b]));
    let firings = firings(store).await;
    assert_eq!((firings[&a.id.0].title.as_str(), firings[&a.id.0].value), ("", Some(1.0)), "that it fired stays");
    assert!(firings[&b.id.0].title.ends_with("of B"));
    let state = store.alert_state().await.unwrap();
    assert_eq!(state.entries["channel:email"], "{}");
    let gathered: serde_json::Value = serde_json::from_str(&state.entries["gathered:quiet:r:email"]).unwrap();
    assert_eq!((gathered["total"].as_u64(), gathered["lines"].as_array().unwrap().len()), (Some(1), 1));
    assert_eq!(gathered["lines"][0]["short_id"], b.short_id());
    // What was decided when it was still there is decided again.
    assert!(!store.fire(&late).await.unwrap());

    store.delete_issues(&[b.id]).await.unwrap();
    assert_eq!(outbox(store).await.len(), 2, "what has arrived");
    assert_eq!(store.alert_state().await.unwrap().entries.len(), 1);
}

pub async fn what_was_told_of_an_erased_user_loses_its_text(store: &impl Store) {
    let shop = project(store).await;
    let recorded = record(store, &shop, [by_user("A", "ana"), by_user("B", "bob")]).await;
    let (a, b) = (issue_of(store, &recorded[0]).await, issue_of(store, &recorded[1]).await);
    told(store, &a, &b).await;
    let before = outbox(store).await;
    store.erase_user(None, "ana").await.unwrap();

    let left = outbox(store).await;
    assert_eq!(left.len(), before.len(), "people are told");
    for channel in ["waits", "failed"] {
        let facts = left[channel].entry.notification.issue.as_ref().unwrap();
        assert_eq!((facts.title.as_str(), facts.culprit.as_str()), (a.short_id().as_str(), ""), "{channel}");
    }
    assert_eq!(left["arrived"].entry.notification, Notification::default());
    assert_eq!(left["other"].entry, before["other"].entry);
    let titles: Vec<_> = left["digest"].entry.notification.digest.iter().map(|line| line.title.as_str()).collect();
    assert_eq!(titles, [a.short_id().as_str(), "secret of B"]);
    let firings = firings(store).await;
    assert_eq!((firings[&a.id.0].title.as_str(), firings[&a.id.0].at), ("", Timestamp::from_micros(7)));
    assert!(firings[&b.id.0].title.ends_with("of B"));
    let gathered = &store.alert_state().await.unwrap().entries["gathered:quiet:r:email"];
    assert_eq!(gathered.matches("secret").count(), 1, "{gathered}");
}
