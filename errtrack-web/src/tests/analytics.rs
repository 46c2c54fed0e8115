//! Figures: `GET /api/stats`, `/api/analytics/trends`.

use super::support::{KEY, TestApp};
use crate::{Access, Config, app::App, figures::kept};
use errtrack_core::{StatusClass, Timestamp, Tracker, store::FigureScope};
use serde_json::{Value, json};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(300);

async fn report(app: &TestApp, ty: &str, environment: &str, level: &str) -> String {
    let body = json!({
        "message": "it broke", "source": "backend", "type": ty, "environment": environment, "level": level,
        "project": if ty.starts_with("Blog") { "blog" } else { "default" },
    });
    let answer = app.post("/api/errors", &body).await;
    assert_eq!(answer.status, 201, "{:?}", answer.body);
    answer.data()["short_id"].as_str().unwrap().to_owned()
}

async fn stats(app: &TestApp, query: &str) -> Value {
    let answer = app.get(&format!("/api/stats{query}")).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    answer.data()
}

#[tokio::test]
async fn stats_count_issues_events_and_what_was_resolved() {
    let app = TestApp::new().await;
    let empty = stats(&app, "").await;
    assert_eq!((&empty["total_errors"], &empty["resolution_rate"]), (&json!(0), &json!(0.0)));
    assert_eq!(empty["avg_resolution_time"], Value::Null, "nothing was resolved");
    let first = report(&app, "A", "production", "error").await;
    for (ty, environment, level) in [
        ("A", "production", "error"),
        ("A", "staging", "fatal"),
        ("B", "staging", "error"),
        ("Blog", "production", "error"),
    ] {
        report(&app, ty, environment, level).await;
    }
    assert_eq!(app.put(&format!("/api/errors/{first}/resolve")).await.status, 200);
    let all = stats(&app, "").await;
    let expected = json!({
        "total_errors": 3, "resolved_errors": 1, "errors_today": 5, "errors_this_week": 5, "errors_this_month": 5,
        "error_rate_24h": 0.21, "resolution_rate": 33.3, "total_events": 5, "new_errors_24h": 3,
        "avg_resolution_time": "0s",
        "by_environment": [
            {"environment": "production", "error_count": 3, "critical_count": 0},
            {"environment": "staging", "error_count": 2, "critical_count": 1},
        ],
    });
    for (field, value) in expected.as_object().unwrap() {
        assert_eq!(&all[field], value, "{field}");
    }
    let top = all["top_errors"].as_array().unwrap();
    assert_eq!((&top[0]["short_id"], &top[0]["count_24h"], top.len()), (&json!(first), &json!(3), 3));
    // Narrowed.
    let staging = stats(&app, "?environment=staging").await;
    assert_eq!((&staging["total_errors"], &staging["total_events"]), (&json!(2), &json!(2)));
    let blog = stats(&app, "?project=Blog").await;
    assert_eq!(
        (&blog["total_errors"], &blog["errors_today"], &blog["resolved_errors"]),
        (&json!(1), &json!(1), &json!(0))
    );
    let none = stats(&app, "?project=nothing").await;
    assert_eq!((&none["total_errors"], &none["total_events"]), (&json!(0), &json!(0)));
}

#[tokio::test]
async fn trends_are_filled_with_zeros_and_aligned() {
    let app = TestApp::new().await;
    let first = report(&app, "A", "production", "fatal").await;
    report(&app, "A", "staging", "error").await;
    app.put(&format!("/api/errors/{first}/resolve")).await;
    for (query, buckets) in [
        ("", 7),
        ("?period=day&group_by=hour", 24),
        ("?period=month&group_by=day", 30),
        ("?period=year&group_by=month", 12),
    ] {
        let trend = app.get(&format!("/api/analytics/trends{query}")).await.data();
        let points = trend["data_points"].as_array().unwrap();
        assert_eq!(points.len(), buckets, "{query}");
        let sum = |field: &str| points.iter().map(|point| point[field].as_i64().unwrap()).sum::<i64>();
        assert_eq!(sum("error_count"), 2, "{query}");
        assert_eq!((sum("resolved_count"), sum("critical_count"), sum("new_count")), (1, 1, 1), "{query}");
        let last = &points[buckets - 1];
        assert!(last["timestamp"].as_str().unwrap().ends_with(":00:00Z"), "{last}");
    }
    let trend = app.get("/api/analytics/trends?environment=staging").await.data();
    assert_eq!((&trend["period"], &trend["group_by"]), (&json!("week"), &json!("day")));
    let point = &trend["data_points"][6];
    assert_eq!(
        (&point["error_count"], &point["resolved_count"], &point["critical_count"]),
        (&json!(1), &json!(1), &json!(0))
    );
    for (query, error) in [
        ("?period=decade", "period: must be one of day, week, month, year"),
        ("?group_by=minute", "group_by: must be one of hour, day, week, month"),
    ] {
        assert_eq!(app.get(&format!("/api/analytics/trends{query}")).await.error(400), error);
    }
}

