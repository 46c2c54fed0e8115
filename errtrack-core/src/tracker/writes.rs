//! The queue of occurrences between those who prepare them and the writer: bounded in number and in bytes.

use super::IngestError;
use crate::{Occurrence, store::Recorded};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::Duration,
};
use tokio::sync::{Notify, mpsc, oneshot};

/// Between two looks at whether there is room again.
const PAUSE: Duration = Duration::from_millis(100);

/// An occurrence to be written, and who wants to know.
#[derive(Debug)]
pub(crate) struct Write {
    pub(crate) occurrence: Occurrence,
    /// Absent for events of this process: nobody waits for those, so they are tried until they are written.
    pub(crate) done: Option<Done>,
}

/// Who waits for a report to be durable.
pub(crate) type Done = oneshot::Sender<Result<Durable, IngestError>>;

/// Where a report is durable.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Durable {
    Stored(Recorded),
    Spooled,
}

impl Write {
    /// What it counts against the bytes that may wait: the payload, and what stands beside it.
    pub(crate) fn size(&self) -> usize {
        size(&self.occurrence)
    }
}

pub(crate) fn size(occurrence: &Occurrence) -> usize {
    occurrence.payload().len() + 1024
}

#[derive(Debug)]
pub(crate) enum Item {
    Write(Box<Write>),
    Flush(Flush),
    /// Lets nothing more in.
    Close,
}

/// Asks to be told when everything before is durable.
#[derive(Debug)]
pub(crate) struct Flush {
    pub(crate) done: oneshot::Sender<()>,
    /// Held as long as somebody cannot wait for a slow database.
    pub(crate) _hurry: Option<Hurry>,
}

/// The sending side.
#[derive(Debug, Clone)]
pub(crate) struct WriteQueue {
    sender: mpsc::Sender<Item>,
    pressure: Arc<Pressure>,
}

/// What both sides know of the load.
#[derive(Debug, Default)]
pub(crate) struct Pressure {
    bytes: AtomicUsize,
    most_bytes: usize,
    store_away: AtomicBool,
    hurried: AtomicUsize,
    hurrying: Notify,
}

/// As long as one lives, the writer does not wait for a store that is slow to answer, if it has a spool.
#[derive(Debug)]
pub(crate) struct Hurry(Arc<Pressure>);

impl Drop for Hurry {
    fn drop(&mut self) {
        self.0.hurried.fetch_sub(1, Relaxed);
    }
}

/// The receiving side.
#[derive(Debug)]
pub(crate) struct Writes {
    receiver: mpsc::Receiver<Item>,
    pub(crate) pressure: Arc<Pressure>,
}

pub(crate) fn channel(items: usize, most_bytes: usize) -> (WriteQueue, Writes) {
    let (sender, receiver) = mpsc::channel(items.max(1));
    let pressure = Arc::new(Pressure { most_bytes, ..Pressure::default() });
    (WriteQueue { sender, pressure: pressure.clone() }, Writes { receiver, pressure })
}

impl WriteQueue {
    /// Puts an occurrence in if there is room.
    pub(crate) fn try_push(&self, write: Write) -> Result<(), ()> {
        let size = write.size();
        if self.pressure.bytes.fetch_add(size, Relaxed) + size > self.pressure.most_bytes
            || self.sender.try_send(Item::Write(Box::new(write))).is_err()
        {
            self.pressure.free(size);
            return Err(());
        }
        Ok(())
    }

    /// Puts an occurrence in when there is room. For the one task that prepares the events of this process.
    pub(crate) async fn push(&self, write: Write) {
        while self.pressure.bytes.load(Relaxed) > self.pressure.most_bytes {
            tokio::time::sleep(PAUSE).await;
        }
        self.pressure.bytes.fetch_add(write.size(), Relaxed);
        // It is closed by us, after the last push.
        let _ = self.sender.send(Item::Write(Box::new(write))).await;
    }

    pub(crate) async fn flush(&self, flush: Flush) {
        let _ = self.sender.send(Item::Flush(flush)).await;
    }

    pub(crate) async fn close(&self) {
        let _ = self.sender.send(Item::Close).await;
    }

    /// Makes the writer hurry until the answer is dropped.
    pub(crate) fn hurry(&self) -> Hurry {
        self.pressure.hurried.fetch_add(1, Relaxed);
        self.pressure.hurrying.notify_one();
        Hurry(self.pressure.clone())
    }

    pub(crate) fn len(&self) -> usize {
        self.sender.max_capacity() - self.sender.capacity()
    }

    pub(crate) fn has_room(&self) -> bool {
        let room = self.sender.capacity() > 0 && self.pressure.bytes.load(Relaxed) < self.pressure.most_bytes;
        room && !self.sender.is_closed()
    }

    pub(crate) fn is_store_away(&self) -> bool {
        self.pressure.store_away.load(Relaxed)
    }
}

impl Pressure {
    /// Notes that so many bytes wait no more.
    pub(crate) fn free(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Relaxed);
    }

    pub(crate) fn set_store_away(&self, away: bool) {
        self.store_away.store(away, Relaxed);
    }

    pub(crate) fn is_hurried(&self) -> bool {
        self.hurried.load(Relaxed) > 0
    }

    /// Waits until somebody is in a hurry who was not.
    pub(crate) async fn hurried(&self) {
        self.hurrying.notified().await;
    }
}

impl Writes {
    /// Takes what has come, at most `limit`; 0 at the end.
    pub(crate) fn poll_many(&mut self, cx: &mut Context<'_>, items: &mut Vec<Item>, limit: usize) -> Poll<usize> {
        self.receiver.poll_recv_many(cx, items, limit)
    }

    /// Lets nothing more in.
    pub(crate) fn close(&mut self) {
        self.receiver.close();
    }
}
