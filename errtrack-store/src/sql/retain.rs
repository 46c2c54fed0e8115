//! Letting go of events, and what says which.

use super::{Sql, sql};

/// `$1` rows, `$2` whether pinned ones stay. First what their issues keep: how many, and the newest of them (a nil id if
/// none is left); then the rows. PostgreSQL locks the issues first, and then does all at once by what it has deleted.
pub(crate) const LESS_STORED: Sql = sql!(either(
    "
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
WHERE i.id = d.issue_id",
    "
SELECT 1 FROM errtrack_issue WHERE id IN (
  SELECT e.issue_id FROM errtrack_event e
  WHERE e.row = ANY(ARRAY(SELECT CAST(value AS BIGINT) FROM json_array_elements_text(CAST($1 AS JSON))))
    AND NOT (e.pinned AND $2)
) ORDER BY id FOR NO KEY UPDATE"
));
/// The same for issues that they were merged into. PostgreSQL locks them after the groups.
pub(crate) const LESS_STORED_MERGED: Sql = sql!(either(
    "
UPDATE errtrack_issue AS i SET
  stored_count = i.stored_count - d.n,
  last_event = CASE WHEN d.newest = 0 THEN i.last_event ELSE COALESCE((
    SELECT e.client_id FROM errtrack_issue g CROSS JOIN errtrack_event e ON e.issue_id = g.id
    WHERE g.merged_into = i.id AND (e.row NOT IN (SELECT value FROM json_each($1)) OR (e.pinned AND $2))
    ORDER BY e.timestamp DESC, e.row DESC LIMIT 1
  ), x'00000000000000000000000000000000') END
FROM (
  SELECT o.id, COUNT(*) AS n, MAX(CASE WHEN e.client_id = o.last_event THEN 1 ELSE 0 END) AS newest
  FROM errtrack_event e JOIN errtrack_issue g ON g.id = e.issue_id JOIN errtrack_issue o ON o.id = g.merged_into
  WHERE e.row IN (SELECT value FROM json_each($1)) AND NOT (e.pinned AND $2)
  GROUP BY o.id
) d
WHERE i.id = d.id",
    "
SELECT 1 FROM errtrack_issue WHERE id IN (
  SELECT g.merged_into FROM errtrack_event e JOIN errtrack_issue g ON g.id = e.issue_id
  WHERE e.row = ANY(ARRAY(SELECT CAST(value AS BIGINT) FROM json_array_elements_text(CAST($1 AS JSON))))
    AND NOT (e.pinned AND $2)
) ORDER BY id FOR NO KEY UPDATE"
));
/// `$1` rows, `$2` whether pinned ones stay, `$3` whether payloads that stand elsewhere go now.
pub(crate) const DELETE_ROWS: Sql = sql!(either(
    "DELETE FROM errtrack_event WHERE row IN (SELECT value FROM json_each($1)) AND NOT (pinned AND $2) AND $3 IS NOT NULL",
    "
WITH r AS (
  SELECT ARRAY(SELECT CAST(value AS BIGINT) FROM json_array_elements_text(CAST($1 AS JSON))) AS rows
), gone AS (
  DELETE FROM errtrack_event e WHERE e.row = ANY((SELECT rows FROM r)::BIGINT[]) AND NOT (e.pinned AND $2)
  RETURNING project_id, issue_id, id, client_id
), payloads AS (
  DELETE FROM errtrack_payload p USING gone WHERE p.project_id = gone.project_id AND p.id = gone.id AND $3
), less AS (
  UPDATE errtrack_issue i SET
    stored_count = i.stored_count - d.n,
    last_event = CASE WHEN i.last_event = ANY(d.ids) THEN COALESCE((
      SELECT e.client_id FROM errtrack_event e
      WHERE e.issue_id = i.id AND (e.row <> ALL((SELECT rows FROM r)::BIGINT[]) OR (e.pinned AND $2))
      ORDER BY e.timestamp DESC, e.row DESC LIMIT 1
    ), '\\x00000000000000000000000000000000') ELSE i.last_event END
  FROM (SELECT issue_id, COUNT(*) AS n, array_agg(client_id) AS ids FROM gone GROUP BY issue_id) d
  WHERE i.id = d.issue_id
), less_merged AS (
  UPDATE errtrack_issue i SET
    stored_count = i.stored_count - d.n,
    last_event = CASE WHEN i.last_event = ANY(d.ids) THEN COALESCE((
      SELECT e.client_id FROM errtrack_issue g JOIN errtrack_event e ON e.issue_id = g.id
      WHERE g.merged_into = i.id AND (e.row <> ALL((SELECT rows FROM r)::BIGINT[]) OR (e.pinned AND $2))
      ORDER BY e.timestamp DESC, e.row DESC LIMIT 1
    ), '\\x00000000000000000000000000000000') ELSE i.last_event END
  FROM (
    SELECT g.merged_into, COUNT(*) AS n, array_agg(gone.client_id) AS ids
    FROM gone JOIN errtrack_issue g ON g.id = gone.issue_id AND g.merged_into IS NOT NULL GROUP BY g.merged_into
  ) d
  WHERE i.id = d.merged_into
)
SELECT 1 FROM gone"
));

