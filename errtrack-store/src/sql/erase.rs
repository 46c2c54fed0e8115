//! Deleting what belongs to a user.

/// Issues that the user `$1` has hit, in the projects `$2` (all, if NULL): project and issue.
pub(crate) const ISSUES: &str = "
SELECT i.project_id, i.id FROM errtrack_issue i
JOIN errtrack_issue_user u ON u.issue_id = i.id AND u.user_hash = $1
WHERE CAST($2 AS TEXT) IS NULL OR i.project_id IN (SELECT value FROM json_each($2))
ORDER BY i.id";

/// Events of the issue `$1` after the row `$2`, at most `$3`.
pub(crate) const EVENTS: &str =
    "SELECT row, codec, payload FROM errtrack_event WHERE issue_id = $1 AND row > $2 ORDER BY row LIMIT $3";

/// `$1` the issue, `$2` the user.
pub(crate) const LESS_USERS: &str = "
UPDATE errtrack_issue SET user_count = user_count - (
  SELECT COUNT(*) FROM errtrack_issue_user WHERE issue_id = $1 AND user_hash = $2
) WHERE id = $1";
pub(crate) const DELETE_USER: &str = "DELETE FROM errtrack_issue_user WHERE issue_id = $1 AND user_hash = $2";

/// Tells every process that what it knows of users and tags may be gone.
pub(crate) const RAISE_ERASURES: &str = "
INSERT INTO errtrack_meta (name, value) VALUES ('erasures', '1')
ON CONFLICT (name) DO UPDATE SET value = CAST(CAST(errtrack_meta.value AS BIGINT) + 1 AS TEXT)";

#[cfg(test)]
pub(crate) const EVERY: &[&str] = &[ISSUES, EVENTS, LESS_USERS, DELETE_USER, RAISE_ERASURES];
