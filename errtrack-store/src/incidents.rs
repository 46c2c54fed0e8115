//! Incidents. What opens and changes one is written for a transaction that may be somebody else's: rules fire in one of
//! their own.

mod row;

use crate::{
    SqlStore,
    analytics::projects,
    issues::read_issue,
    link::{Link, Value},
    outbox,
    pool::{Dialect, reading, writing},
    sql::{Sql, incident as sql},
    tag::stored,
};
use async_trait::async_trait;
use errtrack_core::{
    Issue, IssueId, StoreError, Timestamp,
    incident::{
        EntryKind, Incident, IncidentChange, IncidentEntry, IncidentStatus, MAX_LINKED_ISSUES, MAX_NOTED_FIRINGS,
        NewIncident,
    },
    store::{IncidentChanged, IncidentQuery, IncidentStore, OpenedIncident, Recovery},
};
use sqlx::{Connection, Error};
use uuid::Uuid;

const READ: &str = "cannot read incidents";
const WRITE: &str = "cannot write an incident";

#[async_trait]
impl IncidentStore for SqlStore {
    async fn open_incident(&self, new: &NewIncident) -> Result<Option<OpenedIncident>, StoreError> {
        writing!(self, WRITE, |connection| {
            let mut tx = connection.begin_with(Db::BEGIN).await?;
            let opened = open(&mut *tx, new).await?;
            tx.commit().await.map(|()| opened)
        })
    }

    async fn incidents(&self, query: &IncidentQuery) -> Result<Vec<Incident>, StoreError> {
        let (all, list) = projects(query.projects.as_deref());
        let text = |text: Option<&'static str>| text.map_or(Value::NoText, |text| Value::Text(text.into()));
        let mut values = vec![
            Value::Number(all),
            Value::Text(list),
            text(query.status.map(IncidentStatus::as_str)),
            text(query.severity.map(|severity| severity.as_str())),
            query.issue.map_or(Value::NoNumber, |issue| Value::Number(issue.0)),
            Value::Number(query.before.unwrap_or(i64::MAX)),
            Value::Number(i64::from(query.limit)),
        ];
        let since = Value::Number(query.since.unwrap_or_default().as_micros());
        let sql = match (query.open, query.since) {
            (Some(true), _) => sql::OPEN,
            (None, None) => sql::ALL,
            (Some(false), _) => {
                values.push(since);
                sql::OVER
            }
            (None, Some(_)) => {
                values.push(since);
                sql::SINCE
            }
        };
        self.read_rows(sql, values, row::incident).await
    }

    async fn incident(&self, id: Uuid) -> Result<Option<Incident>, StoreError> {
        let found = self.read_rows(sql::BY_UUID, vec![Value::Text(id.to_string())], row::incident).await?;
        Ok(found.into_iter().next())
    }

    async fn change_incident(
        &self,
        id: Uuid,
        change: &IncidentChange,
        by: &str,
        at: Timestamp,
    ) -> Result<IncidentChanged, StoreError> {
        writing!(self, WRITE, |connection| {
            let mut tx = connection.begin_with(Db::BEGIN).await?;
            let Some(before) = one(&mut *tx, sql::LOCK, id).await? else {
                return tx.rollback().await.map(|()| IncidentChanged::Gone);
            };
            if let Some(rule) = before.rule.filter(|_| !before.is_open()) {
                let values = vec![Value::Text(rule.to_string()), Value::Number(before.row)];
                let reopens = change.status.is_some_and(|status| status != IncidentStatus::Resolved);
                if reopens && !tx.rows::<1>(sql::HAS_ANOTHER, values).await?.is_empty() {
                    return tx.rollback().await.map(|()| IncidentChanged::RuleHasAnother);
                }
            }
            let (after, entries) = apply(&mut *tx, &before, change, by, at).await?;
            tell(&mut *tx, &after, &entries).await?;
            tx.commit().await.map(|()| IncidentChanged::Done(Box::new(after)))
        })
    }

    async fn recover_incident(
        &self,
        rule: Uuid,
        recovery: &Recovery,
        at: Timestamp,
    ) -> Result<Option<Uuid>, StoreError> {
        writing!(self, WRITE, |connection| {
            let mut tx = connection.begin_with(Db::BEGIN).await?;
            let recovered = recover(&mut *tx, rule, recovery, at).await?;
            tx.commit().await.map(|()| recovered)
        })
    }

    async fn delete_incident(&self, id: Uuid) -> Result<bool, StoreError> {
        writing!(self, WRITE, |connection| {
            let mut tx = connection.begin_with(Db::BEGIN).await?;
            let Some(incident) = one(&mut *tx, sql::LOCK, id).await? else {
                return tx.rollback().await.map(|()| false);
            };
            for sql in sql::DELETE {
                tx.run(sql, vec![Value::Number(incident.row)]).await?;
            }
            tx.commit().await.map(|()| true)
        })
    }

