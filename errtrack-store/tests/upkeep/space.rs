//! Room: what is let go is given back, and a disk that is full loses nothing.

use crate::lab::{DAY, Hit, Lab, days_ago};
use errtrack_core::{
    Occurrence, ProjectId, Timestamp,
    store::{Batch, IssueQuery, IssueStore, Outcome, ProjectStore, Recorder, Retention, Upkeep},
};
use errtrack_store::SqliteStore;
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

/// Events whose payloads do not compress well.
fn large(project: ProjectId, at: Timestamp, n: usize) -> Vec<Occurrence> {
    let color = |_| uuid::Uuid::new_v4().to_string().repeat(4);
    let colors: Vec<String> = (0..n).map(color).collect();
    colors.iter().map(|color| Hit { color, ..Hit::new("Large", at) }.of(project)).collect()
}

#[tokio::test]
async fn space_is_given_back() {
    let lab = Lab::sqlite().await;
    let shop = lab.project("shop").await;
    for at in [days_ago(40), Timestamp::now()] {
        for _ in 0..4 {
            lab.store.record(&Batch::whole(large(shop, at, 1000))).await.unwrap();
        }
    }
    let before = lab.store.storage().await.unwrap();
    let mut rules = Retention::default();
    rules.age = Some(DAY * 30);
    rules.events_per_issue = u32::MAX;
    assert_eq!(lab.store.retain(&rules).await.unwrap().old_events, 4000);
    let after = lab.store.storage().await.unwrap();
    assert!(after.bytes < before.bytes * 3 / 4, "{} of {} bytes", after.bytes, before.bytes);
    assert!(after.reusable_bytes <= after.bytes / 20);
    let events = |storage: &errtrack_core::store::Storage| {
        storage.tables.iter().find(|table| table.name == "errtrack_event").map(|table| (table.rows, table.bytes))
    };
    let ((rows, bytes), (left, left_bytes)) = (events(&before).unwrap(), events(&after).unwrap());
    assert_eq!((rows, left), (Some(8000), Some(4000)));
    assert!(left_bytes < bytes);
    assert!(after.free_disk.is_some_and(|free| free > 0));
}

#[tokio::test]
async fn a_flood_in_one_issue_is_trimmed_in_chunks() {
    let lab = Lab::sqlite().await;
    let shop = lab.project("shop").await;
    let hit = |n: i64| Hit::new("Flood", Timestamp::from_micros(days_ago(2).as_micros() + n * 1_000_000)).of(shop);
    let mut first = None;
    for batch in 0..25 {
        let batch = Batch::whole((batch * 1000..(batch + 1) * 1000).map(hit).collect());
        first.get_or_insert(batch.occurrences[0].event_id());
        lab.store.record(&batch).await.unwrap();
    }
    assert_eq!(lab.store.trim_events(100).await.unwrap(), 24_900);
    lab.check().await;
    let first = format!("SELECT COUNT(*) FROM errtrack_event WHERE client_id = x'{}'", first.unwrap());
    assert_eq!(lab.number(&first).await, 1);
    let widest =
        "SELECT MAX(d) FROM (SELECT timestamp - LAG(timestamp) OVER (ORDER BY timestamp) AS d FROM errtrack_event)";
    let widest = lab.number(widest).await / 1_000_000;
    assert!(widest < 25_000 / 10, "a gap of {widest} s of 25000");
}

/// A small file system, as long as it lives; `None`, and a line that says so, where it may not be mounted.
struct Disk(PathBuf);

impl Disk {
    fn mount(mebibytes: u32) -> Option<Self> {
        let path = tempfile::tempdir().unwrap().keep();
        let size = format!("size={mebibytes}m");
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "errtrack-test"]).arg(&path).output();
        if mount.is_ok_and(|done| done.status.success()) {
            return Some(Self(path));
        }
        let _ = fs::remove_dir(&path);
        let says = "skipped: a_full_disk_loses_nothing needs the right to mount a small file system";
        let _ = writeln!(std::io::stderr(), "{says}");
        None
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
        let _ = fs::remove_dir(&self.0);
    }
}

#[tokio::test]
async fn a_full_disk_loses_nothing() {
    let Some(disk) = Disk::mount(16) else { return };
    let ballast = ["one", "two"].map(|name| disk.0.join(name));
    for file in &ballast {
        fs::write(file, vec![0; 4 << 20]).unwrap();
    }
    let path = disk.0.join("errors.db");
    let store = SqliteStore::open(path.to_str().unwrap()).await.unwrap();
    let shop = store.ensure_project("shop").await.unwrap().id;
    let fill = async || {
        let mut counted = 0;
        loop {
            let batch = Batch::whole(large(shop, Timestamp::now(), 200));
            match store.record(&batch).await {
                Ok(recorded) => counted += recorded.iter().filter(|r| r.outcome != Outcome::Duplicate).count(),
                Err(error) => {
                    assert!(error.is_unavailable(), "{error}");
                    return (counted, batch);
                }
            }
        }
    };
    let (counted, refused) = fill().await;
    assert!(counted > 0);
    // What is read is what was answered for, now and after the next start.
    is_whole(&store, &path, counted).await;
    fs::remove_file(&ballast[0]).unwrap();
    let recorded = store.record(&refused).await.unwrap();
    assert_eq!(recorded.len(), 200);
    let (more, _) = fill().await;
    is_whole(&store, &path, counted + 200 + more).await;
    // To let go of events takes some room too.
    if let Err(error) = store.retain(&Retention::default()).await {
        assert!(error.is_unavailable(), "{error}");
    }
    fs::remove_file(&ballast[1]).unwrap();
    store.retain(&Retention::default()).await.unwrap();
    store.record(&Batch::whole(large(shop, Timestamp::now(), 10))).await.unwrap();
    store.close().await;
    let store = SqliteStore::open(path.to_str().unwrap()).await.unwrap();
    let page = store.issues(&IssueQuery { limit: 10, ..IssueQuery::default() }).await.unwrap();
    assert_eq!(page.issues[0].count, i64::try_from(counted + 200 + more + 10).unwrap());
    store.close().await;
}

/// The one issue counts so many, and all of them are kept; the file is sound.
async fn is_whole(store: &SqliteStore, path: &Path, events: usize) {
    let page = store.issues(&IssueQuery { limit: 10, ..IssueQuery::default() }).await.unwrap();
    let issue = &page.issues[0];
    let events = i64::try_from(events).unwrap();
    assert_eq!((page.issues.len(), issue.count, issue.stored_count), (1, events, events));
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path).read_only(true);
    let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
    let number = async |sql: &'static str| sqlx::query_scalar::<_, i64>(sql).fetch_one(&pool).await.unwrap();
    assert_eq!(number("SELECT COUNT(*) FROM errtrack_event").await, events);
    assert_eq!(number("SELECT SUM(count) FROM errtrack_issue_hour").await, events);
    assert_eq!(number("SELECT SUM(count) FROM errtrack_rollup WHERE width = 1").await, events);
    let sound: String = sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&pool).await.unwrap();
    assert_eq!(sound, "ok");
    pool.close().await;
}
