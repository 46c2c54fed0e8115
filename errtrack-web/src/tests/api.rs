//! The REST API, asked as its document shows it.

use super::support::{Answer, KEY, READ_KEY, TestApp};
use serde_json::{Value, json};

/// The fields of an error that the document names.
const DOCUMENTED: [&str; 18] = [
    "id",
    "timestamp",
    "level",
    "message",
    "stack_trace",
    "context",
    "source",
    "environment",
    "user_agent",
    "ip_address",
    "url",
    "fingerprint",
    "resolved",
    "count",
    "first_seen",
    "last_seen",
    "created_at",
    "updated_at",
];

fn report() -> Value {
    json!({
        "level": "error",
        "message": "Database connection failed",
        "stack_trace": "Error: Connection timeout\n at Database.connect(db.js:45)\n at main(app.js:12)",
        "context": {"user_id": "12345", "session_id": "abc-def-ghi", "request_id": "req-789", "additional_data": "any value"},
        "source": "backend",
        "environment": "production",
        "url": "https://api.example.com/users"
    })
}

async fn reported(app: &TestApp, message: &str, more: Value) -> Value {
    let mut body = json!({"message": message, "source": "backend"});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let answer = app.post("/api/errors", &body).await;
    assert_eq!(answer.status, 201, "{}", answer.json());
    answer.data()
}

#[tokio::test]
async fn the_documents_report_is_answered_as_the_document_says() {
    let app = TestApp::new().await;
    let answer = app.post("/api/errors", &report()).await;
    assert_eq!(answer.status, 201);
    let item = answer.data();
    for field in DOCUMENTED {
        assert!(item.get(field).is_some(), "{field} is missing in {item}");
    }
    for field in ["level", "message", "stack_trace", "source", "environment", "url"] {
        assert_eq!(item[field], report()[field], "{field}");
    }
    assert_eq!(item["context"]["request_id"], "req-789");
    assert_eq!((&item["user_agent"], &item["ip_address"]), (&"curl/8".into(), &"192.0.2.7".into()));
    assert_eq!((&item["count"], &item["resolved"], &item["short_id"]), (&1.into(), &false.into(), &"DEFAULT-1".into()));
    assert_eq!(item["type"], "Error");

    let again = app.post("/api/errors", &report()).await.data();
    assert_eq!((&again["id"], &again["count"]), (&item["id"], &2.into()));
    let mut shown = app.get(&format!("/api/errors/{}", item["id"].as_str().unwrap())).await.data();
    let tickets = shown.as_object_mut().unwrap().remove("tickets");
    assert_eq!((shown, tickets), (again, Some(json!([]))), "what was answered, and its tickets");
}

#[tokio::test]
async fn the_documents_curl_reports() {
    let app = TestApp::new().await;
    let body = r#"{
"level": "error",
"message": "Database connection failed",
"source": "backend",
"context": {"service": "user-service"}
}"#;
    let headers = [("content-type", "application/json"), ("x-api-key", KEY)];
    assert_eq!(app.send("POST", "/api/errors", &headers, body).await.status, 201);
    let list = app.get("/api/errors?limit=10&level=error").await.data();
    assert_eq!((&list["total"], &list["page"], &list["limit"]), (&1.into(), &1.into(), &10.into()));
    let id = list["errors"][0]["id"].as_str().unwrap();
    assert_eq!(app.put(&format!("/api/errors/{id}/resolve")).await.data(), json!({"status": "resolved"}));
}

