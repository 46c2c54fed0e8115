//! Tickets. Which issue has which is decided while the rows of the issue are locked, so no index need say so, and what was
//! made is noted whatever has happened meanwhile.

use crate::{
    SqlStore,
    link::{Link, Value},
    members,
    pool::{Dialect, reading, writing},
    sql::{ticket as sql, triage},
    tag::stored,
};
use async_trait::async_trait;
use errtrack_core::{
    IssueId, StoreError, Timestamp,
    store::{MAX_TICKETS, Ticket, TicketAdded, TicketStore},
};
use sqlx::{Connection, Database, Error};
use std::time::Duration;
use uuid::Uuid;

const READ: &str = "cannot read tickets";
const WRITE: &str = "cannot write a ticket";
/// For how long a place is kept that is free again: what was made for it may still be told. Microseconds.
const KEPT: i64 = 3_600_000_000;

#[async_trait]
impl TicketStore for SqlStore {
    async fn tickets(&self, issue: IssueId) -> Result<Vec<Ticket>, StoreError> {
        let there =
            reading!(self, READ, |connection| of_issue::<<Db as Database>::Connection>(connection, issue).await)?;
        Ok(there.into_iter().filter(|ticket| ticket.url.is_some()).collect())
    }

    async fn add_ticket(&self, issue: IssueId, ticket: &Ticket, lease: Duration) -> Result<TicketAdded, StoreError> {
        loop {
            let added = writing!(self, WRITE, |connection| {
                let mut tx = connection.begin_with(Db::BEGIN).await?;
                match add(&mut *tx, issue, ticket, lease).await? {
                    done @ Some(TicketAdded::Done) => tx.commit().await.map(|()| done),
                    refused => tx.rollback().await.map(|()| refused),
                }
            })?;
            if let Some(added) = added {
                return Ok(added);
            }
        }
    }

    async fn finish_ticket(&self, ticket: &Ticket) -> Result<bool, StoreError> {
        let done: Vec<[i64; 1]> = writing!(self, WRITE, |connection| {
            let values = vec![
                Value::Text(ticket.id.to_string()),
                Value::Text(stored(&ticket.key)),
                text(ticket.url.as_deref()),
                Value::Text(stored(&ticket.title)),
                Value::Number(ticket.created_at.as_micros()),
            ];
            <Db as Database>::Connection::rows(connection, sql::FINISH, values).await
        })?;
        Ok(!done.is_empty())
    }

    async fn delete_ticket(&self, issue: IssueId, id: Uuid) -> Result<bool, StoreError> {
        let done: Vec<[i64; 1]> = writing!(self, WRITE, |connection| {
            let values = vec![Value::Number(issue.0), Value::Text(id.to_string())];
            <Db as Database>::Connection::rows(connection, sql::DELETE, values).await
        })?;
        Ok(!done.is_empty())
    }
}

/// `None` if it must be done again, as groups have joined or left the issue meanwhile.
async fn add<C: Link>(
    connection: &mut C,
    issue: IssueId,
    ticket: &Ticket,
    lease: Duration,
) -> Result<Option<TicketAdded>, Error> {
    // So nobody else gives it one meanwhile, and it is not deleted before the ticket is there to be deleted with it.
    if members::lock(connection, &[issue.0]).await?.is_none() {
        return Ok(None);
    }
    let lead: Vec<[i64; 1]> = connection.rows(triage::LEAD, vec![Value::Number(issue.0)]).await?;
    let Some([lead]) = lead.first() else { return Ok(Some(TicketAdded::Gone)) };
    let there = of_issue(connection, issue).await?;
    let is_same = |other: &&Ticket| {
        let of_it = |own: &Option<String>, other: &Option<String>| own.is_some() && own == other;
        of_it(&ticket.integration, &other.integration) || of_it(&ticket.url, &other.url)
    };
    if let Some(other) = there.iter().find(is_same) {
        return Ok(Some(TicketAdded::Taken(Box::new(other.clone()))));
    }
    if there.len() >= MAX_TICKETS {
        return Ok(Some(TicketAdded::TooMany));
    }
    connection.run(sql::FORGET, vec![Value::Number(*lead), Value::Number(KEPT)]).await?;
    let values = vec![
        Value::Number(*lead),
        Value::Text(ticket.id.to_string()),
        text(ticket.integration.as_deref()),
        Value::Text(stored(&ticket.kind)),
        Value::Text(stored(&ticket.key)),
        text(ticket.url.as_deref()),
        Value::Text(stored(&ticket.title)),
        Value::Number(ticket.created_at.as_micros()),
        Value::Text(stored(&ticket.created_by)),
        Value::Number(i64::try_from(lease.as_micros()).unwrap_or(i64::MAX / 4).min(i64::MAX / 4)),
    ];
    connection.run(sql::ADD, values).await?;
    Ok(Some(TicketAdded::Done))
}

async fn of_issue<C: Link>(connection: &mut C, issue: IssueId) -> Result<Vec<Ticket>, Error> {
    connection.texts(sql::OF_ISSUE, vec![Value::Number(issue.0)]).await?.into_iter().map(read).collect()
}

fn read(
    [id, integration, kind, key, url, title, created_at, created_by]: [Option<String>; 8],
) -> Result<Ticket, Error> {
    let wrong = || Error::Decode("a ticket without an id or a time".into());
    let at = created_at.and_then(|at| at.parse().ok()).ok_or_else(wrong)?;
    Ok(Ticket {
        id: id.and_then(|id| id.parse().ok()).ok_or_else(wrong)?,
        integration,
        kind: kind.unwrap_or_default(),
        key: key.unwrap_or_default(),
        url,
        title: title.unwrap_or_default(),
        created_at: Timestamp::from_micros(at),
        created_by: created_by.unwrap_or_default(),
    })
}

fn text(text: Option<&str>) -> Value {
    text.map_or(Value::NoText, |text| Value::Text(stored(text)))
}
