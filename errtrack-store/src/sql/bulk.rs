//! Batches, in SQLite's words. A list of rows is two parameters: a JSON array with an element per row, and the cells.

use super::cells::{int, raw, size, slice, text};

/// `$1`, `$2` groups (project, fingerprint), `$3`, `$4` event ids (project, id). One row of JSON lists, because each row
/// that is fetched costs more than all of them: place, row, issue, status and events of the groups (3 if it is resolved, 4 if it is
/// ignored, until a condition is met); place and issue of the events. And
/// the number of erasures.
pub(crate) const FIND: &str = concat!(
    "
SELECT f.places, f.groups, f.issues, f.statuses, f.counts, e.places, e.issues,
  COALESCE((SELECT CAST(value AS BIGINT) FROM errtrack_meta WHERE name = 'erasures'), 0)
FROM (
  SELECT json_group_array(r.key) AS places, json_group_array(i.id) AS groups,
    json_group_array(COALESCE(i.merged_into, i.id)) AS issues,
    json_group_array(COALESCE((SELECT CASE WHEN m.status = 1 AND COALESCE(m.resolved_in, m.resolved_after) IS NOT NULL THEN 3
      WHEN m.status = 2 AND COALESCE(m.ignored_until, m.ignored_until_count) IS NOT NULL THEN 4
      ELSE m.status END FROM errtrack_issue m WHERE m.id = i.merged_into),
      CASE WHEN i.status = 1 AND COALESCE(i.resolved_in, i.resolved_after) IS NOT NULL THEN 3
      WHEN i.status = 2 AND COALESCE(i.ignored_until, i.ignored_until_count) IS NOT NULL THEN 4
      ELSE i.status END)) AS statuses,
    json_group_array(COALESCE((SELECT m.count FROM errtrack_issue m WHERE m.id = i.merged_into), i.count)) AS counts
  FROM json_each($1) r
  CROSS JOIN errtrack_grouping g ON g.project_id = ",
    int!(2, 36, 1),
    " AND g.fingerprint = ",
    raw!(2, 36, 21),
    "
  CROSS JOIN errtrack_issue i ON i.id = g.issue_id
) f CROSS JOIN (
  SELECT json_group_array(r.key) AS places,
    json_group_array((SELECT COALESCE(g.merged_into, g.id) FROM errtrack_issue g WHERE g.id = e.issue_id)) AS issues
  FROM json_each($3) r
  CROSS JOIN errtrack_event e ON e.project_id = ",
    int!(4, 36, 1),
    " AND e.client_id = ",
    raw!(4, 36, 21),
    "
) e"
);

/// `$1`, `$2` tags (project, issue, number). One row of JSON lists: whether the issue has it, and how many values it has of the key.
pub(crate) const FIND_TAGS: &str = concat!(
    "
SELECT json_group_array(EXISTS (SELECT 1 FROM errtrack_issue_tag t
    WHERE t.project_id = d.project AND t.issue_id = d.issue AND t.tag = d.tag)),
  json_group_array((SELECT COUNT(*) FROM errtrack_issue_tag t
    WHERE t.project_id = d.project AND t.issue_id = d.issue AND t.tag BETWEEN d.tag >> 39 << 39 AND d.tag >> 39 << 39 | 549755813887))
FROM (SELECT ",
    int!(2, 60, 1),
    " AS project, ",
    int!(2, 60, 21),
    " AS issue, ",
    int!(2, 60, 41),
    " AS tag FROM json_each($1) r) d"
);

pub(crate) const TAKE_NUMBERS: &str =
    "UPDATE errtrack_project SET last_number = last_number + $2 WHERE id = $1 RETURNING last_number";

/// `$1`, `$2` issues, `$3` their texts, `$4` the time. Users are counted as they are inserted.
pub(crate) const INSERT_ISSUES: &str = concat!(
    "
INSERT INTO errtrack_issue (
  project_id, number, uuid, fingerprint, user_count, count, stored_count, first_seen, last_seen,
  level, type, value, culprit, source, platform, environment, first_release, last_release, last_event,
  created_at, updated_at
)
SELECT ",
    int!(2, 338, 1),
    ", ",
    int!(2, 338, 21),
    ", ",
    raw!(2, 338, 41),
    ", ",
    raw!(2, 338, 57),
    ", 0, ",
    int!(2, 338, 73),
    ", ",
    int!(2, 338, 93),
    ", ",
    int!(2, 338, 113),
    ", ",
    int!(2, 338, 133),
    ", ",
    size!(2, 338, 153),
    ", ",
    text!(2, 338, 163, 173, 3),
    ", ",
    text!(2, 338, 183, 193, 3),
    ", ",
    text!(2, 338, 203, 213, 3),
    ", ",
    text!(2, 338, 223, 233, 3),
    ", ",
    text!(2, 338, 243, 253, 3),
    ", ",
    text!(2, 338, 263, 273, 3),
    ", ",
    text!(2, 338, 283, 293, 3),
    ", ",
    text!(2, 338, 303, 313, 3),
    ", ",
    raw!(2, 338, 323),
    ", $4, $4
FROM json_each($1) r
RETURNING id, project_id, number"
);

#[cfg(test)]
pub(crate) const EVERY: &[&str] = &[FIND, FIND_TAGS, TAKE_NUMBERS, INSERT_ISSUES];
