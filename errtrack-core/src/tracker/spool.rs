//! The spool: files beside the process that hold occurrences while the database is away.
//!
//! # Files
//! A folder holds, of each process that uses it (a *writer*, known by [`Tracker::node`](crate::Tracker::node)):
//!
//! - `WRITER.lock`, locked as long as the process lives. It goes when the writer has no other files;
//! - `WRITER-NUMBER.spool`, each at most one batch: NUMBER is that of its first occurrence. So what is drained together, and
//!   under which key, is the same however often it is tried. It goes when it is drained;
//! - `WRITER-NUMBER.damaged`: a file that was drained, but for what could not be read of it. A few are kept.
//!
//! # Format
//! Numbers are little-endian. A file is a header and records:
//!
//! ```text
//! header  "errtrack" FF 0D 0A 00 · version u32 = 1 · writer, 16 bytes · CRC-32 of all that, u32
//! record  FF 'r' FE '>' · length of the body u32 · CRC-32 of length and body, u32 · body
//! body    number i64 · time of writing i64 (µs since 1970) · count u32 · count occurrences
//! occurrence  1 if its payload is kept, else 0 (only counted), u8 · length of facts u32 · length of payload u32
//!         · facts (JSON) · payload (JSON, as it is stored; empty where it is not kept)
//! ```
//!
//! The number of a record is the key of its batch: that of its last occurrence. Nothing is encoded twice: a payload is copied
//! as it stands in memory. A record that is torn or whose sum is wrong is passed over up to the next mark; the mark cannot
//! come from outside, as facts and payloads are UTF-8.
//!
//! Only [`Occurrence`](crate::Occurrence)s get here: what is on the disk is sanitized.

mod drain;
mod folder;
mod gauge;
pub(crate) mod record;

pub(crate) use gauge::SpoolGauge;
pub use gauge::SpoolStatus;

use crate::{Timestamp, store::Batch};
use folder::Lock;
use record::Header;
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Write},
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};
use uuid::Uuid;

/// Between two attempts at a folder that could not be used.
const RETRY: Duration = Duration::from_secs(1);

/// Why something could not be put into the spool.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SpoolError {
    #[error("the spool is full")]
    Full,
    #[error("the spool cannot be written: {0}")]
    Io(#[from] io::Error),
}

/// Names a file: its writer, and the number of its first occurrence.
pub(crate) type FileId = (Uuid, i64);

/// A file that waits.
#[derive(Debug)]
struct Waiting {
    path: PathBuf,
    bytes: u64,
    occurrences: u64,
    since: Option<Timestamp>,
    damaged: bool,
    /// It was read, and is being written to the store.
    taken: bool,
}

/// The file that is written to.
#[derive(Debug)]
struct Active {
    first: i64,
    file: File,
    occurrences: usize,
    bytes: u64,
}

/// The spool, as the tracker's thread has it.
#[derive(Debug)]
pub(crate) struct Spool {
    folder: PathBuf,
    most_bytes: u64,
    writer: Uuid,
    /// Files hold no more than fits in one batch.
    batch: (usize, usize),
    files: BTreeMap<FileId, Waiting>,
    active: Option<Active>,
    /// Of the writers whose files are ours.
    locks: BTreeMap<Uuid, Lock>,
    failed: Option<Instant>,
    gauge: Arc<SpoolGauge>,
}

impl Spool {
    /// A spool for a writer whose batches hold so many occurrences and bytes. Nothing is touched before it is
    /// [opened](Self::open).
    pub(crate) fn new(gauge: Arc<SpoolGauge>, writer: Uuid, batch: (usize, usize)) -> Self {
        let SpoolStatus { folder, most_bytes, .. } = gauge.status();
        let (files, locks) = (BTreeMap::new(), BTreeMap::new());
        Self { folder, most_bytes, writer, batch, files, active: None, locks, failed: None, gauge }
    }

    /// Makes the folder, and takes over the files there that no living process holds.
    pub(crate) fn open(&mut self) -> io::Result<()> {
        let opened = self.try_open();
        self.note(opened.is_ok());
        opened
    }

    fn try_open(&mut self) -> io::Result<()> {
        folder::make(&self.folder)?;
        if !self.locks.contains_key(&self.writer) {
            let lock = Lock::take(&self.folder, self.writer)?;
            self.locks.insert(self.writer, lock.ok_or(io::ErrorKind::ResourceBusy)?);
        }
        let (found, writers) = folder::list(&self.folder)?;
        let with_files = found.iter().map(|file| file.writer);
        for writer in with_files.chain(writers).collect::<std::collections::BTreeSet<_>>() {
            if !self.locks.contains_key(&writer)
                && let Some(lock) = Lock::take(&self.folder, writer)?
            {
                self.locks.insert(writer, lock);
                // What was there before it was locked may be gone, and more may have come.
                let (found, _) = folder::list(&self.folder)?;
                for file in found.into_iter().filter(|file| file.writer == writer) {
                    let path = file.path.clone();
                    if let Err(error) = self.adopt(file) {
                        tracing::warn!(target: "errtrack", "{} cannot be read: {error}", path.display());
                    }
                }
                self.release(writer);
            }
        }
        self.publish();
        Ok(())
    }

