//! Batches, in SQLite's words. A list of rows is two parameters: a JSON array with an element per row, and the cells.

/// The integer at byte `$at` (counted from 1) of a row of `$width` bytes in the cells `$cells`.
macro_rules! int {
    ($cells:literal, $width:literal, $at:literal) => {
        concat!("CAST(substr($", $cells, ", r.key * ", $width, " + ", $at, ", 20) AS INTEGER)")
    };
}
/// The same for an integer of at most ten digits.
macro_rules! size {
    ($cells:literal, $width:literal, $at:literal) => {
        concat!("CAST(substr($", $cells, ", r.key * ", $width, " + ", $at, ", 10) AS INTEGER)")
    };
}
/// The same for 16 bytes.
macro_rules! raw {
    ($cells:literal, $width:literal, $at:literal) => {
        concat!("substr($", $cells, ", r.key * ", $width, " + ", $at, ", 16)")
    };
}
/// The slice of the blob `$bytes` whose place stands at `$at`, and its length at `$length`; NULL for the place 0.
macro_rules! slice {
    ($cells:literal, $width:literal, $at:literal, $length:literal, $bytes:literal) => {
        concat!(
            "substr($",
            $bytes,
            ", nullif(",
            size!($cells, $width, $at),
            ", 0), ",
            size!($cells, $width, $length),
            ")"
        )
    };
}
macro_rules! text {
    ($cells:literal, $width:literal, $at:literal, $length:literal, $bytes:literal) => {
        concat!("CAST(", slice!($cells, $width, $at, $length, $bytes), " AS TEXT)")
    };
}

/// `$1`, `$2` groups (project, fingerprint), `$3`, `$4` event ids (project, id). One row of JSON lists, because each row
/// that is fetched costs more than all of them: place, issue and status of the groups; place and issue of the events.
pub(crate) const FIND: &str = concat!(
    "
SELECT f.places, f.issues, f.statuses, e.places, e.issues FROM (
  SELECT json_group_array(r.key) AS places, json_group_array(i.id) AS issues, json_group_array(i.status) AS statuses
  FROM json_each($1) r
  CROSS JOIN errtrack_grouping g ON g.project_id = ",
    int!(2, 36, 1),
    " AND g.fingerprint = ",
    raw!(2, 36, 21),
    "
  CROSS JOIN errtrack_issue i ON i.id = g.issue_id
) f CROSS JOIN (
  SELECT json_group_array(r.key) AS places, json_group_array(e.issue_id) AS issues
  FROM json_each($3) r
  CROSS JOIN errtrack_event e ON e.project_id = ",
    int!(4, 36, 1),
    " AND e.client_id = ",
    raw!(4, 36, 21),
    "
) e"
);

