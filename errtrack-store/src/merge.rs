//! Merging issues, and taking them apart.
//!
//! A batch counts a group under the group's own row, and once more under that of the issue that it was merged into. So what
//! a group has is not touched here: a row for the sum is made, or goes.

use crate::{
    SqlStore,
    issues::{READ, numbers, read_issue},
    link::{Link, Value},
    members::{self, Member},
    pool::{Dialect, reading, writing},
    sql::{issue, merge as sql, upkeep},
    tag::{OTHER, VALUES},
};
use async_trait::async_trait;
use errtrack_core::{
    Fingerprint, Issue, IssueId, IssueRef, ProjectId, Status, StoreError, Timestamp,
    store::{GroupStore, IssueEvent, IssueStore, MAX_GROUPS, Refusal, Regrouped},
};
use sqlx::{Connection, Error};

const MERGE: &str = "cannot merge issues";
const UNMERGE: &str = "cannot unmerge an issue";
const DAY: i64 = 86_400_000_000;

/// What came of it within a transaction.
enum Done {
    /// The rows of the issues now, and every row that has another part than before.
    Issues(Vec<i64>, Vec<(i64, i64)>),
    /// Nothing was changed.
    Refused(Refusal),
    /// Groups have joined or left the issues meanwhile.
    Overtaken,
}

#[async_trait]
impl GroupStore for SqlStore {
    async fn groups(&self, issue: IssueId) -> Result<Vec<Issue>, StoreError> {
        reading!(self, READ, |connection| {
            let rows = sqlx::query::<Db>(Db::text(issue::GROUPS)).bind(issue.0).fetch_all(connection).await?;
            rows.iter().map(read_issue).collect()
        })
    }

    async fn merge(&self, project: ProjectId, into: IssueId, others: &[IssueId]) -> Result<Regrouped, StoreError> {
        let others = members::ids(others);
        loop {
            let done = writing!(self, MERGE, |connection| {
                let mut tx = connection.begin_with(Db::BEGIN).await?;
                match merge(&mut *tx, project.0, into.0, &others).await? {
                    done @ Done::Issues(..) => tx.commit().await.map(|()| done),
                    done => tx.rollback().await.map(|()| done),
                }
            })?;
            if let Some(done) = self.settle(done).await? {
                return Ok(done);
            }
        }
    }

    async fn unmerge(&self, issue: IssueId, fingerprints: &[Fingerprint]) -> Result<Regrouped, StoreError> {
        loop {
            let done = writing!(self, UNMERGE, |connection| {
                let mut tx = connection.begin_with(Db::BEGIN).await?;
                match unmerge(&mut *tx, issue.0, fingerprints).await? {
                    done @ Done::Issues(..) => tx.commit().await.map(|()| done),
                    done => tx.rollback().await.map(|()| done),
                }
            })?;
            if let Some(done) = self.settle(done).await? {
                return Ok(done);
            }
        }
    }
}

impl SqlStore {
    /// Tells what was done once it is durable, and reads the issues; `None` if it must be done again.
    async fn settle(&self, done: Done) -> Result<Option<Regrouped>, StoreError> {
        match done {
            Done::Overtaken => Ok(None),
            Done::Refused(refusal) => Ok(Some(Regrouped::Refused(refusal))),
            Done::Issues(ids, changed) => {
                self.tell(&changed, IssueEvent::Edited).await;
                self.sweep().await?;
                let mut issues = Vec::with_capacity(ids.len());
                for id in ids {
                    issues.extend(self.issue(&IssueRef::Id(IssueId(id))).await?);
                }
                Ok(Some(Regrouped::Done(issues)))
            }
        }
    }
}

