//! Merging issues and taking them apart. The row of a merged issue is made from those of its groups, under an id of its own;
//! they stay as they are.

use super::{Sql, sql};

/// All rows of the issues that the ids `$1` stand for, those of groups first, each kind by id: id, project, issue, whether
/// it is that of a merged issue (1).
pub(crate) const ROWS: Sql = sql!(
    "
WITH named AS (SELECT DISTINCT COALESCE(m.merged_into, m.id) AS id FROM errtrack_issue m WHERE m.id ",
    in_ids(1),
    ")
SELECT i.id, i.project_id, i.id, CAST(CASE WHEN i.lead_group IS NULL THEN 0 ELSE 1 END AS BIGINT) FROM named n ",
    then_join,
    " errtrack_issue i ON i.id = n.id
UNION ALL
SELECT g.id, g.project_id, g.merged_into, CAST(0 AS BIGINT) FROM named n ",
    then_join,
    " errtrack_issue g ON g.merged_into = n.id
ORDER BY 4, 1"
);
/// Locks rows, in the order of [`ROWS`].
#[cfg(feature = "postgres")]
pub(crate) const LOCK: &str = "
SELECT id FROM errtrack_issue
WHERE id = ANY(ARRAY(SELECT CAST(value AS BIGINT) FROM json_array_elements_text(CAST($1 AS JSON))))
ORDER BY lead_group IS NOT NULL, id FOR UPDATE";

/// Of the rows `$1`: id, number, group whose name it has, status, whether it regressed (1).
pub(crate) const HEADS: Sql = sql!(
    "
SELECT id, number, COALESCE(lead_group, id), status, CAST(CASE WHEN regressed THEN 1 ELSE 0 END AS BIGINT)
FROM errtrack_issue WHERE id ",
    in_ids(1)
);
/// The group of project `$1` with the fingerprint `$2`, in hexadecimal digits.
pub(crate) const GROUP_OF: Sql = sql!(
    "SELECT issue_id FROM errtrack_grouping WHERE project_id = $1 AND fingerprint = ",
    either("unhex($2)", "decode($2, 'hex')")
);
/// When the first and the last of the groups `$1` were seen.
pub(crate) const SPAN: Sql = sql!("SELECT MIN(first_seen), MAX(last_seen) FROM errtrack_issue WHERE id ", in_ids(1));

/// Gives the group `$1` the number `$2`.
pub(crate) const NUMBER: Sql = sql!("UPDATE errtrack_issue SET number = $2 WHERE id = $1");
/// Makes the row of an issue with the name of the group `$1` and the number `$2`; what it sums up comes later.
pub(crate) const INSERT: Sql = sql!(
    "
INSERT INTO errtrack_issue (
  project_id, number, uuid, fingerprint, status, regressed, level, count, stored_count, user_count, first_seen, last_seen,
  created_at, updated_at, resolved_at, last_event, type, value, culprit, source, platform, environment, first_release,
  last_release, assigned_to, resolved_in, resolved_after, ignored_until, ignored_until_count, lead_group
)
SELECT project_id, CAST($2 AS BIGINT), uuid, fingerprint, status, regressed, level, 0, 0, 0, first_seen, last_seen, created_at, updated_at,
  resolved_at, last_event, type, value, culprit, source, platform, environment, first_release, last_release, assigned_to,
  resolved_in, resolved_after, ignored_until, ignored_until_count, id
FROM errtrack_issue WHERE id = $1
RETURNING id"
);
/// The groups `$1` are groups of the issue `$2` (of none, if NULL) from the time `$3` on.
pub(crate) const JOIN: Sql = sql!("UPDATE errtrack_issue SET merged_into = $2, updated_at = $3 WHERE id ", in_ids(1));

/// Adds to the issue `$1` of project `$2` what the groups `$3` count in the days `$4`.
pub(crate) const ADD_HOURS: Sql = sql!(
    "
INSERT INTO errtrack_issue_hour (project_id, day, issue_id, hour, count)
SELECT n.project_id, n.day, CAST($1 AS BIGINT), n.hour, CAST(SUM(n.count) AS BIGINT) FROM ",
    numbers(3),
    " l ",
    then_join,
    " errtrack_issue g ON g.id = l.value ",
    then_join,
    " ",
    numbers(4),
    " d ON d.value >= g.first_seen / 86400000000 AND d.value <= g.last_seen / 86400000000 ",
    then_join,
    " errtrack_issue_hour n ON n.project_id = $2 AND n.day = d.value AND n.issue_id = g.id
WHERE TRUE GROUP BY n.project_id, n.day, n.hour
ON CONFLICT (project_id, day, issue_id, hour) DO UPDATE SET count = errtrack_issue_hour.count + excluded.count"
);
/// Adds to the issue `$1` of project `$2` the users of the groups `$3`.
pub(crate) const ADD_USERS: Sql = sql!(
    "
INSERT INTO errtrack_issue_user (project_id, issue_id, user_hash)
SELECT DISTINCT project_id, CAST($1 AS BIGINT), user_hash FROM errtrack_issue_user WHERE project_id = $2 AND issue_id ",
    in_ids(3),
    " ON CONFLICT DO NOTHING"
);
/// Adds to the issue `$1` of project `$2` the tags of the groups `$3`. It names `$4` values of a key at most, the most frequent
/// of those that it did not have; the others are counted under the value `$5`, whose number ends in zeros.
pub(crate) const ADD_TAGS: Sql = sql!(
    "
WITH theirs AS (
  SELECT tag, CAST(SUM(count) AS BIGINT) AS count, MIN(key) AS key, MIN(value) AS value,
    tag IN (SELECT h.tag FROM errtrack_issue_tag h WHERE h.project_id = $2 AND h.issue_id = $1) AS there
  FROM errtrack_issue_tag WHERE project_id = $2 AND issue_id ",
    in_ids(3),
    " GROUP BY tag
), ours AS (
  SELECT tag >> 39 AS name, COUNT(*) AS n FROM errtrack_issue_tag
  WHERE project_id = $2 AND issue_id = $1 AND value <> $5 GROUP BY tag >> 39
), placed AS (
  SELECT t.tag, t.count, t.key, t.value, t.value <> $5 AND (t.there OR COALESCE(o.n, 0) + ROW_NUMBER() OVER (
    PARTITION BY t.tag >> 39, t.there OR t.value = $5 ORDER BY t.count DESC, t.tag
  ) <= $4) AS named
  FROM theirs t LEFT JOIN ours o ON o.name = t.tag >> 39
), settled AS (
  SELECT CASE WHEN named THEN tag ELSE tag >> 39 << 39 END AS tag, count, key, CASE WHEN named THEN value ELSE $5 END AS value
  FROM placed
)
INSERT INTO errtrack_issue_tag (project_id, issue_id, tag, count, key, value)
SELECT CAST($2 AS BIGINT), CAST($1 AS BIGINT), tag, CAST(SUM(count) AS BIGINT), MIN(key), MIN(value)
FROM settled WHERE TRUE GROUP BY tag
ON CONFLICT (project_id, issue_id, tag) DO UPDATE SET count = errtrack_issue_tag.count + excluded.count"
);
/// Makes the issue `$1` show what its groups do, at the time `$2`.
pub(crate) const SUM_UP: Sql = sql!(
    "
UPDATE errtrack_issue AS i SET
  count = s.count,
  stored_count = s.stored,
  user_count = (SELECT COUNT(*) FROM errtrack_issue_user u WHERE u.project_id = i.project_id AND u.issue_id = i.id),
  first_seen = s.first_seen,
  last_seen = s.last_seen,
  level = n.level,
  type = n.type,
  value = n.value,
  culprit = n.culprit,
  source = n.source,
  platform = n.platform,
  environment = n.environment,
  first_release = (
    SELECT g.first_release FROM errtrack_issue g WHERE g.merged_into = $1 AND g.first_release IS NOT NULL
    ORDER BY g.created_at, g.id LIMIT 1
  ),
  last_release = (
    SELECT g.last_release FROM errtrack_issue g WHERE g.merged_into = $1 AND g.last_release IS NOT NULL
    ORDER BY g.last_seen DESC, g.id DESC LIMIT 1
  ),
  last_event = COALESCE((
    SELECT e.client_id FROM errtrack_issue g
    JOIN errtrack_event e ON e.project_id = g.project_id AND e.client_id = g.last_event
    WHERE g.merged_into = $1 ORDER BY e.timestamp DESC, e.row DESC LIMIT 1
  ), ",
    either("x'00000000000000000000000000000000'", "'\\x00000000000000000000000000000000'"),
    "),
  updated_at = $2
FROM (
  SELECT CAST(SUM(count) AS BIGINT) AS count, CAST(SUM(stored_count) AS BIGINT) AS stored,
    MIN(first_seen) AS first_seen, MAX(last_seen) AS last_seen
  FROM errtrack_issue WHERE merged_into = $1
) s CROSS JOIN (
  SELECT level, type, value, culprit, source, platform, environment FROM errtrack_issue WHERE merged_into = $1
  ORDER BY last_seen DESC, id DESC LIMIT 1
) n
WHERE i.id = $1"
);
/// Opens the issue `$1`; `$2` says whether it regressed (1).
pub(crate) const OPEN: Sql = sql!(
    "
UPDATE errtrack_issue SET status = 0, regressed = CAST($2 AS BIGINT) = 1, resolved_at = NULL, resolved_in = NULL,
  resolved_after = NULL
WHERE id = $1"
);
/// Gives the issue `$1` what people have decided about the issue `$2`.
pub(crate) const TAKE_OVER: Sql = sql!(
    "
UPDATE errtrack_issue AS i SET
  status = o.status, regressed = o.regressed, resolved_at = o.resolved_at, assigned_to = o.assigned_to,
  resolved_in = o.resolved_in, resolved_after = o.resolved_after, ignored_until = o.ignored_until,
  ignored_until_count = o.ignored_until_count,
  created_at = o.created_at
FROM errtrack_issue o WHERE i.id = $1 AND o.id = $2"
);

/// The groups of a merged issue that `$1` stands for; none of another.
pub(crate) const GROUP_IDS: Sql = sql!(
    "
SELECT g.id FROM errtrack_issue g
WHERE g.merged_into = (SELECT COALESCE(m.merged_into, m.id) FROM errtrack_issue m WHERE m.id = $1)"
);

#[cfg(test)]
pub(crate) const EVERY: &[Sql] = &[
    ROWS, HEADS, GROUP_OF, SPAN, NUMBER, INSERT, JOIN, ADD_HOURS, ADD_USERS, ADD_TAGS, SUM_UP, OPEN, TAKE_OVER,
    GROUP_IDS,
];
