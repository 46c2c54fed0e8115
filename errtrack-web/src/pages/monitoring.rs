//! The page of monitoring: services, the machine, downtime.

use super::{
    chart::{self, Bars, News},
    failure::Failure,
    incidents,
    overview::url,
    page::Page,
    performance::{format_of, rounded, timeframes},
    shell::{Choice, Layout, Shell, Viewer},
    system::Answer,
    text,
    time::{When, span},
};
use crate::{
    app::App,
    figures::Timeframe,
    monitoring::{
        self, Health, History, Machine, MachinePoint, Node, NodeStatus, Service, ServiceHistory, Services, Uptime,
    },
};
use askama::Template;
use axum::extract::{Query, State};
use errtrack_core::{Project, Timestamp, incident::Incident, store::IncidentQuery};
use serde::Deserialize;
use std::{sync::Arc, time::Duration};

/// How far back incidents are named, and how many.
const MONTH: Duration = Duration::from_secs(30 * 86_400);
const INCIDENTS: u32 = 20;

/// What was found.
#[derive(Debug, Default)]
struct Found {
    services: Services,
    machine: Option<Machine>,
    uptime: Option<Uptime>,
    history: Option<History>,
    incidents: Vec<Incident>,
    projects: Arc<[Project]>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Params {
    timeframe: Option<String>,
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "monitoring.html")]
pub(super) struct MonitoringPage {
    layout: Layout,
    timeframes: Vec<Choice>,
    answers: Vec<Answer>,
    services: Vec<Row>,
    cpu: Option<Bars>,
    memory: Option<Bars>,
    downtimes: Vec<(When, String)>,
    /// How fast each service answered.
    latencies: Vec<Latency>,
    nodes: Vec<NodeRow>,
    incidents: Vec<incidents::Row>,
    incidents_url: String,
}

#[derive(Debug)]
struct Latency {
    id: String,
    title: String,
    what: &'static str,
    chart: Bars,
}

#[derive(Debug)]
struct NodeRow {
    name: String,
    state: &'static str,
    class: &'static str,
    since: When,
    seen: When,
}

#[derive(Debug)]
struct Row {
    name: String,
    note: String,
    state: &'static str,
    class: &'static str,
    reason: String,
    took: String,
    /// In 24 hours, 7 days, 30 days.
    uptime: [String; 3],
    checked: Option<When>,
}

/// `GET /monitoring`
pub(super) async fn show(
    State(app): State<App>,
    Viewer(shell): Viewer,
    Query(params): Query<Params>,
) -> Result<Page<MonitoringPage>, Failure> {
    let timeframe = params.timeframe.and_then(|name| name.parse().ok()).unwrap_or_default();
    let now = Timestamp::now();
    let services = monitoring::services(&app).await?;
    // While the database is away, what it is asked for next would only be waited for.
    let answers = services.services.first().is_some_and(|database| database.status == Health::Healthy);
    let mut found = Found { services, ..Found::default() };
    if answers {
        found.machine = Machine::read(app.store(), timeframe, now).await.ok();
        found.uptime = Uptime::read(app.store(), now).await.ok();
        found.history = History::read(app.store(), timeframe, now).await.ok();
        let since = Some(now.minus(MONTH));
        let query = IncidentQuery { since, limit: INCIDENTS, ..IncidentQuery::default() };
        found.incidents = shell.caller().incidents(&app, query).await.unwrap_or_default();
        found.projects = shell.caller().projects(&app).await?;
    }
    Ok(Page::new(MonitoringPage::new(&shell, timeframe, &found, now)))
}

impl MonitoringPage {
    fn new(shell: &Shell, timeframe: Timeframe, found: &Found, now: Timestamp) -> Self {
        let (services, machine, uptime) = (&found.services, found.machine.as_ref(), found.uptime.as_ref());
        let history = found.history.as_ref();
        let of = |name: &str| history.and_then(|history| history.services.iter().find(|service| service.name == name));
        let nodes = uptime.map(|uptime| uptime.nodes.as_slice()).unwrap_or_default();
        let mut layout = shell.layout("Monitoring");
        layout.area = "monitoring";
        let pauses = uptime.map(|uptime| uptime.incidents.as_slice()).unwrap_or_default();
        let bars = |what: &str, value: fn(&MachinePoint) -> Option<f64>| machine.and_then(|m| usage(m, what, value));
        Self {
            layout,
            timeframes: timeframes(timeframe, |frame| url(shell, "/monitoring", "timeframe", frame.name(), None)),
            answers: answers(services, machine, uptime),
            services: services.services.iter().map(|service| Row::new(service, of(&service.name), now)).collect(),
            latencies: latencies(history),
            nodes: nodes.iter().map(|node| NodeRow::new(node, now)).collect(),
            incidents: found
                .incidents
                .iter()
                .map(|incident| incidents::Row::new(shell, incident, &found.projects, now))
                .collect(),
            incidents_url: shell.links.path("/incidents"),
            cpu: bars("How busy the processors were", |point| point.cpu_usage_percent),
            memory: bars("How much memory was in use", |point| point.memory_usage_percent),
            downtimes: pauses
                .iter()
                .map(|pause| (When::new(pause.from, now), span(pause.until.as_seconds() - pause.from.as_seconds())))
                .collect(),
        }
    }
}

