//! `GET /metrics`, read by a parser that takes nothing but what the format says.

use super::support::TestApp;
use errtrack_core::StatusClass;
use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// The samples of a page by name and labels, and the kind of each family.
#[derive(Debug, Default)]
struct Page {
    kinds: BTreeMap<String, String>,
    samples: BTreeMap<(String, Labels), f64>,
}

type Labels = BTreeMap<String, String>;

impl Page {
    fn of(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let labels = labels.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        let key = (name.to_owned(), labels);
        *self.samples.get(&key).unwrap_or_else(|| panic!("{key:?} in {:#?}", self.samples.keys()))
    }

    fn has(&self, name: &str) -> bool {
        self.kinds.contains_key(name)
    }
}

fn is_name(name: &str, colons: bool) -> bool {
    let first = |c: char| c.is_ascii_alphabetic() || c == '_' || (colons && c == ':');
    name.starts_with(first) && name.chars().all(|c| first(c) || c.is_ascii_digit())
}

/// Reads a page of version 0.0.4: each family with its help and its kind, once and in one piece.
fn parse(text: &str) -> Page {
    assert!(text.ends_with('\n') && !text.contains('\r'), "lines end with a line feed");
    let mut page = Page::default();
    let mut helped: BTreeSet<String> = BTreeSet::new();
    let mut family: Option<String> = None;
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').expect("a help text");
            assert!(is_name(name, true) && !help.is_empty(), "{line}");
            assert!(helped.insert(name.to_owned()), "{name} twice");
            family = None;
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').expect("a kind");
            assert!(helped.contains(name) && ["counter", "gauge", "histogram"].contains(&kind), "{line}");
            assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
            assert_eq!(page.kinds.insert(name.to_owned(), kind.to_owned()), None, "{name} twice");
            family = Some(name.to_owned());
        } else {
            let (name, labels, value) = sample(line);
            let family = family.as_deref().unwrap_or_default();
            let is_histogram = page.kinds.get(family).is_some_and(|kind| kind == "histogram");
            let suffixes: &[&str] = if is_histogram { &["_bucket", "_sum", "_count"] } else { &[""] };
            let stands = suffixes.iter().any(|suffix| name.strip_suffix(suffix) == Some(family));
            assert!(stands, "{line} stands with its family");
            assert_eq!(name.ends_with("_bucket"), is_histogram && labels.contains_key("le"), "{line}");
            let value: f64 = value.parse().unwrap_or_else(|e| panic!("{e}: {line}"));
            assert!(value.is_finite() && value >= 0.0, "{line}");
            assert_eq!(page.samples.insert((name, labels), value), None, "{line} twice");
        }
    }
    page
}

/// `name{label="value",…} value`
fn sample(line: &str) -> (String, Labels, &str) {
    let end = line.find(['{', ' ']).unwrap_or_else(|| panic!("a value: {line}"));
    let (name, mut rest) = line.split_at(end);
    assert!(is_name(name, true), "{line}");
    let mut labels = Labels::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        loop {
            let (label, after) = rest.split_once("=\"").unwrap_or_else(|| panic!("a label: {line}"));
            assert!(is_name(label, false) && !label.starts_with("__"), "{line}");
            let mut value = String::new();
            let mut chars = after.char_indices();
            let end = loop {
                match chars.next().unwrap_or_else(|| panic!("a quote: {line}")) {
                    (at, '"') => break at,
                    (_, '\\') => match chars.next() {
                        Some((_, 'n')) => value.push('\n'),
                        Some((_, c @ ('\\' | '"'))) => value.push(c),
                        other => panic!("no escape: {other:?} in {line}"),
                    },
                    (_, c) => value.push(c),
                }
            };
            assert_eq!(labels.insert(label.to_owned(), value), None, "{label} twice: {line}");
            rest = after.get(end + 1..).unwrap_or_default();
            match rest.strip_prefix(',') {
                Some(more) => rest = more,
                None => break,
            }
        }
        rest = rest.strip_prefix('}').unwrap_or_else(|| panic!("an end of labels: {line}"));
    }
    let value = rest.strip_prefix(' ').unwrap_or_else(|| panic!("a space: {line}"));
    assert!(!value.contains(' '), "no time: {line}");
    (name.to_owned(), labels, value)
}

async fn metrics(app: &TestApp) -> Page {
    let answer = app.get("/metrics").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    parse(std::str::from_utf8(&answer.body).unwrap())
}

const FATES: [&str; 7] = ["stored", "coalesced", "sampled", "ignored", "limited", "dropped_queue", "dropped_store"];

#[test]
fn the_parser_takes_what_is_right_alone() {
    let page = parse("# HELP a h\n# TYPE a gauge\na{x=\"q\\\"b\\\\n\\nl\",y=\"\"} 1.5e3\na 2\n");
    assert_eq!(page.of("a", &[("x", "q\"b\\n\nl"), ("y", "")]), 1500.0);
    for wrong in [
        "a 1\n",
        "# HELP a h\n# TYPE a gauge\na 1",
        "# HELP a h\n# TYPE a counter\na 1\n",
        "# HELP a h\n# TYPE a gauge\na 1\na 2\n",
        "# HELP a h\n# TYPE a gauge\na{x=\"\\t\"} 1\n",
        "# HELP a h\n# TYPE a gauge\na{x=\"1\"}1\n",
        "# HELP a h\n# TYPE a gauge\na{x=\"1\",} 1\n",
        "# HELP a h\n# TYPE a gauge\na NaN\n",
    ] {
        assert!(std::panic::catch_unwind(|| parse(wrong)).is_err(), "{wrong:?}");
    }
}

