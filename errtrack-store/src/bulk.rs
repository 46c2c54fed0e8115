//! The statements that write whole batches: the one place in which the databases differ.

#[cfg(feature = "sqlite")]
mod cells;
#[cfg(feature = "postgres")]
mod columns;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;

use crate::{
    plan::{Group, Plan},
    tally::{Answer, NewTag, Tallies},
};
use std::{collections::HashMap, future::Future};

/// Sets of rows, read and written by one statement each.
pub(crate) trait Bulk: Send {
    /// Whether other transactions may make the same issues meanwhile, unless the projects are locked.
    const SHARED: bool;

    /// Keeps other transactions from making issues in the projects of a plan.
    fn lock_projects(&mut self, plan: &Plan<'_>) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// Which groups have an issue, and which events are stored already. The issues that it finds stay as they are.
    fn find(&mut self, plan: &Plan<'_>) -> impl Future<Output = Result<Found, sqlx::Error>> + Send;

    /// Takes that many numbers of a project and answers the last; `None` if there is no such project.
    fn take_numbers(
        &mut self,
        project: i64,
        count: i64,
    ) -> impl Future<Output = Result<Option<i64>, sqlx::Error>> + Send;

    /// Makes the issues of groups, by number and place in the plan, but not their groupings; answers their ids by project
    /// and number.
    fn insert_issues(
        &mut self,
        plan: &Plan<'_>,
        issues: &[(i64, usize)],
        now: i64,
    ) -> impl Future<Output = Result<HashMap<(i64, i64), i64>, sqlx::Error>> + Send;

    /// What is there of the tags that ask; in their order.
    fn tags(&mut self, tags: &[NewTag<'_>]) -> impl Future<Output = Result<Vec<Answer>, sqlx::Error>> + Send;

    /// The environments that rollups of some projects name, with the projects.
    fn environments(
        &mut self,
        projects: &[i64],
    ) -> impl Future<Output = Result<Vec<(i64, String)>, sqlx::Error>> + Send;

    /// Writes everything else. `issues` holds the issue of each group; `payloads`, those of the plan, may be used up.
    /// `false` if another transaction has stored one of the events, or has erased a user, since they were looked for; then
    /// all that was written must be rolled back.
    fn write(
        &mut self,
        plan: &Plan<'_>,
        tallies: &Tallies<'_>,
        issues: &[Target],
        payloads: &mut Vec<u8>,
        erasures: i64,
        now: i64,
    ) -> impl Future<Output = Result<bool, sqlx::Error>> + Send;
}

/// What is there already.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// For each group that has one, its issue.
    pub(crate) issues: HashMap<usize, Existing>,
    /// Places in the batch of events that are stored, with their issues.
    pub(crate) events: HashMap<usize, i64>,
    /// How often users have been erased.
    pub(crate) erasures: i64,
}

/// An issue that is hit again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Existing {
    /// The row of the group.
    pub(crate) group: i64,
    /// That of the issue: another one, if it was merged.
    pub(crate) issue: i64,
    pub(crate) resolved: bool,
    /// It is resolved or ignored until a condition is met.
    pub(crate) waits: bool,
    /// It is ignored until a condition is met.
    pub(crate) ignored: bool,
    /// How many events the issue has.
    pub(crate) count: i64,
}

/// Where a group is counted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target {
    /// The row of the group, to which its events belong.
    pub(crate) group: i64,
    /// That of the issue: another one, if it was merged.
    pub(crate) issue: i64,
    /// `None` if it was just made and so is up to date.
    pub(crate) existing: Option<Existing>,
}

impl Target {
    /// Every row that counts the group.
    pub(crate) fn rows(self) -> impl Iterator<Item = i64> {
        std::iter::once(self.group).chain((self.issue != self.group).then_some(self.issue))
    }
}

/// What is added to rows that were there, one entry for each, by id: groups may have been merged.
fn updates<'a>(plan: &Plan<'a>, issues: &[Target]) -> Vec<(i64, Group<'a>)> {
    let existing = plan.groups.iter().zip(issues).filter(|(_, target)| target.existing.is_some());
    let mut sorted: Vec<_> = existing.flat_map(|(group, target)| target.rows().map(move |row| (row, group))).collect();
    sorted.sort_by_key(|(row, _)| *row);
    let mut updates: Vec<(i64, Group<'a>)> = Vec::with_capacity(sorted.len());
    for (row, group) in sorted {
        match updates.last_mut().filter(|(last, _)| *last == row) {
            Some((_, sum)) => sum.merge(group),
            None => updates.push((row, group.clone())),
        }
    }
    updates
}
