//! Requests that programs tell they have served: what SDKs really sent, unpacked.

use super::support::{KEY, TestApp};
use serde_json::{Value, json};

const AXUM: &[u8] = include_bytes!("transactions/rust-axum.envelope");
const EXPRESS: &[u8] = include_bytes!("transactions/node-7-express.envelope");
const FASTAPI: &[u8] = include_bytes!("transactions/python-fastapi.envelope");
/// Spans, of three requests.
const SPANS: &[u8] = include_bytes!("transactions/node-11-express.envelope");

#[tokio::test]
async fn what_sdks_tell_of_requests_counts_in_the_performance_of_their_project() {
    let app = TestApp::new().await;
    for envelope in [AXUM, EXPRESS, FASTAPI, SPANS] {
        let answer = app.envelope(envelope).await;
        assert_eq!(answer.status, 200, "{:?}", answer.body);
    }
    // What is no request.
    let work =
        json!({"transaction": "nightly", "contexts": {"trace": {"op": "task"}}, "start_timestamp": 1, "timestamp": 2});
    assert_eq!(app.envelope(format!("{{}}\n{{\"type\":\"transaction\"}}\n{work}\n")).await.status, 200);
    // The last that a process does is to tell what it counted.
    app.tracker.shutdown().await;
    let figures = app.send("GET", "/api/analytics/performance?timeframe=1h", &[("x-api-key", KEY)], "").await.data();
    let mut routes: Vec<_> = figures["routes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|route| {
            let text = |name: &str| route[name].as_str().unwrap().to_owned();
            (
                text("route"),
                text("method"),
                route["requests"].as_u64().unwrap(),
                route["error_rate_percent"].as_f64().unwrap(),
            )
        })
        .collect();
    routes.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
    let route = |route: &str, method: &str, requests, failed| (route.to_owned(), method.to_owned(), requests, failed);
    assert_eq!(
        routes,
        [
            route("/carts/{cart_id}/checkout", "POST", 1, 100.0),
            route("/ok", "GET", 2, 0.0),
            route("/orders/:id", "POST", 1, 100.0),
            route("/orders/{id}", "POST", 2, 100.0),
        ]
    );
    assert_eq!((&figures["requests"], &figures["availability_percent"]), (&json!(6), &json!(33.33)));
    let slowest =
        figures["routes"].as_array().unwrap().iter().find(|route| route["route"] == "/carts/{cart_id}/checkout");
    // 52.4 ms, in a bucket that is no wider than 6.25 %.
    let took = slowest.unwrap()["p50_ms"].as_f64().unwrap();
    assert!((49.0..56.0).contains(&took), "{took}");
    let other = app.get("/api/analytics/performance?timeframe=1h&project=shop").await.data();
    assert_eq!((&other["requests"], &other["avg_response_time"]), (&json!(0), &Value::Null));
    // Nothing of them is an event.
    assert_eq!(app.get("/api/errors").await.data()["total"], 0);
}
