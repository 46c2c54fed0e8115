//! Notifications arrive: by several nodes, while their receiver fails, and after a node was killed.

use anyhow::{Result, ensure};
use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode, header::RETRY_AFTER},
    response::{IntoResponse, Response},
    routing::post,
};
use errtrack::{
    SqlStore, Timestamp, Tracker,
    notify::{Channel, Kind, Notification, OutboxEntry, Surroundings},
    store::{OutboxQuery, OutboxState, OutboxStore},
    web::AllowedTargets,
};
use errtrack_tests::{Database, Server, on_both};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio::net::TcpListener;
use uuid::Uuid;

/// Longer than the lease of a node that was killed.
const PATIENCE: Duration = Duration::from_secs(120);

on_both!(
    two_nodes_send_each_notification_once_and_those_of_one_issue_in_their_order
    a_receiver_that_is_busy_for_a_while_gets_all_of_it
    what_was_committed_when_a_server_is_killed_arrives_after_its_restart
);

/// A webhook that notes what it is sent.
#[derive(Clone)]
struct Receiver {
    url: String,
    /// Keys and notes, in the order in which they came.
    seen: Arc<Mutex<Vec<(String, String)>>>,
    /// What it says first: statuses.
    says: Arc<Mutex<Vec<u16>>>,
    takes: Duration,
}

impl Receiver {
    async fn start(says: &[u16], takes: Duration) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/hook", listener.local_addr()?);
        let says = Arc::new(Mutex::new(says.iter().rev().copied().collect()));
        let receiver = Self { url, seen: Arc::default(), says, takes };
        let router = Router::new().route("/hook", post(take)).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(receiver)
    }

    fn seen(&self) -> Vec<(String, String)> {
        self.seen.lock().unwrap().clone()
    }

    fn keys(&self) -> BTreeSet<String> {
        self.seen().into_iter().map(|(key, _)| key).collect()
    }
}

async fn take(State(receiver): State<Receiver>, headers: HeaderMap, body: String) -> Response {
    let says = receiver.says.lock().unwrap().pop();
    if let Some(status) = says {
        return (StatusCode::from_u16(status).unwrap(), [(RETRY_AFTER, "1")]).into_response();
    }
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    let key = headers["idempotency-key"].to_str().unwrap().to_owned();
    assert_eq!(body["key"], key.as_str());
    receiver.seen.lock().unwrap().push((key, body["notification"]["note"].as_str().unwrap().to_owned()));
    tokio::time::sleep(receiver.takes).await;
    StatusCode::OK.into_response()
}

fn entries(count: usize, issues: usize) -> Vec<OutboxEntry> {
    let entry = |n: usize| OutboxEntry {
        key: Uuid::new_v4(),
        channel: "webhook".into(),
        recipients: Vec::new(),
        ordering: format!("issue {}", n % issues),
        firing: None,
        due_at: Timestamp::default(),
        notification: Notification { note: Some(format!("{} {n}", n % issues)), ..Notification::default() },
    };
    (0..count).map(entry).collect()
}

fn keys(entries: &[OutboxEntry]) -> BTreeSet<String> {
    entries.iter().map(|entry| entry.key.to_string()).collect()
}

async fn node(database: &Database, receiver: &Receiver) -> Result<Tracker> {
    let tracker = Tracker::builder().store(SqlStore::open(&database.url).await?).build().await?;
    let surroundings = Surroundings { allowed: AllowedTargets::new(["127.0.0.1"])?, ..Surroundings::default() };
    tracker.set_notifier(Channel::new("webhook", Kind::Webhook).set("url", &receiver.url).build(&surroundings)?);
    Ok(tracker)
}

/// Waits until a condition holds.
async fn until(what: &str, condition: impl AsyncFn() -> Result<bool>) -> Result<()> {
    let start = Instant::now();
    while !condition().await? {
        ensure!(start.elapsed() < PATIENCE, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

/// How many are in a state.
async fn in_state(store: &SqlStore, state: OutboxState) -> Result<usize> {
    let query = OutboxQuery { state: Some(state), limit: 1_000, ..OutboxQuery::default() };
    Ok(store.outbox(&query).await?.len())
}

async fn two_nodes_send_each_notification_once_and_those_of_one_issue_in_their_order(database: Database) -> Result<()> {
    let receiver = Receiver::start(&[], Duration::from_millis(5)).await?;
    let nodes = [node(&database, &receiver).await?, node(&database, &receiver).await?];
    let store = SqlStore::open(&database.url).await?;
    let entries = entries(200, 20);
    store.put_outbox(&entries).await?;
    nodes.iter().for_each(Tracker::wake_delivery);
    until("all have arrived", async || Ok(in_state(&store, OutboxState::Delivered).await? == 200)).await?;
    let seen = receiver.seen();
    assert_eq!((seen.len(), receiver.keys()), (200, keys(&entries)), "each once, by both together");
    let mut by_issue: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (_, note) in &seen {
        let (issue, n) = note.split_once(' ').unwrap();
        by_issue.entry(issue.into()).or_default().push(n.parse()?);
    }
    assert!(by_issue.len() == 20 && by_issue.values().all(|order| order.is_sorted()), "{by_issue:?}");
    for node in nodes {
        node.shutdown().await;
    }
    Ok(())
}

async fn a_receiver_that_is_busy_for_a_while_gets_all_of_it(database: Database) -> Result<()> {
    let receiver = Receiver::start(&[503, 429, 500], Duration::ZERO).await?;
    let node = node(&database, &receiver).await?;
    let store = SqlStore::open(&database.url).await?;
    let entries = entries(12, 4);
    store.put_outbox(&entries).await?;
    until("all have arrived", async || Ok(in_state(&store, OutboxState::Delivered).await? == 12)).await?;
    assert_eq!((receiver.seen().len(), receiver.keys()), (12, keys(&entries)));
    let query = OutboxQuery { limit: 100, ..OutboxQuery::default() };
    let tries: u32 = store.outbox(&query).await?.iter().map(|item| item.attempts).sum();
    assert_eq!(tries, 15, "three were tried twice, or one of them more often");
    node.shutdown().await;
    Ok(())
}

async fn what_was_committed_when_a_server_is_killed_arrives_after_its_restart(database: Database) -> Result<()> {
    let receiver = Receiver::start(&[], Duration::from_millis(100)).await?;
    let folder = database.folder.path();
    let variables = [
        ("DATABASE_URL", database.url.as_str()),
        ("WEBHOOK_URL", receiver.url.as_str()),
        ("ALLOWED_TARGETS", "127.0.0.1"),
    ];
    let server = Server::start(folder, &variables).await?;
    let store = SqlStore::open(&database.url).await?;
    let entries = entries(60, 60);
    store.put_outbox(&entries).await?;
    until("it is in the middle of it", async || Ok(receiver.seen().len() > 8)).await?;
    server.kill().await?;
    let before = receiver.keys().len();
    ensure!(before < 60, "it was killed too late: {before}");
    let server = Server::start(folder, &variables).await?;
    until("all have arrived", async || Ok(in_state(&store, OutboxState::Delivered).await? == 60)).await?;
    assert_eq!(receiver.keys(), keys(&entries), "each at least once");
    let twice = receiver.seen().len() - 60;
    assert!(twice <= 4, "no more twice than were under way: {twice}");
    assert_eq!(server.terminate().await?, Some(0));
    Ok(())
}
