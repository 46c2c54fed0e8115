//! Batches, in SQLite's words.

/// `$1` groups (project, fingerprint, users), `$2` event ids (project, id, place). One row of two JSON lists, because
/// each row that is fetched costs more than a line of JSON.
pub(crate) const FIND: &str = "
SELECT
  (SELECT json_group_array(json_array(d.key, g.issue_id, i.status, (
      SELECT COUNT(*) FROM json_each(d.value, '$[2]') u
      WHERE NOT EXISTS (
        SELECT 1 FROM errtrack_issue_user k
        WHERE k.project_id = g.project_id AND k.issue_id = g.issue_id AND k.user_hash = u.value
      )
    )))
    FROM json_each($1) d
    CROSS JOIN errtrack_grouping g ON g.project_id = d.value ->> 0 AND g.fingerprint = unhex(d.value ->> 1)
    CROSS JOIN errtrack_issue i ON i.id = g.issue_id),
  (SELECT json_group_array(json_array(d.value ->> 2, e.issue_id))
    FROM json_each($2) d
    CROSS JOIN errtrack_event e ON e.project_id = d.value ->> 0 AND e.client_id = unhex(d.value ->> 1))";

pub(crate) const TAKE_NUMBERS: &str =
    "UPDATE errtrack_project SET last_number = last_number + $2 WHERE id = $1 RETURNING last_number";

pub(crate) const INSERT_ISSUES: &str = "
INSERT INTO errtrack_issue (
  project_id, number, uuid, fingerprint, count, stored_count, user_count, first_seen, last_seen,
  level, type, value, culprit, source, platform, environment, first_release, last_release, last_event,
  created_at, updated_at
)
SELECT
  value ->> 0, value ->> 1, unhex(value ->> 2), unhex(value ->> 3), value ->> 4, value ->> 5, value ->> 6, value ->> 7,
  value ->> 8, value ->> 9, value ->> 10, value ->> 11, value ->> 12, value ->> 13, value ->> 14, value ->> 15,
  value ->> 16, value ->> 17, unhex(value ->> 18), $2, $2
FROM json_each($1)
RETURNING id, project_id, number";

pub(crate) const INSERT_GROUPINGS: &str = "
INSERT INTO errtrack_grouping (project_id, fingerprint, issue_id)
SELECT value ->> 0, unhex(value ->> 1), value ->> 2 FROM json_each($1)";

/// Run as one text, with the same parameters: `$1` issues, `$2` the time, `$3` users, `$4` hours, `$5` hours of projects,
/// `$6` tags, `$7` events, `$8` their bytes.
pub(crate) const WRITE: [&str; 6] =
    [UPDATE_ISSUES, INSERT_USERS, COUNT_HOURS, COUNT_PROJECT_HOURS, COUNT_TAGS, INSERT_EVENTS];

