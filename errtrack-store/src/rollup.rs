//! What is counted of projects: events and new issues by bucket of time, environment and level.
//!
//! A batch of a project, an environment and a level adds to four rows: its minute, its hour, its day, and all of time. So a year
//! is read from days, totals from one row each, and the last kind of row also says whether anything came at all. Minutes are
//! for alert rules, and kept for some days.

use crate::{bulk::Target, plan::Plan, tag::OTHER};
use errtrack_core::store::RollupWidth;
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::{Mutex, PoisonError},
};

/// The width under which minutes are stored.
const MINUTE: i64 = -1;
/// Environments of a project that are told apart; clients can make up any number.
const MOST: usize = 100;
/// Projects whose environments are remembered; beyond that it starts anew.
const PROJECTS: usize = 1_000;

/// Project, width, start, environment and level.
type Key<'a> = (i64, i64, i64, Cow<'a, str>, i64);

/// A row of the rollups.
#[derive(Debug)]
pub(crate) struct Row<'a> {
    pub(crate) project: i64,
    pub(crate) width: i64,
    pub(crate) start: i64,
    pub(crate) environment: Cow<'a, str>,
    pub(crate) level: i64,
    pub(crate) count: i64,
    pub(crate) new_issues: i64,
    pub(crate) regressions: i64,
}

/// Which environments projects have, as far as this process knows. What is counted under a name stays; so each process adds
/// a hundred at most to those that it found.
#[derive(Debug, Default)]
pub(crate) struct Environments(Mutex<HashMap<i64, HashSet<Box<str>>>>);

impl Environments {
    /// The projects of a plan of which nothing is known.
    pub(crate) fn unknown(&self, plan: &Plan<'_>) -> Vec<i64> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let projects: BTreeSet<i64> = plan.minutes.keys().map(|(project, ..)| *project).collect();
        projects.into_iter().filter(|project| !known.contains_key(project)).collect()
    }

    /// Notes what the database has of them.
    pub(crate) fn learn(&self, projects: &[i64], found: Vec<(i64, String)>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() + projects.len() > PROJECTS {
            known.clear();
        }
        for project in projects {
            known.entry(*project).or_default();
        }
        for (project, environment) in found {
            known.entry(project).or_default().insert(environment.into());
        }
    }

    /// The name under which an environment is counted.
    fn name<'a>(&self, project: i64, environment: &Cow<'a, str>) -> Cow<'a, str> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let names = known.entry(project).or_default();
        if environment.is_empty() || names.contains(environment.as_ref()) {
            return environment.clone();
        }
        if names.len() >= MOST {
            return OTHER.into();
        }
        names.insert(environment.as_ref().into());
        environment.clone()
    }
}

/// The rows that a plan adds to, in the order of their key: so all writers lock them. `regressed` names the groups that brought
/// a resolved issue back.
pub(crate) fn rows<'a>(
    plan: &Plan<'a>,
    targets: &[Target],
    regressed: &[usize],
    environments: &Environments,
) -> Vec<Row<'a>> {
    let mut rows: BTreeMap<Key<'a>, [i64; 3]> = BTreeMap::new();
    let mut add = |project, (minute, environment, level): (i64, &Cow<'a, str>, i64), more: [i64; 3]| {
        let environment = environments.name(project, environment);
        let hour = minute.div_euclid(60);
        let wide = [RollupWidth::Ever, RollupWidth::Hour, RollupWidth::Day];
        let wide = wide.map(|width| (width.hours(), width.start(hour)));
        for (width, start) in wide.into_iter().chain([(MINUTE, minute)]) {
            let counted = rows.entry((project, width, start, environment.clone(), level)).or_default();
            for (sum, more) in counted.iter_mut().zip(more) {
                *sum = sum.saturating_add(more);
            }
        }
    };
    for ((project, minute, environment, level), count) in &plan.minutes {
        add(*project, (*minute, environment, *level), [*count, 0, 0]);
    }
    for (group, _) in plan.groups.iter().zip(targets).filter(|(_, target)| target.existing.is_none()) {
        let (minute, environment, level) = group.made();
        add(group.project, (minute, &environment, level), [0, 1, 0]);
    }
    for group in regressed.iter().filter_map(|group| plan.groups.get(*group)) {
        let (minute, environment, level) = group.came_back();
        add(group.project, (minute, &environment, level), [0, 0, 1]);
    }
    let row = |((project, width, start, environment, level), sums): (Key<'a>, [i64; 3])| {
        let [count, new_issues, regressions] = sums;
        Row { project, width, start, environment, level, count, new_issues, regressions }
    };
    rows.into_iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_environments_are_told_apart() {
        let environments = Environments::default();
        environments.learn(&[1], vec![(1, "production".into())]);
        for n in 0..MOST {
            let name = format!("e{n}");
            let expected = if n < MOST - 1 { name.as_str() } else { OTHER };
            assert_eq!(environments.name(1, &Cow::Borrowed(name.as_str())), expected);
        }
        for name in ["production", "e0", ""] {
            assert_eq!(environments.name(1, &name.into()), name, "what is known stays");
        }
        assert_eq!(environments.name(2, &"e100".into()), "e100", "projects are apart");
    }
}
