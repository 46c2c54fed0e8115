//! `GET /metrics`: the state of the tracker as Prometheus reads it.
//!
//! What is counted in the database is the same on every process that shares it: take the maximum over them, not the sum.

mod text;

use super::openapi::Failures;
use crate::{
    access::Read,
    app::App,
    status::{Measure, Status},
};
use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use errtrack_core::{Balance, RouteStatistics, Timestamp};
use std::time::Duration;
use text::{
    Kind::{Counter, Gauge, Histogram},
    Text,
};

const FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Tells the state as Prometheus reads it
///
/// Text, not in the frame. What is counted in the database is the same on every process that shares it: take the maximum
/// over them, not the sum.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "System",
    operation_id = "metrics",
    security(("key" = ["read"]), ("bearer" = ["read"])),
    responses((status = 200, description = "Families of samples", body = String, content_type = "text/plain"), Failures),
)]
pub(super) async fn metrics(State(app): State<App>, Read(caller): Read) -> Response {
    let text = of(&caller.status(&app).await, &app.tracker().routes().snapshot());
    ([(header::CONTENT_TYPE, FORMAT), (header::CACHE_CONTROL, "no-store")], text).into_response()
}

fn of(status: &Status, served: &[RouteStatistics]) -> String {
    let mut text = Text::default();
    balances(&mut text, status);
    this_process(&mut text, status);
    requests(&mut text, served);
    store(&mut text, status);
    retention(&mut text, status);
    text.into_string()
}

/// Where events end, by the names that the label `fate` has.
fn fates(balance: &Balance) -> [(&'static str, u64); 7] {
    [
        ("stored", balance.stored),
        ("coalesced", balance.coalesced),
        ("sampled", balance.sampled),
        ("ignored", balance.ignored),
        ("limited", balance.limited),
        ("dropped_queue", balance.dropped_by_queue),
        ("dropped_store", balance.dropped_by_store),
    ]
}

fn balances(text: &mut Text, status: &Status) {
    const OF_ALL: &str = "Counted over all processes that share the database: take the maximum, not the sum.";
    let mut family = text.family("errtrack_captured_total", Counter, &format!("Events captured or received. {OF_ALL}"));
    for account in &status.projects {
        family.sample(&[("project", &account.slug)], account.balance.captured);
    }
    let mut family = text.family("errtrack_events_total", Counter, &format!("Where events ended. {OF_ALL}"));
    for account in &status.projects {
        for (fate, events) in fates(&account.balance) {
            family.sample(&[("project", &account.slug), ("fate", fate)], events);
        }
    }
    let mut family =
        text.family("errtrack_events_under_way", Gauge, "Events that were captured and have not ended yet.");
    for account in &status.projects {
        family.sample(&[("project", &account.slug)], account.balance.under_way());
    }
    let help =
        "1 if the balances are those of all processes; 0 while the database is away, when only this one counts on.";
    text.one("errtrack_balance_complete", Gauge, help, Some(u8::from(status.is_complete)));
}

fn this_process(text: &mut Text, status: &Status) {
    text.one("errtrack_queue_depth", Gauge, "Events that wait to be prepared or written.", Some(status.queue));
    let help = "1 if a report that came now could be kept.";
    text.one("errtrack_takes_reports", Gauge, help, Some(u8::from(status.takes_reports)));
    if let Some(spool) = &status.spool {
        text.one("errtrack_spool_occurrences", Gauge, "Events that wait in the spool.", Some(spool.occurrences));
        text.one("errtrack_spool_bytes", Gauge, "Bytes of the spool.", Some(spool.bytes));
        text.one("errtrack_spool_limit_bytes", Gauge, "Bytes that the spool may have.", Some(spool.most_bytes));
        let help = "Events that were read back from the spool since the start.";
        text.one("errtrack_spool_drained_total", Counter, help, Some(spool.drained));
        let help = "Records of the spool that could not be read back since the start.";
        text.one("errtrack_spool_damaged_total", Counter, help, Some(spool.damaged));
    }
    let version = env!("CARGO_PKG_VERSION");
    text.family("errtrack_build_info", Gauge, "The version, always 1.").sample(&[("version", version)], 1);
    let node = status.node.to_string();
    text.family("errtrack_node_info", Gauge, "The id of this process, always 1.").sample(&[("node", &node)], 1);
    let help = "When this process began to answer, in seconds since 1970.";
    text.one("errtrack_start_time_seconds", Gauge, help, Some(seconds(status.started)));
    text.one("process_resident_memory_bytes", Gauge, "Resident memory of the process.", resident_memory());
}

/// What the layers of this process counted of the host's requests.
fn requests(text: &mut Text, served: &[RouteStatistics]) {
    if served.is_empty() {
        return;
    }
    let help = "From a request's arrival at the layer to the head of its answer, or to its end without one, by route.";
    let mut family = text.family("errtrack_http_request_duration_seconds", Histogram, help);
    for route in served {
        for (class, latencies) in &route.classes {
            let labels = [("route", &*route.route), ("method", &*route.method), ("status", class.name())];
            family.histogram(&labels, latencies);
        }
    }
}

fn store(text: &mut Text, status: &Status) {
    let help = "1 while the database does not answer or does not take what is written.";
    text.one("errtrack_store_away", Gauge, help, Some(u8::from(status.is_away)));
    if let Some(is_away) = status.is_redis_away {
        let help = "1 while Redis does not answer, and each process counts limits for itself.";
        text.one("errtrack_redis_away", Gauge, help, Some(u8::from(is_away)));
    }
    let help = "How long a round trip to the database took.";
    text.one("errtrack_store_ping_seconds", Gauge, help, status.ping.map(|ping| ping.as_secs_f64()));
    let Some(Measure { storage, .. }) = &status.storage else { return };
    let mut family = text.family("errtrack_storage_bytes", Gauge, "Bytes of each table, indexes included.");
    for table in &storage.tables {
        family.sample(&[("table", &table.name)], table.bytes);
    }
    text.one("errtrack_storage_total_bytes", Gauge, "Bytes of the whole store.", Some(storage.bytes));
    let help = "Bytes of the store that are free to be used again.";
    text.one("errtrack_storage_reusable_bytes", Gauge, help, Some(storage.reusable_bytes));
    let help = "Bytes free on the disk of the database.";
    text.one("errtrack_disk_free_bytes", Gauge, help, storage.free_disk);
}

fn retention(text: &mut Text, status: &Status) {
    let Some(last) = &status.last_retention else { return };
    let help = "When the last retention run began, in seconds since 1970.";
    text.one("errtrack_retention_last_run_timestamp_seconds", Gauge, help, Some(seconds(last.at)));
    let took = Duration::from_millis(last.took_ms).as_secs_f64();
    text.one("errtrack_retention_last_run_seconds", Gauge, "How long the last retention run took.", Some(took));
    let help = "Events that the last retention run let go of.";
    let mut family = text.family("errtrack_retention_last_run_events", Gauge, help);
    for (reason, events) in [
        ("age", last.old_events),
        ("issue", last.surplus_events),
        ("project", last.quota_events),
        ("disk", last.disk_events),
    ] {
        family.sample(&[("reason", reason)], events);
    }
    let help = "Resolved issues that the last retention run deleted.";
    text.one("errtrack_retention_last_run_issues", Gauge, help, Some(last.issues));
}

/// Seconds since 1970 with milliseconds.
fn seconds(time: Timestamp) -> String {
    let millis = time.as_micros() / 1_000;
    format!("{}.{:03}", millis / 1_000, millis % 1_000)
}

/// Bytes of memory that the process holds; `None` where the system does not tell.
fn resident_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
}