#[tokio::test]
async fn the_balance_stands_in_the_metrics_and_adds_up() {
    let app = TestApp::with_spool(1 << 20).await;
    for project in ["default", "default", "shop"] {
        let body = json!({"message": "m", "source": "s", "project": project});
        assert_eq!(app.post("/api/errors", &body).await.status, 201);
    }
    app.tracker.retain_now().await.unwrap().unwrap();
    let page = metrics(&app).await;
    for (project, captured) in [("default", 2.0), ("shop", 1.0)] {
        let of = |fate| page.of("errtrack_events_total", &[("project", project), ("fate", fate)]);
        assert_eq!(page.of("errtrack_captured_total", &[("project", project)]), captured);
        assert_eq!(of("stored"), captured);
        let under_way = page.of("errtrack_events_under_way", &[("project", project)]);
        assert_eq!(FATES.map(of).iter().sum::<f64>() + under_way, captured);
    }
    for (name, expected) in [
        ("errtrack_balance_complete", 1.0),
        ("errtrack_store_away", 0.0),
        ("errtrack_takes_reports", 1.0),
        ("errtrack_queue_depth", 0.0),
        ("errtrack_spool_occurrences", 0.0),
        ("errtrack_spool_limit_bytes", f64::from(1 << 20)),
        ("errtrack_spool_damaged_total", 0.0),
        ("errtrack_retention_last_run_issues", 0.0),
    ] {
        assert_eq!(page.of(name, &[]), expected, "{name}");
    }
    assert_eq!(page.of("errtrack_retention_last_run_events", &[("reason", "age")]), 0.0);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64();
    for time in ["errtrack_start_time_seconds", "errtrack_retention_last_run_timestamp_seconds"] {
        assert!((now - page.of(time, &[])).abs() < 300.0, "{time}");
    }
    assert!(page.of("errtrack_storage_bytes", &[("table", "errtrack_event")]) > 0.0);
    assert!(page.of("errtrack_storage_total_bytes", &[]) > 0.0 && page.of("errtrack_store_ping_seconds", &[]) > 0.0);
    assert_eq!(page.of("errtrack_build_info", &[("version", env!("CARGO_PKG_VERSION"))]), 1.0);
    assert_eq!(page.of("errtrack_node_info", &[("node", &app.tracker.node().to_string())]), 1.0);
    #[cfg(target_os = "linux")]
    assert!(page.of("process_resident_memory_bytes", &[]) > 1e6);
    #[cfg(unix)]
    assert!(page.of("errtrack_disk_free_bytes", &[]) > 0.0);
}

#[tokio::test]
async fn while_the_database_is_away_no_counter_falls() {
    let app = TestApp::with_spool(1 << 20).await;
    let report = async || app.post("/api/errors", &json!({"message": "m", "source": "s"})).await.status;
    for _ in 0..3 {
        assert_eq!(report().await, 201);
    }
    // What another process has counted.
    let other = errtrack_core::Balance { captured: 40, stored: 40, ..Default::default() };
    let store: &dyn errtrack_core::store::BalanceStore = app.tracker.store().as_ref();
    store.add_balances(&[(errtrack_core::ProjectId(1), other)]).await.unwrap();
    assert_eq!(metrics(&app).await.of("errtrack_captured_total", &[("project", "default")]), 43.0);
    app.store.set_away(true);
    assert_eq!(report().await, 202);
    let page = metrics(&app).await;
    assert_eq!(page.of("errtrack_captured_total", &[("project", "default")]), 44.0);
    assert_eq!(page.of("errtrack_events_under_way", &[("project", "default")]), 1.0);
    for (name, expected) in
        [("errtrack_store_away", 1.0), ("errtrack_balance_complete", 0.0), ("errtrack_spool_occurrences", 1.0)]
    {
        assert_eq!(page.of(name, &[]), expected, "{name}");
    }
    app.store.set_away(false);
    assert!(!page.has("errtrack_store_ping_seconds") && page.has("errtrack_storage_bytes"));
}

#[tokio::test]
async fn requests_stand_in_the_metrics_as_a_histogram_by_route() {
    const NAME: &str = "errtrack_http_request_duration_seconds";
    let app = TestApp::new().await;
    assert!(!metrics(&app).await.has(NAME), "nothing was served");
    let routes = app.tracker.routes();
    for (micros, class) in [
        (900, StatusClass::Success),
        (1_024, StatusClass::Success),
        (1_025, StatusClass::Success),
        (60_000_000, StatusClass::Dropped),
    ] {
        routes.record("GET", "/orders/{id}", class, Duration::from_micros(micros));
    }
    let page = metrics(&app).await;
    let of = |suffix: &str, status: &str, le: Option<&str>| {
        let labels = [("route", "/orders/{id}"), ("method", "GET"), ("status", status)];
        let labels: Vec<_> = labels.into_iter().chain(le.map(|le| ("le", le))).collect();
        page.of(&format!("{NAME}{suffix}"), &labels)
    };
    assert_eq!(of("_bucket", "2xx", Some("0.001024")), 2.0);
    assert_eq!(of("_bucket", "2xx", Some("0.002048")), 3.0);
    assert_eq!(of("_bucket", "2xx", Some("16.777216")), 3.0);
    assert_eq!((of("_bucket", "2xx", Some("+Inf")), of("_count", "2xx", None)), (3.0, 3.0));
    assert!((of("_sum", "2xx", None) - 0.002_949).abs() < 1e-9);
    assert_eq!((of("_bucket", "dropped", Some("16.777216")), of("_count", "dropped", None)), (0.0, 1.0));
}
