//! `/api/alerts/rules`: kept, tried, and what they had to say.

use super::support::{KEY, READ_KEY, TestApp, WRITE_KEY};
use errtrack_core::{Timestamp, store::OutboxQuery, store::OutboxStore};
use serde_json::{Value, json};

const RULES: &str = "/api/alerts/rules";

impl TestApp {
    async fn rule(&self, rule: &Value) -> Value {
        let answer = self.send("POST", RULES, &[("x-api-key", WRITE_KEY)], rule.to_string()).await;
        assert_eq!(answer.status.as_u16(), 201, "{:?}", answer.body);
        answer.data()
    }

    async fn report(&self, message: &str) -> String {
        let body = json!({"message": message, "source": "backend", "environment": "production", "level": "error"});
        let answer = self.post("/api/errors", &body).await;
        assert!(answer.status.is_success(), "{:?}", answer.body);
        answer.data()["short_id"].as_str().unwrap().to_owned()
    }

    /// Asks the rules until nothing is left to look at; the process asks them by itself meanwhile.
    async fn ask_rules(&self) {
        self.tracker.evaluate_alerts(Timestamp::now()).await.unwrap();
        TestApp::until("all signals are looked at", async || {
            use errtrack_core::store::AlertStore;
            self.store.signals(1).await.unwrap().is_empty()
        })
        .await;
    }
}

#[tokio::test]
async fn a_rule_has_the_fields_of_the_rest_document() {
    let app = TestApp::new().await;
    assert_eq!(app.get(RULES).await.data(), json!({"rules": []}));
    let made = app
        .rule(&json!({
            "name": "High Error Rate",
            "condition": "error_count > threshold in time_window",
            "threshold": 50,
            "time_window": "5m",
            "notifications": ["email", "slack"],
            "enabled": true
        }))
        .await;
    for (field, expected) in [
        ("name", json!("High Error Rate")),
        ("condition", json!("error_count > threshold in time_window")),
        ("threshold", json!(50)),
        ("time_window", json!("5m")),
        ("enabled", json!(true)),
        ("notifications", json!(["email", "slack"])),
        ("last_triggered", Value::Null),
        ("cooldown", json!("5m")),
        ("project", Value::Null),
        ("open_incident", Value::Null),
        ("firing", json!(false)),
    ] {
        assert_eq!(made[field], expected, "{field}");
    }
    assert!(made["created_at"].as_str().unwrap().parse::<Timestamp>().is_ok());
    let rule = format!("{RULES}/{}", made["id"].as_str().unwrap());
    assert_eq!(app.get(&rule).await.data(), made);
    assert_eq!(app.get(RULES).await.data()["rules"], json!([made]));
    // A literal condition says threshold and window too.
    let change = json!({"condition": "error_count >= 7 in 2 hours", "threshold": null, "time_window": null,
        "project": "default", "cooldown": "1d", "open_incident": {"severity": "high", "resolve": true},
        "quiet_hours": {"from": "22:00", "until": "07:00"}});
    let changed = app.send("PUT", &rule, &[("x-api-key", WRITE_KEY)], change.to_string()).await.data();
    for (field, expected) in [
        ("name", json!("High Error Rate")),
        ("threshold", json!(7)),
        ("time_window", json!("2h")),
        ("project", json!("default")),
        ("cooldown", json!("1d")),
        ("open_incident", json!({"severity": "high", "resolve": true})),
        ("quiet_hours", json!({"from": "22:00", "until": "07:00", "utc_offset": 0})),
        ("created_at", made["created_at"].clone()),
    ] {
        assert_eq!(changed[field], expected, "{field}");
    }
    assert_eq!(app.ask("DELETE", &rule, READ_KEY).await.status, 403);
    assert_eq!(app.ask("DELETE", &rule, WRITE_KEY).await.status, 204);
    assert_eq!(app.ask("DELETE", &rule, KEY).await.status, 404);
    assert_eq!(app.get(&format!("{RULES}/nonsense")).await.error(400), "id: must be the UUID of a rule");
}

