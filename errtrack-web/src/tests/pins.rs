//! `PUT|DELETE /api/events/{event_id}/pin`.

use super::support::{KEY, TestApp};
use serde_json::json;

/// More than are kept of an issue.
const PINNED: usize = 120;

#[tokio::test]
async fn pinned_events_stay_and_others_go() {
    let app = TestApp::new().await;
    let mut events = Vec::new();
    for _ in 0..PINNED + 60 {
        let item = app.post("/api/errors", &json!({"message": "m", "source": "s"})).await.data();
        events.push(item["last_event_id"].as_str().unwrap().to_owned());
    }
    let pinned = &events[30..30 + PINNED];
    let there = async || {
        let mut there = 0;
        for event in pinned {
            there += usize::from(app.get(&format!("/api/events/{event}")).await.status == 200);
        }
        there
    };
    let one = format!("/api/events/{}", pinned[0]);
    assert_eq!(app.get(&one).await.data()["pinned"], false);
    for event in pinned.iter().chain([&pinned[0]]) {
        let answer = app.ask("PUT", &format!("/api/events/{event}/pin"), KEY).await;
        assert_eq!((answer.status.as_u16(), &answer.data()["pinned"]), (200, &true.into()));
    }
    assert_eq!(app.get(&one).await.data()["pinned"], true);
    app.tracker.retain_now().await.unwrap().unwrap();
    assert_eq!(there().await, PINNED);

    for event in pinned {
        assert_eq!(app.ask("DELETE", &format!("/api/events/{event}/pin"), KEY).await.data()["pinned"], false);
    }
    assert_eq!(app.get(&one).await.data()["pinned"], false);
    app.tracker.retain_now().await.unwrap().unwrap();
    assert!(there().await <= 100, "no more than are kept of an issue");
    let unknown = "/api/events/550e8400e29b41d4a716446655440000/pin";
    assert_eq!(app.ask("PUT", unknown, KEY).await.error(404), "event not found");
    assert_eq!(app.ask("PUT", "/api/events/42/pin", KEY).await.status, 400);
    assert_eq!(app.ask("POST", unknown, KEY).await.status, 405);
}
