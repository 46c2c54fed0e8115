//! The occurrence: an event that has been cut to its limits, sanitized and fingerprinted.

use crate::{Event, EventId, Fingerprint, Level, ProjectId, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// An event that may be stored.
///
/// Only [`Preparer`](crate::Preparer) makes one, and [`Store`](crate::Store) takes nothing else: so what is
/// not sanitized cannot be written, by any backend or dialect.
///
/// It holds the event as the bytes that are stored, and beside them only what rows and counters are made of: thousands of
/// occurrences may wait to be written.
#[derive(Debug, Clone)]
pub struct Occurrence {
    id: Uuid,
    parts: Parts,
    times: u64,
}

/// The parts from which [`Preparer`](crate::Preparer) makes an occurrence.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Parts {
    pub(crate) project: ProjectId,
    pub(crate) event_id: EventId,
    pub(crate) id_is_ours: bool,
    pub(crate) timestamp: Timestamp,
    pub(crate) received_at: Timestamp,
    pub(crate) level: Level,
    pub(crate) ty: String,
    pub(crate) value: String,
    pub(crate) culprit: String,
    pub(crate) source: Option<String>,
    pub(crate) platform: Option<String>,
    pub(crate) environment: Option<String>,
    pub(crate) release: Option<String>,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) user_hash: Option<i64>,
    pub(crate) dimensions: Vec<(String, String)>,
    #[serde(skip)]
    pub(crate) payload: Vec<u8>,
}

impl Occurrence {
    pub(crate) fn new(parts: Parts) -> Self {
        Self { id: id_of(parts.received_at), parts, times: 1 }
    }

    /// Our id of it: a UUIDv7 of the time of arrival, so that ids sort by it.
    #[must_use]
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// The event's own id: the client's, or one that was made here.
    #[must_use]
    pub fn event_id(&self) -> EventId {
        self.parts.event_id
    }

    /// Whether the event's id was made here and so cannot have been stored before.
    #[must_use]
    pub fn id_is_ours(&self) -> bool {
        self.parts.id_is_ours
    }

    /// The project that it belongs to.
    #[must_use]
    pub fn project(&self) -> ProjectId {
        self.parts.project
    }

    /// When it happened.
    #[must_use]
    pub fn timestamp(&self) -> Timestamp {
        self.parts.timestamp
    }

    /// When it arrived, or was captured.
    #[must_use]
    pub fn received_at(&self) -> Timestamp {
        self.parts.received_at
    }

    /// The level of the event.
    #[must_use]
    pub fn level(&self) -> Level {
        self.parts.level
    }

    /// Type and value, as [`Event::title`] tells them.
    #[must_use]
    pub fn title(&self) -> (&str, &str) {
        (&self.parts.ty, &self.parts.value)
    }

    /// The function, or failing that the route, to blame; empty if neither is known.
    #[must_use]
    pub fn culprit(&self) -> &str {
        &self.parts.culprit
    }

    /// Where it came from: `backend`, `browser`, ….
    #[must_use]
    pub fn source(&self) -> Option<&str> {
        self.parts.source.as_deref()
    }

    /// The platform of the event.
    #[must_use]
    pub fn platform(&self) -> Option<&str> {
        self.parts.platform.as_deref()
    }

    /// The environment of the event.
    #[must_use]
    pub fn environment(&self) -> Option<&str> {
        self.parts.environment.as_deref()
    }

    /// The release of the event.
    #[must_use]
    pub fn release(&self) -> Option<&str> {
        self.parts.release.as_deref()
    }

    /// The key of its grouping.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.parts.fingerprint
    }

    /// A hash that tells users apart for counting them.
    #[must_use]
    pub fn user_hash(&self) -> Option<i64> {
        self.parts.user_hash
    }

    /// What is tallied per issue: its tags, and `environment`, `release` and the like as tags.
    #[must_use]
    pub fn dimensions(&self) -> &[(String, String)] {
        &self.parts.dimensions
    }

    /// The event as JSON: what is stored whole.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.parts.payload
    }

    /// The event, read back from its payload; some 20 µs.
    #[must_use]
    pub fn event(&self) -> Event {
        serde_json::from_slice(&self.parts.payload).unwrap_or_default()
    }

    /// How many events it stands for; 1 unless equal ones were folded into it.
    #[must_use]
    pub fn times(&self) -> u64 {
        self.times
    }

    /// Says that its event id was made in this process.
    pub(crate) fn made_here(mut self) -> Self {
        self.parts.id_is_ours = true;
        self
    }

    /// All of it but the payload, for the spool: the payload is written beside it as it is, not encoded again.
    pub(crate) fn facts(&self) -> impl Serialize + '_ {
        (&self.id, self.times, &self.parts)
    }

    /// What was written as [`facts`](Self::facts), with its payload. For what this crate itself has written, and for
    /// nothing else: it was sanitized then.
    pub(crate) fn restored(facts: &[u8], payload: &[u8]) -> serde_json::Result<Self> {
        let (id, times, mut parts): (Uuid, u64, Parts) = serde_json::from_slice(facts)?;
        payload.clone_into(&mut parts.payload);
        Ok(Self { id, parts, times })
    }

    /// Makes it stand for several events.
    pub(crate) fn standing_for(mut self, times: u64) -> Self {
        self.times = times;
        self
    }
}

/// A UUIDv7 of that time (RFC 9562, section 5.7).
fn id_of(at: Timestamp) -> Uuid {
    let micros = u64::try_from(at.as_micros()).unwrap_or_default();
    let nanos = u32::try_from(micros % 1_000_000 * 1000).unwrap_or_default();
    Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, micros / 1_000_000, nanos))
}
