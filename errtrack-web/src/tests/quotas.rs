//! How many events a project may have in a month.

use super::support::{Answer, KEY, READ_KEY, TestApp};
use errtrack_core::Timestamp;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::time::timeout;

const PATH: &str = "/api/settings/projects/1/quota";

impl TestApp {
    async fn set_quota(&self, quota: &Value) -> Answer {
        self.send("PUT", PATH, &[("x-api-key", KEY)], quota.to_string()).await
    }

    async fn send_report(&self, project: &str) -> Answer {
        let report = json!({"message": "m", "source": "s", "project": project});
        self.post("/api/errors", &report).await
    }
}

#[track_caller]
fn assert_over(answer: &Answer) {
    assert_eq!(answer.status, 429, "{:?}", answer.body);
    let wait: u64 = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=3_600).contains(&wait), "{wait}");
}

#[tokio::test]
async fn reports_beyond_it_are_refused_in_every_dialect_and_counted() {
    let app = TestApp::new().await;
    let shown = app.get(PATH).await.data();
    assert_eq!(
        (&shown["events_per_month"], &shown["used"], &shown["project"]),
        (&Value::Null, &0.into(), &"default".into())
    );
    assert_eq!(app.send_report("default").await.status, 201);
    let shown = app.set_quota(&json!({"events_per_month": 3})).await.data();
    assert_eq!((&shown["events_per_month"], &shown["used"]), (&3.into(), &1.into()));
    let now = Timestamp::now();
    let (since, until): (Timestamp, Timestamp) = (
        serde_json::from_value(shown["since"].clone()).unwrap(),
        serde_json::from_value(shown["until"].clone()).unwrap(),
    );
    assert!(since <= now && now < until);
    for _ in 0..2 {
        assert_eq!(app.send_report("default").await.status, 201);
    }
    let native = app.send_report("default").await;
    assert_over(&native);
    assert_eq!(native.error(429), "the project has had the 3 events that it may have in a month");
    let own = json!({"appId": "default", "errorCode": "c", "errorType": "t", "message": "m"});
    assert_over(&app.post("/api/v1/errors", &own).await);
    assert_over(&app.post("/api/v1/errors/batch", &json!({"errors": [own, own]})).await);
    let tracker = json!({"project": "default", "exception_type": "E", "message": "m"});
    assert_over(&app.post("/error-tracker/api/errors", &tracker).await);
    let envelope = format!("{{}}\n{{\"type\":\"event\"}}\n{}\n", json!({"message": "m"}));
    let sentry = app.envelope(envelope).await;
    assert_over(&sentry);
    assert!(sentry.headers.contains_key("x-sentry-rate-limits"));
    // What brings no event takes nothing.
    assert_eq!(app.envelope("{}\n{\"type\":\"session\"}\n{}\n").await.status, 200);
    // Of another project.
    assert_eq!(app.send_report("shop").await.status, 201);
    app.tracker.flush(Duration::from_secs(20)).await;
    assert_eq!(app.get(PATH).await.data()["used"], 3);
    let all = app.tracker.balance();
    assert_eq!((all.captured, all.stored, all.limited), (4 + 6, 4, 6));
}

#[tokio::test]
async fn what_is_set_holds_on_every_process_at_once_and_what_was_used_is_known_to_all() {
    let app = TestApp::new().await;
    let other = app.second().await;
    assert_eq!(other.send_report("default").await.status, 201);
    assert_eq!(app.set_quota(&json!({"events_per_month": 1})).await.status, 200);
    assert_over(&other.send_report("default").await);
    assert_over(&app.send_report("default").await);
    assert_eq!(app.set_quota(&json!({"events_per_month": null})).await.status, 200);
    assert_eq!(other.send_report("default").await.status, 201);
    assert_eq!(app.send_report("default").await.status, 201);
    let told = app.get("/api/settings/audit?limit=1").await.data()["entries"][0].clone();
    assert_eq!((&told["action"], &told["target"]), (&"quota.change".into(), &"default".into()));
}

#[tokio::test]
async fn what_is_left_is_read_again_after_a_while() {
    let app = TestApp::new().await;
    let other = app.second().await;
    assert_eq!(app.set_quota(&json!({"events_per_month": 4})).await.status, 200);
    assert_eq!(app.send_report("default").await.status, 201);
    for _ in 0..3 {
        assert_eq!(other.send_report("default").await.status, 201);
    }
    // This process knows of one, until it asks again.
    TestApp::until("it hears of the others", async || app.send_report("default").await.status == 429).await;
}

#[tokio::test]
async fn what_is_under_way_is_not_forgotten_when_what_was_used_is_read_again() {
    let app = TestApp::new().await;
    assert_eq!(app.set_quota(&json!({"events_per_month": 2})).await.status, 200);
    let held = app.store.hold_batches().await;
    let others = async {
        TestApp::until("both are taken", async || app.tracker.balance().captured == 2).await;
        // Longer than what was read is counted on from.
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(5_500) {
            assert_over(&app.send_report("default").await);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        drop(held);
    };
    let all = async { tokio::join!(app.send_report("default"), app.send_report("default"), others) };
    let (one, two, ()) = timeout(Duration::from_secs(30), all).await.expect("no third report is taken and waits");
    assert_eq!((one.status.as_u16(), two.status.as_u16()), (201, 201));
    assert_eq!(app.get(PATH).await.data()["used"], 2);
}

#[tokio::test]
async fn a_number_that_is_none_is_refused_and_a_page_sets_it_too() {
    let app = TestApp::new().await;
    for wrong in [json!({"events_per_month": 0}), json!({"events_per_month": -1}), json!({"events_per_month": "x"})] {
        let answer = app.set_quota(&wrong).await;
        assert!(answer.error(400).starts_with("events_per_month: must be a"), "{wrong}");
    }
    assert_eq!(app.send("PUT", PATH, &[("x-api-key", READ_KEY)], "{}").await.status, 403);
    let headers = [
        ("x-api-key", KEY),
        ("content-type", "application/x-www-form-urlencoded"),
        ("sec-fetch-site", "same-origin"),
        ("accept", "text/html"),
    ];
    let path = "/settings/projects/1/quota";
    assert_eq!(app.send("POST", path, &headers, "events_per_month=12345").await.status, 303);
    let page = app.send("GET", "/settings/projects", &headers, "").await;
    let page = String::from_utf8_lossy(&page.body).into_owned();
    assert!(page.contains("value=\"12345\"") && page.contains("0 this month."), "{page}");
    assert_eq!(app.send("POST", path, &headers, "events_per_month=x").await.status, 400);
    assert_eq!(app.send("POST", path, &headers, "events_per_month=").await.status, 303);
    assert_eq!(app.get(PATH).await.data()["events_per_month"], Value::Null);
}
