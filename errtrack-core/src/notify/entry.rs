//! A notification on its way to one channel.

use super::Notification;
use crate::Timestamp;
use async_trait::async_trait;
use std::{fmt, time::Duration};
use uuid::Uuid;

/// A notification for one channel, in the outbox.
#[derive(Debug, Clone, PartialEq)]
pub struct OutboxEntry {
    /// What makes it the same entry, however often it is written: it is kept once. Channels pass it on where the other side
    /// can make use of it.
    pub key: Uuid,
    /// The name of the channel.
    pub channel: String,
    /// To whom; empty for those of the channel.
    pub recipients: Vec<String>,
    /// Entries of one channel with the same text here arrive in the order in which they were written; with an empty one they
    /// arrive in any.
    pub ordering: String,
    /// What fired, to find its entries again.
    pub firing: Option<Uuid>,
    /// From when on it is to be sent.
    pub due_at: Timestamp,
    /// What is told.
    pub notification: Notification,
}

/// One try to deliver an entry.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Delivery<'a> {
    /// What is to be sent.
    pub entry: &'a OutboxEntry,
    /// Which try this is, from 1.
    pub attempt: u32,
}

impl<'a> Delivery<'a> {
    /// The first try.
    #[must_use]
    pub const fn new(entry: &'a OutboxEntry) -> Self {
        Self { entry, attempt: 1 }
    }

    /// The same as another try.
    #[must_use]
    pub const fn attempt(self, attempt: u32) -> Self {
        Self { attempt, ..self }
    }
}

/// A channel by which people are told.
///
/// The tracker calls it on a thread of its own, never on the host's runtime, a few entries at a time; so it must not block.
/// A try that takes more than 20 seconds is given up and counts as failed. An entry may come again that has arrived, when
/// the process died before that was noted.
///
/// # Example
/// ```
/// use errtrack_core::notify::{Delivery, Notifier, NotifyError};
///
/// /// Writes to standard output.
/// struct Console;
///
/// #[async_trait::async_trait]
/// impl Notifier for Console {
///     fn name(&self) -> &str {
///         "console"
///     }
///
///     async fn notify(&self, delivery: &Delivery<'_>) -> Result<(), NotifyError> {
///         let told = &delivery.entry.notification;
///         println!("{}: {}", told.trigger, told.issue.as_ref().map_or("", |issue| &issue.title));
///         Ok(())
///     }
/// }
/// ```
#[async_trait]
pub trait Notifier: Send + Sync + 'static {
    /// The name by which rules call it.
    fn name(&self) -> &str;

    /// Sends it.
    ///
    /// # Errors
    /// It did not arrive. It is tried again, up to ten times in all, unless the error is [permanent](NotifyError::permanent).
    async fn notify(&self, delivery: &Delivery<'_>) -> Result<(), NotifyError>;
}

/// Why a notification did not arrive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotifyError {
    /// What went wrong, for people; it is kept and shown, so it must not hold secrets.
    pub message: String,
    /// For how long the other side asks to be left alone.
    pub retry_after: Option<Duration>,
    /// Trying again cannot help: it is wrong itself, not the moment.
    pub permanent: bool,
}

impl NotifyError {
    /// It may work another time.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), retry_after: None, permanent: false }
    }

    /// It will never work.
    pub fn permanent(message: impl Into<String>) -> Self {
        Self { permanent: true, ..Self::new(message) }
    }

    /// Not before that has passed.
    #[must_use]
    pub const fn retry_after(mut self, pause: Option<Duration>) -> Self {
        self.retry_after = pause;
        self
    }
}

impl fmt::Display for NotifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for NotifyError {}
