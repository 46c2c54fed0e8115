//! What is told as it happens.

use super::support::{INGEST_KEY, KEY, READ_KEY, TestApp};
use crate::{Access, Config, Guest, RateLimits, Stop};
use axum::body::Body;
use errtrack_core::{Member, ProjectId, Role, Token, TokenHash, TokenKind, store::AccountStore};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::{collections::VecDeque, time::Duration};
use tokio::time::Instant;

/// A client that reads the events of a stream.
struct Listener {
    body: Body,
    text: String,
    told: VecDeque<Told>,
    id: String,
    /// No test listens longer, signs of life or not.
    until: Instant,
}

#[derive(Debug, Clone)]
struct Told {
    id: String,
    event: String,
    data: Value,
}

impl Listener {
    async fn new(app: &TestApp, headers: &[(&str, &str)]) -> Self {
        let response = app.response("GET", "/api/live", headers).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-store");
        let mut listener = Self {
            body: response.into_body(),
            text: String::new(),
            told: VecDeque::new(),
            id: String::new(),
            until: Instant::now() + Duration::from_secs(60),
        };
        // It is told where it stands at once.
        while listener.id.is_empty() {
            assert!(listener.read().await);
        }
        listener
    }

    /// Reads some more; whether there was more.
    async fn read(&mut self) -> bool {
        let frame = tokio::time::timeout_at(self.until, self.body.frame()).await.expect("told in time");
        let Some(frame) = frame else { return false };
        self.text.push_str(std::str::from_utf8(frame.unwrap().data_ref().unwrap()).unwrap());
        while let Some((block, rest)) = self.text.split_once("\n\n") {
            let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
            if let Some(id) = field("id:") {
                id.clone_into(&mut self.id);
            }
            if let Some(event) = field("event:") {
                let data = serde_json::from_str(field("data:").unwrap()).unwrap();
                self.told.push_back(Told { id: self.id.clone(), event: event.into(), data });
            }
            self.text = rest.to_owned();
        }
        true
    }

    /// The next that is told, counters aside.
    async fn next(&mut self) -> Told {
        loop {
            match self.told.pop_front() {
                Some(told) if told.event != "counters" => return told,
                Some(_) => {}
                None => assert!(self.read().await, "the stream ended"),
            }
        }
    }

    /// Waits for the end.
    async fn ends(mut self) {
        while self.read().await {}
    }
}

async fn report(app: &TestApp, project: &str, ty: &str) -> Value {
    app.post("/api/errors", &json!({"message": "m", "source": "s", "type": ty, "project": project})).await.data()
}

#[tokio::test]
async fn what_happens_to_issues_is_told_once_it_can_be_read() {
    let app = TestApp::new().await;
    let mut listener = Listener::new(&app, &[("x-api-key", READ_KEY)]).await;
    let item = report(&app, "default", "A").await;
    let told = listener.next().await;
    assert_eq!((told.event.as_str(), &told.data["project"], &told.data["id"]), ("new", &1.into(), &item["id"]));
    assert_eq!((&told.data["issue"]["type"], &told.data["issue"]["short_id"]), (&"A".into(), &"DEFAULT-1".into()));
    app.put("/api/errors/DEFAULT-1/resolve").await;
    let told = listener.next().await;
    assert_eq!((told.event.as_str(), &told.data["issue"]["status"]), ("resolved", &"resolved".into()));
    report(&app, "default", "A").await;
    let told = listener.next().await;
    assert_eq!((told.event.as_str(), &told.data["issue"]["count"]), ("regressed", &2.into()));
    app.put("/api/errors/DEFAULT-1/ignore").await;
    let told = listener.next().await;
    assert_eq!((told.event.as_str(), &told.data["issue"]["status"]), ("edited", &"ignored".into()));
    app.send("DELETE", "/api/errors/DEFAULT-1", &[("x-api-key", KEY)], "").await;
    let told = listener.next().await;
    assert_eq!(
        (told.event.as_str(), &told.data["issue"], &told.data["tracker_id"]),
        ("deleted", &Value::Null, &1.into())
    );
}

#[tokio::test]
async fn who_comes_back_is_told_what_happened_meanwhile() {
    let app = TestApp::new().await;
    let key = ("x-api-key", READ_KEY);
    let mut listener = Listener::new(&app, &[key]).await;
    report(&app, "default", "A").await;
    let first = listener.next().await;
    drop(listener);
    for ty in ["B", "C"] {
        report(&app, "default", ty).await;
    }
    let mut back = Listener::new(&app, &[key, ("last-event-id", &first.id)]).await;
    for ty in ["B", "C"] {
        assert_eq!(back.next().await.data["issue"]["type"], ty);
    }
    // What cannot be known is said: a place of another process, one that is not, nonsense.
    for id in ["00000000000000ff-3", "nonsense", &first.id.replace("-1", "-99")] {
        let mut lost = Listener::new(&app, &[key, ("last-event-id", id)]).await;
        assert_eq!(lost.next().await.event, "missed", "{id}");
        report(&app, "default", id).await;
        assert_eq!(lost.next().await.data["issue"]["type"], *id, "from there on it hears everything");
    }
}

