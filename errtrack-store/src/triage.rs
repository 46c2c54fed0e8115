//! What people decide and say about issues: conditions, which batches meet, and comments.

use crate::{
    SqlStore,
    bulk::Target,
    issues::{READ, condition, numbers},
    link::{Link, Value},
    plan::{Plan, Slot},
    pool::{Dialect, reading, writing},
    sql::{issue, triage as sql},
    tag::{stored, tag_number, tag_value},
};
use async_trait::async_trait;
use errtrack_core::{
    Condition, IssueId, ProjectId, StoreError, Timestamp, release_order,
    store::{Batch, Comment, TriageStore},
};
use sqlx::{Connection, Error};
use std::{
    cmp::Ordering,
    collections::{BTreeSet, HashMap, HashSet},
};

/// Releases of a project that are remembered.
const RELEASES: i64 = 10_000;
/// Of those, how many of the newest are looked at for the latest.
const NEWEST: i64 = 100;
/// Issues that are opened in one transaction.
const STEP: i64 = 100;
const COMMENT: &str = "cannot add a comment";

#[async_trait]
impl TriageStore for SqlStore {
    async fn set_condition(&self, issues: &[IssueId], condition: &Condition) -> Result<u64, StoreError> {
        let now = Timestamp::now().as_micros();
        let mut values = vec![Value::Number(condition.status().to_number()), Value::Number(now)];
        let number = |number: Option<i64>| number.map_or(Value::NoNumber, Value::Number);
        values.extend(match condition {
            Condition::InRelease(release) => {
                [Value::Text(tag_value(release).into()), Value::NoText, Value::NoNumber, Value::NoNumber]
            }
            Condition::AfterRelease(release) => {
                [Value::NoText, Value::Text(tag_value(release).into()), Value::NoNumber, Value::NoNumber]
            }
            Condition::Until { time, count } => {
                [Value::NoText, Value::NoText, number(time.map(Timestamp::as_micros)), number(*count)]
            }
        });
        self.change(issues, issue::SET_STATUS, &values).await
    }

    async fn unignore(&self, now: Timestamp) -> Result<u64, StoreError> {
        let mut opened = 0;
        loop {
            let due: Vec<i64> = reading!(self, READ, |connection| {
                let query = sqlx::query_scalar(Db::text(sql::DUE)).bind(now.as_micros()).bind(STEP);
                query.fetch_all(connection).await
            })?;
            if due.is_empty() {
                return Ok(opened);
            }
            let issues: Vec<IssueId> = due.into_iter().map(IssueId).collect();
            let values = [Value::Number(now.as_micros()), Value::Number(Timestamp::now().as_micros())];
            opened += self.change(&issues, sql::UNIGNORE, &values).await?;
        }
    }

    async fn latest_release(&self, project: ProjectId) -> Result<Option<String>, StoreError> {
        let newest: Vec<(String, i64)> = reading!(self, READ, |connection| {
            sqlx::query_as(Db::text(sql::RELEASES)).bind(project.0).bind(NEWEST).fetch_all(connection).await
        })?;
        // Those that came last are first: what tells no order is not later.
        let later = |best: String, other: String| match release_order(&other, &best) {
            Some(Ordering::Greater) => other,
            _ => best,
        };
        Ok(newest.into_iter().map(|(name, _)| name).reduce(later))
    }

    async fn comments(&self, issue: IssueId) -> Result<Vec<Comment>, StoreError> {
        let rows: Vec<(i64, String, i64, String)> = reading!(self, READ, |connection| {
            sqlx::query_as(Db::text(sql::COMMENTS)).bind(issue.0).fetch_all(connection).await
        })?;
        let comment = |(id, author, at, text)| Comment { id, author, at: Timestamp::from_micros(at), text };
        Ok(rows.into_iter().map(comment).collect())
    }

    async fn add_comment(&self, issue: IssueId, author: &str, text: &str) -> Result<Option<Comment>, StoreError> {
        let (author, text, at) = (stored(author), stored(text), Timestamp::now());
        let id: Option<i64> = writing!(self, COMMENT, |connection| {
            let mut tx = connection.begin_with(Db::BEGIN).await?;
            let lead: Option<i64> =
                sqlx::query_scalar(Db::text(sql::LEAD)).bind(issue.0).fetch_optional(&mut *tx).await?;
            let Some(lead) = lead else { return tx.rollback().await.map(|()| None) };
            // So the row is not deleted before the comment is there to be deleted with it.
            tx.lock_rows(numbers([lead].into_iter())).await?;
            let query = sqlx::query_scalar(Db::text(sql::ADD_COMMENT)).bind(lead).bind(author.clone());
            let id = query.bind(at.as_micros()).bind(text.clone()).fetch_optional(&mut *tx).await?;
            tx.commit().await.map(|()| id)
        })?;
        Ok(id.map(|id| Comment { id, author, at, text }))
    }
}

