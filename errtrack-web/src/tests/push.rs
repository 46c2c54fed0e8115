//! Members' browsers: added, listed, tried, taken away; nobody else's, and not by keys.

use super::support::{Answer, KEY, TestApp};
use crate::{Access, AllowedTargets, Config, Guest, RateLimits, access::token_hash};
use errtrack_core::{
    Member, Role, Token, TokenKind,
    store::{AccountStore, AuditStore},
};
use serde_json::{Value, json};
use std::time::Duration;

const PATH: &str = "/api/push/subscriptions";
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
/// The browser of RFC 8291.
const KEY_OF_BROWSER: &str = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
const SECRET: &str = "BTBZMqHH6r4Tts7J_aSIgg";

fn config(url: &str) -> Config {
    let allowed_targets = AllowedTargets::new(["127.0.0.1"]).unwrap();
    Config { public_url: Some(url.into()), allowed_targets, rate_limits: RateLimits::OFF, ..Config::default() }
}

pub(super) async fn app() -> TestApp {
    TestApp::with(config("https://shop.example/errors")).await
}

/// Somebody who has signed in: the cookie.
pub(super) async fn signed_in(app: &TestApp, name: &str) -> (Member, String) {
    let member = Member::new(&format!("{name}@example.com"), Role::Viewer);
    app.store.add_member(&member).await.unwrap();
    let session = Token::new(TokenKind::Session, token_hash(name), member.id, Duration::from_secs(60));
    app.store.put_token(&session).await.unwrap();
    (member, format!("errtrack_session={name}"))
}

async fn ask(app: &TestApp, cookie: &str, method: &str, path: &str, body: &Value) -> Answer {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let headers =
        [("cookie", cookie), ("user-agent", FIREFOX), ("sec-fetch-site", "same-origin"), ("accept", "text/html")];
    app.send(method, path, &headers, body).await
}

pub(super) fn browser(name: &str) -> Value {
    let endpoint = format!("https://127.0.0.1:9/push/{name}");
    json!({"endpoint": endpoint, "expirationTime": null, "keys": {"p256dh": KEY_OF_BROWSER, "auth": SECRET}})
}

#[tokio::test]
async fn a_member_adds_sees_and_removes_the_own_browsers() {
    let app = app().await;
    let ((_, ana), (_, ben)) = (signed_in(&app, "ana").await, signed_in(&app, "ben").await);
    let empty = ask(&app, &ana, "GET", PATH, &Value::Null).await.data();
    assert_eq!((&empty["subscriptions"], &empty["why_not"]), (&json!([]), &Value::Null));
    assert_eq!(empty["public_key"].as_str().unwrap().len(), 87, "a point of 65 bytes");

    let made = ask(&app, &ana, "POST", PATH, &browser("one")).await;
    assert_eq!(made.status, 201);
    let made = made.data();
    assert_eq!((&made["label"], &made["last_delivered"]), (&json!("Firefox on Linux"), &Value::Null));
    let again = ask(&app, &ana, "POST", PATH, &browser("one")).await;
    assert_eq!((again.status.as_u16(), again.data()["id"].clone()), (200, made["id"].clone()));
    let listed = ask(&app, &ana, "GET", PATH, &Value::Null).await;
    let text = String::from_utf8(listed.body.to_vec()).unwrap();
    for secret in ["127.0.0.1", KEY_OF_BROWSER, SECRET] {
        assert!(!text.contains(secret), "{text}");
    }
    let listed = listed.data();
    assert_eq!((&listed["subscriptions"][0]["id"], &listed["public_key"]), (&made["id"], &empty["public_key"]));

    let path = format!("{PATH}/{}", made["id"].as_str().unwrap());
    assert_eq!(ask(&app, &ben, "GET", PATH, &Value::Null).await.data()["subscriptions"], json!([]));
    ask(&app, &ben, "DELETE", &path, &Value::Null).await.error(404);
    ask(&app, &ben, "POST", &format!("{path}/test"), &Value::Null).await.error(404);
    assert!(ask(&app, &ana, "DELETE", &format!("{PATH}/one"), &Value::Null).await.error(400).starts_with("id: "));
    assert_eq!(ask(&app, &ana, "DELETE", &path, &Value::Null).await.status, 204);
    ask(&app, &ana, "DELETE", &path, &Value::Null).await.error(404);
    let log = app.store.audit_log(None, 10).await.unwrap();
    let log: Vec<_> =
        log.iter().map(|entry| (entry.who.as_str(), entry.action.as_str(), entry.target.as_str())).collect();
    let (who, what) = ("ana@example.com", "Firefox on Linux");
    assert_eq!(log, [(who, "push.remove", what), (who, "push.add", what)]);
}

