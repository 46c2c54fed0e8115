//! The page of performance: how fast requests are answered, and how many fail.

use super::{
    chart::{self, Bars, News},
    failure::Failure,
    overview::{chosen, scope, url},
    page::Page,
    shell::{Choice, Layout, Shell, Viewer},
    system::Answer,
    text,
};
use crate::{
    app::App,
    figures::{Performance, RoutePerformance, Timeframe},
};
use askama::Template;
use axum::extract::{Query, State};
use errtrack_core::{Project, Timestamp};
use serde::Deserialize;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Params {
    project: Option<String>,
    timeframe: Option<String>,
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "performance.html")]
pub(super) struct PerformancePage {
    layout: Layout,
    timeframes: Vec<Choice>,
    /// Empty if there was no request.
    answers: Vec<Answer>,
    requests: Bars,
    p95: Bars,
    failed: Bars,
    routes: Vec<Route>,
}

#[derive(Debug)]
struct Route {
    name: String,
    requests: String,
    average: String,
    p50: String,
    p95: String,
    p99: String,
    failed: String,
    fails: bool,
}

/// `GET /performance`
pub(super) async fn show(
    State(app): State<App>,
    Viewer(shell): Viewer,
    Query(params): Query<Params>,
) -> Result<Page<PerformancePage>, Failure> {
    let projects = shell.caller().projects(&app).await?;
    let project = chosen(&projects, params.project.as_deref());
    let timeframe = params.timeframe.and_then(|name| name.parse().ok()).unwrap_or(Timeframe::Day);
    let scope = scope(&shell, project);
    let performance = Performance::read(app.store(), scope.projects.as_deref(), timeframe, Timestamp::now()).await?;
    Ok(Page::new(PerformancePage::new(&shell, (&projects, project), &performance)))
}

impl PerformancePage {
    fn new(shell: &Shell, (projects, project): (&[Project], Option<&Project>), of: &Performance) -> Self {
        let url = |frame: Timeframe, project: Option<&Project>| {
            url(shell, "/performance", "timeframe", frame.name(), project)
        };
        let mut layout =
            shell.layout("Performance").with_projects(projects, project, |project| url(of.timeframe, project));
        layout.area = "performance";
        let bars = |what: &str, news: News, value: fn(&crate::figures::PerformancePoint) -> i64| {
            let counts: Vec<i64> = of.data_points.iter().map(value).collect();
            let names: Vec<String> =
                of.data_points.iter().map(|point| point.timestamp.strftime(format_of(of.timeframe))).collect();
            let label = format!("{what} in the last {}", of.timeframe.label());
            chart::bars(&counts, &names, names.len().div_ceil(8).max(1), news, label)
        };
        Self {
            layout,
            timeframes: timeframes(of.timeframe, |frame| url(frame, project)),
            answers: answers(of),
            requests: bars("Requests", News::Calm, |point| i64::try_from(point.requests).unwrap_or(i64::MAX)),
            p95: bars("95 % were answered within so many milliseconds", News::Calm, |point| {
                rounded(point.p95_ms.unwrap_or_default())
            }),
            failed: bars("Requests that failed", News::New, |point| i64::try_from(point.failed).unwrap_or(i64::MAX)),
            routes: of.routes.iter().map(Route::new).collect(),
        }
    }
}

/// The choice of a timeframe.
pub(super) fn timeframes(current: Timeframe, url: impl Fn(Timeframe) -> String) -> Vec<Choice> {
    let choice = |frame: Timeframe| Choice {
        label: frame.label().to_owned(),
        url: url(frame),
        current: frame == current,
        note: String::new(),
    };
    Timeframe::ALL.into_iter().map(choice).collect()
}

/// How a bucket of a timeframe is called.
pub(super) const fn format_of(frame: Timeframe) -> &'static str {
    match frame {
        Timeframe::Hour | Timeframe::SixHours | Timeframe::Day => "%H:%M",
        Timeframe::Week | Timeframe::Month => "%-d %b",
    }
}

/// A number without decimals.
#[expect(clippy::cast_possible_truncation, reason = "a float saturates")]
pub(super) fn rounded(number: f64) -> i64 {
    number.round() as i64
}

fn millis(millis: f64) -> String {
    if millis < 10.0 { format!("{millis:.1} ms") } else { format!("{} ms", text::number(rounded(millis))) }
}

fn percent(percent: f64) -> String {
    format!("{percent:.2} %")
}

fn answers(of: &Performance) -> Vec<Answer> {
    let answer = |name, value: Option<String>, note: &str| Answer {
        name,
        value: value.unwrap_or_else(|| "–".into()),
        note: note.to_owned(),
        ..Answer::default()
    };
    if of.requests == 0 {
        return Vec::new();
    }
    let quantiles = [("half within", of.p50_ms), ("99 % within", of.p99_ms)];
    let quantiles = quantiles.map(|(name, value)| format!("{name} {}", value.map_or_else(|| "–".into(), millis)));
    vec![
        answer("Average", of.avg_response_time.map(millis), &quantiles.join(", ")),
        answer("95 % within", of.p95_ms.map(millis), ""),
        answer("Requests", Some(text::count(of.requests)), &format!("{:.2} per minute", of.throughput_rpm)),
        Answer {
            class: if of.error_rate_percent.is_some_and(|percent| percent >= 1.0) { "error" } else { "" },
            ..answer("Without 5xx", of.availability_percent.map(percent), "")
        },
        answer("Score", of.performance_score.map(|score| format!("{score:.1}")), "10 × Apdex of 500 ms"),
    ]
}

impl Route {
    fn new(route: &RoutePerformance) -> Self {
        Self {
            name: text::line(&format!("{} {}", route.method, route.route), 120),
            requests: text::count(route.requests),
            average: millis(route.avg_response_time),
            p50: millis(route.p50_ms),
            p95: millis(route.p95_ms),
            p99: millis(route.p99_ms),
            failed: percent(route.error_rate_percent),
            fails: route.error_rate_percent > 0.0,
        }
    }
}

#[cfg(test)]
impl PerformancePage {
    pub(super) fn samples(shell: &Shell) -> Vec<Self> {
        use super::samples;
        use crate::figures::PerformancePoint;
        let point = |n: u64| PerformancePoint {
            timestamp: samples::now(),
            requests: n * 1_000,
            failed: n % 3,
            p50_ms: Some(12.5),
            p95_ms: (n > 0).then_some(140.0),
        };
        let route = |name: &str| RoutePerformance {
            method: "GET".into(),
            route: name.into(),
            requests: u64::MAX,
            avg_response_time: 3.25,
            error_rate_percent: 0.4,
            p50_ms: 1.0,
            p95_ms: 1e9,
            p99_ms: f64::MAX,
        };
        let full = Performance {
            timeframe: Timeframe::Day,
            avg_response_time: Some(245.1),
            error_rate_percent: Some(1.2),
            throughput_rpm: 1_200.0,
            availability_percent: Some(98.8),
            performance_score: Some(8.7),
            p50_ms: Some(12.0),
            p95_ms: Some(140.0),
            p99_ms: Some(3_000.0),
            requests: 48_210,
            routes: vec![route("/orders/{id}"), route(samples::HOSTILE)],
            data_points: (0..24).map(point).collect(),
        };
        let none = Performance { requests: 0, routes: Vec::new(), data_points: Vec::new(), ..full };
        let projects = [samples::project("checkout-api", 1), samples::project("blog", 2)];
        vec![Self::new(shell, (&projects, None), &full), Self::new(shell, (&[], None), &none)]
    }
}
