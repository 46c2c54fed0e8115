//! What follows from the answer of the store.

use super::{
    Writer,
    work::{Outcome, Work},
};
use crate::{
    Occurrence, Timestamp,
    alert::{Counts, Watch},
    hosted::hosted,
    store::{Outcome as Did, Recorded},
    tracker::{
        Engine, IngestError,
        hooks::IssueChange,
        jitter::jittered,
        writes::{Durable, Pressure, size},
    },
};
use tokio::time::Instant;

impl Writer {
    /// Does what follows from the answer.
    pub(super) fn conclude(&mut self, outcome: Outcome) {
        let Some(attempt) = self.attempt.take() else { return };
        let work = attempt.work;
        drop(attempt.result);
        match outcome {
            Outcome::Recorded(recorded) => {
                self.note_answer();
                self.engine.note_recovery();
                self.settle(work, &recorded);
            }
            Outcome::Refused => {
                self.note_answer();
                // Halved until the row that cannot be written stands alone.
                let (first, second) = work.halves();
                self.works.push_front(second);
                self.works.push_front(first);
            }
            Outcome::SetAside(error) => {
                self.note_answer();
                self.engine.note_trouble(&error);
                self.refuse(work);
            }
            Outcome::Unavailable(error) => {
                self.engine.note_trouble(&error);
                self.note_failure();
                self.keep(work.repeating());
                self.shelter();
                self.turn_away();
            }
        }
    }

    fn note_answer(&mut self) {
        self.away = false;
        self.pause = self.pace.pause;
        self.writes.pressure.set_store_away(false);
    }

    fn note_failure(&mut self) {
        let now = Instant::now();
        self.away = true;
        self.writes.pressure.set_store_away(true);
        // Processes that lost the same database do not come back all at once.
        let pause = if self.closed.is_some() { self.pace.pause } else { self.pause };
        self.paused = Some(now + jittered(pause));
        self.pause = (self.pause * 2).min(self.pace.longest_pause);
    }

    /// Keeps a batch that may have been committed, to be sent again.
    fn keep(&mut self, work: Work) {
        match work.file {
            // It was but a question.
            None if work.len() == 0 => {}
            Some(file) if !work.part => {
                if let Some(spool) = &mut self.spool {
                    spool.put_back(file);
                }
            }
            Some(_) => self.works.push_front(work),
            None => {
                if let Some(work) = self.spool_work(work, true)
                    && let Some(work) = self.without_waiting(work)
                {
                    self.works.push_front(work);
                }
            }
        }
    }

    /// Tells those who wait for a batch that it cannot be taken. What of this process is in it stays, if anything is.
    pub(super) fn without_waiting(&self, work: Work) -> Option<Work> {
        let (mut work, left) = work.without_waiting();
        for (occurrence, done) in left {
            self.writes.pressure.free(size(&occurrence));
            work.unsure.push(occurrence.project());
            let _ = done.send(Err(IngestError::Unavailable));
        }
        if work.len() == 0 {
            self.engine.count_dropped(&work);
            return None;
        }
        Some(work)
    }

