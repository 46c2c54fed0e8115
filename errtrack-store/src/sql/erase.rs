//! Deleting what belongs to a user.

use super::{Sql, sql};

/// Issues, of merged ones the groups, that the user `$1` has hit, in the projects `$2` (all, if NULL): project and issue.
pub(crate) const ISSUES: Sql = sql!(
    "
SELECT i.project_id, i.id FROM errtrack_issue i
JOIN errtrack_issue_user u ON u.project_id = i.project_id AND u.issue_id = i.id AND u.user_hash = $1
WHERE i.lead_group IS NULL AND (CAST($2 AS TEXT) IS NULL OR i.project_id ",
    in_ids(2),
    ")
ORDER BY i.id"
);

/// Events of the issue `$1` after the row `$2`, at most `$3`.
pub(crate) const EVENTS: Sql = sql!(either(
    "SELECT row, codec, payload FROM errtrack_event WHERE issue_id = $1 AND row > $2 ORDER BY row LIMIT $3",
    "
SELECT e.row, COALESCE(p.codec, -1), COALESCE(p.payload, '') FROM (
  SELECT row, project_id, id FROM errtrack_event WHERE issue_id = $1 AND row > $2 ORDER BY row LIMIT $3
) e LEFT JOIN errtrack_payload p ON p.project_id = e.project_id AND p.id = e.id ORDER BY e.row"
));

/// Waits for those who are writing to an issue. Each with `$1` the project, `$2` the issue, `$3` the user.
pub(crate) const LOCK_ISSUE: Sql = sql!(
    "SELECT 1 FROM errtrack_issue WHERE project_id = $1 AND id = $2 AND CAST($3 AS BIGINT) IS NOT NULL",
    either("", " FOR UPDATE")
);
pub(crate) const LESS_USERS: Sql = sql!(
    "
UPDATE errtrack_issue SET user_count = user_count - (
  SELECT COUNT(*) FROM errtrack_issue_user WHERE project_id = $1 AND issue_id = $2 AND user_hash = $3
) WHERE project_id = $1 AND id = $2"
);
pub(crate) const DELETE_USER: Sql =
    sql!("DELETE FROM errtrack_issue_user WHERE project_id = $1 AND issue_id = $2 AND user_hash = $3");

/// The same three for the issue that it was merged into: the user goes with the last of its groups that had him.
pub(crate) const LOCK_MERGED: Sql = sql!(
    "
SELECT 1 FROM errtrack_issue WHERE CAST($3 AS BIGINT) IS NOT NULL
  AND id = (SELECT g.merged_into FROM errtrack_issue g WHERE g.project_id = $1 AND g.id = $2)",
    either("", " FOR UPDATE")
);
pub(crate) const LESS_USERS_MERGED: Sql = sql!(
    "
UPDATE errtrack_issue SET user_count = user_count - (
  SELECT COUNT(*) FROM errtrack_issue_user u WHERE u.project_id = $1 AND u.issue_id = errtrack_issue.id AND u.user_hash = $3
)
WHERE id = (SELECT g.merged_into FROM errtrack_issue g WHERE g.project_id = $1 AND g.id = $2)
  AND NOT EXISTS (
    SELECT 1 FROM errtrack_issue g JOIN errtrack_issue_user u ON u.project_id = g.project_id AND u.issue_id = g.id
    WHERE g.merged_into = errtrack_issue.id AND u.user_hash = $3
  )"
);
pub(crate) const DELETE_USER_MERGED: Sql = sql!(
    "
DELETE FROM errtrack_issue_user
WHERE project_id = $1 AND issue_id = (SELECT g.merged_into FROM errtrack_issue g WHERE g.project_id = $1 AND g.id = $2)
  AND user_hash = $3 AND NOT EXISTS (
    SELECT 1 FROM errtrack_issue g JOIN errtrack_issue_user u ON u.project_id = g.project_id AND u.issue_id = g.id
    WHERE g.merged_into = errtrack_issue_user.issue_id AND u.user_hash = $3
  )"
);

/// Tells every process that what it knows of users and tags may be gone.
pub(crate) const RAISE_ERASURES: Sql = sql!(
    "
INSERT INTO errtrack_meta (name, value) VALUES ('erasures', '1')
ON CONFLICT (name) DO UPDATE SET value = CAST(CAST(errtrack_meta.value AS BIGINT) + 1 AS TEXT)"
);

#[cfg(test)]
pub(crate) const EVERY: &[Sql] = &[
    ISSUES,
    EVENTS,
    LOCK_ISSUE,
    LESS_USERS,
    DELETE_USER,
    LOCK_MERGED,
    LESS_USERS_MERGED,
    DELETE_USER_MERGED,
    RAISE_ERASURES,
];
