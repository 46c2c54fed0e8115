//! The way from a capture to the store, and what becomes of every event on it.

use anyhow::{Context, Result};
use errtrack::{Event, Level, SqliteStore, Tracker, store::IssueQuery, store::IssueStore};
use errtrack_core::{Formula, IngestError, Issue, Receipt, Report, grouping::Grouping};
use errtrack_tests::{FaultyStore, database_in, until};
use std::{io, path::Path, time::Duration};
use tempfile::tempdir;

/// Longer than any flush here takes; only a failing test waits for it.
const PATIENCE: Duration = Duration::from_secs(30);

async fn open(folder: &Path) -> Result<SqliteStore> {
    Ok(SqliteStore::open(&database_in(folder)?).await?)
}

async fn issues(store: &SqliteStore) -> Result<Vec<Issue>> {
    Ok(store.issues(&IssueQuery { limit: 100, ..IssueQuery::default() }).await?.issues)
}

fn error() -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, "no such file")
}

#[tokio::test]
async fn a_captured_error_is_in_the_store_after_a_flush() -> Result<()> {
    let folder = tempdir()?;
    let store = open(folder.path()).await?;
    let tracker = Tracker::builder().project("My App").environment("test").release("1.4.0").store(store.clone());
    let tracker = tracker.build().await?;
    tracker.configure_root(|scope| scope.set_tag("region", "eu"));
    let id = tracker.capture_error(&error());
    assert!(tracker.flush(PATIENCE).await);

    let issue = issues(&store).await?.pop().context("an issue")?;
    assert_eq!((issue.short_id().as_str(), issue.value.as_str()), ("MY-APP-1", "no such file"));
    assert_eq!(issue.first_release.as_deref(), Some("1.4.0"));
    let stored = errtrack::store::EventStore::event(&store, None, id.uuid()).await?.context("the event")?.event;
    assert_eq!(stored.tags["region"], "eu");
    assert_eq!(stored.environment.as_deref(), Some("test"));
    let frames = stored.exceptions.last().context("an exception")?.frames();
    assert!(
        frames.iter().any(|f| f.filename.as_deref().is_some_and(|f| f.ends_with("tests/pipeline.rs"))),
        "{frames:?}"
    );
    assert!(stored.grouping.is_some_and(|g: Grouping| !g.components.is_empty()));
    Ok(())
}

/// On a runtime of one thread, which the drop blocks: nobody else could do the work.
#[tokio::test(flavor = "current_thread")]
async fn dropping_the_last_tracker_flushes() -> Result<()> {
    let folder = tempdir()?;
    let store = open(folder.path()).await?;
    let tracker = Tracker::builder().store(store.clone()).build().await?;
    for _ in 0..100 {
        tracker.capture_error(&error());
    }
    drop(tracker);
    assert_eq!(issues(&store).await?.pop().context("an issue")?.count, 100);
    Ok(())
}

#[tokio::test]
async fn a_storm_is_counted_exactly_and_kept_in_part() -> Result<()> {
    const STORM: u64 = 200_000;
    let folder = tempdir()?;
    let store = open(folder.path()).await?;
    let tracker = Tracker::builder().store(store.clone()).backtraces(false).build().await?;
    for _ in 0..STORM {
        tracker.capture_error(&error());
    }
    assert!(tracker.flush(PATIENCE).await);
    let issue = issues(&store).await?.pop().context("an issue")?;
    assert_eq!(issue.count, i64::try_from(STORM)?);
    assert!(issue.stored_count < 150, "{}", issue.stored_count);
    let balance = tracker.balance();
    assert_eq!((balance.captured, balance.settled(), balance.dropped_by_queue), (STORM, STORM, 0));
    assert_eq!(balance.stored, u64::try_from(issue.stored_count)?);
    Ok(())
}

#[tokio::test]
async fn a_full_queue_drops_what_is_new_and_counts_it() -> Result<()> {
    const KINDS: u64 = 20_000;
    let folder = tempdir()?;
    let store = open(folder.path()).await?;
    let tracker = Tracker::builder().store(store.clone()).queue(100, 1 << 20).backtraces(false).build().await?;
    for n in 0..KINDS {
        tracker.capture_error(&io::Error::other(format!("kind {n}")));
    }
    assert!(tracker.flush(PATIENCE).await);
    let balance = tracker.balance();
    assert!(balance.dropped_by_queue > 0, "{balance:?}");
    assert_eq!((balance.captured, balance.settled()), (KINDS, KINDS), "{balance:?}");
    let counted: i64 = issues(&store).await?.iter().map(|i| i.count).sum();
    assert_eq!(u64::try_from(counted)?, balance.stored + balance.coalesced);
    Ok(())
}

