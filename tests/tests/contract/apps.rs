//! The document of reports of web and mobile apps (002).

use crate::service::{Answer, KEY, Service};
use anyhow::Result;
use errtrack_tests::{Database, on_both};
use serde_json::{Value, json};

on_both!(report_an_error report_many limits_of_fields authentication_is_optional errors_are_grouped what_is_secret_is_filtered);

/// Every field of the document.
fn whole() -> Value {
    json!({
        "errorCode": "VALIDATION_FAILED", "errorType": "AppError", "message": "name is missing",
        "stackTrace": "AppError: name is missing\n    at validate (/srv/app/validate.js:12:5)", "appId": "chat",
        "sourceType": "backend", "serviceName": "chat-backend", "userId": "user_123", "sessionId": "s1",
        "requestUrl": "https://api.example.com/users/1?expand=1", "requestMethod": "POST",
        "requestHeaders": {"Accept": "*/*"}, "requestBody": {"name": ""}, "responseStatusCode": 400,
        "environment": "staging", "severity": "critical", "context": {"operationType": "background-sync"},
        "browserInfo": {"name": "Firefox"}, "deviceInfo": {"model": "Pixel"}, "occurredAt": "2026-11-20T22:41:07.123Z",
    })
}

fn with(change: Value) -> Value {
    let mut body = whole();
    body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    body
}

async fn send(service: &Service, body: &Value) -> Answer {
    service.ask("POST", "/api/v1/errors", &body.to_string()).await
}

/// A failure: it never throws, and says why.
#[track_caller]
fn refused(answer: &Answer) -> String {
    let json = answer.json();
    assert_eq!(
        (answer.status.as_u16(), &json["success"], json.as_object().unwrap().len()),
        (400, &false.into(), 2),
        "{json}"
    );
    json["error"].as_str().unwrap().to_owned()
}

async fn event(service: &Service, body: &Value) -> Value {
    let answer = send(service, body).await;
    let json = answer.json();
    assert_eq!(
        (answer.status.as_u16(), &json["success"], json.as_object().unwrap().len()),
        (201, &true.into(), 2),
        "{json}"
    );
    service.ask("GET", &format!("/api/events/{}", json["id"].as_str().unwrap()), "").await.data()
}

async fn report_an_error(database: Database) -> Result<()> {
    let service = Service::start(database).await?;
    let event = event(&service, &whole()).await;
    let exception = &event["exceptions"][0];
    assert_eq!((&exception["type"], &exception["value"]), (&"AppError".into(), &"name is missing".into()));
    for (pointer, value) in [
        ("/tags/error_code", json!("VALIDATION_FAILED")),
        ("/tags/service_name", json!("chat-backend")),
        ("/tags/session_id", json!("s1")),
        ("/stack_trace", whole()["stackTrace"].clone()),
        ("/source", json!("backend")),
        ("/user/id", json!("user_123")),
        ("/request/url", whole()["requestUrl"].clone()),
        ("/request/method", json!("POST")),
        ("/request/headers/Accept", json!("*/*")),
        ("/request/data/name", json!("")),
        ("/request/status", json!(400)),
        ("/environment", json!("staging")),
        ("/level", json!("fatal")),
        ("/extra/operationType", json!("background-sync")),
        ("/contexts/browser/name", json!("Firefox")),
        ("/contexts/device/model", json!("Pixel")),
    ] {
        assert_eq!(event.pointer(pointer), Some(&value), "{pointer} in {event}");
    }
    assert!(
        event["timestamp"].as_str().unwrap().starts_with("2026-11-20T22:41:07.123")
            || event["original_timestamp"].is_string()
    );
    let list = service.ask("GET", "/api/errors?project=chat", "").await.data();
    assert_eq!(list["errors"][0]["project"], "chat");
    let least =
        json!({"errorCode": "SYNC_WARNING", "errorType": "OperationWarning", "message": "failed", "appId": "chat"});
    assert_eq!(send(&service, &least).await.status, 201);
    for severity in ["debug", "info", "warning", "error"] {
        let body = with(json!({"severity": severity, "errorCode": severity}));
        assert_eq!(self::event(&service, &body).await["level"], severity);
    }
    Ok(())
}

async fn report_many(database: Database) -> Result<()> {
    let service = Service::start(database).await?;
    let body = json!({"errors": [whole(), {"errorCode": "X"}, 7, with(json!({"appId": "picture"}))]});
    let answer = service.ask("POST", "/api/v1/errors/batch", &body.to_string()).await;
    assert_eq!(
        (answer.status.as_u16(), answer.json()),
        (200, json!({"success": true, "total": 4, "succeeded": 2, "failed": 2}))
    );
    assert_eq!(service.ask("GET", "/api/errors", "").await.data()["total"], 2);
    for wrong in [r#"{}"#, r#"{"errors": {}}"#, "[]", "{"] {
        refused(&service.ask("POST", "/api/v1/errors/batch", wrong).await);
    }
    Ok(())
}

