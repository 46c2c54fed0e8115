//! Batches and partitions, in PostgreSQL's words. A list of rows is an array per column.
//!
//! Issues are joined by id alone: before a table has statistics, the planner takes any index that begins with the project to
//! be as good, and goes through all issues of it for each row.

/// `$1` projects, in their order.
pub(crate) const LOCK_PROJECTS: &str =
    "SELECT id FROM errtrack_project WHERE id = ANY($1::BIGINT[]) ORDER BY id FOR NO KEY UPDATE";

/// `$1`, `$2` groups (project, fingerprint), `$3`, `$4` event ids (project, id). One row of arrays: place, row, status and
/// events of the groups (3 if it is resolved, 4 if it is ignored, until a condition is met), which are locked in the order of their ids, and the issues that they were merged into (0 for none); place and
/// issue of the events; and the number of erasures.
pub(crate) const FIND: &str = "
WITH g AS (
  SELECT r.place, i.id, CASE WHEN i.status = 1 AND COALESCE(i.resolved_in, i.resolved_after) IS NOT NULL THEN 3
      WHEN i.status = 2 AND COALESCE(i.ignored_until, i.ignored_until_count) IS NOT NULL THEN 4
      ELSE i.status END AS status, i.merged_into, i.count
  FROM UNNEST($1::BIGINT[], $2::BYTEA[]) WITH ORDINALITY AS r (project_id, fingerprint, place)
  JOIN errtrack_grouping g ON g.project_id = r.project_id AND g.fingerprint = r.fingerprint
  JOIN errtrack_issue i ON i.id = g.issue_id
  ORDER BY i.id FOR NO KEY UPDATE OF i
), e AS (
  SELECT r.place, COALESCE(g.merged_into, g.id) AS issue_id
  FROM UNNEST($3::BIGINT[], $4::BYTEA[]) WITH ORDINALITY AS r (project_id, id, place)
  JOIN errtrack_event e ON e.project_id = r.project_id AND e.client_id = r.id
  JOIN errtrack_issue g ON g.id = e.issue_id
)
SELECT g.*, e.*, m.* FROM (
  SELECT COALESCE(array_agg(place - 1), '{}'), COALESCE(array_agg(id), '{}'), COALESCE(array_agg(status), '{}'),
    COALESCE(array_agg(COALESCE(merged_into, 0)), '{}'), COALESCE(array_agg(count), '{}') FROM g
) g CROSS JOIN (
  SELECT COALESCE(array_agg(place - 1), '{}'), COALESCE(array_agg(issue_id), '{}') FROM e
) e CROSS JOIN (
  SELECT COALESCE((SELECT CAST(value AS BIGINT) FROM errtrack_meta WHERE name = 'erasures'), 0)
) m";

/// Locks merged issues, `$1`, some of whose groups are locked; so they stay as they are. Id, status and events.
pub(crate) const LOCK_MERGED: &str = "
SELECT i.id, CASE WHEN i.status = 1 AND COALESCE(i.resolved_in, i.resolved_after) IS NOT NULL THEN 3
      WHEN i.status = 2 AND COALESCE(i.ignored_until, i.ignored_until_count) IS NOT NULL THEN 4
      ELSE i.status END, i.count FROM errtrack_issue i
WHERE i.id = ANY($1::BIGINT[]) ORDER BY i.id FOR NO KEY UPDATE";

/// `$1` to `$3` tags (project, issue, number). One row of arrays: whether the issue has it, and how many values of the key.
pub(crate) const FIND_TAGS: &str = "
SELECT
  COALESCE(array_agg(EXISTS (SELECT 1 FROM errtrack_issue_tag t
    WHERE t.project_id = d.project_id AND t.issue_id = d.issue_id AND t.tag = d.tag) ORDER BY d.place), '{}'),
  COALESCE(array_agg((SELECT COUNT(*) FROM errtrack_issue_tag t
    WHERE t.project_id = d.project_id AND t.issue_id = d.issue_id
      AND t.tag BETWEEN d.tag >> 39 << 39 AND d.tag >> 39 << 39 | 549755813887) ORDER BY d.place), '{}')
FROM UNNEST($1::BIGINT[], $2::BIGINT[], $3::BIGINT[]) WITH ORDINALITY AS d (project_id, issue_id, tag, place)";

pub(crate) const TAKE_NUMBERS: &str =
    "UPDATE errtrack_project SET last_number = last_number + $2 WHERE id = $1 RETURNING last_number";

