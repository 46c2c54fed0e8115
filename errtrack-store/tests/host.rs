//! A host that keeps its own tables beside ours.

#![expect(clippy::unwrap_used, reason = "it is a test")]

mod server;

use errtrack_core::{Tracker, store::IssueQuery};
use errtrack_store::{PostgresStore, SqliteStore};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection};
use std::time::Duration;

/// What the tracker has, once all that was captured is written.
async fn issues(tracker: &Tracker) -> i64 {
    assert!(tracker.flush(Duration::from_secs(30)).await);
    tracker.store().issues(&IssueQuery { limit: 10, ..IssueQuery::default() }).await.unwrap().total
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_takes_no_error_with_it_in_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db").display().to_string();
    let mut host = SqliteConnection::connect(&format!("sqlite://{path}?mode=rwc")).await.unwrap();
    host.execute("PRAGMA journal_mode = WAL; CREATE TABLE orders (id INTEGER)").await.unwrap();
    let tracker = Tracker::builder().store(SqliteStore::open(&path).await.unwrap()).build().await.unwrap();

    host.execute("BEGIN; INSERT INTO orders VALUES (7)").await.unwrap();
    tracker.capture_error(&std::fmt::Error);
    host.execute("ROLLBACK").await.unwrap();

    assert_eq!(issues(&tracker).await, 1);
    let orders: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM orders").fetch_one(&mut host).await.unwrap();
    assert_eq!(orders, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_takes_no_error_with_it_in_postgres() {
    let Some(url) = server::postgres() else { return };
    let tracker = Tracker::builder().store(PostgresStore::connect(&url).await.unwrap()).build().await.unwrap();
    let (server, schema) = url.rsplit_once("schema=").unwrap();
    let mut host = PgConnection::connect(server.trim_end_matches(['?', '&'])).await.unwrap();
    host.execute(AssertSqlSafe(format!("SET search_path TO \"{schema}\""))).await.unwrap();
    host.execute("CREATE TABLE orders (id BIGINT)").await.unwrap();

    host.execute("BEGIN; INSERT INTO orders VALUES (7)").await.unwrap();
    tracker.capture_error(&std::fmt::Error);
    assert_eq!(issues(&tracker).await, 1, "it does not wait for the host");
    host.execute("ROLLBACK").await.unwrap();

    assert_eq!(issues(&tracker).await, 1);
    let orders: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM orders").fetch_one(&mut host).await.unwrap();
    assert_eq!(orders, 0);
}

/// The nice values of this process's threads of that name, of which Linux keeps 15 letters.
#[cfg(target_os = "linux")]
fn nice_values(name: &str) -> Vec<i64> {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().filter_map(Result::ok);
    let stats = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("stat")).ok());
    // proc_pid_stat(5): the name in brackets, then the state, which is the third; nice is the nineteenth.
    let named = stats.filter_map(|stat| {
        let (before, after) = stat.rsplit_once(')')?;
        before.ends_with(&format!("({name}")).then(|| after.split_whitespace().nth(16)?.parse().ok()).flatten()
    });
    named.collect()
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn the_threads_that_write_let_the_host_s_go_first() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("errors.db").display().to_string();
    let tracker = Tracker::builder().store(SqliteStore::open(&path).await.unwrap()).build().await.unwrap();
    tracker.capture_error(&std::fmt::Error);
    assert_eq!(issues(&tracker).await, 1);

    // Those that read are started by whoever reads, and are as urgent. Threads that the tracker's starts for blocking work
    // are called as the host's are.
    let host = *nice_values("tokio-rt-worker").iter().min().unwrap();
    let later = (host + 10).min(19);
    assert!(nice_values("errtrack").contains(&later), "the tracker's own");
    assert!(nice_values("errtrack-sqlite").contains(&later), "the one of the connection that writes");
}
