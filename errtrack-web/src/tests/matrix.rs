//! Every route and everybody who may ask: the status that it must have.
//!
//! A route that is described or mounted and has no row here fails the test, and so does a row without a route.

mod callers;
mod rows;

use super::support::{KEY, TestApp};
use callers::{Caller, callers};
use errtrack_core::{
    Member, ProjectId, Role,
    alert::AlertRule,
    notify::Trigger,
    store::{AccountStore, AlertStore, IntegrationStore, ProjectStore},
};
use rows::{Needs, Row, rows};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What a row is asked about: made anew for each question, as some answers end it.
struct Things {
    issue: String,
    event: String,
    number: String,
    fingerprint: String,
    project: i64,
    key: String,
    member: String,
    alert: String,
    doomed: String,
    integration: String,
    delivery: String,
    incident: String,
    ticket: String,
}

impl Things {
    async fn made(app: &TestApp, project: &str, row: &Row) -> Self {
        let (mut issue, mut number) = (Value::Null, String::new());
        if row.asks_about("ISSUE") || row.asks_about("EVENT") || row.asks_about("NUMBER") {
            let report = json!({"message": format!("m{}", uuid::Uuid::new_v4()), "source": "s", "project": project});
            issue = app.post("/api/errors", &report).await.data();
            let name = issue["id"].as_str().unwrap().parse().unwrap();
            use errtrack_core::store::IssueStore;
            number = app.store.issue(&name).await.unwrap().unwrap().id.to_string();
        }
        let text = |name: &str| issue[name].as_str().unwrap_or_default().to_owned();
        let (mut key, mut member) = (String::new(), String::new());
        if row.asks_about("KEY") {
            key = app.make_key(json!({"name": "k", "permissions": ["read"]})).await.0;
        }
        if row.asks_about("MEMBER") {
            let jun = Member::new(&format!("{}@example.com", uuid::Uuid::new_v4()), Role::Viewer);
            app.store.add_member(&jun).await.unwrap();
            member = jun.id.to_string();
        }
        let mut doomed = String::new();
        if row.asks_about("DOOMED") {
            let slug = format!("d{}", uuid::Uuid::new_v4().simple());
            doomed = app.store.ensure_project(&slug).await.unwrap().id.to_string();
        }
        let (mut integration, mut delivery) = (String::new(), String::new());
        if row.asks_about("INTEGRATION") {
            integration = format!("i{}", uuid::Uuid::new_v4().simple());
            let config = r#"{"type":"slack","settings":{"webhook_url":"http://127.0.0.1:9/x"}}"#;
            app.store.put_integration(&integration, Some(config)).await.unwrap();
        }
        if row.asks_about("DELIVERY") {
            delivery = super::integrations::failed_delivery(app).await.to_string();
        }
        let mut incident = String::new();
        if row.asks_about("INCIDENT") {
            let new = json!({"title": "slow", "project": project, "issues": issue["id"].as_str().as_slice()});
            incident = app.post("/api/alerts/incidents", &new).await.data()["id"].as_str().unwrap().to_owned();
        }
        let mut ticket = String::new();
        if row.asks_about("TICKET") {
            let path = format!("/api/errors/{}/tickets", text("id"));
            let made = app.post(&path, &json!({"url": "https://example.com/1"})).await.data();
            ticket = made["id"].as_str().unwrap().to_owned();
        }
        let project = app.store.ensure_project(project).await.unwrap().id.0;
        let mut alert = String::new();
        if row.asks_about("ALERT") {
            let trigger = Some(Trigger::NewIssue);
            let (id, project) = (uuid::Uuid::new_v4(), Some(ProjectId(project)));
            let rule = AlertRule { id, project, name: "r".into(), trigger, ..AlertRule::default() };
            assert!(app.store.put_alert_rule(&rule).await.unwrap());
            alert = id.to_string();
        }
        let (fingerprint, event) = (text("fingerprint"), text("last_event_id"));
        Self {
            issue: text("id"),
            event,
            number,
            fingerprint,
            project,
            key,
            member,
            alert,
            doomed,
            integration,
            delivery,
            incident,
            ticket,
        }
    }

    fn put_into(&self, text: &str) -> String {
        text.replace("ISSUE", &self.issue)
            .replace("EVENT", &self.event)
            .replace("NUMBER", &self.number)
            .replace("FINGERPRINT", &self.fingerprint)
            .replace("PROJECT", &self.project.to_string())
            .replace("KEY", &self.key)
            .replace("MEMBER", &self.member)
            .replace("ALERT", &self.alert)
            .replace("DOOMED", &self.doomed)
            .replace("INTEGRATION", &self.integration)
            .replace("DELIVERY", &self.delivery)
            .replace("INCIDENT", &self.incident)
            .replace("TICKET", &self.ticket)
            .replace("NEW", &uuid::Uuid::new_v4().simple().to_string())
    }
}

impl Row {
    fn asks_about(&self, what: &str) -> bool {
        self.path.contains(what) || self.body.contains(what)
    }

