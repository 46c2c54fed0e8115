//! The queue between the threads of the host and the tracker's: bounded in events and in bytes.

use super::{
    overflow::{Folded, Overflow},
    writes::{Flush, Hurry},
};
use crate::{
    Event, EventId, ScopeHandle, Timestamp,
    chain::Chain,
    own_trace,
    scope::Scope,
    symbols::{Addresses, Place},
};
use std::{
    panic::Location,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};
use tokio::sync::{Notify, mpsc, oneshot};

/// Between two looks of a thread that waits for a flush.
const LOOK: Duration = Duration::from_millis(1);
/// How long an emptied queue is left alone. Each look at it wakes a thread, and takes a turn of a processor away from the
/// host's requests; during a wave of errors it would be one for each.
const REST: Duration = Duration::from_millis(100);

/// An event as a thread of the host leaves it: nothing resolved, merged or formatted that can be done elsewhere.
#[derive(Debug)]
pub(crate) struct Captured {
    pub(crate) what: What,
    pub(crate) snapshot: Option<Arc<Scope>>,
    pub(crate) scope: Option<ScopeHandle>,
    pub(crate) addresses: Option<Addresses>,
    pub(crate) place: Option<&'static Location<'static>>,
}

impl Captured {
    /// Where it was captured, or where the panic happened.
    pub(crate) fn place(&self) -> Option<Place> {
        if let Some(place) = self.place {
            return Some((place.file().to_owned(), place.line()));
        }
        let What::Event(event) = &self.what else { return None };
        let place = event.contexts.get("captured_at")?;
        let line = place.get("line")?.as_u64()?.try_into().ok()?;
        Some((place.get("file")?.as_str()?.to_owned(), line))
    }
}

/// What was captured.
#[derive(Debug)]
pub(crate) enum What {
    /// An event that somebody made.
    Event(Box<Event>),
    /// An error, to be made an event of.
    Error {
        /// The id that was promised for the event.
        id: EventId,
        /// When it happened.
        timestamp: Timestamp,
        /// The error and its sources.
        chain: Chain,
        /// The backtrace that it brought along, as text.
        trace: Option<String>,
    },
}

impl What {
    /// The event.
    pub(crate) fn into_event(self) -> Event {
        match self {
            Self::Event(event) => *event,
            Self::Error { id: event_id, timestamp, chain, trace } => {
                let mut exceptions = chain.into_exceptions();
                if let Some(error) = exceptions.last_mut() {
                    error.stacktrace = trace.as_deref().and_then(own_trace::stack);
                    // Errors that bring their stack along where they can: what takes its place is not theirs.
                    if error.stacktrace.is_none()
                        && let Some(mechanism) = error.mechanism.as_mut().filter(|m| m.ty == "anyhow")
                    {
                        mechanism.synthetic = Some(true);
                    }
                }
                Event { event_id, timestamp, received_at: timestamp, exceptions, ..Event::default() }
            }
        }
    }

    pub(super) fn timestamp_mut(&mut self) -> &mut Timestamp {
        match self {
            Self::Event(event) => &mut event.timestamp,
            Self::Error { timestamp, .. } => timestamp,
        }
    }

    /// The text of the error, or what there is instead.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Event(event) => match event.exceptions.last() {
                Some(outermost) => outermost.value.as_deref().unwrap_or_default(),
                None => event.message.as_ref().map_or("", |message| &message.text),
            },
            Self::Error { chain, .. } => chain.text(),
        }
    }

    fn size(&self) -> usize {
        match self {
            Self::Event(event) => event.approximate_size(),
            Self::Error { chain, trace, .. } => {
                size_of::<Event>() + chain.size() + trace.as_ref().map_or(0, String::len)
            }
        }
    }
}

impl From<Event> for What {
    fn from(event: Event) -> Self {
        Self::Event(Box::new(event))
    }
}

/// What goes through the queue.
#[derive(Debug)]
pub(crate) enum Item {
    /// An event, with the bytes that it was counted with.
    Event(Captured, usize),
    /// Asks to be told when everything before it is durable.
    Flush(Flush),
}

/// The sending side.
#[derive(Debug)]
pub(crate) struct CaptureQueue {
    /// Taken out when the tracker shuts down, so that the thread sees the end.
    sender: RwLock<Option<mpsc::Sender<Item>>>,
    bytes: Arc<AtomicUsize>,
    most_bytes: usize,
    overflow: Arc<Overflow>,
    rouse: Arc<Notify>,
}

/// The receiving side.
#[derive(Debug)]
pub(crate) struct Captures {
    receiver: mpsc::Receiver<Item>,
    bytes: Arc<AtomicUsize>,
    overflow: Arc<Overflow>,
    /// Ends a rest.
    rouse: Arc<Notify>,
}

pub(crate) fn channel(items: usize, most_bytes: usize) -> (CaptureQueue, Captures) {
    let (sender, receiver) = mpsc::channel(items.max(1));
    let bytes = Arc::new(AtomicUsize::new(0));
    let (overflow, rouse) = (Arc::<Overflow>::default(), Arc::<Notify>::default());
    let queue = CaptureQueue {
        sender: RwLock::new(Some(sender)),
        bytes: bytes.clone(),
        most_bytes,
        overflow: overflow.clone(),
        rouse: rouse.clone(),
    };
    (queue, Captures { receiver, bytes, overflow, rouse })
}

