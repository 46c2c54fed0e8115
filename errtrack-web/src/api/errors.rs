//! `/api/errors`: issues listed, shown, changed, merged, deleted.

mod change;
pub(super) mod list;
mod regroup;
pub(super) mod show;

pub(super) use change::{delete, ignore, resolve, unresolve};
pub(super) use regroup::{groups, merge, unmerge};
pub(super) use show::events;
