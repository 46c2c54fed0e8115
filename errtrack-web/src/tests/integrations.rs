//! Channels are set up, tried, followed by every process; what did not arrive is shown and tried again.

use super::support::{KEY, TestApp};
use crate::{AllowedTargets, Channel, Config, Kind, RateLimits};
use axum::{Router, http::StatusCode, routing::any};
use errtrack_core::{
    Timestamp,
    notify::{Delivery, Notification, Notifier, NotifyError, OutboxEntry, Trigger},
    store::{OutboxQuery, OutboxState, OutboxStore, Settlement},
};
use serde_json::{Value, json};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use uuid::Uuid;

const PATH: &str = "/api/settings/integrations";

pub(super) fn entry(channel: &str) -> OutboxEntry {
    OutboxEntry {
        key: Uuid::new_v4(),
        channel: channel.into(),
        recipients: Vec::new(),
        ordering: String::new(),
        firing: None,
        due_at: Timestamp::default(),
        notification: Notification { trigger: Trigger::NewIssue, ..Notification::default() },
    }
}

/// A delivery that was given up, by a channel that nobody has.
pub(super) async fn failed_delivery(app: &TestApp) -> Uuid {
    let (node, entry) = (Uuid::new_v4(), entry(&format!("gone-{}", Uuid::new_v4())));
    app.store.put_outbox(std::slice::from_ref(&entry)).await.unwrap();
    app.store.lease_outbox(node, &entry.channel, Timestamp::now(), 1, Duration::from_secs(60)).await.unwrap();
    let failed = Settlement::Failed { error: "answered 404: <no_service>".into() };
    assert!(app.store.settle_outbox(node, entry.key, &failed, Timestamp::now()).await.unwrap());
    entry.key
}

/// A chat that keeps what it is sent, and answers with a status that can be changed.
#[derive(Clone)]
struct Chat {
    url: String,
    seen: Arc<Mutex<Vec<Value>>>,
    status: Arc<Mutex<u16>>,
}

impl Chat {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/services/T0/secret", listener.local_addr().unwrap());
        let chat = Self { url, seen: Arc::default(), status: Arc::new(Mutex::new(200)) };
        let answering = chat.clone();
        let take = async move |body: String| {
            answering.seen.lock().unwrap().push(serde_json::from_str(&body).unwrap());
            (StatusCode::from_u16(*answering.status.lock().unwrap()).unwrap(), "said so")
        };
        let router = Router::new().fallback(any(take));
        tokio::spawn(async move { axum::serve(listener, router).await });
        chat
    }

    fn seen(&self) -> usize {
        self.seen.lock().unwrap().len()
    }
}

fn config() -> Config {
    let allowed_targets = AllowedTargets::new(["127.0.0.1"]).unwrap();
    let public_url = Some("http://errors.example.com".into()); // without browsers: they ask for https
    Config { allowed_targets, public_url, rate_limits: RateLimits::OFF, ..Config::default() }
}

async fn ask(app: &TestApp, method: &str, path: &str, body: &Value) -> super::support::Answer {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    app.send(method, path, &[("x-api-key", KEY)], body).await
}

async fn one(app: &TestApp, name: &str) -> Value {
    let mut data = ask(app, "GET", PATH, &Value::Null).await.data();
    let list = data["integrations"].as_array_mut().unwrap();
    list.iter_mut().find(|one| one["name"] == name).map(Value::take).unwrap_or_default()
}

