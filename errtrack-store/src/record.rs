//! Recording: a batch in one transaction.

use crate::{
    SqlStore,
    bulk::{Bulk, Target},
    known::{Fact, Known, has_release},
    link::Link,
    plan::{Plan, Slot},
    pool::{Dialect, writing},
    rollup::{self, Environments},
    signal,
    sql::node as sql,
    tally::Tallies,
    triage,
};
use async_trait::async_trait;
use errtrack_core::{
    IssueId, Occurrence, StoreError, Timestamp,
    store::{Batch, Outcome, Recorded, Recorder},
};
use sqlx::Connection;
use std::collections::{BTreeMap, HashMap, HashSet};

const WHAT: &str = "cannot record events";

/// What came of writing a plan. Of all but the first, nothing was written.
enum Written {
    /// It is in the transaction; and what will be known when that is committed, with the number of erasures.
    Done(Vec<Recorded>, Vec<Fact>, i64),
    /// These places of the batch are stored already.
    Repeats(HashMap<usize, i64>),
    /// Issues must be made, and the projects were not locked.
    Unlocked,
    /// Another transaction has stored some of the events meanwhile, or erased a user.
    Overtaken,
    /// An earlier attempt was committed.
    Settled,
}

#[async_trait]
impl Recorder for SqlStore {
    async fn record(&self, batch: &Batch) -> Result<Vec<Recorded>, StoreError> {
        self.pace.batch();
        let mut repeats = HashMap::new();
        let (mut locked, mut check_all) = (false, false);
        loop {
            let mut plan = Plan::new(batch, &repeats, check_all, &self.codec);
            let mut payloads = std::mem::take(&mut plan.payloads);
            let written = loop {
                self.backend.make_room(&plan).await?;
                let written = writing!(self, WHAT, |connection| {
                    let mut tx = connection.begin_with(Db::RECORD).await?;
                    // Noted at the first attempt too: whoever waits for it may give up, or die, after the commit.
                    if let Some(key) = batch.key {
                        let now = Timestamp::now().as_micros();
                        let query = sqlx::query(Db::text(sql::CLAIM)).bind(key.writer.as_bytes().to_vec());
                        let claimed = query.bind(key.number).bind(now).execute(&mut *tx).await?;
                        if key.repeats && claimed.rows_affected() == 0 {
                            tx.rollback().await?;
                            return Ok(Written::Settled);
                        }
                    }
                    let written =
                        write(&mut *tx, batch, &plan, &mut payloads, (&self.known, &self.environments), locked).await?;
                    match written {
                        Written::Done(..) => tx.commit().await?,
                        _ => tx.rollback().await?,
                    }
                    Ok(written)
                })?;
                match written {
                    Written::Unlocked => locked = true,
                    written => break written,
                }
            };
            match written {
                Written::Done(recorded, facts, erasures) => {
                    self.known.add(facts, erasures);
                    self.tell_recorded(batch, &recorded).await;
                    return Ok(recorded);
                }
                Written::Settled => {
                    let settled = Recorded { issue: IssueId(0), outcome: Outcome::Settled };
                    return Ok(vec![settled; batch.occurrences.len()]);
                }
                Written::Repeats(more) => repeats.extend(more),
                Written::Overtaken | Written::Unlocked => check_all = true,
            }
        }
    }

    async fn set_aside(&self, occurrence: &Occurrence, reason: &str) -> Result<(), StoreError> {
        self.put_aside(occurrence, reason).await
    }
}

