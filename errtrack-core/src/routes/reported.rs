//! Statistics of requests that other programs served, as they tell them: by project.
//!
//! Names come from outside, for all projects together, so they share one bound. This is no way of a request, so a lock will do.

use super::{RouteStatistics, Routes, StatusClass, cut, latencies::Histogram};
use crate::ProjectId;
use std::{
    collections::HashMap,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Beyond the names that are told apart, projects that have one for the rest.
const MOST_RESTS: usize = 200;

/// The counters of what was told to a process.
#[derive(Default)]
pub(crate) struct Reported(Mutex<Counters>);

/// By project, method and route.
type Counters = HashMap<(ProjectId, Box<str>, Box<str>), [Option<Box<Histogram>>; 6]>;

impl Reported {
    /// Names that are told apart, of all projects together.
    const MOST: usize = Routes::MOST;

    /// Counts a request that has ended elsewhere.
    pub(crate) fn record(&self, project: ProjectId, method: &str, route: &str, class: StatusClass, took: Duration) {
        let mut all = self.all();
        let mut key = (project, cut(method).into(), cut(route).into());
        if all.len() >= Self::MOST && !all.contains_key(&key) {
            key = (project, "*".into(), Routes::REST.into());
            if all.len() >= Self::MOST + MOST_RESTS && !all.contains_key(&key) {
                return;
            }
        }
        if let Some(histogram) = all.entry(key).or_default().get_mut(class as usize) {
            histogram.get_or_insert_default().record(took);
        }
    }

    /// What was counted so far.
    pub(crate) fn snapshot(&self) -> Vec<(ProjectId, RouteStatistics)> {
        let mut snapshot = Vec::new();
        for ((project, method, route), counted) in self.all().iter() {
            let classes = StatusClass::ALL.iter().zip(counted);
            let classes = classes.filter_map(|(class, counted)| Some((*class, counted.as_ref()?.snapshot())));
            let (method, route) = (method.to_string(), route.to_string());
            snapshot.push((*project, RouteStatistics { method, route, classes: classes.collect() }));
        }
        snapshot
    }

    fn all(&self) -> MutexGuard<'_, Counters> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Reported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reported").field("names", &self.all().len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn projects_are_apart_and_names_that_are_made_up_fill_no_memory() {
        let (reported, took) = (Reported::default(), Duration::from_millis(3));
        for n in 0..3_000 {
            reported.record(ProjectId(1), "GET", &format!("/{n}"), StatusClass::Success, took);
        }
        for project in 2..2_000 {
            reported.record(ProjectId(project), "GET", "/a", StatusClass::Success, took);
        }
        reported.record(ProjectId(1), "GET", "/0", StatusClass::ServerError, took);
        let all = reported.snapshot();
        assert_eq!(all.len(), Reported::MOST + MOST_RESTS);
        let of = |project: i64, route: &str| {
            let found = all.iter().find(|(id, counted)| *id == ProjectId(project) && counted.route == route);
            found.map_or(0, |(_, counted)| counted.count())
        };
        assert_eq!((of(1, "/0"), of(1, "/2000"), of(1, Routes::REST), of(2, Routes::REST)), (2, 0, 2_000, 1));
    }
}
