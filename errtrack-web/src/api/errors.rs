//! `/api/errors`: issues listed, shown, changed, merged, deleted.

mod change;
pub(super) mod list;
mod regroup;
pub(super) mod show;

pub(super) use change::{delete, ignore, resolve, unresolve};
pub(super) use regroup::{groups, merge, unmerge};
pub(super) use show::events;

use crate::{app::App, error::Error};
use errtrack_core::{Issue, IssueRef};

/// The issue that a path names.
async fn find(app: &App, name: &str) -> Result<Issue, Error> {
    let name: IssueRef = name.parse().map_err(|e| Error::bad_request(format!("id: {e}")))?;
    app.store().issue(&name).await?.ok_or_else(|| Error::not_found("error"))
}
