//! Who owns what in a project.

use crate::service::{
    Is::{Bool, Number, Text},
    Service, fields,
};
use anyhow::{Result, ensure};
use errtrack_core::{
    Member, Role,
    store::{AccountStore, Store},
};
use errtrack_tests::{Database, on_both};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

on_both!(ownership);

const PATH: &str = "/api/settings/projects/1/ownership";

async fn ownership(database: Database) -> Result<()> {
    let service = Service::start(database).await?;
    let store: &dyn Store = service.tracker.store().as_ref();
    for email in ["ann@example.com", "bob@example.com"] {
        ensure!(AccountStore::add_member(store, &Member::new(email, Role::Developer)).await?);
    }
    let look = |document: &Value| {
        fields(document, &[("project", Text), ("project_id", Number), ("text", Text), ("assign", Bool)])
    };
    let none = service.ask("GET", PATH, "").await.data();
    look(&none)?;
    assert_eq!(none, json!({"project": "default", "project_id": 1, "text": "", "assign": false}));

    let text = "# money\npath:src/billing/* → ann@example.com bob@example.com\ntag:team=payments -> bob@example.com";
    let set = service.ask("PUT", PATH, &json!({"text": text, "assign": true}).to_string()).await.data();
    look(&set)?;
    assert_eq!((&set["text"], &set["assign"]), (&text.into(), &true.into()));
    assert_eq!(service.ask("GET", PATH, "").await.data(), set);
    let report = json!({"message": "declined", "source": "shop", "tags": {"team": "payments"}});
    let issue = service.ask("POST", "/api/errors", &report.to_string()).await.data();
    let path = format!("/api/errors/{}", issue["id"].as_str().unwrap());
    let start = Instant::now();
    while service.ask("GET", &path, "").await.data()["assigned_to"] != "bob@example.com" {
        ensure!(start.elapsed() < Duration::from_secs(30), "it is assigned to the first of its owners");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    for (body, error) in [
        (json!({}), "text: is required"),
        (json!({"text": "x", "assign": 1}), "assign: must be true or false"),
        (json!({"text": "path:a → ann@example.com\npath:b"}), "text: line 2"),
        (json!({"text": "path:a → eve@example.com"}), "text: line 1"),
    ] {
        let said = service.ask("PUT", PATH, &body.to_string()).await.error(400);
        assert!(said.starts_with(error), "{said}");
    }
    assert_eq!(service.ask("GET", PATH, "").await.data(), set, "nothing is kept of what is wrong");
    service.ask("GET", "/api/settings/projects/77/ownership", "").await.error(404);
    assert_eq!(service.send("PUT", PATH, &[], "{}").await.status, 401);
    let cleared = service.ask("PUT", PATH, &json!({"text": ""}).to_string()).await.data();
    assert_eq!(cleared, none);
    Ok(())
}