#[tokio::test]
async fn what_is_wrong_is_told_by_its_field_and_nothing_is_kept() {
    let app = TestApp::new().await;
    let good = json!({"name": "r", "condition": "error_count > 5 in 5m"});
    for (field, value, expected) in [
        ("name", json!(""), "name: must not be empty"),
        ("name", json!(7), "name: must be a string"),
        ("condition", json!("error_count = 5 in 5m"), "condition: column 13: expected >, >=, < or <=, found ="),
        ("condition", json!(null), "condition: is missing, and there is no trigger"),
        (
            "condition",
            json!("error_count > 5 in 5m where user = 2"),
            "condition: column 29: expected project, environment, level, release, source or tag.NAME, which error_count can be narrowed to, found user",
        ),
        ("condition", json!("error_count > 5 in 5m where project = nope"), "condition: there is no project nope"),
        ("condition", json!("error_count > threshold in 5m"), "threshold: is missing; the condition names it"),
        ("threshold", json!("50"), "threshold: must be a number"),
        ("time_window", json!("soon"), "time_window: column 1: expected a window like 5m"),
        ("trigger", json!("spike"), "trigger: cannot stand beside a condition"),
        ("trigger", json!("earthquake"), "trigger: must be one of new_issue, regression"),
        ("notifications", json!("email"), "notifications: must be a list of texts"),
        ("notifications", json!(["E-Mail!"]), "notifications: needs at most 20 names of channels"),
        ("enabled", json!("yes"), "enabled: must be true or false"),
        ("project", json!("nope"), "project: there is no project nope"),
        ("cooldown", json!("1 s"), "cooldown: column 3: expected minutes"),
        ("quiet_hours", json!({"from": "25:00", "until": "07:00"}), "quiet_hours: is no time of day like 07:30"),
        ("open_incident", json!({"severity": "bad"}), "open_incident: severity needs to be low"),
        ("min_level", json!("error"), "min_level: is for rules with a trigger"),
        ("filter", json!("release = 1"), "filter: is for rules with a trigger"),
        (
            "condition",
            json!("p95_ms > 5 in 5m where release = 2"),
            "condition: column 24: expected project, which p95_ms",
        ),
    ] {
        let mut rule = good.clone();
        rule[field] = value;
        for path in [RULES.to_owned(), format!("{RULES}/preview")] {
            if field == "name" && path.ends_with("preview") {
                continue;
            }
            let answer = app.send("POST", &path, &[("x-api-key", KEY)], rule.to_string()).await;
            let error = answer.error(400);
            assert!(error.starts_with(expected), "{path} {field}: {error}");
        }
    }
    assert_eq!(app.get(RULES).await.data(), json!({"rules": []}));
}

#[tokio::test]
async fn a_preview_counts_what_is_stored() {
    let app = TestApp::new().await;
    for _ in 0..4 {
        app.report("m").await;
    }
    let preview = async |rule: Value| {
        let answer = app.send("POST", &format!("{RULES}/preview"), &[("x-api-key", KEY)], rule.to_string()).await;
        answer.data()["preview"].clone()
    };
    let effect = preview(json!({"condition": "error_count > 3 in 1h where environment = production"})).await;
    assert_eq!((&effect["firings"], &effect["value"], &effect["days"]), (&json!(1), &json!(4), &json!(7)));
    assert_eq!(effect["summary"], "It would have fired once in the last 7 days.");
    assert_eq!(preview(json!({"condition": "error_count > 4 in 1h"})).await["firings"], 0);
    assert_eq!(preview(json!({"condition": "error_count > 0 in 1h where environment = staging"})).await["firings"], 0);
    assert_eq!(preview(json!({"condition": "new_issue_count >= 1 in 5m where level = error"})).await["firings"], 1);
    assert_eq!(preview(json!({"trigger": "new_issue"})).await["firings"], 1);
    let unknown = preview(json!({"condition": "p95_ms > 1 in 1h"})).await;
    assert_eq!((&unknown["firings"], &unknown["value"]), (&Value::Null, &Value::Null));
    let narrowed = preview(json!({"condition": "error_count > 3 in 1h where source = backend"})).await;
    assert_eq!((&narrowed["firings"], &narrowed["value"]), (&json!(1), &json!(0)), "what is kept is looked at");
    let summary = narrowed["summary"].as_str().unwrap();
    assert!(
        summary.contains("once in the last 7 days") && summary.contains("a rule counts all from now on"),
        "{summary}"
    );
    let milestone = preview(json!({"trigger": "milestone", "filter": "source = backend"})).await;
    assert_eq!(milestone["firings"], 0);
    let summary = milestone["summary"].as_str().unwrap();
    assert!(summary.starts_with("It would not have fired since 20"), "{summary}");
    assert_eq!(preview(json!({"trigger": "spike"})).await["firings"], 0);
    assert_eq!(app.get(RULES).await.data(), json!({"rules": []}), "nothing is kept");
}