impl CaptureQueue {
    /// Puts an event in; `false` if it is lost, because there is neither room nor another of its sort. Never waits.
    pub(crate) fn push(&self, captured: Captured) -> bool {
        let size = captured.what.size()
            + captured.addresses.as_ref().map_or(0, |a| 8 * a.len())
            + captured.scope.as_ref().map_or(0, ScopeHandle::size);
        let bytes = self.bytes.fetch_add(size, Relaxed) + size;
        if bytes > self.most_bytes {
            self.bytes.fetch_sub(size, Relaxed);
            return self.overflow.add(captured);
        }
        let sender = self.sender.read().unwrap_or_else(PoisonError::into_inner);
        let Some(sender) = sender.as_ref() else {
            self.bytes.fetch_sub(size, Relaxed);
            return false;
        };
        match sender.try_send(Item::Event(captured, size)) {
            Ok(()) => {
                if sender.capacity() < sender.max_capacity() / 2 || bytes > self.most_bytes / 2 {
                    self.rouse.notify_one();
                }
                true
            }
            Err(mpsc::error::TrySendError::Full(Item::Event(captured, _))) => {
                self.bytes.fetch_sub(size, Relaxed);
                self.overflow.add(captured)
            }
            Err(_) => {
                self.bytes.fetch_sub(size, Relaxed);
                false
            }
        }
    }

    /// Waits until everything before is durable; `false` if the tracker's thread has ended.
    pub(crate) async fn flush(&self) -> bool {
        let sender = self.sender.read().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(sender) = sender else { return false };
        let (done, durable) = oneshot::channel();
        if sender.send(Item::Flush(Flush { done, _hurry: None })).await.is_err() {
            return false;
        }
        self.rouse.notify_one();
        durable.await.is_ok()
    }

    /// Blocks until everything before is durable, at most for `patience`; `false` if it is not. For threads that are about
    /// to end with the process.
    pub(crate) fn flush_blocking(&self, hurry: Hurry, patience: Duration) -> bool {
        let start = Instant::now();
        let sender = self.sender.read().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(sender) = sender else { return false };
        let (done, mut durable) = oneshot::channel();
        let mut item = Some(Item::Flush(Flush { done, _hurry: Some(hurry) }));
        // Looked at again and again: a thread of a runtime must not be blocked by the means of that runtime.
        while start.elapsed() < patience {
            if let Some(waiting) = item.take() {
                match sender.try_send(waiting) {
                    Ok(()) => self.rouse.notify_one(),
                    Err(mpsc::error::TrySendError::Full(full)) => item = Some(full),
                    Err(mpsc::error::TrySendError::Closed(_)) => return false,
                }
            }
            match durable.try_recv() {
                Ok(()) => return true,
                Err(oneshot::error::TryRecvError::Closed) => return false,
                Err(oneshot::error::TryRecvError::Empty) => {}
            }
            thread::sleep(LOOK);
        }
        false
    }

    /// Lets nothing more in. What is in it is still written.
    pub(crate) fn close(&self) {
        self.sender.write().unwrap_or_else(PoisonError::into_inner).take();
        self.rouse.notify_one();
    }

    pub(crate) fn len(&self) -> usize {
        let sender = self.sender.read().unwrap_or_else(PoisonError::into_inner);
        sender.as_ref().map_or(0, |s| s.max_capacity() - s.capacity())
    }
}

impl Captures {
    /// Lets the queue fill for a moment, if it is empty; it ends early when half of its room or of its
    /// bytes is taken, or somebody waits.
    pub(crate) async fn rest(&self) {
        if self.receiver.is_empty() {
            let _ = tokio::time::timeout(REST, self.rouse.notified()).await;
        }
    }

    /// The next item; `None` when the queue is closed and empty.
    pub(crate) async fn next(&mut self) -> Option<Item> {
        let item = self.receiver.recv().await;
        if let Some(Item::Event(_, size)) = &item {
            self.bytes.fetch_sub(*size, Relaxed);
        }
        item
    }

    /// The events that found no room, folded.
    pub(crate) fn take_overflow(&self) -> Vec<Folded> {
        self.overflow.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn captured() -> Captured {
        Captured { what: Event::new().into(), snapshot: None, scope: None, addresses: None, place: None }
    }

    async fn rested(captures: &Captures) -> Duration {
        let start = tokio::time::Instant::now();
        captures.rest().await;
        start.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn an_empty_queue_is_left_alone_for_a_moment_and_one_with_something_in_it_is_not() {
        let (queue, captures) = channel(8, 1 << 20);
        assert_eq!(rested(&captures).await, REST);
        assert!(queue.push(captured()));
        assert_eq!(rested(&captures).await, Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_rest_ends_when_the_queue_fills_or_somebody_waits() {
        let (queue, captures) = channel(8, 1 << 20);
        let fills = async {
            for _ in 0..5 {
                assert!(queue.push(captured()));
            }
        };
        assert_eq!(tokio::join!(rested(&captures), fills).0, Duration::ZERO);

        let (queue, captures) = channel(8, 5 * captured().what.size() / 2);
        let fills = async {
            for _ in 0..2 {
                assert!(queue.push(captured()));
            }
        };
        assert_eq!(tokio::join!(rested(&captures), fills).0, Duration::ZERO, "two of eight, but most of the bytes");

        let (queue, captures) = channel(8, 1 << 20);
        let waits = tokio::time::timeout(Duration::from_secs(1), queue.flush());
        let (ended, _) = tokio::join!(async { (rested(&captures).await, drop(captures)) }, waits);
        assert_eq!(ended.0, Duration::ZERO);

        let (queue, captures) = channel(8, 1 << 20);
        let (ended, ()) = tokio::join!(rested(&captures), async { queue.close() });
        assert_eq!(ended, Duration::ZERO);
    }
}
