//! The writer: takes what is there, commits it in one transaction, and acknowledges. It never waits for company: while one
//! batch is being written, the next one gathers.

use super::{Engine, IngestError, coalesce::Coalescer, hooks::IssueChange};
use crate::{
    Occurrence, Timestamp,
    store::{Batch, Outcome, Recorded, StoreError},
};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::sync::{mpsc, oneshot};

/// Occurrences in one transaction.
const BATCH: usize = 1_000;
/// Payload bytes in one transaction.
const BATCH_BYTES: usize = 8 << 20;
/// Pauses between tries while the database is away.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// An occurrence to be written, and who wants to know.
#[derive(Debug)]
pub(crate) struct Write {
    pub(crate) occurrence: Occurrence,
    /// Absent for events of this process: nobody waits for those, so they are tried until they are written.
    pub(crate) done: Option<oneshot::Sender<Result<Recorded, IngestError>>>,
}

#[derive(Debug)]
pub(crate) enum Item {
    Write(Box<Write>),
    Flush(oneshot::Sender<()>),
    /// Lets nothing more in.
    Close,
}

/// The sending side.
#[derive(Debug, Clone)]
pub(crate) struct WriteQueue {
    sender: mpsc::Sender<Item>,
    shared: Arc<Pressure>,
}

/// What both sides know of the load.
#[derive(Debug, Default)]
struct Pressure {
    bytes: AtomicUsize,
    most_bytes: usize,
    store_away: AtomicBool,
}

/// The receiving side.
#[derive(Debug)]
pub(crate) struct Writes {
    receiver: mpsc::Receiver<Item>,
    shared: Arc<Pressure>,
}

pub(crate) fn channel(items: usize, most_bytes: usize) -> (WriteQueue, Writes) {
    let (sender, receiver) = mpsc::channel(items.max(1));
    let shared = Arc::new(Pressure { most_bytes, ..Pressure::default() });
    (WriteQueue { sender, shared: shared.clone() }, Writes { receiver, shared })
}

impl WriteQueue {
    /// Puts an occurrence in if there is room.
    pub(crate) fn try_push(&self, write: Write) -> Result<(), ()> {
        let size = size(&write.occurrence);
        if self.shared.bytes.fetch_add(size, Relaxed) + size > self.shared.most_bytes
            || self.sender.try_send(Item::Write(Box::new(write))).is_err()
        {
            self.shared.bytes.fetch_sub(size, Relaxed);
            return Err(());
        }
        Ok(())
    }

    /// Puts an occurrence in when there is room. For the one task that prepares the events of this process.
    pub(crate) async fn push(&self, write: Write) {
        while self.shared.bytes.load(Relaxed) > self.shared.most_bytes {
            tokio::time::sleep(FIRST_PAUSE).await;
        }
        self.shared.bytes.fetch_add(size(&write.occurrence), Relaxed);
        // It is closed by us, after the last push.
        let _ = self.sender.send(Item::Write(Box::new(write))).await;
    }

    pub(crate) async fn flush(&self, done: oneshot::Sender<()>) {
        let _ = self.sender.send(Item::Flush(done)).await;
    }

    pub(crate) async fn close(&self) {
        let _ = self.sender.send(Item::Close).await;
    }

    pub(crate) fn len(&self) -> usize {
        self.sender.max_capacity() - self.sender.capacity()
    }

    pub(crate) fn has_room(&self) -> bool {
        let room = self.sender.capacity() > 0 && self.shared.bytes.load(Relaxed) < self.shared.most_bytes;
        room && !self.sender.is_closed()
    }

    pub(crate) fn is_store_away(&self) -> bool {
        self.shared.store_away.load(Relaxed)
    }
}

fn size(occurrence: &Occurrence) -> usize {
    // The payload, and what stands beside it.
    occurrence.payload().len() + 1024
}

/// Writes until the queue is closed and everything in it is written.
pub(crate) async fn run(engine: Arc<Engine>, mut writes: Writes) {
    let mut writer =
        Writer { engine, coalescer: Coalescer::default(), held: Vec::new(), pause: FIRST_PAUSE, flushes: Vec::new() };
    let mut items = Vec::with_capacity(BATCH);
    let mut open = true;
    while open || !writer.held.is_empty() {
        items.clear();
        if writer.held.is_empty() {
            open = writes.receiver.recv_many(&mut items, BATCH).await > 0;
        } else if open {
            // The database is away: reports are still taken, to be told so.
            let wait = tokio::time::timeout(writer.pause, writes.receiver.recv_many(&mut items, BATCH));
            open = wait.await.is_ok_and(|received| received > 0) || !writes.receiver.is_closed();
        } else if writer.pause >= LONGEST_PAUSE {
            // Shutting down, and it has been away for a while.
            writer.give_up();
            break;
        } else {
            tokio::time::sleep(writer.pause).await;
        }
        writer.write(&mut items, &mut writes).await;
    }
}

struct Writer {
    engine: Arc<Engine>,
    coalescer: Coalescer,
    /// Events of this process that wait for the database to come back.
    held: Vec<Write>,
    pause: Duration,
    /// Who waits until everything before is written, the held included.
    flushes: Vec<oneshot::Sender<()>>,
}

