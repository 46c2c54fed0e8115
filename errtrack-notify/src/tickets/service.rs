//! A service that takes tickets, as it is set up.

use super::TicketKind;
use crate::{InvalidChannel, Settings, Surroundings};
use errtrack_core::notify::IssueFacts;
use std::time::Duration;

/// A service that takes tickets, ready to be asked. Cheap to make.
///
/// # Example
/// ```
/// use errtrack_notify::{Settings, Surroundings, TicketKind, TicketService};
///
/// let settings: Settings =
///     [("token", "github_pat_x"), ("repository", "acme/shop")].map(|(name, value)| (name.into(), value.into())).into();
/// let github = TicketService::build(TicketKind::GitHub, &settings, &Surroundings::default())?;
/// assert_eq!(github.key_of("https://github.com/Acme/Shop/issues/12").as_deref(), Some("acme/shop#12"));
/// // github.check().await?; github.create(&draft).await?;
/// # Ok::<(), errtrack_notify::InvalidChannel>(())
/// ```
#[derive(Debug)]
pub struct TicketService {
    #[cfg(feature = "webhook")]
    pub(super) asked: super::answer::Asked,
    /// None can be made.
    #[cfg(not(feature = "webhook"))]
    never: std::convert::Infallible,
}

/// What a ticket is to say.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TicketDraft {
    /// Its title, of which the service may take only the beginning: 255 characters.
    pub title: String,
    /// What somebody adds, in the service's own markup; empty for nothing.
    pub note: String,
    /// What happened.
    pub issue: IssueFacts,
    /// The address of the dashboard, which the link back begins with; no link without one.
    pub dashboard: Option<String>,
}

/// A ticket that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatedTicket {
    /// What it is called there: `acme/shop#12`, `SHOP-12`.
    pub key: String,
    /// Where it is: `http` or `https`.
    pub url: String,
    /// The title that it was given.
    pub title: String,
}

/// Why a service did not do as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TicketError {
    /// What went wrong, in one line, without secrets.
    pub message: String,
    /// There was no answer in time.
    pub is_too_slow: bool,
    /// What was asked for may have been done all the same.
    pub is_uncertain: bool,
    /// For how long the service wants to be left alone.
    pub retry_after: Option<Duration>,
}

#[cfg(feature = "webhook")]
impl TicketService {
    /// Makes one of its settings.
    ///
    /// # Errors
    /// A setting is missing or wrong, or this program was built without the feature `webhook`.
    pub fn build(kind: TicketKind, settings: &Settings, surroundings: &Surroundings) -> Result<Self, InvalidChannel> {
        let asked = super::answer::Asked::new(kind, settings, surroundings.allowed.clone())?;
        Ok(Self { asked })
    }

    /// The same with another bound in time for each request; it is twenty seconds unless set.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.asked.set_patience(patience);
        self
    }

    /// Asks whether the service knows the token and has what tickets go to. Changes nothing.
    ///
    /// # Errors
    /// It does not.
    pub async fn check(&self) -> Result<(), TicketError> {
        self.asked.check().await
    }

    /// Makes a ticket.
    ///
    /// # Errors
    /// There is none, unless the error says that it [is uncertain](TicketError::is_uncertain).
    pub async fn create(&self, draft: &TicketDraft) -> Result<CreatedTicket, TicketError> {
        self.asked.create(draft).await
    }

    /// What the ticket at an address is called, if it stands where this service makes its own.
    #[must_use]
    pub fn key_of(&self, url: &str) -> Option<String> {
        self.asked.key_of(url)
    }
}

#[cfg(not(feature = "webhook"))]
#[expect(clippy::unused_async, reason = "as where there is something to wait for")]
#[expect(missing_docs, clippy::missing_errors_doc, reason = "as where it is built in")]
impl TicketService {
    pub fn build(_: TicketKind, _: &Settings, _: &Surroundings) -> Result<Self, InvalidChannel> {
        Err(InvalidChannel::new("type", "this program was built without tickets (feature `webhook`)"))
    }

    #[must_use]
    pub fn patience(self, _: Duration) -> Self {
        match self.never {}
    }

    pub async fn check(&self) -> Result<(), TicketError> {
        match self.never {}
    }

    pub async fn create(&self, _: &TicketDraft) -> Result<CreatedTicket, TicketError> {
        match self.never {}
    }

    #[must_use]
    pub fn key_of(&self, _: &str) -> Option<String> {
        match self.never {}
    }
}
