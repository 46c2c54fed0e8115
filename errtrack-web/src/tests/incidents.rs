//! Incidents: what is wrong is told, who sees which, what is noted.

use super::support::{Answer, KEY, TestApp};
use crate::{Access, Guest, Role};
use errtrack_core::{
    incident::{IncidentStatus, NewIncident},
    store::{AuditStore, IncidentStore, ProjectStore},
};
use serde_json::{Value, json};
use uuid::Uuid;

const PATH: &str = "/api/alerts/incidents";

impl TestApp {
    async fn put_json(&self, path: &str, body: &Value) -> Answer {
        self.send("PUT", path, &[("x-api-key", KEY)], body.to_string()).await
    }

    async fn open(&self, body: &Value) -> String {
        self.post(PATH, body).await.data()["id"].as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn what_is_wrong_with_an_incident_is_told_by_name_and_nothing_is_written() {
    let app = TestApp::new().await;
    app.post("/api/errors", &json!({"message": "m", "source": "s", "project": "shop"})).await;
    let long = "x".repeat(201);
    let channels: Vec<String> = (0..21).map(|n| n.to_string()).collect();
    for (body, error) in [
        (json!({}), "title: is required"),
        (json!({"title": ""}), "title: must not be empty"),
        (json!({"title": long}), "title: must not be longer than 200 characters"),
        (json!({"title": "t", "severity": "bad"}), "severity: is not one of low, medium, high, critical"),
        (
            json!({"title": "t", "status": "open"}),
            "status: is not one of investigating, identified, monitoring, resolved",
        ),
        (json!({"title": "t", "description": 1}), "description: must be a string"),
        (json!({"title": "t", "assigned_to": "x".repeat(201)}), "assigned_to: must not be longer than 200 characters"),
        (json!({"title": "t", "channels": "slack"}), "channels: must be a list of texts"),
        (json!({"title": "t", "channels": channels}), "channels: must not be more than 20"),
        (json!({"title": "t", "issues": ["one"]}), "issues: neither a UUID nor a short id like MY-APP-42"),
        (json!({"title": "t", "project": "default", "issues": ["SHOP-1"]}), "issues: SHOP-1 is of another project"),
    ] {
        assert_eq!(app.post(PATH, &body).await.error(400), error);
    }
    assert_eq!(app.post(PATH, &json!({"title": "t", "project": "nowhere"})).await.error(404), "project not found");
    assert_eq!(app.post(PATH, &json!({"title": "t", "issues": ["SHOP-9"]})).await.error(404), "error not found");
    assert_eq!(app.get(PATH).await.data()["incidents"], json!([]));
    let path = format!("{PATH}/{}", app.open(&json!({"title": "t", "project": "default"})).await);
    for (body, error) in [
        (json!({"status": 1}), "status: must be a string"),
        (json!({"title": " "}), "title: must not be empty"),
        (json!({"project": "shop"}), "project: an incident stays with what it is about"),
        (json!({"note": "x".repeat(10_001)}), "note: must not be longer than 10000 characters"),
    ] {
        assert_eq!(app.put_json(&path, &body).await.error(400), error);
    }
    let links = format!("{path}/issues");
    assert_eq!(app.post(&links, &json!({"ids": []})).await.error(400), "ids: must be 1 to 100 issues");
    let foreign = app.post(&links, &json!({"ids": ["SHOP-1"]})).await.error(400);
    assert!(foreign.starts_with("ids: SHOP-1 cannot be linked"), "{foreign}");
    assert_eq!(app.ask("DELETE", &format!("{links}/SHOP-1"), KEY).await.error(404), "link not found");
    assert_eq!(app.get(&format!("{PATH}/1")).await.error(400), "id: must be the UUID of an incident");
    let entries = app.get(&format!("{path}/timeline")).await.data();
    assert_eq!(entries["entries"].as_array().unwrap().len(), 1, "nothing happened: {entries}");
}

#[tokio::test]
async fn every_subset_of_fields_changes_just_those() {
    let app = TestApp::new().await;
    let id = app.open(&json!({"title": "slow", "severity": "high", "assigned_to": "ann@example.com"})).await;
    let path = format!("{PATH}/{id}");
    let before = app.get(&path).await.data();
    for (body, field) in [
        (json!({"title": "very slow"}), "title"),
        (json!({"severity": "critical"}), "severity"),
        (json!({"status": "monitoring"}), "status"),
        (json!({"description": "since the deploy"}), "description"),
        (json!({"assigned_to": null}), "assigned_to"),
        (json!({"channels": ["slack", "slack", " email "]}), "channels"),
    ] {
        let after = app.put_json(&path, &body).await.data();
        assert_ne!(after[field], before[field], "{field}");
    }
    let after = app.get(&path).await.data();
    assert_eq!(after["channels"], json!(["slack", "email"]));
    assert_eq!((&after["title"], &after["severity"]), (&"very slow".into(), &"critical".into()));
    assert_eq!(app.put_json(&path, &json!({})).await.data(), after, "nothing is no change");
    let resolved = app.put_json(&path, &json!({"status": "resolved", "note": "rolled back"})).await.data();
    assert!(resolved["resolved_at"].is_string(), "{resolved}");
    let statuses: Vec<_> = resolved["status_history"].as_array().unwrap().iter().map(|step| &step["status"]).collect();
    assert_eq!(statuses, ["investigating", "monitoring", "resolved"]);
    let mut kinds = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = app.get(&format!("{path}/timeline?limit=3&cursor={cursor}")).await.data();
        kinds
            .extend(page["entries"].as_array().unwrap().iter().map(|entry| entry["kind"].as_str().unwrap().to_owned()));
        let Some(next) = page["next_cursor"].as_str() else { break };
        next.clone_into(&mut cursor);
    }
    assert_eq!(kinds, ["opened", "title", "severity", "status", "description", "assigned", "status"]);
}

#[tokio::test]
async fn the_list_is_paged_and_narrowed() {
    let app = TestApp::new().await;
    app.post("/api/errors", &json!({"message": "m", "source": "s"})).await;
    for title in ["one", "two", "three"] {
        app.open(&json!({"title": title, "issues": ["DEFAULT-1"], "project": "default"})).await;
    }
    let first = app.get(&format!("{PATH}?limit=2")).await.data();
    let titles = |list: &Value| {
        let of = |incident: &Value| incident["title"].as_str().unwrap().to_owned();
        list["incidents"].as_array().unwrap().iter().map(of).collect::<Vec<_>>()
    };
    assert_eq!(titles(&first), ["three", "two"]);
    let rest = app.get(&format!("{PATH}?limit=2&cursor={}", first["next_cursor"].as_str().unwrap())).await.data();
    assert_eq!((titles(&rest), &rest["next_cursor"]), (vec!["one".to_owned()], &Value::Null));
    let id = first["incidents"][0]["id"].as_str().unwrap();
    app.put_json(&format!("{PATH}/{id}"), &json!({"status": "resolved"})).await.data();
    for (query, expected) in [
        ("open=true", vec!["two", "one"]),
        ("open=false", vec!["three"]),
        ("status=resolved", vec!["three"]),
        ("severity=low", vec![]),
        ("project=nowhere", vec![]),
        ("project=default&issue=DEFAULT-1", vec!["three", "two", "one"]),
    ] {
        assert_eq!(titles(&app.get(&format!("{PATH}?{query}")).await.data()), expected, "{query}");
    }
    app.get(&format!("{PATH}?severity=bad")).await.error(400);
}

#[tokio::test]
async fn an_incident_that_cannot_be_opened_again_beside_another_of_its_rule_is_a_conflict() {
    let app = TestApp::new().await;
    let rule = Some(Uuid::from_u128(7));
    let first = NewIncident { rule, status: IncidentStatus::Resolved, ..NewIncident::new("rule", "rule") };
    app.store.open_incident(&first).await.unwrap();
    app.store.open_incident(&NewIncident { rule, ..NewIncident::new("rule", "rule") }).await.unwrap();
    let path = format!("{PATH}/{}", first.id);
    let error = app.put_json(&path, &json!({"status": "identified", "title": "other"})).await.error(409);
    assert_eq!(error, "status: another incident of the same rule is open");
    assert_eq!(app.get(&path).await.data()["title"], "rule", "nothing was changed");
}

#[tokio::test]
async fn who_sees_some_projects_sees_their_incidents_alone() {
    let app = TestApp::with_access(Access::host(|request| {
        let projects = request.headers.get("x-projects").and_then(|slugs| slugs.to_str().ok());
        let guest = Guest::new(Role::Developer);
        Some(projects.map(|slugs| guest.clone().projects(slugs.split(','))).unwrap_or(guest))
    }))
    .await;
    for project in ["mine", "theirs"] {
        app.store.ensure_project(project).await.unwrap();
        app.post("/api/errors", &json!({"message": "m", "source": "s", "project": project})).await;
    }
    let all = app.open(&json!({"title": "all", "issues": ["MINE-1", "THEIRS-1"]})).await;
    let theirs = app.open(&json!({"title": "theirs", "project": "theirs"})).await;
    let mine = [("x-projects", "mine")];
    let opened = app.send("POST", PATH, &mine, json!({"title": "mine"}).to_string()).await.data();
    assert_eq!(opened["project"], "mine", "the only one");
    let list = app.send("GET", PATH, &mine, "").await.data();
    assert_eq!(list["incidents"].as_array().unwrap().len(), 1, "{list}");
    for id in [&all, &theirs] {
        app.send("GET", &format!("{PATH}/{id}"), &mine, "").await.error(404);
        app.send("DELETE", &format!("{PATH}/{id}"), &mine, "").await.error(404);
    }
    let both = [("x-projects", "mine,theirs")];
    let which = app.send("POST", PATH, &both, json!({"title": "which?"}).to_string()).await.error(400);
    assert_eq!(which, "project: is required, as you do not see all projects");
    let path = format!("{PATH}/{}/issues", opened["id"].as_str().unwrap());
    app.send("POST", &path, &mine, json!({"ids": ["THEIRS-1"]}).to_string()).await.error(404);
}

#[tokio::test]
async fn what_people_do_about_incidents_is_audited() {
    let app = TestApp::new().await;
    app.post("/api/errors", &json!({"message": "m", "source": "s"})).await;
    let path = format!("{PATH}/{}", app.open(&json!({"title": "slow", "project": "default"})).await);
    app.put_json(&path, &json!({"status": "identified"})).await.data();
    app.post(&format!("{path}/comments"), &json!({"text": "seen"})).await.data();
    app.post(&format!("{path}/issues"), &json!({"ids": ["DEFAULT-1"]})).await.data();
    app.ask("DELETE", &format!("{path}/issues/DEFAULT-1"), KEY).await.data();
    assert_eq!(app.ask("DELETE", &path, KEY).await.status, 204);
    let log = app.store.audit_log(None, 10).await.unwrap();
    let actions: Vec<_> = log.iter().rev().map(|entry| entry.action.as_str()).collect();
    let expected = ["incident.open", "incident.change", "incident.link", "incident.unlink", "incident.delete"];
    assert_eq!(actions, expected);
    assert!(log.iter().all(|entry| entry.target == "slow" && entry.project.is_some()), "{log:?}");
}
