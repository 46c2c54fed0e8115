//! The REST document (001): incidents.

use crate::service::{
    Answer,
    Is::{List, Number, Or, Text, Time, Uuid},
    Service, fields,
};
use anyhow::Result;
use errtrack_tests::{Database, on_both};
use serde_json::{Value, json};

on_both!(incidents timeline);

const PATH: &str = "/api/alerts/incidents";

async fn open(service: &Service, body: &Value) -> Answer {
    service.ask("POST", PATH, &body.to_string()).await
}

fn look(incident: &Value) -> Result<()> {
    fields(
        incident,
        &[
            ("id", Uuid),
            ("title", Text),
            ("severity", Text),
            ("status", Text),
            ("description", Text),
            ("assigned_to", Or(&Text)),
            ("created_at", Time),
            ("updated_at", Time),
            ("resolved_at", Or(&Time)),
            ("project", Or(&Text)),
            ("rule", Or(&Uuid)),
            ("firings", Number),
            ("channels", List),
            ("opened_by", Text),
        ],
    )
}

async fn incidents(database: Database) -> Result<()> {
    let service = Service::start(database).await?;
    let request = json!({
        "title": "Database Connection Timeout", "severity": "critical",
        "description": "Multiple database connection timeouts detected", "assigned_to": "user-123",
    });
    let answer = open(&service, &request).await;
    assert_eq!(answer.status, 201);
    let made = answer.data();
    look(&made)?;
    for name in ["title", "severity", "description", "assigned_to"] {
        assert_eq!(made[name], request[name], "{name}");
    }
    assert_eq!((&made["status"], &made["project"]), (&"investigating".into(), &Value::Null));
    let list = service.ask("GET", PATH, "").await.data();
    let listed = list["incidents"].as_array().unwrap();
    assert_eq!(listed.as_slice(), std::slice::from_ref(&made));

    let path = format!("{PATH}/{}", made["id"].as_str().unwrap());
    let shown = service.ask("GET", &path, "").await.data();
    look(&shown)?;
    fields(&shown, &[("issues", List), ("status_history", List)])?;
    // The same body as that which opened it, and then a part.
    let same = service.ask("PUT", &path, &request.to_string()).await.data();
    assert_eq!(same, shown);
    for status in ["identified", "monitoring", "resolved"] {
        let changed = service.ask("PUT", &path, &json!({"status": status}).to_string()).await.data();
        look(&changed)?;
        assert_eq!((&changed["status"], &changed["title"]), (&status.into(), &request["title"]));
        assert_eq!(changed["resolved_at"].is_string(), status == "resolved");
    }
    for (body, field) in [
        (json!({"severity": "critical"}), "title"),
        (json!({"title": "t", "severity": "urgent"}), "severity"),
        (json!({"title": "t", "status": "open"}), "status"),
    ] {
        let error = open(&service, &body).await.error(400);
        assert!(error.starts_with(&format!("{field}: ")), "{error}");
    }
    let gone = service.ask("DELETE", &path, "").await;
    assert_eq!((gone.status.as_u16(), gone.body.len()), (204, 0));
    for method in ["GET", "DELETE"] {
        service.ask(method, &path, "").await.error(404);
    }
    service.ask("PUT", &path, "{}").await.error(404);
    service.ask("GET", &format!("{PATH}/incident-1"), "").await.error(400);
    assert_eq!(service.send("GET", PATH, &[], "").await.status, 401);
    Ok(())
}

async fn timeline(database: Database) -> Result<()> {
    let service = Service::start(database).await?;
    let report = json!({"message": "Database connection failed", "source": "api"});
    let issue = service.ask("POST", "/api/errors", &report.to_string()).await.data();
    let name = issue["short_id"].as_str().unwrap();
    let made = open(&service, &json!({"title": "Timeouts", "issues": [name]})).await.data();
    let path = format!("{PATH}/{}", made["id"].as_str().unwrap());
    let said = service.ask("POST", &format!("{path}/comments"), &json!({"text": "looking"}).to_string()).await;
    assert_eq!(said.status, 201);
    let shown = service.ask("GET", &path, "").await.data();
    assert_eq!(shown["issues"][0]["id"], issue["id"]);
    let unlinked = service.ask("DELETE", &format!("{path}/issues/{name}"), "").await.data();
    assert_eq!(unlinked["issues"], json!([]));
    let ids = json!({"ids": [issue["id"]]});
    let linked = service.ask("POST", &format!("{path}/issues"), &ids.to_string()).await.data();
    assert_eq!(linked["issues"][0]["short_id"], name);
    let of_it = service.ask("GET", &format!("{PATH}?issue={name}"), "").await.data();
    assert_eq!(of_it["incidents"][0]["id"], made["id"]);
    let told = service.ask("GET", &format!("{path}/timeline"), "").await.data();
    let entries = told["entries"].as_array().unwrap();
    for entry in entries {
        fields(entry, &[("id", Number), ("at", Time), ("by", Text), ("kind", Text), ("text", Text)])?;
        fields(entry, &[("from", Or(&Text)), ("to", Or(&Text)), ("firing", Or(&Uuid))])?;
    }
    let kinds: Vec<_> = entries.iter().map(|entry| entry["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["opened", "issue_linked", "comment", "issue_unlinked", "issue_linked"]);
    assert_eq!(entries[2]["text"], "looking");

    // A page at a time, the oldest first.
    let mut paged = Vec::new();
    let mut query = "limit=2".to_owned();
    loop {
        let page = service.ask("GET", &format!("{path}/timeline?{query}"), "").await.data();
        paged.extend(page["entries"].as_array().unwrap().clone());
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        query = format!("limit=2&cursor={cursor}");
    }
    assert_eq!(&paged, entries);
    for (body, error) in [(json!({}), "text: "), (json!({"text": " "}), "text: "), (json!({"text": 7}), "text: ")] {
        let said = service.ask("POST", &format!("{path}/comments"), &body.to_string()).await.error(400);
        assert!(said.starts_with(error), "{said}");
    }
    for query in ["limit=0", "limit=1001", "cursor=x"] {
        service.ask("GET", &format!("{path}/timeline?{query}"), "").await.error(400);
    }
    let nowhere = format!("{PATH}/00000000-0000-4000-8000-000000000000");
    service.ask("GET", &format!("{nowhere}/timeline"), "").await.error(404);
    let comment = json!({"text": "x"}).to_string();
    service.ask("POST", &format!("{nowhere}/comments"), &comment).await.error(404);
    assert_eq!(service.send("POST", &format!("{path}/comments"), &[], &comment).await.status, 401);
    Ok(())
}
