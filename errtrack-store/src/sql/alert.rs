//! Alert rules, signals, firings, and what is counted for them.

use super::{Sql, sql};

pub(crate) const RULES: Sql = sql!("SELECT data FROM errtrack_alert_rule ORDER BY created_at, id");
/// `$1` the id, `$2` the time, `$3` the rule. Of all projects.
pub(crate) const PUT_RULE: Sql = sql!(
    "
INSERT INTO errtrack_alert_rule (id, project_id, created_at, data) VALUES ($1, 0, $2, $3)
ON CONFLICT (id) DO UPDATE SET project_id = excluded.project_id, data = excluded.data"
);
/// The same of the project `$4`. For none that is gone; one that goes meanwhile takes it along, as its row is locked.
pub(crate) const PUT_RULE_OF: Sql = sql!(
    "
INSERT INTO errtrack_alert_rule (id, project_id, created_at, data)
SELECT $1, p.id, $2, $3 FROM (SELECT id FROM errtrack_project WHERE id = $4",
    either("", " FOR SHARE"),
    ") p WHERE TRUE
ON CONFLICT (id) DO UPDATE SET project_id = excluded.project_id, data = excluded.data"
);
pub(crate) const DELETE_RULE: Sql = sql!("DELETE FROM errtrack_alert_rule WHERE id = $1");
pub(crate) const DELETE_FIRINGS: Sql = sql!("DELETE FROM errtrack_alert_firing WHERE rule_id = $1");

/// Those before `$1`, `$2` (time, id): `$3` of them.
pub(crate) const FIRINGS: Sql = sql!(
    "
SELECT data FROM errtrack_alert_firing WHERE (at, id) < ($1, $2) ORDER BY at DESC, id DESC LIMIT $3"
);
/// The same of the rule `$4`.
pub(crate) const FIRINGS_OF: Sql = sql!(
    "
SELECT data FROM errtrack_alert_firing
WHERE rule_id = $4 AND (at, id) < ($1, $2) ORDER BY at DESC, id DESC LIMIT $3"
);
/// `$1` issues, `$2` since when: rule, issue, time.
pub(crate) const LAST_FIRINGS: Sql = sql!(
    "
SELECT rule_id, issue_id, MAX(at) FROM errtrack_alert_firing
WHERE issue_id ",
    in_ids(1),
    " AND at >= $2 GROUP BY rule_id, issue_id"
);
/// `$1` firings: lists of id and rule (hexadecimal), project, issue, time and the rest.
pub(crate) const ADD_FIRINGS: Sql = sql!(
    "
INSERT INTO errtrack_alert_firing (id, rule_id, project_id, issue_id, at, data)
",
    either(
        "SELECT unhex(r.value ->> 0), unhex(r.value ->> 1), r.value ->> 2, r.value ->> 3, r.value ->> 4, r.value ->> 5
FROM json_each($1) r WHERE TRUE",
        "SELECT decode(r ->> 0, 'hex'), decode(r ->> 1, 'hex'), CAST(r ->> 2 AS BIGINT), CAST(r ->> 3 AS BIGINT),
  CAST(r ->> 4 AS BIGINT), r ->> 5
FROM json_array_elements(CAST($1 AS JSON)) r"
    ),
    "
ON CONFLICT (id) DO NOTHING"
);

pub(crate) const STATE: Sql = sql!("SELECT name, data FROM errtrack_alert_state");
/// `$1` the version that is written, `$2` the one before. Changes no row if that is another.
pub(crate) const CLAIM: Sql = sql!(
    "
INSERT INTO errtrack_alert_state (name, data) VALUES ('version', $1)
ON CONFLICT (name) DO UPDATE SET data = excluded.data WHERE errtrack_alert_state.data = $2"
);
pub(crate) const PUT_STATE: Sql = sql!(
    "
INSERT INTO errtrack_alert_state (name, data) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET data = excluded.data"
);
pub(crate) const DELETE_STATE: Sql = sql!("DELETE FROM errtrack_alert_state WHERE name = $1");

/// `$1` signals: lists of project, issue, kind, time, count, level, environment, release, source and tags.
pub(crate) const ADD_SIGNALS: Sql = sql!(
    "
INSERT INTO errtrack_signal (project_id, issue_id, kind, at, count, level, environment, release, source, tags)
",
    either(
        "SELECT r.value ->> 0, r.value ->> 1, r.value ->> 2, r.value ->> 3, r.value ->> 4, r.value ->> 5,
  r.value ->> 6, r.value ->> 7, r.value ->> 8, r.value ->> 9
FROM json_each($1) r WHERE TRUE",
        "SELECT CAST(r ->> 0 AS BIGINT), CAST(r ->> 1 AS BIGINT), CAST(r ->> 2 AS BIGINT), CAST(r ->> 3 AS BIGINT),
  CAST(r ->> 4 AS BIGINT), CAST(r ->> 5 AS BIGINT), r ->> 6, r ->> 7, r ->> 8, r ->> 9
FROM json_array_elements(CAST($1 AS JSON)) r"
    )
);
/// The oldest `$1`, each with the issue that it is part of now.
pub(crate) const SIGNALS: Sql = sql!(
    "
SELECT s.id, s.project_id, COALESCE(i.merged_into, s.issue_id), s.kind, s.at, s.count, s.level, s.environment, s.release,
  s.source, s.tags
FROM (SELECT * FROM errtrack_signal ORDER BY id LIMIT $1) s LEFT JOIN errtrack_issue i ON i.id = s.issue_id
ORDER BY s.id"
);
/// Keeps the signals `$1` of issues that are there.
pub(crate) const KEEP_SIGNALS: Sql = sql!(
    "
INSERT INTO errtrack_past_signal (
  id, project_id, issue_id, kind, at, count, level, environment, release, source, tags
)
SELECT s.id, s.project_id, s.issue_id, s.kind, s.at, s.count, s.level, s.environment, s.release, s.source, s.tags
FROM errtrack_signal s JOIN errtrack_issue i ON i.id = s.issue_id
WHERE s.id ",
    in_ids(1),
    " ON CONFLICT (id) DO NOTHING"
);
/// Of the kind `$1` since `$2`, `$3` at most; `$4` whether of all projects (1), `$5` a list of them. The newest first.
pub(crate) const PAST_SIGNALS: Sql = sql!(
    "
SELECT s.id, s.project_id, COALESCE(i.merged_into, s.issue_id), s.kind, s.at, s.count, s.level, s.environment, s.release,
  s.source, s.tags
FROM errtrack_past_signal s LEFT JOIN errtrack_issue i ON i.id = s.issue_id
WHERE s.kind = $1 AND s.at >= $2 AND ($4 = 1 OR s.project_id ",
    in_ids(5),
    ") ORDER BY s.at DESC, s.id DESC LIMIT $3"
);
/// Since when they are kept.
pub(crate) const PAST_SINCE: Sql = sql!("SELECT CAST(value AS BIGINT) FROM errtrack_meta WHERE name = 'past_signals'");
/// Those before `$1`; `$2` rows.
pub(crate) const DROP_PAST_SIGNALS: Sql = sql!(
    "
DELETE FROM errtrack_past_signal WHERE id IN (
  SELECT id FROM errtrack_past_signal WHERE at < $1 ORDER BY at LIMIT $2
)"
);
pub(crate) const DELETE_SIGNALS: Sql = sql!("DELETE FROM errtrack_signal WHERE id ", in_ids(1));

/// `$1` whether all projects are asked for (1), `$2` a list of them, `$3` whether all environments are (1), `$4` the one;
/// `$5` the width, from `$6` to `$7`; `$8` the level, less than 0 for all.
pub(crate) const TALLIES: Sql = sql!(
    "
SELECT r.start, CAST(SUM(r.count) AS BIGINT), CAST(SUM(r.new_issues) AS BIGINT), CAST(SUM(r.regressions) AS BIGINT)
FROM errtrack_project p ",
    then_join,
    " errtrack_rollup r ON r.project_id = p.id AND r.width = $5 AND r.start BETWEEN $6 AND $7
WHERE ($1 = 1 OR p.id ",
    in_ids(2),
    ") AND ($3 = 1 OR r.environment = $4) AND ($8 < 0 OR r.level = $8)
GROUP BY r.start ORDER BY r.start"
);

/// What was counted by the minute before `$1`; `$2` rows.
pub(crate) const DROP_MINUTES: Sql = sql!(
    "
DELETE FROM errtrack_rollup WHERE (project_id, width, start, environment, level) IN (
  SELECT r.project_id, r.width, r.start, r.environment, r.level FROM errtrack_project p ",
    then_join,
    " errtrack_rollup r ON r.project_id = p.id AND r.width = -1 AND r.start < $1
  LIMIT $2
)"
);
/// Firings before `$1`; `$2` rows.
pub(crate) const DROP_FIRINGS: Sql = sql!(
    "
DELETE FROM errtrack_alert_firing WHERE id IN (SELECT id FROM errtrack_alert_firing WHERE at < $1 ORDER BY at LIMIT $2)"
);

#[cfg(test)]
pub(crate) const EVERY: &[Sql] = &[
    RULES,
    PUT_RULE,
    PUT_RULE_OF,
    DELETE_RULE,
    DELETE_FIRINGS,
    FIRINGS,
    FIRINGS_OF,
    LAST_FIRINGS,
    ADD_FIRINGS,
    STATE,
    CLAIM,
    PUT_STATE,
    DELETE_STATE,
    ADD_SIGNALS,
    SIGNALS,
    KEEP_SIGNALS,
    PAST_SIGNALS,
    PAST_SINCE,
    DROP_PAST_SIGNALS,
    DELETE_SIGNALS,
    TALLIES,
    DROP_MINUTES,
    DROP_FIRINGS,
];
