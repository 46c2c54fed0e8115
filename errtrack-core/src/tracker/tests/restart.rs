//! What one process leaves in the spool, the next one stores.

use super::*;
use std::fs;

/// Ends a tracker as the end of its process does.
async fn leave(tracker: Tracker) {
    assert!(tracker.shutdown().await, "all is durable");
}

#[tokio::test]
async fn a_shutdown_leaves_all_to_the_next_start_at_once() {
    let (store, folder) = (Fake::new(), tempfile::tempdir().unwrap());
    let tracker = spooling(&store, folder.path()).await;
    store.set_away(true);
    for n in 0..2000 {
        tracker.capture(numbered(n));
    }
    let start = std::time::Instant::now();
    let node = tracker.node();
    leave(tracker).await;
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
    assert_eq!(store.count(), 0);

    store.set_away(false);
    let next = spooling(&store, folder.path()).await;
    until("it is drained", || store.count() == 2000 && next.spool().unwrap().occurrences == 0).await;
    assert!(store.data().batches.iter().all(|(key, _)| key.writer == node && key.repeats));
    let balance = next.balance();
    assert_eq!((balance.captured, balance.stored), (2000, 2000), "{balance:?}");
    assert_eq!(next.spool().unwrap().drained, 2000);
    leave(next).await;
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing stays");
}

#[tokio::test]
async fn a_batch_that_was_committed_just_before_the_crash_counts_once() {
    let (store, folder) = (Fake::new(), tempfile::tempdir().unwrap());
    let tracker = spooling(&store, folder.path()).await;
    store.set_hang(Hang::AfterCommit);
    for n in 0..50 {
        tracker.capture(numbered(n));
    }
    assert!(tracker.flush(PATIENCE).await, "to the spool");
    let committed = store.count();
    assert!(committed > 0, "but some are in the store too");
    leave(tracker).await;

    store.set_hang(Hang::No);
    let next = spooling(&store, folder.path()).await;
    until("it is drained", || next.balance().stored == 50).await;
    assert_eq!((store.count(), store.data().doubles), (50, 0));
}

#[tokio::test]
async fn files_of_a_living_process_are_left_alone() {
    let (store, folder) = (Fake::new(), tempfile::tempdir().unwrap());
    let (away, there) = (Fake::new(), store.clone());
    away.set_away(true);
    let first = spooling(&away, folder.path()).await;
    first.capture(event("of the first"));
    assert!(first.flush(PATIENCE).await);
    let second = spooling(&there, folder.path()).await;
    report(&second, event("of the second")).await.unwrap();
    assert_eq!(store.data().order, ["of the second"]);
    assert_eq!((first.spool().unwrap().occurrences, second.spool().unwrap().occurrences), (1, 0));
    leave(first).await;
    let third = spooling(&there, folder.path()).await;
    until("the third has taken it", || third.balance().stored == 1).await;
    assert_eq!(store.data().order, ["of the second", "of the first"]);
}

#[tokio::test]
async fn what_is_damaged_is_set_aside_and_the_rest_is_stored() {
    let (store, folder) = (Fake::new(), tempfile::tempdir().unwrap());
    store.set_away(true);
    let tracker = spooling(&store, folder.path()).await;
    for n in 0..30 {
        tracker.capture(numbered(n));
        assert!(tracker.flush(PATIENCE).await, "a record each");
    }
    leave(tracker).await;
    let largest = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .max_by_key(|path| fs::metadata(path).unwrap().len())
        .unwrap();
    let mut bytes = fs::read(&largest).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x20;
    fs::write(&largest, bytes).unwrap();

    store.set_away(false);
    let next = spooling(&store, folder.path()).await;
    until("it is drained", || next.spool().unwrap().occurrences == 0 && next.balance().stored > 0).await;
    assert_eq!((store.count(), next.spool().unwrap().damaged), (29, 1));
    let aside = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    assert_eq!(aside.filter(|path| path.extension().is_some_and(|e| e == "damaged")).count(), 1);
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_can_read_the_files() {
    use std::os::unix::fs::PermissionsExt;
    let (store, folder) = (Fake::new(), tempfile::tempdir().unwrap());
    let spool = folder.path().join("data/spool");
    store.set_away(true);
    let tracker = spooling(&store, &spool).await;
    tracker.capture(event("private"));
    assert!(tracker.flush(PATIENCE).await);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&spool), 0o700);
    let modes: Vec<_> = fs::read_dir(&spool).unwrap().map(|entry| mode(&entry.unwrap().path())).collect();
    assert_eq!(modes, [0o600; 2], "a lock and records");
}
