//! What is written of a batch once its issues are known, in SQLite's words.

use super::cells::{int, raw, size, slice, text};

/// Run as one text, with the same parameters: `$1`, `$2` groupings, `$3`, `$4` issues, `$5`, `$6` users, `$7`, `$8` hours,
/// `$9`, `$10` rollups, `$11`, `$12` tags, `$13`, `$14` new tags, `$15`, `$16` events, `$17` their payloads,
/// `$18` texts, `$19` the time.
pub(crate) const WRITE: [&str; 9] = [
    INSERT_GROUPINGS,
    REOPEN_ISSUES,
    UPDATE_ISSUES,
    INSERT_USERS,
    COUNT_HOURS,
    COUNT_ROLLUPS,
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

/// Apart from what every hit changes: SQLite would write the index by status each time.
const REOPEN_ISSUES: &str = concat!(
    "
UPDATE errtrack_issue SET status = 0, regressed = TRUE, resolved_at = NULL
WHERE status = 1 AND resolved_in IS NULL AND resolved_after IS NULL AND id IN (SELECT ",
    int!(4, 296, 1),
    " FROM json_each($3) r)"
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
  last_event = CASE WHEN d.last_seen >= i.last_seen THEN COALESCE(d.last_event, i.last_event)
    WHEN d.last_event IS NOT NULL AND NOT EXISTS (
      SELECT 1 FROM errtrack_event e WHERE e.project_id = i.project_id AND e.client_id = i.last_event
    ) THEN d.last_event
    ELSE i.last_event END,
  updated_at = $19
FROM d WHERE i.id = d.id"
);

const INSERT_USERS: &str = concat!(
    "
INSERT INTO errtrack_issue_user (project_id, issue_id, user_hash)
SELECT ",
    int!(6, 60, 1),
    ", ",
    int!(6, 60, 21),
    ", ",
    int!(6, 60, 41),
    " FROM json_each($5) r WHERE TRUE
ON CONFLICT DO NOTHING"
);

const COUNT_HOURS: &str = concat!(
    "
INSERT INTO errtrack_issue_hour (project_id, day, issue_id, hour, count)
SELECT ",
    int!(8, 80, 1),
    ", ",
    int!(8, 80, 41),
    " / 24, ",
    int!(8, 80, 21),
    ", ",
    int!(8, 80, 41),
    ", ",
    int!(8, 80, 61),
    " FROM json_each($7) r WHERE TRUE
ON CONFLICT (project_id, day, issue_id, hour) DO UPDATE SET count = count + excluded.count"
);

const COUNT_ROLLUPS: &str = concat!(
    "
INSERT INTO errtrack_rollup (project_id, width, start, level, count, new_issues, regressions, environment)
SELECT ",
    int!(10, 160, 1),
    ", ",
    int!(10, 160, 21),
    ", ",
    int!(10, 160, 41),
    ", ",
    int!(10, 160, 61),
    ", ",
    int!(10, 160, 81),
    ", ",
    int!(10, 160, 101),
    ", ",
    int!(10, 160, 121),
    // An empty blob arrives as NULL.
    ", COALESCE(",
    text!(10, 160, 141, 151, 18),
    ", '') FROM json_each($9) r WHERE TRUE
ON CONFLICT (project_id, width, start, environment, level)
DO UPDATE SET count = count + excluded.count, new_issues = new_issues + excluded.new_issues,
  regressions = regressions + excluded.regressions"
);

/// The rows are there: so names need not be sent.
const COUNT_TAGS: &str = concat!(
    "
INSERT INTO errtrack_issue_tag (project_id, issue_id, tag, count, key, value)
SELECT ",
    int!(12, 80, 1),
    ", ",
    int!(12, 80, 21),
    ", ",
    int!(12, 80, 41),
    ", ",
    int!(12, 80, 61),
    ", '', '' FROM json_each($11) r WHERE TRUE
ON CONFLICT (project_id, issue_id, tag) DO UPDATE SET count = count + excluded.count"
);

const COUNT_NEW_TAGS: &str = concat!(
    "
INSERT INTO errtrack_issue_tag (project_id, issue_id, tag, count, key, value)
SELECT ",
    int!(14, 120, 1),
    ", ",
    int!(14, 120, 21),
    ", ",
    int!(14, 120, 41),
    ", ",
    int!(14, 120, 61),
    ", ",
    text!(14, 120, 81, 91, 18),
    ", ",
    text!(14, 120, 101, 111, 18),
    " FROM json_each($13) r WHERE TRUE
ON CONFLICT (project_id, issue_id, tag) DO UPDATE SET count = count + excluded.count"
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
