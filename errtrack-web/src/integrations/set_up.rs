//! What is set up under a name: a channel by which people are told, or a service that takes tickets.

use errtrack_core::{StoreError, store::Integration};
use errtrack_notify::{Channel, Field, InvalidChannel, Kind, Settings, Surroundings, TicketKind, TicketService};
use serde::{Deserialize, Serialize};

/// Any kind of integration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AnyKind {
    Channel(Kind),
    Tickets(TicketKind),
}

impl AnyKind {
    /// Every kind, channels first.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        Kind::ALL.into_iter().map(Self::Channel).chain(TicketKind::ALL.into_iter().map(Self::Tickets))
    }

    /// The kind of that name, or the names that there are.
    pub(crate) fn named(name: &str) -> Result<Self, String> {
        let named = Self::all().find(|kind| kind.as_str() == name);
        named.ok_or_else(|| {
            let names: Vec<&str> = Self::all().map(Self::as_str).collect();
            format!("must be one of {}", names.join(", "))
        })
    }

    pub(crate) fn takes_tickets(self) -> bool {
        matches!(self, Self::Tickets(_))
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Channel(kind) => kind.as_str(),
            Self::Tickets(kind) => kind.as_str(),
        }
    }

    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Channel(kind) => kind.label(),
            Self::Tickets(kind) => kind.label(),
        }
    }

    pub(crate) fn fields(self) -> &'static [Field] {
        match self {
            Self::Channel(kind) => kind.fields(),
            Self::Tickets(kind) => kind.fields(),
        }
    }

    pub(crate) fn is_built_in(self) -> bool {
        match self {
            Self::Channel(kind) => kind.is_built_in(),
            Self::Tickets(kind) => kind.is_built_in(),
        }
    }

    pub(crate) fn masked(self, settings: &Settings) -> Settings {
        match self {
            Self::Channel(kind) => kind.masked(settings),
            Self::Tickets(kind) => kind.masked(settings),
        }
    }

    pub(crate) fn merged(self, before: Option<&Settings>, given: &Settings) -> Settings {
        match self {
            Self::Channel(kind) => kind.merged(before, given),
            Self::Tickets(kind) => kind.merged(before, given),
        }
    }
}

/// How an integration is kept.
#[derive(Serialize, Deserialize)]
struct Document {
    #[serde(rename = "type")]
    kind: String,
    settings: Settings,
}

/// An integration as it is set up here.
#[derive(Clone)]
pub(crate) struct SetUp {
    pub(crate) name: String,
    pub(crate) kind: AnyKind,
    pub(crate) settings: Settings,
}

impl SetUp {
    /// As it is kept; `None` if it is of a kind that only a later version knows.
    pub(super) fn read(integration: &Integration) -> Option<Self> {
        let document: Document = serde_json::from_str(integration.config.as_deref()?).ok()?;
        let kind = AnyKind::named(&document.kind).ok()?;
        Some(Self { name: integration.name.clone(), kind, settings: document.settings })
    }

    /// As it is to be kept.
    pub(super) fn document(&self) -> Result<String, StoreError> {
        let document = Document { kind: self.kind.as_str().into(), settings: self.settings.clone() };
        serde_json::to_string(&document).map_err(StoreError::other)
    }

    /// The channel, if it is one.
    pub(super) fn channel(self) -> Option<Channel> {
        match self.kind {
            AnyKind::Channel(kind) => Some(Channel { settings: self.settings, ..Channel::new(self.name, kind) }),
            AnyKind::Tickets(_) => None,
        }
    }

    /// The service, if it takes tickets.
    pub(crate) fn service(&self, surroundings: &Surroundings) -> Option<Result<TicketService, InvalidChannel>> {
        match self.kind {
            AnyKind::Tickets(kind) => Some(TicketService::build(kind, &self.settings, surroundings)),
            AnyKind::Channel(_) => None,
        }
    }

    /// Whether it can be.
    pub(super) fn check(&self, surroundings: &Surroundings) -> Result<(), InvalidChannel> {
        match self.service(surroundings) {
            Some(service) => service.map(drop),
            None => self.clone().channel().map_or(Ok(()), |channel| channel.build(surroundings).map(drop)),
        }
    }
}
