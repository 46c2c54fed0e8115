//! Events.

pub(crate) const COLUMNS: &str = "
SELECT e.row, e.id, e.issue_id, i.uuid, e.project_id, e.timestamp, e.client_id, e.codec, e.payload,
  e.pinned
FROM errtrack_event e JOIN errtrack_issue i ON i.id = e.issue_id";

/// `$2` projects, or NULL for all.
pub(crate) const BY_ID: &str = " WHERE e.project_id IN (
  SELECT id FROM errtrack_project WHERE CAST($2 AS TEXT) IS NULL OR id IN (SELECT value FROM json_each($2))
) AND e.id = $1 LIMIT 1";

pub(crate) const BY_CLIENT_ID: &str = " WHERE e.project_id IN (
  SELECT id FROM errtrack_project WHERE CAST($2 AS TEXT) IS NULL OR id IN (SELECT value FROM json_each($2))
) AND e.client_id = $1 LIMIT 1";

pub(crate) const NEWEST: &str = " WHERE e.issue_id = $1 ORDER BY e.timestamp DESC, e.row DESC LIMIT $2";

pub(crate) const NEWEST_AFTER: &str = " WHERE e.issue_id = $1 AND (e.timestamp, e.row) < ($3, $4)
ORDER BY e.timestamp DESC, e.row DESC LIMIT $2";

/// `$1` the issue, `$2` the time and `$3` the row of the event.
pub(crate) const POSITION: &str = "
SELECT
  (SELECT COUNT(*) FROM errtrack_event WHERE issue_id = $1 AND (timestamp, row) <= ($2, $3)),
  COALESCE((SELECT stored_count FROM errtrack_issue WHERE id = $1), 0),
  (SELECT id FROM errtrack_event WHERE issue_id = $1 ORDER BY timestamp, row LIMIT 1),
  (SELECT id FROM errtrack_event WHERE issue_id = $1 AND (timestamp, row) < ($2, $3)
    ORDER BY timestamp DESC, row DESC LIMIT 1),
  (SELECT id FROM errtrack_event WHERE issue_id = $1 AND (timestamp, row) > ($2, $3)
    ORDER BY timestamp, row LIMIT 1),
  (SELECT id FROM errtrack_event WHERE issue_id = $1 ORDER BY timestamp DESC, row DESC LIMIT 1)";

/// `$1` the project, `$2` the id, `$3` whether it is pinned.
pub(crate) const PIN: &str = "UPDATE errtrack_event SET pinned = $3 WHERE project_id = $1 AND id = $2";
