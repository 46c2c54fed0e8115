//! A store whose tables the tests look into, and what is put into it.

use errtrack_core::{
    Event, EventId, Exception, Formula, Occurrence, Preparer, ProjectId, Timestamp, User, store::ProjectStore,
};
use errtrack_store::SqlStore;
use sqlx::{AssertSqlSafe, PgPool, SqlitePool, postgres::PgConnectOptions};
use std::{collections::BTreeMap, str::FromStr, time::Duration};
use tempfile::TempDir;
use uuid::Uuid;

pub(crate) const DAY: Duration = Duration::from_secs(86_400);

/// A store, and a connection beside it.
pub(crate) struct Lab {
    pub(crate) store: SqlStore,
    pub(crate) sql: Sql,
    _folder: Option<TempDir>,
}

/// The connection, by which the tests look into the tables.
pub(crate) enum Sql {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl Lab {
    /// One of each backend that there is; PostgreSQL is left out, and says so, where no server is.
    pub(crate) async fn each() -> Vec<Self> {
        let mut labs = vec![Self::sqlite().await];
        labs.extend(Self::postgres().await);
        labs
    }

    pub(crate) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("errors.db");
        let store = SqlStore::open(path.to_str().unwrap()).await.unwrap();
        let sql = SqlitePool::connect(path.to_str().unwrap()).await.unwrap();
        Self { store, sql: Sql::Sqlite(sql), _folder: Some(folder) }
    }

    pub(crate) async fn postgres() -> Option<Self> {
        let url = crate::server::postgres()?;
        let store = SqlStore::open(&url).await.unwrap();
        let (server, schema) = url.split_once("schema=").unwrap();
        let options = PgConnectOptions::from_str(server.trim_end_matches(['?', '&'])).unwrap();
        let sql = PgPool::connect_with(options.options([("search_path", schema)])).await.unwrap();
        Some(Self { store, sql: Sql::Postgres(sql), _folder: None })
    }

    pub(crate) async fn project(&self, slug: &str) -> ProjectId {
        self.store.ensure_project(slug).await.unwrap().id
    }

