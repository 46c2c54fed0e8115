//! Figures from rollups. `$1` says whether all projects are asked for (1), `$2` is a list of them; `$3` whether all
//! environments are (1), `$4` is the one.

use super::{Sql, sql};

/// What figures are made of: events ever counted, edits. `$1`, `$2` projects.
pub(crate) const VERSION: Sql = sql!(
    "
SELECT
  COALESCE((SELECT CAST(SUM(r.count) AS BIGINT) FROM errtrack_project p ",
    then_join,
    " errtrack_rollup r ON r.project_id = p.id AND r.width = 0 WHERE $1 = 1 OR p.id ",
    in_ids(2),
    "), 0),
  COALESCE((SELECT CAST(value AS BIGINT) FROM errtrack_meta WHERE name = 'edits'), 0)"
);

/// Buckets of width `$5` that start from `$6` to `$7`: hour, events, those of the level `$8` and above, new issues.
pub(crate) const ROLLUPS: Sql = sql!(
    "
SELECT r.start, CAST(SUM(r.count) AS BIGINT), CAST(SUM(CASE WHEN r.level >= $8 THEN r.count ELSE 0 END) AS BIGINT),
  CAST(SUM(r.new_issues) AS BIGINT)
FROM errtrack_project p ",
    then_join,
    " errtrack_rollup r ON r.project_id = p.id AND r.width = $5 AND r.start BETWEEN $6 AND $7
WHERE ($1 = 1 OR p.id ",
    in_ids(2),
    ") AND ($3 = 1 OR r.environment = $4)
GROUP BY r.start ORDER BY r.start"
);

/// Buckets of width `$5` that start from `$6` to `$7`: hour, how many were resolved, in how many microseconds.
pub(crate) const RESOLUTIONS: Sql = sql!(
    "
SELECT r.start, CAST(SUM(r.count) AS BIGINT), CAST(SUM(r.micros) AS BIGINT)
FROM errtrack_project p ",
    then_join,
    " errtrack_resolution r ON r.project_id = p.id AND r.whole = $3 AND r.width = $5 AND r.start BETWEEN $6 AND $7
WHERE ($1 = 1 OR p.id ",
    in_ids(2),
    ") AND r.environment = $4
GROUP BY r.start ORDER BY r.start"
);

/// In buckets of width `$5` from `$6` on: environment, events, those of the level `$7` and above.
pub(crate) const BY_ENVIRONMENT: Sql = sql!(
    "
SELECT r.environment, CAST(SUM(r.count) AS BIGINT), CAST(SUM(CASE WHEN r.level >= $7 THEN r.count ELSE 0 END) AS BIGINT)
FROM errtrack_project p ",
    then_join,
    " errtrack_rollup r ON r.project_id = p.id AND r.width = $5 AND r.start >= $6
WHERE ($1 = 1 OR p.id ",
    in_ids(2),
    ") AND ($3 = 1 OR r.environment = $4)
GROUP BY r.environment ORDER BY 2 DESC, 1"
);

/// From day `$5` to `$6` and from hour `$7` on: `$8` issues and their events. `$9` is the number of the environment's tag.
pub(crate) const TOP: Sql = sql!(
    "
SELECT i.id, d.count FROM (
  SELECT n.project_id, n.issue_id, CAST(SUM(n.count) AS BIGINT) AS count FROM errtrack_project p ",
    then_join,
    " errtrack_issue_hour n ON n.project_id = p.id AND n.day BETWEEN $5 AND $6 AND n.hour >= $7
  WHERE $1 = 1 OR p.id ",
    in_ids(2),
    " GROUP BY n.project_id, n.issue_id
) d ",
    then_join,
    " errtrack_issue i ON i.id = d.issue_id AND i.merged_into IS NULL
WHERE $3 = 1 OR EXISTS (
  SELECT 1 FROM errtrack_issue_tag t
  WHERE t.project_id = d.project_id AND t.issue_id = d.issue_id AND t.tag = $9 AND t.key = 'environment' AND t.value = $4
)
ORDER BY d.count DESC, i.id DESC LIMIT $8"
);
/// The issues `$1`.
pub(crate) const ISSUES: Sql = sql!(issue_columns, " WHERE i.id ", in_ids(1));

/// The environments that the projects `$1` count by name: project, name.
pub(crate) const ENVIRONMENTS: Sql =
    sql!("SELECT DISTINCT project_id, environment FROM errtrack_rollup WHERE width = 0 AND project_id ", in_ids(1));

/// `$1` points: lists of project, series, width, start, name, node and data.
pub(crate) const PUT_POINTS: Sql = sql!(
    "
INSERT INTO errtrack_series (project_id, series, width, start, name, node, data)
",
    either(
        "SELECT r.value ->> 0, r.value ->> 1, r.value ->> 2, r.value ->> 3, r.value ->> 4, r.value ->> 5, r.value ->> 6
FROM json_each($1) r WHERE TRUE",
        "SELECT CAST(r ->> 0 AS BIGINT), CAST(r ->> 1 AS BIGINT), CAST(r ->> 2 AS BIGINT), CAST(r ->> 3 AS BIGINT), r ->> 4,
  r ->> 5, r ->> 6
FROM json_array_elements(CAST($1 AS JSON)) r"
    ),
    "
ON CONFLICT (project_id, series, width, start, name, node) DO UPDATE SET data = excluded.data"
);
/// `$3` the series, `$4` the width, from `$5` to `$6`.
pub(crate) const POINTS: Sql = sql!(
    "
SELECT s.project_id, s.start, s.name, s.node, s.data FROM (
  SELECT id FROM errtrack_project UNION ALL SELECT 0
) p ",
    then_join,
    " errtrack_series s ON s.project_id = p.id AND s.series = $3 AND s.width = $4 AND s.start BETWEEN $5 AND $6
WHERE $1 = 1 OR p.id ",
    in_ids(2),
    " ORDER BY s.start, s.project_id, s.name, s.node"
);
/// Of series `$1` and width `$2` before `$3`; `$4` how many.
pub(crate) const DROP_POINTS: Sql = sql!(
    "
DELETE FROM errtrack_series WHERE (project_id, series, width, start, name, node) IN (
  SELECT s.project_id, s.series, s.width, s.start, s.name, s.node FROM (
    SELECT id FROM errtrack_project UNION ALL SELECT 0
  ) p ",
    then_join,
    " errtrack_series s ON s.project_id = p.id AND s.series = $1 AND s.width = $2 AND s.start < $3
  LIMIT $4
)"
);

/// What a project that is gone leaves here: `$2` rows of `$1`.
pub(crate) const OF_PROJECT: [Sql; 3] = [
    sql!(
        "
DELETE FROM errtrack_rollup WHERE project_id = $1 AND (width, start, environment, level) IN (
  SELECT width, start, environment, level FROM errtrack_rollup WHERE project_id = $1 LIMIT $2
)"
    ),
    sql!(
        "
DELETE FROM errtrack_resolution WHERE project_id = $1 AND (whole, width, start, environment) IN (
  SELECT whole, width, start, environment FROM errtrack_resolution WHERE project_id = $1 LIMIT $2
)"
    ),
    sql!(
        "
DELETE FROM errtrack_series WHERE project_id = $1 AND (series, width, start, name, node) IN (
  SELECT series, width, start, name, node FROM errtrack_series WHERE project_id = $1 LIMIT $2
)"
    ),
];

#[cfg(test)]
pub(crate) const EVERY: &[Sql] = &[
    VERSION,
    ROLLUPS,
    RESOLUTIONS,
    BY_ENVIRONMENT,
    TOP,
    ISSUES,
    ENVIRONMENTS,
    PUT_POINTS,
    POINTS,
    DROP_POINTS,
    OF_PROJECT[0],
    OF_PROJECT[1],
    OF_PROJECT[2],
];
