//! The REST document (001): alert rules and integrations.

use crate::service::{
    Is::{Bool, List, Number, Or, Text, Time, Uuid},
    Service, fields,
};
use anyhow::{Context, Result};
use errtrack_tests::{Database, on_both};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

on_both!(rules a_rule_fires integrations);

const RULES: &str = "/api/alerts/rules";

fn look(rule: &Value) -> Result<()> {
    fields(
        rule,
        &[
            ("id", Uuid),
            ("name", Text),
            ("condition", Or(&Text)),
            ("trigger", Or(&Text)),
            ("threshold", Or(&Number)),
            ("time_window", Or(&Text)),
            ("enabled", Bool),
            ("notifications", List),
            ("recipients", List),
            ("owners_only", Bool),
            ("project", Or(&Text)),
            ("cooldown", Text),
            ("firing", Bool),
            ("last_triggered", Or(&Time)),
            ("created_at", Time),
            ("updated_at", Time),
        ],
    )
}

async fn rules(database: Database) -> Result<()> {
    let service = Service::start(database).await?;
    let request = json!({
        "name": "High Error Rate", "condition": "error_count > threshold in time_window", "threshold": 50,
        "time_window": "5m", "notifications": ["email", "slack"], "enabled": true,
    });
    let answer = service.ask("POST", RULES, &request.to_string()).await;
    assert_eq!(answer.status, 201);
    let made = answer.data();
    look(&made)?;
    for (name, value) in request.as_object().context("an object")? {
        assert_eq!(&made[name], value, "{name}");
    }
    assert_eq!((&made["last_triggered"], &made["cooldown"]), (&Value::Null, &json!("5m")));
    let list = service.ask("GET", RULES, "").await.data();
    assert_eq!(list["rules"], json!([made]));

    let path = format!("{RULES}/{}", made["id"].as_str().context("an id")?);
    let mut changed = request.clone();
    changed["condition"] = json!("error_count > 50 in 5 minutes");
    changed["enabled"] = json!(false);
    let changed = service.ask("PUT", &path, &changed.to_string()).await.data();
    look(&changed)?;
    assert_eq!((&changed["enabled"], &changed["condition"]), (&json!(false), &json!("error_count > 50 in 5 minutes")));
    assert_eq!(service.ask("GET", &path, "").await.data(), changed);

    let wrong = json!({"name": "x", "condition": "error_count >> 5 in 5m"});
    let error = service.ask("POST", RULES, &wrong.to_string()).await.error(400);
    assert!(error.starts_with("condition: column 14:"), "{error}");
    assert_eq!(service.ask("DELETE", &path, "").await.status, 204);
    assert_eq!(service.ask("DELETE", &path, "").await.status, 404);
    Ok(())
}

async fn a_rule_fires(database: Database) -> Result<()> {
    let service = Service::start(database).await?;
    let rule = json!({
        "name": "Errors", "condition": "error_count > 2 in 5m", "notifications": ["email"],
        "open_incident": {"severity": "high"},
    });
    let rule = service.ask("POST", RULES, &rule.to_string()).await.data();
    for n in 0..3 {
        let report = json!({"message": format!("it broke {n}"), "source": "backend"});
        assert_eq!(service.ask("POST", "/api/errors", &report.to_string()).await.status, 201);
    }
    let path = format!("{RULES}/{}", rule["id"].as_str().context("an id")?);
    let start = Instant::now();
    let firing = loop {
        let history = service.ask("GET", &format!("{path}/history"), "").await.data();
        if let Some(firing) = history["history"].as_array().and_then(|list| list.first()) {
            break firing.clone();
        }
        assert!(start.elapsed() < Duration::from_secs(60), "it does not fire: {history}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    fields(
        &firing,
        &[
            ("id", Uuid),
            ("at", Time),
            ("trigger", Text),
            ("title", Text),
            ("issue", Or(&Text)),
            ("value", Number),
            ("threshold", Number),
            ("channels", List),
        ],
    )?;
    assert_eq!((&firing["trigger"], &firing["value"], &firing["threshold"]), (&"rule".into(), &json!(3), &json!(2)));
    assert_eq!(firing["channels"][0]["channel"], "email");
    let rule = service.ask("GET", &path, "").await.data();
    assert!(rule["firing"] == true && rule["last_triggered"].is_string(), "{rule}");
    let incidents = service.ask("GET", "/api/alerts/incidents", "").await.data();
    let incident = &incidents["incidents"][0];
    assert_eq!((&incident["severity"], &incident["rule"]), (&"high".into(), &rule["id"]));
    Ok(())
}

async fn integrations(database: Database) -> Result<()> {
    const PATH: &str = "/api/settings/integrations";
    let service = Service::start(database).await?;
    let settings = json!({"webhook_url": "https://hooks.slack.com/services/T0/B0/hunter2", "channel": "#alerts"});
    let wanted = json!({"type": "slack", "config": settings});
    assert_eq!(service.ask("PUT", &format!("{PATH}/slack"), &wanted.to_string()).await.status, 200);
    let list = service.ask("GET", PATH, "").await.data();
    let slack = &list["integrations"][0];
    fields(slack, &[("name", Text), ("status", Text), ("last_test", Or(&Time))])?;
    assert_eq!((&slack["name"], &slack["config"]["channel"]), (&"slack".into(), &"#alerts".into()));
    assert!(!list.to_string().contains("hunter2"), "{list}");
    assert_eq!(service.ask("DELETE", &format!("{PATH}/slack"), "").await.status, 204);
    assert_eq!(service.ask("GET", PATH, "").await.data()["integrations"], json!([]));
    Ok(())
}
