//! A store whose tables the tests look into, and what is put into it.

use errtrack_core::{
    Event, EventId, Exception, Formula, Occurrence, Preparer, ProjectId, Timestamp, User, store::ProjectStore,
};
use errtrack_store::SqliteStore;
use sqlx::{AssertSqlSafe, SqlitePool};
use std::{path::PathBuf, time::Duration};
use tempfile::TempDir;
use uuid::Uuid;

pub(crate) const DAY: Duration = Duration::from_secs(86_400);

/// A SQLite file, the store on it, and a connection beside the store.
pub(crate) struct Lab {
    pub(crate) store: SqliteStore,
    pub(crate) sql: SqlitePool,
    pub(crate) path: PathBuf,
    _folder: TempDir,
}

impl Lab {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("errors.db");
        let store = SqliteStore::open(path.to_str().unwrap()).await.unwrap();
        let sql = SqlitePool::connect(path.to_str().unwrap()).await.unwrap();
        Self { store, sql, path, _folder: folder }
    }

    pub(crate) async fn project(&self, slug: &str) -> ProjectId {
        self.store.ensure_project(slug).await.unwrap().id
    }

    /// The number that a statement answers.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        let sql = AssertSqlSafe(sql.to_owned());
        sqlx::query_scalar(sql).fetch_one(&self.sql).await.unwrap()
    }

    /// The texts that a statement answers.
    pub(crate) async fn texts(&self, sql: &str) -> Vec<String> {
        let sql = AssertSqlSafe(sql.to_owned());
        sqlx::query_scalar(sql).fetch_all(&self.sql).await.unwrap()
    }

    /// Our tables, each with its columns.
    pub(crate) async fn tables(&self) -> Vec<(String, Vec<String>)> {
        let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'errtrack!_%' ESCAPE '!'";
        let mut all = Vec::new();
        for table in self.texts(tables).await {
            let columns = self.texts(&format!("SELECT name FROM pragma_table_info('{table}')")).await;
            all.push((table, columns));
        }
        all
    }

    /// What can be told from the rows: counters that are kept say what is there.
    pub(crate) async fn check(&self) {
        for (what, wrong) in [
            ("stored_count", "stored_count <> (SELECT COUNT(*) FROM errtrack_event e WHERE e.issue_id = i.id)"),
            ("user_count", "user_count <> (SELECT COUNT(*) FROM errtrack_issue_user u WHERE u.issue_id = i.id)"),
            ("count", "count <> (SELECT SUM(count) FROM errtrack_issue_hour n WHERE n.issue_id = i.id)"),
            (
                "last_event",
                "stored_count > 0 AND NOT EXISTS (
                   SELECT 1 FROM errtrack_event e WHERE e.issue_id = i.id AND e.client_id = i.last_event)",
            ),
            (
                "tags",
                "count <> (SELECT SUM(count) FROM errtrack_issue_tag t WHERE t.issue_id = i.id AND t.key = 'color')",
            ),
        ] {
            let wrong = format!("SELECT COUNT(*) FROM errtrack_issue i WHERE {wrong}");
            assert_eq!(self.number(&wrong).await, 0, "{what}");
        }
        for (table, columns) in self.tables().await {
            if columns.iter().any(|column| column == "issue_id") && table != "errtrack_deleted_issue" {
                let lost =
                    format!("SELECT COUNT(*) FROM {table} WHERE issue_id NOT IN (SELECT id FROM errtrack_issue)");
                assert_eq!(self.number(&lost).await, 0, "rows of {table} that belong to no issue");
            }
        }
    }
}

/// An event that happens and arrives at a time.
#[derive(Debug, Clone)]
pub(crate) struct Hit<'a> {
    pub(crate) ty: &'a str,
    pub(crate) at: Timestamp,
    pub(crate) user: Option<&'a str>,
    pub(crate) color: &'a str,
    pub(crate) id: Option<Uuid>,
}

impl<'a> Hit<'a> {
    pub(crate) fn new(ty: &'a str, at: Timestamp) -> Self {
        Self { ty, at, user: None, color: "red", id: None }
    }

    pub(crate) fn of(self, project: ProjectId) -> Occurrence {
        let mut event = Event { timestamp: self.at, received_at: self.at, ..Event::new() };
        event.exceptions.push(Exception::new(self.ty, "it broke"));
        event.user = self.user.map(User::id);
        event.tags = [("color".to_owned(), self.color.to_owned())].into();
        if let Some(id) = self.id {
            event.event_id = EventId::from(id);
        }
        Preparer::default().prepare(project, event, Formula::Ours)
    }
}

pub(crate) fn days_ago(days: u64) -> Timestamp {
    Timestamp::now().minus(DAY * u32::try_from(days).unwrap())
}