    async fn incident_timeline(
        &self,
        id: Uuid,
        after: Option<i64>,
        limit: u32,
    ) -> Result<Vec<IncidentEntry>, StoreError> {
        let page = [Value::Number(after.unwrap_or_default()), Value::Number(i64::from(limit))];
        let values = [Value::Text(id.to_string())].into_iter().chain(page).collect();
        self.read_rows(sql::TIMELINE, values, row::entry).await
    }

    async fn link_issues(
        &self,
        id: Uuid,
        issues: &[IssueId],
        by: &str,
        at: Timestamp,
    ) -> Result<Option<u64>, StoreError> {
        writing!(self, WRITE, |connection| {
            let mut tx = connection.begin_with(Db::BEGIN).await?;
            let Some(mut incident) = one(&mut *tx, sql::LOCK, id).await? else {
                return tx.rollback().await.map(|()| None);
            };
            let linked = link(&mut *tx, incident.row, issues, by, at).await?;
            if linked > 0 {
                incident.updated_at = at;
                write(&mut *tx, &incident).await?;
            }
            tx.commit().await.map(|()| Some(linked))
        })
    }

    async fn unlink_issue(&self, id: Uuid, issue: IssueId, by: &str, at: Timestamp) -> Result<bool, StoreError> {
        writing!(self, WRITE, |connection| {
            let mut tx = connection.begin_with(Db::BEGIN).await?;
            let Some(mut incident) = one(&mut *tx, sql::LOCK, id).await? else {
                return tx.rollback().await.map(|()| false);
            };
            let values = || vec![Value::Number(issue.0), Value::Number(incident.row)];
            let named: Vec<[Option<String>; 4]> = tx.texts(sql::LINKABLE, values()).await?;
            let gone = tx.rows::<1>(sql::UNLINK, vec![Value::Number(incident.row), Value::Number(issue.0)]).await?;
            let (false, Some([_, _, name, _])) = (gone.is_empty(), named.into_iter().next()) else {
                return tx.rollback().await.map(|()| false);
            };
            let entry = IncidentEntry { from: name, ..IncidentEntry::new(EntryKind::IssueUnlinked, by, at) };
            add(&mut *tx, incident.row, &entry, i64::MAX).await?;
            incident.updated_at = at;
            write(&mut *tx, &incident).await?;
            tx.commit().await.map(|()| true)
        })
    }

    async fn incident_issues(&self, id: Uuid) -> Result<Vec<Issue>, StoreError> {
        reading!(self, READ, |connection| {
            let query = sqlx::query::<Db>(Db::text(sql::ISSUES)).bind(id.to_string());
            query.fetch_all(connection).await?.iter().map(read_issue).collect()
        })
    }
}

impl SqlStore {
    /// Reads rows of texts outside of a transaction.
    async fn read_rows<const N: usize, T>(
        &self,
        sql: Sql,
        values: Vec<Value>,
        row: impl Fn([Option<String>; N]) -> Result<T, Error>,
    ) -> Result<Vec<T>, StoreError> {
        reading!(self, READ, |connection| {
            let rows = <Db as sqlx::Database>::Connection::texts(connection, sql, values).await?;
            rows.into_iter().map(row).collect()
        })
    }
}

/// Opens an incident in a transaction, or notes on the open one of its rule that this fired again. `None` if it is about a
/// project that is gone; then nothing was written.
pub(crate) async fn open<C: Link>(connection: &mut C, new: &NewIncident) -> Result<Option<OpenedIncident>, Error> {
    if let Some(project) = new.project
        && connection.rows::<1>(sql::PROJECT, vec![Value::Number(project.0)]).await?.is_empty()
    {
        return Ok(None);
    }
    // Another transaction may open or resolve one of the same rule between looking and writing.
    for _ in 0..3 {
        if let Some(rule) = new.rule
            && let Some(mut incident) = one(connection, sql::LOCK_OF_RULE, rule).await?
        {
            incident.firings = incident.firings.saturating_add(1);
            incident.updated_at = incident.updated_at.max(new.at);
            write(connection, &incident).await?;
            add(connection, incident.row, &new.again(), MAX_NOTED_FIRINGS).await?;
            link(connection, incident.row, &new.issues, &new.by, new.at).await?;
            return Ok(Some(OpenedIncident { id: incident.id, is_new: false }));
        }
        let incident = new.incident();
        let made: Vec<[i64; 1]> = connection.rows(sql::ADD, row::values(&incident)).await?;
        if let Some([row]) = made.first() {
            add(connection, *row, &new.entry(), i64::MAX).await?;
            if new.rule.is_none() {
                tell(connection, &incident, &[new.entry()]).await?;
            }
            link(connection, *row, &new.issues, &new.by, new.at).await?;
            return Ok(Some(OpenedIncident { id: new.id, is_new: true }));
        }
    }
    Err(Error::InvalidArgument(format!("there is an incident {}", new.id)))
}

