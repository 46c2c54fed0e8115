//! Notifications on their way, and those that did not arrive.

use crate::service::{
    Is::{List, Number, Or, Text, Time, Uuid},
    Service, fields,
};
use anyhow::{Result, ensure};
use async_trait::async_trait;
use errtrack::notify::{Delivery, Notifier, NotifyError};
use errtrack_tests::{Database, on_both};
use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

on_both!(deliveries);

const PATH: &str = "/api/settings/deliveries";

/// A channel that takes nothing until it is told to.
#[derive(Default)]
struct Stubborn(AtomicBool);

#[async_trait]
impl Notifier for Stubborn {
    fn name(&self) -> &str {
        "pager"
    }

    async fn notify(&self, _: &Delivery<'_>) -> Result<(), NotifyError> {
        if self.0.load(Relaxed) { Ok(()) } else { Err(NotifyError::permanent("no such pager")) }
    }
}

async fn first(service: &Service, state: &str) -> Result<Value> {
    let start = Instant::now();
    loop {
        let list = service.ask("GET", &format!("{PATH}?state={state}&channel=pager&limit=5"), "").await.data();
        if let Some(one) = list["deliveries"].as_array().and_then(|list| list.first()) {
            return Ok(one.clone());
        }
        ensure!(start.elapsed() < Duration::from_secs(60), "none is {state}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn deliveries(database: Database) -> Result<()> {
    let service = Service::start(database).await?;
    assert_eq!(service.ask("GET", PATH, "").await.data(), json!({"deliveries": []}));
    let pager = Arc::new(Stubborn::default());
    service.tracker.set_notifier(pager.clone());
    let rule = json!({
        "name": "new", "trigger": "new_issue", "notifications": ["pager"], "recipients": ["ana@example.com"],
    });
    assert_eq!(service.ask("POST", "/api/alerts/rules", &rule.to_string()).await.status, 201);
    let report = json!({"message": "it broke", "source": "backend", "type": "Broken"});
    assert_eq!(service.ask("POST", "/api/errors", &report.to_string()).await.status, 201);

    let failed = first(&service, "failed").await?;
    fields(
        &failed,
        &[
            ("key", Uuid),
            ("channel", Text),
            ("recipients", List),
            ("state", Text),
            ("trigger", Text),
            ("subject", Text),
            ("attempts", Number),
            ("error", Or(&Text)),
            ("created_at", Time),
            ("next_at", Or(&Time)),
            ("settled_at", Or(&Time)),
        ],
    )?;
    for (name, value) in [
        ("channel", json!("pager")),
        ("recipients", json!(["ana@example.com"])),
        ("trigger", json!("new_issue")),
        ("subject", json!("[default] New issue: Broken: it broke")),
        ("attempts", json!(1)),
        ("error", json!("no such pager")),
        ("next_at", Value::Null),
    ] {
        assert_eq!(failed[name], value, "{name}");
    }
    assert_eq!(service.ask("GET", &format!("{PATH}?state=delivered"), "").await.data()["deliveries"], json!([]));
    let channels = service.ask("GET", "/api/settings/integrations", "").await.data();
    assert_eq!(
        (&channels["integrations"][0]["name"], &channels["integrations"][0]["failed"]),
        (&json!("pager"), &json!(1))
    );

    pager.0.store(true, Relaxed);
    let retry = format!("{PATH}/{}/retry", failed["key"].as_str().unwrap());
    assert_eq!(service.send("POST", &retry, &[], "").await.status, 401);
    let answer = service.ask("POST", &retry, "").await;
    assert_eq!((answer.status.as_u16(), answer.body.len()), (204, 0));
    let arrived = first(&service, "delivered").await?;
    assert_eq!((&arrived["key"], &arrived["attempts"]), (&failed["key"], &json!(1)));
    assert!(arrived["settled_at"].is_string() && arrived["next_at"].is_null(), "{arrived}");
    service.ask("POST", &retry, "").await.error(404);
    service.ask("POST", &format!("{PATH}/1/retry"), "").await.error(400);
    for (query, error) in [("state=lost", "state: "), ("limit=0", "limit: "), ("limit=101", "limit: ")] {
        let said = service.ask("GET", &format!("{PATH}?{query}"), "").await.error(400);
        assert!(said.starts_with(error), "{said}");
    }
    Ok(())
}
