//! Tickets of other services that stand for issues.

use crate::{data::Data, store::MemoryStore};
use async_trait::async_trait;
use errtrack_core::{
    IssueId, StoreError, Timestamp,
    store::{MAX_TICKETS, Ticket, TicketAdded, TicketStore},
};
use std::time::Duration;
use uuid::Uuid;

/// A ticket, under which group it stands, and until when its place is reserved.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) group: IssueId,
    ticket: Ticket,
    reserved_until: Timestamp,
}

/// Those of an issue, and places that are reserved just now.
fn of_issue(data: &Data, issue: IssueId) -> impl Iterator<Item = &Ticket> {
    let (name, now) = (data.name_of(issue), Timestamp::now());
    let of_it = data.tickets.iter().filter(move |kept| data.name_of(kept.group) == name);
    of_it.filter(move |kept| kept.ticket.url.is_some() || kept.reserved_until > now).map(|kept| &kept.ticket)
}

#[async_trait]
impl TicketStore for MemoryStore {
    async fn tickets(&self, issue: IssueId) -> Result<Vec<Ticket>, StoreError> {
        Ok(of_issue(&*self.lock()?, issue).filter(|ticket| ticket.url.is_some()).cloned().collect())
    }

    async fn add_ticket(&self, issue: IssueId, ticket: &Ticket, lease: Duration) -> Result<TicketAdded, StoreError> {
        let mut data = self.lock()?;
        let group = data.name_of(issue);
        if !data.groups.contains_key(&group) {
            return Ok(TicketAdded::Gone);
        }
        let is_same = |other: &&Ticket| {
            (ticket.integration.is_some() && ticket.integration == other.integration)
                || (ticket.url.is_some() && ticket.url == other.url)
        };
        if let Some(other) = of_issue(&data, issue).find(is_same) {
            return Ok(TicketAdded::Taken(Box::new(other.clone())));
        }
        if of_issue(&data, issue).count() >= MAX_TICKETS {
            return Ok(TicketAdded::TooMany);
        }
        let reserved_until = Timestamp::now().plus(lease);
        data.tickets.push(Kept { group, ticket: ticket.clone(), reserved_until });
        Ok(TicketAdded::Done)
    }

    async fn finish_ticket(&self, ticket: &Ticket) -> Result<bool, StoreError> {
        let mut data = self.lock()?;
        let is_it = |kept: &&mut Kept| kept.ticket.id == ticket.id && kept.ticket.url.is_none();
        let Some(kept) = data.tickets.iter_mut().find(is_it) else { return Ok(false) };
        kept.ticket = ticket.clone();
        Ok(true)
    }

    async fn delete_ticket(&self, issue: IssueId, id: Uuid) -> Result<bool, StoreError> {
        let mut data = self.lock()?;
        let name = data.name_of(issue);
        let found = data.tickets.iter().position(|kept| kept.ticket.id == id && data.name_of(kept.group) == name);
        Ok(found.map(|at| data.tickets.remove(at)).is_some())
    }
}
