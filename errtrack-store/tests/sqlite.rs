//! What is particular to SQLite: files, folders, processes.

use errtrack_core::{
    Event, Exception, Formula, IssueRef, Occurrence, Preparer, ProjectId, StoreError,
    store::{
        AnalyticsStore, Batch, EventStore, IssueQuery, IssueStore, Outcome, ProjectStore, Recorder, RollupWidth, Upkeep,
    },
};
use errtrack_store::SqliteStore;
use std::{fs, time::Duration};
use tempfile::tempdir;

fn occurrence(project: ProjectId, ty: &str) -> Occurrence {
    let mut event = Event { level: errtrack_core::Level::Error, ..Event::new() };
    event.exceptions.push(Exception::new(ty, "it broke"));
    Preparer::default().prepare(project, event, Formula::Ours)
}

async fn refused(location: &str) -> Option<StoreError> {
    SqliteStore::open(location).await.err()
}

#[tokio::test]
async fn what_is_written_is_there_when_it_is_opened_again() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("deep/in/errors.db");
    let path = path.to_str().unwrap();
    let store = SqliteStore::open(path).await.unwrap();
    let project = store.ensure_project("shop").await.unwrap();
    let event = occurrence(project.id, "Timeout");
    let id = event.id();
    let recorded = store.record(&Batch::whole(vec![event])).await.unwrap();
    assert_eq!(recorded.first().map(|r| r.outcome), Some(Outcome::New));
    store.close().await;
    assert!(store.ping().await.unwrap_err().is_unavailable());
    let again = occurrence(project.id, "Timeout");
    assert!(store.record(&Batch::whole(vec![again])).await.unwrap_err().is_unavailable());

    let store = SqliteStore::open(&format!("sqlite://{path}")).await.unwrap();
    assert_eq!(store.ensure_project("shop").await.unwrap(), project);
    let page = store.issues(&IssueQuery { limit: 10, ..IssueQuery::default() }).await.unwrap();
    assert_eq!(page.issues.iter().map(|i| (i.ty.as_str(), i.count)).collect::<Vec<_>>(), [("Timeout", 1)]);
    assert!(store.event(None, id).await.unwrap().is_some());
}

#[tokio::test]
async fn two_stores_write_to_one_file() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("errors.db");
    let path = path.to_str().unwrap();
    let (one, two) = tokio::join!(SqliteStore::open(path), SqliteStore::open(path));
    let stores = [one.unwrap(), two.unwrap()];
    let project = stores[0].ensure_project("shop").await.unwrap().id;
    let writers = stores.clone().into_iter().enumerate().map(|(n, store)| {
        tokio::spawn(async move {
            for round in 0..25 {
                let types = ["Same".to_owned(), format!("Own{n}x{round}")];
                let batch = types.iter().map(|ty| occurrence(project, ty)).collect();
                store.record(&Batch::whole(batch)).await.unwrap();
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    let page = stores[1].issues(&IssueQuery { limit: 100, ..IssueQuery::default() }).await.unwrap();
    assert_eq!(page.total, 51);
    let same = page.issues.iter().find(|i| i.ty == "Same").unwrap();
    assert_eq!((same.count, same.stored_count), (50, 50));
    let mut numbers: Vec<i64> = page.issues.iter().map(|i| i.number).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=51).collect::<Vec<_>>());
}

#[test]
fn a_store_outlives_the_runtime_that_opened_it() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("errors.db");
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let store = runtime().block_on(SqliteStore::open(path.to_str().unwrap())).unwrap();
    let project = runtime().block_on(store.ensure_project("shop")).unwrap().id;
    let batch = Batch::whole(vec![occurrence(project, "Timeout")]);
    let recorded = runtime().block_on(store.record(&batch)).unwrap();
    let issue = runtime().block_on(store.issue(&IssueRef::Id(recorded[0].issue))).unwrap().unwrap();
    assert_eq!(issue.count, 1);
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_reads_the_file() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempdir().unwrap();
    let path = folder.path().join("errors.db");
    let store = SqliteStore::open(path.to_str().unwrap()).await.unwrap();
    store.ensure_project("shop").await.unwrap();
    for entry in fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.path());
    }
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_in_one_line() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    fs::write(&path, "these are notes, and many of them ".repeat(1000)).unwrap();
    let path = path.to_str().unwrap();
    let error = refused(path).await.unwrap();
    assert!(error.is_corrupt());
    assert_eq!(error.to_string(), format!("{path} is no SQLite database"));
    let error = refused(folder.path().to_str().unwrap()).await.unwrap();
    assert!(error.to_string().ends_with("is a folder, not a SQLite file"), "{error}");
    let error = refused(&format!("{path}/errors.db")).await.unwrap();
    assert!(error.to_string().starts_with("cannot make the folder"), "{error}");
}

