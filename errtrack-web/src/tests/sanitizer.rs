//! `/api/settings/projects/{id}/sanitizer`, and what it does to reports.

use super::support::{Answer, KEY, READ_KEY, TestApp, WRITE_KEY};
use serde_json::{Value, json};

const SANITIZER: &str = "/api/settings/projects/1/sanitizer";
const PREVIEW: &str = "/api/settings/projects/1/sanitizer/preview";

impl TestApp {
    async fn put_sanitizer(&self, settings: &Value) -> Answer {
        self.send("PUT", SANITIZER, &[("x-api-key", KEY)], settings.to_string()).await
    }

    /// The message of a report as it is stored.
    async fn stored(&self, message: &str) -> String {
        let answer = self.post("/api/errors", &json!({"message": message, "source": "backend"})).await;
        assert!(answer.status.is_success(), "{:?}", answer.body);
        answer.data()["message"].as_str().unwrap_or_default().to_owned()
    }
}

#[tokio::test]
async fn settings_are_put_read_and_hold_at_once() {
    let app = TestApp::new().await;
    let empty = json!({
        "project": "default", "project_id": 1,
        "filter_keys": [], "keep_keys": [], "patterns": [], "keep_addresses": null,
    });
    assert_eq!(app.get(SANITIZER).await.data(), empty);
    assert_eq!(app.stored("ACME-123456, loyalty_number=8812").await, "ACME-123456, loyalty_number=8812");

    let settings = json!({"filter_keys": ["loyalty_number"], "patterns": [r"ACME-\d{6}"], "keep_keys": ["pin"]});
    let put = app.put_sanitizer(&settings).await;
    assert_eq!((put.status.as_u16(), &put.data()["patterns"]), (200, &settings["patterns"]));
    assert_eq!(app.get(SANITIZER).await.data()["filter_keys"], settings["filter_keys"]);
    let stored = app.stored("ACME-123456, loyalty_number=8812, password=hunter2").await;
    assert_eq!(stored, "[Filtered: pattern], loyalty_number=[Filtered: loyalty_number], password=[Filtered: password]");

    assert_eq!(app.put_sanitizer(&json!({})).await.status, 200);
    assert_eq!(app.get(SANITIZER).await.data(), empty);
    assert_eq!(app.stored("ACME-123456 again").await, "ACME-123456 again");
}

#[tokio::test]
async fn a_text_is_tried_and_nothing_is_saved() {
    let app = TestApp::new().await;
    let trial = json!({"text": "ACME-123456", "settings": {"patterns": ["ACME"]}});
    let tried = app.post(PREVIEW, &trial).await.data();
    assert_eq!(tried, json!({"text": "[Filtered: pattern]-123456", "is_changed": true}));
    let tried = app.post(PREVIEW, &json!({"text": "ACME-123456"})).await.data();
    assert_eq!(tried, json!({"text": "ACME-123456", "is_changed": false}), "with what is stored");
    assert_eq!(app.stored("ACME-123456").await, "ACME-123456");
}

#[tokio::test]
async fn what_is_wrong_is_said_and_changes_nothing() {
    let app = TestApp::new().await;
    assert_eq!(app.put_sanitizer(&json!({"patterns": ["ACME"]})).await.status, 200);
    for (settings, said) in [
        (json!({"patterns": ["a", "("]}), "patterns[1]: is no regular expression: unclosed group"),
        (json!({"patterns": ["x*"]}), "patterns[0]: matches nothing at all, and so everywhere"),
        (json!({"keys": []}), "settings: unknown field `keys`"),
        (json!(["ACME"]), "settings: "),
    ] {
        let put = app.put_sanitizer(&settings).await;
        assert_eq!(put.status, 400, "{settings}");
        let error = put.json()["error"].to_string();
        assert!(error.contains(said), "{error}");
        let tried = app.post(PREVIEW, &json!({"text": "x", "settings": settings})).await;
        assert_eq!(tried.status, 400, "{settings}");
    }
    for (path, status) in [("/api/settings/projects/99/sanitizer", 404), ("/api/settings/projects/shop/sanitizer", 400)]
    {
        assert_eq!(app.get(path).await.status, status, "{path}");
    }
    for key in [READ_KEY, WRITE_KEY] {
        let put = app.send("PUT", SANITIZER, &[("x-api-key", key)], "{}".to_owned()).await;
        assert_eq!(put.status, 403);
    }
    assert_eq!(app.get(SANITIZER).await.data()["patterns"], json!(["ACME"]));
}
