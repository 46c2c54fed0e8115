//! A batch on its way: numbered, and sent until the store has taken it or refused it.

use crate::{
    Occurrence, ProjectId, Timestamp,
    store::{Batch, BatchKey, Recorded, Store, StoreError},
    tracker::{
        coalesce::Coalescer,
        spool::FileId,
        trouble::told,
        writes::{Done, Write, size},
    },
};
use std::{pin::Pin, sync::Arc, time::Duration};
use tokio::time::{Instant, timeout};
use uuid::Uuid;

/// A batch with its key, and who waits for it.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) batch: Arc<Batch>,
    pub(super) key: BatchKey,
    /// In the order of the batch; empty once nobody waits.
    pub(super) waiting: Vec<Option<Done>>,
    /// Reports that were answered `Unavailable` and left the batch, though it may have been committed with them.
    pub(super) unsure: Vec<ProjectId>,
    /// The file that holds it; `None` while it is in memory alone.
    pub(super) file: Option<FileId>,
    /// It was read from that file.
    pub(super) read: bool,
    /// It is a part of what was a batch.
    pub(super) part: bool,
}

impl Work {
    /// Makes a batch of what was gathered, which takes as many numbers as it has occurrences.
    pub(super) fn new(writes: Vec<Write>, writer: Uuid, last: &mut i64, coalescer: &mut Coalescer) -> Self {
        let now = Timestamp::now();
        let count = writes.len();
        let (mut occurrences, mut waiting) = (Vec::with_capacity(count), Vec::with_capacity(count));
        let mut counted_only = Vec::with_capacity(count);
        for Write { occurrence, done } in writes {
            // Who waits for an answer is told that the report is kept, so it is; only this process's own storms coalesce.
            counted_only.push(done.is_none() && !coalescer.keeps(&occurrence, now));
            occurrences.push(occurrence);
            waiting.push(done);
        }
        *last += numbers(count);
        let key = BatchKey { writer, number: *last, repeats: false };
        let batch = Batch { occurrences, counted_only, key: Some(key) };
        Self { batch: Arc::new(batch), key, waiting, unsure: Vec::new(), file: None, read: false, part: false }
    }

    /// A batch that was read back from the spool: whoever wrote it there may have sent it before.
    pub(super) fn drained(id: FileId, mut batch: Batch, number: i64) -> Self {
        let key = BatchKey { writer: id.0, number, repeats: true };
        batch.key = Some(key);
        let batch = Arc::new(batch);
        Self { batch, key, waiting: Vec::new(), unsure: Vec::new(), file: Some(id), read: true, part: false }
    }

    fn with(self, mut batch: Batch, key: BatchKey) -> Self {
        batch.key = Some(key);
        Self { batch: Arc::new(batch), key, ..self }
    }

    pub(super) fn len(&self) -> usize {
        self.batch.occurrences.len()
    }

    /// The number of its first occurrence.
    pub(super) fn first(&self) -> i64 {
        self.key.number - numbers(self.len()) + 1
    }

    pub(super) fn size(&self) -> usize {
        self.batch.occurrences.iter().map(size).sum()
    }

    /// Says that it may have been committed.
    pub(super) fn repeating(mut self) -> Self {
        let key = BatchKey { repeats: true, ..self.key };
        let batch = owned(&mut self.batch);
        self.with(batch, key)
    }

    /// What it was made of, if nothing was sent yet.
    pub(super) fn into_writes(mut self) -> Vec<Write> {
        let occurrences = owned(&mut self.batch).occurrences;
        occurrences.into_iter().zip(self.waiting).map(|(occurrence, done)| Write { occurrence, done }).collect()
    }

    /// Leaves out those that somebody waits for, and answers who that was. The key stays.
    pub(super) fn without_waiting(mut self) -> (Self, Vec<(Occurrence, Done)>) {
        let Batch { occurrences, counted_only, .. } = owned(&mut self.batch);
        let (mut rest, mut left) = (Batch::default(), Vec::new());
        let mut waiting = std::mem::take(&mut self.waiting).into_iter();
        for (occurrence, counted) in occurrences.into_iter().zip(counted_only) {
            match waiting.next().flatten() {
                Some(done) => left.push((occurrence, done)),
                None => {
                    rest.occurrences.push(occurrence);
                    rest.counted_only.push(counted);
                }
            }
        }
        let key = self.key;
        (self.with(rest, key), left)
    }