async fn merge<C: Link>(connection: &mut C, project: i64, into: i64, others: &[i64]) -> Result<Done, Error> {
    let names: Vec<i64> = others.iter().copied().chain([into]).collect();
    let Some(rows) = members::lock(connection, &names).await? else { return Ok(Done::Overtaken) };
    if rows.iter().any(|row| row.project != project) {
        return Ok(Done::Refused(Refusal::OtherProject));
    }
    let issue_of = |name: i64| rows.iter().find(|row| row.id == name).map(|row| row.issue);
    let named: Option<Vec<i64>> = names.iter().map(|name| issue_of(*name)).collect();
    let (Some(mut others), Some(into)) = (named, issue_of(into)) else { return Ok(Done::Refused(Refusal::Gone)) };
    others.retain(|issue| *issue != into);
    if others.is_empty() {
        return Ok(Done::Refused(Refusal::OneIssue));
    }
    if rows.iter().filter(|row| !row.merged).count() > MAX_GROUPS {
        return Ok(Done::Refused(Refusal::TooMany));
    }
    let now = Timestamp::now().as_micros();
    let heads = heads(connection, rows.iter().filter(|row| row.id == row.issue).map(|row| row.id)).await?;
    let is_merged = |issue: i64| rows.iter().any(|row| row.id == issue && row.merged);
    let mut groups: Vec<i64> = rows.iter().filter(|row| !row.merged && row.issue != into).map(|row| row.id).collect();
    for head in heads.iter().filter(|head| head.id != into && is_merged(head.id)) {
        connection.run(sql::JOIN, vec![list(&groups_of(&rows, head.id)), Value::NoNumber, Value::Number(now)]).await?;
        give_back(connection, head).await?;
        bury(connection, head.id).await?;
    }
    let target = match heads.iter().find(|head| head.id == into) {
        Some(head) if !is_merged(into) => {
            groups.push(into);
            make(connection, into, head.number).await?
        }
        _ => into,
    };
    add(connection, project, target, &groups, now).await?;
    let resolved = |head: &Head| head.status == Status::Resolved.to_number();
    if heads.iter().any(|head| head.id == into && resolved(head)) && !heads.iter().all(resolved) {
        let regressed = heads.iter().any(|head| !resolved(head) && head.regressed);
        connection.run(sql::OPEN, vec![Value::Number(target), Value::Number(regressed.into())]).await?;
    }
    let told = rows.iter().map(|row| (row.project, row.id)).chain([(project, target)]);
    Ok(Done::Issues(vec![target], told.collect()))
}

async fn unmerge<C: Link>(connection: &mut C, issue: i64, fingerprints: &[Fingerprint]) -> Result<Done, Error> {
    let Some(rows) = members::lock(connection, &[issue]).await? else { return Ok(Done::Overtaken) };
    let Some(Member { issue, project, .. }) = rows.first().copied() else { return Ok(Done::Refused(Refusal::Gone)) };
    if fingerprints.is_empty() {
        return Ok(Done::Refused(Refusal::NoFingerprint));
    }
    let groups = groups_of(&rows, issue);
    let mut leaving: Vec<i64> = Vec::new();
    for fingerprint in fingerprints {
        let values = vec![Value::Number(project), Value::Text(fingerprint.to_string())];
        let group = connection.rows(sql::GROUP_OF, values).await?.first().map(|[group]: &[i64; 1]| *group);
        let Some(group) = group.filter(|group| groups.contains(group)) else {
            return Ok(Done::Refused(Refusal::NotOfIssue(*fingerprint)));
        };
        if !leaving.contains(&group) {
            leaving.push(group);
        }
    }
    if leaving.len() == groups.len() {
        return Ok(Done::Refused(Refusal::LastGroup));
    }
    let Some(head) = heads(connection, [issue].into_iter()).await?.pop() else {
        return Ok(Done::Refused(Refusal::Gone));
    };
    let now = Timestamp::now().as_micros();
    connection.run(sql::JOIN, vec![list(&groups), Value::NoNumber, Value::Number(now)]).await?;
    give_back(connection, &head).await?;
    let rest: Vec<i64> = groups.iter().copied().filter(|group| !leaving.contains(group)).collect();
    let left = heads(connection, rest.iter().copied()).await?;
    let lead = left.iter().find(|group| group.id == head.lead).or_else(|| left.iter().min_by_key(|group| group.number));
    let target = match (lead, rest.as_slice()) {
        (None, _) => return Ok(Done::Refused(Refusal::LastGroup)),
        (_, [alone]) => *alone,
        (Some(lead), _) => {
            let target = make(connection, lead.id, lead.number).await?;
            add(connection, project, target, &rest, now).await?;
            connection.run(sql::TAKE_OVER, vec![Value::Number(target), Value::Number(issue)]).await?;
            target
        }
    };
    bury(connection, issue).await?;
    let told = rows.iter().map(|row| (row.project, row.id)).chain([(project, target)]);
    Ok(Done::Issues([target].into_iter().chain(leaving).collect(), told.collect()))
}

