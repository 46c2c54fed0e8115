//! The ceiling: the same rows written by nothing but the database, in batches of 1,000.

use crate::{cpu_time, payload::ISSUES};
use anyhow::Result;
use serde_json::json;
use sqlx::{Connection, PgConnection, SqliteConnection, sqlite::SqliteConnectOptions};
use std::{path::Path, str::FromStr, time::Instant};
use uuid::Uuid;

/// Rows that are written.
const ROWS: usize = 100_000;
/// Rows in a transaction.
const BATCH: usize = 1_000;
/// Bytes of a payload.
const PAYLOAD: usize = 450;

/// What a bare writer reached.
#[derive(Debug, Clone, Copy)]
pub struct Ceiling {
    /// Rows per second.
    pub rate: f64,
    /// Processor time of this process per row, in microseconds.
    pub cpu: f64,
}

/// SQLite, with the rows as JSON.
///
/// # Errors
/// SQLite's.
pub async fn sqlite(folder: &Path) -> Result<Ceiling> {
    let options = SqliteConnectOptions::from_str(&format!("sqlite://{}", folder.join("bare.db").display()))?
        .create_if_missing(true)
        .page_size(16384)
        .journal_mode(sqlx::sqlite::SqliteJournalMode::Wal)
        .synchronous(sqlx::sqlite::SqliteSynchronous::Full)
        .pragma("wal_autocheckpoint", "16000");
    let mut connection = SqliteConnection::connect_with(&options).await?;
    for statement in [
        "CREATE TABLE event (row INTEGER PRIMARY KEY, id BLOB, client_id BLOB, issue INTEGER, at INTEGER, payload BLOB)",
        "CREATE UNIQUE INDEX event_id ON event (id)",
        "CREATE UNIQUE INDEX event_client ON event (client_id)",
        "CREATE INDEX event_issue ON event (issue, at)",
        "CREATE TABLE issue (id INTEGER PRIMARY KEY, count INTEGER, last_seen INTEGER)",
        "CREATE TABLE hour (hour INTEGER, issue INTEGER, n INTEGER, PRIMARY KEY (hour, issue)) WITHOUT ROWID",
    ] {
        sqlx::query(statement).execute(&mut connection).await?;
    }
    let payload = vec![7_u8; PAYLOAD];
    let watch = Watch::start();
    for batch in 0..ROWS / BATCH {
        let rows: Vec<_> = issues(batch)
            .map(|issue| json!([Uuid::now_v7().simple(), Uuid::new_v4().simple(), issue, batch]))
            .collect();
        let rows = serde_json::to_string(&rows)?;
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query("INSERT INTO issue SELECT value ->> 2, 1, value ->> 3 FROM json_each($1) WHERE true ON CONFLICT (id) DO UPDATE SET count = count + 1, last_seen = excluded.last_seen")
            .bind(&rows).execute(&mut *transaction).await?;
        sqlx::query("INSERT INTO hour SELECT 1, value ->> 2, 1 FROM json_each($1) WHERE true ON CONFLICT DO UPDATE SET n = n + 1")
            .bind(&rows).execute(&mut *transaction).await?;
        sqlx::query("INSERT INTO event SELECT NULL, unhex(value ->> 0), unhex(value ->> 1), value ->> 2, value ->> 3, $2 FROM json_each($1)")
            .bind(&rows).bind(&payload).execute(&mut *transaction).await?;
        transaction.commit().await?;
    }
    let ceiling = watch.stop();
    connection.close().await?;
    Ok(ceiling)
}

/// PostgreSQL, with the rows as arrays.
///
/// # Errors
/// PostgreSQL's.
pub async fn postgres(url: &str) -> Result<Ceiling> {
    let mut connection = PgConnection::connect(url).await?;
    for statement in [
        "CREATE TABLE event (row BIGSERIAL PRIMARY KEY, id UUID, client_id UUID, issue BIGINT, at BIGINT, payload BYTEA)",
        "CREATE UNIQUE INDEX event_id ON event (id)",
        "CREATE UNIQUE INDEX event_client ON event (client_id)",
        "CREATE INDEX event_issue ON event (issue, at)",
        "CREATE TABLE issue (id BIGINT PRIMARY KEY, count BIGINT, last_seen BIGINT)",
        "CREATE TABLE hour (hour BIGINT, issue BIGINT, n BIGINT, PRIMARY KEY (hour, issue))",
    ] {
        sqlx::query(statement).execute(&mut connection).await?;
    }
    let payload = vec![7_u8; PAYLOAD];
    let watch = Watch::start();
    for batch in 0..ROWS / BATCH {
        let at = i64::try_from(batch)?;
        let issues = issues(batch).map(i64::try_from).collect::<Result<Vec<_>, _>>()?;
        let (ids, client_ids): (Vec<_>, Vec<_>) = issues.iter().map(|_| (Uuid::now_v7(), Uuid::new_v4())).unzip();
        let mut transaction = connection.begin().await?;
        sqlx::query("INSERT INTO issue SELECT i, 1, $2 FROM unnest($1::BIGINT[]) i ON CONFLICT (id) DO UPDATE SET count = issue.count + 1, last_seen = excluded.last_seen")
            .bind(&issues).bind(at).execute(&mut *transaction).await?;
        sqlx::query("INSERT INTO hour SELECT 1, i, 1 FROM unnest($1::BIGINT[]) i ON CONFLICT (hour, issue) DO UPDATE SET n = hour.n + 1")
            .bind(&issues).execute(&mut *transaction).await?;
        sqlx::query("INSERT INTO event (id, client_id, issue, at, payload) SELECT a, b, c, $4, $5 FROM unnest($1::UUID[], $2::UUID[], $3::BIGINT[]) e(a, b, c)")
            .bind(&ids).bind(&client_ids).bind(&issues).bind(at).bind(&payload).execute(&mut *transaction).await?;
        transaction.commit().await?;
    }
    let ceiling = watch.stop();
    connection.close().await?;
    Ok(ceiling)
}

/// The issues of a batch.
fn issues(batch: usize) -> impl Iterator<Item = usize> {
    (0..BATCH).map(move |n| (batch * BATCH + n) % ISSUES)
}

struct Watch {
    start: Instant,
    before: std::time::Duration,
}

impl Watch {
    fn start() -> Self {
        Self { start: Instant::now(), before: cpu_time(std::process::id()) }
    }

    #[expect(clippy::cast_precision_loss, reason = "figures")]
    fn stop(self) -> Ceiling {
        let (time, cpu) = (self.start.elapsed(), cpu_time(std::process::id()) - self.before);
        Ceiling { rate: ROWS as f64 / time.as_secs_f64(), cpu: cpu.as_secs_f64() * 1e6 / ROWS as f64 }
    }
}
