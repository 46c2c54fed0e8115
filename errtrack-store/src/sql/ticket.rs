//! Tickets.

use super::{Sql, sql};

/// The tickets of the issue that `$1` stands for, and of all its groups; also places that are reserved just now.
pub(crate) const OF_ISSUE: Sql = sql!(
    "
SELECT t.uuid, t.integration, t.kind, t.name, t.url, t.title, CAST(t.created_at AS TEXT), t.created_by
FROM errtrack_issue m
JOIN errtrack_issue h ON h.id = COALESCE(m.merged_into, m.id)
JOIN errtrack_issue g ON g.merged_into = h.id OR g.id = h.id
JOIN errtrack_ticket t ON t.project_id = g.project_id AND t.issue_id = g.id
WHERE m.id = $1 AND (t.url IS NOT NULL OR t.reserved_until > ",
    now,
    ") ORDER BY t.id"
);

/// Gives the row `$1` a ticket: id, integration, kind, name, URL, title, when, by whom; reserved for `$10`.
pub(crate) const ADD: Sql = sql!(
    "
INSERT INTO errtrack_ticket (uuid, project_id, issue_id, integration, kind, name, url, title, created_at, created_by,
  reserved_until)
SELECT CAST($2 AS TEXT), project_id, id, CAST($3 AS TEXT), CAST($4 AS TEXT), CAST($5 AS TEXT), CAST($6 AS TEXT),
  CAST($7 AS TEXT), CAST($8 AS BIGINT), CAST($9 AS TEXT), CAST($10 AS BIGINT) + ",
    now,
    "
FROM errtrack_issue WHERE id = $1
RETURNING id"
);

/// Fills the place `$1`: name, URL, title, when.
pub(crate) const FINISH: Sql = sql!(
    "
UPDATE errtrack_ticket SET name = $2, url = $3, title = $4, created_at = $5
WHERE uuid = $1 AND url IS NULL AND EXISTS (SELECT 1 FROM errtrack_issue i WHERE i.id = errtrack_ticket.issue_id)
RETURNING id"
);

/// Takes `$2` away from the issue that `$1` stands for, or from one of its groups.
pub(crate) const DELETE: Sql = sql!(
    "
DELETE FROM errtrack_ticket WHERE uuid = $2 AND issue_id IN (
  SELECT g.id FROM errtrack_issue m
  JOIN errtrack_issue g ON g.id = COALESCE(m.merged_into, m.id) OR g.merged_into = COALESCE(m.merged_into, m.id)
  WHERE m.id = $1
) RETURNING id"
);

/// Takes places away from the row `$1` that were free again `$2` ago.
pub(crate) const FORGET: Sql = sql!(
    "
DELETE FROM errtrack_ticket WHERE id IN (
  SELECT t.id FROM errtrack_issue i JOIN errtrack_ticket t ON t.project_id = i.project_id AND t.issue_id = i.id
  WHERE i.id = $1 AND t.url IS NULL AND t.reserved_until + $2 < ",
    now,
    "
)"
);

/// Of project `$1` and the deleted issues from `$2` to `$3`; `$4` how many.
pub(crate) const OF_DELETED: Sql = sql!(
    "
DELETE FROM errtrack_ticket WHERE id IN (
  SELECT t.id FROM errtrack_deleted_issue b ",
    then_join,
    " errtrack_ticket t ON t.project_id = b.project_id AND t.issue_id = b.issue_id
  WHERE b.project_id = $1 AND b.issue_id BETWEEN $2 AND $3 LIMIT $4
)"
);

#[cfg(test)]
pub(crate) const EVERY: &[Sql] = &[OF_ISSUE, ADD, FINISH, DELETE, FORGET, OF_DELETED];