const UPDATE_ISSUES: &str = "
WITH d AS MATERIALIZED (
  SELECT value ->> 0 AS id, value ->> 1 AS count, value ->> 2 AS stored, value ->> 3 AS users,
    value ->> 4 AS first_seen, value ->> 5 AS last_seen, value ->> 6 AS level, value ->> 7 AS type,
    value ->> 8 AS value, value ->> 9 AS culprit, value ->> 10 AS source, value ->> 11 AS platform,
    value ->> 12 AS environment, value ->> 13 AS first_release, value ->> 14 AS last_release,
    unhex(value ->> 15) AS last_event
  FROM json_each($1)
)
UPDATE errtrack_issue AS i SET
  count = i.count + d.count,
  stored_count = i.stored_count + d.stored,
  user_count = i.user_count + d.users,
  first_seen = CASE WHEN d.first_seen < i.first_seen THEN d.first_seen ELSE i.first_seen END,
  last_seen = CASE WHEN d.last_seen > i.last_seen THEN d.last_seen ELSE i.last_seen END,
  level = CASE WHEN d.last_seen >= i.last_seen THEN d.level ELSE i.level END,
  type = CASE WHEN d.last_seen >= i.last_seen THEN d.type ELSE i.type END,
  value = CASE WHEN d.last_seen >= i.last_seen THEN d.value ELSE i.value END,
  culprit = CASE WHEN d.last_seen >= i.last_seen THEN d.culprit ELSE i.culprit END,
  source = CASE WHEN d.last_seen >= i.last_seen THEN d.source ELSE i.source END,
  platform = CASE WHEN d.last_seen >= i.last_seen THEN d.platform ELSE i.platform END,
  environment = CASE WHEN d.last_seen >= i.last_seen THEN d.environment ELSE i.environment END,
  first_release = COALESCE(i.first_release, d.first_release),
  last_release = CASE WHEN d.last_seen >= i.last_seen THEN COALESCE(d.last_release, i.last_release)
    ELSE COALESCE(i.last_release, d.last_release) END,
  last_event = CASE WHEN d.last_seen >= i.last_seen THEN COALESCE(d.last_event, i.last_event) ELSE i.last_event END,
  regressed = CASE WHEN i.status = 1 THEN TRUE ELSE i.regressed END,
  resolved_at = CASE WHEN i.status = 1 THEN NULL ELSE i.resolved_at END,
  status = CASE WHEN i.status = 1 THEN 0 ELSE i.status END,
  updated_at = $2
FROM d WHERE i.id = d.id";

const INSERT_USERS: &str = "
INSERT INTO errtrack_issue_user (project_id, issue_id, user_hash)
SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each($3) WHERE TRUE
ON CONFLICT DO NOTHING";

const COUNT_HOURS: &str = "
INSERT INTO errtrack_issue_hour (project_id, hour, issue_id, environment, release, count)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5 FROM json_each($4) WHERE TRUE
ON CONFLICT (project_id, hour, issue_id, environment, release) DO UPDATE SET count = count + excluded.count";

const COUNT_PROJECT_HOURS: &str = "
INSERT INTO errtrack_project_hour (project_id, hour, count)
SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each($5) WHERE TRUE
ON CONFLICT (project_id, hour) DO UPDATE SET count = count + excluded.count";

/// Values beyond the first hundred of a tag are counted under one name, so that the tag's total stays exact.
const COUNT_TAGS: &str = "
WITH t AS MATERIALIZED (
  SELECT d.value ->> 0 AS project_id, d.value ->> 1 AS issue_id,
    substr(t.key, 1, instr(t.key, char(31)) - 1) AS key, substr(t.key, instr(t.key, char(31)) + 1) AS value,
    t.value AS count
  FROM json_each($6) d CROSS JOIN json_each(d.value, '$[2]') t
)
INSERT INTO errtrack_issue_tag (project_id, issue_id, key, value, count)
SELECT t.project_id, t.issue_id, t.key,
  CASE WHEN EXISTS (
    SELECT 1 FROM errtrack_issue_tag k
    WHERE k.project_id = t.project_id AND k.issue_id = t.issue_id AND k.key = t.key AND k.value = t.value
  ) OR (
    SELECT COUNT(*) FROM errtrack_issue_tag k
    WHERE k.project_id = t.project_id AND k.issue_id = t.issue_id AND k.key = t.key
  ) < 100 THEN t.value ELSE char(31) END,
  t.count
FROM t WHERE TRUE
ON CONFLICT (project_id, issue_id, key, value) DO UPDATE SET count = count + excluded.count";

const INSERT_EVENTS: &str = "
INSERT INTO errtrack_event (
  project_id, issue_id, timestamp, user_hash, id, client_id, payload, codec, environment, release
)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, substr($8, value ->> 4, 16),
  substr($8, (value ->> 4) + 16, 16), substr($8, (value ->> 4) + 32, value ->> 5), value ->> 6, value ->> 7, value ->> 8
FROM json_each($7) WHERE TRUE
ON CONFLICT DO NOTHING";

#[cfg(test)]
pub(crate) const EVERY: &[&str] = &[FIND, TAKE_NUMBERS, INSERT_ISSUES, INSERT_GROUPINGS];