#[tokio::test]
async fn a_write_on_one_node_shows_in_the_next_read_on_another() {
    let here = TestApp::new().await;
    let there = here.second().await;
    let events = async |app: &TestApp| {
        let trend = app.get("/api/analytics/trends").await.data();
        (
            stats(app, "").await["total_events"].as_i64().unwrap(),
            trend["data_points"][6]["error_count"].as_i64().unwrap(),
        )
    };
    for n in 1..=3 {
        let issue = report(&here, "A", "production", "error").await;
        assert_eq!(events(&there).await, (n, n));
        assert_eq!(events(&there).await, (n, n), "and again, as it is kept");
        for (action, resolved) in [("resolve", 1), ("unresolve", 0)] {
            here.put(&format!("/api/errors/{issue}/{action}")).await;
            assert_eq!(stats(&there, "").await["resolved_errors"], resolved, "{action}");
        }
    }
    assert_eq!(here.ask("DELETE", "/api/errors/DEFAULT-1", KEY).await.status, 204);
    let after = stats(&there, "").await;
    assert_eq!((&after["total_errors"], &after["total_events"]), (&json!(0), &json!(3)), "what happened stays");
}

#[tokio::test]
async fn an_answer_is_made_once_until_something_is_written() {
    let test = TestApp::new().await;
    let app = App::new(&test.tracker, Access::insecure_open(), Config::default());
    let scope = FigureScope::default();
    let mut made = 0;
    let mut ask = async |what: &str| {
        let mut fresh = false;
        let make = async |_: Timestamp| {
            fresh = true;
            Ok(json!(what))
        };
        let answer = kept(&app, &scope, what, LONG, make).await.unwrap();
        made += u32::from(fresh);
        assert_eq!(answer, json!(what).to_string());
        made
    };
    // The hour may change in between.
    ask("a").await;
    let before = ask("a").await;
    assert!(before <= 2);
    assert_eq!(ask("b").await, before + 1, "another answer");
    report(&test, "A", "production", "error").await;
    let after = ask("a").await;
    assert!(after > before + 1, "something was written");
    assert!(ask("a").await <= after + 1);
}

#[tokio::test]
async fn performance_adds_up_over_processes_and_restarts() {
    let app = TestApp::new().await;
    let empty = app.get("/api/analytics/performance").await.data();
    assert_eq!(
        (&empty["requests"], &empty["avg_response_time"], &empty["performance_score"]),
        (&json!(0), &Value::Null, &Value::Null)
    );
    let other = Tracker::builder().store(app.store.clone()).build().await.unwrap();
    for (tracker, route, status, millis) in [
        (&app.tracker, "/a", 200, 100),
        (&app.tracker, "/a", 200, 100),
        (&other, "/a", 503, 100),
        (&other, "/slow/{id}", 200, 3_000),
    ] {
        tracker.routes().record("GET", route, StatusClass::of(status), Duration::from_millis(millis));
    }
    // What is told at the end stays when the process is gone.
    other.shutdown().await;
    app.tracker.shutdown().await;
    let answer = app.get("/api/analytics/performance?timeframe=6h&project=default").await.data();
    let expected = json!({
        "timeframe": "6h", "requests": 4, "avg_response_time": 825.0, "error_rate_percent": 25.0,
        "availability_percent": 75.0, "performance_score": 5.0,
    });
    for (field, value) in expected.as_object().unwrap() {
        assert_eq!(&answer[field], value, "{field}");
    }
    assert!(answer["throughput_rpm"].as_f64().unwrap() > 0.0);
    let near = |field: &str, millis: f64| (answer[field].as_f64().unwrap() / millis - 1.0).abs() < 0.0625;
    assert!(near("p50_ms", 100.0) && near("p95_ms", 3_000.0) && near("p99_ms", 3_000.0), "{answer}");
    let routes = answer["routes"].as_array().unwrap();
    assert_eq!(routes.iter().map(|r| r["route"].as_str().unwrap()).collect::<Vec<_>>(), ["/slow/{id}", "/a"]);
    assert_eq!((&routes[1]["requests"], &routes[1]["error_rate_percent"]), (&json!(3), &json!(33.33)));
    assert_eq!(app.get("/api/analytics/performance?project=nothing").await.data()["requests"], 0);
    let error = app.get("/api/analytics/performance?timeframe=2h").await.error(400);
    assert_eq!(error, "timeframe: must be one of 1h, 6h, 24h, 7d, 30d");
}
