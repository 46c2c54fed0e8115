//! Events that could not be written.

use super::{Sql, sql};

/// `$1` the project, `$2` the id, `$3` the time, `$4` how many events, `$5` codec, `$6` reason, `$7` payload. For no project
/// that is gone.
pub(crate) const PUT: Sql = sql!(
    "
INSERT INTO errtrack_set_aside (project_id, id, at, times, codec, reason, payload)
SELECT id, $2, $3, $4, $5, $6, $7 FROM errtrack_project WHERE id = $1
ON CONFLICT (project_id, id) DO UPDATE SET at = excluded.at, reason = excluded.reason"
);

/// All but the newest `$1` + 1.
pub(crate) const DELETE_OLDEST: Sql = sql!(
    "
DELETE FROM errtrack_set_aside WHERE (at, id) < (
  SELECT at, id FROM errtrack_set_aside ORDER BY at DESC, id DESC LIMIT 1 OFFSET $1
)"
);

pub(crate) const NEWEST: Sql = sql!(
    "
SELECT project_id, at, times, codec, reason, payload FROM errtrack_set_aside ORDER BY at DESC, id DESC LIMIT $1"
);

/// After the project `$1` and the id `$2`, at most `$3`.
pub(crate) const ALL: Sql = sql!(
    "
SELECT project_id, id, codec, payload FROM errtrack_set_aside WHERE (project_id, id) > ($1, $2)
ORDER BY project_id, id LIMIT $3"
);

pub(crate) const DELETE: Sql = sql!("DELETE FROM errtrack_set_aside WHERE project_id = $1 AND id = $2");

#[cfg(test)]
pub(crate) const EVERY: &[Sql] = &[PUT, DELETE_OLDEST, NEWEST, ALL, DELETE];