/// How fast each service answered; none where that is not known, or where it takes no time.
fn latencies(history: Option<&History>) -> Vec<Latency> {
    let Some(history) = history else { return Vec::new() };
    let chart = |(number, service): (usize, &ServiceHistory)| {
        let points = &service.data_points;
        let millis = || points.iter().map(|point| point.response_time_ms.unwrap_or_default());
        let longest = millis().fold(0.0, f64::max);
        if longest <= 0.0 {
            return None;
        }
        // Whole numbers of what is far below a millisecond would all be nothing.
        let (unit, what, scale) =
            if longest < 10.0 { ("µs", "Microseconds", 1_000.0) } else { ("ms", "Milliseconds", 1.0) };
        let counts: Vec<i64> = millis().map(|millis| rounded(millis * scale)).collect();
        let names: Vec<String> =
            points.iter().map(|point| point.timestamp.strftime(format_of(history.timeframe))).collect();
        let name = text::line(&service.name, 100);
        let label = format!(
            "How long {name} took to answer in the last {}, in {}",
            history.timeframe.label(),
            what.to_lowercase()
        );
        let chart = chart::bars(&counts, &names, names.len().div_ceil(8).max(1), News::Calm, label);
        Some(Latency { id: format!("latency-{number}"), title: format!("{name}: answered in ({unit})"), what, chart })
    };
    history.services.iter().enumerate().filter_map(chart).collect()
}

/// A chart of a share of the machine; none where nothing is known.
fn usage(machine: &Machine, what: &str, value: fn(&MachinePoint) -> Option<f64>) -> Option<Bars> {
    let known: Vec<(&MachinePoint, f64)> =
        machine.data_points.iter().filter_map(|point| Some((point, value(point)?))).collect();
    if known.is_empty() {
        return None;
    }
    let counts: Vec<i64> = known.iter().map(|(_, percent)| rounded(*percent)).collect();
    let names: Vec<String> =
        known.iter().map(|(point, _)| point.timestamp.strftime(format_of(machine.timeframe))).collect();
    let label = format!("{what} in the last {}, in percent", machine.timeframe.label());
    Some(chart::bars(&counts, &names, names.len().div_ceil(8).max(1), News::Calm, label))
}

fn answers(services: &Services, machine: Option<&Machine>, uptime: Option<&Uptime>) -> Vec<Answer> {
    let answer = |name, value: String, note: String| Answer { name, value, note, ..Answer::default() };
    let percent = |share: Option<f64>| share.map_or_else(|| "–".into(), |share| format!("{share:.1} %"));
    let (value, class) = match services.overall_health {
        Health::Healthy => ("Well", ""),
        Health::Unhealthy => ("Not well", "error"),
        Health::Unknown => ("Not known", ""),
    };
    let mut answers = vec![Answer { name: "Services", value: value.into(), class, ..Answer::default() }];
    if let Some(uptime) = uptime {
        let note = format!("without a pause for {}", span(rounded(uptime.current_uptime_hours * 3_600.0)));
        answers.push(answer("There in 30 days", format!("{:.2} %", uptime.uptime_percent_30d), note));
    }
    if let Some(machine) = machine {
        let io = |bytes: Option<u64>| bytes.map_or_else(|| "–".into(), text::bytes);
        let network = format!("{} out", io(machine.network_io.bytes_out));
        answers.extend([
            answer("Processor", percent(machine.cpu_usage_percent), String::new()),
            answer("Memory", percent(machine.memory_usage_percent), String::new()),
            answer("Disk", percent(machine.disk_usage_percent), String::new()),
            answer("Network", format!("{} in", io(machine.network_io.bytes_in)), network),
            answer(
                "Requests per minute",
                format!("{:.1}", machine.requests_per_minute),
                format!("to errtrack, {} under way", text::count(machine.active_connections)),
            ),
        ]);
    }
    answers
}

impl NodeRow {
    fn new(node: &Node, now: Timestamp) -> Self {
        let (state, class) = match node.status {
            NodeStatus::Up => ("up", ""),
            NodeStatus::Ended => ("ended", ""),
            NodeStatus::Lost => ("lost", "error"),
        };
        let (since, seen) = (When::new(node.since, now), When::new(node.last_seen, now));
        Self { name: node.id.simple().to_string().chars().take(8).collect(), state, class, since, seen }
    }
}

