//! Batches on SQLite: rows travel as cells in a blob, texts and payloads as slices of others.
//!
//! So every statement's text is constant and prepared once, and a batch costs a few statements, however large it is.

use super::{Bulk, Existing, Found, Target, cells::Cells, updates};
use crate::{
    plan::{Group, Plan},
    rollup::Row,
    sql::{analytics, bulk, write},
    tally::{Answer, NewTag, Tallies},
};
use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr, SqliteConnection};
use std::{collections::HashMap, sync::LazyLock};

/// All writes as one text: each awaited statement costs two hops between threads.
static WRITE: LazyLock<SqlStr> = LazyLock::new(|| AssertSqlSafe(write::WRITE.join(";\n")).into_sql_str());

impl Bulk for SqliteConnection {
    // A transaction that writes is alone.
    const SHARED: bool = false;

    async fn lock_projects(&mut self, _: &Plan<'_>) -> Result<(), sqlx::Error> {
        Ok(())
    }

    async fn find(&mut self, plan: &Plan<'_>) -> Result<Found, sqlx::Error> {
        let mut groups = Cells::new(plan.groups.len(), 36);
        for group in &plan.groups {
            groups.row().int(group.project).raw(&group.fingerprint.0);
        }
        let mut checks = Cells::new(plan.checks.len(), 36);
        for (_, project, id) in &plan.checks {
            checks.row().int(*project).raw(id.as_bytes());
        }
        let query = sqlx::query_as(bulk::FIND).bind(groups.rows()).bind(groups.cells);
        let query = query.bind(checks.rows()).bind(checks.cells);
        type Row = (String, String, String, String, String, String, String, i64);
        let (found, groups, issues, statuses, counts, repeats, of, erasures): Row = query.fetch_one(self).await?;
        let (found, repeats): (Vec<usize>, Vec<usize>) = (parse(&found)?, parse(&repeats)?);
        let existing = parse::<Vec<i64>>(&groups)?.into_iter().zip(parse::<Vec<i64>>(&issues)?);
        let existing = existing.zip(parse::<Vec<i64>>(&statuses)?).zip(parse::<Vec<i64>>(&counts)?);
        let existing = existing.map(|(((group, issue), status), count)| Existing {
            group,
            issue,
            resolved: status == 1,
            waits: status >= 3,
            ignored: status == 4,
            count,
        });
        let places = repeats.into_iter().filter_map(|check| Some(plan.checks.get(check)?.0));
        Ok(Found {
            issues: found.into_iter().zip(existing).collect(),
            events: places.zip(parse::<Vec<i64>>(&of)?).collect(),
            erasures,
        })
    }

    async fn take_numbers(&mut self, project: i64, count: i64) -> Result<Option<i64>, sqlx::Error> {
        sqlx::query_scalar(bulk::TAKE_NUMBERS).bind(project).bind(count).fetch_optional(self).await
    }

    async fn insert_issues(
        &mut self,
        plan: &Plan<'_>,
        issues: &[(i64, usize)],
        now: i64,
    ) -> Result<HashMap<(i64, i64), i64>, sqlx::Error> {
        let mut rows = Cells::new(issues.len(), 338);
        let mut texts = Vec::new();
        let groups = issues.iter().filter_map(|(number, group)| Some((number, plan.groups.get(*group)?)));
        for (number, group) in groups {
            rows.row().int(group.project).int(*number);
            rows.raw(uuid::Uuid::now_v7().as_bytes()).raw(&group.fingerprint.0);
            shown(&mut rows, group, &mut texts);
            rows.raw(group.kept.map_or(group.newest.event_id(), |(_, id)| id).uuid().as_bytes());
        }
        let query = sqlx::query_as(bulk::INSERT_ISSUES).bind(rows.rows()).bind(rows.cells).bind(texts).bind(now);
        let made: Vec<(i64, i64, i64)> = query.fetch_all(self).await?;
        Ok(made.into_iter().map(|(id, project, number)| ((project, number), id)).collect())
    }

