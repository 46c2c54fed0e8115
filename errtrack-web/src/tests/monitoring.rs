//! How everything is doing: `GET /api/monitoring/services|metrics|uptime`.

use super::support::TestApp;
use crate::{AllowedTargets, Config};
use errtrack_core::{
    Beat, ProjectId, Timestamp,
    store::{Series, SeriesPoint, SeriesStore},
};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::net::TcpListener;
use uuid::Uuid;

async fn services(app: &TestApp) -> Value {
    app.get("/api/monitoring/services").await.data()
}

fn find<'a>(services: &'a Value, name: &str) -> &'a Value {
    services["services"].as_array().unwrap().iter().find(|service| service["name"] == name).unwrap()
}

#[tokio::test]
async fn the_database_the_cache_and_the_queue_are_looked_at() {
    let app = TestApp::new().await;
    let all = services(&app).await;
    assert_eq!(all["overall_health"], "healthy");
    for name in ["Database", "Cache Service", "Queue"] {
        let service = find(&all, name);
        assert_eq!((&service["status"], &service["uptime_percent"]), (&json!("healthy"), &json!(100.0)), "{service}");
        assert!(service["response_time_ms"].is_number() && service["last_checked"].is_string(), "{service}");
    }
    let details = &find(&all, "Database")["details"];
    assert_eq!((&details["backend"], &details["max_connections"]), (&json!("sqlite"), &json!(4)));
    assert!(details["connections"].is_number());
    assert_eq!(find(&all, "Queue")["details"]["depth"], 0);
}

#[tokio::test]
async fn a_database_that_is_away_is_unhealthy_and_the_answer_comes_all_the_same() {
    let app = TestApp::new().await;
    app.store.set_away(true);
    let all = services(&app).await;
    let database = find(&all, "Database");
    assert_eq!((&database["status"], &all["overall_health"]), (&json!("unhealthy"), &json!("unhealthy")));
    assert_eq!(
        (&database["response_time_ms"], &find(&all, "Cache Service")["status"]),
        (&Value::Null, &json!("healthy"))
    );
    for path in ["/api/monitoring/metrics", "/api/monitoring/uptime", "/api/stats"] {
        assert_eq!(app.get(path).await.status, 503, "{path}");
    }
}

#[tokio::test]
async fn services_that_are_named_are_watched_in_the_background() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let monitor = [
        format!("open=tcp://127.0.0.1:{port}"),
        "closed=tcp://10.0.0.1:1".to_owned(),
        "secure=https://10.0.0.1/health?token=1".to_owned(),
    ];
    let config = Config {
        monitor: monitor.map(|target| target.parse().unwrap()).to_vec(),
        allowed_targets: AllowedTargets::new(["127.0.0.1"]).unwrap(),
        ..Config::default()
    };
    let app = TestApp::with(config).await;
    assert_eq!(find(&services(&app).await, "open")["status"], "unknown", "nobody has looked yet");
    // Written, so that another node answers the same. An answer is kept for some seconds.
    let looked = async || {
        let query = errtrack_core::store::SeriesQuery {
            series: Series::Checks,
            projects: None,
            width: 10,
            from: 0,
            until: i64::MAX,
        };
        app.store.points(&query).await.unwrap().len() >= 5
    };
    TestApp::until("services are looked at", looked).await;
    let all = services(&app.second().await).await;
    assert!(all["services"].as_array().unwrap().iter().all(|service| service["name"] != "open"), "it watches nothing");
    let all = TestApp::until_some("the answer is made anew", async || {
        let all = services(&app).await;
        (find(&all, "open")["status"] != "unknown").then_some(all)
    })
    .await;
    let open = find(&all, "open");
    assert_eq!((&open["status"], &open["uptime_percent"]), (&json!("healthy"), &json!(100.0)), "{open}");
    let closed = find(&all, "closed");
    assert_eq!((&closed["status"], &closed["uptime_percent"]), (&json!("unhealthy"), &json!(0.0)), "{closed}");
    assert!(closed["details"]["reason"].as_str().unwrap().contains("ALLOWED_TARGETS"));
    let secure = find(&all, "secure");
    assert_eq!(
        (&secure["status"], &secure["details"]["url"]),
        (&json!("unhealthy"), &json!("https://10.0.0.1/health"))
    );
    assert_eq!(all["overall_health"], "unhealthy");
}

#[tokio::test]
async fn how_fast_services_answered_is_kept() {
    let app = TestApp::new().await;
    let now = Timestamp::now();
    let start = now.minus(Duration::from_secs(3_600)).hour() * 60;
    let point = |width: i64| {
        SeriesPoint {
        series: Series::Checks,
        project: ProjectId(0),
        width,
        start,
        name: "shop".into(),
        node: Uuid::from_u128(7),
        data: json!({
            "times": 4, "failed": 1, "at": now, "millis": 9.0, "reason": null, "unknown": false, "sum": 30.0, "slowest": 20.0,
        })
        .to_string(),
    }
    };
    app.store.put_points(&[point(10), point(60)]).await.unwrap();
    let history = app.get("/api/monitoring/history?timeframe=24h").await.data();
    let shop = history["services"].as_array().unwrap().iter().find(|service| service["name"] == "shop").unwrap();
    for share in ["uptime_percent_24h", "uptime_percent_7d", "uptime_percent_30d"] {
        assert_eq!(shop[share], 75.0, "{shop}");
    }
    let point = &shop["data_points"][0];
    assert_eq!((&point["response_time_ms"], &point["slowest_ms"]), (&json!(10.0), &json!(20.0)), "{shop}");
    assert_eq!((&point["looks"], &point["failed"]), (&json!(4), &json!(1)));
    app.get("/api/monitoring/history?timeframe=5m").await.error(400);
}

