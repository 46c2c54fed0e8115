//! Tickets: issues of GitHub, GitLab and Jira, made of ours and linked to them.
//!
//! A [`TicketService`] is one of them as it is set up: a [`TicketKind`] and settings, of the same form as those of channels.
//! It is no channel: nobody is told by it, and no rule may name it. What a ticket says is written for each in its own markup;
//! nothing that comes from an event is markup there.

#[cfg(feature = "webhook")]
mod answer;
#[cfg(feature = "webhook")]
mod github;
#[cfg(feature = "webhook")]
mod gitlab;
#[cfg(feature = "webhook")]
mod jira;
mod kind;
mod link;
#[cfg(feature = "webhook")]
mod markdown;
mod service;
#[cfg(feature = "webhook")]
mod settings;
#[cfg(feature = "webhook")]
mod text;

pub use kind::{TicketKind, UnknownTicketKind};
pub use link::{InvalidTicketLink, TicketLink};
pub use service::{CreatedTicket, TicketDraft, TicketError, TicketService};
