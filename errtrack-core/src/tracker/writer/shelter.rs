//! What happens to batches that the store does not take at once: they go to the spool, wait in memory, or are turned away.

use super::{Writer, settle, work::Work};
use crate::tracker::{
    IngestError,
    spool::{Spool, SpoolError},
};
use std::collections::VecDeque;

impl Writer {
    /// Looks whether the batch that is being sent takes too long.
    pub(super) fn look(&mut self) {
        let patience = self.patience();
        let Some(attempt) = self.attempt.as_mut().filter(|a| !a.slow && a.since.elapsed() >= patience) else { return };
        attempt.slow = true;
        if let (Some(spool), None) = (&mut self.spool, attempt.work.file)
            && attempt.work.len() > 0
        {
            match spool.append(&attempt.work.batch, attempt.work.key.number, true) {
                Ok(file) => {
                    // It is not to be read while it is being sent.
                    spool.hold(file);
                    settle::answer_spooled(&self.engine, &mut attempt.work, &self.writes.pressure);
                    attempt.work.file = Some(file);
                }
                Err(error) => self.engine.note_spool_trouble(&error),
            }
        }
        if self.spool.is_some() || self.away {
            self.shelter();
            self.turn_away();
        }
    }

    /// Whether what comes goes to the spool: the store cannot take it at once, or older batches come first.
    pub(super) fn is_spooling(&self) -> bool {
        self.away || self.attempt.as_ref().is_some_and(|attempt| attempt.slow) || self.own_files() > 0
    }

    pub(super) fn own_files(&self) -> usize {
        self.spool.as_ref().map_or(0, Spool::own_files)
    }

    /// Puts what is in memory into the spool, the oldest first, as far as there is room.
    pub(super) fn shelter(&mut self) {
        let mut all = self.spool.is_some();
        let works = std::mem::take(&mut self.works);
        for work in works {
            if work.file.is_some() {
                // A part of a batch, whose file holds the whole.
                self.works.push_back(work);
            } else if let Some(work) = self.spool_work(work, true) {
                all = false;
                self.works.extend(self.without_waiting(work));
            }
        }
        while all && let Some(work) = self.gather() {
            if let Some(work) = self.spool_work(work, false) {
                // It was not sent, so its numbers can be given again.
                self.last = work.first() - 1;
                work.into_writes().into_iter().rev().for_each(|write| self.memory.push_front(write));
                all = false;
            }
        }
    }

    /// Puts a batch into the spool and lets go of it; answers the batch if that fails.
    pub(super) fn spool_work(&mut self, mut work: Work, alone: bool) -> Option<Work> {
        let Some(spool) = &mut self.spool else { return Some(work) };
        match spool.append(&work.batch, work.key.number, alone) {
            Ok(_) => {
                settle::answer_spooled(&self.engine, &mut work, &self.writes.pressure);
                None
            }
            Err(error) => {
                if matches!(error, SpoolError::Io(_)) {
                    self.engine.note_spool_trouble(&error);
                }
                Some(work)
            }
        }
    }

    /// Tells reports that wait in memory that they cannot be taken.
    pub(super) fn turn_away(&mut self) {
        let mut kept = VecDeque::with_capacity(self.memory.len());
        for write in self.memory.drain(..) {
            let size = write.size();
            match write.done {
                Some(done) => {
                    self.writes.pressure.free(size);
                    self.engine.ledger.of(write.occurrence.project()).dropped_by_store(write.occurrence.times());
                    let _ = done.send(Err(IngestError::Unavailable));
                }
                // While the queue's bytes are taken by what is held, nothing more gets in: memory stays bounded.
                None => kept.push_back(write),
            }
        }
        self.memory = kept;
    }
}
