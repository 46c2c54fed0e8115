//! Notifications: what is told to people, by which channel, and what keeps it until it has arrived.
//!
//! ```text
//! Notification ─▶ OutboxEntry ─▶ outbox (store) ─▶ Delivery ─▶ Notifier
//! what happened   to whom        at least once      one try     mail, chat, webhook, …
//! ```
//!
//! An entry is written in the transaction that causes it ([`OutboxStore`](crate::store::OutboxStore)) and stays until its
//! channel took it or gave it up. A [`Notifier`] is a channel; `errtrack-notify` has those that most people want.

mod attempt;
mod entry;
mod facts;
mod issue;

pub use attempt::attempt;
pub use entry::{Delivery, Notifier, NotifyError, OutboxEntry};
pub use facts::{DigestLine, IncidentFacts, IssueFacts, Notification, RuleFacts, Trigger};
