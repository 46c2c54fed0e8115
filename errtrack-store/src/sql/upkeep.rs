//! Deleting issues and projects in small steps.

use super::{Sql, sql};

/// Issues leave in one step with their groupings, so that a new event makes a new issue; the rest follows. In PostgreSQL
/// their rows are locked first, so that no batch adds an hour that is not noted here.
pub(crate) const BURY: Sql = sql!(
    "
INSERT INTO errtrack_deleted_issue (issue_id, project_id, first_hour, last_hour)
SELECT i.id, i.project_id, i.first_seen / 3600000000, i.last_seen / 3600000000
FROM (SELECT * FROM errtrack_issue WHERE id ",
    in_ids(1),
    either("", " ORDER BY lead_group IS NOT NULL, id FOR UPDATE"),
    ") i WHERE TRUE
ON CONFLICT DO NOTHING"
);
pub(crate) const DELETE_GROUPINGS: Sql = sql!("DELETE FROM errtrack_grouping WHERE issue_id ", in_ids(1));
/// Project and id, and whether it was shown: groups of merged issues are not.
pub(crate) const DELETE_ISSUES: Sql =
    sql!("DELETE FROM errtrack_issue WHERE id ", in_ids(1), " RETURNING project_id, id, merged_into IS NULL");

pub(crate) const BURIED: Sql = sql!(
    "SELECT project_id, issue_id, first_hour, last_hour FROM errtrack_deleted_issue ORDER BY project_id, issue_id LIMIT $1"
);
/// Of project `$1`.
pub(crate) const FORGET: Sql =
    sql!("DELETE FROM errtrack_deleted_issue WHERE project_id = $1 AND issue_id ", in_ids(2));

/// Of project `$1` and the deleted issues from `$2` to `$3`; `$4` how many.
pub(crate) const DELETE_EVENTS: Sql = sql!(either(
    "
DELETE FROM errtrack_event WHERE row IN (
  SELECT e.row FROM errtrack_deleted_issue b CROSS JOIN errtrack_event e ON e.issue_id = b.issue_id
  WHERE b.project_id = $1 AND b.issue_id BETWEEN $2 AND $3 LIMIT $4
)",
    "
WITH gone AS (
  DELETE FROM errtrack_event WHERE (project_id, client_id) IN (
    SELECT e.project_id, e.client_id FROM errtrack_deleted_issue b JOIN errtrack_event e ON e.issue_id = b.issue_id
    WHERE b.project_id = $1 AND b.issue_id BETWEEN $2 AND $3 LIMIT $4
  ) RETURNING project_id, id
), payloads AS (
  DELETE FROM errtrack_payload p USING gone WHERE p.project_id = gone.project_id AND p.id = gone.id
)
SELECT 1 FROM gone"
));
/// Of project `$1` and the deleted issues from `$2` to `$3`; `$4` how many.
pub(crate) const DELETE_USERS: Sql = sql!(
    "
DELETE FROM errtrack_issue_user WHERE (project_id, issue_id, user_hash) IN (
  SELECT u.project_id, u.issue_id, u.user_hash FROM errtrack_deleted_issue b ",
    then_join,
    " errtrack_issue_user u ON u.project_id = b.project_id AND u.issue_id = b.issue_id
  WHERE b.project_id = $1 AND b.issue_id BETWEEN $2 AND $3 LIMIT $4
)"
);
/// Of project `$1` and the deleted issues from `$2` to `$3`; `$4` how many.
pub(crate) const DELETE_TAGS: Sql = sql!(
    "
DELETE FROM errtrack_issue_tag WHERE (project_id, issue_id, tag) IN (
  SELECT t.project_id, t.issue_id, t.tag FROM errtrack_deleted_issue b ",
    then_join,
    " errtrack_issue_tag t ON t.project_id = b.project_id AND t.issue_id = b.issue_id
  WHERE b.project_id = $1 AND b.issue_id BETWEEN $2 AND $3 LIMIT $4
)"
);
/// Of project `$1` and the deleted issues from `$2` to `$3`, from day `$5` to `$6`; `$4` how many. A look-up by key for each
/// day within the life of an issue.
pub(crate) const DELETE_HOURS: Sql = sql!(
    "
WITH RECURSIVE d (day) AS (SELECT CAST($5 AS BIGINT) UNION ALL SELECT day + 1 FROM d WHERE day < $6)
DELETE FROM errtrack_issue_hour WHERE (project_id, day, issue_id, hour) IN (
  SELECT n.project_id, n.day, n.issue_id, n.hour FROM errtrack_deleted_issue b ",
    then_join,
    " d ON d.day BETWEEN b.first_hour / 24 AND b.last_hour / 24 ",
    then_join,
    " errtrack_issue_hour n ON n.project_id = b.project_id AND n.day = d.day AND n.issue_id = b.issue_id
  WHERE b.project_id = $1 AND b.issue_id BETWEEN $2 AND $3 LIMIT $4
)"
);

/// Of project `$1` and the deleted issues from `$2` to `$3`; `$4` how many.
pub(crate) const DELETE_COMMENTS: Sql = sql!(
    "
DELETE FROM errtrack_comment WHERE id IN (
  SELECT c.id FROM errtrack_deleted_issue b ",
    then_join,
    " errtrack_comment c ON c.project_id = b.project_id AND c.issue_id = b.issue_id
  WHERE b.project_id = $1 AND b.issue_id BETWEEN $2 AND $3 LIMIT $4
)"
);

/// A project leaves in one step with what lets others write to it; the rest follows. Each with `$1`.
pub(crate) const BURY_PROJECT: [Sql; 10] = [
    sql!(
        "INSERT INTO errtrack_deleted_project (project_id) SELECT id FROM errtrack_project WHERE id = $1",
        either("", " FOR UPDATE")
    ),
    sql!("DELETE FROM errtrack_public_key WHERE project_id = $1"),
    sql!("DELETE FROM errtrack_grouping WHERE project_id = $1"),
    sql!("DELETE FROM errtrack_balance WHERE project_id = $1"),
    sql!("DELETE FROM errtrack_set_aside WHERE project_id = $1"),
    sql!("DELETE FROM errtrack_setting WHERE project_id = $1"),
    sql!("DELETE FROM errtrack_alert_rule WHERE project_id = $1"),
    sql!("DELETE FROM errtrack_signal WHERE project_id = $1"),
    sql!("DELETE FROM errtrack_alert_firing WHERE project_id = $1"),
    sql!("DELETE FROM errtrack_past_signal WHERE project_id = $1"),
];
/// The last of them.
pub(crate) const DELETE_PROJECT: Sql = sql!("DELETE FROM errtrack_project WHERE id = $1");
pub(crate) const BURIED_PROJECTS: Sql = sql!("SELECT project_id FROM errtrack_deleted_project ORDER BY project_id");
pub(crate) const FORGET_PROJECT: Sql = sql!("DELETE FROM errtrack_deleted_project WHERE project_id = $1");
pub(crate) const DELETE_RELEASES: Sql = sql!("DELETE FROM errtrack_release WHERE project_id = $1");
/// `$2` how many.
pub(crate) const ISSUES_OF: Sql = sql!("SELECT id FROM errtrack_issue WHERE project_id = $1 LIMIT $2");

#[cfg(test)]
pub(crate) const EVERY: &[Sql] = &[
    BURY,
    DELETE_GROUPINGS,
    DELETE_ISSUES,
    BURIED,
    FORGET,
    DELETE_EVENTS,
    DELETE_USERS,
    DELETE_TAGS,
    DELETE_COMMENTS,
    DELETE_HOURS,
    BURY_PROJECT[0],
    BURY_PROJECT[1],
    BURY_PROJECT[2],
    BURY_PROJECT[3],
    BURY_PROJECT[4],
    BURY_PROJECT[5],
    BURY_PROJECT[6],
    BURY_PROJECT[7],
    BURY_PROJECT[8],
    BURY_PROJECT[9],
    DELETE_RELEASES,
    DELETE_PROJECT,
    BURIED_PROJECTS,
    FORGET_PROJECT,
    ISSUES_OF,
];
