//! The occurrence: an event that has been cut to its limits, sanitized and fingerprinted.

use crate::{Event, Fingerprint, Level, ProjectId, Timestamp};
use uuid::Uuid;

/// An event that may be stored.
///
/// Only [`Preparer`](crate::Preparer) makes one, and [`Store`](crate::Store) takes nothing else: so what is
/// not sanitized cannot be written, by any backend or dialect.
#[derive(Debug, Clone)]
pub struct Occurrence {
    id: Uuid,
    project: ProjectId,
    event: Event,
    fingerprint: Fingerprint,
    culprit: String,
    user_hash: Option<i64>,
    dimensions: Vec<(String, String)>,
    payload: Vec<u8>,
    times: u64,
    id_is_ours: bool,
}

/// The parts from which [`Preparer`](crate::Preparer) makes an occurrence.
pub(crate) struct Parts {
    pub(crate) project: ProjectId,
    pub(crate) event: Event,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) culprit: String,
    pub(crate) user_hash: Option<i64>,
    pub(crate) dimensions: Vec<(String, String)>,
    pub(crate) payload: Vec<u8>,
    pub(crate) id_is_ours: bool,
}

impl Occurrence {
    pub(crate) fn new(parts: Parts) -> Self {
        let Parts { project, event, fingerprint, culprit, user_hash, dimensions, payload, id_is_ours } = parts;
        let id = Uuid::now_v7();
        Self { id, project, event, fingerprint, culprit, user_hash, dimensions, payload, times: 1, id_is_ours }
    }

    /// Our id of it: a UUIDv7, so that ids sort by the time of arrival.
    #[must_use]
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// The project that it belongs to.
    #[must_use]
    pub fn project(&self) -> ProjectId {
        self.project
    }

    /// What happened, sanitized.
    #[must_use]
    pub fn event(&self) -> &Event {
        &self.event
    }

    /// The key of its grouping.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// The function, or failing that the route, to blame; empty if neither is known.
    #[must_use]
    pub fn culprit(&self) -> &str {
        &self.culprit
    }

    /// A hash that tells users apart for counting them.
    #[must_use]
    pub fn user_hash(&self) -> Option<i64> {
        self.user_hash
    }

    /// What is tallied per issue: its tags, and `environment`, `release`, `level` and the like as tags.
    #[must_use]
    pub fn dimensions(&self) -> &[(String, String)] {
        &self.dimensions
    }

    /// The event as JSON: what is stored whole.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// How many events it stands for; 1 unless equal ones were folded into it.
    #[must_use]
    pub fn times(&self) -> u64 {
        self.times
    }

    /// Whether the event's id was made here and so cannot have been stored before.
    #[must_use]
    pub fn id_is_ours(&self) -> bool {
        self.id_is_ours
    }

    /// The level of the event.
    #[must_use]
    pub fn level(&self) -> Level {
        self.event.level
    }

    /// When it happened.
    #[must_use]
    pub fn timestamp(&self) -> Timestamp {
        self.event.timestamp
    }

    /// Says that its event id was made in this process.
    pub(crate) fn made_here(mut self) -> Self {
        self.id_is_ours = true;
        self
    }

    /// Makes it stand for several events.
    pub(crate) fn standing_for(mut self, times: u64) -> Self {
        self.times = times;
        self
    }
}
