//! The REST document (001).

use crate::service::{
    Is::{Bool, Number, Object, Or, Text, Time, Uuid},
    Service, fields,
};
use anyhow::Result;
use errtrack_tests::{Database, on_both};
use serde_json::{Value, json};

on_both!(
    health create_an_error list_errors get_an_error resolve_an_error delete_an_error keys_are_needed similar_errors_are_one
    an_event_has_every_field
);

/// The request of the document.
const REPORT: &str = r#"{
"level": "error",
"message": "Database connection failed",
"stack_trace": "Error: Connection timeout\n at Database.connect(db.js:45)\n at main(app.js:12)",
"context": {
"user_id": "12345",
"session_id": "abc-def-ghi",
"request_id": "req-789",
"additional_data": "any value"
},
"source": "backend",
"environment": "production",
"url": "https://api.example.com/users"
}"#;

/// What every error has, in lists too.
const ITEM: &[(&str, crate::service::Is)] = &[
    ("id", Uuid),
    ("timestamp", Time),
    ("level", Text),
    ("message", Text),
    ("source", Text),
    ("environment", Or(&Text)),
    ("fingerprint", Text),
    ("resolved", Bool),
    ("count", Number),
    ("first_seen", Time),
    ("last_seen", Time),
    ("created_at", Time),
    ("updated_at", Time),
    // What is added to the document.
    ("short_id", Text),
    ("number", Number),
    ("project", Text),
    ("type", Text),
    ("culprit", Text),
    ("status", Text),
    ("user_count", Number),
    ("first_release", Or(&Text)),
    ("last_release", Or(&Text)),
    ("assigned_to", Or(&Text)),
    ("platform", Or(&Text)),
];

/// What an error has by itself.
const WHOLE: &[(&str, crate::service::Is)] = &[
    ("stack_trace", Or(&Text)),
    ("context", Object),
    ("user_agent", Or(&Text)),
    ("ip_address", Or(&Text)),
    ("url", Or(&Text)),
];

async fn report(service: &Service, change: Value) -> Value {
    let mut body: Value = serde_json::from_str(REPORT).unwrap();
    body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    let answer = service.ask("POST", "/api/errors", &body.to_string()).await;
    assert_eq!(answer.status, 201, "{:?}", answer.body);
    answer.data()
}

async fn health(database: Database) -> Result<()> {
    let service = Service::start(database).await?;
    let answer = service.send("GET", "/health", &[], "").await;
    assert_eq!((answer.status.as_u16(), &answer.json()["status"]), (200, &"ok".into()));
    fields(&answer.json(), &[("status", Text), ("timestamp", Time)])
}