    async fn tags(&mut self, tags: &[NewTag<'_>]) -> Result<Vec<Answer>, sqlx::Error> {
        let asking = || tags.iter().filter(|tag| tag.ask);
        let mut rows = Cells::new(asking().count(), 60);
        for tag in asking() {
            rows.row().int(tag.project).int(tag.issue).int(tag.number);
        }
        if rows.cells.is_empty() {
            return Ok(Vec::new());
        }
        let query = sqlx::query_as(bulk::FIND_TAGS).bind(rows.rows()).bind(rows.cells);
        let (there, values): (String, String) = query.fetch_one(self).await?;
        let answers = parse::<Vec<i64>>(&there)?.into_iter().zip(parse::<Vec<i64>>(&values)?);
        Ok(answers.map(|(there, values)| Answer { is_there: there == 1, values }).collect())
    }

    async fn environments(&mut self, projects: &[i64]) -> Result<Vec<(i64, String)>, sqlx::Error> {
        let projects = crate::issues::numbers(projects.iter().copied());
        sqlx::query_as(analytics::ENVIRONMENTS.sqlite).bind(projects).fetch_all(self).await
    }

    async fn write(
        &mut self,
        plan: &Plan<'_>,
        tallies: &Tallies<'_>,
        issues: &[Target],
        payloads: &mut Vec<u8>,
        _: i64,
        now: i64,
    ) -> Result<bool, sqlx::Error> {
        let mut texts = Vec::new();
        let lists = [
            groupings(plan, issues),
            existing(plan, issues, &mut texts),
            numbers(&tallies.users),
            numbers(&tallies.hours),
            rollups(&tallies.rollups, &mut texts),
            numbers(&tallies.tags),
            new_tags(&tallies.new_tags, &mut texts),
            events(plan, issues),
        ];
        let mut query = sqlx::query(WRITE.clone());
        for mut list in lists {
            query = query.bind(list.rows()).bind(list.cells);
        }
        query.bind(std::mem::take(payloads)).bind(texts).bind(now).execute(self).await?;
        Ok(true)
    }
}

/// Those of new issues.
fn groupings(plan: &Plan<'_>, issues: &[Target]) -> Cells {
    let new = plan.groups.iter().zip(issues).filter(|(_, target)| target.existing.is_none());
    let mut rows = Cells::new(0, 56);
    for (group, target) in new {
        rows.row().int(group.project).int(target.group).raw(&group.fingerprint.0);
    }
    rows
}

/// What is added to issues that were there.
fn existing(plan: &Plan<'_>, issues: &[Target], texts: &mut Vec<u8>) -> Cells {
    let updates = updates(plan, issues);
    let mut rows = Cells::new(updates.len(), 296);
    for (issue, sum) in updates {
        rows.row().int(issue);
        shown(&mut rows, &sum, texts);
        // None is kept: nothing is shown of this one.
        rows.size(usize::from(sum.kept.is_some()));
        rows.raw(sum.kept.map_or_else(uuid::Uuid::nil, |(_, id)| id.uuid()).as_bytes());
    }
    rows
}

/// The part of a row in which new and old issues are alike: 250 bytes.
fn shown(r: &mut Cells, group: &Group<'_>, texts: &mut Vec<u8>) {
    let newest = group.newest;
    let (ty, value) = newest.title();
    r.int(group.count).int(group.stored).int(group.first_seen.as_micros()).int(group.last_seen().as_micros());
    r.size(usize::try_from(newest.level().to_number()).unwrap_or_default());
    r.text(Some(ty), texts).text(Some(value), texts).text(Some(newest.culprit()), texts);
    r.text(newest.source(), texts).text(newest.platform(), texts).text(newest.environment(), texts);
    r.text(group.first_release, texts).text(group.last_release.map(|(_, release)| release), texts);
}

fn numbers<const N: usize>(list: &[[i64; N]]) -> Cells {
    let mut rows = Cells::new(list.len(), N * 20);
    for numbers in list {
        rows.row();
        for number in numbers {
            rows.int(*number);
        }
    }
    rows
}

fn rollups(rollups: &[Row<'_>], texts: &mut Vec<u8>) -> Cells {
    let mut rows = Cells::new(rollups.len(), 160);
    for row in rollups {
        rows.row().int(row.project).int(row.width).int(row.start).int(row.level).int(row.count).int(row.new_issues);
        rows.int(row.regressions).text(Some(&row.environment), texts);
    }
    rows
}

fn new_tags(tags: &[NewTag<'_>], texts: &mut Vec<u8>) -> Cells {
    let mut rows = Cells::new(tags.len(), 120);
    for tag in tags {
        rows.row().int(tag.project).int(tag.issue).int(tag.number).int(tag.count);
        rows.text(Some(tag.key), texts).text(Some(tag.value), texts);
    }
    rows
}

fn events(plan: &Plan<'_>, issues: &[Target]) -> Cells {
    let mut rows = Cells::new(plan.events.len(), 122);
    for event in &plan.events {
        let (Some(group), Some(target)) = (plan.groups.get(event.group), issues.get(event.group)) else { continue };
        rows.row().int(group.project).int(target.group).int(event.timestamp);
        rows.size(usize::try_from(event.codec).unwrap_or_default()).size(event.offset + 1).size(event.length);
        rows.raw(event.id.as_bytes()).raw(event.client_id.as_bytes());
    }
    rows
}

fn parse<T: serde::de::DeserializeOwned>(json: &str) -> Result<T, sqlx::Error> {
    serde_json::from_str(json).map_err(|error| sqlx::Error::Decode(error.into()))
}
