//! Batches on SQLite: rows travel as one JSON text to `json_each`, bytes as one blob that is cut in pieces.
//!
//! So every statement's text is constant and prepared once, and a batch costs a few statements, however large it is.

use super::{Bulk, Existing, Found, Target, rows::Rows};
use crate::{
    plan::{Group, Plan},
    sql::bulk,
};
use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr, SqliteConnection};
use std::{collections::HashMap, sync::LazyLock};

/// All writes as one text: each awaited statement costs two hops between threads.
static WRITE: LazyLock<SqlStr> = LazyLock::new(|| AssertSqlSafe(bulk::WRITE.join(";\n")).into_sql_str());

impl Bulk for SqliteConnection {
    async fn find(&mut self, plan: &Plan) -> Result<Found, sqlx::Error> {
        let mut groups = Rows::new();
        for group in &plan.groups {
            groups.row(|r| {
                r.int(group.project);
                r.hex(&group.fingerprint.0);
                r.row(|users| group.users.iter().for_each(|user| users.int(*user)));
            });
        }
        let mut checks = Rows::new();
        for (place, project, id) in &plan.checks {
            checks.row(|r| {
                r.int(*project);
                r.hex(id.as_bytes());
                r.size(*place);
            });
        }
        let (issues, events): (String, String) =
            sqlx::query_as(bulk::FIND).bind(groups.finish()).bind(checks.finish()).fetch_one(self).await?;
        let issues: Vec<(usize, i64, i64, i64)> = parse(&issues)?;
        let issues = issues
            .into_iter()
            .map(|(group, issue, status, new_users)| (group, Existing { issue, resolved: status == 1, new_users }));
        let events: Vec<(usize, i64)> = parse(&events)?;
        Ok(Found { issues: issues.collect(), events: events.into_iter().collect() })
    }

    async fn take_numbers(&mut self, project: i64, count: i64) -> Result<Option<i64>, sqlx::Error> {
        sqlx::query_scalar(bulk::TAKE_NUMBERS).bind(project).bind(count).fetch_optional(self).await
    }

    async fn insert_issues(
        &mut self,
        issues: &[(i64, &Group)],
        now: i64,
    ) -> Result<HashMap<(i64, i64), i64>, sqlx::Error> {
        let mut rows = Rows::new();
        for (number, group) in issues {
            let users = i64::try_from(group.users.len()).unwrap_or(i64::MAX);
            let newest = &group.newest;
            rows.row(|r| {
                r.int(group.project);
                r.int(*number);
                r.hex(uuid::Uuid::now_v7().as_bytes());
                r.hex(&group.fingerprint.0);
                counters(r, group, users);
                shown(r, group);
                r.hex(newest.kept.unwrap_or(newest.event).uuid().as_bytes());
            });
        }
        let made: Vec<(i64, i64, i64)> =
            sqlx::query_as(bulk::INSERT_ISSUES).bind(rows.finish()).bind(now).fetch_all(&mut *self).await?;
        let made: HashMap<_, _> = made.into_iter().map(|(id, project, number)| ((project, number), id)).collect();
        let mut edges = Rows::new();
        for (number, group) in issues {
            let Some(id) = made.get(&(group.project, *number)) else { continue };
            edges.row(|r| {
                r.int(group.project);
                r.hex(&group.fingerprint.0);
                r.int(*id);
            });
        }
        sqlx::query(bulk::INSERT_GROUPINGS).bind(edges.finish()).execute(self).await?;
        Ok(made)
    }

    async fn write(&mut self, plan: Plan, issues: &[Target], now: i64) -> Result<(), sqlx::Error> {
        let groups = || plan.groups.iter().zip(issues);
        sqlx::query(WRITE.clone())
            .bind(updates(groups()))
            .bind(now)
            .bind(users(groups()))
            .bind(hours(groups()))
            .bind(project_hours(&plan))
            .bind(tags(groups()))
            .bind(events(&plan, issues))
            .bind(plan.blob)
            .execute(self)
            .await?;
        Ok(())
    }
}

