//! Incidents, their timelines and the issues that are linked to them.

use super::{Sql, sql};

/// The columns of an incident as text, in the order in which they are read.
macro_rules! columns {
    () => {
        "
SELECT CAST(n.id AS TEXT), n.uuid, CAST(n.project_id AS TEXT), n.title, n.description, n.severity, n.status, n.assigned_to,
  n.rule, CAST(n.firings AS TEXT), n.channels, n.opened_by, CAST(n.created_at AS TEXT), CAST(n.updated_at AS TEXT),
  CAST(n.resolved_at AS TEXT)
FROM errtrack_incident n"
    };
}
pub(super) use columns;

/// A list of those to which a condition applies. `$1` 1 for all projects, `$2` else which, `$3` the status, `$4` the
/// severity, `$5` the issue, `$6` the end of those before the page, `$7` how many.
macro_rules! list {
    ($condition:literal) => {
        sql!(
            incident_columns,
            " WHERE ",
            $condition,
            " AND (CAST($1 AS BIGINT) = 1 OR n.project_id ",
            in_ids(2),
            ") AND (CAST($3 AS TEXT) IS NULL OR n.status = $3) AND (CAST($4 AS TEXT) IS NULL OR n.severity = $4)
  AND (CAST($5 AS BIGINT) IS NULL OR n.id IN (
    SELECT l.incident_id FROM errtrack_issue m
    JOIN errtrack_issue g ON g.id = COALESCE(m.merged_into, m.id) OR g.merged_into = COALESCE(m.merged_into, m.id)
    JOIN errtrack_incident_issue l ON l.project_id = g.project_id AND l.issue_id = g.id
    WHERE m.id = $5
  )) AND n.id < $6
ORDER BY n.id DESC LIMIT $7"
        )
    };
}

pub(crate) const ALL: Sql = list!("1 = 1");
pub(crate) const OPEN: Sql = list!("n.resolved_at IS NULL");
/// With `$8`: that were open then or later. Both.
pub(crate) const OVER: Sql = list!("n.resolved_at >= $8");
pub(crate) const SINCE: Sql = list!("(n.resolved_at IS NULL OR n.resolved_at >= $8)");

pub(crate) const BY_UUID: Sql = sql!(incident_columns, " WHERE n.uuid = $1");
/// The same, to be changed.
pub(crate) const LOCK: Sql = sql!(incident_columns, " WHERE n.uuid = $1", either("", " FOR UPDATE"));
/// The open one of the rule `$1`, to be changed.
pub(crate) const LOCK_OF_RULE: Sql =
    sql!(incident_columns, " WHERE n.rule = $1 AND n.resolved_at IS NULL", either("", " FOR UPDATE"));

/// Nothing, unless that project is there; it stays until the transaction ends.
pub(crate) const PROJECT: Sql = sql!("SELECT id FROM errtrack_project WHERE id = $1", either("", " FOR SHARE"));

/// What the channels are told about which project.
pub(crate) const SLUG: Sql = sql!("SELECT slug FROM errtrack_project WHERE id = $1");

