//! `GET /api/monitoring/balance`.

use super::support::{KEY, READ_KEY, TestApp};
use serde_json::{Value, json};

async fn report(app: &TestApp, body: Value) -> u16 {
    let mut whole = json!({"message": "m", "source": "s"});
    whole.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
    app.post("/api/errors", &whole).await.status.as_u16()
}

fn of<'a>(balance: &'a Value, project: &str) -> &'a Value {
    let projects = balance["projects"].as_array().unwrap();
    projects.iter().find(|p| p["project"] == project).unwrap_or_else(|| panic!("{project} in {balance}"))
}

#[tokio::test]
async fn every_event_is_accounted_for_by_project() {
    let app = TestApp::new().await;
    for _ in 0..3 {
        assert_eq!(report(&app, json!({})).await, 201);
    }
    assert_eq!(report(&app, json!({"project": "shop"})).await, 201);
    assert_eq!(report(&app, json!({"level": "debug"})).await, 500, "the database refuses it");
    let envelope = "{}\n{\"type\":\"event\"}\n{\"event_id\":\"cd0617fe63c446e3afda00b640b4562a\"}";
    for _ in 0..2 {
        assert_eq!(app.envelope(envelope).await.status, 200);
    }
    let balance = app.get("/api/monitoring/balance").await.data();
    let default = of(&balance, "default");
    for (figure, expected) in [
        ("captured", 6),
        ("stored", 4),
        ("coalesced", 0),
        ("sampled", 0),
        ("ignored", 1),
        ("limited", 0),
        ("dropped_by_queue", 0),
        ("dropped_by_store", 1),
        ("settled", 6),
        ("under_way", 0),
    ] {
        assert_eq!(default[figure], expected, "{figure} in {default}");
    }
    assert_eq!((&default["id"], &default["balanced"]), (&1.into(), &true.into()));
    assert_eq!(of(&balance, "shop")["stored"], 1);
    assert_eq!((&balance["total"]["captured"], &balance["total"]["balanced"]), (&7.into(), &true.into()));
    assert_eq!(balance["complete"], true);
    assert_eq!(balance["node"], app.tracker.node().to_string());
    assert_eq!(balance["queue"], json!({"depth": 0, "takes_reports": true}));
    assert_eq!((&balance["spool"], &balance["store"]["away"]), (&Value::Null, &false.into()));
    let storage = &balance["store"]["storage"];
    assert_eq!(storage["backend"], "sqlite");
    let tables = storage["tables"].as_array().unwrap();
    assert!(tables.iter().any(|t| t["name"] == "errtrack_event" && t["bytes"].as_u64() > Some(0)), "{tables:?}");
    assert!(balance["store"]["ping_ms"].as_f64() > Some(0.0));
    assert_eq!(balance["retention"]["rules"]["age_days"], 90);
}

#[tokio::test]
async fn the_databases_own_words_are_for_admins() {
    let app = TestApp::with_spool(1 << 20).await;
    assert_eq!(report(&app, json!({"level": "debug"})).await, 500);
    let ask = async |key| app.ask("GET", "/api/monitoring/balance", key).await.data();
    let admin = ask(KEY).await;
    assert!(admin["trouble"]["message"].as_str().unwrap().contains("poisoned by the test"), "{admin}");
    assert!(admin["spool"]["folder"].is_string());
    let reader = ask(READ_KEY).await;
    assert_eq!(reader.get("trouble"), None);
    assert_eq!((reader["spool"].get("folder"), &reader["spool"]["limit_bytes"]), (None, &(1 << 20).into()));
}

#[tokio::test]
async fn while_the_database_is_away_the_figures_go_on() {
    let app = TestApp::with_spool(1 << 20).await;
    assert_eq!(report(&app, json!({})).await, 201);
    let before = app.get("/api/monitoring/balance").await.data();
    app.store.set_away(true);
    assert_eq!(report(&app, json!({})).await, 202);
    let away = app.get("/api/monitoring/balance").await.data();
    assert_eq!((&away["complete"], &away["store"]["away"]), (&false.into(), &true.into()));
    assert_eq!((&away["store"]["ping_ms"], &away["store"]["storage"]), (&Value::Null, &before["store"]["storage"]));
    let total = &away["total"];
    assert_eq!((&total["captured"], &total["stored"], &total["under_way"]), (&2.into(), &1.into(), &1.into()));
    assert_eq!((&away["spool"]["occurrences"], &away["queue"]["takes_reports"]), (&1.into(), &true.into()));
    assert!(away["spool"]["since"].is_string() && away["spool"]["bytes"].as_u64() > Some(0));
    app.store.set_away(false);
    TestApp::until("the spool is drained", async || {
        let now = app.get("/api/monitoring/balance").await.data();
        now["total"]["stored"] == 2 && now["spool"]["occurrences"] == 0 && now["store"]["away"] == false
    })
    .await;
}
