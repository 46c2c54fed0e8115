//! Tickets of other services: made of issues, linked to them, one of each integration, whatever the service does.

use super::support::{Answer, KEY, TestApp, WRITE_KEY};
use crate::{AllowedTargets, Config, RateLimits};
use axum::{Router, extract::Request, http::StatusCode, response::IntoResponse, routing::any};
use errtrack_core::store::{IntegrationStore, IssueStore, TicketStore};
use serde_json::{Value, json};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

/// What a service answers: status, headers, body, and after how long.
type Says = (u16, Vec<(&'static str, &'static str)>, String, Duration);

/// A service that keeps what it is asked, and answers as it is told.
#[derive(Clone)]
struct Tracker {
    url: String,
    /// Method and path, and the body.
    seen: Arc<Mutex<Vec<(String, Value)>>>,
    says: Arc<Mutex<Says>>,
}

impl Tracker {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let says = (500, Vec::new(), String::new(), Duration::ZERO);
        let tracker = Self { url, seen: Arc::default(), says: Arc::new(Mutex::new(says)) };
        tracker.takes(12);
        let answering = tracker.clone();
        let take = async move |request: Request| {
            let (parts, body) = request.into_parts();
            let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
            let body = serde_json::from_slice(&body).unwrap_or_default();
            answering.seen.lock().unwrap().push((format!("{} {}", parts.method, parts.uri.path()), body));
            let (status, headers, body, after) = answering.says.lock().unwrap().clone();
            tokio::time::sleep(after).await;
            let mut answer = (StatusCode::from_u16(status).unwrap(), body).into_response();
            for (name, value) in headers {
                answer.headers_mut().insert(name, value.parse().unwrap());
            }
            answer
        };
        tokio::spawn(async move { axum::serve(listener, Router::new().fallback(any(take))).await });
        tracker
    }

    fn says(&self, status: u16, headers: Vec<(&'static str, &'static str)>, body: &str, after: Duration) {
        *self.says.lock().unwrap() = (status, headers, body.to_owned(), after);
    }

    /// Makes an issue of that number.
    fn takes(&self, number: u32) {
        self.takes_after(number, Duration::ZERO);
    }

    fn takes_after(&self, number: u32, after: Duration) {
        let made = json!({"number": number, "html_url": format!("https://github.com/acme/shop/issues/{number}")});
        self.says(201, Vec::new(), &made.to_string(), after);
    }

    fn seen(&self) -> Vec<(String, Value)> {
        self.seen.lock().unwrap().clone()
    }
}

async fn ask(app: &TestApp, method: &str, path: &str, body: &Value) -> Answer {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    app.send(method, path, &[("x-api-key", KEY)], body).await
}

fn github(url: &str) -> Value {
    json!({"type": "github", "config": {"token": "github_pat_secret_0123", "repository": "acme/shop", "api_url": url}})
}

/// With one issue, `DEFAULT-1`, and the integration `github`.
async fn app() -> (TestApp, Tracker) {
    let allowed_targets = AllowedTargets::new(["127.0.0.1"]).unwrap();
    let public_url = Some("https://errors.example.com".into());
    let config = Config { allowed_targets, public_url, rate_limits: RateLimits::OFF, ..Config::default() };
    let (app, tracker) = (TestApp::with(config).await, Tracker::start().await);
    report(&app, "PaymentError").await;
    ask(&app, "PUT", "/api/settings/integrations/github", &github(&tracker.url)).await.data();
    (app, tracker)
}

async fn report(app: &TestApp, ty: &str) {
    let stack = "Traceback (most recent call last):\n  File \"shop/pay.py\", line 7, in pay\nPaymentError: declined";
    let report = json!({"type": ty, "message": "card declined", "source": "shop", "stack_trace": stack});
    app.post("/api/errors", &report).await.data();
}

const PATH: &str = "/api/errors/DEFAULT-1/tickets";

async fn make(app: &TestApp) -> Answer {
    ask(app, "POST", PATH, &json!({"integration": "github"})).await
}