#[tokio::test]
async fn the_database_the_cache_and_the_queue_have_a_history() {
    let app = TestApp::new().await;
    let looked = async || {
        let query = errtrack_core::store::SeriesQuery {
            series: Series::Checks,
            projects: None,
            width: 60,
            from: 0,
            until: i64::MAX,
        };
        app.store.points(&query).await.unwrap().len() == 3
    };
    TestApp::until("they are looked at", looked).await;
    let history = app.get("/api/monitoring/history?timeframe=1h").await.data();
    let told = history["services"].as_array().unwrap();
    let names: Vec<_> = told.iter().map(|service| service["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Cache Service", "Database", "Queue"]);
    for service in told {
        assert_eq!(service["uptime_percent_30d"], 100.0, "{service}");
        let point = &service["data_points"][0];
        assert!(point["response_time_ms"].is_number() && point["looks"].as_u64() >= Some(1), "{service}");
    }
    // What was found before counts too.
    let start = Timestamp::now().minus(Duration::from_secs(7_200)).hour() * 60;
    let data = json!({
        "times": 9, "failed": 9, "at": Timestamp::default(), "millis": null, "reason": "away", "unknown": false,
    });
    let (name, node, data) = ("Cache Service".into(), Uuid::from_u128(7), data.to_string());
    let point = SeriesPoint { series: Series::Checks, project: ProjectId(0), width: 10, start, name, node, data };
    app.store.put_points(&[point]).await.unwrap();
    let all = services(&app.second().await).await;
    let cache = find(&all, "Cache Service");
    assert_eq!(cache["status"], "healthy");
    assert!(cache["uptime_percent"].as_f64().unwrap() < 50.0, "{cache}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_machine_is_read_and_remembered() {
    let app = TestApp::new().await;
    let machine = TestApp::until_some("the machine is read", async || {
        let machine = app.get("/api/monitoring/metrics?timeframe=6h").await.data();
        machine["cpu_usage_percent"].is_number().then_some(machine)
    })
    .await;
    for field in ["cpu_usage_percent", "memory_usage_percent", "disk_usage_percent"] {
        assert!((0.0..=100.0).contains(&machine[field].as_f64().unwrap()), "{field}: {machine}");
    }
    assert!(machine["network_io"]["bytes_in"].is_u64() && machine["network_io"]["bytes_out"].is_u64());
    assert!(
        machine["active_connections"].is_u64() && machine["requests_per_minute"].as_f64().unwrap() > 0.0,
        "{machine}"
    );
    assert_eq!((&machine["nodes"], &machine["timeframe"]), (&json!(1), &json!("6h")));
    let error = app.get("/api/monitoring/metrics?timeframe=5m").await.error(400);
    assert_eq!(error, "timeframe: must be one of 1h, 6h, 24h, 7d, 30d");
}

#[tokio::test]
async fn downtime_between_two_lives_of_a_process_shows() {
    let app = TestApp::new().await;
    let now = Timestamp::now();
    let ago = |minutes: u64| now.minus(Duration::from_secs(minutes * 60));
    let node = Uuid::new_v4();
    // Another process was there from three hours ago until an hour ago.
    let beat = |from: u64, until: u64| {
        let beat = Beat { from: ago(from).as_micros(), until: ago(until).as_micros(), ended: true };
        let start = ago(from).hour() * 60;
        let data = serde_json::to_string(&beat).unwrap();
        SeriesPoint { series: Series::Beats, project: ProjectId(0), width: 60, start, name: String::new(), node, data }
    };
    app.store.put_points(&[beat(180, 120), beat(120, 60)]).await.unwrap();
    let uptime = app.get("/api/monitoring/uptime").await.data();
    assert_eq!(uptime["incidents_count"], 1, "{uptime}");
    assert_eq!(uptime["last_downtime"], ago(60).to_string());
    let share = uptime["uptime_percent_24h"].as_f64().unwrap();
    assert!((share - 66.667).abs() < 0.1, "an hour of three: {share}");
    assert_eq!(uptime["uptime_percent_30d"], uptime["uptime_percent_24h"]);
    assert!(uptime["current_uptime_hours"].as_f64().unwrap() < 0.1);
    let nodes = uptime["nodes"].as_array().unwrap();
    let ended = nodes.iter().find(|other| other["id"] == node.to_string()).unwrap();
    assert_eq!((&ended["status"], &ended["last_seen"]), (&json!("ended"), &json!(ago(60).to_string())), "{uptime}");
}
