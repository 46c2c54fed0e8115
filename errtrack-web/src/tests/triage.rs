//! Decisions that end by themselves, assigning, changing many, comments.

use super::support::{Answer, KEY, READ_KEY, TestApp, WRITE_KEY};
use serde_json::{Value, json};

async fn report(app: &TestApp, message: &str, release: Option<&str>) -> Value {
    app.post("/api/errors", &json!({"message": message, "source": "s", "release": release})).await.data()
}

async fn put(app: &TestApp, path: &str, body: Value) -> Answer {
    app.send("PUT", &format!("/api/errors/{path}"), &[("x-api-key", KEY)], body.to_string()).await
}

#[tokio::test]
async fn an_issue_is_ignored_until_it_has_so_many_events() {
    let app = TestApp::new().await;
    report(&app, "m", None).await;
    assert_eq!(put(&app, "DEFAULT-1/ignore", json!({"until_count": 3})).await.data(), json!({"status": "ignored"}));
    let second = report(&app, "m", None).await;
    assert_eq!((&second["status"], &second["ignored_until_count"]), (&"ignored".into(), &3.into()));
    let third = report(&app, "m", None).await;
    assert_eq!((&third["status"], &third["ignored_until_count"]), (&"unresolved".into(), &Value::Null));
    assert_eq!(third["regressed"], false);
    for (body, error) in [
        (json!({"until_count": 3}), "until_count: must be more than 3, which DEFAULT-1 has now"),
        (json!({"until_count": "3"}), "until_count: must be a whole number"),
        (json!({"until": "2020-01-01T00:00:00Z"}), "until: must lie in the future"),
        (json!({"until": "soon"}), "until: must be a time as in RFC 3339, like 2026-11-20T22:41:07Z"),
    ] {
        assert_eq!(put(&app, "DEFAULT-1/ignore", body).await.error(400), error);
    }
    put(&app, "DEFAULT-1/ignore", json!({"until": "2100-01-01T00:00:00Z"})).await.data();
    let item = app.get("/api/errors/DEFAULT-1").await.data();
    assert!(item["ignored_until"].as_str().unwrap().starts_with("2100-01-01T00:00:00"), "{item}");
    assert_eq!(put(&app, "DEFAULT-1/ignore", json!({})).await.status, 200);
    assert_eq!(app.get("/api/errors/DEFAULT-1").await.data()["ignored_until"], Value::Null);
}

#[tokio::test]
async fn an_issue_that_is_resolved_in_the_next_release_comes_back_from_a_later_one_only() {
    let app = TestApp::new().await;
    report(&app, "m", Some("1.9.0")).await;
    assert_eq!(put(&app, "DEFAULT-1/resolve", json!({"in_release": "next"})).await.data()["status"], "resolved");
    for release in [Some("1.9.0"), Some("1.8.3"), None] {
        let item = report(&app, "m", release).await;
        assert_eq!((&item["status"], &item["resolved_after_release"]), (&"resolved".into(), &"1.9.0".into()));
    }
    let item = report(&app, "m", Some("1.10.0")).await;
    assert_eq!((&item["status"], &item["regressed"]), (&"unresolved".into(), &true.into()));
    put(&app, "DEFAULT-1/resolve", json!({"in_release": "2.0.0"})).await.data();
    assert_eq!(report(&app, "m", Some("1.10.0")).await["resolved_in_release"], "2.0.0");
    assert_eq!(report(&app, "m", Some("2.0.0")).await["status"], "unresolved");
    assert_eq!(
        put(&app, "DEFAULT-1/resolve", json!({"in_release": 2})).await.error(400),
        "in_release: must be a string"
    );
    assert_eq!(put(&app, "DEFAULT-1/resolve", json!({})).await.status, 200);
    assert_eq!(report(&app, "m", None).await["status"], "unresolved", "from any");
}

#[tokio::test]
async fn an_issue_is_assigned() {
    let app = TestApp::new().await;
    report(&app, "m", None).await;
    let assign = async |body: Value| put(&app, "DEFAULT-1/assign", body).await;
    assert_eq!(
        assign(json!({"assigned_to": "ana@example.com"})).await.data(),
        json!({"assigned_to": "ana@example.com"})
    );
    assert_eq!(app.get("/api/errors/DEFAULT-1").await.data()["assigned_to"], "ana@example.com");
    assert_eq!(assign(json!({"assigned_to": null})).await.data(), json!({"assigned_to": null}));
    assert_eq!(assign(json!({})).await.error(400), "assigned_to: is required; null for nobody");
    assert_eq!(assign(json!({"assigned_to": 1})).await.error(400), "assigned_to: must be a string");
    assert!(assign(json!({"assigned_to": "me"})).await.error(400).starts_with("assigned_to: `me`"));
    assert_eq!(put(&app, "DEFAULT-9/assign", json!({"assigned_to": "x"})).await.status, 404);
}

