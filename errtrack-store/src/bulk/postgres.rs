//! Batches on PostgreSQL: rows travel as one array per column.
//!
//! What several transactions may touch is locked by all in the same order: projects by id, then groups by id (an issue that
//! was not merged is its own), then merged issues by id, then what belongs to them. So none waits for another in a circle.

use super::{
    Bulk, Existing, Found, Target,
    columns::{Shown, clean, integers},
    updates,
};
use crate::{
    plan::Plan,
    sql::{analytics, postgres as sql},
    tally::{Answer, NewTag, Tallies},
};
use sqlx::{Error, PgConnection, Postgres, postgres::PgArguments, query::Query};
use std::collections::{BTreeSet, HashMap, HashSet};
use uuid::Uuid;

impl Bulk for PgConnection {
    const SHARED: bool = true;

    async fn lock_projects(&mut self, plan: &Plan<'_>) -> Result<(), Error> {
        let projects: BTreeSet<i64> = plan.groups.iter().map(|group| group.project).collect();
        let query = sqlx::query(sql::LOCK_PROJECTS).bind(projects.into_iter().collect::<Vec<_>>());
        query.execute(self).await.map(drop)
    }

    async fn find(&mut self, plan: &Plan<'_>) -> Result<Found, Error> {
        let query = sqlx::query_as(sql::FIND)
            .bind(plan.groups.iter().map(|group| group.project).collect::<Vec<_>>())
            .bind(plan.groups.iter().map(|group| &group.fingerprint.0[..]).collect::<Vec<_>>())
            .bind(plan.checks.iter().map(|(_, project, _)| *project).collect::<Vec<_>>())
            .bind(plan.checks.iter().map(|(_, _, id)| &id.as_bytes()[..]).collect::<Vec<_>>());
        type Numbers = Vec<i64>;
        type Row = (Numbers, Numbers, Numbers, Numbers, Numbers, Numbers, Numbers, i64);
        let (found, groups, statuses, merged, counts, repeats, of, erasures): Row = query.fetch_one(&mut *self).await?;
        let heads = lock_merged(self, &merged).await?;
        let existing = groups.into_iter().zip(statuses).zip(merged).zip(counts);
        let existing = existing.map(|(((group, status), merged), count)| {
            let head = heads.get(&merged).map(|(status, count)| (merged, *status, *count));
            let (issue, status, count) = head.unwrap_or((group, status, count));
            Existing { group, issue, resolved: status == 1, waits: status >= 3, ignored: status == 4, count }
        });
        let places = repeats.into_iter().filter_map(|check| Some(plan.checks.get(usize::try_from(check).ok()?)?.0));
        Ok(Found {
            issues: found.into_iter().filter_map(|place| usize::try_from(place).ok()).zip(existing).collect(),
            events: places.zip(of).collect(),
            erasures,
        })
    }

    async fn take_numbers(&mut self, project: i64, count: i64) -> Result<Option<i64>, Error> {
        sqlx::query_scalar(sql::TAKE_NUMBERS).bind(project).bind(count).fetch_optional(self).await
    }

