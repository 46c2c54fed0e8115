//! `POST /api/errors/merge` and `POST /api/errors/{id}/unmerge`.

use super::support::{Answer, INGEST_KEY, KEY, READ_KEY, TestApp, WRITE_KEY};
use serde_json::{Value, json};

async fn reported(app: &TestApp, message: &str) -> Value {
    let body = json!({"message": message, "source": "backend", "user_id": "ana"});
    app.post("/api/errors", &body).await.data()
}

/// Issues of those messages, each hit twice.
async fn three(app: &TestApp) -> Vec<Value> {
    let mut items = Vec::new();
    for message in ["disk full", "disk is full", "no space left"] {
        reported(app, message).await;
        items.push(reported(app, message).await);
    }
    items
}

async fn merge(app: &TestApp, body: &Value) -> Answer {
    app.post("/api/errors/merge", body).await
}

#[tokio::test]
async fn merged_issues_are_one_under_every_name() {
    let app = TestApp::new().await;
    let items = three(&app).await;
    let answer = merge(&app, &json!({"ids": [items[1]["id"], "DEFAULT-1"]})).await;
    assert_eq!(answer.status, 200);
    let item = answer.data();
    assert_eq!((&item["id"], &item["short_id"]), (&items[0]["id"], &json!("DEFAULT-1")), "the oldest stays");
    assert_eq!((&item["count"], &item["user_count"]), (&json!(4), &json!(1)));
    let groups = app.get("/api/errors/DEFAULT-2/groups").await.data();
    for (group, issue) in groups["groups"].as_array().unwrap().iter().zip(&items) {
        for field in
            ["id", "short_id", "fingerprint", "type", "message", "count", "user_count", "first_seen", "last_seen"]
        {
            assert_eq!(group[field], issue[field], "{field}");
        }
    }
    assert_eq!(groups["groups"].as_array().unwrap().len(), 2);
    for name in [items[1]["id"].as_str().unwrap(), "default-2", "DEFAULT-1"] {
        assert_eq!(app.get(&format!("/api/errors/{name}")).await.data(), item, "{name}");
    }
    let events = app.get("/api/errors/DEFAULT-2/events").await.data();
    let of: Vec<_> = events["events"].as_array().unwrap().iter().map(|event| event["issue_id"].clone()).collect();
    assert_eq!(of, vec![item["id"].clone(); 4]);
    let list = app.get("/api/errors").await.data();
    assert_eq!(list["total"], 2);

    // What comes is answered with the issue that it counts for.
    let next = reported(&app, "disk is full").await;
    assert_eq!((&next["short_id"], &next["count"]), (&json!("DEFAULT-1"), &json!(5)));
    let into = merge(&app, &json!({"into": "DEFAULT-3", "ids": ["DEFAULT-2"]})).await.data();
    assert_eq!((&into["short_id"], &into["count"]), (&json!("DEFAULT-3"), &json!(7)));
    assert_eq!(app.get("/api/errors").await.data()["total"], 1);
}

