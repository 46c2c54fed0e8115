//! The report dialects of `/api/v1/errors` and `/error-tracker`, as their documents show them.

use super::support::{Answer, KEY, PUBLIC_KEY, READ_KEY, TestApp};
use serde_json::{Value, json};

fn report() -> Value {
    json!({
        "errorCode": "VALIDATION_FAILED", "errorType": "AppError", "message": "name is missing", "appId": "chat",
        "stackTrace": "AppError: name is missing\n    at validate (/srv/app/validate.js:12:5)", "sourceType": "backend",
        "serviceName": "chat-backend", "userId": "user_123", "sessionId": "s1", "requestUrl": "https://h/users/1?x=1",
        "requestMethod": "POST", "requestHeaders": {"Accept": "*/*"}, "requestBody": {"name": ""},
        "responseStatusCode": 400, "environment": "staging", "severity": "critical", "context": {"component": "Form"},
        "browserInfo": {"name": "Firefox"}, "deviceInfo": {"model": "Pixel"}, "occurredAt": "2026-11-20T22:41:07Z",
    })
}

fn with(change: Value) -> Value {
    let mut body = report();
    let Value::Object(change) = change else { panic!("{change}") };
    body.as_object_mut().unwrap().extend(change);
    body
}

async fn send(app: &TestApp, headers: &[(&str, &str)], body: &Value) -> Answer {
    app.send("POST", "/api/v1/errors", headers, body.to_string()).await
}