#[tokio::test]
async fn a_channel_is_set_up_shown_without_secrets_tried_and_taken_away() {
    let (app, chat) = (TestApp::with(config()).await, Chat::start().await);
    assert_eq!(ask(&app, "GET", PATH, &Value::Null).await.data(), json!({"integrations": []}));
    let path = format!("{PATH}/slack");
    let wanted = json!({"config": {"webhook_url": chat.url, "channel": "#alerts"}});
    let made = ask(&app, "PUT", &path, &wanted).await.data();
    let host = chat.url.strip_suffix("/services/T0/secret").unwrap();
    let expected = json!({
        "name": "slack", "type": "slack", "status": "configured", "origin": "dashboard",
        "config": {"webhook_url": format!("{host}/****"), "channel": "#alerts"},
        "last_test": null, "last_error": null, "waiting": 0, "failed": 0,
    });
    assert_eq!(made, expected);
    assert_eq!(one(&app, "slack").await, expected);

    let tested = ask(&app, "POST", &format!("{path}/test"), &Value::Null).await.data();
    assert_eq!((&tested["delivered"], &tested["error"]), (&json!(true), &Value::Null));
    assert_eq!(chat.seen.lock().unwrap()[0]["channel"], "#alerts");
    let now = one(&app, "slack").await;
    assert_eq!((&now["status"], &now["last_test"]), (&json!("connected"), &tested["tested_at"]));

    // What is given as it is shown, or left out, stays.
    let shown = json!({"config": {"webhook_url": format!("{host}/****")}});
    assert_eq!(ask(&app, "PUT", &path, &shown).await.data()["config"], json!({"webhook_url": format!("{host}/****")}));
    *chat.status.lock().unwrap() = 404;
    let tested = ask(&app, "POST", &format!("{path}/test"), &Value::Null).await.data();
    assert_eq!((&tested["delivered"], &tested["error"]), (&json!(false), &json!("answered 404: said so")));
    let now = one(&app, "slack").await;
    assert_eq!((&now["status"], &now["last_error"]), (&json!("failing"), &json!("answered 404: said so")));
    assert_eq!(chat.seen(), 2);

    assert_eq!(ask(&app, "DELETE", &path, &Value::Null).await.status, StatusCode::NO_CONTENT);
    assert_eq!(one(&app, "slack").await, Value::Null);
    ask(&app, "DELETE", &path, &Value::Null).await.error(404);
    ask(&app, "POST", &format!("{path}/test"), &Value::Null).await.error(404);
    let log = ask(&app, "GET", "/api/settings/audit", &Value::Null).await.data().to_string();
    for deed in ["integration.set", "integration.test", "integration.delete"] {
        assert!(log.contains(deed), "{deed}: {log}");
    }
    assert!(!log.contains("secret"), "{log}");
}

#[tokio::test]
async fn what_is_wrong_is_told_by_name_and_nothing_is_kept() {
    let app = TestApp::with(config()).await;
    let good = json!({"webhook_url": "http://127.0.0.1:9/x"});
    for (name, body, why) in [
        ("SLACK", json!({"config": good}), "name: must be"),
        ("pager", json!({"config": good}), "type: must be one of email, slack"),
        ("pager", json!({"type": "fax", "config": good}), "type: must be one of email, slack"),
        ("slack", json!({}), "config.webhook_url: is needed"),
        ("slack", json!({"config": []}), "config: must be an object"),
        ("slack", json!({"config": {"webhook_url": []}}), "config.webhook_url: must be a text"),
        ("slack", json!({"config": {"webhook_url": "nowhere"}}), "config.webhook_url: must be a URL"),
        (
            "slack",
            json!({"config": {"webhook_url": "http://a/", "colour": "red"}}),
            "config.colour: is no setting of slack",
        ),
        ("email", json!({"config": {"smtp_url": "smtp://a", "from_email": "nobody"}}), "config.from_email: must be"),
    ] {
        let error = ask(&app, "PUT", &format!("{PATH}/{name}"), &body).await.error(400);
        assert!(error.starts_with(why), "{error}");
    }
    assert_eq!(ask(&app, "GET", PATH, &Value::Null).await.data(), json!({"integrations": []}));
}

#[tokio::test]
async fn a_private_target_is_tried_in_vain() {
    let chat = Chat::start().await;
    let app = TestApp::new().await;
    ask(&app, "PUT", &format!("{PATH}/slack"), &json!({"config": {"webhook_url": chat.url}})).await.data();
    let tested = ask(&app, "POST", &format!("{PATH}/slack/test"), &Value::Null).await.data();
    assert_eq!(tested["error"], "its address is private: ALLOWED_TARGETS does not name it");
    assert_eq!(chat.seen(), 0);
}