#[tokio::test]
async fn a_file_of_a_newer_program_is_refused() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("errors.db");
    let path = path.to_str().unwrap();
    SqliteStore::open(path).await.unwrap().close().await;
    let pool = sqlx::SqlitePool::connect(path).await.unwrap();
    let sql = "INSERT INTO errtrack_migrations (version, description, success, checksum, execution_time)
               VALUES (9999, 'later', TRUE, x'00', 1)";
    sqlx::query(sql).execute(&pool).await.unwrap();
    pool.close().await;
    let error = refused(path).await.unwrap();
    assert_eq!(error.to_string(), format!("{path} was written by a newer errtrack (its schema has version 9999)"));
}

#[tokio::test]
async fn the_database_may_be_the_hosts_own() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("app.db");
    let url = format!("sqlite://{}?mode=rwc", path.display());
    let host = sqlx::SqlitePool::connect(&url).await.unwrap();
    sqlx::query("CREATE TABLE event (x INTEGER)").execute(&host).await.unwrap();
    sqlx::query("CREATE TABLE _sqlx_migrations (version BIGINT)").execute(&host).await.unwrap();
    let store = SqliteStore::open(&url).await.unwrap();
    let project = store.ensure_project("shop").await.unwrap().id;
    store.record(&Batch::whole(vec![occurrence(project, "Timeout")])).await.unwrap();
    sqlx::query("INSERT INTO event VALUES (1)").execute(&host).await.unwrap();
    let names: Vec<String> =
        sqlx::query_scalar("SELECT name FROM sqlite_schema WHERE type = 'table'").fetch_all(&host).await.unwrap();
    let foreign = names.iter().filter(|n| !n.starts_with("errtrack_") && !n.starts_with("sqlite_"));
    assert_eq!(foreign.count(), 2, "{names:?}");
}

#[tokio::test]
async fn one_damaged_payload_breaks_one_event() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("errors.db");
    let path = path.to_str().unwrap();
    let store = SqliteStore::open(path).await.unwrap();
    let project = store.ensure_project("shop").await.unwrap().id;
    let batch = Batch::whole((0..3).map(|_| occurrence(project, "Timeout")).collect());
    let damaged = batch.occurrences[1].id();
    let issue = store.record(&batch).await.unwrap()[0].issue;
    let pool = sqlx::SqlitePool::connect(path).await.unwrap();
    let sql = "UPDATE errtrack_event SET payload = x'00' WHERE id = $1";
    sqlx::query(sql).bind(damaged.as_bytes().to_vec()).execute(&pool).await.unwrap();
    let page = store.events(issue, None, 10).await.unwrap();
    assert_eq!(page.events.len(), 3);
    assert!(store.event(None, damaged).await.unwrap_err().is_corrupt());
}

#[tokio::test]
async fn a_caller_that_stops_waiting_leaves_no_transaction() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("errors.db");
    let path = path.to_str().unwrap();
    let store = SqliteStore::open(path).await.unwrap();
    let other = SqliteStore::open(path).await.unwrap();
    let project = store.ensure_project("shop").await.unwrap().id;
    for n in 0..60 {
        let batch = Batch::whole(vec![occurrence(project, "Timeout"), occurrence(project, &format!("Own{n}"))]);
        let _ = tokio::time::timeout(Duration::from_micros(n * 40), store.record(&batch)).await;
        other.record(&Batch::whole(vec![occurrence(project, "Other")])).await.unwrap();
    }
    store.record(&Batch::whole(vec![occurrence(project, "Timeout")])).await.unwrap();
    let page = store.issues(&IssueQuery { limit: 100, ..IssueQuery::default() }).await.unwrap();
    let own = page.issues.iter().filter(|issue| issue.ty.starts_with("Own")).count() as i64;
    for (ty, count) in [("Timeout", own + 1), ("Other", 60)] {
        let issue = page.issues.iter().find(|issue| issue.ty == ty).unwrap();
        assert_eq!((issue.count, issue.stored_count), (count, count), "{ty}");
        assert_eq!(store.events(issue.id, None, 100).await.unwrap().events.len() as i64, count);
    }
}

