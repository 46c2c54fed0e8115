//! Letting go of events, and what says which.

/// `$1` rows, `$2` whether pinned ones stay. First what their issues keep: how many, and the newest of them (a nil id if
/// none is left); then the rows.
pub(crate) const LESS_STORED: &str = "
UPDATE errtrack_issue AS i SET
  stored_count = i.stored_count - d.n,
  last_event = CASE WHEN d.newest = 0 THEN i.last_event ELSE COALESCE((
    SELECT e.client_id FROM errtrack_event e
    WHERE e.issue_id = i.id AND (e.row NOT IN (SELECT value FROM json_each($1)) OR (e.pinned AND $2))
    ORDER BY e.timestamp DESC, e.row DESC LIMIT 1
  ), x'00000000000000000000000000000000') END
FROM (
  SELECT e.issue_id, COUNT(*) AS n, MAX(CASE WHEN e.client_id = o.last_event THEN 1 ELSE 0 END) AS newest
  FROM errtrack_event e JOIN errtrack_issue o ON o.id = e.issue_id
  WHERE e.row IN (SELECT value FROM json_each($1)) AND NOT (e.pinned AND $2)
  GROUP BY e.issue_id
) d
WHERE i.id = d.issue_id";
pub(crate) const DELETE_ROWS: &str =
    "DELETE FROM errtrack_event WHERE row IN (SELECT value FROM json_each($1)) AND NOT (pinned AND $2)";

/// Issues after `$2` with more than `$1` events: project, issue.
pub(crate) const FULL: &str = "
SELECT project_id, id FROM errtrack_issue WHERE id > $2 AND stored_count > $1 ORDER BY id LIMIT 500";
/// The events of an issue in the order of time, after the time `$2` and the row `$3`, at most `$4`. From the index alone.
pub(crate) const CANDIDATES: &str = "
SELECT row, timestamp FROM errtrack_event WHERE issue_id = $1 AND (timestamp, row) > ($2, $3)
ORDER BY timestamp, row LIMIT $4";
/// Of the project `$1` and the issue `$2`.
pub(crate) const PINNED: &str = "
SELECT row FROM errtrack_event WHERE project_id = $1 AND issue_id = $2 AND pinned";

/// Resolved issues that were last seen before `$1`, with what they keep.
pub(crate) const STALE: &str =
    "SELECT id, stored_count FROM errtrack_issue WHERE status = 1 AND last_seen < $1 ORDER BY id LIMIT 100";
pub(crate) const DELETE_TOKENS: &str = "DELETE FROM errtrack_token WHERE expires_at <= $1";

pub(crate) const PROJECTS: &str = "SELECT id FROM errtrack_project ORDER BY id";
/// Events of the project `$1` with an id below `$2`, at most `$3`.
pub(crate) const OLD: &str = "
SELECT row FROM errtrack_event WHERE project_id = $1 AND id < $2 ORDER BY id LIMIT $3";
/// The oldest events of the project `$1` that are not pinned, at most `$2`.
pub(crate) const OLDEST: &str = "
SELECT row FROM errtrack_event WHERE project_id = $1 AND NOT pinned ORDER BY id LIMIT $2";
/// How many events the project keeps.
pub(crate) const STORED: &str =
    "SELECT CAST(COALESCE(SUM(stored_count), 0) AS BIGINT) FROM errtrack_issue WHERE project_id = $1";
/// The oldest events of all that are not pinned: rows grow with the time of arrival.
pub(crate) const OLDEST_OF_ALL: &str = "SELECT row FROM errtrack_event WHERE NOT pinned ORDER BY row LIMIT $1";
/// What the oldest of them take on average, indexes included.
pub(crate) const EVENT_SIZE: &str = "
SELECT CAST(COALESCE(AVG(LENGTH(payload)), 0) AS BIGINT) + 250 FROM (
  SELECT payload FROM errtrack_event ORDER BY row LIMIT 1000
) e";

#[cfg(test)]
pub(crate) const EVERY: &[&str] = &[
    LESS_STORED,
    DELETE_ROWS,
    FULL,
    CANDIDATES,
    PINNED,
    STALE,
    DELETE_TOKENS,
    PROJECTS,
    OLD,
    OLDEST,
    STORED,
    OLDEST_OF_ALL,
    EVENT_SIZE,
];