#[tokio::test]
async fn many_issues_are_changed_or_none() {
    let app = TestApp::new().await;
    for message in ["a", "b", "c"] {
        report(&app, message, Some("1.0")).await;
    }
    let bulk = async |body: Value| app.post("/api/errors/bulk", &body).await;
    let resolve = json!({"ids": ["DEFAULT-1", "DEFAULT-2", "default-1"], "action": "resolve", "in_release": "next"});
    assert_eq!(bulk(resolve).await.data(), json!({"action": "resolve", "changed": 2}));
    assert_eq!(report(&app, "a", Some("1.0")).await["status"], "resolved");
    let one = |action: &str| json!({"ids": ["DEFAULT-2"], "action": action, "assigned_to": "ana", "until_count": 9});
    for (action, field, value) in
        [("unresolve", "status", "unresolved"), ("ignore", "status", "ignored"), ("assign", "assigned_to", "ana")]
    {
        assert_eq!(bulk(one(action)).await.data()["changed"], 1);
        assert_eq!(app.get("/api/errors/DEFAULT-2").await.data()[field], value);
    }
    for (body, status, error) in [
        (json!({"ids": ["DEFAULT-1", "DEFAULT-9"], "action": "delete"}), 404, "error not found"),
        (
            json!({"ids": ["DEFAULT-1", "x"], "action": "delete"}),
            400,
            "ids: neither a UUID nor a short id like MY-APP-42",
        ),
        (
            json!({"ids": ["DEFAULT-1"], "action": "burn"}),
            400,
            "action: must be one of resolve, unresolve, ignore, delete, assign",
        ),
        (json!({"ids": ["DEFAULT-1"]}), 400, "action: is required"),
        (json!({"ids": [], "action": "delete"}), 400, "ids: must be 1 to 100 issues"),
        (json!({"ids": "DEFAULT-1", "action": "delete"}), 400, "ids: must be a list of texts"),
    ] {
        assert_eq!(bulk(body).await.error(status), error);
    }
    assert_eq!(app.get("/api/errors").await.data()["total"], 3, "nothing was done by halves");
    assert_eq!(bulk(json!({"ids": ["DEFAULT-1", "DEFAULT-3"], "action": "delete"})).await.data()["changed"], 2);
    assert_eq!(app.get("/api/errors").await.data()["total"], 1);
    let read = app.send("POST", "/api/errors/bulk", &[("x-api-key", READ_KEY)], one("delete").to_string()).await;
    assert_eq!(read.status, 403);
}

#[tokio::test]
async fn an_issue_is_commented_on() {
    let app = TestApp::new().await;
    let path = "/api/errors/DEFAULT-1/comments";
    assert_eq!(app.post(path, &json!({"text": "x"})).await.status, 404);
    report(&app, "m", None).await;
    assert_eq!(app.get(path).await.data(), json!({"comments": []}));
    let answer =
        app.send("POST", path, &[("x-api-key", WRITE_KEY)], json!({"text": " **it** is <b> \n"}).to_string()).await;
    assert_eq!(answer.status, 201);
    let comment = answer.data();
    assert_eq!((&comment["text"], &comment["author"]), (&"**it** is <b>".into(), &"a key of the configuration".into()));
    assert!(comment["id"].is_i64() && comment["created_at"].is_string());
    assert_eq!(app.ask("GET", path, READ_KEY).await.data(), json!({"comments": [comment]}));
    for (body, error) in [
        (json!({}), "text: is required"),
        (json!({"text": "\n "}), "text: must not be empty"),
        (json!({"text": 1}), "text: must be a string"),
        (json!({"text": "x".repeat(10_001)}), "text: must not be longer than 10000 characters"),
    ] {
        assert_eq!(app.post(path, &body).await.error(400), error);
    }
    let read = app.send("POST", path, &[("x-api-key", READ_KEY)], json!({"text": "x"}).to_string()).await;
    assert_eq!(read.status, 403);
}
