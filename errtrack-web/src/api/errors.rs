//! `/api/errors`: issues listed, shown, changed, merged, deleted.

pub(super) mod change;
pub(super) mod comments;
pub(crate) mod list;
pub(crate) mod markdown;
pub(super) mod regroup;
pub(super) mod show;
pub(super) mod tickets;