#[tokio::test]
async fn every_optional_field_arrives() {
    let app = TestApp::new().await;
    let more = json!({
        "project": "My Shop", "type": "Timeout", "release": "shop@1.2", "user_id": 42, "tags": {"plan": "pro", "n": 3},
        "fingerprint": "mine", "timestamp": "2026-11-20T22:41:07Z", "level": "critical",
    });
    let item = reported(&app, "too slow", more).await;
    assert_eq!((&item["project"], &item["short_id"]), (&"my-shop".into(), &"MY-SHOP-1".into()));
    assert_eq!((&item["type"], &item["level"], &item["user_count"]), (&"Timeout".into(), &"fatal".into(), &1.into()));
    assert_eq!((&item["first_release"], &item["last_release"]), (&"shop@1.2".into(), &"shop@1.2".into()));
    let event = app.get(&format!("/api/events/{}", item["last_event_id"].as_str().unwrap())).await.data();
    assert_eq!(
        (&event["tags"]["plan"], &event["tags"]["n"], &event["user"]["id"]),
        (&"pro".into(), &"3".into(), &"42".into())
    );
    assert_eq!(event["fingerprint"], json!(["mine"]));
    let listed = reported(&app, "other", json!({"fingerprint": ["a", "b"]})).await;
    let merged = reported(&app, "another", json!({"fingerprint": ["a", "b"]})).await;
    assert_eq!(listed["id"], merged["id"]);
}