/// Unless its rule has an open one.
pub(crate) const ADD: Sql = sql!(
    "
INSERT INTO errtrack_incident (uuid, project_id, title, description, severity, status, assigned_to, rule, firings, channels,
  opened_by, created_at, updated_at, resolved_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
ON CONFLICT DO NOTHING RETURNING id"
);

/// Gives the incident `$1` what can be changed about it.
pub(crate) const CHANGE: Sql = sql!(
    "
UPDATE errtrack_incident SET title = $2, description = $3, severity = $4, status = $5, assigned_to = $6, firings = $7,
  channels = $8, updated_at = $9, resolved_at = $10
WHERE id = $1"
);
/// One if the rule `$1` has an open one that is not `$2`.
pub(crate) const HAS_ANOTHER: Sql =
    sql!("SELECT id FROM errtrack_incident WHERE rule = $1 AND resolved_at IS NULL AND id <> $2");

/// Adds an entry to the timeline of `$1`, unless it has `$9`.
pub(crate) const ADD_ENTRY: Sql = sql!(
    "
INSERT INTO errtrack_incident_entry (incident_id, at, author, kind, old_value, new_value, text, firing)
SELECT CAST($1 AS BIGINT), CAST($2 AS BIGINT), CAST($3 AS TEXT), CAST($4 AS TEXT), CAST($5 AS TEXT), CAST($6 AS TEXT),
  CAST($7 AS TEXT), CAST($8 AS TEXT)
WHERE (SELECT COUNT(*) FROM (SELECT 1 FROM errtrack_incident_entry WHERE incident_id = $1 LIMIT $9) e) < $9"
);
/// Of the incident `$1`, those after `$2`, at most `$3`.
pub(crate) const TIMELINE: Sql = sql!(
    "
SELECT CAST(e.id AS TEXT), CAST(e.at AS TEXT), e.author, e.kind, e.old_value, e.new_value, e.text, e.firing
FROM errtrack_incident n JOIN errtrack_incident_entry e ON e.incident_id = n.id
WHERE n.uuid = $1 AND e.id > $2 ORDER BY e.id LIMIT $3"
);

/// For the issue that `$1` stands for, if the incident `$2` is about its project: the group whose name it has, its project,
/// its name, and how many of its groups are linked.
pub(crate) const LINKABLE: Sql = sql!(
    "
SELECT CAST(COALESCE(h.lead_group, h.id) AS TEXT), CAST(p.id AS TEXT), UPPER(p.slug) || '-' || CAST(h.number AS TEXT),
  CAST((
    SELECT COUNT(*) FROM errtrack_incident_issue l JOIN errtrack_issue g ON g.id = l.issue_id
    WHERE l.incident_id = n.id AND COALESCE(g.merged_into, g.id) = h.id
  ) AS TEXT)
FROM errtrack_incident n
JOIN errtrack_issue m ON m.id = $1
JOIN errtrack_issue h ON h.id = COALESCE(m.merged_into, m.id)
JOIN errtrack_project p ON p.id = h.project_id
WHERE n.id = $2 AND (n.project_id IS NULL OR n.project_id = p.id)"
);
/// Links the group `$2` of the project `$3` to the incident `$1`, unless that has `$4`.
pub(crate) const LINK: Sql = sql!(
    "
INSERT INTO errtrack_incident_issue (incident_id, issue_id, project_id)
SELECT CAST($1 AS BIGINT), CAST($2 AS BIGINT), CAST($3 AS BIGINT)
WHERE (SELECT COUNT(*) FROM errtrack_incident_issue WHERE incident_id = $1) < $4
ON CONFLICT DO NOTHING RETURNING issue_id"
);
/// Of the incident `$1`, all groups of the issue that `$2` stands for.
pub(crate) const UNLINK: Sql = sql!(
    "
DELETE FROM errtrack_incident_issue WHERE incident_id = $1 AND issue_id IN (
  SELECT g.id FROM errtrack_issue m
  JOIN errtrack_issue g ON g.id = COALESCE(m.merged_into, m.id) OR g.merged_into = COALESCE(m.merged_into, m.id)
  WHERE m.id = $2
) RETURNING issue_id"
);
/// The issues that are linked to the incident `$1`.
pub(crate) const ISSUES: Sql = sql!(
    issue_columns,
    " WHERE i.id IN (
  SELECT COALESCE(m.merged_into, m.id) FROM errtrack_incident n
  JOIN errtrack_incident_issue l ON l.incident_id = n.id
  JOIN errtrack_issue m ON m.id = l.issue_id
  WHERE n.uuid = $1
) ORDER BY i.id"
);

/// What belongs to the incident `$1`, and last itself.
pub(crate) const DELETE: [Sql; 3] = [
    sql!("DELETE FROM errtrack_incident_issue WHERE incident_id = $1"),
    sql!("DELETE FROM errtrack_incident_entry WHERE incident_id = $1"),
    sql!("DELETE FROM errtrack_incident WHERE id = $1"),
];
/// Of the project `$1`, `$2` at once.
pub(crate) const OF_PROJECT: [Sql; 3] = [
    sql!(
        "
DELETE FROM errtrack_incident_issue WHERE (incident_id, issue_id) IN (
  SELECT incident_id, issue_id FROM errtrack_incident_issue WHERE project_id = $1 LIMIT $2
)"
    ),
    sql!(
        "
DELETE FROM errtrack_incident_entry WHERE id IN (
  SELECT e.id FROM errtrack_incident n ",
        then_join,
        " errtrack_incident_entry e ON e.incident_id = n.id
  WHERE n.project_id = $1 LIMIT $2
)"
    ),
    sql!("DELETE FROM errtrack_incident WHERE id IN (SELECT id FROM errtrack_incident WHERE project_id = $1 LIMIT $2)"),
];
/// Links to issues that are gone: of the project `$1`, from `$2` to `$3`, `$4` at once.
pub(crate) const DELETE_LINKS: Sql = sql!(
    "
DELETE FROM errtrack_incident_issue WHERE (incident_id, issue_id) IN (
  SELECT l.incident_id, l.issue_id FROM errtrack_deleted_issue b ",
    then_join,
    " errtrack_incident_issue l ON l.project_id = b.project_id AND l.issue_id = b.issue_id
  WHERE b.project_id = $1 AND b.issue_id BETWEEN $2 AND $3 LIMIT $4
)"
);

#[cfg(test)]
pub(crate) const EVERY: &[Sql] = &[
    ALL,
    OPEN,
    OVER,
    SINCE,
    BY_UUID,
    LOCK,
    LOCK_OF_RULE,
    PROJECT,
    SLUG,
    ADD,
    CHANGE,
    HAS_ANOTHER,
    ADD_ENTRY,
    TIMELINE,
    LINKABLE,
    LINK,
    UNLINK,
    ISSUES,
    DELETE[0],
    DELETE[1],
    DELETE[2],
    OF_PROJECT[0],
    OF_PROJECT[1],
    OF_PROJECT[2],
    DELETE_LINKS,
];