async fn write<C: Bulk + Link>(
    connection: &mut C,
    batch: &Batch,
    plan: &Plan<'_>,
    payloads: &mut Vec<u8>,
    (known, environments): (&Known, &Environments),
    locked: bool,
) -> Result<Written, sqlx::Error> {
    let now = Timestamp::now().as_micros();
    // Projects are locked before issues, by all: nobody who holds an issue waits for a project.
    if locked {
        connection.lock_projects(plan).await?;
    }
    let found = connection.find(plan).await?;
    if !found.events.is_empty() {
        return Ok(Written::Repeats(found.events));
    }
    if <C as Bulk>::SHARED && !locked && found.issues.len() < plan.groups.len() {
        return Ok(Written::Unlocked);
    }
    let made = make_issues(connection, plan, |group| !found.issues.contains_key(&group), now).await?;
    let target = |group: usize| match found.issues.get(&group) {
        Some(existing) => Target { group: existing.group, issue: existing.issue, existing: Some(*existing) },
        None => {
            let issue = made.get(&group).copied().unwrap_or_default();
            Target { group: issue, issue, existing: None }
        }
    };
    let targets: Vec<Target> = (0..plan.groups.len()).map(target).collect();
    let (mut tallies, new_releases) = {
        let known = known.since(found.erasures);
        let mut releases: Vec<_> = triage::releases(plan).into_iter().collect();
        releases.retain(|(project, _, number)| !known.contains(has_release(*project, *number)));
        (Tallies::new(plan, &targets, &known), releases)
    };
    let met = triage::met(connection, batch, plan, &targets, now).await?;
    triage::open(connection, &met, &targets).await?;
    let answers = connection.tags(&tallies.new_tags).await?;
    tallies.settle(&answers);
    let unknown = environments.unknown(plan);
    if !unknown.is_empty() {
        environments.learn(&unknown, connection.environments(&unknown).await?);
    }
    let recorded = outcomes(&plan.slots, &targets, &met);
    tallies.rollups = rollup::rows(plan, &targets, &signal::regressed(plan, &recorded), environments);
    if !connection.write(plan, &tallies, &targets, payloads, found.erasures, now).await? {
        return Ok(Written::Overtaken);
    }
    triage::add_releases(connection, &new_releases, now).await?;
    signal::write(connection, plan, &targets, &tallies, &recorded).await?;
    let mut facts = tallies.facts();
    facts.extend(new_releases.iter().map(|(project, _, number)| has_release(*project, *number)));
    Ok(Written::Done(recorded, facts, found.erasures))
}

/// Makes the issues of groups that have none, numbered in the order of the batch; answers their ids by group.
async fn make_issues<C: Bulk>(
    connection: &mut C,
    plan: &Plan<'_>,
    is_new: impl Fn(usize) -> bool,
    now: i64,
) -> Result<HashMap<usize, i64>, sqlx::Error> {
    let mut by_project: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
    for (index, group) in plan.groups.iter().enumerate().filter(|(index, _)| is_new(*index)) {
        by_project.entry(group.project).or_default().push(index);
    }
    if by_project.is_empty() {
        return Ok(HashMap::new());
    }
    let mut issues = Vec::new();
    let mut places = Vec::new();
    for (project, groups) in by_project {
        let count = i64::try_from(groups.len()).unwrap_or(i64::MAX);
        let Some(last) = connection.take_numbers(project, count).await? else {
            return Err(sqlx::Error::Protocol(format!("there is no project {project}")));
        };
        for (number, index) in (last - count + 1..).zip(groups) {
            issues.push((number, index));
            places.push((index, (project, number)));
        }
    }
    let made = connection.insert_issues(plan, &issues, now).await?;
    Ok(places.into_iter().filter_map(|(index, name)| Some((index, *made.get(&name)?))).collect())
}

/// What became of each occurrence: the first of a group makes or reopens the issue.
fn outcomes(slots: &[Slot], targets: &[Target], met: &HashSet<i64>) -> Vec<Recorded> {
    let mut hit = vec![false; targets.len()];
    // Of merged ones, which several groups hit.
    let mut reopened = HashSet::new();
    let mut recorded: Vec<Recorded> = Vec::with_capacity(slots.len());
    for slot in slots {
        let (issue, outcome) = match *slot {
            Slot::Known(issue) => (issue, Outcome::Duplicate),
            Slot::Repeats(place) => (recorded.get(place).map_or(0, |r| r.issue.0), Outcome::Duplicate),
            Slot::Counts(group) => {
                let first = hit.get_mut(group).is_some_and(|hit| !std::mem::replace(hit, true));
                let nothing = Target { group: 0, issue: 0, existing: None };
                let target = targets.get(group).copied().unwrap_or(nothing);
                let outcome = match target.existing {
                    _ if !first => Outcome::Seen,
                    None => Outcome::New,
                    Some(existing) if existing.resolved && reopened.insert(target.issue) => Outcome::Regressed,
                    Some(existing) if met.contains(&target.issue) && reopened.insert(target.issue) => {
                        if existing.ignored { Outcome::Unignored } else { Outcome::Regressed }
                    }
                    Some(_) => Outcome::Seen,
                };
                (target.issue, outcome)
            }
        };
        recorded.push(Recorded { issue: IssueId(issue), outcome });
    }
    recorded
}