/// Issues after `$2` with more than `$1` events, groups of merged ones too: project, issue.
pub(crate) const FULL: Sql = sql!(
    "
SELECT project_id, id FROM errtrack_issue WHERE id > $2 AND stored_count > $1 AND lead_group IS NULL
ORDER BY id LIMIT 500"
);
/// The events of an issue in the order of time, after the time `$2` and the row `$3`, at most `$4`. From the index alone.
pub(crate) const CANDIDATES: Sql = sql!(
    "
SELECT row, timestamp FROM errtrack_event WHERE issue_id = $1 AND (timestamp, row) > ($2, $3)
ORDER BY timestamp, row LIMIT $4"
);
/// Of the project `$1` and the issue `$2`.
pub(crate) const PINNED: Sql = sql!(
    "
SELECT row FROM errtrack_event WHERE project_id = $1 AND issue_id = $2 AND pinned"
);

/// Resolved issues of the project `$2` that were last seen before `$1`, with what they keep.
pub(crate) const STALE: Sql = sql!(
    "
SELECT id, stored_count FROM errtrack_issue
WHERE project_id = $2 AND status = 1 AND last_seen < $1 AND merged_into IS NULL ORDER BY id LIMIT 100"
);
pub(crate) const DELETE_TOKENS: Sql = sql!("DELETE FROM errtrack_token WHERE expires_at <= $1");

pub(crate) const PROJECTS: Sql = sql!("SELECT id FROM errtrack_project ORDER BY id");
/// Events of the project `$1` with an id below `$2`, at most `$3`.
pub(crate) const OLD: Sql = sql!(either(
    "SELECT row FROM errtrack_event WHERE project_id = $1 AND id < $2 ORDER BY id LIMIT $3",
    "
SELECT e.row FROM errtrack_payload p JOIN errtrack_event e ON e.project_id = p.project_id AND e.client_id = p.client_id
WHERE p.project_id = $1 AND p.id < $2 ORDER BY p.id LIMIT $3"
));
/// The oldest events of the project `$1` that are not pinned, at most `$2`.
pub(crate) const OLDEST: Sql = sql!(either(
    "SELECT row FROM errtrack_event WHERE project_id = $1 AND NOT pinned ORDER BY id LIMIT $2",
    "
SELECT e.row FROM errtrack_payload p JOIN errtrack_event e ON e.project_id = p.project_id AND e.client_id = p.client_id
WHERE p.project_id = $1 AND NOT e.pinned ORDER BY p.id LIMIT $2"
));
/// How many events the project keeps.
pub(crate) const STORED: Sql = sql!(
    "SELECT CAST(COALESCE(SUM(stored_count), 0) AS BIGINT) FROM errtrack_issue WHERE project_id = $1 AND merged_into IS NULL"
);
/// The oldest events of all that are not pinned: rows grow with the time of arrival.
pub(crate) const OLDEST_OF_ALL: Sql = sql!("SELECT row FROM errtrack_event WHERE NOT pinned ORDER BY row LIMIT $1");
/// What the oldest of them take on average, indexes included.
pub(crate) const EVENT_SIZE: Sql = sql!(
    "
SELECT CAST(COALESCE(AVG(LENGTH(payload)), 0) AS BIGINT) + 250 FROM (
  SELECT payload FROM ",
    either("errtrack_event ORDER BY row", "errtrack_payload ORDER BY id"),
    " LIMIT 1000
) e"
);

#[cfg(test)]
pub(crate) const EVERY: &[Sql] = &[
    LESS_STORED,
    LESS_STORED_MERGED,
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
