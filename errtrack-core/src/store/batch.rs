//! What is written at once, and what came of it.

use crate::{IssueId, Occurrence};
use uuid::Uuid;

/// Occurrences that are written together.
#[derive(Debug, Default)]
pub struct Batch {
    /// The occurrences with whole payloads.
    pub occurrences: Vec<Occurrence>,
    /// For each occurrence, whether it only counts and its payload is dropped. Missing entries mean `false`.
    pub counted_only: Vec<bool>,
    /// What tells this batch from all others, where it may have to be written again.
    pub key: Option<BatchKey>,
}

/// By which a batch that is written again is known.
///
/// A connection can break after the database has committed and before it says so. The writer then sends the same batch
/// under the same key, and the store sees whether it has it. A writer sends its batches in the order of their numbers, and
/// no other before the one that failed; so a store need only remember the last number of each, in the transaction of the
/// batch. It remembers that of the first attempt too: the writer also tries again when it has waited too long for an answer, or
/// when its process died before it noted one. The first attempt may even be under way still; the second must see how it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchKey {
    /// Who writes: one life of one process.
    pub writer: Uuid,
    /// Grows with every batch of that writer, and is never less than 1. Between two batches it grows by as many as there
    /// are occurrences in the second, so that the parts of a batch have numbers of their own.
    pub number: i64,
    /// An earlier attempt may have been committed.
    pub repeats: bool,
}

impl Batch {
    /// A batch in which every payload is kept.
    #[must_use]
    pub fn whole(occurrences: Vec<Occurrence>) -> Self {
        Self { occurrences, ..Self::default() }
    }

    /// The occurrences, each with whether its payload is kept.
    pub fn iter(&self) -> impl Iterator<Item = (&Occurrence, bool)> {
        self.occurrences.iter().enumerate().map(|(i, o)| (o, !self.counted_only.get(i).copied().unwrap_or(false)))
    }
}

/// What became of one occurrence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recorded {
    /// The issue that it belongs to; 0 if it was [`Outcome::Settled`].
    pub issue: IssueId,
    /// What it did to the issue.
    pub outcome: Outcome,
}

/// What an occurrence did to its issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is the first: the issue was made.
    New,
    /// It was counted.
    Seen,
    /// The issue was resolved, and is open again.
    Regressed,
    /// The issue was ignored until something that is there now, and is open again.
    Unignored,
    /// Its event id had been stored before; nothing changed.
    Duplicate,
    /// An earlier attempt at the same batch was committed; nothing changed.
    Settled,
}