/// The issues whose condition a batch meets; all that it hits are locked.
pub(crate) async fn met<C: Link>(
    connection: &mut C,
    batch: &Batch,
    plan: &Plan<'_>,
    targets: &[Target],
    now: i64,
) -> Result<HashSet<i64>, Error> {
    let waiting: BTreeSet<i64> =
        targets.iter().filter(|target| target.existing.is_some_and(|e| e.waits)).map(|target| target.issue).collect();
    if waiting.is_empty() {
        return Ok(HashSet::new());
    }
    let mut met = HashSet::new();
    for (id, _, project, count, within, after, until, most) in
        connection.conditions(numbers(waiting.iter().copied())).await?
    {
        let Some(condition) = condition(within, after, until, most) else { continue };
        let of_issue = |group: usize| targets.get(group).is_some_and(|target| target.issue == id);
        let groups = plan.groups.iter().enumerate().filter(|(group, _)| of_issue(*group));
        let added = groups.fold(0_i64, |sum, (_, group)| sum.saturating_add(group.count));
        let hits = plan.slots.iter().zip(&batch.occurrences);
        let hits = hits.filter(|(slot, _)| matches!(slot, Slot::Counts(group) if of_issue(*group)));
        let releases: BTreeSet<String> =
            hits.filter_map(|(_, occurrence)| Some(tag_value(occurrence.release()?).into_owned())).collect();
        let mut seen = HashMap::new();
        if let Condition::InRelease(than) | Condition::AfterRelease(than) = &condition {
            for release in releases.iter().chain([than]) {
                let values = vec![Value::Number(project), Value::Text(release.clone())];
                let first = connection.rows(sql::FIRST_SEEN, values).await?.first().map(|[at]: &[i64; 1]| *at);
                seen.extend(first.map(|at| (release.clone(), Timestamp::from_micros(at))));
            }
        }
        let releases: Vec<&str> = releases.iter().map(String::as_str).collect();
        let first_seen = |release: &str| seen.get(release).copied();
        if condition.is_met(Timestamp::from_micros(now), count.saturating_add(added), &releases, first_seen) {
            met.insert(id);
        }
    }
    Ok(met)
}

/// Opens issues whose condition is met, and the groups that a batch hits.
pub(crate) async fn open<C: Link>(connection: &mut C, met: &HashSet<i64>, targets: &[Target]) -> Result<(), Error> {
    if met.is_empty() {
        return Ok(());
    }
    let rows: BTreeSet<i64> =
        targets.iter().filter(|target| met.contains(&target.issue)).flat_map(|target| target.rows()).collect();
    connection.run(sql::MEET, vec![Value::Text(numbers(rows.into_iter()))]).await
}

/// The releases of a batch, as project, name and number. Of those in the midst of a batch some may be left to the next.
pub(crate) fn releases(plan: &Plan<'_>) -> BTreeSet<(i64, String, i64)> {
    let named = plan.groups.iter().flat_map(|group| {
        let last = group.last_release.map(|(_, release)| release);
        group.first_release.into_iter().chain(last).map(|release| (group.project, release))
    });
    let mut releases = BTreeSet::new();
    let mut before = None;
    for (project, release) in named {
        if before != Some((project, release)) {
            let name = tag_value(release);
            releases.insert((project, name.to_string(), tag_number("release", &name)));
        }
        before = Some((project, release));
    }
    releases
}

/// Notes releases, in their order, so that two batches do not wait for each other.
pub(crate) async fn add_releases<C: Link>(
    connection: &mut C,
    releases: &[(i64, String, i64)],
    now: i64,
) -> Result<(), Error> {
    for (project, name, _) in releases {
        let values = [Value::Number(*project), Value::Text(name.clone()), Value::Number(now), Value::Number(RELEASES)];
        connection.run(sql::ADD_RELEASE, values.into()).await?;
    }
    Ok(())
}
