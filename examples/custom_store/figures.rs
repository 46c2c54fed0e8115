//! Figures and series: what is counted for good, apart from issues and events.

use crate::{
    data::{Data, is_among},
    issues::size,
    recording::as_tallied,
    store::MemoryStore,
};
use async_trait::async_trait;
use errtrack_core::{
    Issue, Level, Occurrence, ProjectId, StoreError, Timestamp,
    store::{
        AnalyticsStore, EnvironmentCount, FigureScope, FigureVersion, Rollup, RollupWidth, Series, SeriesPoint,
        SeriesQuery, SeriesStore,
    },
};
use std::{cmp::Reverse, collections::BTreeMap};
use uuid::Uuid;

/// Project, hour and environment; `None` stands for all of them, where what is counted counts once for each.
type Hour = (ProjectId, i64, Option<String>);

/// What is counted of projects.
#[derive(Debug, Default, Clone)]
pub(crate) struct Figures {
    hours: BTreeMap<Hour, Rollup>,
    pub(crate) edits: i64,
    points: BTreeMap<PointKey, String>,
}

type PointKey = (ProjectId, Series, i64, i64, String, Uuid);

impl Figures {
    pub(crate) fn count(&mut self, occurrence: &Occurrence, times: i64, is_new: bool) {
        let environment = as_tallied(occurrence.environment().unwrap_or_default());
        let more = Rollup {
            events: times,
            fatal: if occurrence.level() == Level::Fatal { times } else { 0 },
            new_issues: i64::from(is_new),
            ..Rollup::default()
        };
        self.add(occurrence.project(), occurrence.timestamp().hour(), Some(environment), more);
    }

    /// Notes that an issue was resolved, in each of its environments.
    pub(crate) fn resolve(&mut self, issue: &Issue, environments: Vec<String>, at: Timestamp) {
        let micros = (at.as_micros() - issue.first_seen.as_micros()).max(0);
        let more = Rollup { resolved: 1, resolving_micros: micros, ..Rollup::default() };
        for environment in environments.into_iter().map(Some) {
            self.add(issue.project, at.hour(), environment, Rollup { ..more });
        }
        self.add(issue.project, at.hour(), None, more);
    }

    pub(crate) fn forget(&mut self, project: ProjectId) {
        self.hours.retain(|(of, ..), _| *of != project);
        self.points.retain(|(of, ..), _| *of != project);
        self.edits += 1;
    }

    fn add(&mut self, project: ProjectId, hour: i64, environment: Option<String>, more: Rollup) {
        self.hours.entry((project, hour, environment)).or_default().add(&more);
    }

    /// The hours that a scope asks for.
    fn of<'a>(&'a self, scope: &'a FigureScope) -> impl Iterator<Item = (&'a Hour, Rollup)> {
        let asked = scope.environment.as_deref().map(as_tallied);
        self.hours.iter().filter_map(move |(hour, rollup)| {
            let (project, _, environment) = hour;
            let mut rollup = *rollup;
            match &asked {
                Some(_) if *environment != asked => return None,
                // What was resolved is counted as a whole, events by environment.
                None if environment.is_some() => (rollup.resolved, rollup.resolving_micros) = (0, 0),
                _ => {}
            }
            is_among(*project, scope.projects.as_deref()).then_some((hour, rollup))
        })
    }
}

#[async_trait]
impl AnalyticsStore for MemoryStore {
    async fn figures_version(&self, scope: &FigureScope) -> Result<FigureVersion, StoreError> {
        let data = self.lock()?;
        let all = FigureScope { environment: None, ..scope.clone() };
        let events = data.figures.of(&all).map(|(_, rollup)| rollup.events).sum();
        Ok(FigureVersion { events, edits: data.figures.edits })
    }

    async fn rollups(
        &self,
        scope: &FigureScope,
        width: RollupWidth,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Rollup>, StoreError> {
        let (from, until) = (width.start(from.hour()), width.start(until.hour()));
        let mut rollups: BTreeMap<i64, Rollup> = BTreeMap::new();
        for ((_, hour, _), rollup) in self.lock()?.figures.of(scope) {
            let start = width.start(*hour);
            if (from..=until).contains(&start) {
                rollups.entry(start).or_insert(Rollup { hour: start, ..Rollup::default() }).add(&rollup);
            }
        }
        Ok(rollups.into_values().collect())
    }

    async fn environments(&self, scope: &FigureScope, since: Timestamp) -> Result<Vec<EnvironmentCount>, StoreError> {
        let mut counts: BTreeMap<String, EnvironmentCount> = BTreeMap::new();
        for ((_, hour, environment), rollup) in self.lock()?.figures.of(scope) {
            let Some(environment) = environment.as_ref().filter(|_| *hour >= since.hour() && rollup.events > 0) else {
                continue;
            };
            let count = counts.entry(environment.clone()).or_default();
            count.environment = Some(environment.clone());
            (count.events, count.fatal) = (count.events + rollup.events, count.fatal + rollup.fatal);
        }
        let mut counts: Vec<EnvironmentCount> = counts.into_values().collect();
        counts.sort_by_key(|count| Reverse(count.events));
        Ok(counts)
    }

    async fn top_issues(
        &self,
        scope: &FigureScope,
        since: Timestamp,
        limit: u32,
    ) -> Result<Vec<(Issue, i64)>, StoreError> {
        let asked = scope.environment.as_deref().map(as_tallied);
        let data = self.lock()?;
        let seen = data.issues().filter(|entry| {
            let environments = entry.tags.get("environment");
            is_among(entry.issue.project, scope.projects.as_deref())
                && asked.as_ref().is_none_or(|name| environments.is_some_and(|names| names.contains_key(name)))
        });
        let mut top: Vec<(Issue, i64)> =
            seen.map(|entry| (entry.issue, entry.hours.range(since.hour()..).map(|(_, n)| n).sum())).collect();
        top.retain(|(_, events)| *events > 0);
        top.sort_by_key(|(issue, events)| Reverse((*events, issue.id)));
        top.truncate(size(limit));
        Ok(top)
    }
}

#[async_trait]
impl SeriesStore for MemoryStore {
    async fn put_points(&self, points: &[SeriesPoint]) -> Result<(), StoreError> {
        let mut data = self.lock()?;
        for point in points {
            let SeriesPoint { series, project, width, start, name, node, data: value } = point.clone();
            data.figures.points.insert((project, series, width, start, name, node), value);
        }
        Ok(())
    }

    async fn points(&self, query: &SeriesQuery) -> Result<Vec<SeriesPoint>, StoreError> {
        let Data { figures, projects, .. } = &*self.lock()?;
        let asked = figures.points.iter().filter(|((project, series, width, start, ..), _)| {
            (*series, *width) == (query.series, query.width)
                && (query.from..=query.until).contains(start)
                && is_among(*project, query.projects.as_deref())
                && (project.0 == 0 || projects.contains_key(project))
        });
        let mut points: Vec<SeriesPoint> = asked
            .map(|((project, series, width, start, name, node), data)| SeriesPoint {
                series: *series,
                project: *project,
                width: *width,
                start: *start,
                name: name.clone(),
                node: *node,
                data: data.clone(),
            })
            .collect();
        points.sort_by_key(|point| point.start);
        Ok(points)
    }

    async fn drop_points(&self, series: Series, width: i64, before: i64) -> Result<u64, StoreError> {
        let mut data = self.lock()?;
        let there = data.figures.points.len();
        data.figures.points.retain(|(_, of, wide, start, ..), _| (*of, *wide) != (series, width) || *start >= before);
        Ok((there - data.figures.points.len()) as u64)
    }
}
