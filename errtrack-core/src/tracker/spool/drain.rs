//! Reading back: file after file, each as the batch that it is, until it is in the store.

use super::{FileId, Spool, Waiting, folder, record};
use crate::store::Batch;
use record::{Contents, Header};
use std::{fs, io};

/// What was read from a file.
#[derive(Debug)]
pub(crate) struct Drained {
    pub(crate) id: FileId,
    /// All that could be read, as one batch; without a key.
    pub(crate) batch: Batch,
    /// The number of its last occurrence.
    pub(crate) number: i64,
}

impl Spool {
    /// The number of the first occurrence that waits of this writer.
    pub(crate) fn oldest_own(&self) -> Option<i64> {
        self.own().find(|(_, file)| !file.taken).map(|(id, _)| id.1)
    }

    /// How many files there are of this writer, those that are being drained included.
    pub(crate) fn own_files(&self) -> usize {
        self.own().count()
    }

    fn own(&self) -> impl Iterator<Item = (&FileId, &Waiting)> {
        self.files.range((self.writer, i64::MIN)..=(self.writer, i64::MAX))
    }

    /// Whether files of an earlier process wait.
    pub(crate) fn has_adopted(&self) -> bool {
        self.files.iter().any(|(id, file)| id.0 != self.writer && !file.taken)
    }

    /// Takes the oldest file of this writer, or of earlier ones, to be drained. One that holds nothing is passed over.
    pub(crate) fn take(&mut self, own: bool) -> Option<Drained> {
        loop {
            let writer = self.writer;
            let mut waiting = self.files.iter_mut().filter(|(id, file)| !file.taken && (id.0 == writer) == own);
            let (id, file) = waiting.next().map(|(id, file)| (*id, file))?;
            file.taken = true;
            if self.active.as_ref().is_some_and(|active| (writer, active.first) == id) {
                self.active = None;
            }
            let contents = fs::read(&file.path).map(|bytes| {
                let mut contents = record::decode(&bytes);
                if record::read_header(&bytes) == Header::Damaged {
                    contents.lost_records += u64::from(contents.lost_records == 0);
                    contents.lost_bytes += record::HEADER.min(bytes.len()) as u64;
                }
                contents
            });
            let Contents { batches, lost_records, lost_bytes } = contents.unwrap_or_else(|error| {
                tracing::warn!(target: "errtrack", "{} cannot be read: {error}", file.path.display());
                Contents { lost_records: 1, lost_bytes: file.bytes, ..Contents::default() }
            });
            if lost_records > 0 {
                file.damaged = true;
                self.gauge.lock().damaged += lost_records;
                tracing::warn!(
                    target: "errtrack",
                    "{} is damaged: {lost_records} records ({lost_bytes} bytes) could not be read",
                    file.path.display()
                );
            }
            let mut whole = Batch::default();
            let mut number = id.1;
            for (last, batch) in batches {
                number = number.max(last);
                whole.occurrences.extend(batch.occurrences);
                whole.counted_only.extend(batch.counted_only);
            }
            if whole.occurrences.is_empty() {
                self.finish(id);
                continue;
            }
            return Some(Drained { id, batch: whole, number });
        }
    }

    /// Notes that a file is being sent.
    pub(crate) fn hold(&mut self, id: FileId) {
        if let Some(file) = self.files.get_mut(&id) {
            file.taken = true;
        }
    }

    /// Notes that a file could not be sent and is to be read again.
    pub(crate) fn put_back(&mut self, id: FileId) {
        if let Some(file) = self.files.get_mut(&id) {
            file.taken = false;
        }
    }

    /// Notes that occurrences that were read back are in the store.
    pub(crate) fn note_drained(&self, occurrences: usize) {
        self.gauge.lock().drained += occurrences as u64;
    }

    /// Lets go of a file that is drained.
    pub(crate) fn finish(&mut self, id: FileId) {
        let Some(file) = self.files.remove(&id) else { return };
        let gone = if file.damaged {
            folder::set_aside(&self.folder, &file.path).map(drop)
        } else {
            fs::remove_file(&file.path)
        };
        if let Err(error) = gone
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(target: "errtrack", "{} is drained, but stays: {error}", file.path.display());
        }
        if self.active.as_ref().is_some_and(|active| (self.writer, active.first) == id) {
            self.active = None;
        }
        self.release(id.0);
        self.gauge.set_refuses(false);
        self.publish();
    }
}