/// `$1` the time, `$2` and `$3` project and issue's number, `$4` UUIDs, `$5` fingerprints, `$6` users; and what it shows.
pub(crate) const INSERT_ISSUES: &str = "
INSERT INTO errtrack_issue (
  project_id, number, uuid, fingerprint, user_count, count, stored_count, first_seen, last_seen, level, type, value, culprit,
  source, platform, environment, first_release, last_release, last_event, created_at, updated_at
)
SELECT d.*, $1::BIGINT, $1::BIGINT FROM UNNEST(
  $2::BIGINT[], $3::BIGINT[], $4::BYTEA[], $5::BYTEA[], $6::BIGINT[],
  $7::BIGINT[], $8::BIGINT[], $9::BIGINT[], $10::BIGINT[], $11::BIGINT[], $12::TEXT[], $13::TEXT[], $14::TEXT[],
  $15::TEXT[], $16::TEXT[], $17::TEXT[], $18::TEXT[], $19::TEXT[], $20::BYTEA[]
) d
RETURNING id, project_id, number";

/// `$1` to `$3` project, issue, user. How many each issue did not have; in one row of arrays.
pub(crate) const INSERT_USERS: &str = "
WITH u AS (
  INSERT INTO errtrack_issue_user (project_id, issue_id, user_hash)
  SELECT * FROM UNNEST($1::BIGINT[], $2::BIGINT[], $3::BIGINT[]) ON CONFLICT DO NOTHING RETURNING issue_id
), n AS (SELECT issue_id, COUNT(*) AS count FROM u GROUP BY issue_id)
SELECT COALESCE(array_agg(issue_id), '{}'), COALESCE(array_agg(count), '{}') FROM n";

/// `$1` the time, `$2` to `$4` groupings, `$5` to `$21` issues, `$22` to `$25` hours, `$26` to `$28` and
/// `$42` to `$46` rollups, `$29` to `$34` tags, `$35` to `$41` events. Answers how many events it has inserted, and the
/// number of erasures, which can have grown until the issues were locked.
pub(crate) const WRITE: &str = "
WITH groupings AS (
  INSERT INTO errtrack_grouping (project_id, fingerprint, issue_id)
  SELECT * FROM UNNEST($2::BIGINT[], $3::BYTEA[], $4::BIGINT[])
), issues AS (
  UPDATE errtrack_issue i SET
    user_count = i.user_count + d.users,
    count = i.count + d.count,
    stored_count = i.stored_count + d.stored,
    first_seen = LEAST(i.first_seen, d.first_seen),
    last_seen = GREATEST(i.last_seen, d.last_seen),
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
    last_event = CASE WHEN d.last_seen >= i.last_seen THEN COALESCE(d.last_event, i.last_event)
      WHEN d.last_event IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM errtrack_event e WHERE e.project_id = i.project_id AND e.client_id = i.last_event
      ) THEN d.last_event
      ELSE i.last_event END,
    regressed = CASE WHEN i.status = 1 AND i.resolved_in IS NULL AND i.resolved_after IS NULL THEN TRUE ELSE i.regressed END,
    resolved_at = CASE WHEN i.status = 1 AND i.resolved_in IS NULL AND i.resolved_after IS NULL THEN NULL
      ELSE i.resolved_at END,
    status = CASE WHEN i.status = 1 AND i.resolved_in IS NULL AND i.resolved_after IS NULL THEN 0 ELSE i.status END,
    updated_at = $1::BIGINT
  FROM UNNEST(
    $5::BIGINT[], $6::BIGINT[], $7::BIGINT[],
    $8::BIGINT[], $9::BIGINT[], $10::BIGINT[], $11::BIGINT[], $12::BIGINT[], $13::TEXT[], $14::TEXT[], $15::TEXT[],
    $16::TEXT[], $17::TEXT[], $18::TEXT[], $19::TEXT[], $20::TEXT[], $21::BYTEA[]
  ) AS d (
    project_id, id, users, count, stored, first_seen, last_seen, level, type, value, culprit,
    source, platform, environment, first_release, last_release, last_event
  )
  WHERE i.id = d.id
), hours AS (
  INSERT INTO errtrack_issue_hour AS h (project_id, day, issue_id, hour, count)
  SELECT d.project_id, d.hour / 24, d.issue_id, d.hour, d.count
  FROM UNNEST($22::BIGINT[], $23::BIGINT[], $24::BIGINT[], $25::BIGINT[]) AS d (project_id, issue_id, hour, count)
  ON CONFLICT (project_id, day, issue_id, hour) DO UPDATE SET count = h.count + excluded.count
), rollups AS (
  INSERT INTO errtrack_rollup AS r (project_id, width, start, environment, level, count, new_issues, regressions)
  SELECT * FROM UNNEST($26::BIGINT[], $27::BIGINT[], $28::BIGINT[], $42::TEXT[], $43::BIGINT[], $44::BIGINT[], $45::BIGINT[],
    $46::BIGINT[])
  ON CONFLICT (project_id, width, start, environment, level)
  DO UPDATE SET count = r.count + excluded.count, new_issues = r.new_issues + excluded.new_issues,
    regressions = r.regressions + excluded.regressions
), tags AS (
  INSERT INTO errtrack_issue_tag AS t (project_id, issue_id, tag, count, key, value)
  SELECT * FROM UNNEST($29::BIGINT[], $30::BIGINT[], $31::BIGINT[], $32::BIGINT[], $33::TEXT[], $34::TEXT[])
  ON CONFLICT (project_id, issue_id, tag) DO UPDATE SET count = t.count + excluded.count
), payloads AS (
  INSERT INTO errtrack_payload (project_id, id, client_id, codec, payload)
  SELECT * FROM UNNEST($35::BIGINT[], $36::BYTEA[], $37::BYTEA[], $38::BIGINT[], $39::BYTEA[])
), events AS (
  INSERT INTO errtrack_event (project_id, id, client_id, issue_id, timestamp)
  SELECT * FROM UNNEST($35::BIGINT[], $36::BYTEA[], $37::BYTEA[], $40::BIGINT[], $41::BIGINT[])
  ON CONFLICT (project_id, client_id) DO NOTHING RETURNING 1
)
SELECT (SELECT COUNT(*) FROM events),
  COALESCE((SELECT CAST(value AS BIGINT) FROM errtrack_meta WHERE name = 'erasures'), 0)";

