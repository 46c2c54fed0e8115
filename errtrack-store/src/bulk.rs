//! The statements that write whole batches: the one place in which the databases differ.

mod cells;
mod sqlite;

use crate::{
    plan::{Group, Plan},
    tally::{Answer, NewTag, Tallies},
};
use std::{collections::HashMap, future::Future};

/// Sets of rows, read and written by one statement each.
pub(crate) trait Bulk: Send {
    /// Which groups have an issue, and which events are stored already.
    fn find(&mut self, plan: &Plan<'_>) -> impl Future<Output = Result<Found, sqlx::Error>> + Send;

    /// Takes that many numbers of a project and answers the last; `None` if there is no such project.
    fn take_numbers(
        &mut self,
        project: i64,
        count: i64,
    ) -> impl Future<Output = Result<Option<i64>, sqlx::Error>> + Send;

    /// Makes issues, but not their groupings, and answers their ids by project and number.
    fn insert_issues(
        &mut self,
        issues: &[(i64, &Group<'_>)],
        now: i64,
    ) -> impl Future<Output = Result<HashMap<(i64, i64), i64>, sqlx::Error>> + Send;

    /// What is there of the tags that ask; in their order.
    fn tags(&mut self, tags: &[NewTag<'_>]) -> impl Future<Output = Result<Vec<Answer>, sqlx::Error>> + Send;

    /// Writes everything else. `issues` holds the issue of each group, `payloads` those of the plan.
    fn write(
        &mut self,
        plan: &Plan<'_>,
        tallies: &Tallies<'_>,
        issues: &[Target],
        payloads: Vec<u8>,
        now: i64,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;
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
    pub(crate) issue: i64,
    pub(crate) resolved: bool,
}

/// The issue of a group.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target {
    pub(crate) issue: i64,
    /// `None` if it was just made and so is up to date.
    pub(crate) existing: Option<Existing>,
}
