//! Issues, their hours and tags.

use super::{Sql, sql};

/// The columns of an issue, in the order in which they are read.
macro_rules! columns {
    () => {
        "
SELECT i.id, i.uuid, i.project_id, p.slug, i.number, i.fingerprint, i.type, i.value, i.culprit, i.level, i.status,
  i.regressed, i.source, i.platform, i.environment, i.first_release, i.last_release, i.first_seen, i.last_seen, i.count,
  i.stored_count, i.user_count, i.last_event, i.created_at, i.updated_at, i.resolved_at, i.assigned_to,
  i.resolved_in, i.resolved_after, i.ignored_until, i.ignored_until_count
FROM errtrack_issue i JOIN errtrack_project p ON p.id = i.project_id"
    };
}
pub(super) use columns;

/// The beginning of a list.
pub(crate) const COLUMNS: Sql = sql!(issue_columns);

/// By its name, or by that of one that was merged into it. Each.
pub(crate) const BY_UUID: Sql = sql!(
    issue_columns,
    " WHERE i.id IN (SELECT COALESCE(m.merged_into, m.id) FROM errtrack_issue m WHERE m.uuid = $1)"
);
pub(crate) const BY_ID: Sql =
    sql!(issue_columns, " WHERE i.id IN (SELECT COALESCE(m.merged_into, m.id) FROM errtrack_issue m WHERE m.id = $1)");
pub(crate) const BY_NUMBER: Sql = sql!(
    issue_columns,
    " WHERE i.id IN (
  SELECT COALESCE(m.merged_into, m.id) FROM errtrack_issue m
  WHERE m.project_id = (SELECT id FROM errtrack_project WHERE slug = $1) AND m.number = $2
)"
);

/// The groups of the issue `$1` under their own names, that of the issue first; an issue that was never merged is one itself.
pub(crate) const GROUPS: Sql = sql!(
    "
SELECT i.id, i.uuid, i.project_id, p.slug, CASE WHEN i.number < 0 THEN h.number ELSE i.number END, i.fingerprint, i.type,
  i.value, i.culprit, i.level, i.status, i.regressed, i.source, i.platform, i.environment, i.first_release, i.last_release,
  i.first_seen, i.last_seen, i.count, i.stored_count, i.user_count, i.last_event, i.created_at, i.updated_at, i.resolved_at,
  i.assigned_to, i.resolved_in, i.resolved_after, i.ignored_until, i.ignored_until_count
FROM errtrack_issue m
JOIN errtrack_issue h ON h.id = COALESCE(m.merged_into, m.id)
JOIN errtrack_issue i ON i.merged_into = h.id OR (i.id = h.id AND h.lead_group IS NULL)
JOIN errtrack_project p ON p.id = i.project_id
WHERE m.id = $1 ORDER BY i.number >= 0, i.number"
);

/// `$2` the status, `$3` the time, `$4` to `$7` what ends it.
pub(crate) const SET_STATUS: Sql = sql!(
    "
UPDATE errtrack_issue SET
  resolved_at = CASE WHEN $2 <> 1 THEN NULL WHEN status = 1 THEN resolved_at ELSE $3 END,
  regressed = CASE WHEN $2 = 1 THEN FALSE ELSE regressed END,
  status = $2,
  resolved_in = $4,
  resolved_after = $5,
  ignored_until = $6,
  ignored_until_count = $7,
  updated_at = $3
WHERE id ",
    in_ids(1),
    " RETURNING project_id, id, CAST(CASE WHEN merged_into IS NULL THEN 1 ELSE 0 END AS BIGINT)"
);

pub(crate) const ASSIGN: Sql = sql!(
    "UPDATE errtrack_issue SET assigned_to = $2, updated_at = $3 WHERE id ",
    in_ids(1),
    " RETURNING project_id, id, CAST(CASE WHEN merged_into IS NULL THEN 1 ELSE 0 END AS BIGINT)"
);

/// The same of those that are nobody's.
pub(crate) const ASSIGN_FREE: Sql = sql!(
    "UPDATE errtrack_issue SET assigned_to = $2, updated_at = $3 WHERE id ",
    in_ids(1),
    " AND assigned_to IS NULL
RETURNING project_id, id, CAST(CASE WHEN merged_into IS NULL THEN 1 ELSE 0 END AS BIGINT)"
);

/// `$1` issues, `$2` days: a look-up by key for each pair within the life of the issue. Place, hour, events.
pub(crate) const HISTOGRAMS: Sql = sql!(
    "
SELECT CAST(d.key AS BIGINT), n.hour, n.count FROM ",
    numbers(1),
    " d ",
    then_join,
    " errtrack_issue m ON m.id = d.value ",
    then_join,
    " errtrack_issue i ON i.id = COALESCE(m.merged_into, m.id) ",
    then_join,
    " ",
    numbers(2),
    " h ON h.value >= i.first_seen / 86400000000 AND h.value <= i.last_seen / 86400000000 ",
    then_join,
    " errtrack_issue_hour n ON n.project_id = i.project_id AND n.day = h.value AND n.issue_id = i.id"
);

pub(crate) const TAGS: Sql = sql!(
    "
SELECT t.key, t.value, t.count FROM errtrack_issue i
JOIN errtrack_issue_tag t ON t.project_id = i.project_id AND t.issue_id = COALESCE(i.merged_into, i.id)
WHERE i.id = $1 ORDER BY t.key, t.count DESC, t.value"
);

/// `$1` projects, `$2` the tag, `$3` the value that stands for all others, `$4` how many, `$5` to `$6` its numbers.
pub(crate) const TAG_VALUES: Sql = sql!(
    "
SELECT t.value FROM errtrack_issue i ",
    then_join,
    " errtrack_issue_tag t ON t.project_id = i.project_id AND t.issue_id = i.id AND t.tag BETWEEN $5 AND $6
WHERE i.merged_into IS NULL AND i.project_id ",
    in_ids(1),
    " AND t.key = $2 AND t.value <> $3
GROUP BY t.value ORDER BY SUM(t.count) DESC, t.value LIMIT $4"
);

#[cfg(test)]
pub(crate) const EVERY: &[Sql] =
    &[COLUMNS, BY_UUID, BY_ID, BY_NUMBER, GROUPS, SET_STATUS, ASSIGN, ASSIGN_FREE, HISTOGRAMS, TAGS, TAG_VALUES];
