//! Limits on how many requests are answered.

use super::support::{Answer, INGEST_KEY, KEY, PUBLIC_KEY, READ_KEY, TestApp};
use crate::{Config, RateLimits};
use errtrack_core::{ProjectId, TrustedProxies};
use serde_json::{Value, json};

fn limited(ingest: u32, analytics: u32, api: u32, address: u32) -> Config {
    Config { rate_limits: RateLimits { ingest, analytics, api, address }, ..Config::default() }
}

#[track_caller]
fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.headers.get(name).unwrap_or_else(|| panic!("no {name} in {:?}", answer.headers)).to_str().unwrap()
}

/// What is left and for how many seconds, of `"NAME";r=N;t=S`.
#[track_caller]
fn left(answer: &Answer, name: &str) -> u32 {
    let line = header(answer, "ratelimit");
    let rest = line.strip_prefix(&format!("\"{name}\";r=")).unwrap_or_else(|| panic!("{line}"));
    let (left, seconds) = rest.split_once(";t=").unwrap();
    assert!((1..=60).contains(&seconds.parse::<u32>().unwrap()), "{line}");
    left.parse().unwrap()
}

#[track_caller]
fn assert_limited(answer: &Answer) {
    assert_eq!(answer.status, 429, "{:?}", answer.body);
    let wait: u32 = header(answer, "retry-after").parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
}

fn error(message: &str) -> Value {
    json!({ "message": message, "source": "test" })
}

#[tokio::test]
async fn each_key_has_a_number_of_requests_and_is_told_how_many_are_left() {
    let app = TestApp::with(limited(0, 0, 2, 0)).await;
    for expected in [1, 0] {
        let answer = app.get("/api/errors").await;
        assert_eq!((answer.status.as_u16(), left(&answer, "api")), (200, expected));
        assert_eq!(header(&answer, "ratelimit-policy"), "\"api\";q=2;w=60");
    }
    for path in ["/api/errors", "/api/errors/UNKNOWN-1", "/api/settings/retention"] {
        let answer = app.get(path).await;
        assert_limited(&answer);
        assert!(answer.error(429).starts_with("too many requests: 2 a minute are answered; try again in "));
        assert_eq!(left(&answer, "api"), 0);
    }
    assert_eq!(app.ask("GET", "/api/errors", READ_KEY).await.status, 200, "another key has its own");
    assert_eq!(app.ask("GET", "/api/errors", "wrong").await.status, 401, "who is not known is not counted");
    assert!(app.ask("GET", "/api/errors", "wrong").await.headers.get("ratelimit").is_none());
    // A key that opens nothing beside one that does is no way to begin anew.
    for wrong in ["a", "b"] {
        let bearer = format!("Bearer {KEY}");
        let answer = app.send("GET", "/api/errors", &[("x-api-key", wrong), ("authorization", &bearer)], "").await;
        assert_limited(&answer);
    }
}

#[tokio::test]
async fn reports_figures_and_the_rest_count_apart() {
    let app = TestApp::with(limited(1, 1, 1, 0)).await;
    assert_eq!(left(&app.post("/api/errors", &error("m")).await, "ingest"), 0);
    assert_eq!(left(&app.get("/api/monitoring/balance").await, "analytics"), 0);
    assert_eq!(left(&app.get("/api/errors").await, "api"), 0);
    assert_limited(&app.post("/api/errors", &error("m")).await);
    assert_limited(&app.get("/api/monitoring/balance").await);
    assert_limited(&app.get("/api/errors").await);
    assert_eq!(app.get("/health").await.status, 200, "what watches us is not limited");
    assert_eq!(app.get("/openapi.json").await.status, 200);
}

#[tokio::test]
async fn every_dialect_says_it_in_its_own_words() {
    let app = TestApp::with(limited(1, 0, 0, 100)).await;
    let ours = async || app.send("POST", "/api/errors", &[("x-api-key", INGEST_KEY)], error("m").to_string()).await;
    assert_eq!(ours().await.status, 201);
    let refused = ours().await;
    assert_limited(&refused);
    assert_eq!(refused.json()["status"], "error");

    let report = json!({"errorCode": "A", "errorType": "B", "message": "m", "appId": "default"});
    assert_eq!(app.post("/api/v1/errors", &report).await.status, 201);
    for path in ["/api/v1/errors", "/api/v1/errors/batch"] {
        let refused = app.post(path, &report).await;
        assert_limited(&refused);
        assert_eq!(refused.json()["success"], false);
        assert!(refused.json()["error"].as_str().unwrap().starts_with("too many requests"));
    }

    let envelope = async || app.envelope("{}\n{\"type\":\"event\"}\n{\"message\":\"m\"}\n").await;
    let taken = envelope().await;
    assert_eq!((taken.status.as_u16(), left(&taken, "ingest")), (200, 0), "an envelope counts once");
    let refused = envelope().await;
    assert_limited(&refused);
    let said = format!("{}::key:rate_limit", header(&refused, "retry-after"));
    assert_eq!(header(&refused, "x-sentry-rate-limits"), said);
    assert!(refused.json()["detail"].as_str().unwrap().starts_with("too many requests"));
    let exposed = header(&refused, "access-control-expose-headers");
    for name in ["retry-after", "x-sentry-rate-limits", "ratelimit", "ratelimit-policy"] {
        assert!(exposed.contains(name), "{name} is not in {exposed}");
    }
}

