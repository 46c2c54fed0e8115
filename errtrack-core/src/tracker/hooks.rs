//! What a host can hang into the way of an event. All of it runs on the tracker's thread or, for reports over HTTP, in the
//! request's task; a hook that panics costs one event.

use crate::{Event, IssueId, ProjectId, store::Outcome};
use std::{fmt, sync::Arc};

type BeforeSend = Arc<dyn Fn(Event) -> Option<Event> + Send + Sync>;
type Ignore = Arc<dyn Fn(&Event) -> bool + Send + Sync>;
type Fingerprinter = Arc<dyn Fn(&Event) -> Option<Vec<String>> + Send + Sync>;
type OnIssue = Arc<dyn Fn(&IssueChange) + Send + Sync>;

/// An issue that is new or came back; given to [`TrackerBuilder::on_issue`](crate::TrackerBuilder::on_issue).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IssueChange {
    /// The issue.
    pub issue: IssueId,
    /// Its project.
    pub project: ProjectId,
    /// [`Outcome::New`] or [`Outcome::Regressed`].
    pub outcome: Outcome,
}

/// The hooks that are set.
#[derive(Clone, Default)]
pub(crate) struct Hooks {
    pub(crate) before_send: Option<BeforeSend>,
    pub(crate) ignore: Vec<Ignore>,
    pub(crate) fingerprinter: Option<Fingerprinter>,
    pub(crate) on_issue: Option<OnIssue>,
}

impl Hooks {
    /// Runs what comes before storing; `None` if the event is not wanted.
    pub(crate) fn admit(&self, event: Event) -> Option<Event> {
        if self.ignore.iter().any(|ignore| ignore(&event)) {
            return None;
        }
        let mut event = match &self.before_send {
            Some(before_send) => before_send(event)?,
            None => event,
        };
        if let Some(fingerprint) = self.fingerprinter.as_ref().and_then(|f| f(&event)) {
            event.fingerprint = fingerprint;
        }
        Some(event)
    }
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hooks").field("ignore", &self.ignore.len()).finish_non_exhaustive()
    }
}
