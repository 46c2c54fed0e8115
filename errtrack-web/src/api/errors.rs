//! `/api/errors`: issues listed, shown, changed, merged, deleted.

mod change;
mod list;
mod regroup;
mod show;

pub(super) use change::{delete, ignore, resolve, unresolve};
pub(super) use list::list;
pub(super) use regroup::{groups, merge, unmerge};
pub(super) use show::{events, show};

use crate::{app::App, error::Error};
use errtrack_core::{Issue, IssueRef};

/// The issue that a path names.
async fn find(app: &App, name: &str) -> Result<Issue, Error> {
    let name: IssueRef = name.parse().map_err(|e| Error::bad_request(format!("id: {e}")))?;
    app.store().issue(&name).await?.ok_or_else(|| Error::not_found("error"))
}
