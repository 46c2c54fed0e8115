//! Merging issues and taking them apart, for the API and the pages.

use crate::{
    access::{Caller, Deed},
    app::App,
    error::Error,
};
use axum::http::StatusCode;
use errtrack_core::{
    Fingerprint, Issue, IssueId,
    store::{Refusal, Regrouped},
};

/// Issues or fingerprints that one request may name.
pub(crate) const MOST: usize = 100;

/// Merges issues, given by their names, into one of them: `into`, else the one with the smallest number.
pub(crate) async fn merge(app: &App, caller: &Caller, into: Option<&str>, ids: &[&str]) -> Result<Issue, Error> {
    if ids.len() > MOST {
        return Err(Error::bad_request(format!("ids: {MOST} issues are the most that can be merged at once")));
    }
    if ids.len() + usize::from(into.is_some()) < 2 {
        return Err(Error::bad_request("ids: merging takes at least two issues"));
    }
    let mut issues = Vec::with_capacity(ids.len());
    for id in ids {
        issues.push(caller.find_issue_of(app, "ids", id).await?);
    }
    let into = match into {
        Some(into) => Some(caller.find_issue_of(app, "into", into).await?),
        None => issues.iter().min_by_key(|issue| (issue.project, issue.number)).cloned(),
    };
    let Some(into) = into else { return Err(Error::bad_request("ids: merging takes at least two issues")) };
    let others: Vec<IssueId> = issues.iter().map(|issue| issue.id).collect();
    let issue = done(app.store().merge(into.project, into.id, &others).await?)?.pop();
    let issue = issue.ok_or_else(|| Error::not_found("error"))?;
    let names: Vec<String> = issues.iter().map(Issue::short_id).collect();
    caller.did(app, Deed::new("issue.merge", issue.short_id()).details(names.join(", ")).of(issue.project)).await;
    Ok(issue)
}

/// Takes groups out of an issue; answers what is left of it, then the issues that came back.
pub(crate) async fn unmerge(
    app: &App,
    caller: &Caller,
    issue: &Issue,
    fingerprints: &[&str],
) -> Result<Vec<Issue>, Error> {
    if fingerprints.len() > MOST {
        return Err(Error::bad_request(format!("fingerprints: {MOST} are the most that can be taken out at once")));
    }
    let mut parsed: Vec<Fingerprint> = Vec::with_capacity(fingerprints.len());
    for text in fingerprints {
        let wrong = |_| Error::bad_request("fingerprints: each must be 32 hexadecimal digits");
        parsed.push(text.parse().map_err(wrong)?);
    }
    let issues = done(app.store().unmerge(issue.id, &parsed).await?)?;
    let deed = Deed::new("issue.unmerge", issue.short_id()).details(fingerprints.join(", ")).of(issue.project);
    caller.did(app, deed).await;
    Ok(issues)
}

fn done(regrouped: Regrouped) -> Result<Vec<Issue>, Error> {
    let refusal = match regrouped {
        Regrouped::Done(issues) => return Ok(issues),
        Regrouped::Refused(refusal) => refusal,
    };
    let status = match refusal {
        Refusal::Gone | Refusal::NotOfIssue(_) => StatusCode::NOT_FOUND,
        Refusal::NoFingerprint => StatusCode::BAD_REQUEST,
        _ => StatusCode::CONFLICT,
    };
    Err(Error::new(status, refusal.to_string()))
}