#[tokio::test]
async fn what_is_wrong_is_told_by_field_and_nothing_is_kept() {
    let app = app().await;
    let (_, ana) = signed_in(&app, "ana").await;
    let with = |pointer: &str, value: Value| {
        let mut body = browser("one");
        *body.pointer_mut(pointer).unwrap() = value;
        body
    };
    for (body, starts) in [
        (json!({}), "endpoint: "),
        (with("/endpoint", json!("http://127.0.0.1:9/push")), "endpoint: must be a URL like https://"),
        (with("/endpoint", json!("https://10.0.0.1/push")), "endpoint: its address is private"),
        (with("/endpoint", json!(7)), "endpoint: "),
        (json!({"endpoint": "https://push.example.com/a"}), "keys"),
        (with("/keys", json!("x")), "keys"),
        (with("/keys/p256dh", Value::Null), "keys.p256dh: "),
        (with("/keys/p256dh", json!("BAAA")), "keys.p256dh: must be a point"),
        (with("/keys/auth", json!("BAAA")), "keys.auth: must be 16 bytes"),
    ] {
        let error = ask(&app, &ana, "POST", PATH, &body).await.error(400);
        assert!(error.starts_with(starts), "{body}: {error}");
    }
    let listed = ask(&app, &ana, "GET", PATH, &Value::Null).await.data();
    assert_eq!(listed["subscriptions"], json!([]));
    for n in 0..10 {
        assert_eq!(ask(&app, &ana, "POST", PATH, &browser(&n.to_string())).await.status, 201);
    }
    let full = ask(&app, &ana, "POST", PATH, &browser("eleven")).await.error(409);
    assert_eq!(full, "there are 10 browsers already: take one away first");
    assert_eq!(ask(&app, &ana, "POST", PATH, &browser("3")).await.status, 200, "one that is there may come again");
}

#[tokio::test]
async fn it_is_for_members_alone_and_where_browsers_allow_it() {
    let app = app().await;
    let by_key = app.send("GET", PATH, &[("x-api-key", KEY)], "").await.error(403);
    assert!(by_key.contains("an API key has no browser"), "{by_key}");
    let host = TestApp::with_access(Access::host(|_| Some(Guest::new(Role::Owner)))).await;
    host.send("GET", PATH, &[], "").await.error(404);
    assert_eq!(host.send("GET", "/settings/browsers", &[("accept", "text/html")], "").await.status, 404);

    for (url, works) in [
        ("http://shop.example", false),
        ("http://localhost.example", false),
        ("http://localhost:8080/errors", true),
        ("http://127.0.0.1", true),
        ("http://[::1]:80", true),
    ] {
        let app = TestApp::with(config(url)).await;
        let (_, ana) = signed_in(&app, "ana").await;
        let listed = ask(&app, &ana, "GET", PATH, &Value::Null).await.data();
        assert_eq!((listed["public_key"].is_string(), listed["why_not"].is_null()), (works, works), "{url}");
        let status = ask(&app, &ana, "POST", PATH, &browser("one")).await.status;
        assert_eq!(status, if works { 201 } else { 409 }, "{url}");
        assert_eq!(app.tracker.notifiers().contains(&"push".to_owned()), works, "{url}");
    }
}

