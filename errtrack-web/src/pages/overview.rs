//! The overview: how many, how often, where.

use super::{
    chart::{self, Bars, News},
    failure::Failure,
    page::Page,
    shell::{Choice, Layout, Shell, Viewer},
    system::Answer,
    text,
    time::span,
};
use crate::{
    app::App,
    figures::{GroupBy, Period, Stats, Trend},
};
use askama::Template;
use axum::extract::{Query, State};
use errtrack_core::{Issue, Project, Timestamp, store::FigureScope};
use serde::Deserialize;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Params {
    project: Option<String>,
    period: Option<String>,
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "overview.html")]
pub(super) struct OverviewPage {
    layout: Layout,
    periods: Vec<Choice>,
    answers: Vec<Answer>,
    chart_title: String,
    chart: Bars,
    top: Vec<Top>,
    environments: Vec<Environment>,
}

/// An issue among those with the most events.
#[derive(Debug)]
struct Top {
    url: String,
    ty: String,
    value: String,
    count: String,
}

#[derive(Debug)]
struct Environment {
    name: String,
    /// Its share.
    width: String,
    fatal: String,
    count: String,
}

/// The project that a page is asked for, if the caller may see one of that name.
pub(super) fn chosen<'a>(projects: &'a [Project], slug: Option<&str>) -> Option<&'a Project> {
    projects.iter().find(|project| slug == Some(project.slug.as_str()))
}

/// What figures a page shows.
pub(super) fn scope(shell: &Shell, chosen: Option<&Project>) -> FigureScope {
    let projects = match chosen {
        Some(project) => Some(vec![project.id]),
        None => shell.caller().project_ids().map(<[_]>::to_vec),
    };
    FigureScope { projects, environment: None }
}

/// The link of a page with what was chosen.
pub(super) fn url(shell: &Shell, path: &str, key: &str, value: &str, project: Option<&Project>) -> String {
    let mut parameters = vec![(key, value)];
    parameters.extend(project.map(|project| ("project", project.slug.as_str())));
    shell.links.path(text::url(path, &parameters))
}

/// How long a bucket of a period is on the page.
const fn grouped(period: Period) -> GroupBy {
    match period {
        Period::Day => GroupBy::Hour,
        Period::Week | Period::Month => GroupBy::Day,
        Period::Year => GroupBy::Month,
    }
}

/// `GET /overview`
pub(super) async fn show(
    State(app): State<App>,
    Viewer(shell): Viewer,
    Query(params): Query<Params>,
) -> Result<Page<OverviewPage>, Failure> {
    let projects = shell.caller().projects(&app).await?;
    let project = chosen(&projects, params.project.as_deref());
    let period = params.period.and_then(|name| name.parse().ok()).unwrap_or_default();
    let (scope, now) = (scope(&shell, project), Timestamp::now());
    let stats = Stats::read(app.store(), &scope, now).await?;
    let trend = Trend::read(app.store(), &scope, period, grouped(period), now).await?;
    Ok(Page::new(OverviewPage::new(&shell, (&projects, project), &stats, &trend)))
}

impl OverviewPage {
    fn new(shell: &Shell, (projects, project): (&[Project], Option<&Project>), stats: &Stats, trend: &Trend) -> Self {
        let period = trend.period;
        let url = |period: Period, project: Option<&Project>| url(shell, "/overview", "period", period.name(), project);
        let mut layout = shell.layout("Overview").with_projects(projects, project, |project| url(period, project));
        layout.area = "overview";
        let choice = |other: Period| Choice {
            label: label(other).to_owned(),
            url: url(other, project),
            current: other == period,
            note: String::new(),
        };
        let events = stats.environments.iter().map(|row| row.error_count).sum::<i64>().max(1);
        let environment = |row: &crate::figures::EnvironmentFigures| Environment {
            name: match row.environment.as_deref() {
                None => "(others)".to_owned(),
                Some("") => "(none)".to_owned(),
                Some(name) => text::line(name, 60),
            },
            width: format!("{}%", row.error_count.saturating_mul(100) / events),
            fatal: text::number(row.critical_count),
            count: text::number(row.error_count),
        };
        Self {
            layout,
            periods: Period::ALL.into_iter().map(choice).collect(),
            answers: answers(stats),
            chart_title: format!("Events in {}", label(period)),
            chart: bars(trend),
            top: stats.top.iter().map(|(issue, count)| Top::new(shell, issue, *count)).collect(),
            environments: stats.environments.iter().map(environment).collect(),
        }
    }
}