#[tokio::test]
async fn every_process_follows_and_one_of_them_delivers() {
    let (app, chat) = (TestApp::with(config()).await, Chat::start().await);
    let second = app.second_with(config()).await;
    let path = format!("{PATH}/slack");
    ask(&app, "PUT", &path, &json!({"config": {"webhook_url": chat.url}})).await.data();
    TestApp::until("both have it", async || [&app, &second].iter().all(|app| app.tracker.notifiers() == ["slack"]))
        .await;
    let entries: Vec<_> = (0..20).map(|_| entry("slack")).collect();
    app.store.put_outbox(&entries).await.unwrap();
    [&app, &second].iter().for_each(|app| app.tracker.wake_delivery());
    let all = OutboxQuery { state: Some(OutboxState::Delivered), limit: 100, ..OutboxQuery::default() };
    TestApp::until("all have arrived", async || app.store.outbox(&all).await.unwrap().len() == 20).await;
    assert_eq!(chat.seen(), 20, "each once, by both together");
    ask(&app, "DELETE", &path, &Value::Null).await;
    TestApp::until("neither has it", async || [&app, &second].iter().all(|app| app.tracker.notifiers().is_empty()))
        .await;
}

#[tokio::test]
async fn channels_of_the_program_are_shown_and_cannot_be_taken_away() {
    /// A channel of the host's own.
    struct Own;
    #[async_trait::async_trait]
    impl Notifier for Own {
        fn name(&self) -> &str {
            "pager"
        }
        async fn notify(&self, _: &Delivery<'_>) -> Result<(), NotifyError> {
            panic!("by the test")
        }
    }
    let chat = Chat::start().await;
    let channels = vec![Channel::new("slack", Kind::Slack).set("webhook_url", &chat.url)];
    let app = TestApp::with(Config { channels, ..config() }).await;
    app.tracker.set_notifier(Arc::new(Own));
    let slack = one(&app, "slack").await;
    assert_eq!((&slack["origin"], &slack["status"]), (&json!("program"), &json!("configured")));
    assert_eq!(one(&app, "pager").await["type"], "custom");
    ask(&app, "DELETE", &format!("{PATH}/slack"), &Value::Null).await.error(409);
    assert_eq!(ask(&app, "POST", &format!("{PATH}/slack/test"), &Value::Null).await.data()["delivered"], true);
    let tested = ask(&app, "POST", &format!("{PATH}/pager/test"), &Value::Null).await.data();
    assert_eq!(tested["error"], "the channel panicked");

    // One that is set up here goes before, until it is taken away.
    let other = Chat::start().await;
    ask(&app, "PUT", &format!("{PATH}/slack"), &json!({"config": {"webhook_url": other.url}})).await.data();
    ask(&app, "POST", &format!("{PATH}/slack/test"), &Value::Null).await.data();
    assert_eq!((chat.seen(), other.seen(), &one(&app, "slack").await["origin"]), (1, 1, &json!("dashboard")));
    assert_eq!(ask(&app, "DELETE", &format!("{PATH}/slack"), &Value::Null).await.status, StatusCode::NO_CONTENT);
    assert_eq!(one(&app, "slack").await["origin"], "program");
}

#[tokio::test]
async fn what_was_given_up_is_listed_and_tried_again() {
    let app = TestApp::new().await;
    let key = failed_delivery(&app).await;
    app.store.put_outbox(&[entry("waits")]).await.unwrap();
    let path = "/api/settings/deliveries";
    let list = |answer: Value| answer["deliveries"].as_array().unwrap().clone();
    assert_eq!(list(ask(&app, "GET", path, &Value::Null).await.data()).len(), 2);
    let failed = list(ask(&app, "GET", &format!("{path}?state=failed"), &Value::Null).await.data()).remove(0);
    assert_eq!((&failed["key"], &failed["error"]), (&json!(key), &json!("answered 404: <no_service>")));
    assert_eq!(
        (&failed["attempts"], &failed["trigger"], &failed["next_at"]),
        (&json!(1), &json!("new_issue"), &Value::Null)
    );
    assert_eq!(list(ask(&app, "GET", &format!("{path}?channel=waits"), &Value::Null).await.data()).len(), 1);
    for wrong in ["?state=lost", "?limit=0", "?limit=101"] {
        ask(&app, "GET", &format!("{path}{wrong}"), &Value::Null).await.error(400);
    }
    let retry = format!("{path}/{key}/retry");
    assert_eq!(ask(&app, "POST", &retry, &Value::Null).await.status, StatusCode::NO_CONTENT);
    ask(&app, "POST", &retry, &Value::Null).await.error(404);
    ask(&app, "POST", &format!("{path}/x/retry"), &Value::Null).await.error(400);
    let again = list(ask(&app, "GET", &format!("{path}?state=waiting"), &Value::Null).await.data());
    assert!(again.iter().any(|one| one["key"] == json!(key) && one["attempts"] == 0), "{again:?}");
}
