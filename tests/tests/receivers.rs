//! Notifications whose receiver is away, slow, busy or broken: with the real outbox and real connections, and pauses between tries
//! that are a hundred times shorter than they are.

use anyhow::{Context, Result, ensure};
use axum::{
    Router,
    body::Body,
    extract::State,
    http::{HeaderMap, Request, StatusCode, header::RETRY_AFTER},
    response::{IntoResponse, Response},
    routing::post,
};
use errtrack::{
    SqlStore, Timestamp, Tracker,
    notify::{Channel, Kind, Notification, OutboxEntry, Surroundings},
    store::{OutboxItem, OutboxQuery, OutboxState, OutboxStore},
    web::{Access, AllowedTargets, Role, router},
};
use errtrack_tests::{Database, FaultyStore, Server, on_both};
use futures_util::future::try_join_all;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio::{net::TcpListener, task::JoinHandle};
use tower::ServiceExt;
use uuid::Uuid;

/// Longer than the lease of a node that was killed.
const PATIENCE: Duration = Duration::from_secs(150);

on_both!(
    a_receiver_that_was_away_for_long_gets_all_of_it_in_its_order
    who_asks_to_be_left_alone_is_asked_no_sooner
    a_slow_receiver_holds_up_no_other_and_is_asked_again
    after_ten_tries_it_is_given_up_shown_and_sent_when_somebody_says_so
    two_nodes_send_what_was_refused_once_more_and_not_twice
    what_was_reported_just_before_a_kill_is_told_after_the_restart
);

/// What a receiver says to a request, by the note of what it is sent, and how often that came before.
type Says = fn(&str, usize) -> (u16, Option<u32>, Duration);

const AT_ONCE: Duration = Duration::ZERO;

/// A request.
#[derive(Debug, Clone)]
struct Asked {
    at: Instant,
    key: String,
    what: String,
    is_taken: bool,
}

/// What a receiver was asked, and what it says.
#[derive(Clone)]
struct Hook {
    asked: Arc<Mutex<Vec<Asked>>>,
    says: Arc<Mutex<Says>>,
}

/// A webhook that notes what it is sent. It goes away when it is dropped.
struct Receiver {
    port: u16,
    hook: Hook,
    serving: JoinHandle<()>,
}

impl Receiver {
    async fn start(says: Says) -> Result<Self> {
        Self::at(0, says).await
    }