impl Top {
    fn new(shell: &Shell, issue: &Issue, count: i64) -> Self {
        Self {
            url: shell.links.path(format_args!("/issues/{}", issue.short_id())),
            ty: text::line(&issue.ty, 80),
            value: text::line(&issue.value, 120),
            count: text::number(count),
        }
    }
}

const fn label(period: Period) -> &'static str {
    match period {
        Period::Day => "24 hours",
        Period::Week => "7 days",
        Period::Month => "30 days",
        Period::Year => "12 months",
    }
}

fn answers(stats: &Stats) -> Vec<Answer> {
    let answer = |name, value: String, note: String| Answer { name, value, note, ..Answer::default() };
    let resolving = stats.resolving.map(|took| i64::try_from(took.as_secs()).unwrap_or(i64::MAX));
    vec![
        answer("Events today", text::number(stats.today), format!("{} this week", text::number(stats.this_week))),
        answer("Events per hour", format!("{:.2}", stats.per_hour()), "over the last 24 hours".into()),
        answer("New issues", text::number(stats.new_24h), "in the last 24 hours".into()),
        answer("Issues", text::number(stats.issues), format!("{:.1} % resolved", stats.resolution_rate())),
        answer("Time to resolve", resolving.map_or_else(|| "–".into(), span), "on average".into()),
        answer("Events ever", text::number(stats.events), String::new()),
    ]
}

fn bars(trend: &Trend) -> Bars {
    let (format, every) = match (trend.period, trend.group_by) {
        (_, GroupBy::Hour) => ("%H:%M", 4),
        (Period::Month, _) => ("%-d %b", 5),
        (_, GroupBy::Month) => ("%b %Y", 2),
        _ => ("%-d %b", 1),
    };
    let counts: Vec<i64> = trend.data_points.iter().map(|point| point.error_count).collect();
    let names: Vec<String> = trend.data_points.iter().map(|point| point.timestamp.strftime(format)).collect();
    let label = format!("{} in {}", text::counted(counts.iter().sum(), "event"), label(trend.period));
    chart::bars(&counts, &names, every, News::None, label)
}

#[cfg(test)]
impl OverviewPage {
    pub(super) fn samples(shell: &Shell) -> Vec<Self> {
        use super::samples;
        use crate::figures::{EnvironmentFigures, TrendPoint};
        let hostile = Issue { ty: samples::HOSTILE.into(), value: samples::HOSTILE.into(), ..samples::issue(2) };
        let environment = |name: Option<&str>| EnvironmentFigures {
            environment: name.map(str::to_owned),
            error_count: 1_204,
            critical_count: 3,
        };
        let full = Stats {
            issues: 128,
            resolved: 12,
            events: i64::MAX / 2_000,
            today: 41,
            this_week: 1_204,
            this_month: 4_800,
            last_24h: 300,
            new_24h: 2,
            resolving: Some(std::time::Duration::from_secs(8_100)),
            environments: vec![environment(Some("production")), environment(Some(samples::HOSTILE)), environment(None)],
            top: vec![(samples::issue(1), 1_204), (hostile, 1)],
        };
        let none = Stats {
            resolving: None,
            environments: Vec::new(),
            top: Vec::new(),
            issues: 0,
            resolved: 0,
            events: 0,
            ..full
        };
        let points = |count: i64| {
            let point = |n: i64| TrendPoint {
                timestamp: samples::now(),
                error_count: n * count,
                resolved_count: 0,
                critical_count: 0,
                new_count: 0,
            };
            (0..24).map(point).collect()
        };
        let trend = |period, count| Trend { period, group_by: grouped(period), data_points: points(count) };
        let projects = [samples::project("checkout-api", 1), samples::project("blog", 2)];
        vec![
            Self::new(shell, (&projects, projects.first()), &full, &trend(Period::Day, 50)),
            Self::new(shell, (&[], None), &none, &trend(Period::Year, 0)),
        ]
    }
}
