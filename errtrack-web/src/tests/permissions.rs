//! Which key opens what.

use super::support::{INGEST_KEY, KEY, READ_KEY, TestApp, WRITE_KEY};
use serde_json::json;

/// What a route needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Needs {
    Read,
    Write,
    Admin,
}

#[tokio::test]
async fn each_route_opens_to_its_permission_and_no_less() {
    let app = TestApp::new().await;
    let item = app.post("/api/errors", &json!({"message": "m", "source": "s"})).await.data();
    let pin = format!("/api/events/{}/pin", item["last_event_id"].as_str().unwrap());
    for (method, path, needs) in [
        ("GET", "/metrics", Needs::Read),
        ("GET", "/api/monitoring/balance", Needs::Read),
        ("PUT", &pin, Needs::Write),
        ("DELETE", &pin, Needs::Write),
        ("GET", "/api/settings/projects/1/rules", Needs::Read),
        ("GET", "/api/settings/projects/1/sanitizer", Needs::Admin),
        ("GET", "/api/settings/retention", Needs::Admin),
        ("POST", "/api/settings/retention/preview", Needs::Admin),
        ("POST", "/api/settings/retention/run", Needs::Admin),
        ("GET", "/api/settings/set-aside", Needs::Admin),
    ] {
        for (key, expected) in [("", 401), ("wrong", 401), (INGEST_KEY, 403)] {
            assert_eq!(app.ask(method, path, key).await.status, expected, "{method} {path} with `{key}`");
        }
        for (key, has) in [(READ_KEY, Needs::Read), (WRITE_KEY, Needs::Write), (KEY, Needs::Admin)] {
            let expected = if has >= needs { 200 } else { 403 };
            assert_eq!(app.ask(method, path, key).await.status, expected, "{method} {path} with `{key}`");
        }
    }
}