#[track_caller]
fn refused(answer: &Answer) -> String {
    let json = answer.json();
    assert_eq!((answer.status.as_u16(), &json["success"]), (400, &false.into()), "{json}");
    json["error"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_report_of_an_app_becomes_an_event() {
    let app = TestApp::new().await;
    let answer = app.post("/api/v1/errors", &report()).await;
    let json = answer.json();
    assert_eq!((answer.status.as_u16(), &json["success"]), (201, &true.into()));
    let event = app.get(&format!("/api/events/{}", json["id"].as_str().unwrap())).await.data();
    let exception = &event["exceptions"][0];
    assert_eq!((&exception["type"], &exception["value"]), (&"AppError".into(), &"name is missing".into()));
    assert_eq!(exception["stacktrace"]["frames"][0]["lineno"], 12);
    assert_eq!(
        (&event["level"], &event["environment"], &event["source"]),
        (&"fatal".into(), &"staging".into(), &"backend".into())
    );
    assert_eq!((&event["user"]["id"], &event["tags"]["error_code"]), (&"user_123".into(), &"VALIDATION_FAILED".into()));
    assert_eq!((&event["request"]["method"], &event["request"]["status"]), (&"POST".into(), &400.into()));
    assert_eq!(
        (&event["contexts"]["browser"]["name"], &event["extra"]["component"]),
        (&"Firefox".into(), &"Form".into())
    );
    let list = app.get("/api/errors?project=chat").await.data();
    assert_eq!(list["total"], 1);
}

#[tokio::test]
async fn unknown_apps_need_a_key() {
    let app = TestApp::new().await;
    let bearer = ("authorization", "Bearer some.jwt.token");
    assert_eq!(refused(&send(&app, &[bearer], &report()).await), "appId: no such app; only a key can make it");
    assert_eq!(
        refused(&send(&app, &[("x-app-key", "wrong")], &report()).await),
        "appId: no such app; only a key can make it"
    );
    assert!(send(&app, &[("x-api-key", READ_KEY)], &report()).await.status == 400);
    assert_eq!(send(&app, &[("x-app-key", PUBLIC_KEY)], &report()).await.status, 201);
    assert_eq!(send(&app, &[bearer], &report()).await.status, 201, "now the app is there");
    let mut without = report();
    without.as_object_mut().unwrap().remove("appId");
    assert_eq!(refused(&send(&app, &[], &without).await), "appId: is required, here or as X-App-Id");
    assert_eq!(send(&app, &[("x-app-id", "chat")], &without).await.status, 201);
    assert_eq!(send(&app, &[("x-app-id", "new"), ("x-api-key", KEY)], &without).await.status, 201);
    assert_eq!(app.get("/api/errors?project=new").await.data()["total"], 1);
}

#[tokio::test]
async fn what_is_wrong_is_told_and_what_is_long_is_cut() {
    let app = TestApp::new().await;
    for (change, error) in [
        (json!({"errorCode": null}), "errorCode: is required"),
        (json!({"errorType": 7}), "errorType: must be a string"),
        (json!({"errorCode": "x".repeat(101)}), "errorCode: must not be longer than 100 characters"),
        (json!({"errorType": "x".repeat(101)}), "errorType: must not be longer than 100 characters"),
        (json!({"severity": "loud"}), "severity: must be one of debug, info, warning, error, critical"),
        (json!({"sourceType": "tv"}), "sourceType: must be one of backend, frontend_web, frontend_mobile"),
        (json!({"context": []}), "context: must be an object"),
        (json!({"responseStatusCode": "200"}), "responseStatusCode: must be a status of HTTP"),
        (json!({"occurredAt": "x"}), "occurredAt: must be a time as in RFC 3339, like 2026-11-20T22:41:07Z"),
    ] {
        assert_eq!(refused(&app.post("/api/v1/errors", &with(change)).await), error);
    }
    assert!(refused(&app.send("POST", "/api/v1/errors", &[], "{").await).starts_with("invalid JSON"));
    assert_eq!(app.get("/api/errors").await.data()["total"], 0);
    let huge = app.post("/api/v1/errors", &with(json!({"stackTrace": "s".repeat(300_000)}))).await;
    assert_eq!((huge.status.as_u16(), &huge.json()["success"]), (413, &false.into()));

    let long =
        with(json!({"message": "m".repeat(6_000), "stackTrace": "s".repeat(60_000), "errorCode": "x".repeat(100)}));
    let id = app.post("/api/v1/errors", &long).await.json()["id"].as_str().unwrap().to_owned();
    let event = app.get(&format!("/api/events/{id}")).await.data();
    assert_eq!(event["exceptions"][0]["value"].as_str().unwrap().len(), 5_000);
    assert_eq!(event["stack_trace"].as_str().unwrap().len(), 50_000);
    assert_eq!(event["truncated"][0], json!({"path": "message", "what": "kept 5000 of 6000 characters"}));
}

#[tokio::test]
async fn reports_are_grouped_by_the_documents_formula() {
    let app = TestApp::new().await;
    let issue = async |change: Value| {
        let id = app.post("/api/v1/errors", &with(change)).await.json()["id"].as_str().unwrap().to_owned();
        app.get(&format!("/api/events/{id}")).await.data()["issue_id"].clone()
    };
    let first = issue(json!({})).await;
    assert_eq!(
        first,
        issue(json!({"message": "another", "stackTrace": null, "requestUrl": "http://other/users/1?y=2"})).await
    );
    for change in [
        json!({"errorCode": "OTHER"}),
        json!({"errorType": "Other"}),
        json!({"requestUrl": "/users/2"}),
        json!({"requestMethod": "GET"}),
        json!({"fingerprint": "mine"}),
    ] {
        assert_ne!(first, issue(change).await);
    }
    assert_eq!(
        issue(json!({"fingerprint": "mine"})).await,
        issue(json!({"fingerprint": "mine", "errorCode": "X"})).await
    );
}

#[tokio::test]
async fn a_wrong_entry_fails_alone() {
    let app = TestApp::new().await;
    let body = json!({"errors": [report(), with(json!({"errorCode": 1})), "x", with(json!({"appId": "picture"}))]});
    let answer = app.post("/api/v1/errors/batch", &body).await;
    assert_eq!(answer.json(), json!({"success": true, "total": 4, "succeeded": 2, "failed": 2}));
    assert_eq!(app.get("/api/errors").await.data()["total"], 2);
    let answer = app.post("/api/v1/errors/batch", &json!({"errors": {}})).await;
    assert_eq!(refused(&answer), "errors: must be a list");
    let none = app.post("/api/v1/errors/batch", &json!({"errors": []})).await;
    assert_eq!(none.json(), json!({"success": true, "total": 0, "succeeded": 0, "failed": 0}));
}

#[tokio::test]
async fn browsers_on_other_origins_may_report() {
    let app = TestApp::new().await;
    let headers = [("origin", "https://a.example"), ("access-control-request-headers", "content-type,x-app-id")];
    for path in ["/api/v1/errors", "/api/errors", "/error-tracker/api/errors"] {
        let answer = app.send("OPTIONS", path, &headers, "").await;
        assert_eq!(answer.status, 204);
        assert_eq!(answer.headers["access-control-allow-headers"], "content-type,x-app-id");
        let answer = app.send("POST", path, &headers, "{").await;
        assert_eq!(answer.headers["access-control-allow-origin"], "*", "{path}");
    }
    let list = app.send("GET", "/api/errors", &[("x-api-key", KEY), ("origin", "https://a.example")], "").await;
    assert!(!list.headers.contains_key("access-control-allow-origin"), "reading is for the own origin");
}

/// The body of the error-tracker document.
fn legacy() -> Value {
    json!({
        "project": "my-app", "environment": "prod", "exception_type": "ValueError", "message": "invalid input",
        "traceback": "Traceback (most recent call last):\n  File \"/srv/app/views.py\", line 17, in users\n    check(name)\n  File \"/srv/app/check.py\", line 3, in check\n    raise ValueError(\"invalid input\")\nValueError: invalid input\n",
        "request_url": "/api/users", "request_method": "POST", "request_headers": {"Accept": "application/json"},
        "user_id": "user-42", "extra": {"request_id": "abc123"}
    })
}

#[tokio::test]
async fn the_error_trackers_report_is_created_then_existing() {
    let app = TestApp::new().await;
    let path = "/error-tracker/api/errors";
    let first = app.post(path, &legacy()).await;
    // echo -n my-app:ValueError:/srv/app/check.py:3 | md5sum
    let fingerprint = "d818848d27628df9eda297c9e1beccd1";
    let json = first.json();
    assert_eq!(first.status, 201);
    assert_eq!((&json["status"], json["id"].is_i64()), (&"created".into(), true));
    assert_eq!(json["fingerprint"], fingerprint);
    let second = app.post(path, &legacy()).await;
    assert_eq!(second.status, 200);
    assert_eq!(second.json(), json!({"status": "existing", "fingerprint": fingerprint, "count": 2}));
    let item = app.get("/api/errors/MY-APP-1").await.data();
    assert_eq!(
        (&item["fingerprint"], &item["environment"], &item["count"]),
        (&fingerprint.into(), &"prod".into(), &2.into())
    );
    assert_eq!(
        (&item["type"], &item["message"], &item["context"]["request_id"]),
        (&"ValueError".into(), &"invalid input".into(), &"abc123".into())
    );
}

#[tokio::test]
async fn the_error_trackers_own_errors() {
    let app = TestApp::new().await;
    let path = "/error-tracker/api/errors";
    assert_eq!(app.send("POST", path, &[], legacy().to_string()).await.status, 401);
    let mut body = legacy();
    body["project"] = Value::Null;
    assert_eq!(app.post(path, &body).await.error(400), "project: is required");
    let huge = json!({"project": "a", "exception_type": "b", "message": "m".repeat(300_000)});
    assert_eq!(app.post(path, &huge).await.status, 413);
    assert_eq!(app.send("GET", "/error-tracker/health", &[], "").await.json(), json!({"status": "ok"}));
}
