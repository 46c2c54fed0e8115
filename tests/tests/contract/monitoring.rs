//! The REST document (001): how everything is doing.

use crate::service::{
    Is::{List, Number, Object, Or, Text, Time, Uuid},
    Service, fields,
};
use anyhow::{Result, ensure};
use errtrack_core::store::{Series, SeriesQuery};
use errtrack_tests::{Database, on_both};
use serde_json::Value;
use std::time::{Duration, Instant};

on_both!(services history machine uptime);

/// Waits until something has been looked at in the background; answers are kept for a while, so nobody may ask before.
async fn looked_at(service: &Service, series: Series, points: usize) -> Result<()> {
    let start = Instant::now();
    let query = SeriesQuery { series, projects: None, width: 60, from: 0, until: i64::MAX };
    while service.tracker.store().points(&query).await?.len() < points {
        ensure!(start.elapsed() < Duration::from_secs(60), "{series:?} are not there");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

async fn services(database: Database) -> Result<()> {
    let service = Service::start(database).await?;
    let data = service.ask("GET", "/api/monitoring/services", "").await.data();
    assert_eq!(data["overall_health"], "healthy");
    let services = data["services"].as_array().unwrap();
    let names: Vec<_> = services.iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Database", "Cache Service", "Queue"]);
    for one in services {
        fields(
            one,
            &[
                ("name", Text),
                ("status", Text),
                ("uptime_percent", Number),
                ("response_time_ms", Number),
                ("last_checked", Time),
                ("details", Object),
            ],
        )?;
        assert_eq!((&one["status"], one["uptime_percent"].as_f64()), (&"healthy".into(), Some(100.0)));
    }
    fields(&services[0]["details"], &[("backend", Text), ("connections", Number), ("max_connections", Number)])?;
    fields(&services[2]["details"], &[("depth", Number)])?;
    Ok(())
}

async fn history(database: Database) -> Result<()> {
    const PATH: &str = "/api/monitoring/history";
    let service = Service::start(database).await?;
    looked_at(&service, Series::Checks, 3).await?;
    let data = service.ask("GET", &format!("{PATH}?timeframe=7d"), "").await.data();
    assert_eq!(data["timeframe"], "7d");
    fields(&data, &[("timeframe", Text), ("services", List)])?;
    for one in data["services"].as_array().unwrap() {
        fields(one, &[("name", Text), ("data_points", List)])?;
        for share in ["uptime_percent_24h", "uptime_percent_7d", "uptime_percent_30d"] {
            assert_eq!(one[share], 100.0, "{one}");
        }
        let point = &one["data_points"][0];
        fields(point, &[("timestamp", Time), ("response_time_ms", Or(&Number)), ("slowest_ms", Or(&Number))])?;
        fields(point, &[("looks", Number), ("failed", Number)])?;
        assert_eq!(point["failed"], 0);
    }
    let names: Vec<_> = data["services"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Cache Service", "Database", "Queue"]);
    let error = service.ask("GET", &format!("{PATH}?timeframe=2h"), "").await.error(400);
    assert_eq!(error, "timeframe: must be one of 1h, 6h, 24h, 7d, 30d");
    assert_eq!(service.send("GET", PATH, &[], "").await.status, 401);
    Ok(())
}

async fn machine(database: Database) -> Result<()> {
    let service = Service::start(database).await?;
    looked_at(&service, Series::Machine, 1).await?;
    let data = service.ask("GET", "/api/monitoring/metrics?timeframe=24h", "").await.data();
    assert_eq!(data["timeframe"], "24h");
    fields(
        &data,
        &[
            ("cpu_usage_percent", Or(&Number)),
            ("memory_usage_percent", Number),
            ("disk_usage_percent", Or(&Number)),
            ("network_io", Object),
            ("active_connections", Number),
            ("requests_per_minute", Number),
            ("nodes", Number),
            ("data_points", List),
        ],
    )?;
    fields(&data["network_io"], &[("bytes_in", Or(&Number)), ("bytes_out", Or(&Number))])?;
    fields(&data["data_points"][0], &[("timestamp", Time), ("cpu_usage_percent", Or(&Number)), ("requests", Number)])?;
    service.ask("GET", "/api/monitoring/metrics?timeframe=x", "").await.error(400);
    Ok(())
}

async fn uptime(database: Database) -> Result<()> {
    let service = Service::start(database).await?;
    looked_at(&service, Series::Beats, 1).await?;
    let data = service.ask("GET", "/api/monitoring/uptime", "").await.data();
    fields(
        &data,
        &[
            ("current_uptime_hours", Number),
            ("uptime_percent_24h", Number),
            ("uptime_percent_7d", Number),
            ("uptime_percent_30d", Number),
            ("incidents_count", Number),
            ("last_downtime", Or(&Time)),
            ("incidents", List),
            ("nodes", List),
        ],
    )?;
    assert_eq!((&data["incidents_count"], &data["last_downtime"]), (&0.into(), &Value::Null));
    let node = &data["nodes"][0];
    fields(node, &[("id", Uuid), ("status", Text), ("since", Time), ("last_seen", Time)])?;
    assert_eq!(node["status"], "up");
    Ok(())
}
