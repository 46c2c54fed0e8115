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
use tokio::sync::{mpsc, oneshot};

/// Between two looks of a thread that waits for a flush.
const LOOK: Duration = Duration::from_millis(1);

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

    fn size(&self) -> usize {
        match self {
            Self::Event(event) => event.approximate_size(),
            Self::Error { chain, trace, .. } => {
                size_of::<Event>() + chain.size() + trace.as_ref().map_or(0, String::len)
            }
        }
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
}

/// The receiving side.
#[derive(Debug)]
pub(crate) struct Captures {
    receiver: mpsc::Receiver<Item>,
    bytes: Arc<AtomicUsize>,
    overflow: Arc<Overflow>,
}

pub(crate) fn channel(items: usize, most_bytes: usize) -> (CaptureQueue, Captures) {
    let (sender, receiver) = mpsc::channel(items.max(1));
    let bytes = Arc::new(AtomicUsize::new(0));
    let overflow = Arc::<Overflow>::default();
    let queue = CaptureQueue {
        sender: RwLock::new(Some(sender)),
        bytes: bytes.clone(),
        most_bytes,
        overflow: overflow.clone(),
    };
    (queue, Captures { receiver, bytes, overflow })
}

impl CaptureQueue {
    /// Puts an event in; `false` if it is lost, because there is neither room nor another of its sort. Never waits.
    pub(crate) fn push(&self, captured: Captured) -> bool {
        let size = captured.what.size()
            + captured.addresses.as_ref().map_or(0, |a| 8 * a.len())
            + captured.scope.as_ref().map_or(0, ScopeHandle::size);
        if self.bytes.fetch_add(size, Relaxed) + size > self.most_bytes {
            self.bytes.fetch_sub(size, Relaxed);
            return self.overflow.add(captured);
        }
        let sender = self.sender.read().unwrap_or_else(PoisonError::into_inner);
        let Some(sender) = sender.as_ref() else {
            self.bytes.fetch_sub(size, Relaxed);
            return false;
        };
        match sender.try_send(Item::Event(captured, size)) {
            Ok(()) => true,
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
        sender.send(Item::Flush(Flush { done, _hurry: None })).await.is_ok() && durable.await.is_ok()
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
                    Ok(()) => {}
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
    }

    pub(crate) fn len(&self) -> usize {
        let sender = self.sender.read().unwrap_or_else(PoisonError::into_inner);
        sender.as_ref().map_or(0, |s| s.max_capacity() - s.capacity())
    }
}

impl Captures {
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
