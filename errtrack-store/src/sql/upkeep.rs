//! Deleting issues and projects in small steps.

/// Issues leave in one step with their groupings, so that a new event makes a new issue; the rest follows.
pub(crate) const BURY: &str = "
INSERT INTO errtrack_deleted_issue (project_id, issue_id, first_hour, last_hour)
SELECT project_id, id, first_seen / 3600000000, last_seen / 3600000000 FROM errtrack_issue
WHERE id IN (SELECT value FROM json_each($1))
ON CONFLICT DO NOTHING";
pub(crate) const DELETE_GROUPINGS: &str =
    "DELETE FROM errtrack_grouping WHERE issue_id IN (SELECT value FROM json_each($1))";
pub(crate) const DELETE_ISSUES: &str =
    "DELETE FROM errtrack_issue WHERE id IN (SELECT value FROM json_each($1)) RETURNING project_id, id";

pub(crate) const BURIED: &str = "
SELECT project_id, issue_id, first_hour, last_hour FROM errtrack_deleted_issue
ORDER BY project_id, issue_id LIMIT $1";
pub(crate) const FORGET: &str = "DELETE FROM errtrack_deleted_issue WHERE project_id = $1 AND issue_id = $2";

/// `$2` how many.
pub(crate) const DELETE_EVENTS: &str =
    "DELETE FROM errtrack_event WHERE row IN (SELECT row FROM errtrack_event WHERE issue_id = $1 LIMIT $2)";
/// `$2` how many.
pub(crate) const DELETE_USERS: &str = "
DELETE FROM errtrack_issue_user WHERE issue_id = $1 AND user_hash IN (
  SELECT user_hash FROM errtrack_issue_user WHERE issue_id = $1 LIMIT $2
)";
/// `$2` how many.
pub(crate) const DELETE_TAGS: &str = "
DELETE FROM errtrack_issue_tag WHERE issue_id = $1 AND tag IN (
  SELECT tag FROM errtrack_issue_tag WHERE issue_id = $1 LIMIT $2
)";
/// From hour `$2` to `$3`: a look-up by key for each.
pub(crate) const DELETE_HOURS: &str = "
WITH RECURSIVE h (hour) AS (SELECT $2 UNION ALL SELECT hour + 1 FROM h WHERE hour < $3)
DELETE FROM errtrack_issue_hour WHERE (hour, issue_id) IN (SELECT hour, $1 FROM h)";

/// A project leaves in one step with what lets others write to it; the rest follows. Each with `$1`.
pub(crate) const BURY_PROJECT: [&str; 5] = [
    "INSERT INTO errtrack_deleted_project (project_id) SELECT id FROM errtrack_project WHERE id = $1",
    "DELETE FROM errtrack_public_key WHERE project_id = $1",
    "DELETE FROM errtrack_grouping WHERE project_id = $1",
    "DELETE FROM errtrack_balance WHERE project_id = $1",
    "DELETE FROM errtrack_set_aside WHERE project_id = $1",
];
/// The last of them.
pub(crate) const DELETE_PROJECT: &str = "DELETE FROM errtrack_project WHERE id = $1";
pub(crate) const BURIED_PROJECTS: &str = "SELECT project_id FROM errtrack_deleted_project ORDER BY project_id";
pub(crate) const FORGET_PROJECT: &str = "DELETE FROM errtrack_deleted_project WHERE project_id = $1";
/// `$2` how many.
pub(crate) const ISSUES_OF: &str = "SELECT id FROM errtrack_issue WHERE project_id = $1 LIMIT $2";
/// `$2` how many.
pub(crate) const DELETE_PROJECT_HOURS: &str = "
DELETE FROM errtrack_project_hour WHERE project_id = $1 AND hour IN (
  SELECT hour FROM errtrack_project_hour WHERE project_id = $1 LIMIT $2
)";

#[cfg(test)]
pub(crate) const EVERY: &[&str] = &[
    BURY,
    DELETE_GROUPINGS,
    DELETE_ISSUES,
    BURIED,
    FORGET,
    DELETE_EVENTS,
    DELETE_USERS,
    DELETE_TAGS,
    DELETE_HOURS,
    BURY_PROJECT[0],
    BURY_PROJECT[1],
    BURY_PROJECT[2],
    BURY_PROJECT[3],
    BURY_PROJECT[4],
    DELETE_PROJECT,
    BURIED_PROJECTS,
    FORGET_PROJECT,
    ISSUES_OF,
    DELETE_PROJECT_HOURS,
];