#[tokio::test]
async fn a_slow_client_is_told_that_it_missed_something() {
    let app = TestApp::with(Config { rate_limits: RateLimits::OFF, ..Config::default() }).await;
    let mut slow = Listener::new(&app, &[("x-api-key", READ_KEY)]).await;
    report(&app, "default", "A").await;
    let mut fast = Listener::new(&app, &[("x-api-key", READ_KEY)]).await;
    // More than is kept, while it reads nothing.
    for n in 0..1_100 {
        app.put(if n % 2 == 0 { "/api/errors/DEFAULT-1/ignore" } else { "/api/errors/DEFAULT-1/unresolve" }).await;
        assert!(["edited", "new"].contains(&fast.next().await.event.as_str()));
    }
    let mut heard = Vec::new();
    while heard.last().is_none_or(|event| event != "missed") {
        heard.push(slow.next().await.event);
    }
    assert!(heard.len() < 100, "{} were kept for it", heard.len());
    report(&app, "default", "B").await;
    while slow.next().await.event != "new" {}
}

#[tokio::test]
async fn counters_move() {
    let app = TestApp::new().await;
    let mut listener = Listener::new(&app, &[("x-api-key", READ_KEY)]).await;
    report(&app, "default", "A").await;
    loop {
        assert!(listener.read().await);
        let told = listener.told.iter().find(|told| told.event == "counters" && told.data["stored"] == 1);
        if let Some(told) = told {
            assert_eq!((&told.data["project"], &told.data["captured"]), (&1.into(), &1.into()));
            return;
        }
    }
}

#[tokio::test]
async fn nobody_is_told_of_foreign_projects() {
    let access = Access::host(|parts| {
        let name = parts.headers.get("x-who")?.to_str().ok()?;
        Some(if name == "ana" { Guest::new(Role::Viewer).projects(["shop"]) } else { Guest::new(Role::Owner) })
    });
    let app = TestApp::with_access(access).await;
    let shop = app.tracker.store().ensure_project("shop").await.unwrap().id;
    let mut ana = Listener::new(&app, &[("x-who", "ana")]).await;
    let mut all = Listener::new(&app, &[("x-who", "jun")]).await;
    for (project, ty) in [("default", "A"), ("shop", "B"), ("default", "C"), ("shop", "D")] {
        let body = json!({"message": "m", "source": "s", "type": ty, "project": project}).to_string();
        assert_eq!(app.send("POST", "/api/errors", &[("x-who", "jun")], body).await.status, 201);
        assert_eq!(all.next().await.data["issue"]["type"], ty);
    }
    for ty in ["B", "D"] {
        let told = ana.next().await;
        assert_eq!((&told.data["issue"]["type"], &told.data["project"]), (&ty.into(), &shop.0.into()));
    }
    while !ana.told.iter().any(|told| told.event == "counters" && told.data["captured"] == 2) {
        ana.read().await;
    }
    assert!(ana.told.iter().all(|told| told.data["project"] == shop.0), "{:?}", ana.told);
}

#[tokio::test]
async fn a_stream_ends_with_its_session() {
    let app = TestApp::new().await;
    let member = Member::new("ana@example.com", Role::Viewer);
    app.store.put_member(&member).await.unwrap();
    let token = "a".repeat(64);
    let hash = TokenHash(Sha256::digest(&token).into());
    let session = Token::new(TokenKind::Session, hash, member.id, Duration::from_secs(3_600));
    app.store.put_token(&session).await.unwrap();
    let cookie = format!("errtrack_session={token}");
    let listener = Listener::new(&app, &[("cookie", &cookie)]).await;
    let mut stays = Listener::new(&app, &[("x-api-key", READ_KEY)]).await;
    assert!(app.store.take_token(TokenKind::Session, hash).await.unwrap());
    listener.ends().await;
    report(&app, "default", "A").await;
    assert_eq!(stays.next().await.event, "new", "others are told on");
    assert_eq!(app.response("GET", "/api/live", &[("cookie", &cookie)]).await.status(), 401);
    assert_eq!(app.response("GET", "/api/live", &[("x-api-key", INGEST_KEY)]).await.status(), 403);
}

#[tokio::test]
async fn clients_are_bounded_and_a_server_that_stops_lets_them_go() {
    let stop = Stop::default();
    let app = TestApp::with(Config { live_clients: 2, stop: stop.clone(), ..Config::default() }).await;
    let key = [("x-api-key", READ_KEY)];
    let first = Listener::new(&app, &key).await;
    let second = Listener::new(&app, &key).await;
    let full = app.response("GET", "/api/live", &key).await;
    assert_eq!((full.status().as_u16(), &full.headers()["retry-after"]), (503, &"5".parse().unwrap()));
    drop(first);
    let third = Listener::new(&app, &key).await;
    stop.stop();
    second.ends().await;
    third.ends().await;
}

#[tokio::test]
async fn a_change_on_another_node_is_told() {
    let app = TestApp::new().await;
    let second = app.second().await;
    let mut listener = Listener::new(&app, &[("x-api-key", READ_KEY)]).await;
    report(&second, "default", "A").await;
    assert_eq!(listener.next().await.event, "new");
    assert_eq!(app.tracker.store().projects().await.unwrap()[0].id, ProjectId(1));
}