#[tokio::test]
async fn hooks_decide_what_is_kept() -> Result<()> {
    let folder = tempdir()?;
    let store = open(folder.path()).await?;
    let tracker = Tracker::builder()
        .store(store.clone())
        .ignore(|event| event.level < Level::Error)
        .before_send(|mut event| {
            assert_ne!(event.tags.get("panics").map(String::as_str), Some("yes"), "a hook that fails");
            event.tags.insert("seen".into(), "yes".into());
            (!event.tags.contains_key("drop")).then_some(event)
        })
        .fingerprinter(|_| Some(vec!["all-one".into()]))
        .build()
        .await?;
    let event = |tag: Option<&str>| {
        let mut event = Event::new();
        event.message = Some(errtrack::Message::new(format!("tagged {tag:?}")));
        event.tags.extend(tag.map(|t| (t.to_owned(), "yes".to_owned())));
        event
    };
    let mut warning = event(None);
    warning.level = Level::Warning;
    tracker.capture(warning);
    for tag in [None, Some("drop"), Some("panics"), Some("other")] {
        tracker.capture(event(tag));
    }
    assert!(tracker.flush(PATIENCE).await);
    let balance = tracker.balance();
    assert_eq!((balance.captured, balance.ignored, balance.dropped_by_store, balance.stored), (5, 2, 1, 2));
    let issues = issues(&store).await?;
    assert_eq!(issues.iter().map(|i| i.count).collect::<Vec<_>>(), [2], "one fingerprint, one issue");
    Ok(())
}

#[tokio::test]
async fn a_sample_is_kept_and_the_rest_counted() -> Result<()> {
    let folder = tempdir()?;
    let store = open(folder.path()).await?;
    let tracker = Tracker::builder().store(store.clone()).sample_rate(0.25).backtraces(false).build().await?;
    for _ in 0..4000 {
        tracker.capture_error(&error());
    }
    assert!(tracker.flush(PATIENCE).await);
    let balance = tracker.balance();
    assert!((800..1200).contains(&(balance.stored + balance.coalesced)), "{balance:?}");
    assert_eq!(balance.settled(), 4000);
    Ok(())
}

#[tokio::test]
async fn what_was_captured_while_the_database_was_away_is_written_when_it_is_back() -> Result<()> {
    let folder = tempdir()?;
    let inner = open(folder.path()).await?;
    let store = FaultyStore::new(inner.clone());
    let tracker = Tracker::builder().store(store.clone()).build().await?;
    store.set_away(true);
    for _ in 0..50 {
        tracker.capture_error(&error());
    }
    until("the tracker notices", || tracker.is_store_away()).await;
    assert!(!tracker.flush(Duration::from_millis(50)).await, "there is nowhere to flush to");
    assert!(tracker.trouble().is_some());
    let report = Report { project: tracker.project().id, event: Event::new(), formula: Formula::Ours };
    assert_eq!(tracker.ingest(report).await, Err(IngestError::Unavailable), "whoever can try again is told to");

    store.set_away(false);
    assert!(tracker.flush(PATIENCE).await);
    assert_eq!(issues(&inner).await?.pop().context("an issue")?.count, 50);
    assert!(!tracker.is_store_away() && tracker.trouble().is_none());
    Ok(())
}

#[tokio::test]
async fn one_row_that_cannot_be_written_takes_no_other_with_it() -> Result<()> {
    let folder = tempdir()?;
    let inner = open(folder.path()).await?;
    let tracker = Tracker::builder().store(FaultyStore::new(inner.clone())).build().await?;
    let report = |level| {
        let mut event = Event::new();
        event.message = Some(errtrack::Message::new("many at once"));
        event.level = level;
        Report { project: tracker.project().id, event, formula: Formula::Ours }
    };
    let mut reports: Vec<_> = (0..40).map(|_| report(Level::Error)).collect();
    reports.insert(17, report(Level::Debug));
    let receipts = tracker.ingest_all(reports).await;
    assert_eq!(receipts[17], Err(IngestError::Refused));
    let recorded = receipts.iter().filter(|r| matches!(r, Ok(Receipt::Recorded { .. }))).count();
    assert_eq!(recorded, 40);
    assert_eq!(issues(&inner).await?.pop().context("an issue")?.count, 40);
    assert_eq!(tracker.balance().dropped_by_store, 1);
    assert!(tracker.trouble().is_some_and(|(_, text)| text.contains("poisoned")));
    Ok(())
}

#[tokio::test]
async fn an_event_id_is_stored_once() -> Result<()> {
    let folder = tempdir()?;
    let store = open(folder.path()).await?;
    let tracker = Tracker::builder().store(store.clone()).build().await?;
    let mut event = Event::new();
    event.message = Some(errtrack::Message::new("sent twice"));
    let report = || Report { project: tracker.project().id, event: event.clone(), formula: Formula::Ours };
    let first = tracker.ingest(report()).await?;
    let second = tracker.ingest(report()).await?;
    assert_eq!(first.event(), second.event());
    assert_eq!(issues(&store).await?.pop().context("an issue")?.count, 1);
    assert_eq!((tracker.balance().stored, tracker.balance().ignored), (1, 1));
    Ok(())
}
