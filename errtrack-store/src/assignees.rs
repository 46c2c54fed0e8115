//! Issues that are assigned in a transaction of somebody else's, unless they have an assignee.

use crate::{
    issues::numbers,
    link::{Link, Value},
    members::{self, Member},
    sql::issue as sql,
    tag::stored,
};
use errtrack_core::{IssueId, Timestamp};
use sqlx::Error;
use std::collections::BTreeMap;

/// Locks the rows of issues; `None` if one joined or left them meanwhile.
pub(crate) async fn lock<C: Link>(connection: &mut C, issues: &[i64]) -> Result<Option<Vec<Member>>, Error> {
    if issues.is_empty() {
        return Ok(Some(Vec::new()));
    }
    members::lock(connection, issues).await
}

/// Assigns those that are nobody's; answers which these were: project and issue.
pub(crate) async fn assign<C: Link>(
    connection: &mut C,
    rows: &[Member],
    assignments: &[(IssueId, String)],
) -> Result<Vec<(i64, i64)>, Error> {
    let mut by_owner: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    for (issue, owner) in assignments {
        let of_issue = rows.iter().filter(|row| row.issue == issue.0).map(|row| row.id);
        by_owner.entry(owner).or_default().extend(of_issue);
    }
    let now = Timestamp::now().as_micros();
    let mut changed = Vec::new();
    for (owner, rows) in by_owner {
        let values = vec![Value::Text(numbers(rows.into_iter())), Value::Text(stored(owner)), Value::Number(now)];
        let done: Vec<[i64; 3]> = connection.rows(sql::ASSIGN_FREE, values).await?;
        changed.extend(done.iter().filter(|[.., shown]| *shown == 1).map(|[project, issue, _]| (*project, *issue)));
    }
    Ok(changed)
}