    /// Two halves, under numbers within those that it has: the refused batch was rolled back, so they are fresh.
    pub(super) fn halves(mut self) -> (Self, Self) {
        let (key, middle) = (self.key, self.len() / 2);
        let mut early = owned(&mut self.batch);
        let mut late = Batch { occurrences: early.occurrences.split_off(middle), ..Batch::default() };
        late.counted_only = early.counted_only.split_off(middle.min(early.counted_only.len()));
        let waiting = self.waiting.split_off(middle.min(self.waiting.len()));
        let unsure = std::mem::take(&mut self.unsure);
        let (file, read) = (self.file, self.read);
        let first = self.with(early, BatchKey { number: key.number - numbers(late.occurrences.len()), ..key });
        let second = Self { batch: Arc::default(), key, waiting, unsure, file, read, part: true }.with(late, key);
        (Self { part: true, ..first }, second)
    }
}

/// The batch itself: whoever shared it is done with it. A copy, should that not be so.
fn owned(batch: &mut Arc<Batch>) -> Batch {
    let batch = std::mem::take(batch);
    Arc::try_unwrap(batch).unwrap_or_else(|shared| Batch {
        occurrences: shared.occurrences.clone(),
        counted_only: shared.counted_only.clone(),
        key: shared.key,
    })
}

fn numbers(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// What came of sending a batch.
#[derive(Debug)]
pub(super) enum Outcome {
    Recorded(Vec<Recorded>),
    /// It may have been committed, or not.
    Unavailable(StoreError),
    /// Something in it cannot be written; nothing was.
    Refused,
    /// The one occurrence in it cannot be written, and is set aside.
    SetAside(StoreError),
}

/// A batch that is being sent.
pub(super) struct Attempt {
    pub(super) work: Work,
    pub(super) result: Pin<Box<dyn Future<Output = Outcome> + Send>>,
    pub(super) since: Instant,
    /// It takes so long that others need not wait for it.
    pub(super) slow: bool,
}

impl Attempt {
    /// Sends a batch. Past `patience` the store counts as away.
    pub(super) fn new(work: Work, store: Arc<dyn Store>, patience: Duration) -> Self {
        let result = Box::pin(send(store, work.batch.clone(), patience));
        Self { work, result, since: Instant::now(), slow: false }
    }

    /// Asks whether the store is back, with no batch at all.
    pub(super) fn ping(store: Arc<dyn Store>, patience: Duration) -> Self {
        let key = BatchKey { writer: Uuid::nil(), number: 0, repeats: false };
        let (batch, waiting, unsure) = (Arc::default(), Vec::new(), Vec::new());
        let work = Work { batch, key, waiting, unsure, file: None, read: false, part: false };
        let result = Box::pin(async move {
            match timeout(patience, store.ping()).await {
                Ok(Ok(_)) => Outcome::Recorded(Vec::new()),
                Ok(Err(error)) => Outcome::Unavailable(error),
                Err(_) => Outcome::Unavailable(late(patience)),
            }
        });
        Self { work, result, since: Instant::now(), slow: false }
    }
}

fn late(patience: Duration) -> StoreError {
    StoreError::unavailable(format!("no answer within {} s", patience.as_secs_f64()))
}

async fn send(store: Arc<dyn Store>, batch: Arc<Batch>, patience: Duration) -> Outcome {
    let late = || late(patience);
    let error = match timeout(patience, store.record(&batch)).await.unwrap_or_else(|_| Err(late())) {
        Ok(recorded) => return Outcome::Recorded(recorded),
        Err(error) if error.is_unavailable() => return Outcome::Unavailable(error),
        Err(error) => error,
    };
    let [occurrence] = &*batch.occurrences else { return Outcome::Refused };
    let reason = told(&error);
    match timeout(patience, store.set_aside(occurrence, &reason)).await.unwrap_or_else(|_| Err(late())) {
        Err(away) if away.is_unavailable() => Outcome::Unavailable(away),
        Err(other) => {
            tracing::warn!(target: "errtrack", "an event that cannot be stored cannot be set aside: {}", told(&other));
            Outcome::SetAside(error)
        }
        Ok(()) => Outcome::SetAside(error),
    }
}
