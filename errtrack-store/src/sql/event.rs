//! Events.

use super::{Sql, sql};

/// The columns of an event, in the order in which they are read. In PostgreSQL payloads stand in a table of their own; where
/// one is missing, there is a codec that nothing can read.
macro_rules! columns {
    (sqlite) => {
        "
SELECT e.row, e.id, i.id, i.uuid, e.project_id, e.timestamp, e.client_id, e.codec, e.payload,
  e.pinned
FROM errtrack_event e JOIN errtrack_issue g ON g.id = e.issue_id
JOIN errtrack_issue i ON i.id = COALESCE(g.merged_into, g.id)"
    };
    (postgres) => {
        "
SELECT e.row, e.id, i.id, i.uuid, e.project_id, e.timestamp, e.client_id, COALESCE(p.codec, -1),
  COALESCE(p.payload, ''), e.pinned
FROM errtrack_event e JOIN errtrack_issue g ON g.id = e.issue_id
JOIN errtrack_issue i ON i.id = COALESCE(g.merged_into, g.id)
LEFT JOIN errtrack_payload p ON p.project_id = e.project_id AND p.id = e.id"
    };
}
pub(super) use columns;

/// `$2` projects, or NULL for all. In PostgreSQL the payloads are ordered by id, and the rows of events are not.
pub(crate) const BY_ID: Sql = sql!(
    event_columns,
    either(
        " WHERE e.project_id IN (
  SELECT id FROM errtrack_project WHERE CAST($2 AS TEXT) IS NULL OR id IN (SELECT value FROM json_each($2))
) AND e.id = $1 LIMIT 1",
        " WHERE (e.project_id, e.client_id) IN (
  SELECT q.project_id, q.client_id FROM errtrack_payload q WHERE q.id = $1 AND q.project_id IN (
    SELECT id FROM errtrack_project WHERE CAST($2 AS TEXT) IS NULL
      OR id = ANY(ARRAY(SELECT CAST(value AS BIGINT) FROM json_array_elements_text(CAST($2 AS JSON))))
  )
) LIMIT 1"
    )
);

pub(crate) const BY_CLIENT_ID: Sql = sql!(
    event_columns,
    " WHERE e.project_id IN (
  SELECT id FROM errtrack_project WHERE CAST($2 AS TEXT) IS NULL OR id ",
    in_ids(2),
    "
) AND e.client_id = $1 LIMIT 1"
);

pub(crate) const NEWEST: Sql =
    sql!(event_columns, " WHERE e.issue_id = $1 ORDER BY e.timestamp DESC, e.row DESC LIMIT $2");

pub(crate) const NEWEST_AFTER: Sql = sql!(
    event_columns,
    " WHERE e.issue_id = $1 AND (e.timestamp, e.row) < ($3, $4) ORDER BY e.timestamp DESC, e.row DESC LIMIT $2"
);

/// The same two for the groups `$1` of a merged issue: their events are put in order, by the index alone.
pub(crate) const NEWEST_OF: Sql = sql!(
    event_columns,
    " WHERE e.row IN (
  SELECT o.row FROM errtrack_event o WHERE o.issue_id ",
    in_ids(1),
    " ORDER BY o.timestamp DESC, o.row DESC LIMIT $2
) ORDER BY e.timestamp DESC, e.row DESC"
);
pub(crate) const NEWEST_OF_AFTER: Sql = sql!(
    event_columns,
    " WHERE e.row IN (
  SELECT o.row FROM errtrack_event o WHERE o.issue_id ",
    in_ids(1),
    " AND (o.timestamp, o.row) < ($3, $4) ORDER BY o.timestamp DESC, o.row DESC LIMIT $2
) ORDER BY e.timestamp DESC, e.row DESC"
);

/// Of the group `$1` after the row `$2`, at most `$3`.
pub(crate) const OF_GROUP: Sql = sql!(event_columns, " WHERE e.issue_id = $1 AND e.row > $2 ORDER BY e.row LIMIT $3");

/// `$1` the issue, `$2` the time and `$3` the row of the event.
pub(crate) const POSITION: Sql = sql!(
    "
SELECT
  (SELECT COUNT(*) FROM errtrack_event e WHERE e.issue_id = $1 AND (e.timestamp, e.row) <= ($2, $3)),
  COALESCE((SELECT stored_count FROM errtrack_issue WHERE id = $1), 0),
  (SELECT e.id FROM errtrack_event e WHERE e.issue_id = $1 ORDER BY e.timestamp, e.row LIMIT 1),
  (SELECT e.id FROM errtrack_event e WHERE e.issue_id = $1 AND (e.timestamp, e.row) < ($2, $3)
    ORDER BY e.timestamp DESC, e.row DESC LIMIT 1),
  (SELECT e.id FROM errtrack_event e WHERE e.issue_id = $1 AND (e.timestamp, e.row) > ($2, $3)
    ORDER BY e.timestamp, e.row LIMIT 1),
  (SELECT e.id FROM errtrack_event e WHERE e.issue_id = $1 ORDER BY e.timestamp DESC, e.row DESC LIMIT 1)"
);

/// The same for the groups `$1` of a merged issue.
pub(crate) const POSITION_OF: Sql = sql!(
    "
WITH o AS (
  SELECT e.timestamp, e.row, e.id FROM errtrack_event e WHERE e.issue_id ",
    in_ids(1),
    "
)
SELECT
  (SELECT COUNT(*) FROM o WHERE (o.timestamp, o.row) <= ($2, $3)),
  (SELECT COUNT(*) FROM o),
  (SELECT o.id FROM o ORDER BY o.timestamp, o.row LIMIT 1),
  (SELECT o.id FROM o WHERE (o.timestamp, o.row) < ($2, $3) ORDER BY o.timestamp DESC, o.row DESC LIMIT 1),
  (SELECT o.id FROM o WHERE (o.timestamp, o.row) > ($2, $3) ORDER BY o.timestamp, o.row LIMIT 1),
  (SELECT o.id FROM o ORDER BY o.timestamp DESC, o.row DESC LIMIT 1)"
);

/// `$1` the project, `$2` the id, `$3` whether it is pinned.
pub(crate) const PIN: Sql = sql!(
    "UPDATE errtrack_event SET pinned = $3 WHERE project_id = $1 AND ",
    either("id = $2", "client_id = (SELECT p.client_id FROM errtrack_payload p WHERE p.project_id = $1 AND p.id = $2)")
);

#[cfg(test)]
pub(crate) const EVERY: &[Sql] =
    &[BY_ID, BY_CLIENT_ID, OF_GROUP, NEWEST, NEWEST_AFTER, NEWEST_OF, NEWEST_OF_AFTER, POSITION, POSITION_OF, PIN];
