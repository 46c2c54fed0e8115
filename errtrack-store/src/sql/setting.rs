//! What people have set for projects.

use super::{Sql, sql};

pub(crate) const BY_NAME: Sql =
    sql!("SELECT project_id, value FROM errtrack_setting WHERE name = $1 ORDER BY project_id");

/// `$1` the project, `$2` the name, `$3` the value. For no project that is gone; one that goes meanwhile takes it along, as
/// its row is locked.
pub(crate) const PUT: Sql = sql!(
    "
INSERT INTO errtrack_setting (project_id, name, value)
SELECT id, $2, $3 FROM (SELECT id FROM errtrack_project WHERE id = $1",
    either("", " FOR SHARE"),
    ") p WHERE TRUE
ON CONFLICT (project_id, name) DO UPDATE SET value = excluded.value"
);

pub(crate) const DELETE: Sql = sql!("DELETE FROM errtrack_setting WHERE project_id = $1 AND name = $2");
pub(crate) const IS_THERE: Sql = sql!("SELECT id FROM errtrack_project WHERE id = $1");

#[cfg(test)]
pub(crate) const EVERY: &[Sql] = &[BY_NAME, PUT, DELETE, IS_THERE];
