//! Deleting in small steps.

/// Issues leave in one step with their groupings, so that a new event makes a new issue; the rest follows.
pub(crate) const BURY: &str = "
INSERT INTO errtrack_deleted_issue (issue_id, first_hour, last_hour)
SELECT id, first_seen / 3600000000, last_seen / 3600000000 FROM errtrack_issue
WHERE id IN (SELECT value FROM json_each($1))
ON CONFLICT DO NOTHING";
pub(crate) const DELETE_GROUPINGS: &str =
    "DELETE FROM errtrack_grouping WHERE issue_id IN (SELECT value FROM json_each($1))";
pub(crate) const DELETE_ISSUES: &str = "DELETE FROM errtrack_issue WHERE id IN (SELECT value FROM json_each($1))";

pub(crate) const BURIED: &str =
    "SELECT issue_id, first_hour, last_hour FROM errtrack_deleted_issue ORDER BY issue_id LIMIT $1";
pub(crate) const FORGET: &str = "DELETE FROM errtrack_deleted_issue WHERE issue_id = $1";

/// `$2` how many.
pub(crate) const DELETE_EVENTS: &str =
    "DELETE FROM errtrack_event WHERE row IN (SELECT row FROM errtrack_event WHERE issue_id = $1 LIMIT $2)";
/// `$2` how many.
pub(crate) const DELETE_USERS: &str = "
DELETE FROM errtrack_issue_user WHERE issue_id = $1 AND user_hash IN (
  SELECT user_hash FROM errtrack_issue_user WHERE issue_id = $1 LIMIT $2
)";
/// `$2` how many.
pub(crate) const DELETE_TAGS: &str = "
DELETE FROM errtrack_issue_tag WHERE issue_id = $1 AND tag IN (
  SELECT tag FROM errtrack_issue_tag WHERE issue_id = $1 LIMIT $2
)";
/// From hour `$2` to `$3`: a look-up by key for each.
pub(crate) const DELETE_HOURS: &str = "
WITH RECURSIVE h (hour) AS (SELECT $2 UNION ALL SELECT hour + 1 FROM h WHERE hour < $3)
DELETE FROM errtrack_issue_hour WHERE (hour, issue_id) IN (SELECT hour, $1 FROM h)";

/// Resolved issues that were last seen before `$1`.
pub(crate) const STALE: &str = "SELECT id FROM errtrack_issue WHERE status = 1 AND last_seen < $1 LIMIT 500";
pub(crate) const DELETE_TOKENS: &str = "DELETE FROM errtrack_token WHERE expires_at <= $1";

/// Issues after `$2` with more than `$1` events.
pub(crate) const FULL: &str = "
SELECT id, stored_count - $1 FROM errtrack_issue WHERE id > $2 AND stored_count > $1 ORDER BY id LIMIT 500";
pub(crate) const DELETE_OLDEST: &str = "
DELETE FROM errtrack_event WHERE row IN (
  SELECT row FROM errtrack_event WHERE issue_id = $1 ORDER BY timestamp, row LIMIT $2
)";
pub(crate) const LESS_STORED: &str = "UPDATE errtrack_issue SET stored_count = stored_count - $2 WHERE id = $1";

#[cfg(test)]
pub(crate) const EVERY: &[&str] = &[
    BURY,
    DELETE_GROUPINGS,
    DELETE_ISSUES,
    BURIED,
    FORGET,
    DELETE_EVENTS,
    DELETE_USERS,
    DELETE_TAGS,
    DELETE_HOURS,
    STALE,
    DELETE_TOKENS,
    FULL,
    DELETE_OLDEST,
    LESS_STORED,
];