#[tokio::test]
async fn what_is_wrong_is_told_by_its_field() {
    let app = TestApp::new().await;
    let cases = [
        (json!({"source": "x"}), "message: is required"),
        (json!({"message": "", "source": "x"}), "message: must not be empty"),
        (json!({"message": "m"}), "source: is required"),
        (json!({"message": 7, "source": "x"}), "message: must be a string"),
        (
            json!({"message": "m", "source": "x", "level": "loud"}),
            "level: not one of fatal, error, warning, info, debug",
        ),
        (json!({"message": "m", "source": "x", "context": "c"}), "context: must be an object"),
        (json!({"message": "m", "source": "x", "tags": {"a": []}}), "tags: the value of `a` must be a string"),
        (
            json!({"message": "m", "source": "x", "fingerprint": 7}),
            "fingerprint: must be a string or a list of strings",
        ),
        (json!({"message": "m", "source": "x", "project": "日本"}), "project: must hold an ASCII letter or digit"),
        (json!([]), "the body is not a JSON object"),
    ];
    for (body, error) in cases {
        assert_eq!(app.post("/api/errors", &body).await.error(400), error);
    }
    let send = async |body: &str| app.send("POST", "/api/errors", &[("x-api-key", KEY)], body.to_owned()).await;
    assert!(send(r#"{"message": "m","#).await.error(400).contains("line 1 column 16"));
    assert!(send(&"[".repeat(5_000)).await.error(400).contains("recursion limit"));
    assert!(send("").await.error(400).contains("empty"));
    let huge = format!(r#"{{"message": "{}", "source": "x"}}"#, "m".repeat(300_000));
    assert!(send(&huge).await.error(413).contains("262144"));
    assert_eq!(app.get("/api/errors").await.data()["total"], 0);
}

#[tokio::test]
async fn who_may_do_what() {
    let app = TestApp::new().await;
    let item = reported(&app, "m", json!({})).await;
    let id = item["id"].as_str().unwrap();
    let ask = async |method: &'static str, path: &str, key: &'static str| {
        app.send(method, path, &[("authorization", &format!("Bearer {key}"))], report().to_string())
            .await
            .status
            .as_u16()
    };
    let item = format!("/api/errors/{id}");
    let resolve = format!("{item}/resolve");
    for (method, path) in [("POST", "/api/errors"), ("PUT", &resolve), ("DELETE", &item)] {
        assert_eq!(ask(method, path, "wrong").await, 401, "{method} {path}");
        assert_eq!(ask(method, path, READ_KEY).await, 403, "{method} {path}");
    }
    for path in ["/api/errors", item.as_str(), &format!("{item}/events")] {
        assert_eq!(ask("GET", path, "").await, 401, "{path}");
        assert_eq!(ask("GET", path, READ_KEY).await, 200, "{path}");
    }
    assert_eq!(app.send("GET", "/health", &[], "").await.json()["status"], "ok");
}

#[tokio::test]
async fn lists_are_filtered_sorted_and_paged() {
    let app = TestApp::new().await;
    reported(&app, "first alpha", json!({"level": "warning", "environment": "staging", "user_id": "u1"})).await;
    for _ in 0..3 {
        reported(&app, "second beta", json!({"source": "frontend", "release": "1.0", "tags": {"plan": "pro"}})).await;
    }
    reported(&app, "third alpha", json!({"project": "shop"})).await;
    let list = async |query: &str| app.get(&format!("/api/errors?{query}")).await.data();
    let messages = async |query: &str| -> Vec<String> {
        list(query).await["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| e["message"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(messages("").await, ["third alpha", "second beta", "first alpha"]);
    assert_eq!(messages("sort=count&limit=1").await, ["second beta"]);
    for (query, expected) in [
        ("level=warning", "first alpha"),
        ("source=frontend", "second beta"),
        ("project=SHOP", "third alpha"),
        ("environment=staging", "first alpha"),
        ("release=1.0", "second beta"),
        ("tag=plan:pro", "second beta"),
        ("user=u1", "first alpha"),
        ("search=alpha+third", "third alpha"),
        ("offset=2&limit=2", "first alpha"),
    ] {
        assert_eq!(messages(query).await, [expected], "{query}");
    }
    assert!(messages("project=none").await.is_empty());
    assert!(messages("since=2100-01-01T00:00:00Z").await.is_empty());
    assert_eq!(list("offset=2&limit=2").await["page"], 2);

    let first = list("limit=2").await;
    assert_eq!(first["total"], 3);
    reported(&app, "fourth", json!({})).await;
    let next = list(&format!("limit=2&cursor={}", first["next_cursor"].as_str().unwrap())).await;
    assert_eq!(next["errors"][0]["message"], "first alpha", "stable under new arrivals");
    assert_eq!(next["next_cursor"], Value::Null);
}

#[tokio::test]
async fn wrong_parameters_are_named() {
    let app = TestApp::new().await;
    for (query, error) in [
        ("limit=0", "limit: must be a number from 1 to 100"),
        ("limit=101", "limit: must be a number from 1 to 100"),
        ("limit=ten", "limit: must be a number from 1 to 100"),
        ("offset=-1", "offset: must be a number from 0"),
        ("level=loud", "level: must be one of fatal, error, warning, info, debug"),
        ("status=open", "status: must be one of unresolved, resolved, ignored"),
        ("resolved=maybe", "resolved: must be true or false"),
        ("resolved=true&status=ignored", "resolved: contradicts status"),
        ("sort=name", "sort: must be one of last_seen, first_seen, count, users"),
        ("cursor=x", "cursor: must be a `next_cursor` that was answered"),
        ("since=monday", "since: must be a time as in RFC 3339, like 2026-11-20T22:41:07Z"),
        ("tag=plan", "tag: must be key:value"),
    ] {
        assert_eq!(app.get(&format!("/api/errors?{query}")).await.error(400), error);
    }
}

#[tokio::test]
async fn issues_are_found_by_uuid_and_by_short_id() {
    let app = TestApp::new().await;
    let item = reported(&app, "m", json!({})).await;
    assert_eq!(app.get("/api/errors/DEFAULT-1").await.data()["id"], item["id"]);
    assert_eq!(app.get("/api/errors/default-1").await.data()["id"], item["id"]);
    for path in ["", "/events"] {
        let get = async |id: &str| app.get(&format!("/api/errors/{id}{path}")).await;
        assert_eq!(get("42").await.error(400), "id: neither a UUID nor a short id like MY-APP-42");
        assert_eq!(get("DEFAULT-99").await.error(404), "error not found");
        assert_eq!(get("550e8400-e29b-41d4-a716-446655440000").await.error(404), "error not found");
    }
}

#[tokio::test]
async fn an_issue_is_resolved_reopened_ignored_and_deleted() {
    let app = TestApp::new().await;
    let id = reported(&app, "m", json!({})).await["id"].as_str().unwrap().to_owned();
    let item = format!("/api/errors/{id}");
    for (action, status, resolved) in [
        ("resolve", "resolved", true),
        ("unresolve", "unresolved", false),
        ("ignore", "ignored", false),
        ("resolve", "resolved", true),
    ] {
        assert_eq!(app.put(&format!("{item}/{action}")).await.data(), json!({"status": status}));
        let now = app.get(&item).await.data();
        assert_eq!((&now["status"], &now["resolved"]), (&status.into(), &resolved.into()));
    }
    assert_eq!(app.get("/api/errors?resolved=true").await.data()["total"], 1);
    let back = reported(&app, "m", json!({})).await;
    assert_eq!(
        (&back["status"], &back["regressed"], &back["id"]),
        (&"unresolved".into(), &true.into(), &id.as_str().into())
    );

    let delete = async || app.send("DELETE", &item, &[("x-api-key", KEY)], "").await;
    let deleted: Answer = delete().await;
    assert_eq!((deleted.status.as_u16(), deleted.body.len()), (204, 0));
    assert_eq!(delete().await.error(404), "error not found");
    assert_eq!(app.put(&format!("{item}/resolve")).await.error(404), "error not found");
    assert_eq!(app.put("/api/errors/x/resolve").await.status, 400);
}

#[tokio::test]
async fn events_are_listed_and_shown() {
    let app = TestApp::new().await;
    for n in 0..3 {
        let more = json!({"context": {"n": n}, "stack_trace": report()["stack_trace"], "fingerprint": "one"});
        reported(&app, "m", more).await;
    }
    let first = app.get("/api/errors/DEFAULT-1/events?limit=2").await.data();
    let numbers = |page: &Value| -> Vec<_> {
        page["events"].as_array().unwrap().iter().map(|e| e["extra"]["n"].clone()).collect()
    };
    assert_eq!(numbers(&first), [2, 1]);
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = app.get(&format!("/api/errors/DEFAULT-1/events?limit=2&cursor={cursor}")).await.data();
    assert_eq!((numbers(&second), &second["next_cursor"]), (vec![json!(0)], &Value::Null));

    let event = &first["events"][0];
    for field in [
        "id",
        "event_id",
        "issue_id",
        "timestamp",
        "received_at",
        "level",
        "message",
        "exceptions",
        "stack_trace",
        "breadcrumbs",
        "request",
        "user",
        "tags",
        "contexts",
        "extra",
        "release",
        "environment",
        "platform",
        "sdk",
        "fingerprint",
        "grouping",
        "filtered",
        "truncated",
    ] {
        assert!(event.get(field).is_some(), "{field}");
    }
    let frames = &event["exceptions"][0]["stacktrace"]["frames"];
    assert_eq!((&frames[1]["filename"], &frames[1]["lineno"]), (&"db.js".into(), &45.into()));
    for id in [&event["id"], &event["event_id"]] {
        assert_eq!(&app.get(&format!("/api/events/{}", id.as_str().unwrap())).await.data(), event);
    }
    let uuid = event["event_id"].as_str().unwrap().parse::<uuid::Uuid>().unwrap();
    assert_eq!(app.get(&format!("/api/events/{}", uuid.hyphenated())).await.status, 200);
    assert_eq!(app.get("/api/events/42").await.error(400), "event_id: must be 32 hex digits, with dashes or without");
    assert_eq!(app.get("/api/events/550e8400e29b41d4a716446655440000").await.error(404), "event not found");
    assert_eq!(app.get("/api/errors/DEFAULT-1/events?limit=0").await.status, 400);
}

#[tokio::test]
async fn unknown_paths_and_methods_are_answered_in_the_frame() {
    let app = TestApp::new().await;
    assert_eq!(app.get("/api/nothing").await.error(404), "endpoint not found");
    assert_eq!(app.get("/api/errors/x/y/z").await.error(404), "endpoint not found");
    assert_eq!(app.send("PATCH", "/api/errors", &[], "").await.error(405), "this endpoint does not know that method");
    assert_eq!(app.send("POST", "/health", &[], "").await.status, 405);
}