    async fn insert_issues(
        &mut self,
        plan: &Plan<'_>,
        issues: &[(i64, usize)],
        now: i64,
    ) -> Result<HashMap<(i64, i64), i64>, Error> {
        // An issue that is new has none of its users yet.
        let mut users: HashMap<usize, HashSet<i64>> = HashMap::new();
        for (group, user) in &plan.users {
            users.entry(*group).or_default().insert(*user);
        }
        let uuids: Vec<Uuid> = issues.iter().map(|_| Uuid::now_v7()).collect();
        let (mut numbers, mut events) = (Vec::with_capacity(issues.len()), Vec::with_capacity(issues.len()));
        let (mut fingerprints, mut shown) = (Vec::with_capacity(issues.len()), Shown::default());
        for (number, place) in issues {
            let Some(group) = plan.groups.get(*place) else { continue };
            let count = users.get(place).map_or(0, HashSet::len);
            numbers.push([group.project, *number, i64::try_from(count).unwrap_or(i64::MAX)]);
            fingerprints.push(&group.fingerprint.0[..]);
            shown.push(group);
            events.push(group.kept.map_or(group.newest.event_id(), |(_, id)| id).uuid());
        }
        let [projects, numbers, users] = integers(&numbers);
        let query = sqlx::query(sql::INSERT_ISSUES).bind(now).bind(projects).bind(numbers);
        let query = query.bind(bytes(&uuids)).bind(fingerprints).bind(users);
        let query = bind_shown(query, shown).bind(bytes(&events));
        let made =
            query.try_map(|row| <(i64, i64, i64) as sqlx::FromRow<'_, _>>::from_row(&row)).fetch_all(self).await?;
        Ok(made.into_iter().map(|(id, project, number)| ((project, number), id)).collect())
    }

    async fn tags(&mut self, tags: &[NewTag<'_>]) -> Result<Vec<Answer>, Error> {
        let asking = tags.iter().filter(|tag| tag.ask).map(|tag| [tag.project, tag.issue, tag.number]);
        let asking: Vec<[i64; 3]> = asking.collect();
        if asking.is_empty() {
            return Ok(Vec::new());
        }
        let [projects, issues, numbers] = integers(&asking);
        let query = sqlx::query_as(sql::FIND_TAGS).bind(projects).bind(issues).bind(numbers);
        let (there, values): (Vec<bool>, Vec<i64>) = query.fetch_one(self).await?;
        Ok(there.into_iter().zip(values).map(|(is_there, values)| Answer { is_there, values }).collect())
    }

    async fn environments(&mut self, projects: &[i64]) -> Result<Vec<(i64, String)>, Error> {
        let projects = crate::issues::numbers(projects.iter().copied());
        sqlx::query_as(analytics::ENVIRONMENTS.postgres).bind(projects).fetch_all(self).await
    }

    async fn write(
        &mut self,
        plan: &Plan<'_>,
        tallies: &Tallies<'_>,
        issues: &[Target],
        payloads: &mut Vec<u8>,
        erasures: i64,
        now: i64,
    ) -> Result<bool, Error> {
        let users = new_users(self, &tallies.users).await?;
        let query = sqlx::query(sql::WRITE).bind(now);
        let query = bind_groupings(query, plan, issues);
        let query = bind_updates(query, plan, issues, &users);
        let query = bind_tallies(query, tallies);
        let query = bind_events(query, plan, issues, payloads);
        let query = bind_rollups(query, tallies);
        let (written, now_erased): (i64, i64) =
            query.try_map(|row| sqlx::FromRow::from_row(&row)).fetch_one(self).await?;
        Ok(usize::try_from(written).is_ok_and(|written| written == plan.events.len()) && now_erased == erasures)
    }
}

type Statement<'q> = Query<'q, Postgres, PgArguments>;

/// Locks the issues that groups were merged into, and answers their status and events. Seldom there is one.
async fn lock_merged(connection: &mut PgConnection, merged: &[i64]) -> Result<HashMap<i64, (i64, i64)>, Error> {
    let heads: BTreeSet<i64> = merged.iter().copied().filter(|head| *head != 0).collect();
    if heads.is_empty() {
        return Ok(HashMap::new());
    }
    let query = sqlx::query_as(sql::LOCK_MERGED).bind(heads.into_iter().collect::<Vec<_>>());
    let heads: Vec<(i64, i64, i64)> = query.fetch_all(connection).await?;
    Ok(heads.into_iter().map(|(id, status, count)| (id, (status, count))).collect())
}

/// Notes users and answers, for each issue that has new ones, how many.
async fn new_users(connection: &mut PgConnection, users: &[[i64; 3]]) -> Result<HashMap<i64, i64>, Error> {
    if users.is_empty() {
        return Ok(HashMap::new());
    }
    let [projects, issues, users] = integers(users);
    let query = sqlx::query_as(sql::INSERT_USERS).bind(projects).bind(issues).bind(users);
    let (issues, counts): (Vec<i64>, Vec<i64>) = query.fetch_one(connection).await?;
    Ok(issues.into_iter().zip(counts).collect())
}

/// Those of new issues.
fn bind_groupings<'q>(query: Statement<'q>, plan: &Plan<'_>, issues: &[Target]) -> Statement<'q> {
    let new = || plan.groups.iter().zip(issues).filter(|(_, target)| target.existing.is_none());
    query
        .bind(new().map(|(group, _)| group.project).collect::<Vec<_>>())
        .bind(new().map(|(group, _)| &group.fingerprint.0[..]).collect::<Vec<_>>())
        .bind(new().map(|(_, target)| target.group).collect::<Vec<_>>())
}

fn bind_updates<'q>(
    query: Statement<'q>,
    plan: &Plan<'_>,
    issues: &[Target],
    users: &HashMap<i64, i64>,
) -> Statement<'q> {
    let updates = updates(plan, issues);
    let mut shown = Shown::default();
    updates.iter().for_each(|(_, group)| shown.push(group));
    let query = query
        .bind(updates.iter().map(|(_, group)| group.project).collect::<Vec<_>>())
        .bind(updates.iter().map(|(issue, _)| *issue).collect::<Vec<_>>())
        .bind(updates.iter().map(|(issue, _)| users.get(issue).copied().unwrap_or_default()).collect::<Vec<_>>());
    // None is kept: nothing is shown of this one.
    let last = updates.iter().map(|(_, group)| group.kept.map(|(_, id)| id.uuid().into_bytes().to_vec()));
    bind_shown(query, shown).bind(last.collect::<Vec<_>>())
}

