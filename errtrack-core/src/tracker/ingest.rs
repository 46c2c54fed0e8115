//! Reports from outside the process: prepared in the caller's task, acknowledged when they are durable.

use super::{
    Tracker,
    writes::{Durable, Write},
};
use crate::{
    Event, EventId, Formula, IssueId, ProjectId, Timestamp,
    hosted::hosted,
    store::{Outcome, Recorded},
};
use tokio::sync::oneshot;

/// An event that was received.
#[derive(Debug)]
pub struct Report {
    /// The project that it is for.
    pub project: ProjectId,
    /// What happened. A nil id is replaced by a fresh one.
    pub event: Event,
    /// How its fingerprint is found.
    pub formula: Formula,
}

/// What became of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receipt {
    /// It is durable.
    Recorded {
        /// The event's id.
        event: EventId,
        /// The issue that it belongs to.
        issue: IssueId,
        /// What it did to the issue.
        outcome: Outcome,
    },
    /// The database is away; the report is durable in the spool of this process, and its issue is not known yet.
    Spooled {
        /// The event's id.
        event: EventId,
    },
    /// A rule or a hook of the host did not want it.
    Ignored {
        /// The event's id.
        event: EventId,
    },
}

impl Receipt {
    /// The event's id.
    #[must_use]
    pub fn event(&self) -> EventId {
        match self {
            Self::Recorded { event, .. } | Self::Spooled { event } | Self::Ignored { event } => *event,
        }
    }
}

/// Why a report was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IngestError {
    /// More is coming in than can be written; later there will be room.
    #[error("too many reports wait to be written")]
    Overloaded,
    /// The database is away, and there is no room in a spool; later it may be back.
    #[error("the database is not available")]
    Unavailable,
    /// This report cannot be written, now or later.
    #[error("the report could not be stored")]
    Refused,
}

impl Tracker {
    /// Takes a report and returns when it is durable: stored, or in the [spool](crate::TrackerBuilder::spool). The event is
    /// received now, whatever it says itself.
    ///
    /// # Errors
    /// See [`IngestError`]. Nothing of the report was stored then, unless the database failed just after it had stored it.
    pub async fn ingest(&self, report: Report) -> Result<Receipt, IngestError> {
        self.begin_ingest(report)?.finish().await
    }

    /// Takes several reports, which are written together if they can be, and answers for each in order.
    pub async fn ingest_all(&self, reports: Vec<Report>) -> Vec<Result<Receipt, IngestError>> {
        let begun: Vec<_> = reports.into_iter().map(|report| self.begin_ingest(report)).collect();
        let mut receipts = Vec::with_capacity(begun.len());
        for begun in begun {
            receipts.push(match begun {
                Ok(begun) => begun.finish().await,
                Err(error) => Err(error),
            });
        }
        receipts
    }

    /// Counts a report that a rate limit has turned away, unread, in the balance of its project.
    pub fn count_limited(&self, project: ProjectId) {
        let counters = self.shared.engine.ledger.of(project);
        counters.captured(1);
        counters.limited(1);
    }

    fn begin_ingest(&self, report: Report) -> Result<Begun, IngestError> {
        let Report { project, mut event, formula } = report;
        let engine = &self.shared.engine;
        let counters = engine.ledger.of(project);
        counters.captured(1);
        let ours = event.event_id.is_nil();
        if ours {
            event.event_id = EventId::random();
        }
        let id = event.event_id;
        // Our ids and the days of what is kept are made of it: no client and no host decides about them.
        event.received_at = Timestamp::now();
        // A hook is the host's code, and this is the host's request.
        let prepared = hosted(|| engine.prepare(project, engine.hooks.admit(event)?, formula));
        let occurrence = match prepared {
            Some(Some(occurrence)) if ours => occurrence.made_here(),
            Some(Some(occurrence)) => occurrence,
            Some(None) => {
                counters.ignored(1);
                return Ok(Begun::Ignored(id));
            }
            None => {
                counters.dropped_by_store(1);
                return Err(IngestError::Refused);
            }
        };
        let (done, recorded) = oneshot::channel();
        match self.shared.writes.try_push(Write { occurrence, done: Some(done) }) {
            Ok(()) => Ok(Begun::Queued(id, recorded)),
            Err(()) => {
                counters.dropped_by_queue(1);
                Err(IngestError::Overloaded)
            }
        }
    }
}

/// A report on its way.
enum Begun {
    Ignored(EventId),
    Queued(EventId, oneshot::Receiver<Result<Durable, IngestError>>),
}

impl Begun {
    async fn finish(self) -> Result<Receipt, IngestError> {
        match self {
            Self::Ignored(event) => Ok(Receipt::Ignored { event }),
            Self::Queued(event, durable) => match durable.await.map_err(|_| IngestError::Unavailable)?? {
                Durable::Stored(Recorded { issue, outcome }) => Ok(Receipt::Recorded { event, issue, outcome }),
                Durable::Spooled => Ok(Receipt::Spooled { event }),
            },
        }
    }
}
