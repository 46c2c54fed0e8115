//! What belongs to a foreign project is not there.

use super::support::{Answer, TestApp};
use crate::{Access, Guest, Role};
use errtrack_core::store::ProjectStore;
use serde_json::{Value, json};

/// A host that believes its requests: `x-projects` names the projects that somebody may see, all without it.
async fn app() -> TestApp {
    TestApp::with_access(Access::host(|request| {
        let role = request.headers.get("x-role").and_then(|role| role.to_str().ok()?.parse().ok());
        let guest = Guest::new(role.unwrap_or(Role::Admin));
        let projects = request.headers.get("x-projects").and_then(|slugs| slugs.to_str().ok());
        Some(match projects {
            Some(slugs) => guest.projects(slugs.split(',')),
            None => guest,
        })
    }))
    .await
}

impl TestApp {
    async fn of_mine(&self, method: &str, path: &str, body: &Value) -> Answer {
        let form = [("x-projects", "mine"), ("sec-fetch-site", "same-origin")];
        self.send(method, path, &form, body.to_string()).await
    }

    async fn report_to(&self, project: &str) -> Value {
        let body = json!({"message": "m", "source": "s", "project": project});
        self.post("/api/errors", &body).await.data()
    }
}

#[tokio::test]
async fn issues_events_and_settings_of_foreign_projects_are_not_found() {
    let app = app().await;
    let (mine, theirs) = (app.report_to("mine").await, app.report_to("theirs").await);
    let theirs_id = app.store.ensure_project("theirs").await.unwrap().id;
    let form = json!({});
    let paths = |issue: &Value| {
        let (id, short) = (issue["id"].as_str().unwrap().to_owned(), issue["short_id"].as_str().unwrap().to_owned());
        let event = issue["last_event_id"].as_str().unwrap().to_owned();
        vec![
            ("GET", format!("/api/errors/{id}")),
            ("GET", format!("/api/errors/{short}")),
            ("GET", format!("/api/errors/{id}/events")),
            ("GET", format!("/api/errors/{id}/groups")),
            ("GET", format!("/api/events/{event}")),
            ("PUT", format!("/api/events/{event}/pin")),
            ("DELETE", format!("/api/events/{event}/pin")),
            ("PUT", format!("/api/errors/{id}/resolve")),
            ("PUT", format!("/api/errors/{id}/unresolve")),
            ("PUT", format!("/api/errors/{id}/ignore")),
            ("GET", format!("/issues/{short}")),
        ]
    };
    for ((method, own), (_, foreign)) in paths(&mine).into_iter().zip(paths(&theirs)) {
        assert_eq!(app.of_mine(method, &own, &form).await.status, 200, "{method} {own}");
        assert_eq!(app.of_mine(method, &foreign, &form).await.status, 404, "{method} {foreign}");
    }
    for (method, path) in [
        ("DELETE", format!("/api/errors/{}", theirs["id"].as_str().unwrap())),
        ("POST", format!("/api/errors/{}/unmerge", theirs["id"].as_str().unwrap())),
        ("GET", format!("/api/settings/projects/{theirs_id}/rules")),
        ("PUT", format!("/api/settings/projects/{theirs_id}/rules")),
        ("POST", format!("/api/settings/projects/{theirs_id}/rules/preview")),
        ("GET", format!("/api/settings/projects/{theirs_id}/sanitizer")),
        ("PUT", format!("/api/settings/projects/{theirs_id}/sanitizer")),
        ("POST", format!("/api/settings/projects/{theirs_id}/sanitizer/preview")),
        ("GET", "/settings/rules?project=theirs".to_owned()),
        ("GET", "/settings/privacy?project=theirs".to_owned()),
        ("GET", "/start?project=theirs".to_owned()),
    ] {
        let body = json!({"fingerprints": [], "rules": [], "text": ""});
        assert_eq!(app.of_mine(method, &path, &body).await.status, 404, "{method} {path}");
    }
    let merge = json!({"ids": [mine["id"], theirs["id"]]});
    assert_eq!(app.of_mine("POST", "/api/errors/merge", &merge).await.status, 404);
    let path = format!("/api/errors/{}", theirs["id"].as_str().unwrap());
    assert_eq!(app.get(&path).await.data()["status"], "unresolved", "it is as it was");
}

