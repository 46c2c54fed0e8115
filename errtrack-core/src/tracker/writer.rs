//! The writer: takes what is there, commits it in one transaction, and acknowledges. It never waits for company: while one
//! batch is being written, the next one gathers.
//!
//! ```text
//!            ┌──────────── the store answers, no file waits ───────────▶ attempt ─▶ Store::record
//! queue ─▶ memory                                                           ▲
//!            └─ it is away or slow, or older batches wait ─▶ spool ─────────┘  a file at a time, in order
//! ```
//!
//! One batch is sent at a time, the oldest first. One that may or may not have been committed is sent again, under its key,
//! before any other of this process; with a spool it waits there, and without one in memory.

mod settle;
mod shelter;
mod work;

use super::{
    Engine,
    coalesce::Coalescer,
    spool::{Spool, SpoolError},
    writes::{Flush, Item, Write, Writes},
};
use std::{collections::VecDeque, future::poll_fn, pin::pin, sync::Arc, task::Poll, time::Duration};
use tokio::time::{Instant, sleep_until};
use work::{Attempt, Outcome, Work};

/// How much the writer writes at once, and how long it waits for what.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// Occurrences in one transaction.
    pub(crate) batch: usize,
    /// Payload bytes in one transaction.
    pub(crate) batch_bytes: usize,
    /// For an answer of the store; past that it counts as away.
    pub(crate) answer: Duration,
    /// Before a batch that is being written goes to the spool too, so that nobody waits for it.
    pub(crate) slow: Duration,
    /// The same, while somebody is in a hurry.
    pub(crate) hurried: Duration,
    /// Between tries while the store is away, at first and at most. Each pause is a little shorter, by chance.
    pub(crate) pause: Duration,
    pub(crate) longest_pause: Duration,
    /// For the store to come back once the queue is closed, if there is no spool.
    pub(crate) goodbye: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            batch: 1_000,
            batch_bytes: 8 << 20,
            answer: Duration::from_secs(30),
            slow: Duration::from_secs(2),
            hurried: Duration::from_millis(500),
            pause: Duration::from_millis(100),
            longest_pause: Duration::from_secs(5),
            goodbye: Duration::from_millis(3_500),
        }
    }
}

/// Writes until the queue is closed and everything in it is durable.
pub(crate) async fn run(engine: Arc<Engine>, writes: Writes) {
    let pace = engine.pace;
    let spool = engine.spool.as_ref();
    let spool = spool.map(|gauge| Spool::new(gauge.clone(), engine.node, (pace.batch, pace.batch_bytes)));
    let mut writer = Writer {
        pace,
        pause: pace.pause,
        engine,
        writes,
        spool,
        coalescer: Coalescer::default(),
        last: 0,
        items: Vec::with_capacity(pace.batch),
        memory: VecDeque::new(),
        works: VecDeque::new(),
        attempt: None,
        away: false,
        paused: None,
        own_turn: true,
        flushes: Vec::new(),
        open: true,
        closed: None,
    };
    if let Some(spool) = &mut writer.spool
        && let Err(error) = spool.open()
    {
        writer.engine.note_spool_trouble(&SpoolError::Io(error));
    }
    while !writer.is_over() {
        writer.begin();
        match writer.turn().await {
            Turn::Came => writer.receive(),
            Turn::Tried(outcome) => writer.conclude(outcome),
            Turn::Time => writer.look(),
        }
        writer.answer_flushes();
    }
    writer.end();
}

struct Writer {
    engine: Arc<Engine>,
    pace: Pace,
    writes: Writes,
    spool: Option<Spool>,
    coalescer: Coalescer,
    /// The last number that was given to an occurrence.
    last: i64,
    items: Vec<Item>,
    /// What was gathered and belongs to no batch yet.
    memory: VecDeque<Write>,
    /// Batches that were sent, or are parts of one: they come before all others, the oldest first.
    works: VecDeque<Work>,
    attempt: Option<Attempt>,
    /// The store did not take what was sent last.
    away: bool,
    paused: Option<Instant>,
    pause: Duration,
    /// Of this process and of earlier ones, who is next.
    own_turn: bool,
    /// Who waits until everything before is durable.
    flushes: Vec<Flush>,
    open: bool,
    closed: Option<Instant>,
}

enum Turn {
    Came,
    Tried(Outcome),
    Time,
}

impl Writer {
    /// Sends the next batch, if none is being sent and it is time for it.
    fn begin(&mut self) {
        if self.attempt.is_some() || self.paused.is_some_and(|until| until > Instant::now()) {
            return;
        }
        self.paused = None;
        self.attempt = match self.next_work() {
            Some(work) => Some(Attempt::new(work, self.engine.store.clone(), self.pace.answer)),
            // Nothing waits that would tell when it is back.
            None if self.away => Some(Attempt::ping(self.engine.store.clone(), self.pace.answer)),
            None => None,
        };
    }

    fn next_work(&mut self) -> Option<Work> {
        let writer = self.engine.node;
        let spooled = self.spool.as_ref().and_then(Spool::oldest_own);
        if let Some(work) = self.works.front()
            && (work.key.writer != writer || spooled.is_none_or(|spooled| work.first() <= spooled))
        {
            return self.works.pop_front();
        }
        if spooled.is_some()
            && let Some(work) = self.read(true)
        {
            return Some(work);
        }
        let adopted = self.spool.as_ref().is_some_and(Spool::has_adopted);
        self.own_turn = !adopted || !self.own_turn;
        if !self.own_turn
            && let Some(work) = self.read(false)
        {
            return Some(work);
        }
        self.gather().or_else(|| self.read(false))
    }