/// What is to be known of an issue.
struct Head {
    id: i64,
    number: i64,
    /// The group whose name it has.
    lead: i64,
    status: i64,
    regressed: bool,
}

async fn heads<C: Link>(connection: &mut C, ids: impl Iterator<Item = i64>) -> Result<Vec<Head>, Error> {
    let rows = connection.rows(sql::HEADS, vec![Value::Text(numbers(ids))]).await?;
    let head =
        |[id, number, lead, status, regressed]: [i64; 5]| Head { id, number, lead, status, regressed: regressed == 1 };
    Ok(rows.into_iter().map(head).collect())
}

/// Makes the row of an issue that has the name of a group, whose number is taken for it.
async fn make<C: Link>(connection: &mut C, group: i64, number: i64) -> Result<i64, Error> {
    connection.run(sql::NUMBER, vec![Value::Number(group), Value::Number(-group)]).await?;
    let made = connection.rows(sql::INSERT, vec![Value::Number(group), Value::Number(number)]).await?;
    made.first().map(|[id]: &[i64; 1]| *id).ok_or(Error::RowNotFound)
}

/// Gives the group whose name a merged issue has its number back.
async fn give_back<C: Link>(connection: &mut C, head: &Head) -> Result<(), Error> {
    connection.run(sql::NUMBER, vec![Value::Number(head.id), Value::Number(-head.id)]).await?;
    connection.run(sql::NUMBER, vec![Value::Number(head.lead), Value::Number(head.number)]).await
}

/// Makes groups those of a merged issue, and adds what they have to what it has.
async fn add<C: Link>(connection: &mut C, project: i64, target: i64, groups: &[i64], now: i64) -> Result<(), Error> {
    let (id, project) = (Value::Number(target), Value::Number(project));
    connection.run(sql::JOIN, vec![list(groups), id.clone(), Value::Number(now)]).await?;
    let span = connection.rows(sql::SPAN, vec![list(groups)]).await?;
    for [first, last] in span {
        let days = Value::Text(numbers(first.div_euclid(DAY)..=last.div_euclid(DAY)));
        connection.run(sql::ADD_HOURS, vec![id.clone(), project.clone(), list(groups), days]).await?;
    }
    connection.run(sql::ADD_USERS, vec![id.clone(), project.clone(), list(groups)]).await?;
    let limits = [Value::Number(VALUES), Value::Text(OTHER.into())];
    connection.run(sql::ADD_TAGS, [id.clone(), project, list(groups)].into_iter().chain(limits).collect()).await?;
    connection.run(sql::SUM_UP, vec![id, Value::Number(now)]).await
}

/// The row of a merged issue goes, and later what it counts.
async fn bury<C: Link>(connection: &mut C, issue: i64) -> Result<(), Error> {
    connection.run(upkeep::BURY, vec![list(&[issue])]).await?;
    connection.run(upkeep::DELETE_ISSUES, vec![list(&[issue])]).await
}

fn groups_of(rows: &[Member], issue: i64) -> Vec<i64> {
    rows.iter().filter(|row| row.issue == issue && !row.merged).map(|row| row.id).collect()
}

fn list(ids: &[i64]) -> Value {
    Value::Text(numbers(ids.iter().copied()))
}