#[tokio::test]
async fn a_test_says_what_came_of_it() {
    let app = app().await;
    let (member, ana) = signed_in(&app, "ana").await;
    let id = ask(&app, &ana, "POST", PATH, &browser("one")).await.data()["id"].as_str().unwrap().to_owned();
    // Nobody listens there.
    let tested = ask(&app, &ana, "POST", &format!("{PATH}/{id}/test"), &Value::Null).await.data();
    assert_eq!((&tested["id"], &tested["delivered"]), (&json!(id), &json!(false)));
    let error = tested["error"].as_str().unwrap();
    assert!(error.starts_with("no connection"), "{error}");
    let listed = ask(&app, &ana, "GET", PATH, &Value::Null).await.data();
    assert_eq!(listed["subscriptions"][0]["last_error"], error);
    assert!(listed["subscriptions"][0]["last_failed"].is_string());

    // On the page of the channels, whoever tries it gets it.
    let by_key = app.send("POST", "/api/settings/integrations/push/test", &[("x-api-key", KEY)], "").await.error(400);
    assert!(by_key.starts_with("name: push is tried by members"), "{by_key}");
    let channels = app.send("GET", "/api/settings/integrations", &[("x-api-key", KEY)], "").await.data();
    assert_eq!(
        (&channels["integrations"][0]["name"], &channels["integrations"][0]["type"]),
        (&json!("push"), &json!("push"))
    );
    let taken = json!({"type": "slack", "config": {"webhook_url": "https://hooks.slack.com/x"}}).to_string();
    let answer = app.send("PUT", "/api/settings/integrations/push", &[("x-api-key", KEY)], taken).await;
    assert!(answer.error(400).starts_with("name: push is the channel of members' browsers"));

    app.store.delete_member(member.id).await.unwrap();
    assert_eq!(ask(&app, &ana, "GET", PATH, &Value::Null).await.status, 401);
}

#[tokio::test]
async fn the_page_lists_browsers_and_its_worker_is_asked_for_anew() {
    let app = app().await;
    let (_, ana) = signed_in(&app, "ana").await;
    let made = ask(&app, &ana, "POST", PATH, &browser("one")).await.data();
    let page = ask(&app, &ana, "GET", "/settings/browsers", &Value::Null).await;
    let html = String::from_utf8(page.body.to_vec()).unwrap();
    assert_eq!(page.status, 200);
    assert!(html.contains("Firefox on Linux") && html.contains("<noscript>"), "{html}");
    assert!(html.contains(made["endpoint_hash"].as_str().unwrap()) && !html.contains("/push/one"), "{html}");
    assert!(html.contains("data-worker=\"/errors/push/worker.js\""), "below the mount point: {html}");

    let worker = app.send("GET", "/push/worker.js", &[], "").await;
    assert_eq!(worker.headers["cache-control"], "no-cache");
    assert_eq!(worker.headers["content-type"], "text/javascript; charset=utf-8");
    assert!(worker.headers["content-security-policy"].to_str().unwrap().contains("connect-src 'self'"));

    let path = format!("/settings/browsers/{}", made["id"].as_str().unwrap());
    let tried = ask(&app, &ana, "POST", &format!("{path}/test"), &Value::Null).await;
    let to = tried.headers["location"].to_str().unwrap().strip_prefix("/errors").unwrap().to_owned();
    let page = ask(&app, &ana, "GET", &to, &Value::Null).await;
    let html = String::from_utf8(page.body.to_vec()).unwrap();
    assert!(html.contains("The message for Firefox on Linux was not taken: no connection"), "{html}");
    assert_eq!(ask(&app, &ana, "POST", &format!("{path}/remove"), &Value::Null).await.status, 303);
    let listed = ask(&app, &ana, "GET", PATH, &Value::Null).await.data();
    assert_eq!(listed["subscriptions"], json!([]));
}