#[tokio::test]
async fn an_unmerged_fingerprint_is_an_issue_again() {
    let app = TestApp::new().await;
    let items = three(&app).await;
    merge(&app, &json!({"ids": ["DEFAULT-1", "DEFAULT-2", "DEFAULT-3"]})).await.data();
    reported(&app, "no space left").await;
    let body = json!({"fingerprints": [items[2]["fingerprint"], items[0]["fingerprint"]]});
    let issues = app.post("/api/errors/DEFAULT-3/unmerge", &body).await.data();
    let shown: Vec<_> = issues["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (item["short_id"].clone(), item["count"].clone()))
        .collect();
    let expected = [("DEFAULT-2", 2), ("DEFAULT-3", 3), ("DEFAULT-1", 2)];
    assert_eq!(shown, expected.map(|(name, count)| (json!(name), json!(count))));
    assert_eq!(app.get("/api/errors/DEFAULT-1").await.data()["id"], items[0]["id"]);
    assert_eq!(app.get("/api/errors").await.data()["total"], 3);
}

#[tokio::test]
async fn what_cannot_be_merged_says_why() {
    let app = TestApp::new().await;
    let items = three(&app).await;
    let blog = json!({"message": "m", "source": "s", "project": "blog"});
    app.post("/api/errors", &blog).await.data();
    merge(&app, &json!({"ids": ["DEFAULT-1", "DEFAULT-2"]})).await.data();
    let nobody = "550e8400-e29b-41d4-a716-446655440000";
    for (body, status, says) in [
        (json!({}), 400, "ids: must be a list of texts"),
        (json!({"ids": "DEFAULT-1"}), 400, "ids: must be a list of texts"),
        (json!({"ids": ["DEFAULT-1", 3]}), 400, "ids: must be a list of texts"),
        (json!({"ids": ["DEFAULT-1"]}), 400, "at least two issues"),
        (json!({"ids": []}), 400, "at least two issues"),
        (json!({"ids": vec!["DEFAULT-1"; 101]}), 400, "100 issues are the most"),
        (json!({"ids": ["DEFAULT-1", "x"]}), 400, "neither a UUID nor a short id"),
        (json!({"into": 1, "ids": ["DEFAULT-1"]}), 400, "into: must be a text"),
        (json!({"into": "x", "ids": ["DEFAULT-1"]}), 400, "into: neither"),
        (json!({"ids": ["DEFAULT-1", nobody]}), 404, "error not found"),
        (json!({"into": "DEFAULT-9", "ids": ["DEFAULT-1"]}), 404, "error not found"),
        (json!({"ids": ["DEFAULT-3", "BLOG-1"]}), 409, "different projects"),
        (json!({"ids": ["DEFAULT-3", "default-3"]}), 409, "two different issues"),
        (json!({"ids": ["DEFAULT-1", "DEFAULT-2"]}), 409, "two different issues"),
    ] {
        let error = merge(&app, &body).await.error(status);
        assert!(error.contains(says), "{body}: {error}");
    }
    for (name, body, status, says) in [
        ("DEFAULT-1", json!({}), 400, "fingerprints: must be a list of texts"),
        ("DEFAULT-1", json!({"fingerprints": []}), 400, "at least one fingerprint"),
        ("DEFAULT-1", json!({"fingerprints": ["x"]}), 400, "32 hexadecimal digits"),
        ("DEFAULT-1", json!({"fingerprints": [items[2]["fingerprint"]]}), 404, "no group of the fingerprint"),
        (
            "DEFAULT-1",
            json!({"fingerprints": [items[0]["fingerprint"], items[1]["fingerprint"]]}),
            409,
            "the last group",
        ),
        ("DEFAULT-3", json!({"fingerprints": [items[2]["fingerprint"]]}), 409, "the last group"),
        ("DEFAULT-9", json!({"fingerprints": [items[2]["fingerprint"]]}), 404, "error not found"),
        ("x", json!({"fingerprints": [items[2]["fingerprint"]]}), 400, "neither a UUID"),
    ] {
        let error = app.post(&format!("/api/errors/{name}/unmerge"), &body).await.error(status);
        assert!(error.contains(says), "{name} {body}: {error}");
    }
    for (path, body) in [("merge", "{"), ("merge", "[]"), ("DEFAULT-1/unmerge", ""), ("DEFAULT-1/unmerge", "7")] {
        let path = format!("/api/errors/{path}");
        assert_eq!(app.send("POST", &path, &[("x-api-key", KEY)], body).await.status, 400, "{path} {body}");
        assert_eq!(app.ask("PUT", &path, KEY).await.status, 405, "{path}");
    }
    assert_eq!(app.get("/api/errors").await.data()["total"], 3, "nothing was changed");
}

#[tokio::test]
async fn merging_takes_the_permission_to_write() {
    let app = TestApp::new().await;
    let items = three(&app).await;
    let merge = json!({"ids": ["DEFAULT-1", "DEFAULT-2"]}).to_string();
    let unmerge = json!({"fingerprints": [items[1]["fingerprint"]]}).to_string();
    for (path, body) in [("/api/errors/merge", &merge), ("/api/errors/DEFAULT-1/unmerge", &unmerge)] {
        for (key, expected) in [("", 401), ("wrong", 401), (INGEST_KEY, 403), (READ_KEY, 403), (WRITE_KEY, 200)] {
            let answer = app.send("POST", path, &[("x-api-key", key)], body.clone()).await;
            assert_eq!(answer.status, expected, "{path} with `{key}`");
        }
    }
    for (key, expected) in [("", 401), (INGEST_KEY, 403), (READ_KEY, 200)] {
        assert_eq!(app.ask("GET", "/api/errors/DEFAULT-1/groups", key).await.status, expected, "with `{key}`");
    }
    app.store.set_away(true);
    let answer = app.send("POST", "/api/errors/merge", &[("x-api-key", KEY)], merge).await;
    assert_eq!(answer.status, 503);
}