    fn read(&mut self, own: bool) -> Option<Work> {
        let drained = self.spool.as_mut()?.take(own)?;
        Some(Work::drained(drained.id, drained.batch, drained.number))
    }

    /// Makes a batch of what is in memory.
    fn gather(&mut self) -> Option<Work> {
        let (mut count, mut bytes) = (0, 0);
        for write in self.memory.iter().take(self.pace.batch) {
            let size = write.size();
            if count > 0 && bytes + size > self.pace.batch_bytes {
                break;
            }
            (count, bytes) = (count + 1, bytes + size);
        }
        if count == 0 {
            return None;
        }
        let writes = self.memory.drain(..count).collect();
        Some(Work::new(writes, self.engine.node, &mut self.last, &mut self.coalescer))
    }

    /// Waits for what happens next.
    async fn turn(&mut self) -> Turn {
        let deadline = self.deadline();
        let takes = self.takes();
        let limit = self.pace.batch;
        let Self { writes, attempt, items, .. } = self;
        let pressure = writes.pressure.clone();
        let mut hurried = pin!(pressure.hurried());
        let mut timer = pin!(async move {
            match deadline {
                Some(deadline) => sleep_until(deadline).await,
                None => std::future::pending().await,
            }
        });
        poll_fn(|cx| {
            if let Some(attempt) = attempt
                && let Poll::Ready(outcome) = attempt.result.as_mut().poll(cx)
            {
                return Poll::Ready(Turn::Tried(outcome));
            }
            if takes && writes.poll_many(cx, items, limit).is_ready() {
                return Poll::Ready(Turn::Came);
            }
            if timer.as_mut().poll(cx).is_ready() || hurried.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Turn::Time);
            }
            Poll::Pending
        })
        .await
    }

    /// Whether more is taken from the queue now. While a batch is being written in good time, what comes gathers there.
    fn takes(&self) -> bool {
        let Some(attempt) = &self.attempt else { return self.open };
        // What comes while the last file is drained waits for that, or the spool would never be empty.
        self.open && (self.away || (attempt.slow && self.spool.is_some()) || self.own_files() > 1)
    }

    fn deadline(&self) -> Option<Instant> {
        let slow = self.attempt.as_ref().filter(|a| !a.slow).map(|a| a.since + self.patience());
        let paused = self.paused.filter(|_| self.attempt.is_none());
        let goodbye = self.closed.map(|closed| closed + self.pace.goodbye).filter(|until| *until > Instant::now());
        [slow, paused, goodbye].into_iter().flatten().min()
    }

    /// How long a batch may take before nobody waits for it.
    fn patience(&self) -> Duration {
        let hurried = self.closed.is_some() || self.writes.pressure.is_hurried();
        if hurried { self.pace.hurried } else { self.pace.slow }
    }

    /// Sorts what has come.
    fn receive(&mut self) {
        if self.items.is_empty() {
            self.open = false;
            return;
        }
        for item in self.items.drain(..) {
            match item {
                Item::Write(write) => self.memory.push_back(*write),
                Item::Flush(flush) => self.flushes.push(flush),
                Item::Close => {
                    self.writes.close();
                    self.closed = Some(Instant::now());
                    // One more try, now: there is no later.
                    self.paused = None;
                }
            }
        }
        if !self.is_spooling() {
            return;
        }
        self.shelter();
        if self.own_files() > 0 || self.attempt.as_ref().is_some_and(|attempt| attempt.slow) {
            self.turn_away();
        } else if self.memory.iter().rev().take(self.pace.batch).any(|write| write.done.is_some()) {
            // There is no spool. That a report comes is a good reason to try again: it waits until that is known.
            self.paused = None;
        }
    }

    /// Answers those who wait until everything before is durable.
    fn answer_flushes(&mut self) {
        if !self.flushes.is_empty() && self.is_durable() {
            for flush in self.flushes.drain(..) {
                let _ = flush.done.send(());
            }
        }
    }

    /// Whether nothing is in memory alone.
    fn is_durable(&self) -> bool {
        let works = self.works.iter().chain(self.attempt.as_ref().map(|attempt| &attempt.work));
        self.memory.is_empty() && works.into_iter().all(|work| work.file.is_some() || work.len() == 0)
    }

    fn is_over(&self) -> bool {
        let stuck = self.away || self.attempt.as_ref().is_none_or(|attempt| attempt.slow);
        let late = self.closed.is_some_and(|closed| closed.elapsed() >= self.pace.goodbye);
        (!self.open && self.is_durable()) || (late && stuck)
    }

    /// Counts what is lost, and leaves to the next start what is in the spool.
    fn end(mut self) {
        let attempt = self.attempt.take().map(|attempt| attempt.work);
        for work in attempt.into_iter().chain(self.works.drain(..)).filter(|work| work.file.is_none()) {
            self.engine.count_dropped(&work);
        }
        for write in self.memory.drain(..) {
            self.engine.ledger.of(write.occurrence.project()).dropped_by_store(write.occurrence.times());
        }
        if let Some(spool) = self.spool {
            spool.close();
        }
    }
}
