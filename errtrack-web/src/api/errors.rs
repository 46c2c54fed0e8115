//! `/api/errors`: issues listed, shown, changed, merged, deleted.

pub(super) mod change;
pub(super) mod list;
pub(super) mod regroup;
pub(super) mod show;

use crate::{app::App, error::Error};
use errtrack_core::{Issue, IssueRef};

/// The issue that a path names.
async fn find(app: &App, name: &str) -> Result<Issue, Error> {
    let name: IssueRef = name.parse().map_err(|e| Error::bad_request(format!("id: {e}")))?;
    app.store().issue(&name).await?.ok_or_else(|| Error::not_found("error"))
}
