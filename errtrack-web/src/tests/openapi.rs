//! The description of the API is true.

mod schema;

use super::support::{KEY, PUBLIC_KEY, TestApp};
use schema::Schemas;
use serde_json::{Value, json};
use std::{collections::BTreeSet, fs, path::Path};

async fn document(app: &TestApp) -> Value {
    let answer = app.send("GET", "/openapi.json", &[], "").await;
    assert_eq!((answer.status.as_u16(), &answer.headers["content-type"]), (200, &"application/json".parse().unwrap()));
    answer.json()
}

#[tokio::test]
async fn the_document_stands_open_and_names_what_is_served() {
    let document = document(&TestApp::new().await).await;
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    assert_eq!(document["paths"]["/api/errors"]["get"]["security"][0]["key"][0], "read");
    for reference in document.to_string().split("\"$ref\":\"#").skip(1) {
        let path = reference.split('"').next().unwrap();
        assert!(document.pointer(path).is_some(), "{path} is nowhere");
    }
    let mut names = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let name = operation["operationId"].as_str().unwrap();
            assert!(names.insert(name.to_owned()), "{name} stands twice");
            assert!(operation["summary"].is_string() && operation["tags"][0].is_string(), "{method} {path}");
            let described = operation["parameters"].as_array().cloned().unwrap_or_default();
            assert!(described.iter().all(|p| p["description"].is_string()), "{method} {path}: {described:?}");
            for part in path.split('/').filter_map(|part| part.strip_prefix('{')) {
                let name = part.trim_end_matches(|c| c != '}').trim_end_matches('}');
                assert!(described.iter().any(|p| p["name"] == name && p["in"] == "path"), "{method} {path}");
            }
        }
    }
}

