//! Conditions, releases, comments.

use super::{Sql, sql};

/// Of the issues `$1`: id, status, project, events, and what ends the status.
pub(crate) const CONDITIONS: Sql = sql!(
    "
SELECT i.id, i.status, i.project_id, i.count, i.resolved_in, i.resolved_after, i.ignored_until, i.ignored_until_count
FROM errtrack_issue i WHERE i.id ",
    in_ids(1)
);
/// Opens the rows `$1`, whose condition is met. They are locked.
pub(crate) const MEET: Sql = sql!(
    "
UPDATE errtrack_issue SET regressed = CASE WHEN status = 1 THEN TRUE ELSE regressed END, status = 0, resolved_at = NULL,
  resolved_in = NULL, resolved_after = NULL, ignored_until = NULL, ignored_until_count = NULL
WHERE status <> 0 AND id ",
    in_ids(1)
);

/// Issues that are ignored until `$1` or earlier, at most `$2`.
pub(crate) const DUE: Sql =
    sql!("SELECT id FROM errtrack_issue WHERE ignored_until <= $1 AND merged_into IS NULL LIMIT $2");
/// Opens the rows `$1`, if they are ignored until `$2` or earlier, at the time `$3`.
pub(crate) const UNIGNORE: Sql = sql!(
    "
UPDATE errtrack_issue SET status = CASE WHEN status = 2 THEN 0 ELSE status END, ignored_until = NULL,
  ignored_until_count = NULL, updated_at = $3
WHERE ignored_until <= $2 AND id ",
    in_ids(1),
    " RETURNING project_id, id, CAST(CASE WHEN merged_into IS NULL THEN 1 ELSE 0 END AS BIGINT)"
);

/// The release `$2` of project `$1` is there since `$3`, unless it was before, or there are `$4`.
pub(crate) const ADD_RELEASE: Sql = sql!(
    "
INSERT INTO errtrack_release (project_id, name, first_seen)
SELECT CAST($1 AS BIGINT), CAST($2 AS TEXT), CAST($3 AS BIGINT)
WHERE (SELECT COUNT(*) FROM errtrack_release WHERE project_id = $1) < $4
ON CONFLICT DO NOTHING"
);
/// The releases of project `$1` that came last, at most `$2`.
pub(crate) const RELEASES: Sql =
    sql!("SELECT name, first_seen FROM errtrack_release WHERE project_id = $1 ORDER BY first_seen DESC, name LIMIT $2");
/// Since when the release `$2` of project `$1` is there.
pub(crate) const FIRST_SEEN: Sql = sql!("SELECT first_seen FROM errtrack_release WHERE project_id = $1 AND name = $2");

/// The comments on the issue that `$1` stands for, and on all its groups.
pub(crate) const COMMENTS: Sql = sql!(
    "
SELECT c.id, c.author, c.at, c.text FROM errtrack_issue m
JOIN errtrack_issue h ON h.id = COALESCE(m.merged_into, m.id)
JOIN errtrack_issue g ON g.merged_into = h.id OR g.id = h.id
JOIN errtrack_comment c ON c.project_id = g.project_id AND c.issue_id = g.id
WHERE m.id = $1 ORDER BY c.id"
);
/// Adds to the row `$1` the comment of `$2` at `$3`, `$4`.
pub(crate) const ADD_COMMENT: Sql = sql!(
    "
INSERT INTO errtrack_comment (project_id, issue_id, author, at, text)
SELECT project_id, id, CAST($2 AS TEXT), CAST($3 AS BIGINT), CAST($4 AS TEXT) FROM errtrack_issue WHERE id = $1
RETURNING id"
);
/// The group whose name the issue has that `$1` stands for.
pub(crate) const LEAD: Sql = sql!(
    "
SELECT COALESCE(h.lead_group, h.id) FROM errtrack_issue m JOIN errtrack_issue h ON h.id = COALESCE(m.merged_into, m.id)
WHERE m.id = $1"
);

#[cfg(test)]
pub(crate) const EVERY: &[Sql] =
    &[CONDITIONS, MEET, DUE, UNIGNORE, ADD_RELEASE, RELEASES, FIRST_SEEN, COMMENTS, ADD_COMMENT, LEAD];
