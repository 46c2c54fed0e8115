//! What people decide about issues, for the API and the pages: statuses, and what ends them.

use crate::{access::Caller, app::App, error::Error};
use errtrack_core::{Condition, Issue, IssueId, ProjectId, Status, Timestamp};

/// Characters of a comment.
const LONGEST: usize = 10_000;

/// What is decided.
#[derive(Debug, Clone)]
pub(crate) enum Decision {
    /// A status that lasts until somebody changes it, or until a resolved issue comes back.
    For(Status),
    /// Resolved in the next release of its project.
    InNextRelease,
    /// A status until a condition is met.
    Until(Condition),
}

impl Decision {
    /// Resolved, in a release if one is given: `next`, or its name.
    pub(crate) fn resolved(release: Option<&str>) -> Self {
        match release.map(str::trim).filter(|release| !release.is_empty()) {
            None => Self::For(Status::Resolved),
            Some("next") => Self::InNextRelease,
            Some(release) => Self::Until(Condition::InRelease(release.to_owned())),
        }
    }

    /// Ignored, until one of these if any is given.
    pub(crate) fn ignored(time: Option<Timestamp>, count: Option<i64>) -> Self {
        match (time, count) {
            (None, None) => Self::For(Status::Ignored),
            (time, count) => Self::Until(Condition::Until { time, count }),
        }
    }

    /// The status that the issues will have.
    pub(crate) fn status(&self) -> Status {
        match self {
            Self::For(status) => *status,
            Self::InNextRelease => Status::Resolved,
            Self::Until(condition) => condition.status(),
        }
    }

    /// Whether it can be decided about an issue now: what would end at once is wrong.
    fn check(&self, issue: &Issue) -> Result<(), Error> {
        let Self::Until(Condition::Until { time, count }) = self else { return Ok(()) };
        if time.is_some_and(|time| time <= Timestamp::now()) {
            return Err(Error::bad_request("until: must lie in the future"));
        }
        if count.is_some_and(|count| count <= issue.count) {
            let (name, now) = (issue.short_id(), issue.count);
            return Err(Error::bad_request(format!("until_count: must be more than {now}, which {name} has now")));
        }
        Ok(())
    }
}

/// Decides about issues; answers how many there still were.
pub(crate) async fn decide(app: &App, issues: &[Issue], decision: &Decision) -> Result<u64, Error> {
    for issue in issues {
        decision.check(issue)?;
    }
    let ids: Vec<IssueId> = issues.iter().map(|issue| issue.id).collect();
    Ok(match decision {
        Decision::For(status) => app.store().set_status(&ids, *status).await?,
        Decision::Until(condition) => app.store().set_condition(&ids, condition).await?,
        Decision::InNextRelease => {
            let mut projects: Vec<ProjectId> = issues.iter().map(|issue| issue.project).collect();
            projects.sort_unstable();
            projects.dedup();
            let mut decided = 0;
            for project in projects {
                let now = app.store().latest_release(project).await?.unwrap_or_default();
                let of_it = issues.iter().filter(|issue| issue.project == project);
                let ids: Vec<IssueId> = of_it.map(|issue| issue.id).collect();
                decided += app.store().set_condition(&ids, &Condition::AfterRelease(now)).await?;
            }
            decided
        }
    })
}

/// Who looks after an issue: nobody for an empty text, whoever asks for `me`.
pub(crate) fn assignee(caller: &Caller, to: &str) -> Result<Option<String>, Error> {
    let to = to.trim();
    if to.chars().count() > 200 {
        return Err(Error::bad_request("assigned_to: must not be longer than 200 characters"));
    }
    match (to, &caller.member) {
        ("", _) => Ok(None),
        ("me", Some(member)) => Ok(Some(member.email.clone())),
        ("me", None) => Err(Error::bad_request("assigned_to: `me` is for members who are signed in")),
        (somebody, _) => Ok(Some(somebody.to_owned())),
    }
}

/// The name under which a caller comments.
pub(crate) fn author(caller: &Caller) -> String {
    match &caller.member {
        Some(member) if member.name.is_empty() => member.email.clone(),
        Some(member) => member.name.clone(),
        None => caller.name.clone().unwrap_or_else(|| "API".into()),
    }
}

/// A comment that may be kept.
pub(crate) fn comment(text: &str) -> Result<&str, Error> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Error::bad_request("text: must not be empty"));
    }
    if text.chars().count() > LONGEST {
        return Err(Error::bad_request(format!("text: must not be longer than {LONGEST} characters")));
    }
    Ok(text)
}
