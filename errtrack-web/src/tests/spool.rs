//! Reports that come while the database is away: kept on disk, and answered as each dialect does.

use super::support::{Answer, KEY, TestApp};
use serde_json::{Value, json};

const ID: &str = "cd0617fe63c446e3afda00b640b4562a";

/// One report in each dialect, as `(path, body)`.
fn reports() -> [(&'static str, Value); 4] {
    [
        ("/api/errors", json!({"message": "m", "source": "s"})),
        ("/api/v1/errors", json!({"errorCode": "c", "errorType": "T", "message": "m", "appId": "default"})),
        ("/error-tracker/api/errors", json!({"project": "default", "exception_type": "T", "message": "m"})),
        ("/api/1/envelope/?sentry_key=a1b2c3d4e5f60718293a4b5c6d7e8f90", json!({"event_id": ID, "message": "m"})),
    ]
}

async fn send(app: &TestApp, path: &str, body: &Value) -> Answer {
    let body =
        if path.contains("envelope") { format!("{{}}\n{{\"type\":\"event\"}}\n{body}") } else { body.to_string() };
    app.send("POST", path, &[("x-api-key", KEY)], body).await
}

async fn health(app: &TestApp) -> (u16, Value) {
    let answer = app.send("GET", "/health", &[], "").await;
    (answer.status.as_u16(), answer.json()["status"].clone())
}

#[tokio::test]
async fn each_dialect_says_that_a_report_is_kept() {
    let app = TestApp::with_spool(1 << 20).await;
    assert_eq!(app.get("/api/errors?project=none").await.status, 200, "projects and keys are known");
    app.store.set_away(true);
    for (path, body) in reports() {
        let answer = send(&app, path, &body).await;
        let json = answer.json();
        let status = answer.status.as_u16();
        match path {
            "/api/errors" => {
                assert_eq!(
                    (status, &json["status"], &json["data"]["status"]),
                    (202, &"success".into(), &"spooled".into())
                );
                assert_eq!(json["data"]["event_id"].as_str().unwrap().len(), 32);
                assert_eq!(json["data"].get("id"), None, "no issue is made up: {json}");
            }
            "/api/v1/errors" => {
                assert_eq!((status, &json["success"]), (201, &true.into()));
                assert_eq!(json["id"].as_str().unwrap().len(), 32);
            }
            "/error-tracker/api/errors" => {
                assert_eq!((status, &json["status"]), (202, &"spooled".into()));
                assert_eq!(json["fingerprint"].as_str().unwrap().len(), 32);
            }
            _ => assert_eq!((status, json), (200, json!({"id": ID}))),
        }
    }
    assert_eq!(health(&app).await, (200, "degraded".into()));
    let batch = json!({"errors": [reports()[1].1, reports()[1].1]});
    let answer = send(&app, "/api/v1/errors/batch", &batch).await;
    assert_eq!(answer.json(), json!({"success": true, "total": 2, "succeeded": 2, "failed": 0}));

    app.store.set_away(false);
    TestApp::until("all are stored", async || app.get("/api/monitoring/balance").await.data()["total"]["stored"] == 6)
        .await;
    assert_eq!(app.get(&format!("/api/events/{ID}")).await.data()["message"], "m");
    TestApp::until("it is well again", async || health(&app).await == (200, "ok".into())).await;
}

#[tokio::test]
async fn what_needs_the_database_is_asked_to_come_back() {
    let app = TestApp::with_spool(1 << 20).await;
    app.store.set_away(true);
    let unknown = [
        ("/api/errors", json!({"message": "m", "source": "s", "project": "new"})),
        ("/api/v1/errors", json!({"errorCode": "c", "errorType": "T", "message": "m", "appId": "new"})),
        ("/error-tracker/api/errors", json!({"project": "new", "exception_type": "T"})),
        ("/api/1/envelope/?sentry_key=00112233445566778899aabbccddeeff", json!({"message": "m"})),
    ];
    for (path, body) in &unknown {
        let answer = send(&app, path, body).await;
        assert_eq!((answer.status.as_u16(), &answer.headers["retry-after"]), (503, &"5".parse().unwrap()), "{path}");
    }
    assert_eq!(app.get("/api/errors").await.headers["retry-after"], "5");
    app.store.set_away(false);
}

#[tokio::test]
async fn when_even_the_spool_is_full_each_dialect_says_when_to_come_back() {
    for app in [TestApp::with_spool(1).await, TestApp::new().await] {
        app.store.set_away(true);
        for (path, body) in reports() {
            let answer = send(&app, path, &body).await;
            assert_eq!(
                (answer.status.as_u16(), &answer.headers["retry-after"]),
                (503, &"5".parse().unwrap()),
                "{path}"
            );
            let json = answer.json();
            let said = match path {
                "/api/v1/errors" => json["success"] == false && json["error"].is_string(),
                path if path.starts_with("/api/1/") => json["detail"].is_string(),
                _ => json["status"] == "error" && json["error"].is_string(),
            };
            assert!(said, "{path}: {json}");
        }
        assert_eq!(health(&app).await, (503, "unavailable".into()));
        app.store.set_away(false);
        TestApp::until("it takes reports again", async || {
            send(&app, reports()[0].0, &reports()[0].1).await.status == 201 && health(&app).await == (200, "ok".into())
        })
        .await;
    }
}