async fn limits_of_fields(database: Database) -> Result<()> {
    let service = Service::start(database).await?;
    for (field, value) in [
        ("errorCode", json!("x".repeat(101))),
        ("errorType", json!("x".repeat(101))),
        ("errorCode", Value::Null),
        ("errorType", Value::Null),
        ("message", Value::Null),
        ("message", json!(7)),
        ("sourceType", json!("tv")),
        ("environment", json!("moon")),
        ("severity", json!("loud")),
        ("context", json!("text")),
        ("responseStatusCode", json!("400")),
        ("occurredAt", json!("yesterday")),
    ] {
        let error = refused(&send(&service, &with(json!({field: value}))).await);
        assert!(error.starts_with(&format!("{field}: ")), "{field}: {error}");
    }
    assert_eq!(service.ask("GET", "/api/errors", "").await.data()["total"], 0);
    let long = with(json!({
        "message": "é".repeat(5_001), "stackTrace": "s".repeat(50_001), "errorCode": "x".repeat(100), "errorType": "y".repeat(100),
    }));
    let event = event(&service, &long).await;
    assert_eq!(event["exceptions"][0]["value"].as_str().unwrap().chars().count(), 5_000);
    assert_eq!(event["stack_trace"].as_str().unwrap().chars().count(), 50_000);
    assert_eq!(event["truncated"].as_array().unwrap().len(), 2);
    Ok(())
}

async fn authentication_is_optional(database: Database) -> Result<()> {
    let service = Service::start(database).await?;
    let send = async |headers: &[(&str, &str)], body: Value| {
        service.send("POST", "/api/v1/errors", headers, &body.to_string()).await
    };
    let users_token = ("Authorization", "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl");
    assert!(refused(&send(&[], whole()).await).starts_with("appId: "), "an app that nobody knows");
    assert!(refused(&send(&[users_token], whole()).await).starts_with("appId: "));
    let key = service.tracker.project().public_key().to_owned();
    assert_eq!(send(&[("X-App-Key", &key)], whole()).await.status, 201, "a project's key makes it");
    assert_eq!(send(&[], whole()).await.status, 201, "and now it is there");
    assert_eq!(send(&[users_token], whole()).await.status, 201);
    let events = service.ask("GET", "/api/errors/CHAT-1/events", "").await;
    assert!(!String::from_utf8_lossy(&events.body).contains("eyJ"), "a token of the app's own users is not kept");
    let mut without = whole();
    without.as_object_mut().unwrap().remove("appId");
    assert!(refused(&send(&[("X-API-Key", KEY)], without.clone()).await).starts_with("appId: "));
    assert_eq!(send(&[("X-API-Key", KEY), ("X-App-Id", "zitare")], without).await.status, 201);
    assert_eq!(service.ask("GET", "/api/errors?project=zitare", "").await.data()["total"], 1);
    Ok(())
}

async fn errors_are_grouped(database: Database) -> Result<()> {
    let service = Service::start(database).await?;
    let issue = async |change: Value| event(&service, &with(change)).await["issue_id"].clone();
    let first = issue(json!({})).await;
    let same = json!({"message": "another", "stackTrace": "other", "requestUrl": "https://h.example/users/1?x=2#y"});
    assert_eq!(issue(same).await, first, "the message, the stack, host and query do not count");
    for change in [
        json!({"errorCode": "A"}),
        json!({"errorType": "B"}),
        json!({"appId": "picture"}),
        json!({"requestUrl": "/users/2"}),
        json!({"requestMethod": "GET"}),
        json!({"fingerprint": "mine"}),
    ] {
        assert_ne!(issue(change.clone()).await, first, "{change}");
    }
    let mine = issue(json!({"fingerprint": "mine"})).await;
    assert_eq!(issue(json!({"fingerprint": "mine", "errorCode": "Z", "requestUrl": "/z"})).await, mine);
    Ok(())
}

async fn what_is_secret_is_filtered(database: Database) -> Result<()> {
    let service = Service::start(database).await?;
    let headers =
        json!({"Authorization": "Bearer hunter2", "Cookie": "a=hunter2", "X-Api-Key": "hunter2", "api-key": "hunter2"});
    let body = json!({"password": "hunter2", "token": "hunter2", "secret": "hunter2", "apikey": "hunter2", "api_key": "hunter2", "name": "x"});
    let event = event(&service, &with(json!({"requestHeaders": headers, "requestBody": body}))).await;
    assert!(!event.to_string().contains("hunter2"), "{event}");
    assert_eq!(event["request"]["data"]["name"], "x");
    assert!(event["filtered"].as_array().unwrap().len() >= 9, "{}", event["filtered"]);
    Ok(())
}