    /// The number that a statement answers.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        let sql = AssertSqlSafe(format!("SELECT CAST(({sql}) AS BIGINT)"));
        match &self.sql {
            Sql::Sqlite(pool) => sqlx::query_scalar(sql).fetch_one(pool).await.unwrap(),
            Sql::Postgres(pool) => sqlx::query_scalar(sql).fetch_one(pool).await.unwrap(),
        }
    }

    /// Runs a statement.
    pub(crate) async fn run(&self, sql: &str) {
        let sql = AssertSqlSafe(sql.to_owned());
        match &self.sql {
            Sql::Sqlite(pool) => drop(sqlx::query(sql).execute(pool).await.unwrap()),
            Sql::Postgres(pool) => drop(sqlx::query(sql).execute(pool).await.unwrap()),
        }
    }

    /// The texts that a statement answers.
    pub(crate) async fn texts(&self, sql: &str) -> Vec<String> {
        let sql = AssertSqlSafe(sql.to_owned());
        match &self.sql {
            Sql::Sqlite(pool) => sqlx::query_scalar(sql).fetch_all(pool).await.unwrap(),
            Sql::Postgres(pool) => sqlx::query_scalar(sql).fetch_all(pool).await.unwrap(),
        }
    }

    /// Our tables, each with its columns.
    pub(crate) async fn tables(&self) -> Vec<(String, Vec<String>)> {
        let columns = match &self.sql {
            Sql::Sqlite(_) => {
                "SELECT t.name || '.' || c.name FROM sqlite_schema t JOIN pragma_table_info(t.name) c
                 WHERE t.type = 'table' AND t.name LIKE 'errtrack!_%' ESCAPE '!'"
            }
            Sql::Postgres(_) => {
                "SELECT CAST(c.table_name || '.' || c.column_name AS TEXT) FROM information_schema.columns c
                 JOIN information_schema.tables t USING (table_schema, table_name)
                 WHERE t.table_type = 'BASE TABLE' AND t.table_schema = current_schema()
                   AND t.table_name LIKE 'errtrack!_%' ESCAPE '!'
                   AND NOT EXISTS (SELECT 1 FROM pg_class p WHERE p.relname = t.table_name AND p.relispartition)"
            }
        };
        let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for name in self.texts(columns).await {
            let (table, column) = name.split_once('.').unwrap();
            tables.entry(table.to_owned()).or_default().push(column.to_owned());
        }
        tables.into_iter().collect()
    }

    /// What can be told from the rows: counters that are kept say what is there.
    pub(crate) async fn check(&self) {
        for (what, wrong) in [
            (
                "stored_count",
                "lead_group IS NULL AND stored_count <> (SELECT COUNT(*) FROM errtrack_event e WHERE e.issue_id = i.id)",
            ),
            ("user_count", "user_count <> (SELECT COUNT(*) FROM errtrack_issue_user u WHERE u.issue_id = i.id)"),
            ("count", "count <> (SELECT SUM(count) FROM errtrack_issue_hour n WHERE n.issue_id = i.id)"),
            (
                "last_event",
                "stored_count > 0 AND NOT EXISTS (
                   SELECT 1 FROM errtrack_event e JOIN errtrack_issue g ON g.id = e.issue_id
                   WHERE COALESCE(g.merged_into, g.id) = COALESCE(i.merged_into, i.id) AND e.client_id = i.last_event)",
            ),
            (
                "the sums of a merged issue",
                "lead_group IS NOT NULL AND NOT EXISTS (
                   SELECT 1 FROM (
                     SELECT SUM(count) AS n, SUM(stored_count) AS stored, MIN(first_seen) AS f, MAX(last_seen) AS l, COUNT(*) AS groups
                     FROM errtrack_issue g WHERE g.merged_into = i.id
                   ) s WHERE s.n = i.count AND s.stored = i.stored_count AND s.f = i.first_seen AND s.l = i.last_seen AND s.groups > 1)",
            ),
            (
                "the users of a merged issue",
                "lead_group IS NOT NULL AND user_count <> (
                   SELECT COUNT(DISTINCT u.user_hash) FROM errtrack_issue g JOIN errtrack_issue_user u ON u.issue_id = g.id
                   WHERE g.merged_into = i.id)",
            ),
            (
                "the hours of a merged issue",
                "lead_group IS NOT NULL AND EXISTS (
                   SELECT 1 FROM errtrack_issue_hour n WHERE n.issue_id = i.id AND n.count <> (
                     SELECT SUM(m.count) FROM errtrack_issue g JOIN errtrack_issue_hour m ON m.issue_id = g.id
                     WHERE g.merged_into = i.id AND m.hour = n.hour))",
            ),
            ("groups of nothing", "merged_into IS NOT NULL AND merged_into NOT IN (SELECT id FROM errtrack_issue)"),
            ("numbers that were not given back", "number < 0 AND merged_into IS NULL"),
            (
                "tags",
                "count <> (SELECT SUM(count) FROM errtrack_issue_tag t WHERE t.issue_id = i.id AND t.key = 'color')",
            ),
        ] {
            let wrong = format!("SELECT COUNT(*) FROM errtrack_issue i WHERE {wrong}");
            assert_eq!(self.number(&wrong).await, 0, "{what}");
        }
        if matches!(self.sql, Sql::Postgres(_)) {
            let lost = "SELECT COUNT(*) FROM errtrack_payload p LEFT JOIN errtrack_event e
              ON e.project_id = p.project_id AND e.client_id = p.client_id AND e.id = p.id WHERE e.id IS NULL";
            assert_eq!(self.number(lost).await, 0, "payloads of no event");
        }
        for (table, columns) in self.tables().await {
            // What alert rules were told and have said is no part of an issue: it goes by itself.
            let apart = ["errtrack_deleted_issue", "errtrack_signal", "errtrack_alert_firing"];
            if columns.iter().any(|column| column == "issue_id") && !apart.contains(&table.as_str()) {
                let lost =
                    format!("SELECT COUNT(*) FROM {table} WHERE issue_id NOT IN (SELECT id FROM errtrack_issue)");
                assert_eq!(self.number(&lost).await, 0, "rows of {table} that belong to no issue");
            }
        }
    }
}

/// Numbers that look random and are the same each time (Marsaglia's xorshift).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }

    pub(crate) fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[usize::try_from(self.roll(list.len() as u64)).unwrap()]
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
        event.release = Some("1.0".to_owned());
        if let Some(id) = self.id {
            event.event_id = EventId::from(id);
        }
        Preparer::default().prepare(project, event, Formula::Ours)
    }
}

pub(crate) fn days_ago(days: u64) -> Timestamp {
    Timestamp::now().minus(DAY * u32::try_from(days).unwrap())
}
