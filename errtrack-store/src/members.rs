//! The rows of issues: one for each group, and one more for an issue that was merged.

use crate::{
    issues::numbers,
    link::{Link, Value},
    sql::merge as sql,
};
use errtrack_core::IssueId;
use sqlx::Error;

/// A row of an issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) id: i64,
    pub(crate) project: i64,
    /// The row of the issue that it belongs to; itself, if it was not merged into another.
    pub(crate) issue: i64,
    /// It is that of a merged issue, and counts what its groups do.
    pub(crate) merged: bool,
}

/// Locks every row of the issues that some ids stand for, so that none joins or leaves them until the transaction ends.
/// `None` if one did meanwhile; then the transaction must begin anew.
pub(crate) async fn lock<C: Link>(connection: &mut C, ids: &[i64]) -> Result<Option<Vec<Member>>, Error> {
    let found = read(connection, ids).await?;
    if !C::SHARED || found.is_empty() {
        return Ok(Some(found));
    }
    connection.lock_rows(list(&found)).await?;
    let now = read(connection, ids).await?;
    // What is gone matters to nobody.
    Ok(now.iter().all(|member| found.contains(member)).then_some(now))
}

async fn read<C: Link>(connection: &mut C, ids: &[i64]) -> Result<Vec<Member>, Error> {
    let rows = connection.rows(sql::ROWS, vec![Value::Text(numbers(ids.iter().copied()))]).await?;
    let member = |[id, project, issue, merged]: [i64; 4]| Member { id, project, issue, merged: merged == 1 };
    Ok(rows.into_iter().map(member).collect())
}

/// The ids of rows, as a list for SQL.
pub(crate) fn list(members: &[Member]) -> String {
    numbers(members.iter().map(|member| member.id))
}

/// The numbers of issues.
pub(crate) fn ids(issues: &[IssueId]) -> Vec<i64> {
    issues.iter().map(|issue| issue.0).collect()
}
