//! `/api/settings/retention` and `/api/settings/set-aside`.

use super::support::{KEY, TestApp};
use errtrack_core::store::LeaseStore;
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test]
async fn retention_is_shown_tried_and_run() {
    let app = TestApp::new().await;
    for _ in 0..120 {
        app.post("/api/errors", &json!({"message": "m", "source": "s"})).await;
    }
    let show = async || app.get("/api/settings/retention").await.data();
    let rules = json!({"age_days": 90, "events_per_issue": 100, "events_per_project": null, "free_disk_bytes": null});
    assert_eq!(show().await, json!({"rules": rules, "last_run": null, "running_since": null}));

    let preview = app.ask("POST", "/api/settings/retention/preview", KEY).await;
    assert_eq!(preview.status, 200);
    let would = &preview.data()["preview"];
    assert_eq!((&would["surplus_events"], &would["events"], &would["issues"]), (&20.into(), &20.into(), &0.into()));
    let kept = async || app.get("/api/errors/DEFAULT-1/events?limit=100").await.data()["next_cursor"].clone();
    assert_ne!(kept().await, Value::Null, "a preview changes nothing");
    assert_eq!(show().await["last_run"], Value::Null);

    let run = app.ask("POST", "/api/settings/retention/run", KEY).await;
    assert_eq!(run.status, 200);
    let run = &run.data()["run"];
    assert_eq!((&run["surplus_events"], &run["events"]), (&20.into(), &20.into()));
    assert_eq!(kept().await, Value::Null, "a hundred are left");
    assert_eq!(&show().await["last_run"], run);
    assert_eq!(app.get("/api/errors/DEFAULT-1").await.data()["count"], 120, "counts stay");
    let again = app.ask("POST", "/api/settings/retention/preview", KEY).await.data();
    assert_eq!(again["preview"]["events"], 0);
}

#[tokio::test]
async fn a_run_waits_for_no_other() {
    let app = TestApp::new().await;
    let other = uuid::Uuid::new_v4();
    assert!(app.store.lease("retention", other, Duration::from_secs(600)).await.unwrap());
    let run = async || app.ask("POST", "/api/settings/retention/run", KEY).await;
    assert!(run().await.error(409).contains("under way already"));
    app.store.release("retention", other).await.unwrap();
    assert_eq!(run().await.status, 200);
    app.store.set_away(true);
    let away = run().await;
    assert_eq!((away.error(503).is_empty(), &away.headers["retry-after"]), (false, &"5".parse().unwrap()));
    app.store.set_away(false);
    assert_eq!(run().await.status, 200, "one that failed stands in nobody's way");
}

#[tokio::test]
async fn events_that_cannot_be_written_are_shown_with_the_reason() {
    let app = TestApp::new().await;
    let list = async |query: &str| app.get(&format!("/api/settings/set-aside{query}")).await;
    assert_eq!(list("").await.data(), json!({"events": []}));
    for message in ["first", "second"] {
        let body = json!({"message": message, "source": "s", "level": "debug", "project": "shop"});
        assert_eq!(app.post("/api/errors", &body).await.status, 500);
    }
    TestApp::until("both are set aside", async || list("").await.data()["events"].as_array().unwrap().len() == 2).await;
    let newest = &list("?limit=1").await.data()["events"][0];
    assert!(newest["reason"].as_str().unwrap().contains("poisoned by the test"), "{newest}");
    assert_eq!((&newest["project"], &newest["times"]), (&"shop".into(), &1.into()));
    assert_eq!(newest["event"]["message"]["text"], "second", "{newest}");
    assert_eq!(newest["event"]["event_id"], newest["event_id"]);
    assert!(newest["at"].is_string() && newest["project_id"].is_i64());
    assert_eq!(list("?limit=0").await.status, 400);
}
