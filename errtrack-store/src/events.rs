//! Reading events.

use crate::{
    SqlStore,
    error::Doing,
    issues::{numbers, read_uuid},
    payload::Codec,
    pool::{Dialect, reading, writing},
    sql::{event as sql, merge::GROUP_IDS},
};
use async_trait::async_trait;
use errtrack_core::{
    Event, EventId, IssueId, Message, ProjectId, StoreError, Timestamp,
    store::{Cursor, EventPage, EventPosition, EventStore, StoredEvent},
};
use uuid::Uuid;

const READ: &str = "cannot read events";
const PIN: &str = "cannot pin an event";

/// The groups of a merged issue, to which its events belong; none of another, whose events are its own.
macro_rules! groups {
    ($db:ty, $connection:ident, $issue:expr) => {{
        let query = sqlx::query_scalar(<$db>::text(GROUP_IDS)).bind($issue.0);
        let groups: Vec<i64> = query.fetch_all(&mut *$connection).await?;
        groups
    }};
}

/// A row of [`COLUMNS`](sql::COLUMNS).
pub(crate) type EventRow = (i64, Vec<u8>, i64, Vec<u8>, i64, i64, Vec<u8>, i64, Vec<u8>, bool);

#[async_trait]
impl EventStore for SqlStore {
    async fn event(&self, projects: Option<&[ProjectId]>, id: Uuid) -> Result<Option<StoredEvent>, StoreError> {
        let projects = projects.map(|list| numbers(list.iter().map(|project| project.0)));
        for statement in [sql::BY_ID, sql::BY_CLIENT_ID] {
            let row: Option<EventRow> = reading!(self, READ, |connection| {
                let query = sqlx::query_as(Db::text(statement));
                let query = query.bind(id.as_bytes().to_vec()).bind(projects.clone());
                query.fetch_optional(connection).await
            })?;
            if let Some(row) = row {
                let (stored, whole) = read(row, &self.codec).doing(READ)?;
                return if whole { Ok(Some(stored)) } else { Err(unreadable(stored.id)) };
            }
        }
        Ok(None)
    }

    async fn events(&self, issue: IssueId, cursor: Option<&Cursor>, limit: u32) -> Result<EventPage, StoreError> {
        let rows: Vec<EventRow> = reading!(self, READ, |connection| {
            let groups = groups!(Db, connection, issue);
            let statement = match (groups.is_empty(), cursor) {
                (true, None) => sql::NEWEST,
                (true, Some(_)) => sql::NEWEST_AFTER,
                (false, None) => sql::NEWEST_OF,
                (false, Some(_)) => sql::NEWEST_OF_AFTER,
            };
            let query = sqlx::query_as(Db::text(statement));
            let query = if groups.is_empty() { query.bind(issue.0) } else { query.bind(numbers(groups.into_iter())) };
            let mut query = query.bind(i64::from(limit) + 1);
            if let Some(cursor) = cursor {
                query = query.bind(cursor.key).bind(cursor.id);
            }
            query.fetch_all(connection).await
        })?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        let place = |row: &EventRow| Cursor { key: row.5, id: row.0 };
        let next = limit.checked_sub(1).and_then(|last| rows.get(last)).filter(|_| more).map(place);
        let events = rows.into_iter().take(limit).map(|row| Ok(read(row, &self.codec)?.0));
        Ok(EventPage { events: events.collect::<Result<_, sqlx::Error>>().doing(READ)?, next })
    }

    async fn position(&self, event: &StoredEvent) -> Result<EventPosition, StoreError> {
        type Id = Option<Vec<u8>>;
        let (index, total, first, previous, next, last): (i64, i64, Id, Id, Id, Id) =
            reading!(self, READ, |connection| {
                let groups = groups!(Db, connection, event.issue);
                let query = if groups.is_empty() {
                    sqlx::query_as(Db::text(sql::POSITION)).bind(event.issue.0)
                } else {
                    sqlx::query_as(Db::text(sql::POSITION_OF)).bind(numbers(groups.into_iter()))
                };
                let query = query.bind(event.event.timestamp.as_micros()).bind(event.row);
                query.fetch_one(connection).await
            })?;
        let id = |bytes: Id| bytes.map(|bytes| read_uuid(&bytes)).transpose().doing(READ);
        Ok(EventPosition { index, total, first: id(first)?, previous: id(previous)?, next: id(next)?, last: id(last)? })
    }

    async fn pin(&self, event: &StoredEvent, pinned: bool) -> Result<bool, StoreError> {
        let changed = writing!(self, PIN, |connection| {
            let query = sqlx::query(Db::text(sql::PIN)).bind(event.project.0).bind(event.id.as_bytes().to_vec());
            query.bind(pinned).execute(connection).await.map(|done| done.rows_affected())
        });
        Ok(changed? > 0)
    }

    async fn user_events(
        &self,
        projects: Option<&[ProjectId]>,
        user: &str,
        cursor: Option<&Cursor>,
        limit: u32,
    ) -> Result<EventPage, StoreError> {
        self.events_of_user(projects, user, cursor, limit).await
    }

    async fn erase_user(&self, projects: Option<&[ProjectId]>, user: &str) -> Result<u64, StoreError> {
        self.erase(projects, user).await
    }
}

/// An event of its row, and whether its payload could be read: one that is damaged must not break a page of others.
pub(crate) fn read(row: EventRow, codec: &Codec) -> Result<(StoredEvent, bool), sqlx::Error> {
    let (row, id, issue, issue_uuid, project, timestamp, client_id, way, payload, pinned) = row;
    let event = codec.event(way, &payload);
    let whole = event.is_some();
    let mut event = event.unwrap_or_else(|| Event {
        message: Some(Message::new("the stored payload of this event cannot be read")),
        ..Event::default()
    });
    event.event_id = EventId::from(read_uuid(&client_id)?);
    event.timestamp = Timestamp::from_micros(timestamp);
    let id = read_uuid(&id)?;
    let issue_uuid = read_uuid(&issue_uuid)?;
    let (issue, project) = (IssueId(issue), ProjectId(project));
    Ok((StoredEvent { id, row, issue, issue_uuid, project, pinned, event }, whole))
}

fn unreadable(id: Uuid) -> StoreError {
    StoreError::corrupt(format!("the payload of event {id} cannot be read"))
}
