//! Telling what changed, after it is durable.

use crate::SqlStore;
use errtrack_core::{
    IssueId, ProjectId,
    store::{Batch, Change, Changes, Feed, IssueEvent, Outcome, Recorded},
};

impl Feed for SqlStore {
    fn changes(&self) -> Changes {
        self.feed.listen()
    }
}

impl SqlStore {
    /// Tells what happened to issues, given as project and issue.
    pub(crate) fn tell(&self, issues: &[(i64, i64)], event: IssueEvent) {
        for (project, issue) in issues {
            self.feed.tell(Change::Issue { project: ProjectId(*project), issue: IssueId(*issue), event });
        }
    }

    /// Tells which issues a batch has made or reopened.
    pub(crate) fn tell_recorded(&self, batch: &Batch, recorded: &[Recorded]) {
        for (occurrence, recorded) in batch.occurrences.iter().zip(recorded) {
            let event = match recorded.outcome {
                Outcome::New => IssueEvent::New,
                Outcome::Regressed => IssueEvent::Regressed,
                Outcome::Seen | Outcome::Duplicate | Outcome::Settled => continue,
            };
            self.tell(&[(occurrence.project().0, recorded.issue.0)], event);
        }
    }
}
