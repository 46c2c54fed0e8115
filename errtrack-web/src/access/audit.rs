//! The audit log: who did what when.

use super::Caller;
use crate::{app::App, error::Error};
use errtrack_core::{AuditEntry, ProjectId, Timestamp};
use std::net::IpAddr;

/// Something that was done.
#[derive(Debug)]
pub(crate) struct Deed {
    action: &'static str,
    target: String,
    details: String,
    project: Option<ProjectId>,
}

impl Deed {
    /// What was done, as `member.invite`, and to what.
    pub(crate) fn new(action: &'static str, target: impl Into<String>) -> Self {
        Self { action, target: cut(target.into(), 200), details: String::new(), project: None }
    }

    /// What else is known.
    pub(crate) fn details(mut self, details: impl Into<String>) -> Self {
        self.details = cut(details.into(), 1_000);
        self
    }

    /// The project that it concerns.
    pub(crate) fn of(mut self, project: ProjectId) -> Self {
        self.project = Some(project);
        self
    }

    /// Writes it to the log, of whoever did it. What was done is done: that the log does not take it is logged elsewhere.
    pub(crate) async fn by(self, app: &App, who: &str, address: Option<IpAddr>) {
        let entry = AuditEntry {
            id: 0,
            at: Timestamp::now(),
            who: cut(who.to_owned(), 200),
            action: self.action.to_owned(),
            target: self.target,
            details: self.details,
            project: self.project,
            address,
        };
        if let Err(error) = app.store().audit(&entry).await {
            Error::from(error).log();
        }
    }
}

impl Caller {
    /// What the audit log calls the caller.
    pub(crate) fn who(&self) -> &str {
        self.name.as_deref().unwrap_or("somebody")
    }

    /// Writes to the audit log what the caller has done.
    pub(crate) async fn did(&self, app: &App, deed: Deed) {
        deed.by(app, self.who(), self.address).await;
    }
}

fn cut(text: String, most: usize) -> String {
    if text.chars().nth(most).is_none() { text } else { text.chars().take(most).collect() }
}
