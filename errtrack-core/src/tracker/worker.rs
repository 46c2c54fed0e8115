//! The tracker's own thread: prepares what the process captured, and writes everything.

use super::{
    Engine, mark_inside,
    queue::{Captured, Captures, Item},
    rules, upkeep, writer,
    writes::{Write, WriteQueue, Writes},
};
use crate::{
    Formula, Occurrence, Stacktrace,
    hosted::hosted,
    lower_priority,
    symbols::{Addresses, Symbols},
};
use std::{
    io, mem,
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
    time::{Duration, Instant},
};
use tokio::sync::{oneshot, watch};

/// How long folded events wait at most for the queue to move.
const OVERFLOW_WAITS: Duration = Duration::from_secs(5);

/// How long after the last stack was named the debug information is kept at hand.
const AT_HAND: Duration = Duration::from_secs(10);

/// A handle on the thread.
#[derive(Debug)]
pub(crate) struct Worker {
    /// Closed when the thread ends, for those who block.
    ended: Mutex<mpsc::Receiver<()>>,
    /// The same for those who await.
    ending: watch::Receiver<()>,
}

impl Worker {
    /// Starts the thread.
    pub(crate) fn start(
        engine: Arc<Engine>,
        captures: Captures,
        queue: WriteQueue,
        writes: Writes,
    ) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (ends, ended) = mpsc::channel::<()>();
        let (end, ending) = watch::channel(());
        thread::Builder::new().name("errtrack".into()).spawn(move || {
            mark_inside();
            lower_priority();
            runtime.block_on(async {
                let (stop, stopped) = oneshot::channel();
                let upkeep = tokio::spawn(upkeep::run(engine.clone(), stopped));
                let intake = tokio::spawn(prepare(engine.clone(), captures, queue));
                let rules = tokio::spawn(rules::follow(engine.clone()));
                writer::run(engine, writes).await;
                intake.abort();
                rules.abort();
                // It tells the store what became of the last events, and gives its leases back.
                drop(stop);
                let _ = upkeep.await;
            });
            drop((ends, end));
        })?;
        Ok(Self { ended: Mutex::new(ended), ending })
    }

    /// Waits until the thread has ended.
    pub(crate) async fn ended(&self) {
        // Nothing is ever sent: an answer means that the other side is gone.
        let _ = self.ending.clone().changed().await;
    }

    /// Blocks until the thread has ended, at most for `patience`.
    pub(crate) fn join(&self, patience: Duration) {
        let _ = self.ended.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(patience);
    }
}

/// Turns captured events into occurrences until the queue is closed.
async fn prepare(engine: Arc<Engine>, mut captures: Captures, queue: WriteQueue) {
    let symbols = Symbols::new(engine.preparer.in_app.clone(), engine.sources.clone());
    let mut intake = Intake { engine, queue, symbols, named: None };
    loop {
        // What overflowed at the very end of a storm has no later event to push it along.
        let item = tokio::time::timeout(OVERFLOW_WAITS, captures.next()).await;
        for folded in captures.take_overflow() {
            intake.take(folded.captured, folded.times).await;
        }
        match item {
            Ok(Some(Item::Event(captured, _))) => {
                intake.take(captured, 1).await;
                captures.rest().await;
            }
            Ok(Some(Item::Flush(flush))) => intake.queue.flush(flush).await,
            Ok(None) => break,
            Err(_) => {}
        }
        intake.tidy_up();
    }
    intake.queue.close().await;
}

/// What became of a captured event.
#[expect(clippy::large_enum_variant, reason = "one at a time, and not for long")]
enum Prepared {
    For(Occurrence),
    Sampled,
    Ignored,
}

struct Intake {
    engine: Arc<Engine>,
    queue: WriteQueue,
    symbols: Symbols,
    /// When a stack was last named.
    named: Option<Instant>,
}

impl Intake {
    /// Prepares an event that stands for `times` and hands it to the writer.
    async fn take(&mut self, mut captured: Captured, times: u64) {
        let stack = match captured.addresses.take() {
            Some(addresses) => self.stack(addresses, &captured).await,
            None => None,
        };
        let engine = &self.engine;
        // `before_send` and its like are the host's code.
        let prepared = hosted(|| {
            let event = engine.complete(captured, stack);
            if !engine.sampling.keeps_completed(&event) {
                return Prepared::Sampled;
            }
            let admitted = engine.hooks.admit(event);
            match admitted.and_then(|event| engine.prepare(engine.project.id, event, Formula::Ours)) {
                Some(occurrence) => Prepared::For(occurrence),
                None => Prepared::Ignored,
            }
        });
        match prepared {
            Some(Prepared::For(occurrence)) => {
                let occurrence = occurrence.made_here().standing_for(times);
                self.queue.push(Write { occurrence, done: None }).await;
            }
            Some(Prepared::Sampled) => engine.ledger.own().sampled(times),
            Some(Prepared::Ignored) => engine.ledger.own().ignored(times),
            None => engine.ledger.own().dropped_by_store(times),
        }
    }

    /// The frames of a stack. Naming them takes long the first time, as the debug information is read: that is done beside
    /// this thread, so that the writer goes on meanwhile.
    async fn stack(&mut self, addresses: Addresses, captured: &Captured) -> Option<Stacktrace> {
        if let Some(stack) = self.symbols.known(&addresses) {
            return Some(stack);
        }
        let place = captured.place();
        let fresh = self.symbols.afresh();
        let mut symbols = mem::replace(&mut self.symbols, fresh);
        let resolved = tokio::task::spawn_blocking(move || {
            mark_inside();
            let stack = symbols.resolve(&addresses, place.as_ref());
            (symbols, stack)
        });
        // What it knew is lost if reading the debug information panics, and so is this stack, but nothing else.
        self.named = Some(Instant::now());
        let (symbols, stack) = resolved.await.ok()?;
        self.symbols = symbols;
        Some(stack)
    }

    /// Gives back the memory of the debug information, once no new stack has come for a while.
    fn tidy_up(&mut self) {
        if self.named.take_if(|named| named.elapsed() > AT_HAND).is_some() {
            self.symbols.let_go();
        }
    }
}