/// Says in a transaction on the open incident of a rule that the rule recovered, and resolves it if that is wanted; answers
/// the incident.
pub(crate) async fn recover<C: Link>(
    connection: &mut C,
    rule: Uuid,
    recovery: &Recovery,
    at: Timestamp,
) -> Result<Option<Uuid>, Error> {
    let Some(before) = one(connection, sql::LOCK_OF_RULE, rule).await? else { return Ok(None) };
    let entry =
        IncidentEntry { text: recovery.note.clone(), ..IncidentEntry::new(EntryKind::Recovered, &recovery.by, at) };
    add(connection, before.row, &entry, MAX_NOTED_FIRINGS).await?;
    let status = recovery.resolve.then_some(IncidentStatus::Resolved);
    let change = IncidentChange { status, ..IncidentChange::default() };
    let after = change.of(&before, &recovery.by, at).0;
    if after == before {
        write(connection, &Incident { updated_at: before.updated_at.max(at), ..before.clone() }).await?;
    } else {
        apply(connection, &before, &change, &recovery.by, at).await?;
    }
    Ok(Some(before.id))
}

/// Changes an incident that is locked.
async fn apply<C: Link>(
    connection: &mut C,
    before: &Incident,
    change: &IncidentChange,
    by: &str,
    at: Timestamp,
) -> Result<(Incident, Vec<IncidentEntry>), Error> {
    let (after, entries) = change.of(before, by, at);
    if after != *before {
        write(connection, &after).await?;
    }
    for entry in &entries {
        add(connection, after.row, entry, i64::MAX).await?;
    }
    // As it is read from now on.
    Ok((one(connection, sql::BY_UUID, after.id).await?.unwrap_or(after), entries))
}

/// Lets the channels of an incident be told of what somebody did.
async fn tell<C: Link>(connection: &mut C, incident: &Incident, entries: &[IncidentEntry]) -> Result<(), Error> {
    if incident.channels.is_empty() {
        return Ok(());
    }
    let mut slug = None;
    if let Some(project) = incident.project {
        let found: Vec<[Option<String>; 1]> = connection.texts(sql::SLUG, vec![Value::Number(project.0)]).await?;
        slug = found.into_iter().flatten().next().flatten();
    }
    for entry in entries {
        outbox::insert(connection, &incident.updates(entry, slug.as_deref()), entry.at).await?;
    }
    Ok(())
}

/// Links issues to an incident that is locked; answers how many were not linked yet.
async fn link<C: Link>(
    connection: &mut C,
    incident: i64,
    issues: &[IssueId],
    by: &str,
    at: Timestamp,
) -> Result<u64, Error> {
    let mut linked = 0;
    for issue in issues {
        let found = connection.texts(sql::LINKABLE, vec![Value::Number(issue.0), Value::Number(incident)]).await?;
        let Some([Some(group), Some(project), name, count]) = found.into_iter().next() else { continue };
        if count.as_deref() != Some("0") {
            continue;
        }
        let values = [incident, row::number(&group)?, row::number(&project)?, MAX_LINKED_ISSUES];
        if connection.rows::<1>(sql::LINK, values.map(Value::Number).into()).await?.is_empty() {
            continue;
        }
        let entry = IncidentEntry { to: name, ..IncidentEntry::new(EntryKind::IssueLinked, by, at) };
        add(connection, incident, &entry, i64::MAX).await?;
        linked += 1;
    }
    Ok(linked)
}

/// Adds an entry to a timeline, unless that has so many.
async fn add<C: Link>(connection: &mut C, incident: i64, entry: &IncidentEntry, most: i64) -> Result<(), Error> {
    let text = |text: Option<&str>| text.map_or(Value::NoText, |text| Value::Text(stored(text)));
    let values = vec![
        Value::Number(incident),
        Value::Number(entry.at.as_micros()),
        text(Some(&entry.by)),
        text(Some(entry.kind.as_str())),
        text(entry.from.as_deref()),
        text(entry.to.as_deref()),
        text(Some(&entry.text)),
        entry.firing.map_or(Value::NoText, |firing| Value::Text(firing.to_string())),
        Value::Number(most),
    ];
    connection.run(sql::ADD_ENTRY, values).await
}

/// Writes what can be changed about an incident.
async fn write<C: Link>(connection: &mut C, incident: &Incident) -> Result<(), Error> {
    connection.run(sql::CHANGE, row::changed(incident)).await
}

async fn one<C: Link>(connection: &mut C, sql: Sql, id: Uuid) -> Result<Option<Incident>, Error> {
    Ok(read(connection, sql, vec![Value::Text(id.to_string())]).await?.into_iter().next())
}

async fn read<C: Link>(connection: &mut C, sql: Sql, values: Vec<Value>) -> Result<Vec<Incident>, Error> {
    connection.texts(sql, values).await?.into_iter().map(row::incident).collect()
}
