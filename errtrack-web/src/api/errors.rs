//! `/api/errors`: issues listed, shown, changed, merged, deleted.

pub(super) mod change;
pub(super) mod list;
pub(super) mod regroup;
pub(super) mod show;
