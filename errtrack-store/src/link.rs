//! Statements that are the same on both databases but for their text, for work that is done in one transaction.

use crate::{
    pool::Dialect,
    sql::{Sql, triage::CONDITIONS},
};
use sqlx::{Error, Row};
use std::future::Future;

/// A parameter of a statement.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Number(i64),
    NoNumber,
    Text(String),
    NoText,
}

/// A row of [`CONDITIONS`].
pub(crate) type ConditionRow = (i64, i64, i64, i64, Option<String>, Option<String>, Option<i64>, Option<i64>);

/// A connection in a transaction.
pub(crate) trait Link: Send {
    /// Whether other transactions may write meanwhile.
    const SHARED: bool;

    /// Locks rows of issues, those of merged ones after those of groups, each kind by id.
    fn lock_rows(&mut self, rows: String) -> impl Future<Output = Result<(), Error>> + Send;

    /// Runs a statement and answers rows of numbers.
    fn rows<const N: usize>(
        &mut self,
        sql: Sql,
        values: Vec<Value>,
    ) -> impl Future<Output = Result<Vec<[i64; N]>, Error>> + Send;

    /// Runs a statement and answers rows of texts.
    fn texts<const N: usize>(
        &mut self,
        sql: Sql,
        values: Vec<Value>,
    ) -> impl Future<Output = Result<Vec<[Option<String>; N]>, Error>> + Send;

    /// What ends the status of issues, which are given as a list.
    fn conditions(&mut self, issues: String) -> impl Future<Output = Result<Vec<ConditionRow>, Error>> + Send;

    /// Runs a statement that answers nothing.
    fn run(&mut self, sql: Sql, values: Vec<Value>) -> impl Future<Output = Result<(), Error>> + Send;
}

/// A statement with its values.
macro_rules! bound {
    ($db:ty, $sql:expr, $values:expr) => {
        $values.into_iter().fold(sqlx::query(<$db>::text($sql)), |query, value| match value {
            Value::Number(number) => query.bind(number),
            Value::NoNumber => query.bind(None::<i64>),
            Value::Text(text) => query.bind(text),
            Value::NoText => query.bind(None::<String>),
        })
    };
}

/// The part of [`Link`] that is alike.
macro_rules! statements {
    ($db:ty) => {
        async fn rows<const N: usize>(&mut self, sql: Sql, values: Vec<Value>) -> Result<Vec<[i64; N]>, Error> {
            let mut rows = Vec::new();
            for row in bound!($db, sql, values).fetch_all(self).await? {
                let mut numbers = [0; N];
                for (column, number) in numbers.iter_mut().enumerate() {
                    *number = row.try_get(column)?;
                }
                rows.push(numbers);
            }
            Ok(rows)
        }

        async fn texts<const N: usize>(
            &mut self,
            sql: Sql,
            values: Vec<Value>,
        ) -> Result<Vec<[Option<String>; N]>, Error> {
            let mut rows = Vec::new();
            for row in bound!($db, sql, values).fetch_all(self).await? {
                let mut texts = [const { None }; N];
                for (column, text) in texts.iter_mut().enumerate() {
                    *text = row.try_get(column)?;
                }
                rows.push(texts);
            }
            Ok(rows)
        }

        async fn conditions(&mut self, issues: String) -> Result<Vec<ConditionRow>, Error> {
            sqlx::query_as(<$db>::text(CONDITIONS)).bind(issues).fetch_all(self).await
        }

        async fn run(&mut self, sql: Sql, values: Vec<Value>) -> Result<(), Error> {
            self.rows::<0>(sql, values).await.map(drop)
        }
    };
}

#[cfg(feature = "sqlite")]
impl Link for sqlx::SqliteConnection {
    // A transaction that writes is alone.
    const SHARED: bool = false;

    async fn lock_rows(&mut self, _: String) -> Result<(), Error> {
        Ok(())
    }

    statements!(sqlx::Sqlite);
}

#[cfg(feature = "postgres")]
impl Link for sqlx::PgConnection {
    const SHARED: bool = true;

    async fn lock_rows(&mut self, rows: String) -> Result<(), Error> {
        sqlx::query(crate::sql::merge::LOCK).bind(rows).execute(self).await.map(drop)
    }

    statements!(sqlx::Postgres);
}
