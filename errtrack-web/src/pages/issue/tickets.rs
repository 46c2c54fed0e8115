//! The tickets of an issue, and the forms by which one is made or linked.

use super::super::{shell::Shell, text, time::When};
use super::Found;
use crate::tickets::{self, Ticket, Way};
use errtrack_core::{Timestamp, notify::IssueFacts};

/// What the page shows of tickets.
#[derive(Debug)]
pub(super) struct Section {
    pub(super) is_there: bool,
    pub(super) rows: Vec<Row>,
    /// Ways by which one can still be made; none for who may not write.
    pub(super) ways: Vec<Choice>,
    pub(super) can_write: bool,
    /// Where the forms go.
    pub(super) action: String,
    /// What stands in the field of its title.
    pub(super) title: String,
    pub(super) longest_title: usize,
    pub(super) longest_note: usize,
}

/// A ticket.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) key: String,
    pub(super) url: String,
    pub(super) title: String,
    pub(super) kind: &'static str,
    pub(super) by: String,
    pub(super) at: When,
    pub(super) remove: String,
}

/// A way by which one can be made.
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) name: String,
    pub(super) label: String,
}

impl Section {
    /// Whether there is anything to show.
    pub(super) fn is_there(found: &Found) -> bool {
        !found.tickets.is_empty() || !found.ways.is_empty()
    }

    pub(super) fn new(shell: &Shell, found: &Found, path: &str, now: Timestamp) -> Self {
        let is_free =
            |way: &&Way| found.tickets.iter().all(|ticket| ticket.integration.as_deref() != Some(way.name.as_str()));
        let action = shell.links.path(format!("{path}/tickets"));
        let row = |ticket: &Ticket| Row {
            key: text::line(&ticket.key, 100),
            url: ticket.url.clone(),
            title: text::line(&ticket.title, 255),
            kind: label(&ticket.kind),
            by: text::line(&ticket.created_by, 100),
            at: When::new(ticket.created_at, now),
            remove: format!("{action}/{}/delete", ticket.id),
        };
        Self {
            is_there: Self::is_there(found),
            rows: found.tickets.iter().map(row).collect(),
            ways: found.ways.iter().filter(is_free).filter(|_| shell.may_write()).map(Choice::new).collect(),
            can_write: shell.may_write(),
            title: text::line(&tickets::title_of(&IssueFacts::of(&found.issue)), tickets::TITLE - 1),
            longest_title: tickets::TITLE,
            longest_note: tickets::NOTE,
            action,
        }
    }
}

impl Choice {
    fn new(way: &Way) -> Self {
        let target = text::line(&way.target, 100);
        Self { name: way.name.clone(), label: format!("{} {target} ({})", label(way.kind), text::line(&way.name, 50)) }
    }
}

/// The name of a service for people.
fn label(kind: &str) -> &'static str {
    kind.parse().map_or("another service", errtrack_notify::TicketKind::label)
}

#[cfg(test)]
pub(super) fn samples(are_there: bool) -> Vec<Ticket> {
    use crate::pages::samples::{HOSTILE, now};
    let ticket = |integration: Option<&str>, kind: &str, url: &str| Ticket {
        id: uuid::Uuid::nil(),
        integration: integration.map(str::to_owned),
        kind: kind.into(),
        key: HOSTILE.into(),
        url: url.into(),
        title: HOSTILE.into(),
        created_at: now(),
        created_by: HOSTILE.into(),
    };
    let github = ticket(Some("github"), "github", "https://github.com/acme/shop/issues/12");
    let other = ticket(None, "other", "https://example.com/%22%3E%3Cscript%3E");
    if are_there { vec![github, other] } else { Vec::new() }
}

#[cfg(test)]
pub(super) fn sample_ways(are_there: bool) -> Vec<Way> {
    use crate::pages::samples::HOSTILE;
    let way = |name: &str, kind, target: &str| Way { name: name.into(), kind, target: target.into() };
    let ways = vec![way("github", "github", "acme/shop"), way("jira", "jira", HOSTILE)];
    if are_there { ways } else { Vec::new() }
}