#[tokio::test]
async fn reports_without_a_key_and_the_tracker_dialect_count_by_address() {
    let app = TestApp::with(limited(100, 0, 0, 2)).await;
    let report = json!({"errorCode": "A", "errorType": "B", "message": "m", "appId": "default"}).to_string();
    let from = async |peer: &str| app.send_from(peer, "/api/v1/errors", &[], &report).await;
    assert_eq!(left(&from("192.0.2.1").await, "address"), 1);
    assert_eq!(from("192.0.2.1").await.status, 201);
    assert_limited(&from("192.0.2.1").await);
    assert_eq!(from("192.0.2.2").await.status, 201, "another address has its own");
    assert_eq!(from("[2001:db8::1]").await.status, 201);
    assert_eq!(from("[2001:db8::2]").await.status, 201);
    assert_limited(&from("[2001:db8::3]").await);
    let with_key = app.send_from("192.0.2.1", "/api/v1/errors", &[("x-api-key", KEY)], &report).await;
    assert_eq!((with_key.status.as_u16(), left(&with_key, "ingest")), (201, 99));
    let with_key = app.send_from("192.0.2.1", "/api/v1/errors", &[("x-app-key", PUBLIC_KEY)], &report).await;
    assert_eq!((with_key.status.as_u16(), left(&with_key, "ingest")), (201, 99));

    let body = json!({"project": "shop", "exception_type": "E"}).to_string();
    let tracker =
        async |peer: &str| app.send_from(peer, "/error-tracker/api/errors", &[("x-api-key", KEY)], &body).await;
    assert_eq!(tracker("192.0.2.9").await.status, 201);
    let second = tracker("192.0.2.9").await;
    assert_eq!(second.status, 200);
    let line = header(&second, "ratelimit");
    assert!(line.starts_with("\"address\";r=0;t=") && line.contains(", \"ingest\";r="), "{line}");
    assert_limited(&tracker("192.0.2.9").await);
    let health = app.send("GET", "/error-tracker/health", &[], "").await;
    assert!(health.status == 200 && health.headers.get("ratelimit").is_none());
}

#[tokio::test]
async fn behind_a_trusted_proxy_the_client_counts() {
    let trusted_proxies = TrustedProxies::new(["10.0.0.0/8"]).unwrap();
    let app = TestApp::with(Config { trusted_proxies, ..limited(0, 0, 0, 1) }).await;
    let report = json!({"errorCode": "A", "errorType": "B", "message": "m", "appId": "default"}).to_string();
    let from = async |peer: &str, client: &str| {
        app.send_from(peer, "/api/v1/errors", &[("x-forwarded-for", client)], &report).await.status.as_u16()
    };
    assert_eq!(from("10.0.0.1", "203.0.113.1").await, 201);
    assert_eq!(from("10.0.0.2", "203.0.113.2").await, 201);
    assert_eq!(from("10.0.0.2", "203.0.113.1").await, 429);
    assert_eq!(from("192.0.2.1", "203.0.113.3").await, 201);
    assert_eq!(from("192.0.2.1", "203.0.113.4").await, 429, "who is no proxy is believed nothing");
}

#[tokio::test]
async fn what_is_turned_away_is_in_the_balance_of_its_project() {
    let app = TestApp::with(limited(1, 0, 0, 0)).await;
    let shop = app.tracker.store().ensure_project("shop").await.unwrap().id;
    let key = "00112233445566778899aabbccddeeff";
    app.tracker.store().add_public_key(shop, key).await.unwrap();
    let path = format!("/api/{shop}/envelope/?sentry_key={key}");
    for _ in 0..4 {
        app.send("POST", &path, &[], "{}\n{\"type\":\"event\"}\n{\"message\":\"m\"}\n").await;
    }
    let balance = app.tracker.balance_of(shop);
    assert_eq!((balance.captured, balance.stored, balance.limited), (4, 1, 3));
    for _ in 0..3 {
        app.post("/api/errors", &error("m")).await;
    }
    let balance = app.tracker.balance_of(ProjectId(1));
    assert_eq!((balance.captured, balance.limited), (3, 2));
    let shown = app.get("/api/monitoring/balance").await.data();
    assert_eq!(shown["total"]["limited"], 5, "{shown}");
}

#[tokio::test]
async fn without_limits_nothing_is_said() {
    let app = TestApp::with(Config { rate_limits: RateLimits::OFF, ..Config::default() }).await;
    let answer = app.get("/api/errors").await;
    assert!(answer.status == 200 && answer.headers.get("ratelimit").is_none());
}