async fn create_an_error(database: Database) -> Result<()> {
    let service = Service::start(database).await?;
    let answer = service.ask("POST", "/api/errors", REPORT).await;
    assert_eq!((answer.status.as_u16(), &answer.headers["content-type"]), (201, &"application/json".parse()?));
    let error = answer.data();
    fields(&error, ITEM)?;
    fields(&error, WHOLE)?;
    let sent: Value = serde_json::from_str(REPORT)?;
    for name in ["level", "message", "stack_trace", "source", "environment", "url"] {
        assert_eq!(error[name], sent[name], "{name}");
    }
    // Short session ids that tell sessions apart stay; see what is filtered.
    for name in ["user_id", "session_id", "request_id", "additional_data"] {
        assert_eq!(error["context"][name], sent["context"][name], "{name}");
    }
    assert_eq!((&error["user_agent"], &error["ip_address"]), (&"Mozilla/5.0".into(), &"192.0.2.7".into()));
    assert_eq!((&error["resolved"], &error["count"]), (&false.into(), &1.into()));
    assert_eq!(error["first_seen"], error["last_seen"]);

    let least = service.ask("POST", "/api/errors", r#"{"message": "m", "source": "api"}"#).await.data();
    assert_eq!((&least["level"], &least["environment"]), (&"error".into(), &"production".into()), "the defaults");
    for level in ["error", "warning", "info", "debug"] {
        assert_eq!(
            report(&service, json!({"level": level, "message": level, "fingerprint": level})).await["level"],
            level
        );
    }
    for (body, field) in [
        (json!({"source": "backend"}), "message"),
        (json!({"message": "m"}), "source"),
        (json!({"message": "m", "source": "s", "level": "loud"}), "level"),
        (json!({"message": "m", "source": "s", "context": []}), "context"),
        (json!({"message": ["m"], "source": "s"}), "message"),
    ] {
        let error = service.ask("POST", "/api/errors", &body.to_string()).await.error(400);
        assert!(error.starts_with(&format!("{field}: ")), "{error}");
    }
    service.ask("POST", "/api/errors", "{").await.error(400);
    Ok(())
}

async fn list_errors(database: Database) -> Result<()> {
    let service = Service::start(database).await?;
    for n in 0..5 {
        let (source, level) = if n % 2 == 0 { ("frontend", "warning") } else { ("backend", "error") };
        report(
            &service,
            json!({"message": format!("m{n}"), "fingerprint": format!("f{n}"), "source": source, "level": level}),
        )
        .await;
    }
    let list = async |query: &str| service.ask("GET", &format!("/api/errors{query}"), "").await.data();
    let all = list("").await;
    fields(&all, &[("errors", crate::service::Is::List), ("total", Number), ("page", Number), ("limit", Number)])?;
    assert_eq!((&all["total"], &all["page"], &all["limit"]), (&5.into(), &1.into(), &50.into()));
    let errors = all["errors"].as_array().unwrap();
    errors.iter().try_for_each(|error| fields(error, ITEM))?;
    assert_eq!(
        errors.iter().map(|e| e["message"].as_str().unwrap()).collect::<Vec<_>>(),
        ["m4", "m3", "m2", "m1", "m0"]
    );
    for (query, total, shown) in [
        ("?limit=20&offset=0", 5, 5),
        ("?level=error&source=frontend", 0, 0),
        ("?level=warning&source=frontend", 3, 3),
        ("?limit=10&level=warning", 3, 3),
        ("?limit=2&offset=4", 5, 1),
    ] {
        let page = list(query).await;
        assert_eq!((&page["total"], page["errors"].as_array().unwrap().len()), (&total.into(), shown), "{query}");
    }
    let third = list("?limit=2&offset=4").await;
    assert_eq!((&third["page"], &third["limit"]), (&3.into(), &2.into()));
    for (query, field) in [("limit=0", "limit"), ("limit=101", "limit"), ("offset=-1", "offset"), ("level=x", "level")]
    {
        let error = service.ask("GET", &format!("/api/errors?{query}"), "").await.error(400);
        assert!(error.starts_with(&format!("{field}: ")), "{error}");
    }
    Ok(())
}

async fn get_an_error(database: Database) -> Result<()> {
    let service = Service::start(database).await?;
    let error = report(&service, json!({})).await;
    for name in [error["id"].as_str().unwrap(), "DEFAULT-1"] {
        let shown = service.ask("GET", &format!("/api/errors/{name}"), "").await;
        assert_eq!(shown.status, 200);
        fields(&shown.data(), ITEM)?;
        fields(&shown.data(), WHOLE)?;
        assert_eq!(shown.data(), error);
    }
    service.ask("GET", "/api/errors/not-a-uuid!", "").await.error(400);
    service.ask("GET", "/api/errors/550e8400-e29b-41d4-a716-446655440000", "").await.error(404);
    Ok(())
}

async fn resolve_an_error(database: Database) -> Result<()> {
    let service = Service::start(database).await?;
    let error = report(&service, json!({})).await;
    let path = format!("/api/errors/{}", error["id"].as_str().unwrap());
    let answer = service.ask("PUT", &format!("{path}/resolve"), "").await;
    assert_eq!((answer.status.as_u16(), answer.data()), (200, json!({"status": "resolved"})));
    assert_eq!(service.ask("GET", &path, "").await.data()["resolved"], true);
    let back = report(&service, json!({})).await;
    assert_eq!(
        (&back["resolved"], &back["id"], &back["count"]),
        (&false.into(), &error["id"], &2.into()),
        "it reopens"
    );
    service.ask("PUT", "/api/errors/not-a-uuid!/resolve", "").await.error(400);
    service.ask("PUT", "/api/errors/550e8400-e29b-41d4-a716-446655440000/resolve", "").await.error(404);
    Ok(())
}

async fn delete_an_error(database: Database) -> Result<()> {
    let service = Service::start(database).await?;
    let error = report(&service, json!({})).await;
    let path = format!("/api/errors/{}", error["id"].as_str().unwrap());
    let answer = service.ask("DELETE", &path, "").await;
    assert_eq!((answer.status.as_u16(), answer.body.len()), (204, 0));
    service.ask("GET", &path, "").await.error(404);
    service.ask("DELETE", &path, "").await.error(404);
    service.ask("DELETE", "/api/errors/not-a-uuid!", "").await.error(400);
    let event = format!("/api/events/{}", error["last_event_id"].as_str().unwrap());
    service.ask("GET", &event, "").await.error(404);
    Ok(())
}

async fn keys_are_needed(database: Database) -> Result<()> {
    let service = Service::start(database).await?;
    let id = report(&service, json!({})).await["id"].as_str().unwrap().to_owned();
    for (method, path) in [
        ("POST", "/api/errors".to_owned()),
        ("GET", "/api/errors".to_owned()),
        ("GET", format!("/api/errors/{id}")),
        ("PUT", format!("/api/errors/{id}/resolve")),
        ("DELETE", format!("/api/errors/{id}")),
    ] {
        for headers in [&[][..], &[("X-API-Key", "wrong")], &[("Authorization", "Bearer wrong")]] {
            service.send(method, &path, headers, REPORT).await.error(401);
        }
    }
    let bearer = [("Authorization", "Bearer test-api-key")];
    assert_eq!(service.send("GET", "/api/errors", &bearer, "").await.data()["total"], 1);
    Ok(())
}

async fn similar_errors_are_one(database: Database) -> Result<()> {
    let service = Service::start(database).await?;
    let first = report(&service, json!({})).await;
    let second = report(&service, json!({"context": {"request_id": "req-790"}})).await;
    assert_eq!((&second["id"], &second["count"]), (&first["id"], &2.into()));
    assert_eq!((&second["fingerprint"], &second["first_seen"]), (&first["fingerprint"], &first["first_seen"]));
    assert!(second["last_seen"].as_str() >= first["last_seen"].as_str());
    let trace = "Error: Other\n at Elsewhere.run(x.js:1)";
    assert_ne!(report(&service, json!({"stack_trace": trace})).await["id"], first["id"]);
    Ok(())
}

async fn an_event_has_every_field(database: Database) -> Result<()> {
    let service = Service::start(database).await?;
    let error = report(&service, json!({"user_id": "12345", "release": "1.0", "tags": {"plan": "pro"}})).await;
    let list = service.ask("GET", &format!("/api/errors/{}/events", error["id"].as_str().unwrap()), "").await.data();
    fields(&list, &[("events", crate::service::Is::List), ("next_cursor", Or(&Text))])?;
    let event = &list["events"][0];
    fields(
        event,
        &[
            ("id", Uuid),
            ("event_id", Text),
            ("issue_id", Uuid),
            ("timestamp", Time),
            ("received_at", Time),
            ("level", Text),
            ("message", Or(&Text)),
            ("exceptions", crate::service::Is::List),
            ("stack_trace", Or(&Text)),
            ("breadcrumbs", crate::service::Is::List),
            ("request", Or(&Object)),
            ("user", Or(&Object)),
            ("tags", Object),
            ("contexts", Object),
            ("extra", Object),
            ("release", Or(&Text)),
            ("environment", Or(&Text)),
            ("platform", Or(&Text)),
            ("sdk", Or(&Object)),
            ("fingerprint", crate::service::Is::List),
            ("grouping", Or(&Object)),
            ("filtered", crate::service::Is::List),
            ("truncated", crate::service::Is::List),
        ],
    )?;
    assert_eq!((&event["user"]["id"], &event["tags"]["plan"]), (&"12345".into(), &"pro".into()));
    for id in [&event["id"], &event["event_id"]] {
        let path = format!("/api/events/{}", id.as_str().unwrap());
        assert_eq!(service.ask("GET", &path, "").await.data(), *event);
    }
    Ok(())
}
