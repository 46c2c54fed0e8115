//! The REST document (001): figures and monitoring.

use crate::service::{
    Is::{List, Number, Object, Or, Text, Time},
    Service, fields,
};
use anyhow::Result;
use errtrack::StatusClass;
use errtrack_tests::{Database, on_both};
use serde_json::{Value, json};
use std::time::Duration;

on_both!(statistics trends performance services machine uptime);

async fn report(service: &Service, level: &str, message: &str, environment: &str) -> Value {
    let body = json!({"level": level, "message": message, "source": "api", "environment": environment});
    service.ask("POST", "/api/errors", &body.to_string()).await.data()
}

async fn statistics(database: Database) -> Result<()> {
    let service = Service::start(database).await?;
    let empty = service.ask("GET", "/api/stats", "").await.data();
    assert_eq!((&empty["total_errors"], &empty["avg_resolution_time"]), (&0.into(), &Value::Null));
    let first = report(&service, "error", "Database connection failed", "production").await;
    report(&service, "error", "Database connection failed", "staging").await;
    report(&service, "fatal", "out of memory", "production").await;
    let resolve = format!("/api/errors/{}/resolve", first["id"].as_str().unwrap());
    assert_eq!(service.ask("PUT", &resolve, "").await.status, 200);

    let stats = service.ask("GET", "/api/stats", "").await.data();
    fields(
        &stats,
        &[
            ("total_errors", Number),
            ("resolved_errors", Number),
            ("errors_today", Number),
            ("errors_this_week", Number),
            ("errors_this_month", Number),
            ("error_rate_24h", Number),
            ("resolution_rate", Number),
            ("avg_resolution_time", Text),
            ("total_events", Number),
            ("new_errors_24h", Number),
            ("by_environment", List),
            ("top_errors", List),
        ],
    )?;
    let expected = json!({
        "total_errors": 2, "resolved_errors": 1, "errors_today": 3, "errors_this_week": 3, "errors_this_month": 3,
        "error_rate_24h": 0.13, "resolution_rate": 50.0, "total_events": 3, "new_errors_24h": 2,
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(stats[name], *value, "{name}");
    }
    let narrow = service.ask("GET", "/api/stats?environment=staging", "").await.data();
    assert_eq!((&narrow["total_events"], &narrow["total_errors"]), (&1.into(), &1.into()));
    let nowhere = service.ask("GET", "/api/stats?project=nowhere", "").await;
    assert!(nowhere.status == 404 || nowhere.data()["total_events"] == 0);
    Ok(())
}

async fn trends(database: Database) -> Result<()> {
    let service = Service::start(database).await?;
    report(&service, "error", "Database connection failed", "production").await;
    let fatal = report(&service, "fatal", "out of memory", "production").await;
    let resolve = format!("/api/errors/{}/resolve", fatal["id"].as_str().unwrap());
    assert_eq!(service.ask("PUT", &resolve, "").await.status, 200);
    for (query, period, points) in [
        ("", "week", 7..=8),
        ("?period=week&group_by=day", "week", 7..=8),
        ("?period=month&group_by=week", "month", 5..=6),
        ("?period=day&group_by=hour", "day", 24..=25),
        ("?period=year&group_by=month", "year", 12..=13),
    ] {
        let trend = service.ask("GET", &format!("/api/analytics/trends{query}"), "").await.data();
        assert_eq!(trend["period"], period);
        let list = trend["data_points"].as_array().unwrap();
        assert!(points.contains(&list.len()), "{query}: {} points", list.len());
        for point in list {
            let numbers = [("error_count", Number), ("resolved_count", Number), ("critical_count", Number)];
            fields(point, &[("timestamp", Time)])?;
            fields(point, &numbers)?;
        }
        let last = list.last().unwrap();
        let counts = ["error_count", "resolved_count", "critical_count"].map(|name| last[name].as_i64().unwrap());
        assert_eq!(counts, [2, 1, 1], "{query}");
    }
    for (query, field) in [("period=decade", "period"), ("group_by=minute", "group_by")] {
        let error = service.ask("GET", &format!("/api/analytics/trends?{query}"), "").await.error(400);
        assert!(error.starts_with(&format!("{field}: ")), "{error}");
    }
    Ok(())
}

async fn performance(database: Database) -> Result<()> {
    let service = Service::start(database).await?;
    for _ in 0..99 {
        service.tracker.routes().record("GET", "/orders/{id}", StatusClass::Success, Duration::from_millis(245));
    }
    service.tracker.routes().record("GET", "/orders/{id}", StatusClass::ServerError, Duration::from_millis(245));
    // What was counted is told to the store twice a minute, and at the end.
    assert!(service.tracker.shutdown().await);
    let figures = service.ask("GET", "/api/analytics/performance", "").await.data();
    fields(
        &figures,
        &[
            ("avg_response_time", Number),
            ("error_rate_percent", Number),
            ("throughput_rpm", Number),
            ("availability_percent", Number),
            ("performance_score", Number),
            ("p50_ms", Number),
            ("p95_ms", Number),
            ("p99_ms", Number),
            ("routes", List),
        ],
    )?;
    assert_eq!((&figures["error_rate_percent"], &figures["availability_percent"]), (&1.0.into(), &99.0.into()));
    // Apdex counts what failed as frustrated.
    assert_eq!(figures["performance_score"], 9.9);
    assert_eq!(figures["routes"][0]["route"], "/orders/{id}");
    assert!((figures["avg_response_time"].as_f64().unwrap() - 245.0).abs() < 1.0, "{figures}");
    Ok(())
}

async fn services(database: Database) -> Result<()> {
    let service = Service::start(database).await?;
    let answer = service.ask("GET", "/api/monitoring/services", "").await.data();
    fields(&answer, &[("services", List), ("overall_health", Text)])?;
    let list = answer["services"].as_array().unwrap();
    for entry in list {
        fields(
            entry,
            &[
                ("name", Text),
                ("status", Text),
                ("uptime_percent", Or(&Number)),
                ("response_time_ms", Or(&Number)),
                ("last_checked", Or(&Time)),
            ],
        )?;
    }
    let database = list.iter().find(|entry| entry["name"] == "Database").unwrap();
    assert_eq!((&database["status"], &answer["overall_health"]), (&"healthy".into(), &"healthy".into()));
    fields(database, &[("details", Object), ("response_time_ms", Number)])?;
    fields(&database["details"], &[("connections", Number), ("max_connections", Number)])?;
    assert!(list.iter().any(|entry| entry["name"] == "Cache Service"), "{answer}");
    Ok(())
}

async fn machine(database: Database) -> Result<()> {
    let service = Service::start(database).await?;
    for timeframe in ["1h", "6h", "24h", "7d", "30d"] {
        let path = format!("/api/monitoring/metrics?timeframe={timeframe}");
        let readings = service.ask("GET", &path, "").await.data();
        fields(
            &readings,
            &[
                ("cpu_usage_percent", Or(&Number)),
                ("memory_usage_percent", Or(&Number)),
                ("disk_usage_percent", Or(&Number)),
                ("network_io", Object),
                ("active_connections", Number),
                ("requests_per_minute", Number),
            ],
        )?;
        fields(&readings["network_io"], &[("bytes_in", Or(&Number)), ("bytes_out", Or(&Number))])?;
    }
    let error = service.ask("GET", "/api/monitoring/metrics?timeframe=1y", "").await.error(400);
    assert!(error.starts_with("timeframe: "), "{error}");
    Ok(())
}

async fn uptime(database: Database) -> Result<()> {
    let service = Service::start(database).await?;
    let uptime = service.ask("GET", "/api/monitoring/uptime", "").await.data();
    fields(
        &uptime,
        &[
            ("current_uptime_hours", Number),
            ("uptime_percent_24h", Or(&Number)),
            ("uptime_percent_7d", Or(&Number)),
            ("uptime_percent_30d", Or(&Number)),
            ("incidents_count", Number),
            ("last_downtime", Or(&Time)),
        ],
    )?;
    assert_eq!((&uptime["incidents_count"], &uptime["last_downtime"]), (&0.into(), &Value::Null));
    Ok(())
}