#[tokio::test]
async fn two_fingerprints_of_one_issue_both_count() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("errors.db");
    let path = path.to_str().unwrap();
    let store = SqliteStore::open(path).await.unwrap();
    let project = store.ensure_project("shop").await.unwrap().id;
    let both = || Batch::whole(vec![occurrence(project, "A"), occurrence(project, "B"), occurrence(project, "B")]);
    let recorded = store.record(&both()).await.unwrap();
    let (a, b) = (recorded[0].issue, recorded[1].issue);
    let pool = sqlx::SqlitePool::connect(path).await.unwrap();
    let sql = "UPDATE errtrack_grouping SET issue_id = $1 WHERE issue_id = $2";
    sqlx::query(sql).bind(a.0).bind(b.0).execute(&pool).await.unwrap();
    let recorded = store.record(&both()).await.unwrap();
    assert!(recorded.iter().all(|r| r.issue == a && r.outcome == Outcome::Seen));
    let issue = store.issue(&IssueRef::Id(a)).await.unwrap().unwrap();
    assert_eq!((issue.count, issue.stored_count, issue.ty.as_str()), (4, 4, "B"));
}

#[tokio::test]
async fn a_store_that_knows_nothing_yet_tallies_exactly() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("errors.db");
    let path = path.to_str().unwrap();
    let tagged = |project, n: usize| {
        let mut event = Event::new();
        event.exceptions.push(Exception::new("Timeout", "it broke"));
        event.user = Some(errtrack_core::User::id(format!("u{}", n % 7)));
        event.tags = [("request".to_owned(), n.to_string()), ("color".to_owned(), "red".to_owned())].into();
        Preparer::default().prepare(project, event, Formula::Ours)
    };
    let (mut issue, mut total) = (None, 0);
    for round in 0..6 {
        let store = SqliteStore::open(path).await.unwrap();
        let project = store.ensure_project("shop").await.unwrap().id;
        for _ in 0..2 {
            let batch = (0..30).map(|n| tagged(project, round * 30 + n)).collect();
            issue = store.record(&Batch::whole(batch)).await.unwrap().first().map(|r| r.issue);
            total += 30;
        }
        let tallies = store.tag_tallies(issue.unwrap(), 1000).await.unwrap();
        let found = tallies.iter().map(|t| (t.key.as_str(), t.total, t.values.len())).collect::<Vec<_>>();
        assert_eq!(found, [("color", total, 1), ("request", total, 100.min((round + 1) * 30))]);
        assert_eq!(store.issue(&IssueRef::Id(issue.unwrap())).await.unwrap().unwrap().user_count, 7);
        store.close().await;
    }
}

/// A file as the first version made it, with an issue, what belongs to it, and leavings of one that was being deleted.
async fn first_version(path: &std::path::Path) -> Result<(), Box<dyn std::error::Error>> {
    use sqlx::{Executor, SqlSafeStr, migrate};
    let url = format!("sqlite://{}?mode=rwc", path.display());
    let pool = sqlx::SqlitePool::connect(&url).await?;
    let text = include_str!("../migrations/sqlite/0001_initial.sql").into_sql_str();
    let first = migrate::Migration::new(1, "initial".into(), migrate::MigrationType::Simple, text, false);
    let mut migrator = migrate::Migrator::with_migrations(vec![first]);
    migrator.dangerous_set_table_name("errtrack_migrations");
    migrator.run(&pool).await?;
    let rows = "
        INSERT INTO errtrack_project (slug, name, last_number, created_at) VALUES ('shop', 'shop', 2, 1), ('blog', 'blog', 1, 1);
        INSERT INTO errtrack_issue (id, project_id, number, uuid, fingerprint, level, count, stored_count, user_count,
          first_seen, last_seen, created_at, updated_at, last_event, type, value, culprit)
        VALUES (7, 2, 1, zeroblob(16), zeroblob(16), 4, 9, 1, 2, 3600000000, 7300000000, 1, 1, zeroblob(16), 'T', 'v', 'c');
        INSERT INTO errtrack_grouping (project_id, fingerprint, issue_id) VALUES (2, zeroblob(16), 7);
        INSERT INTO errtrack_issue_hour (hour, issue_id, count) VALUES (1, 7, 4), (2, 7, 5), (2, 8, 1);
        INSERT INTO errtrack_project_hour (project_id, hour, count) VALUES (2, 1, 4), (2, 2, 5), (2, 30, 1);
        INSERT INTO errtrack_issue_user (issue_id, user_hash) VALUES (7, 1), (7, 2), (8, 1);
        INSERT INTO errtrack_issue_tag (issue_id, tag, count, key, value) VALUES (7, 5, 9, 'color', 'red'), (8, 5, 1, 'a', 'b');
        INSERT INTO errtrack_event (project_id, issue_id, timestamp, id, client_id, codec, payload)
        VALUES (2, 8, 1, zeroblob(16), zeroblob(16), 0, x'7b7d'),
          (2, 7, 7300000000, x'00000000000170008000000000000001', x'00000000000000000000000000000009', 0, x'7b7d');
        INSERT INTO errtrack_deleted_issue (issue_id, first_hour, last_hour) VALUES (8, 2, 2)";
    pool.execute(rows).await?;
    pool.close().await;
    Ok(())
}