async fn tickets(app: &TestApp) -> Vec<Value> {
    ask(app, "GET", PATH, &Value::Null).await.data()["tickets"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_ticket_is_made_shown_and_unlinked() {
    let (app, tracker) = app().await;
    let listed = ask(&app, "GET", PATH, &Value::Null).await.data();
    let way = json!({"name": "github", "kind": "github", "target": "acme/shop"});
    assert_eq!(listed, json!({"tickets": [], "integrations": [way]}));
    let wanted = json!({"integration": "github", "title": "  Cards are declined ", "note": "since *noon*"});
    let answer = app.send("POST", PATH, &[("x-api-key", WRITE_KEY)], wanted.to_string()).await;
    assert_eq!(answer.status, 201);
    let made = answer.data();
    let url = "https://github.com/acme/shop/issues/12";
    let expected = json!({
        "id": made["id"], "integration": "github", "kind": "github", "key": "acme/shop#12", "url": url,
        "title": "Cards are declined", "created_at": made["created_at"], "created_by": made["created_by"],
    });
    assert_eq!(made, expected);
    let (asked, body) = tracker.seen().remove(0);
    assert_eq!((asked.as_str(), &body["title"]), ("POST /repos/acme/shop/issues", &json!("Cards are declined")));
    let text = body["body"].as_str().unwrap();
    for told in
        ["PaymentError: card declined", "shop/pay.py:7", "> since *noon*", "errors.example.com/issues/DEFAULT-1"]
    {
        assert!(text.contains(told), "{told}: {text}");
    }
    assert_eq!(tickets(&app).await, std::slice::from_ref(&made));
    assert_eq!(ask(&app, "GET", "/api/errors/DEFAULT-1", &Value::Null).await.data()["tickets"], json!([made]));

    let again = make(&app).await.error(409);
    assert!(again.ends_with(url), "the address of the one that is there: {again}");
    assert_eq!(tracker.seen().len(), 1);
    let path = format!("{PATH}/{}", made["id"].as_str().unwrap());
    assert_eq!(ask(&app, "DELETE", &path, &Value::Null).await.status, StatusCode::NO_CONTENT);
    ask(&app, "DELETE", &path, &Value::Null).await.error(404);
    ask(&app, "DELETE", &format!("{PATH}/x"), &Value::Null).await.error(400);
    assert_eq!((tickets(&app).await.len(), tracker.seen().len()), (0, 1), "nothing is asked of the service");
    tracker.takes(13);
    let next = make(&app).await.data();
    assert_eq!((&next["key"], &next["title"]), (&json!("acme/shop#13"), &json!("PaymentError: card declined")));
    let log = ask(&app, "GET", "/api/settings/audit", &Value::Null).await.data().to_string();
    for deed in ["ticket.create", "ticket.unlink", url] {
        assert!(log.contains(deed), "{deed}: {log}");
    }
    assert!(!log.contains("secret"), "{log}");
}

#[tokio::test]
async fn of_two_who_make_one_at_once_one_does() {
    let (app, tracker) = app().await;
    tracker.takes_after(12, Duration::from_millis(400));
    let (one, other) = tokio::join!(make(&app), make(&app));
    let (made, refused) = if one.status == 201 { (one, other) } else { (other, one) };
    assert_eq!(made.data()["key"], "acme/shop#12");
    let why = refused.error(409);
    assert!(why.contains("is making one just now"), "{why}");
    assert_eq!((tracker.seen().len(), tickets(&app).await.len()), (1, 1));
}

#[tokio::test]
async fn what_the_service_refuses_is_told_and_leaves_nothing() {
    let (app, tracker) = app().await;
    for (status, headers, body, why, wait) in [
        (401, vec![], r#"{"message":"Bad credentials"}"#, "github: answered 401: Bad credentials", None),
        (404, vec![], r#"{"message":"Not Found"}"#, "github: answered 404: Not Found", None),
        (422, vec![], r#"{"message":"Validation Failed"}"#, "github: answered 422: Validation Failed", None),
        (403, vec![], r#"{"message":"token github_pat_secret_0123"}"#, "github: answered 403: token ****", None),
        (429, vec![("retry-after", "77")], r#"{"message":"slow down"}"#, "github: answered 429: slow down", Some("77")),
        (500, vec![], "<html>", "github: answered 500", None),
    ] {
        tracker.says(status, headers, body, Duration::ZERO);
        let answer = make(&app).await;
        assert_eq!(answer.headers.get("retry-after").map(|wait| wait.to_str().unwrap()), wait, "{status}");
        assert_eq!(answer.error(502), why);
        assert_eq!(tickets(&app).await, Vec::<Value>::new());
    }
    tracker.takes(12);
    assert_eq!(make(&app).await.status, 201, "nothing stands in its way");
}

#[tokio::test]
async fn a_ticket_that_may_have_been_made_is_not_made_twice() {
    let (app, tracker) = app().await;
    tracker.takes_after(12, Duration::from_secs(60));
    let answer = make(&app).await;
    assert_eq!(answer.headers["retry-after"], "120");
    let why = answer.error(504);
    assert!(why.starts_with("github: no answer within 1 s; it may have been made all the same"), "{why}");
    tracker.takes(12);
    let why = make(&app).await.error(409);
    assert!(why.contains("try again in 2 minutes"), "{why}");
    assert_eq!(tracker.seen().len(), 1);
    // Who finds it there links it, when the place is free again; and that it is of the repository is told by its address.
    let issue = app.store.issue(&"DEFAULT-1".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(app.store.tickets(issue.id).await.unwrap(), [], "a place is no ticket");
}

#[tokio::test]
async fn who_does_not_wait_gets_the_ticket_all_the_same() {
    let (app, tracker) = app().await;
    tracker.takes_after(12, Duration::from_millis(300));
    let gone = tokio::time::timeout(Duration::from_millis(150), make(&app)).await;
    assert!(gone.is_err(), "it takes longer");
    TestApp::until("it is noted", async || tickets(&app).await.len() == 1).await;
    assert_eq!(tracker.seen().len(), 1);
}

#[tokio::test]
async fn one_that_is_there_is_linked() {
    let (app, tracker) = app().await;
    let other = json!({"url": "https://linear.app/acme/issue/SHO-1", "title": "Cards"});
    let linked = ask(&app, "POST", PATH, &other).await.data();
    let expected = (&Value::Null, &json!("other"), &json!("linear.app/acme/issue/SHO-1"), &json!("Cards"));
    assert_eq!((&linked["integration"], &linked["kind"], &linked["key"], &linked["title"]), expected);
    let why = ask(&app, "POST", PATH, &other).await.error(409);
    assert!(why.ends_with("https://linear.app/acme/issue/SHO-1"), "{why}");
    let foreign = ask(&app, "POST", PATH, &json!({"url": "https://github.com/acme/other/issues/1"})).await.data();
    assert_eq!((&foreign["integration"], &foreign["kind"]), (&Value::Null, &json!("github")));

    // One of the integration's own repository is its ticket: no other is made.
    let own = format!("{}/acme/shop/issues/7#comment", tracker.url);
    let linked = ask(&app, "POST", PATH, &json!({"url": own})).await.data();
    assert_eq!((&linked["integration"], &linked["key"]), (&json!("github"), &json!("acme/shop#7")));
    assert!(make(&app).await.error(409).ends_with("/acme/shop/issues/7"));
    assert_eq!((tracker.seen().len(), tickets(&app).await.len()), (0, 3));
}

#[tokio::test]
async fn what_is_wrong_is_told_by_name_and_nothing_is_asked() {
    let (app, tracker) = app().await;
    for (body, why) in [
        (json!({}), "integration: is needed"),
        (json!({"integration": "github", "url": "https://example.com/1"}), "url: is for a ticket that is there"),
        (json!({"integration": "gitlab"}), "integration: none of that name takes tickets; these do: github"),
        (json!({"integration": 7}), "integration: must be a string"),
        (json!({"integration": "github", "title": "x".repeat(256)}), "title: must not be longer than 255"),
        (json!({"integration": "github", "note": "x".repeat(5_001)}), "note: must not be longer than 5000"),
        (json!({"url": "javascript:alert(1)"}), "url: must be an address like"),
        (json!({"url": "https://a:b@example.com/"}), "url: must be an address like"),
        (json!({"url": "https://example.com/1", "note": "n"}), "note: is for a ticket that is made"),
    ] {
        let error = ask(&app, "POST", PATH, &body).await.error(400);
        assert!(error.starts_with(why), "{error}");
    }
    ask(&app, "POST", "/api/errors/DEFAULT-9/tickets", &json!({"integration": "github"})).await.error(404);
    assert_eq!((tickets(&app).await.len(), tracker.seen().len()), (0, 0));
    // A private target that nobody allowed.
    let app = TestApp::new().await;
    report(&app, "PaymentError").await;
    let none = make(&app).await.error(400);
    assert!(none.ends_with("none does"), "{none}");
    ask(&app, "PUT", "/api/settings/integrations/github", &github(&tracker.url)).await.data();
    assert_eq!(make(&app).await.error(502), "github: its address is private: ALLOWED_TARGETS does not name it");
    assert_eq!(tracker.seen().len(), 0);
}

#[tokio::test]
async fn what_takes_tickets_is_set_up_tried_and_no_channel() {
    let (app, tracker) = app().await;
    let path = "/api/settings/integrations/github";
    let shown = ask(&app, "PUT", path, &github(&tracker.url)).await.data();
    assert_eq!((&shown["type"], &shown["config"]["token"]), (&json!("github"), &json!("****0123")));
    // The secret that is given as it is shown stays.
    let shown = json!({"config": {"token": "****0123", "repository": "acme/web", "api_url": tracker.url}});
    ask(&app, "PUT", path, &shown).await.data();
    tracker.says(200, vec![], r#"{"has_issues":true}"#, Duration::ZERO);
    let tested = ask(&app, "POST", &format!("{path}/test"), &Value::Null).await.data();
    assert_eq!((&tested["delivered"], &tested["error"]), (&json!(true), &Value::Null));
    assert_eq!(tracker.seen().remove(0).0, "GET /repos/acme/web");
    tracker.says(404, vec![], r#"{"message":"Not Found"}"#, Duration::ZERO);
    let tested = ask(&app, "POST", &format!("{path}/test"), &Value::Null).await.data();
    assert_eq!((&tested["delivered"], &tested["error"]), (&json!(false), &json!("answered 404: Not Found")));
    let all = ask(&app, "GET", "/api/settings/integrations", &Value::Null).await.data();
    assert_eq!(all["integrations"][0]["status"], "failing");
    assert!(app.tracker.notifier("github").is_none(), "nobody is told by it");

    let rule = |channel: &str| json!({"name": "r", "trigger": "new_issue", "notifications": [channel]});
    let why = "notifications: github takes tickets, and is no channel";
    assert_eq!(ask(&app, "POST", "/api/alerts/rules", &rule("github")).await.error(400), why);
    let made = ask(&app, "POST", "/api/alerts/rules", &rule("later")).await.data();
    let path = format!("/api/alerts/rules/{}", made["id"].as_str().unwrap());
    assert_eq!(ask(&app, "PUT", &path, &json!({"notifications": ["github"]})).await.error(400), why);
    let incident = json!({"title": "t", "channels": ["github"]});
    let error = ask(&app, "POST", "/api/alerts/incidents", &incident).await.error(400);
    assert_eq!(error, "channels: github takes tickets, and is no channel");

    // Names of channels are not free, nor those that a rule tells people by.
    let slack = json!({"config": {"webhook_url": "http://127.0.0.1:9/x"}});
    ask(&app, "PUT", "/api/settings/integrations/slack", &slack).await.data();
    TestApp::until("it is there", async || app.tracker.notifier("slack").is_some()).await;
    for name in ["slack", "later"] {
        let path = format!("/api/settings/integrations/{name}");
        let error = ask(&app, "PUT", &path, &github(&tracker.url)).await.error(409);
        assert!(error.starts_with("name: "), "{error}");
    }
    for (body, why) in [
        (json!({"type": "github", "config": {"repository": "acme/shop"}}), "config.token: is needed"),
        (
            json!({"type": "jira", "config": {"url": "https://a.example", "token": "t", "project": "x"}}),
            "config.project: must be",
        ),
        (json!({"type": "gitlab", "config": {"webhook_url": "x"}}), "config.webhook_url: is no setting of gitlab"),
        (json!({"type": "bugzilla", "config": {}}), "type: must be one of email, slack, discord, mattermost, telegram"),
    ] {
        let error = ask(&app, "PUT", "/api/settings/integrations/more", &body).await.error(400);
        assert!(error.starts_with(why), "{error}");
    }
    assert_eq!(app.store.integrations().await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_merged_issue_has_the_tickets_of_all() {
    let (app, _) = app().await;
    report(&app, "Other").await;
    let made = make(&app).await.data();
    let merged = json!({"ids": ["DEFAULT-1", "DEFAULT-2"], "into": "DEFAULT-2"});
    ask(&app, "POST", "/api/errors/merge", &merged).await.data();
    let path = "/api/errors/DEFAULT-2/tickets";
    assert_eq!(ask(&app, "GET", path, &Value::Null).await.data()["tickets"], json!([made]));
    let why = ask(&app, "POST", path, &json!({"integration": "github"})).await.error(409);
    assert!(why.ends_with("/issues/12"), "{why}");
}