impl Row {
    fn new(service: &Service, history: Option<&ServiceHistory>, now: Timestamp) -> Self {
        let percent = |share: Option<f64>| share.map_or_else(|| "–".into(), |percent| format!("{percent:.2} %"));
        let details = &service.details;
        let connections = details.connections.zip(details.max_connections);
        let note = [
            details.backend.clone(),
            connections.map(|(used, most)| format!("{used} of {most} connections in use")),
            details.depth.map(|depth| text::counted(i64::try_from(depth).unwrap_or(i64::MAX), "event")),
            details.url.clone(),
        ];
        Self {
            name: text::line(&service.name, 100),
            note: text::line(&note.into_iter().flatten().collect::<Vec<_>>().join(", "), 200),
            state: service.status.name(),
            class: if service.status == Health::Unhealthy { "error" } else { "" },
            reason: text::line(details.reason.as_deref().unwrap_or_default(), 200),
            took: service.response_time_ms.map_or_else(|| "–".into(), |millis| format!("{millis:.1} ms")),
            uptime: [
                percent(service.uptime_percent),
                percent(history.and_then(|history| history.uptime_percent_7d)),
                percent(history.and_then(|history| history.uptime_percent_30d)),
            ],
            checked: service.last_checked.map(|at| When::new(at, now)),
        }
    }
}

#[cfg(test)]
impl MonitoringPage {
    pub(super) fn samples(shell: &Shell) -> Vec<Self> {
        use super::samples;
        use crate::monitoring::{Details, Downtime, LatencyPoint, NetworkIo};
        let now = samples::now();
        let service = |name: &str, status| Service {
            name: name.into(),
            status,
            uptime_percent: Some(99.8),
            response_time_ms: (status == Health::Healthy).then_some(12.0),
            last_checked: (status != Health::Unknown).then_some(now),
            details: Details {
                backend: Some("sqlite".into()),
                connections: Some(1),
                max_connections: Some(4),
                depth: Some(7),
                url: Some(samples::HOSTILE.into()),
                reason: (status != Health::Healthy).then(|| samples::HOSTILE.into()),
            },
        };
        let services = Services {
            services: vec![
                service("Database", Health::Healthy),
                service(samples::HOSTILE, Health::Unhealthy),
                service("later", Health::Unknown),
            ],
            overall_health: Health::Unhealthy,
        };
        let point = |n: u8| MachinePoint {
            timestamp: now,
            cpu_usage_percent: Some(f64::from(n) * 1.5),
            memory_usage_percent: (n > 3).then_some(40.0),
            requests: 3,
        };
        let machine = Machine {
            cpu_usage_percent: Some(65.2),
            network_io: NetworkIo { bytes_in: Some(1_024_000), bytes_out: None },
            data_points: (0..60).map(point).collect(),
            ..Machine::default()
        };
        let pause = Downtime { from: samples::issue(1).first_seen, until: now };
        let node = |status| Node { id: uuid::Uuid::nil(), status, since: now, last_seen: now };
        let nodes = [NodeStatus::Up, NodeStatus::Ended, NodeStatus::Lost].map(node).into();
        let uptime = Uptime { incidents: vec![pause], nodes, uptime_percent_30d: 99.95, ..Uptime::default() };
        let latency = |n: u8| LatencyPoint {
            timestamp: now,
            response_time_ms: (n != 3).then_some(f64::from(n)),
            slowest_ms: None,
            looks: 20,
            failed: 0,
        };
        let of = |name: &str| ServiceHistory {
            name: name.into(),
            uptime_percent_7d: Some(99.9),
            data_points: (0..30).map(latency).collect(),
            ..ServiceHistory::default()
        };
        let history = History { services: vec![of("Database"), of(samples::HOSTILE)], ..History::default() };
        let whole = Found {
            services: services.clone(),
            machine: Some(machine),
            uptime: Some(uptime),
            history: Some(history),
            incidents: vec![samples::incident(1, true), samples::incident(2, false)],
            projects: Arc::from([samples::project("checkout-api", 1)]),
        };
        let bare = Found {
            services: services.clone(),
            machine: Some(Machine::default()),
            uptime: Some(Uptime::default()),
            history: Some(History::default()),
            ..Found::default()
        };
        let frame = Timeframe::Hour;
        vec![
            Self::new(shell, frame, &whole, now),
            Self::new(shell, frame, &bare, now),
            Self::new(shell, frame, &Found { services, ..Found::default() }, now),
        ]
    }
}