    fn settle(&mut self, work: Work, recorded: &[Recorded]) {
        let settled = recorded.iter().any(|r| r.outcome == Did::Settled);
        let ours = work.key.writer == self.engine.node;
        let now = Timestamp::now();
        let watches = self.engine.watched.watches();
        for ((occurrence, whole), recorded) in work.batch.iter().zip(recorded) {
            let counters = self.engine.ledger.of(occurrence.project());
            if !ours {
                // The process that captured it has told nobody: it tells what is settled.
                counters.captured(occurrence.times());
            }
            match (recorded.outcome, whole) {
                (Did::Duplicate, _) => counters.ignored(occurrence.times()),
                (_, true) => {
                    counters.stored(1);
                    counters.coalesced(occurrence.times() - 1);
                }
                (_, false) => counters.coalesced(occurrence.times()),
            }
            self.note_for_rules(occurrence, recorded.outcome, ours, &watches, now);
            // Milestones and releases are found within some seconds.
            if matches!(recorded.outcome, Did::New | Did::Regressed | Did::Unignored) {
                self.engine.signalled.notify_one();
            }
            if let (Some(hook), Did::New | Did::Regressed) = (&self.engine.hooks.on_issue, recorded.outcome) {
                let (issue, outcome) = (recorded.issue, recorded.outcome);
                let change = IssueChange { issue, project: occurrence.project(), outcome };
                hosted(|| hook(&change));
            }
        }
        for project in &work.unsure {
            let counters = self.engine.ledger.of(*project);
            // They were in the batch when it was committed, and are not when it is written now.
            if settled { counters.stored(1) } else { counters.dropped_by_store(1) }
        }
        self.let_go(&work);
        for (done, recorded) in work.waiting.into_iter().zip(recorded) {
            if let Some(done) = done {
                // Whoever asked may have hung up; the report is kept all the same.
                let _ = done.send(Ok(Durable::Stored(*recorded)));
            }
        }
    }

    /// Counts an event for alert rules.
    fn note_for_rules(&self, occurrence: &Occurrence, did: Did, ours: bool, watches: &[Watch], now: Timestamp) {
        // Of a batch whose first answer was lost this is the first word; one of another process was counted there.
        let is_counted = match did {
            Did::Duplicate => false,
            Did::Settled => ours,
            _ => true,
        };
        if !is_counted {
            return;
        }
        let asking = watches.iter().filter(|watch| watch.counts(occurrence));
        if let Some(user) = occurrence.user_hash() {
            self.engine.users.note(occurrence.project(), "", user, now);
            for watch in asking.clone().filter(|watch| watch.users) {
                self.engine.users.note(occurrence.project(), &watch.name, user, now);
            }
        }
        let times = i64::try_from(occurrence.times()).unwrap_or(i64::MAX);
        let counts = Counts(times, i64::from(did == Did::New), i64::from(did == Did::Regressed));
        self.engine.watched.count(occurrence, counts, &asking, now);
    }

    fn refuse(&mut self, work: Work) {
        self.let_go(&work);
        if work.key.writer != self.engine.node {
            for occurrence in &work.batch.occurrences {
                self.engine.ledger.of(occurrence.project()).captured(occurrence.times());
            }
        }
        self.engine.count_dropped(&work);
        for done in work.waiting.into_iter().flatten() {
            let _ = done.send(Err(IngestError::Refused));
        }
    }

    /// Lets go of the memory and of the file of a batch that is done.
    fn let_go(&mut self, work: &Work) {
        match work.file {
            None => self.writes.pressure.free(work.size()),
            Some(file) => {
                let Some(spool) = &mut self.spool else { return };
                if work.read {
                    spool.note_drained(work.len());
                }
                if !self.works.iter().any(|other| other.file == Some(file)) {
                    spool.finish(file);
                }
            }
        }
    }
}

/// Tells those who wait for a batch that it is in the spool, and lets go of its memory.
pub(super) fn answer_spooled(engine: &Engine, work: &mut Work, pressure: &Pressure) {
    pressure.free(work.size());
    for project in work.unsure.drain(..) {
        // The file does not know of them.
        engine.ledger.of(project).dropped_by_store(1);
    }
    for done in std::mem::take(&mut work.waiting).into_iter().flatten() {
        let _ = done.send(Ok(Durable::Spooled));
    }
}

impl Engine {
    /// Counts the occurrences of a batch as lost.
    pub(super) fn count_dropped(&self, work: &Work) {
        for occurrence in &work.batch.occurrences {
            self.ledger.of(occurrence.project()).dropped_by_store(occurrence.times());
        }
        for project in &work.unsure {
            self.ledger.of(*project).dropped_by_store(1);
        }
    }
}