/// Routes are mounted by what describes them: but for Sentry's, the document itself and what catches unknown paths.
#[test]
fn nothing_is_mounted_that_is_not_described() {
    fn look(folder: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                look(&path, found);
            } else if fs::read_to_string(&path).unwrap().contains(".route(") {
                found.push(path.file_name().unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    look(&source.join("api"), &mut found);
    look(&source.join("ingest"), &mut found);
    found.sort();
    assert_eq!(found, ["openapi.rs", "routes.rs"], "the document and Sentry's protocol");
    let api = fs::read_to_string(source.join("api.rs")).unwrap();
    assert_eq!(api.matches(".route(").count(), 1, "in `unknown`");
}

#[tokio::test]
async fn the_reference_is_a_page_of_every_operation() {
    let app = TestApp::with_access(crate::Access::insecure_open()).await;
    let page = app.send("GET", "/docs", &[], "").await;
    let html = std::str::from_utf8(&page.body).unwrap();
    assert_eq!(page.status, 200, "{html}");
    let document = document(&app).await;
    for operation in Schemas::new(&document).operations() {
        assert!(html.contains(&format!(" id=\"{}\"", operation.name)), "{}", operation.name);
    }
    // Each type that is named leads somewhere.
    for link in html.split("href=\"#").skip(1) {
        let id = link.split('"').next().unwrap();
        assert!(html.contains(&format!(" id=\"{id}\"")), "{id}");
    }
}

/// How an operation is asked.
struct Ask {
    name: &'static str,
    path: &'static str,
    status: u16,
    body: Value,
}

fn ask(name: &'static str, path: &'static str, status: u16, body: Value) -> Ask {
    Ask { name, path, status, body }
}

/// Every operation, in an order in which each finds what it asks for. `EVENT` stands for the id of an event, `NUMBER` for that of an
/// issue, `INCIDENT` for that of an incident, `MADE` for the id of what was made last, `FINGERPRINT` for a group of the first issue.
fn every() -> Vec<Ask> {
    let report = json!({
        "message": "m", "source": "backend", "type": "E", "user_id": "ana", "release": "1.0", "tags": {"plan": "pro"},
        "stack_trace": "Error: x\n at Database.connect (db.js:45:3)", "context": {"n": 1}, "url": "https://h/x",
    });
    let app = json!({"errorCode": "C", "errorType": "T", "message": "m", "appId": "chat", "severity": "critical"});
    let tracker = json!({
        "project": "my-app", "exception_type": "ValueError", "message": "m", "request_headers": {"Accept": "*/*"},
        "extra": {"n": 1}, "user_id": "u",
    });
    let rules = json!({"rules": [{"name": "noise", "match": {"message": "m*"}, "action": "ignore"}]});
    let alert = json!({
        "name": "much", "condition": "error_count > threshold in time_window", "threshold": 50, "time_window": "5m",
        "notifications": ["email"], "project": "default", "open_incident": {"severity": "high", "resolve": true},
        "quiet_hours": {"from": "22:00", "until": "07:00", "utc_offset": 60}, "digest": "1h",
    });
    let key = json!({"name": "deploys", "permissions": ["ingest", "read"], "projects": ["default"]});
    let browser = super::push::browser("one");
    let member = json!({"email": "jun@example.com", "role": "developer"});
    vec![
        ask("health", "/health", 200, Value::Null),
        ask("create_error", "/api/errors", 201, report),
        ask("create_error", "/api/errors", 201, json!({"message": "n", "source": "backend"})),
        ask("create_error", "/api/errors", 400, json!({"message": "n"})),
        ask("create_app_error", "/api/v1/errors", 201, app.clone()),
        ask("create_app_error", "/api/v1/errors", 400, json!({})),
        ask("create_app_errors", "/api/v1/errors/batch", 200, json!({"errors": [app, {}]})),
        ask("tracker_create_error", "/error-tracker/api/errors", 201, tracker.clone()),
        ask("tracker_create_error", "/error-tracker/api/errors", 200, tracker),
        ask("tracker_list_errors", "/error-tracker/api/errors?limit=200&resolved=false", 200, Value::Null),
        ask("tracker_show_error", "/error-tracker/api/errors/NUMBER", 200, Value::Null),
        ask("tracker_resolve_error", "/error-tracker/api/errors/NUMBER/resolve", 200, Value::Null),
        ask("tracker_list_projects", "/error-tracker/api/projects", 200, Value::Null),
        ask("tracker_health", "/error-tracker/health", 200, Value::Null),
        ask("list_errors", "/api/errors?limit=2&sort=count&tag=plan:pro&level=error&user=ana", 200, Value::Null),
        ask("list_errors", "/api/errors?limit=0", 400, Value::Null),
        ask("show_error", "/api/errors/DEFAULT-1", 200, Value::Null),
        ask("show_error", "/api/errors/DEFAULT-99", 404, Value::Null),
        ask("show_error_as_markdown", "/api/errors/DEFAULT-1.md", 200, Value::Null),
        ask("list_events", "/api/errors/DEFAULT-1/events?limit=1", 200, Value::Null),
        ask("show_event", "/api/events/EVENT", 200, Value::Null),
        ask("pin_event", "/api/events/EVENT/pin", 200, Value::Null),
        ask("unpin_event", "/api/events/EVENT/pin", 200, Value::Null),
        ask("resolve_error", "/api/errors/DEFAULT-1/resolve", 200, Value::Null),
        ask("unresolve_error", "/api/errors/DEFAULT-1/unresolve", 200, Value::Null),
        ask("ignore_error", "/api/errors/DEFAULT-1/ignore", 200, Value::Null),
        ask("resolve_error", "/api/errors/DEFAULT-1/resolve", 200, json!({"in_release": "next"})),
        ask(
            "ignore_error",
            "/api/errors/DEFAULT-1/ignore",
            200,
            json!({"until_count": 50, "until": "2100-01-01T00:00:00Z"}),
        ),
        ask("assign_error", "/api/errors/DEFAULT-1/assign", 200, json!({"assigned_to": "ana@example.com"})),
        ask(
            "change_errors",
            "/api/errors/bulk",
            200,
            json!({"ids": ["DEFAULT-1", "DEFAULT-2"], "action": "unresolve"}),
        ),
        ask("create_comment", "/api/errors/DEFAULT-1/comments", 201, json!({"text": "seen *before*"})),
        ask("list_comments", "/api/errors/DEFAULT-1/comments", 200, Value::Null),
        ask(
            "create_ticket",
            "/api/errors/DEFAULT-1/tickets",
            201,
            json!({"url": "https://example.com/1", "title": "t"}),
        ),
        ask("create_ticket", "/api/errors/DEFAULT-1/tickets", 409, json!({"url": "https://example.com/1"})),
        ask("create_ticket", "/api/errors/DEFAULT-1/tickets", 400, json!({"integration": "github", "note": "n"})),
        ask("list_tickets", "/api/errors/DEFAULT-1/tickets", 200, Value::Null),
        ask("show_error", "/api/errors/DEFAULT-1", 200, Value::Null),
        ask("delete_ticket", "/api/errors/DEFAULT-1/tickets/MADE", 204, Value::Null),
        ask("delete_ticket", "/api/errors/DEFAULT-1/tickets/MADE", 404, Value::Null),
        ask("merge_errors", "/api/errors/merge", 200, json!({"ids": ["DEFAULT-1", "DEFAULT-2"]})),
        ask("list_groups", "/api/errors/DEFAULT-1/groups", 200, Value::Null),
        ask("unmerge_error", "/api/errors/DEFAULT-1/unmerge", 200, json!({"fingerprints": ["FINGERPRINT"]})),
        ask("show_stats", "/api/stats?project=default&environment=production", 200, Value::Null),
        ask("show_trends", "/api/analytics/trends?period=month&group_by=week", 200, Value::Null),
        ask("show_trends", "/api/analytics/trends?period=decade", 400, Value::Null),
        ask("show_performance", "/api/analytics/performance?timeframe=24h", 200, Value::Null),
        ask("show_performance", "/api/analytics/performance?timeframe=2h", 400, Value::Null),
        ask("show_services", "/api/monitoring/services", 200, Value::Null),
        ask("show_machine", "/api/monitoring/metrics?timeframe=30d", 200, Value::Null),
        ask("show_machine", "/api/monitoring/metrics?timeframe=5m", 400, Value::Null),
        ask("show_services_history", "/api/monitoring/history?timeframe=7d", 200, Value::Null),
        ask("show_services_history", "/api/monitoring/history?timeframe=5m", 400, Value::Null),
        ask("show_uptime", "/api/monitoring/uptime", 200, Value::Null),
        ask("show_balance", "/api/monitoring/balance", 200, Value::Null),
        ask("metrics", "/metrics", 200, Value::Null),
        ask("live", "/api/live", 200, Value::Null),
        ask("create_alert_rule", "/api/alerts/rules", 201, alert.clone()),
        ask("create_alert_rule", "/api/alerts/rules", 400, json!({"name": "x", "condition": "much"})),
        ask("list_alert_rules", "/api/alerts/rules", 200, Value::Null),
        ask("show_alert_rule", "/api/alerts/rules/MADE", 200, Value::Null),
        ask("change_alert_rule", "/api/alerts/rules/MADE", 200, json!({"enabled": false, "cooldown": "1h"})),
        ask("alert_rule_history", "/api/alerts/rules/MADE/history?limit=3", 200, Value::Null),
        ask("preview_alert_rule", "/api/alerts/rules/preview", 200, alert),
        ask("delete_alert_rule", "/api/alerts/rules/MADE", 204, Value::Null),
        ask("show_alert_rule", "/api/alerts/rules/MADE", 404, Value::Null),
        ask(
            "create_incident",
            "/api/alerts/incidents",
            201,
            json!({"title": "slow", "severity": "high", "project": "default", "issues": ["DEFAULT-1"], "channels": ["slack"]}),
        ),
        ask("create_incident", "/api/alerts/incidents", 400, json!({"title": " "})),
        ask("list_incidents", "/api/alerts/incidents?open=true&severity=high&issue=DEFAULT-1", 200, Value::Null),
        ask("list_incidents", "/api/alerts/incidents?status=over", 400, Value::Null),
        ask(
            "update_incident",
            "/api/alerts/incidents/INCIDENT",
            200,
            json!({"status": "resolved", "note": "rolled back"}),
        ),
        ask("update_incident", "/api/alerts/incidents/INCIDENT", 400, json!({"severity": 3})),
        ask("comment_on_incident", "/api/alerts/incidents/INCIDENT/comments", 201, json!({"text": "seen"})),
        ask("link_issues", "/api/alerts/incidents/INCIDENT/issues", 200, json!({"ids": ["DEFAULT-2"]})),
        ask("unlink_issue", "/api/alerts/incidents/INCIDENT/issues/DEFAULT-2", 200, Value::Null),
        ask("show_incident", "/api/alerts/incidents/INCIDENT", 200, Value::Null),
        ask("show_incident_timeline", "/api/alerts/incidents/INCIDENT/timeline?limit=2", 200, Value::Null),
        ask("delete_incident", "/api/alerts/incidents/INCIDENT", 204, Value::Null),
        ask("show_incident", "/api/alerts/incidents/INCIDENT", 404, Value::Null),
        ask("show_retention", "/api/settings/retention", 200, Value::Null),
        ask("preview_retention", "/api/settings/retention/preview", 200, Value::Null),
        ask("run_retention", "/api/settings/retention/run", 200, Value::Null),
        ask("list_set_aside", "/api/settings/set-aside?limit=3", 200, Value::Null),
        ask("list_projects", "/api/settings/projects", 200, Value::Null),
        ask("create_project", "/api/settings/projects", 201, json!({"slug": "shop", "id": 40})),
        ask("create_project", "/api/settings/projects", 409, json!({"slug": "shop"})),
        ask("update_project", "/api/settings/projects/40", 200, json!({"name": "Shop", "platform": "rust"})),
        ask("add_public_key", "/api/settings/projects/40/keys", 201, json!({"public_key": "old-key"})),
        ask("remove_public_key", "/api/settings/projects/40/keys/old-key", 204, Value::Null),
        ask("delete_project", "/api/settings/projects/40", 204, Value::Null),
        ask(
            "put_project_retention",
            "/api/settings/projects/1/retention",
            200,
            json!({"age_days": 30, "events": null}),
        ),
        ask("put_project_quota", "/api/settings/projects/1/quota", 200, json!({"events_per_month": 1_000_000})),
        ask("show_project_quota", "/api/settings/projects/1/quota", 200, Value::Null),
        ask("show_project_retention", "/api/settings/projects/1/retention", 200, Value::Null),
        ask("preview_rules", "/api/settings/projects/1/rules/preview", 200, rules.clone()),
        ask("put_rules", "/api/settings/projects/1/rules", 200, rules),
        ask("show_rules", "/api/settings/projects/1/rules", 200, Value::Null),
        ask("put_ownership", "/api/settings/projects/1/ownership", 200, json!({"text": "# nobody", "assign": true})),
        ask("put_ownership", "/api/settings/projects/1/ownership", 400, json!({"text": "x"})),
        ask("show_ownership", "/api/settings/projects/1/ownership", 200, Value::Null),
        ask("put_sanitizer", "/api/settings/projects/1/sanitizer", 200, json!({"filter_keys": ["loyalty"]})),
        ask("show_sanitizer", "/api/settings/projects/1/sanitizer", 200, Value::Null),
        ask("preview_sanitizer", "/api/settings/projects/1/sanitizer/preview", 200, json!({"text": "loyalty=1"})),
        ask("create_api_key", "/api/settings/api-keys", 201, key),
        ask("create_api_key", "/api/settings/api-keys", 400, json!({"name": "deploys"})),
        ask("list_api_keys", "/api/settings/api-keys", 200, Value::Null),
        ask("revoke_api_key", "/api/settings/api-keys/MADE", 204, Value::Null),
        ask("invite_member", "/api/settings/team/invite", 201, member.clone()),
        ask("invite_member", "/api/settings/team/invite", 400, json!({"email": "jun@example.com"})),
        ask("list_members", "/api/settings/team", 200, Value::Null),
        ask("change_member", "/api/settings/team/MADE", 200, json!({"name": "Jun", "projects": ["default"]})),
        ask("reset_password", "/api/settings/team/MADE/reset", 409, Value::Null),
        ask("change_member", "/api/settings/team/MADE", 200, json!({"status": "disabled", "projects": null})),
        ask("change_member", "/api/settings/team/MADE", 200, json!({"status": "active"})),
        ask("invite_member", "/api/settings/team/invite", 409, member),
        ask("reset_password", "/api/settings/team/MADE/reset", 201, Value::Null),
        ask("remove_member", "/api/settings/team/MADE", 204, Value::Null),
        ask("remove_member", "/api/settings/team/MADE", 404, Value::Null),
        ask(
            "set_integration",
            "/api/settings/integrations/chat",
            200,
            json!({"type": "slack", "config": {"webhook_url": "http://127.0.0.1:9/x"}}),
        ),
        ask(
            "set_integration",
            "/api/settings/integrations/chat",
            400,
            json!({"config": {"channel": 7, "webhook_url": "x"}}),
        ),
        ask("list_integrations", "/api/settings/integrations", 200, Value::Null),
        ask("test_integration", "/api/settings/integrations/chat/test", 200, Value::Null),
        ask("delete_integration", "/api/settings/integrations/chat", 204, Value::Null),
        ask("delete_integration", "/api/settings/integrations/chat", 404, Value::Null),
        ask("list_deliveries", "/api/settings/deliveries?state=failed&limit=5", 200, Value::Null),
        ask("list_deliveries", "/api/settings/deliveries?state=lost", 400, Value::Null),
        ask("retry_delivery", "/api/settings/deliveries/01920000-0000-7000-8000-000000000000/retry", 404, Value::Null),
        ask("list_push_subscriptions", "/api/push/subscriptions", 200, Value::Null),
        ask("add_push_subscription", "/api/push/subscriptions", 201, browser.clone()),
        ask("add_push_subscription", "/api/push/subscriptions", 200, browser),
        ask("add_push_subscription", "/api/push/subscriptions", 400, json!({"endpoint": "x"})),
        ask("list_push_subscriptions", "/api/push/subscriptions", 200, Value::Null),
        ask("test_push_subscription", "/api/push/subscriptions/MADE/test", 200, Value::Null),
        ask("remove_push_subscription", "/api/push/subscriptions/MADE", 204, Value::Null),
        ask("remove_push_subscription", "/api/push/subscriptions/MADE", 404, Value::Null),
        ask("audit_log", "/api/settings/audit?limit=5", 200, Value::Null),
        ask("export_user", "/api/users/ana/export", 200, Value::Null),
        ask("erase_user", "/api/users/ana", 200, Value::Null),
        ask("delete_error", "/api/errors/DEFAULT-2", 204, Value::Null),
    ]
}

#[tokio::test]
async fn every_operation_answers_as_it_is_described() {
    let app = super::push::app().await;
    let (_, cookie) = super::push::signed_in(&app, "ana").await;
    let document = document(&app).await;
    let schemas = Schemas::new(&document);
    let operations = schemas.operations();
    let mut asked = BTreeSet::new();
    let (mut event, mut number) = (String::new(), String::new());
    let (mut fingerprint, mut made, mut incident) = (String::new(), String::new(), String::new());
    let replace = |target: &mut String, value: &Value| target.replace_range(.., value.as_str().unwrap());
    for Ask { name, path, status, body } in every() {
        let operation = operations.iter().find(|operation| operation.name == name);
        let operation = operation.unwrap_or_else(|| panic!("{name} is not described"));
        let path = path
            .replace("EVENT", &event)
            .replace("NUMBER", &number)
            .replace("MADE", &made)
            .replace("INCIDENT", &incident);
        operation.assert_is(&path);
        let text = if body.is_null() { String::new() } else { body.to_string().replace("FINGERPRINT", &fingerprint) };
        // A key has no browser.
        let of_member =
            operation.name.ends_with("_push_subscription") || operation.name.ends_with("_push_subscriptions");
        let own = if of_member { ("cookie", cookie.as_str()) } else { ("x-api-key", KEY) };
        let headers = [own, ("x-app-key", PUBLIC_KEY)];
        let answer = app.send(&operation.method, &path, &headers, text).await;
        assert_eq!(answer.status, status, "{name}: {:?}", answer.body);
        if status < 300 && !body.is_null() {
            schemas.check_body(operation, &body);
        }
        schemas.check_answer(operation, answer.status.as_u16(), &answer.headers, &answer.body);
        let is_text = path.ends_with(".md") || ["/metrics", "/api/live"].contains(&path.as_str());
        if status < 300 && !answer.body.is_empty() && !is_text {
            let json = answer.json();
            if name == "create_error" {
                replace(&mut event, &json["data"]["last_event_id"]);
                replace(&mut fingerprint, &json["data"]["fingerprint"]);
            } else if name == "create_incident" {
                replace(&mut incident, &json["data"]["id"]);
            } else if let "create_api_key"
            | "invite_member"
            | "create_alert_rule"
            | "create_ticket"
            | "add_push_subscription" = name
            {
                replace(&mut made, &json["data"]["id"]);
            } else if let ("tracker_create_error", Some(id)) = (name, json["id"].as_i64()) {
                number = id.to_string();
            }
        }
        asked.insert(name);
    }
    let described: BTreeSet<_> = operations.iter().map(|operation| operation.name.as_str()).collect();
    let missing: Vec<_> = described.difference(&asked).collect();
    assert!(missing.is_empty(), "described but never asked: {missing:?}");
}

#[tokio::test]
async fn the_check_of_the_schemas_finds_what_is_wrong() {
    let app = TestApp::new().await;
    let document = document(&app).await;
    let schemas = Schemas::new(&document);
    let schema = json!({"$ref": "#/components/schemas/Frame_Changed"});
    assert_eq!(schemas.problem(&schema, &json!({"data": {"status": "resolved"}, "status": "success"})), None);
    for wrong in [
        json!({"data": {"status": "resolved"}, "status": "error"}),
        json!({"data": {"status": "open"}, "status": "success"}),
        json!({"data": {}, "status": "success"}),
        json!({"data": {"status": "resolved", "more": 1}, "status": "success"}),
        json!([]),
    ] {
        assert!(schemas.problem(&schema, &wrong).is_some(), "{wrong}");
    }
}
