//! Issues, their hours and tags.

use super::{Sql, sql};

/// The columns of an issue, in the order in which they are read.
macro_rules! columns {
    () => {
        "
SELECT i.id, i.uuid, i.project_id, p.slug, i.number, i.fingerprint, i.type, i.value, i.culprit, i.level, i.status,
  i.regressed, i.source, i.platform, i.environment, i.first_release, i.last_release, i.first_seen, i.last_seen, i.count,
  i.stored_count, i.user_count, i.last_event, i.created_at, i.updated_at, i.resolved_at, i.assigned_to
FROM errtrack_issue i JOIN errtrack_project p ON p.id = i.project_id"
    };
}
pub(super) use columns;

/// The beginning of a list.
pub(crate) const COLUMNS: Sql = sql!(issue_columns);

pub(crate) const BY_UUID: Sql = sql!(issue_columns, " WHERE i.uuid = $1");
pub(crate) const BY_ID: Sql = sql!(issue_columns, " WHERE i.id = $1");
pub(crate) const BY_NUMBER: Sql =
    sql!(issue_columns, " WHERE i.project_id = (SELECT id FROM errtrack_project WHERE slug = $1) AND i.number = $2");

pub(crate) const SET_STATUS: Sql = sql!(
    "
UPDATE errtrack_issue SET
  resolved_at = CASE WHEN $2 <> 1 THEN NULL WHEN status = 1 THEN resolved_at ELSE $3 END,
  regressed = CASE WHEN $2 = 1 THEN FALSE ELSE regressed END,
  status = $2,
  updated_at = $3
WHERE id ",
    in_ids(1),
    " RETURNING project_id, id"
);

pub(crate) const ASSIGN: Sql =
    sql!("UPDATE errtrack_issue SET assigned_to = $2, updated_at = $3 WHERE id = $1 RETURNING project_id, id");

/// `$1` issues, `$2` days: a look-up by key for each pair within the life of the issue. Place, hour, events.
pub(crate) const HISTOGRAMS: Sql = sql!(
    "
SELECT CAST(d.key AS BIGINT), n.hour, n.count FROM ",
    numbers(1),
    " d ",
    then_join,
    " errtrack_issue i ON i.id = d.value ",
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
JOIN errtrack_issue_tag t ON t.project_id = i.project_id AND t.issue_id = i.id
WHERE i.id = $1 ORDER BY t.key, t.count DESC, t.value"
);

/// `$1` projects, `$2` the tag, `$3` the value that stands for all others, `$4` how many, `$5` to `$6` its numbers.
pub(crate) const TAG_VALUES: Sql = sql!(
    "
SELECT t.value FROM errtrack_issue i ",
    then_join,
    " errtrack_issue_tag t ON t.project_id = i.project_id AND t.issue_id = i.id AND t.tag BETWEEN $5 AND $6
WHERE i.project_id ",
    in_ids(1),
    " AND t.key = $2 AND t.value <> $3
GROUP BY t.value ORDER BY SUM(t.count) DESC, t.value LIMIT $4"
);

#[cfg(test)]
pub(crate) const EVERY: &[Sql] =
    &[COLUMNS, BY_UUID, BY_ID, BY_NUMBER, SET_STATUS, ASSIGN, HISTOGRAMS, TAGS, TAG_VALUES];