fn updates<'a>(groups: impl Iterator<Item = (&'a Group, &'a Target)>) -> String {
    let existing = groups.filter_map(|(group, target)| target.existing.map(|e| (e, group)));
    let mut sorted: Vec<_> = existing.collect();
    sorted.sort_unstable_by_key(|(existing, _)| existing.issue);
    let mut rows = Rows::new();
    for (existing, group) in sorted {
        rows.row(|r| {
            r.int(existing.issue);
            counters(r, group, existing.new_users);
            shown(r, group);
            match group.newest.kept {
                Some(id) => r.hex(id.uuid().as_bytes()),
                None => r.optional(None),
            }
        });
    }
    rows.finish()
}

fn counters(r: &mut Rows, group: &Group, users: i64) {
    r.int(group.count);
    r.int(group.stored);
    r.int(users);
    r.int(group.first_seen.as_micros());
    r.int(group.last_seen.as_micros());
}

fn shown(r: &mut Rows, group: &Group) {
    let newest = &group.newest;
    r.int(newest.level.to_number());
    r.text(&newest.ty);
    r.text(&newest.value);
    r.text(&newest.culprit);
    r.optional(newest.source.as_deref());
    r.optional(newest.platform.as_deref());
    r.optional(newest.environment.as_deref());
    r.optional(group.first_release.as_deref());
    r.optional(group.last_release.as_deref());
}

fn users<'a>(groups: impl Iterator<Item = (&'a Group, &'a Target)>) -> String {
    let mut sorted: Vec<_> =
        groups.flat_map(|(group, target)| group.users.iter().map(|u| (group.project, target.issue, *u))).collect();
    sorted.sort_unstable();
    let mut rows = Rows::new();
    for (project, issue, user) in sorted {
        rows.row(|r| {
            r.int(project);
            r.int(issue);
            r.int(user);
        });
    }
    rows.finish()
}

fn hours<'a>(groups: impl Iterator<Item = (&'a Group, &'a Target)>) -> String {
    let all = groups.flat_map(|(group, target)| {
        let entries = group.hours.iter();
        entries.map(|((hour, environment, release), n)| {
            (group.project, *hour, target.issue, environment.as_str(), release.as_str(), *n)
        })
    });
    let mut sorted: Vec<_> = all.collect();
    sorted.sort_unstable();
    let mut rows = Rows::new();
    for (project, hour, issue, environment, release, n) in sorted {
        rows.row(|r| {
            r.int(project);
            r.int(hour);
            r.int(issue);
            r.text(environment);
            r.text(release);
            r.int(n);
        });
    }
    rows.finish()
}

fn project_hours(plan: &Plan) -> String {
    let mut rows = Rows::new();
    for ((project, hour), n) in &plan.hours {
        rows.row(|r| {
            r.int(*project);
            r.int(*hour);
            r.int(*n);
        });
    }
    rows.finish()
}

fn tags<'a>(groups: impl Iterator<Item = (&'a Group, &'a Target)>) -> String {
    let mut sorted: Vec<_> = groups.collect();
    sorted.sort_unstable_by_key(|(group, target)| (group.project, target.issue));
    let mut rows = Rows::new();
    for (group, target) in sorted {
        rows.row(|r| {
            r.int(group.project);
            r.int(target.issue);
            r.object(|o| group.tags.iter().for_each(|(label, n)| o.member(label, *n)));
        });
    }
    rows.finish()
}

fn events(plan: &Plan, issues: &[Target]) -> String {
    let mut rows = Rows::new();
    for event in &plan.events {
        let (Some(group), Some(target)) = (plan.groups.get(event.group), issues.get(event.group)) else { continue };
        rows.row(|r| {
            r.int(group.project);
            r.int(target.issue);
            r.int(event.timestamp);
            r.optional_int(event.user_hash);
            // SQL counts from 1; the two ids stand before the payload.
            r.size(event.offset - 31);
            r.size(event.length);
            r.int(event.codec);
            r.optional(event.environment.as_deref());
            r.optional(event.release.as_deref());
        });
    }
    rows.finish()
}

fn parse<T: serde::de::DeserializeOwned>(json: &str) -> Result<T, sqlx::Error> {
    serde_json::from_str(json).map_err(|error| sqlx::Error::Decode(error.into()))
}