#[tokio::test]
async fn lists_and_sums_leave_foreign_projects_out() {
    let app = app().await;
    for project in ["mine", "theirs", "theirs"] {
        app.report_to(project).await;
    }
    let list = app.of_mine("GET", "/api/errors", &Value::Null).await.data();
    assert_eq!((&list["total"], &list["errors"][0]["project"]), (&1.into(), &"mine".into()));
    assert_eq!(app.of_mine("GET", "/api/errors?project=theirs", &Value::Null).await.data()["total"], 0);
    assert_eq!(app.get("/api/errors").await.data()["total"], 2);
    let balance = app.of_mine("GET", "/api/monitoring/balance", &Value::Null).await.data();
    assert_eq!((&balance["total"]["captured"], &balance["projects"][0]["project"]), (&1.into(), &"mine".into()));
    assert_eq!(balance["projects"].as_array().unwrap().len(), 1);
    for query in ["", "?project=theirs"] {
        let (own, all) = (i64::from(query.is_empty()), if query.is_empty() { 3 } else { 2 });
        let path = format!("/api/stats{query}");
        assert_eq!(app.of_mine("GET", &path, &Value::Null).await.data()["total_events"], own, "{path}");
        assert_eq!(app.get(&path).await.data()["total_events"], all, "{path}");
        let path = format!("/api/analytics/trends{query}");
        assert_eq!(
            app.of_mine("GET", &path, &Value::Null).await.data()["data_points"][6]["error_count"],
            own,
            "{path}"
        );
    }
    for path in ["/metrics", "/issues", "/issues?q=", "/settings/system", "/settings/rules", "/start"] {
        let answer = app.of_mine("GET", path, &Value::Null).await;
        let text = String::from_utf8_lossy(&answer.body);
        assert_eq!(answer.status, 200, "{path}");
        assert!(!text.to_lowercase().contains("theirs"), "{path} shows a foreign project: {text}");
    }
}

#[tokio::test]
async fn reports_go_only_into_the_projects_of_a_key() {
    let app = app().await;
    let report = |project: Option<&str>| json!({"message": "m", "source": "s", "project": project});
    assert_eq!(app.of_mine("POST", "/api/errors", &report(Some("mine"))).await.status, 403, "nobody has made it yet");
    for project in ["mine", "theirs"] {
        app.report_to(project).await;
    }
    for (project, status) in [(Some("mine"), 201), (None, 201), (Some("theirs"), 403), (Some("new"), 403)] {
        let answer = app.of_mine("POST", "/api/errors", &report(project)).await;
        assert_eq!(answer.status, status, "{project:?}");
        if status == 201 {
            assert_eq!(answer.data()["project"], "mine");
        }
    }
    let legacy = json!({"project": "theirs", "exception_type": "E", "message": "m"});
    assert_eq!(app.of_mine("POST", "/error-tracker/api/errors", &legacy).await.status, 403);
    let mobile = json!({"appId": "theirs", "errorCode": "c", "errorType": "t", "message": "m"});
    assert_eq!(app.of_mine("POST", "/api/v1/errors", &mobile).await.status, 400);
    assert_eq!(app.get("/api/errors?project=theirs").await.data()["errors"][0]["count"], 1);
    assert!(app.store.projects().await.unwrap().iter().all(|project| project.slug != "new"));
}

#[tokio::test]
async fn what_concerns_everybody_is_closed_to_admins_of_some_projects() {
    let app = app().await;
    app.report_to("mine").await;
    for (method, path) in [
        ("GET", "/api/settings/retention"),
        ("POST", "/api/settings/retention/preview"),
        ("POST", "/api/settings/retention/run"),
        ("GET", "/api/settings/set-aside"),
        ("POST", "/settings/system/retention"),
    ] {
        assert_eq!(app.of_mine(method, path, &Value::Null).await.status, 403, "{method} {path}");
    }
}