#[tokio::test]
async fn a_rule_with_a_trigger_asks_for_what_its_event_says() {
    let app = TestApp::new().await;
    let filter = "source = backend and tag.team = payments";
    let rule = json!({"name": "new", "trigger": "new_issue", "notifications": ["email"], "filter": filter});
    let rule = app.rule(&rule).await;
    assert_eq!(rule["filter"], filter);
    for team in ["payments", "search"] {
        let body = json!({"message": format!("of {team}"), "source": "backend", "tags": {"team": team}});
        assert!(app.post("/api/errors", &body).await.status.is_success());
    }
    app.ask_rules().await;
    let path = format!("{RULES}/{}", rule["id"].as_str().unwrap());
    let said = app.get(&format!("{path}/history")).await.data()["history"].clone();
    assert_eq!(said.as_array().unwrap().len(), 1, "{said}");
    assert!(said[0]["title"].as_str().unwrap().contains("of payments"), "{said}");
    let changed = app.send("PUT", &path, &[("x-api-key", KEY)], json!({"filter": null}).to_string()).await;
    assert_eq!(changed.data()["filter"], Value::Null);
}

#[tokio::test]
async fn what_a_rule_said_is_listed_with_the_outcome_of_each_channel() {
    let app = TestApp::new().await;
    let rule =
        json!({"name": "back", "trigger": "regression", "notifications": ["email", "nowhere"], "min_level": "error"});
    let regressions = app.rule(&rule).await;
    let many = app.rule(&json!({"name": "many", "condition": "error_count > 2 in 5m", "notifications": []})).await;
    let off =
        app.rule(&json!({"name": "off", "trigger": "new_issue", "notifications": ["email"], "enabled": false})).await;
    let issue = app.report("m").await;
    app.put(&format!("/api/errors/{issue}/resolve")).await;
    app.report("m").await;
    app.report("m").await;
    app.ask_rules().await;
    let history = async |rule: &Value| {
        let path = format!("{RULES}/{}/history", rule["id"].as_str().unwrap());
        app.get(&path).await.data()["history"].clone()
    };
    let said = history(&regressions).await;
    assert_eq!(said.as_array().unwrap().len(), 1, "{said}");
    assert_eq!((&said[0]["issue"], &said[0]["trigger"]), (&json!(issue), &json!("regression")));
    let channels: Vec<_> = said[0]["channels"].as_array().unwrap().iter().map(|told| told["channel"].clone()).collect();
    assert_eq!(channels, ["email", "nowhere"]);
    let said = history(&many).await;
    assert_eq!((&said[0]["trigger"], &said[0]["value"], &said[0]["threshold"]), (&json!("rule"), &json!(3), &json!(2)));
    assert_eq!(history(&off).await, json!([]));
    let shown = app.get(&format!("{RULES}/{}", many["id"].as_str().unwrap())).await.data();
    assert_eq!(shown["firing"], true);
    assert!(shown["last_triggered"].is_string());
    // Asked again, it says nothing again.
    app.ask_rules().await;
    assert_eq!(history(&many).await.as_array().unwrap().len(), 1);
    let outbox = app.store.outbox(&OutboxQuery { limit: 10, ..OutboxQuery::default() }).await.unwrap();
    assert_eq!(outbox.len(), 2);
    let facts = outbox[0].entry.notification.issue.as_ref().unwrap();
    assert_eq!((facts.short_id.as_str(), facts.count), (issue.as_str(), 3));
    // When the issue is deleted, that the rule fired is all that is left.
    let deleted = app.send("DELETE", &format!("/api/errors/{issue}"), &[("x-api-key", KEY)], "").await;
    assert_eq!(deleted.status, 204);
    let said = history(&regressions).await;
    assert_eq!((&said[0]["title"], &said[0]["issue"]), (&json!(""), &Value::Null));
    assert_eq!(app.store.outbox(&OutboxQuery { limit: 10, ..OutboxQuery::default() }).await.unwrap(), []);
}

#[tokio::test]
async fn users_are_counted_over_a_window() {
    let app = TestApp::new().await;
    for user in ["ana", "ben", "ana", "jun"] {
        let body = json!({"message": "m", "source": "backend", "user_id": user});
        assert!(app.post("/api/errors", &body).await.status.is_success());
    }
    let rule = json!({"condition": "user_count > 2 in 5m"}).to_string();
    // What a process has seen is told every few seconds.
    let value = TestApp::until_some("the users are told", async || {
        let answer = app.send("POST", &format!("{RULES}/preview"), &[("x-api-key", KEY)], rule.clone()).await;
        answer.data()["preview"]["value"].as_f64().filter(|value| *value > 0.0)
    });
    assert!((value.await - 3.0).abs() < f64::EPSILON);
}