impl Writer {
    /// Writes what was held and what has come.
    async fn write(&mut self, items: &mut Vec<Item>, writes: &mut Writes) {
        let Writes { receiver, shared: pressure } = writes;
        let mut away = false;
        let mut batch = std::mem::take(&mut self.held);
        let mut bytes = batch.iter().map(|w| size(&w.occurrence)).sum::<usize>();
        for item in items.drain(..) {
            match item {
                Item::Write(write) => {
                    bytes += size(&write.occurrence);
                    batch.push(*write);
                }
                Item::Flush(done) => self.flushes.push(done),
                Item::Close => receiver.close(),
            }
            if bytes >= BATCH_BYTES || batch.len() >= BATCH {
                away |= self.commit(std::mem::take(&mut batch), pressure).await;
                bytes = 0;
            }
        }
        away |= self.commit(batch, pressure).await;
        pressure.store_away.store(away, Relaxed);
        if away {
            self.pause = (self.pause * 2).min(LONGEST_PAUSE);
            return;
        }
        self.pause = FIRST_PAUSE;
        self.engine.note_recovery();
        for done in self.flushes.drain(..) {
            let _ = done.send(());
        }
    }

    /// Writes a batch; one that the store refuses is halved until the row that it cannot take stands alone.
    async fn commit(&mut self, batch: Vec<Write>, pressure: &Pressure) -> bool {
        let mut away = false;
        let mut stack = vec![batch];
        while let Some(batch) = stack.pop() {
            if batch.is_empty() {
                continue;
            }
            let (occurrences, waiting): (Vec<_>, Vec<_>) = batch.into_iter().map(|w| (w.occurrence, w.done)).unzip();
            let now = Timestamp::now();
            // Who waits for an answer is told that the report is kept, so it is; only this process's own storms coalesce.
            let counted_only = occurrences
                .iter()
                .zip(&waiting)
                .map(|(occurrence, done)| done.is_none() && !self.coalescer.keeps(occurrence, now))
                .collect();
            let batch = Batch { occurrences, counted_only, key: None };
            let result = self.engine.store.record(&batch).await;
            let freed = batch.occurrences.iter().map(size).sum::<usize>();
            match result {
                Ok(recorded) => {
                    pressure.bytes.fetch_sub(freed, Relaxed);
                    self.settle(&batch, &recorded, waiting);
                }
                Err(error) if error.is_unavailable() => {
                    away = true;
                    self.engine.note_trouble(&error);
                    let writes = join(batch.occurrences, waiting);
                    self.hold(writes, pressure);
                }
                Err(error) => {
                    let mut writes = join(batch.occurrences, waiting);
                    if writes.len() == 1 {
                        pressure.bytes.fetch_sub(freed, Relaxed);
                        self.refuse(writes, &error);
                    } else {
                        let second = writes.split_off(writes.len() / 2);
                        stack.push(second);
                        stack.push(writes);
                    }
                }
            }
        }
        away
    }

    fn settle(&self, batch: &Batch, recorded: &[Recorded], waiting: Vec<Option<Done>>) {
        let rows = batch.iter().zip(recorded).zip(waiting);
        for (((occurrence, whole), &recorded), done) in rows {
            let counters = self.engine.ledger.of(occurrence.project());
            match (recorded.outcome, whole) {
                (Outcome::Duplicate, _) => counters.ignored(occurrence.times()),
                (_, true) => {
                    counters.stored(1);
                    counters.coalesced(occurrence.times() - 1);
                }
                (_, false) => counters.coalesced(occurrence.times()),
            }
            if let Some(done) = done {
                // Whoever asked may have hung up; the report is kept all the same.
                let _ = done.send(Ok(recorded));
            }
            if let (Some(hook), Outcome::New | Outcome::Regressed) = (&self.engine.hooks.on_issue, recorded.outcome) {
                let change =
                    IssueChange { issue: recorded.issue, project: occurrence.project(), outcome: recorded.outcome };
                let _ = catch_unwind(AssertUnwindSafe(|| hook(&change)));
            }
        }
    }

    /// Keeps events of this process for later, and tells everybody else that there is no database.
    fn hold(&mut self, writes: Vec<Write>, pressure: &Pressure) {
        for write in writes {
            match write.done {
                Some(done) => {
                    pressure.bytes.fetch_sub(size(&write.occurrence), Relaxed);
                    self.engine.ledger.of(write.occurrence.project()).dropped_by_store(1);
                    let _ = done.send(Err(IngestError::Unavailable));
                }
                // While the queue's bytes are taken by what is held, nothing more gets in: memory stays bounded.
                None => self.held.push(write),
            }
        }
    }

    fn refuse(&self, writes: Vec<Write>, error: &StoreError) {
        self.engine.note_trouble(error);
        for write in writes {
            self.engine.ledger.of(write.occurrence.project()).dropped_by_store(write.occurrence.times());
            if let Some(done) = write.done {
                let _ = done.send(Err(IngestError::Refused));
            }
        }
    }

    fn give_up(&mut self) {
        for write in self.held.drain(..) {
            self.engine.ledger.of(write.occurrence.project()).dropped_by_store(write.occurrence.times());
        }
    }
}

type Done = oneshot::Sender<Result<Recorded, IngestError>>;

fn join(occurrences: Vec<Occurrence>, waiting: Vec<Option<Done>>) -> Vec<Write> {
    occurrences.into_iter().zip(waiting).map(|(occurrence, done)| Write { occurrence, done }).collect()
}