/// The name of the channel for those who share these tables: databases have one for all schemas.
pub(crate) const CHANNEL: &str = "SELECT 'errtrack_' || CAST(to_regclass('errtrack_event') AS OID)";
/// `$1` the channel, `$2` what is told.
pub(crate) const NOTIFY: &str = "SELECT pg_notify($1, $2)";

/// Events of a partition after the project `$1` and the id `$2`, at most `$3`: project, id, row, if there still is one. The
/// name of the partition comes between the two.
pub(crate) const OF_DAY: [&str; 2] = [
    "SELECT p.project_id, p.id, e.row FROM ",
    " p LEFT JOIN errtrack_event e ON e.project_id = p.project_id AND e.client_id = p.client_id AND e.id = p.id
WHERE (p.project_id, p.id) > ($1, $2) ORDER BY p.project_id, p.id LIMIT $3",
];

/// The partitions of payloads, by name.
pub(crate) const PARTITIONS: &str = "
SELECT CAST(c.relname AS TEXT) FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhrelid
WHERE h.inhparent = to_regclass('errtrack_payload')";
/// The same with those that were taken out and are still there.
pub(crate) const DAYS: &str = "
SELECT CAST(c.relname AS TEXT), h.inhrelid IS NOT NULL FROM pg_class c
LEFT JOIN pg_inherits h ON h.inhrelid = c.oid AND h.inhparent = to_regclass('errtrack_payload')
WHERE c.relkind = 'r' AND c.relname LIKE 'errtrack\\_payload\\_%'
  AND c.relnamespace = (SELECT p.relnamespace FROM pg_class p WHERE p.oid = to_regclass('errtrack_payload'))
ORDER BY c.relname";

/// Whether there is a schema `$1`.
pub(crate) const SCHEMA: &str = "SELECT 1 FROM pg_namespace WHERE nspname = $1";

/// One at a time makes tables.
pub(crate) const LOCK_TABLES: &str = "SELECT pg_advisory_xact_lock($1)";

#[cfg(test)]
pub(crate) const EVERY: &[&str] = &[
    LOCK_PROJECTS,
    FIND,
    LOCK_MERGED,
    FIND_TAGS,
    TAKE_NUMBERS,
    INSERT_ISSUES,
    INSERT_USERS,
    WRITE,
    CHANNEL,
    NOTIFY,
    PARTITIONS,
    DAYS,
    SCHEMA,
    LOCK_TABLES,
];
