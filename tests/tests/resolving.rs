//! Reading the debug information takes long the first time, and holds nobody up. Alone in its process: that time is the first.

use anyhow::Result;
use errtrack::{Event, SqliteStore, Tracker};
use errtrack_core::{Formula, Receipt, Report};
use errtrack_tests::database_in;
use std::time::{Duration, Instant};
use tempfile::tempdir;

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_acknowledged_while_the_first_stack_is_named() -> Result<()> {
    let folder = tempdir()?;
    let tracker = Tracker::builder().store(SqliteStore::open(&database_in(folder.path())?).await?).build().await?;
    let project = tracker.project().id;
    let event = || Event { source: Some("test".into()), platform: Some("other".into()), ..Event::new() };
    let report = || Report { project, event: event(), formula: Formula::Ours };
    assert!(matches!(tracker.ingest(report()).await?, Receipt::Recorded { .. }), "the store is warm");

    let start = Instant::now();
    tracker.capture_error(&std::fmt::Error);
    let captured = start.elapsed();
    assert!(matches!(tracker.ingest(report()).await?, Receipt::Recorded { .. }));
    let acknowledged = start.elapsed();
    assert_eq!(tracker.balance().under_way(), 1, "the stack was named within {acknowledged:?}");
    assert!(tracker.flush(Duration::from_secs(60)).await);
    let named = start.elapsed();
    assert!(captured < named / 2, "{captured:?} of {named:?} on the thread that captured");
    Ok(())
}
