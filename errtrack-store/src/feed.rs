//! Telling what changed, after it is durable.

use crate::{SqlStore, pool::Backend};
use errtrack_core::{
    IssueId, ProjectId,
    store::{Batch, Change, Changes, Feed, IssueEvent, Outcome, Recorded},
};

impl Feed for SqlStore {
    fn changes(&self) -> Changes {
        match &self.backend {
            #[cfg(feature = "sqlite")]
            Backend::Sqlite(_) => {}
            #[cfg(feature = "postgres")]
            Backend::Postgres(open) => open.listen(&self.feed),
        }
        self.feed.listen()
    }
}

impl SqlStore {
    /// Tells those who listen in this process, and through the database those in others.
    #[cfg_attr(not(feature = "postgres"), expect(clippy::unused_async, reason = "a file has no way to tell others"))]
    pub(crate) async fn announce(&self, changes: impl IntoIterator<Item = Change> + Send) {
        let changes: Vec<Change> = changes.into_iter().collect();
        changes.iter().for_each(|change| self.feed.tell(*change));
        match &self.backend {
            #[cfg(feature = "sqlite")]
            Backend::Sqlite(_) => {}
            #[cfg(feature = "postgres")]
            Backend::Postgres(open) => open.notify(&changes).await,
        }
    }

    /// Tells what happened to issues, given as project and issue.
    pub(crate) async fn tell(&self, issues: &[(i64, i64)], event: IssueEvent) {
        let change = |&(project, issue)| Change::Issue { project: ProjectId(project), issue: IssueId(issue), event };
        self.announce(issues.iter().map(change).collect::<Vec<_>>()).await;
    }

    /// Tells which issues a batch has made or reopened.
    pub(crate) async fn tell_recorded(&self, batch: &Batch, recorded: &[Recorded]) {
        let change = |(project, recorded): (ProjectId, &Recorded)| {
            let event = match recorded.outcome {
                Outcome::New => IssueEvent::New,
                Outcome::Regressed => IssueEvent::Regressed,
                Outcome::Unignored => IssueEvent::Edited,
                Outcome::Seen | Outcome::Duplicate | Outcome::Settled => return None,
            };
            Some(Change::Issue { project, issue: recorded.issue, event })
        };
        let projects = batch.occurrences.iter().map(errtrack_core::Occurrence::project);
        let changes: Vec<Change> = projects.zip(recorded).filter_map(change).collect();
        if !changes.is_empty() {
            self.announce(changes).await;
        }
    }
}