    /// The status that a caller must get, where the things are of its project.
    fn expected(&self, caller: &Caller) -> u16 {
        let refused = |known: u16| match (caller.is_known, self.is_for_programs) {
            // A browser is led to the sign-in page.
            (false, false) => 303,
            (false, true) => 401,
            (true, _) => known,
        };
        let may = match self.needs {
            Needs::Nothing | Needs::Strangers => true,
            Needs::Ingest => caller.permissions.ingest,
            Needs::Read | Needs::Account | Needs::Member => caller.permissions.read,
            Needs::Write => caller.permissions.write,
            Needs::Admin => caller.permissions.admin,
            Needs::AdminOfAll => caller.permissions.admin && !caller.is_limited,
        };
        match self.needs {
            _ if !may => refused(403),
            Needs::Account if !caller.is_member => 404,
            Needs::Member if !caller.is_member => 403,
            Needs::Strangers if caller.is_known => 303,
            _ => self.status,
        }
    }

    /// The same where they are of a foreign project.
    fn expected_of_foreign(&self, caller: &Caller) -> u16 {
        let own = self.expected(caller);
        // What anybody may report, somebody without that permission reports as anybody.
        let as_anybody = self.needs == Needs::Nothing && !caller.permissions.ingest;
        if own == self.status && self.foreign != 0 && !as_anybody { self.foreign } else { own }
    }

    async fn ask(&self, app: &TestApp, caller: &Caller, project: &str) -> u16 {
        let things = Things::made(app, project, self).await;
        let (path, body) = (things.put_into(self.path), things.put_into(self.body));
        let path = path.replace("SLUG", project);
        let body = body.replace("SLUG", project);
        let kind = if !self.is_for_programs { "application/x-www-form-urlencoded" } else { "application/json" };
        let mut headers = vec![("content-type", kind), ("sec-fetch-site", "same-origin"), ("accept", "text/html")];
        headers.extend(caller.headers.iter().map(|(name, value)| (*name, value.as_str())));
        app.send(self.method, &path, &headers, body).await.status.as_u16()
    }
}

#[tokio::test]
async fn every_route_answers_everybody_with_the_status_that_it_must_have() {
    let app = TestApp::new().await;
    for project in ["mine", "theirs"] {
        app.store.ensure_project(project).await.unwrap();
    }
    let callers = callers(&app).await;
    let mut wrong = Vec::new();
    for row in rows() {
        for caller in &callers {
            let status = row.ask(&app, caller, "mine").await;
            let expected = row.expected(caller);
            if status != expected {
                wrong.push(format!("{} {} by {}: {status}, not {expected}", row.method, row.path, caller.name));
            }
            if caller.is_limited {
                let status = row.ask(&app, caller, "theirs").await;
                let expected = row.expected_of_foreign(caller);
                if status != expected {
                    let (method, path, name) = (row.method, row.path, caller.name);
                    wrong.push(format!("{method} {path} of a foreign project by {name}: {status}, not {expected}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn every_route_that_is_described_or_mounted_has_a_row_and_no_other() {
    let app = TestApp::new().await;
    let document = app.get("/openapi.json").await.json();
    let mut routes = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let needs = operation["security"][0]["key"][0].as_str().unwrap_or("nothing").to_owned();
            routes.insert((method.to_uppercase(), pattern(path), Some(needs)));
        }
    }
    let sources = [include_str!("../pages.rs"), include_str!("../mcp.rs")];
    for route in sources.iter().flat_map(|source| source.split(".route(\"").skip(1)) {
        let (path, handlers) = route.split_once('"').unwrap();
        let handlers = handlers.split("\n        .").next().unwrap().split("\n}").next().unwrap();
        let found = [("GET", "get("), ("POST", "post("), ("POST", "form()")];
        let found: Vec<_> = found.into_iter().filter(|(_, word)| handlers.contains(word)).collect();
        assert!(!found.is_empty(), "{path}: {handlers}");
        routes.extend(found.into_iter().map(|(method, _)| (method.to_owned(), pattern(path), None)));
    }
    let rows = rows();
    for (method, path, needs) in &routes {
        let is_it = |row: &&Row| row.method == method && row.is_page == needs.is_none() && fits(row.path, path);
        let row = rows.iter().find(is_it);
        let row = row.unwrap_or_else(|| panic!("{method} {path:?} has no row in the matrix"));
        if let Some(needs) = needs {
            assert_eq!(needs, row.needs.described(), "{method} {path:?} is described so");
        }
    }
    for row in &rows {
        let there = routes.iter().any(|(method, path, needs)| {
            row.method == method && row.is_page == needs.is_none() && fits(row.path, path)
        });
        assert!(there, "{} {} is no route any more", row.method, row.path);
    }
    assert_eq!(app.ask("GET", "/api/nowhere", KEY).await.status, 404);
}

/// A path in parts; one that is filled in is empty.
fn pattern(path: &str) -> Vec<String> {
    path.split('/').map(|part| if part.starts_with('{') { String::new() } else { part.to_owned() }).collect()
}

fn fits(path: &str, pattern: &[String]) -> bool {
    let path: Vec<&str> = path.split('?').next().unwrap().split('/').collect();
    path.len() == pattern.len() && path.iter().zip(pattern).all(|(part, wanted)| wanted.is_empty() || part == wanted)
}
