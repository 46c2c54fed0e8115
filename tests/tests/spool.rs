//! Nothing is lost and nothing counts twice when the database goes away, and when the process does.

use anyhow::{Context, Result};
use errtrack::{
    Event, Exception, SqliteStore, Tracker,
    store::{IssueQuery, IssueStore},
};
use errtrack_core::{Formula, Receipt, Report};
use errtrack_tests::{FaultyStore, aborting_example, database_in, example, until};
use std::{
    os::unix::process::ExitStatusExt,
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};
use tempfile::tempdir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
};

const PATIENCE: Duration = Duration::from_secs(20);
const ROOM: u64 = 64 << 20;

async fn open(folder: &Path) -> Result<SqliteStore> {
    Ok(SqliteStore::open(&database_in(folder)?).await?)
}

async fn spooling(store: &FaultyStore, folder: &Path) -> Result<Tracker> {
    Ok(Tracker::builder().store(store.clone()).spool(folder.join("spool"), ROOM).build().await?)
}

fn event(number: usize) -> Event {
    let mut event = Event::new();
    // Letters: numbers are no difference to grouping.
    let kind: String = (number % 7).to_string().chars().map(|c| char::from(b'a' + (c as u8 - b'0'))).collect();
    event.exceptions.push(Exception::new(format!("Kind{kind}"), format!("number {number}")));
    event
}

/// How many events were counted, over all issues.
async fn counted(store: &SqliteStore) -> Result<i64> {
    let query = IssueQuery { limit: 100, ..IssueQuery::default() };
    Ok(store.issues(&query).await?.issues.iter().map(|issue| issue.count).sum())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_comes_and_goes_under_load_counts_everything_once() -> Result<()> {
    const CLIENTS: usize = 6;
    const EVENTS: usize = 150;
    let folder = tempdir()?;
    let inner = open(folder.path()).await?;
    let store = FaultyStore::new(inner.clone());
    let tracker = spooling(&store, folder.path()).await?;
    let faults = tokio::spawn({
        let store = store.clone();
        async move {
            for round in 0.. {
                store.set_away(round % 3 == 1);
                store.set_unheard(round % 3 == 2);
                tokio::time::sleep(Duration::from_millis(30)).await;
            }
        }
    });
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let tracker = tracker.clone();
            tokio::spawn(async move {
                for n in 0..EVENTS {
                    let event = event(client * EVENTS + n);
                    if client % 2 == 0 {
                        tracker.capture(event);
                        tokio::time::sleep(Duration::from_millis(1)).await;
                    } else {
                        let report = Report { project: tracker.project().id, event, formula: Formula::Ours };
                        tracker.ingest(report).await.unwrap();
                    }
                }
            })
        })
        .collect();
    for client in clients {
        client.await?;
    }
    faults.abort();
    let _ = faults.await;
    store.set_away(false);
    store.set_unheard(false);
    until("all is stored", || tracker.balance().under_way() == 0).await;
    assert_eq!(counted(&inner).await?, i64::try_from(CLIENTS * EVENTS)?);
    let balance = tracker.balance();
    assert_eq!(balance.stored + balance.coalesced, (CLIENTS * EVENTS) as u64, "{balance:?}");
    Ok(())
}

#[tokio::test]
async fn what_was_acknowledged_while_the_database_was_away_is_there_after_a_restart() -> Result<()> {
    let folder = tempdir()?;
    let inner = open(folder.path()).await?;
    let store = FaultyStore::new(inner.clone());
    let tracker = spooling(&store, folder.path()).await?;
    // Committed, but the process does not hear of it before it ends.
    store.set_unheard(true);
    tracker.capture(event(0));
    until("it is away", || tracker.is_store_away()).await;
    store.set_away(true);
    for n in 1..20 {
        let report = Report { project: tracker.project().id, event: event(n), formula: Formula::Ours };
        assert!(matches!(tracker.ingest(report).await?, Receipt::Spooled { .. }));
    }
    assert!(tracker.shutdown().await);
    assert_eq!(counted(&inner).await?, 1);

    store.set_away(false);
    store.set_unheard(false);
    let next = spooling(&store, folder.path()).await?;
    until("it is imported", || next.balance().stored == 20).await;
    assert_eq!(counted(&inner).await?, 20);
    assert!(next.shutdown().await);
    // The balance that is kept adds up over both.
    let kept = next.balances().await?;
    assert_eq!(kept.len(), 1);
    assert_eq!((kept[0].1.captured, kept[0].1.stored), (20, 20));
    assert_eq!(std::fs::read_dir(folder.path().join("spool"))?.count(), 0);
    Ok(())
}

/// Starts the program that ends, and answers by which signal it did.
async fn run_to_its_end(program: &Path, folder: &Path, arguments: &[&str]) -> Result<Option<i32>> {
    let spool = folder.join("spool");
    let mut command = Command::new(program);
    command.arg(&spool).args(arguments).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    let mut child = command.spawn()?;
    if arguments[0] == "wait" {
        let mut lines = BufReader::new(child.stdout.take().context("a pipe")?).lines();
        assert_eq!(lines.next_line().await?.as_deref(), Some("ready"));
        Command::new("kill").arg(child.id().context("it runs")?.to_string()).status().await?;
    }
    let start = Instant::now();
    let status = tokio::time::timeout(PATIENCE, child.wait()).await??;
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
    Ok(status.signal())
}

/// Imports what a program left behind.
async fn import(folder: &Path, events: i64) -> Result<Vec<String>> {
    let inner = open(folder).await?;
    let tracker = spooling(&FaultyStore::new(inner.clone()), folder).await?;
    until("it is imported", || tracker.spool().is_some_and(|spool| spool.drained > 0 && spool.occurrences == 0)).await;
    assert_eq!(counted(&inner).await?, events);
    let query = IssueQuery { limit: 100, ..IssueQuery::default() };
    Ok(inner.issues(&query).await?.issues.into_iter().map(|issue| issue.value).collect())
}

#[tokio::test]
async fn sigterm_leaves_what_was_captured_to_the_next_start() -> Result<()> {
    for arguments in [&["wait"][..], &["wait", "hanging"]] {
        let folder = tempdir()?;
        let signal = run_to_its_end(&example("ends")?, folder.path(), arguments).await?;
        assert_eq!(signal, Some(15), "as it would have ended without us");
        import(folder.path(), 10).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_panic_that_cannot_unwind_leaves_itself_and_the_one_before_to_the_next_start() -> Result<()> {
    for (arguments, words) in [
        (&["double"][..], &["the end", "and in a destructor"][..]),
        (&["double", "hanging"], &["the end", "and in a destructor"]),
        (&["boundary"], &["the end"]),
    ] {
        let folder = tempdir()?;
        let signal = run_to_its_end(&example("ends")?, folder.path(), arguments).await?;
        assert_eq!(signal, Some(6), "aborted");
        let values = import(folder.path(), 10 + i64::try_from(words.len())?).await?;
        assert!(words.iter().all(|word| values.iter().any(|value| value == word)), "{values:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_panic_that_aborts_leaves_itself_to_the_next_start() -> Result<()> {
    for arguments in [&["panic"][..], &["panic", "hanging"]] {
        let folder = tempdir()?;
        let signal = run_to_its_end(&aborting_example("ends")?, folder.path(), arguments).await?;
        assert_eq!(signal, Some(6), "aborted");
        let values = import(folder.path(), 11).await?;
        assert!(values.iter().any(|value| value == "the end"), "{values:?}");
    }
    Ok(())
}
