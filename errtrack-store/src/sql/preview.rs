//! Counting what retention would do.

use super::{Sql, sql};

/// Resolved issues of the project `$2` that were last seen before `$1`: how many, and how many events they keep.
pub(crate) const STALE: Sql = sql!(
    "
SELECT COUNT(*), CAST(COALESCE(SUM(stored_count), 0) AS BIGINT) FROM errtrack_issue
WHERE project_id = $2 AND status = 1 AND last_seen < $1 AND merged_into IS NULL"
);

/// Of the project `$1` without issues that were resolved and last seen before `$3`: how many events it keeps, how many of
/// the pinned have no id below `$2`, how many events have one.
pub(crate) const PROJECT: Sql = sql!(
    "
SELECT
  (SELECT CAST(COALESCE(SUM(stored_count), 0) AS BIGINT) FROM errtrack_issue
    WHERE project_id = $1 AND merged_into IS NULL AND NOT (status = 1 AND last_seen < $3)),
  (SELECT COUNT(*) FROM errtrack_event e
    JOIN errtrack_issue g ON g.id = e.issue_id JOIN errtrack_issue i ON i.id = COALESCE(g.merged_into, g.id)
    WHERE e.project_id = $1 AND e.pinned AND e.id >= $2 AND NOT (i.status = 1 AND i.last_seen < $3)),
  (SELECT COUNT(*) FROM ",
    either(
        "errtrack_event e",
        "errtrack_payload q JOIN errtrack_event e ON e.project_id = q.project_id AND e.client_id = q.client_id AND q.id < $2"
    ),
    "
    JOIN errtrack_issue g ON g.id = e.issue_id JOIN errtrack_issue i ON i.id = COALESCE(g.merged_into, g.id)
    WHERE e.project_id = $1 AND e.id < $2 AND NOT (i.status = 1 AND i.last_seen < $3))"
);

/// Issues of the project `$4`, and groups of merged ones, after `$2` with more than `$1` events, but not those resolved and last seen before `$3`: project, issue.
pub(crate) const FULL: Sql = sql!(
    "
SELECT g.project_id, g.id FROM errtrack_issue g JOIN errtrack_issue i ON i.id = COALESCE(g.merged_into, g.id)
WHERE g.project_id = $4 AND g.id > $2 AND g.stored_count > $1 AND g.lead_group IS NULL AND NOT (i.status = 1 AND i.last_seen < $3)
ORDER BY g.id LIMIT 500"
);
/// The events of the issue `$1` in the order of time, after the time `$2` and the row `$3`, at most `$4`: row, time,
/// whether the id is below `$5`, whether it is pinned.
pub(crate) const EVENTS: Sql = sql!(
    "
SELECT row, timestamp, id < $5, pinned FROM errtrack_event WHERE issue_id = $1 AND (timestamp, row) > ($2, $3)
ORDER BY timestamp, row LIMIT $4"
);

#[cfg(test)]
pub(crate) const EVERY: &[Sql] = &[STALE, PROJECT, FULL, EVENTS];