/// `$1`, `$2` tags (issue, number). One row of JSON lists: whether the issue has it, and how many values it has of the key.
pub(crate) const FIND_TAGS: &str = concat!(
    "
SELECT json_group_array(EXISTS (SELECT 1 FROM errtrack_issue_tag t WHERE t.issue_id = d.issue AND t.tag = d.tag)),
  json_group_array((SELECT COUNT(*) FROM errtrack_issue_tag t
    WHERE t.issue_id = d.issue AND t.tag BETWEEN d.tag >> 39 << 39 AND d.tag >> 39 << 39 | 549755813887))
FROM (SELECT ",
    int!(2, 40, 1),
    " AS issue, ",
    int!(2, 40, 21),
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

/// Run as one text, with the same parameters: `$1`, `$2` groupings, `$3`, `$4` issues, `$5`, `$6` users, `$7`, `$8` hours,
/// `$9`, `$10` hours of projects, `$11`, `$12` tags, `$13`, `$14` new tags, `$15`, `$16` events, `$17` their payloads,
/// `$18` texts, `$19` the time.
pub(crate) const WRITE: [&str; 8] = [
    INSERT_GROUPINGS,
    UPDATE_ISSUES,
    INSERT_USERS,
    COUNT_HOURS,
    COUNT_PROJECT_HOURS,
    COUNT_TAGS,
    COUNT_NEW_TAGS,
    INSERT_EVENTS,
];

const INSERT_GROUPINGS: &str = concat!(
    "
INSERT INTO errtrack_grouping (project_id, issue_id, fingerprint)
SELECT ",
    int!(2, 56, 1),
    ", ",
    int!(2, 56, 21),
    ", ",
    raw!(2, 56, 41),
    " FROM json_each($1) r"
);

const UPDATE_ISSUES: &str = concat!(
    "
WITH d AS MATERIALIZED (
  SELECT ",
    int!(4, 296, 1),
    " AS id, ",
    int!(4, 296, 21),
    " AS count, ",
    int!(4, 296, 41),
    " AS stored, ",
    int!(4, 296, 61),
    " AS first_seen, ",
    int!(4, 296, 81),
    " AS last_seen, ",
    size!(4, 296, 101),
    " AS level, ",
    text!(4, 296, 111, 121, 18),
    " AS type, ",
    text!(4, 296, 131, 141, 18),
    " AS value, ",
    text!(4, 296, 151, 161, 18),
    " AS culprit, ",
    text!(4, 296, 171, 181, 18),
    " AS source, ",
    text!(4, 296, 191, 201, 18),
    " AS platform, ",
    text!(4, 296, 211, 221, 18),
    " AS environment, ",
    text!(4, 296, 231, 241, 18),
    " AS first_release, ",
    text!(4, 296, 251, 261, 18),
    " AS last_release, ",
    "iif(",
    size!(4, 296, 271),
    ", ",
    raw!(4, 296, 281),
    ", NULL) AS last_event
  FROM json_each($3) r
)
UPDATE errtrack_issue AS i SET
  count = i.count + d.count,
  stored_count = i.stored_count + d.stored,
  first_seen = min(i.first_seen, d.first_seen),
  last_seen = max(i.last_seen, d.last_seen),
  level = iif(d.last_seen >= i.last_seen, d.level, i.level),
  type = iif(d.last_seen >= i.last_seen, d.type, i.type),
  value = iif(d.last_seen >= i.last_seen, d.value, i.value),
  culprit = iif(d.last_seen >= i.last_seen, d.culprit, i.culprit),
  source = iif(d.last_seen >= i.last_seen, d.source, i.source),
  platform = iif(d.last_seen >= i.last_seen, d.platform, i.platform),
  environment = iif(d.last_seen >= i.last_seen, d.environment, i.environment),
  first_release = COALESCE(i.first_release, d.first_release),
  last_release = iif(d.last_seen >= i.last_seen, COALESCE(d.last_release, i.last_release),
    COALESCE(i.last_release, d.last_release)),
  last_event = iif(d.last_seen >= i.last_seen, COALESCE(d.last_event, i.last_event), i.last_event),
  regressed = iif(i.status = 1, TRUE, i.regressed),
  resolved_at = iif(i.status = 1, NULL, i.resolved_at),
  status = iif(i.status = 1, 0, i.status),
  updated_at = $19
FROM d WHERE i.id = d.id"
);

const INSERT_USERS: &str = concat!(
    "
INSERT INTO errtrack_issue_user (issue_id, user_hash)
SELECT ",
    int!(6, 40, 1),
    ", ",
    int!(6, 40, 21),
    " FROM json_each($5) r WHERE TRUE
ON CONFLICT DO NOTHING"
);

const COUNT_HOURS: &str = concat!(
    "
INSERT INTO errtrack_issue_hour (hour, issue_id, count)
SELECT ",
    int!(8, 60, 1),
    ", ",
    int!(8, 60, 21),
    ", ",
    int!(8, 60, 41),
    " FROM json_each($7) r WHERE TRUE
ON CONFLICT (hour, issue_id) DO UPDATE SET count = count + excluded.count"
);

const COUNT_PROJECT_HOURS: &str = concat!(
    "
INSERT INTO errtrack_project_hour (project_id, hour, count)
SELECT ",
    int!(10, 60, 1),
    ", ",
    int!(10, 60, 21),
    ", ",
    int!(10, 60, 41),
    " FROM json_each($9) r WHERE TRUE
ON CONFLICT (project_id, hour) DO UPDATE SET count = count + excluded.count"
);

/// The rows are there: so names need not be sent.
const COUNT_TAGS: &str = concat!(
    "
INSERT INTO errtrack_issue_tag (issue_id, tag, count, key, value)
SELECT ",
    int!(12, 60, 1),
    ", ",
    int!(12, 60, 21),
    ", ",
    int!(12, 60, 41),
    ", '', '' FROM json_each($11) r WHERE TRUE
ON CONFLICT (issue_id, tag) DO UPDATE SET count = count + excluded.count"
);

const COUNT_NEW_TAGS: &str = concat!(
    "
INSERT INTO errtrack_issue_tag (issue_id, tag, count, key, value)
SELECT ",
    int!(14, 100, 1),
    ", ",
    int!(14, 100, 21),
    ", ",
    int!(14, 100, 41),
    ", ",
    text!(14, 100, 61, 71, 18),
    ", ",
    text!(14, 100, 81, 91, 18),
    " FROM json_each($13) r WHERE TRUE
ON CONFLICT (issue_id, tag) DO UPDATE SET count = count + excluded.count"
);

const INSERT_EVENTS: &str = concat!(
    "
INSERT INTO errtrack_event (project_id, issue_id, timestamp, codec, payload, id, client_id)
SELECT ",
    int!(16, 122, 1),
    ", ",
    int!(16, 122, 21),
    ", ",
    int!(16, 122, 41),
    ", ",
    size!(16, 122, 61),
    ", ",
    slice!(16, 122, 71, 81, 17),
    ", ",
    raw!(16, 122, 91),
    ", ",
    raw!(16, 122, 107),
    "
FROM json_each($15) r WHERE TRUE
ON CONFLICT DO NOTHING"
);

#[cfg(test)]
pub(crate) const EVERY: &[&str] = &[FIND, FIND_TAGS, TAKE_NUMBERS, INSERT_ISSUES];