fn bind_shown<'q>(query: Statement<'q>, shown: Shown<'_>) -> Statement<'q> {
    query
        .bind(shown.counts)
        .bind(shown.stored)
        .bind(shown.first_seen)
        .bind(shown.last_seen)
        .bind(shown.levels)
        .bind(shown.types)
        .bind(shown.values)
        .bind(shown.culprits)
        .bind(shown.sources)
        .bind(shown.platforms)
        .bind(shown.environments)
        .bind(shown.first_releases)
        .bind(shown.last_releases)
}

fn bind_tallies<'q>(query: Statement<'q>, tallies: &Tallies<'_>) -> Statement<'q> {
    let [projects, issues, hours, counts] = integers(&tallies.hours);
    let query = query.bind(projects).bind(issues).bind(hours).bind(counts);
    let rollups: Vec<_> = tallies.rollups.iter().map(|row| [row.project, row.width, row.start]).collect();
    let [projects, widths, starts] = integers(&rollups);
    let query = query.bind(projects).bind(widths).bind(starts);
    // Of those that are known to be there, names need not be sent.
    let known = tallies.tags.iter().map(|tag| (*tag, "", ""));
    let new = tallies.new_tags.iter().map(|t| ([t.project, t.issue, t.number, t.count], t.key, t.value));
    let mut tags: Vec<_> = known.chain(new).collect();
    tags.sort_unstable();
    let numbers: Vec<_> = tags.iter().map(|(numbers, ..)| *numbers).collect();
    let [projects, issues, numbers, counts] = integers(&numbers);
    let query = query.bind(projects).bind(issues).bind(numbers).bind(counts);
    let keys = tags.iter().map(|(_, key, _)| clean(key)).collect::<Vec<_>>();
    query.bind(keys).bind(tags.iter().map(|(_, _, value)| clean(value)).collect::<Vec<_>>())
}

fn bind_events<'q>(query: Statement<'q>, plan: &Plan<'_>, issues: &[Target], payloads: &[u8]) -> Statement<'q> {
    let project = |group: usize| plan.groups.get(group).map_or(0, |group| group.project);
    let issue = |group: usize| issues.get(group).map_or(0, |target| target.group);
    let payload = |offset: usize, length: usize| payloads.get(offset..offset + length).unwrap_or_default();
    let events = &plan.events;
    query
        .bind(events.iter().map(|event| project(event.group)).collect::<Vec<_>>())
        .bind(events.iter().map(|event| &event.id.as_bytes()[..]).collect::<Vec<_>>())
        .bind(events.iter().map(|event| &event.client_id.as_bytes()[..]).collect::<Vec<_>>())
        .bind(events.iter().map(|event| event.codec).collect::<Vec<_>>())
        .bind(events.iter().map(|event| payload(event.offset, event.length)).collect::<Vec<_>>())
        .bind(events.iter().map(|event| issue(event.group)).collect::<Vec<_>>())
        .bind(events.iter().map(|event| event.timestamp).collect::<Vec<_>>())
}

/// What [`bind_tallies`] has not bound of them.
fn bind_rollups<'q>(query: Statement<'q>, tallies: &Tallies<'_>) -> Statement<'q> {
    let rollups = tallies.rollups.iter().map(|row| [row.level, row.count, row.new_issues, row.regressions]);
    let [levels, counts, new_issues, regressions] = integers(&rollups.collect::<Vec<_>>());
    let query = query.bind(tallies.rollups.iter().map(|row| clean(&row.environment)).collect::<Vec<_>>());
    query.bind(levels).bind(counts).bind(new_issues).bind(regressions)
}

fn bytes(ids: &[Uuid]) -> Vec<&[u8]> {
    ids.iter().map(|id| &id.as_bytes()[..]).collect()
}