    fn adopt(&mut self, file: folder::Found) -> io::Result<()> {
        let bytes = fs::read(&file.path)?;
        let writer = match record::read_header(&bytes) {
            Header::Good(writer) => writer,
            // The name says it too.
            Header::Damaged => file.writer,
            Header::Unknown(version) => {
                let path = file.path.display();
                tracing::warn!(target: "errtrack", "{path} is of version {version} of the spool and stays as it is");
                return Ok(());
            }
        };
        let record::Summary { occurrences, since } = record::summary(&bytes);
        let (path, bytes) = (file.path, bytes.len() as u64);
        let waiting = Waiting { path, bytes, occurrences, since, damaged: false, taken: false };
        self.files.insert((writer, file.first), waiting);
        Ok(())
    }

    /// Writes a batch and returns when it is durable. One that was tried already stands alone in its file, so that it is
    /// tried again as it was; `number` is that of its last occurrence.
    pub(crate) fn append(&mut self, batch: &Batch, number: i64, alone: bool) -> Result<FileId, SpoolError> {
        if self.failed.is_some_and(|failed| failed.elapsed() < RETRY) {
            return Err(SpoolError::Full);
        }
        if self.failed.is_some() || !self.locks.contains_key(&self.writer) {
            self.open()?;
        }
        let payloads = batch.iter().filter(|(_, whole)| *whole).map(|(o, _)| o.payload().len()).sum::<usize>();
        if self.bytes() + payloads as u64 > self.most_bytes {
            self.gauge.set_refuses(true);
            return Err(SpoolError::Full);
        }
        let now = Timestamp::now();
        let record = record::encode(batch, number, now).ok_or(SpoolError::Full)?;
        if self.bytes() + (record::HEADER + record.len()) as u64 > self.most_bytes {
            self.gauge.set_refuses(true);
            return Err(SpoolError::Full);
        }
        let written = self.write(batch, number, alone, &record, now);
        self.note(written.is_ok());
        if written.is_err() {
            // Whatever is wrong with this file, another may do.
            self.active = None;
        }
        self.publish();
        Ok(written?)
    }

    fn write(&mut self, batch: &Batch, number: i64, alone: bool, record: &[u8], now: Timestamp) -> io::Result<FileId> {
        let count = batch.occurrences.len();
        let size = record.len() as u64;
        let (most, most_bytes) = self.batch;
        let fits = |a: &Active| a.occurrences + count <= most && a.bytes + size <= most_bytes as u64;
        let mut active = match self.active.take() {
            Some(active) if !alone && fits(&active) => active,
            before => {
                if alone {
                    // A batch that was tried is older than what is in the active file.
                    self.active = before;
                }
                self.begin(number - i64::try_from(count).unwrap_or(i64::MAX) + 1, now)?
            }
        };
        let id = (self.writer, active.first);
        let end = active.bytes;
        if let Err(error) = active.file.write_all(record).and_then(|()| active.file.sync_data()) {
            // Half a record would be passed over when it is read; but it was not taken, so it has no business there.
            let _ = active.file.set_len(end);
            if active.occurrences == 0 {
                self.finish(id);
            }
            return Err(error);
        }
        active.bytes += size;
        active.occurrences += count;
        if let Some(waiting) = self.files.get_mut(&id) {
            waiting.bytes = active.bytes;
            waiting.occurrences += count as u64;
        }
        if !alone {
            self.active = Some(active);
        }
        Ok(id)
    }

    /// Begins a file.
    fn begin(&mut self, first: i64, now: Timestamp) -> io::Result<Active> {
        let (path, mut file) = folder::create(&self.folder, self.writer, first)?;
        let header = record::header(self.writer);
        let bytes = header.len() as u64;
        let waiting = Waiting { path, bytes, occurrences: 0, since: Some(now), damaged: false, taken: false };
        self.files.insert((self.writer, first), waiting);
        if let Err(error) = file.write_all(&header).and_then(|()| folder::sync(&self.folder)) {
            self.finish((self.writer, first));
            return Err(error);
        }
        Ok(Active { first, file, occurrences: 0, bytes })
    }

    /// Gives back the lock of an earlier writer that has no files any more.
    fn release(&mut self, writer: Uuid) {
        let mut files = self.files.range((writer, i64::MIN)..=(writer, i64::MAX));
        if writer != self.writer
            && files.next().is_none()
            && !self.has_strangers(writer)
            && let Some(lock) = self.locks.remove(&writer)
        {
            lock.remove();
        }
    }

    /// Whether a writer has files that are not ours to drain: of a later version.
    fn has_strangers(&self, writer: Uuid) -> bool {
        folder::list(&self.folder).is_ok_and(|(found, _)| found.iter().any(|file| file.writer == writer))
    }

    /// Ends the use of the folder: what waits stays, for the next start.
    pub(crate) fn close(mut self) {
        self.active = None;
        if self.own_files() == 0
            && let Some(lock) = self.locks.remove(&self.writer)
        {
            lock.remove();
        }
    }

    fn bytes(&self) -> u64 {
        self.files.values().map(|file| file.bytes).sum()
    }

    fn note(&mut self, good: bool) {
        self.failed = (!good).then(Instant::now);
        self.gauge.set_refuses(!good);
    }

    fn publish(&self) {
        let mut status = self.gauge.lock();
        status.bytes = self.bytes();
        status.occurrences = self.files.values().map(|file| file.occurrences).sum();
        status.since = self.files.values().filter_map(|file| file.since).min();
    }
}

#[cfg(test)]
mod tests;
