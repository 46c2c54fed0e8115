//! The page of monitoring: services, the machine, downtime.

use super::{
    chart::{self, Bars, News},
    failure::Failure,
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
    monitoring::{self, Health, Machine, MachinePoint, Service, Services, Uptime},
};
use askama::Template;
use axum::extract::{Query, State};
use errtrack_core::Timestamp;
use serde::Deserialize;

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
}

#[derive(Debug)]
struct Row {
    name: String,
    note: String,
    state: &'static str,
    class: &'static str,
    reason: String,
    took: String,
    uptime: String,
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
    let (machine, uptime) = if answers {
        (Machine::read(app.store(), timeframe, now).await.ok(), Uptime::read(app.store(), now).await.ok())
    } else {
        (None, None)
    };
    Ok(Page::new(MonitoringPage::new(&shell, timeframe, &services, machine.as_ref(), uptime.as_ref(), now)))
}

impl MonitoringPage {
    fn new(
        shell: &Shell,
        timeframe: Timeframe,
        services: &Services,
        machine: Option<&Machine>,
        uptime: Option<&Uptime>,
        now: Timestamp,
    ) -> Self {
        let mut layout = shell.layout("Monitoring");
        layout.area = "monitoring";
        let incidents = uptime.map(|uptime| uptime.incidents.as_slice()).unwrap_or_default();
        let bars = |what: &str, value: fn(&MachinePoint) -> Option<f64>| machine.and_then(|m| usage(m, what, value));
        Self {
            layout,
            timeframes: timeframes(timeframe, |frame| url(shell, "/monitoring", "timeframe", frame.name(), None)),
            answers: answers(services, machine, uptime),
            services: services.services.iter().map(|service| Row::new(service, now)).collect(),
            cpu: bars("How busy the processors were", |point| point.cpu_usage_percent),
            memory: bars("How much memory was in use", |point| point.memory_usage_percent),
            downtimes: incidents
                .iter()
                .map(|pause| (When::new(pause.from, now), span(pause.until.as_seconds() - pause.from.as_seconds())))
                .collect(),
        }
    }
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

impl Row {
    fn new(service: &Service, now: Timestamp) -> Self {
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
            uptime: service.uptime_percent.map_or_else(|| "–".into(), |percent| format!("{percent:.2} %")),
            checked: service.last_checked.map(|at| When::new(at, now)),
        }
    }
}

#[cfg(test)]
impl MonitoringPage {
    pub(super) fn samples(shell: &Shell) -> Vec<Self> {
        use super::samples;
        use crate::monitoring::{Details, Downtime, NetworkIo};
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
        let uptime = Uptime { incidents: vec![pause], uptime_percent_30d: 99.95, ..Uptime::default() };
        let frame = Timeframe::Hour;
        vec![
            Self::new(shell, frame, &services, Some(&machine), Some(&uptime), now),
            Self::new(shell, frame, &services, Some(&Machine::default()), Some(&Uptime::default()), now),
            Self::new(shell, frame, &services, None, None, now),
        ]
    }
}