    async fn at(port: u16, says: Says) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        let port = listener.local_addr()?.port();
        let hook = Hook { asked: Arc::default(), says: Arc::new(Mutex::new(says)) };
        let router = Router::new().route("/hook", post(take)).with_state(hook.clone());
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Ok(Self { port, hook, serving })
    }

    fn says(&self, says: Says) {
        *self.hook.says.lock().unwrap() = says;
    }

    fn asked(&self) -> Vec<Asked> {
        self.hook.asked.lock().unwrap().clone()
    }

    /// What it has taken, by issue, in the order in which it came.
    fn taken(&self) -> BTreeMap<String, Vec<usize>> {
        let mut taken: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for asked in self.asked().into_iter().filter(|asked| asked.is_taken) {
            let (issue, number) = asked.what.split_once(' ').unwrap();
            taken.entry(issue.to_owned()).or_default().push(number.parse().unwrap());
        }
        taken
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn take(State(hook): State<Hook>, headers: HeaderMap, body: String) -> Response {
    let body: Value = serde_json::from_str(&body).unwrap();
    let key = headers["idempotency-key"].to_str().unwrap().to_owned();
    let told = &body["notification"];
    let what = told["note"].as_str().or(told["issue"]["title"].as_str()).unwrap().to_owned();
    let (status, pause, takes) = {
        let mut seen = hook.asked.lock().unwrap();
        let before = seen.iter().filter(|asked| asked.key == key).count();
        let (status, pause, takes) = (*hook.says.lock().unwrap())(&what, before);
        seen.push(Asked { at: Instant::now(), key, what, is_taken: status == 200 && takes < Duration::from_secs(10) });
        (status, pause, takes)
    };
    tokio::time::sleep(takes).await;
    let status = StatusCode::from_u16(status).unwrap();
    match pause {
        Some(pause) => (status, [(RETRY_AFTER, pause.to_string())], "later").into_response(),
        None => (status, "said by the test").into_response(),
    }
}

/// A process that delivers. It looks for what is due all the time, as pauses are short.
struct Node {
    tracker: Tracker,
    store: FaultyStore,
    looking: JoinHandle<()>,
}

impl Node {
    async fn start(database: &Database, channels: &[(&str, u16)], haste: u32) -> Result<Self> {
        let store = FaultyStore::new(SqlStore::open(&database.url).await?);
        store.set_haste(haste);
        let tracker = Tracker::builder().project("default").store(store.clone()).build().await?;
        let surroundings = Surroundings { allowed: AllowedTargets::new(["127.0.0.1"])?, ..Surroundings::default() };
        for (name, port) in channels {
            let url = format!("http://127.0.0.1:{port}/hook");
            tracker.set_notifier(Channel::new(*name, Kind::Webhook).set("url", url).build(&surroundings)?);
        }
        let awake = tracker.clone();
        let looking = tokio::spawn(async move {
            loop {
                tokio::time::sleep(Duration::from_millis(20)).await;
                awake.wake_delivery();
            }
        });
        Ok(Self { tracker, store, looking })
    }

    async fn items(&self) -> Result<Vec<OutboxItem>> {
        let mut items = self.store.outbox(&OutboxQuery { limit: 1_000, ..OutboxQuery::default() }).await?;
        items.sort_by(|a, b| a.entry.notification.note.cmp(&b.entry.notification.note));
        Ok(items)
    }

    async fn until(&self, what: &str, is_so: impl Fn(&[OutboxItem]) -> bool) -> Result<Vec<OutboxItem>> {
        let start = Instant::now();
        loop {
            let items = self.items().await?;
            if is_so(&items) {
                return Ok(items);
            }
            ensure!(start.elapsed() < PATIENCE, "waited in vain until {what}: {items:#?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn until_all_have_arrived(&self) -> Result<Vec<OutboxItem>> {
        self.until("all have arrived", |items| items.iter().all(|item| item.state == OutboxState::Delivered)).await
    }

    async fn end(self) {
        self.looking.abort();
        self.tracker.shutdown().await;
    }
}

/// So many notifications of so many issues, by turns: each notes its issue and its number.
fn entries(channel: &str, count: usize, issues: usize) -> Vec<OutboxEntry> {
    let entry = |n: usize| OutboxEntry {
        key: Uuid::new_v4(),
        channel: channel.into(),
        recipients: Vec::new(),
        ordering: format!("issue {}", n % issues),
        firing: None,
        due_at: Timestamp::default(),
        notification: Notification { note: Some(format!("{} {n:03}", n % issues)), ..Notification::default() },
    };
    (0..count).map(entry).collect()
}

async fn a_receiver_that_was_away_for_long_gets_all_of_it_in_its_order(database: Database) -> Result<()> {
    let port = Receiver::start(|_, _| (200, None, AT_ONCE)).await?.port;
    let node = Node::start(&database, &[("webhook", port)], 100).await?;
    node.store.put_outbox(&entries("webhook", 12, 3)).await?;
    // Nobody listens there, for as long as four tries take: more than a minute, were it not for the haste.
    let firsts = |items: &[OutboxItem]| items.iter().filter(|item| item.attempts >= 4).count() == 3;
    let items = node.until("the first of each issue has failed again and again", firsts).await?;
    for item in items {
        let is_first = ["0 000", "1 001", "2 002"].contains(&item.entry.notification.note.as_deref().unwrap());
        assert_eq!((item.attempts > 0, item.error.is_some()), (is_first, is_first), "the others wait: {item:?}");
    }
    let receiver = Receiver::at(port, |_, _| (200, None, AT_ONCE)).await?;
    node.until_all_have_arrived().await?;
    assert_eq!(receiver.asked().len(), 12, "each once");
    let expected = (0..3).map(|issue| (issue.to_string(), (0..4).map(|n| issue + 3 * n).collect()));
    assert_eq!(receiver.taken(), expected.collect());
    node.end().await;
    Ok(())
}

async fn who_asks_to_be_left_alone_is_asked_no_sooner(database: Database) -> Result<()> {
    let says: Says =
        |what, before| if (what, before) == ("0 000", 0) { (429, Some(300), AT_ONCE) } else { (200, None, AT_ONCE) };
    let receiver = Receiver::start(says).await?;
    let node = Node::start(&database, &[("webhook", receiver.port)], 100).await?;
    node.store.put_outbox(&entries("webhook", 6, 2)).await?;
    let items = node.until_all_have_arrived().await?;
    assert_eq!(items.iter().map(|item| item.attempts).sum::<u32>(), 7);
    let asked = receiver.asked();
    let refused = asked.iter().find(|asked| !asked.is_taken).context("one was refused")?;
    for later in asked.iter().filter(|later| later.what.starts_with("0 ") && later.at > refused.at) {
        // Five minutes, a hundred times shorter; the pause of its own would have been a tenth of a second.
        assert!(later.at - refused.at >= Duration::from_millis(2_950), "{:?}: {asked:?}", later.at - refused.at);
    }
    let others: Vec<_> = asked.iter().filter(|other| other.what.starts_with("1 ")).collect();
    assert!(
        others.len() == 3 && others.iter().all(|other| other.at < refused.at + Duration::from_secs(2)),
        "{asked:?}"
    );
    assert_eq!(receiver.taken()["0"], [0, 2, 4]);
    node.end().await;
    Ok(())
}

async fn a_slow_receiver_holds_up_no_other_and_is_asked_again(database: Database) -> Result<()> {
    // A request has ten seconds.
    let says: Says =
        |what, before| (200, None, Duration::from_secs(if (what, before) == ("0 000", 0) { 14 } else { 0 }));
    let slow = Receiver::start(says).await?;
    let quick = Receiver::start(|_, _| (200, None, AT_ONCE)).await?;
    let node = Node::start(&database, &[("slow", slow.port), ("quick", quick.port)], 100).await?;
    let start = Instant::now();
    node.store.put_outbox(&entries("slow", 2, 1)).await?;
    node.store.put_outbox(&entries("quick", 20, 5)).await?;
    let arrived = |items: &[OutboxItem]| items.iter().filter(|item| item.state == OutboxState::Delivered).count();
    node.until("the others have arrived", |items| arrived(items) == 20).await?;
    assert!(start.elapsed() < Duration::from_secs(8) && slow.taken().is_empty(), "{:?}", start.elapsed());
    let failed = |items: &[OutboxItem]| items.iter().any(|item| item.error.is_some());
    let items = node.until("the slow one was given up for now", failed).await?;
    let item = items.iter().find(|item| item.error.is_some()).context("it")?;
    assert!(item.error.as_deref().is_some_and(|error| error.contains("10 s")), "{item:?}");
    node.until_all_have_arrived().await?;
    assert_eq!((slow.taken()["0"].as_slice(), slow.asked().len()), ([0, 1].as_slice(), 3));
    let keys: BTreeSet<String> = slow.asked().into_iter().map(|asked| asked.key).collect();
    assert_eq!(keys.len(), 2, "the same key at each try");
    node.end().await;
    Ok(())
}

async fn after_ten_tries_it_is_given_up_shown_and_sent_when_somebody_says_so(database: Database) -> Result<()> {
    let receiver = Receiver::start(|_, _| (500, None, AT_ONCE)).await?;
    let node = Node::start(&database, &[("webhook", receiver.port)], 5_000).await?;
    let router = router::<()>(&node.tracker, Access::host(|_| Some(Role::Owner)));
    let ask = async |method: &str, path: &str| -> Result<(StatusCode, String)> {
        let request = Request::builder().method(method).uri(path).header("sec-fetch-site", "same-origin");
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(Body::empty())?;
        let (parts, body) = router.clone().oneshot(request).await?.into_parts();
        Ok((parts.status, String::from_utf8(body.collect().await?.to_bytes().to_vec())?))
    };
    node.store.put_outbox(&entries("webhook", 3, 1)).await?;
    let given_up = |items: &[OutboxItem]| items.iter().all(|item| item.state == OutboxState::Failed);
    let items = node.until("all were given up", given_up).await?;
    assert!(items.iter().all(|item| item.attempts == 10), "{items:?}");
    assert_eq!(receiver.asked().len(), 30, "and no more often");

    let (_, failed) = ask("GET", "/api/settings/deliveries?state=failed").await?;
    let failed: Value = serde_json::from_str(&failed)?;
    let failed = failed["data"]["deliveries"].as_array().context("a list")?.clone();
    assert_eq!(failed.len(), 3);
    for one in &failed {
        assert_eq!((&one["attempts"], &one["error"]), (&json!(10), &json!("answered 500: said by the test")), "{one}");
        assert!(one["next_at"].is_null() && one["settled_at"].is_string(), "{one}");
    }
    let (_, page) = ask("GET", "/settings/integrations").await?;
    let table = page.split("What did not arrive").nth(1).and_then(|rest| rest.split("</table>").next());
    let rows: Vec<&str> = table.context("the list")?.split("<tr>").skip(2).collect();
    assert!(rows.len() == 3 && rows.iter().all(|row| row.contains("answered 500: said by the test")), "{page}");
    let button = |row: &str| row.split("action=\"").nth(1).and_then(|rest| rest.split('"').next()).map(str::to_owned);
    let button = button(rows[0]).context("a button")?;

    receiver.says(|_, _| (200, None, AT_ONCE));
    assert_eq!(ask("POST", &button).await?.0, StatusCode::SEE_OTHER);
    let arrived = |items: &[OutboxItem]| items.iter().filter(|item| item.state == OutboxState::Delivered).count();
    let items = node.until("the one has arrived", |items| arrived(items) == 1).await?;
    for item in items.iter().filter(|item| item.state == OutboxState::Failed) {
        let path = format!("/api/settings/deliveries/{}/retry", item.entry.key);
        assert_eq!(ask("POST", &path).await?.0, StatusCode::NO_CONTENT);
    }
    let items = node.until_all_have_arrived().await?;
    assert!(items.iter().all(|item| item.attempts == 1), "as if they never had been tried: {items:?}");
    assert!(ask("GET", "/settings/integrations").await?.1.contains("Nothing was given up"));
    let path = format!("/api/settings/deliveries/{}/retry", items[0].entry.key);
    assert_eq!(ask("POST", &path).await?.0, StatusCode::NOT_FOUND, "it has arrived");
    node.end().await;
    Ok(())
}

async fn two_nodes_send_what_was_refused_once_more_and_not_twice(database: Database) -> Result<()> {
    // Each is refused at first, in one of three ways.
    let says: Says = |what, before| match (before, what.as_bytes().last().map(|digit| digit % 3)) {
        (0, Some(0)) => (500, None, Duration::from_millis(5)),
        (0, Some(1)) => (429, Some(20), Duration::from_millis(5)),
        (0, _) => (503, None, Duration::from_millis(5)),
        _ => (200, None, Duration::from_millis(5)),
    };
    let receiver = Receiver::start(says).await?;
    let channels = [("webhook", receiver.port)];
    let nodes = [Node::start(&database, &channels, 100).await?, Node::start(&database, &channels, 100).await?];
    nodes[0].store.put_outbox(&entries("webhook", 60, 10)).await?;
    let items = nodes[0].until_all_have_arrived().await?;
    assert!(items.iter().all(|item| item.attempts == 2), "{items:?}");
    assert_eq!(receiver.asked().len(), 120, "refused once, taken once");
    let taken = receiver.taken();
    assert!(taken.len() == 10 && taken.values().all(|order| order.len() == 6 && order.is_sorted()), "{taken:?}");
    for node in nodes {
        node.end().await;
    }
    Ok(())
}

async fn what_was_reported_just_before_a_kill_is_told_after_the_restart(database: Database) -> Result<()> {
    let receiver = Receiver::start(|_, _| (200, None, AT_ONCE)).await?;
    let folder = database.folder.path();
    let url = format!("http://127.0.0.1:{}/hook", receiver.port);
    let variables =
        [("DATABASE_URL", database.url.as_str()), ("WEBHOOK_URL", url.as_str()), ("ALLOWED_TARGETS", "127.0.0.1")];
    let server = Server::start(folder, &variables).await?;
    let mut client = server.client().header("content-type", "application/json");
    let rule = json!({"name": "new", "trigger": "new_issue", "notifications": ["webhook"]});
    assert_eq!(client.post("/api/alerts/rules", rule.to_string()).await?.status, 201);
    // All at once, so that the server is gone before it has told any of it.
    let reports = ["one", "two", "three"].map(async |what| -> Result<StatusCode> {
        let mut client = server.client().header("content-type", "application/json");
        let report = json!({"message": "broken", "source": "backend", "fingerprint": what, "type": what});
        Ok(client.post("/api/errors", report.to_string()).await?.status)
    });
    assert!(try_join_all(reports).await?.iter().all(|status| *status == 201));
    // What was answered with 201 is committed; what is to be told of it is not, or has not arrived.
    server.kill().await?;
    let before = receiver.asked().len();
    let server = Server::start(folder, &variables).await?;
    let start = Instant::now();
    let told = loop {
        let told: BTreeMap<String, String> =
            receiver.asked().into_iter().map(|asked| (asked.what, asked.key)).collect();
        if told.len() == 3 {
            break told;
        }
        ensure!(start.elapsed() < PATIENCE, "told, {before} before the kill: {told:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let keys: BTreeSet<String> = receiver.asked().into_iter().map(|asked| asked.key).collect();
    assert_eq!(keys, told.into_values().collect(), "what was decided twice is one");
    assert_eq!(server.terminate().await?, Some(0));
    Ok(())
}