#[tokio::test]
async fn a_file_of_the_first_version_keeps_what_it_holds() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("errors.db");
    first_version(&path).await.unwrap();
    let path = path.to_str().unwrap();
    let store = SqliteStore::open(path).await.unwrap();
    let issue = errtrack_core::IssueId(7);
    let hours = store.histograms(&[issue], errtrack_core::Timestamp::from_micros(7_300_000_000), 1, 3).await.unwrap();
    assert_eq!(hours, [[0, 4, 5]]);
    let tags = store.tag_tallies(issue, 10).await.unwrap();
    assert_eq!(tags.iter().map(|t| (t.key.as_str(), t.total)).collect::<Vec<_>>(), [("color", 9)]);
    let event = store.events(issue, None, 10).await.unwrap().events.remove(0);
    assert!(!event.pinned);
    assert!(store.pin(&event, true).await.unwrap());
    for id in [event.id, event.event.event_id.uuid()] {
        assert!(store.event(None, id).await.unwrap().unwrap().pinned);
    }
    let scope = errtrack_core::store::FigureScope::default();
    let (start, end) = (errtrack_core::Timestamp::default(), errtrack_core::Timestamp::now());
    for (width, expected) in [
        (RollupWidth::Hour, vec![(1, 4, 1), (2, 5, 0), (30, 1, 0)]),
        (RollupWidth::Day, vec![(0, 9, 1), (24, 1, 0)]),
        (RollupWidth::Ever, vec![(0, 10, 1)]),
    ] {
        let rollups = store.rollups(&scope, width, start, end).await.unwrap();
        let rollups: Vec<_> = rollups.iter().map(|r| (r.hour, r.events, r.new_issues)).collect();
        assert_eq!(rollups, expected, "{width:?}");
    }
    // What is left of the deleted issue goes, too.
    assert_eq!(store.delete_issues(&[issue]).await.unwrap(), 1);
    let pool = sqlx::SqlitePool::connect(path).await.unwrap();
    for table in ["event", "issue_hour", "issue_user", "issue_tag", "issue", "grouping", "deleted_issue"] {
        let sql = sqlx::AssertSqlSafe(format!("SELECT COUNT(*) FROM errtrack_{table}"));
        assert_eq!(sqlx::query_scalar::<_, i64>(sql).fetch_one(&pool).await.unwrap(), 0, "{table}");
    }
    // Users are counted as they are noted, as before.
    let blog = store.ensure_project("blog").await.unwrap().id;
    let mut event = Event { user: Some(errtrack_core::User::id("1")), ..Event::new() };
    event.exceptions.push(Exception::new("Timeout", "it broke"));
    let batch = Batch::whole(vec![Preparer::default().prepare(blog, event, Formula::Ours)]);
    let issue = store.record(&batch).await.unwrap()[0].issue;
    let issue = store.issue(&IssueRef::Id(issue)).await.unwrap().unwrap();
    assert_eq!((issue.number, issue.user_count), (2, 1));
}
