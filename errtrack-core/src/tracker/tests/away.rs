//! The store is away while the process lives.

use super::*;
use std::sync::atomic::Ordering::Relaxed;

/// Files of records in a folder.
fn files(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|e| e == "spool")).count()
}

#[tokio::test]
async fn every_batch_has_a_number_of_its_own() {
    let store = Fake::new();
    let tracker = builder(&store).build().await.unwrap();
    for n in 0..2500 {
        tracker.capture(numbered(n));
    }
    assert!(tracker.flush(PATIENCE).await);
    let data = store.data();
    // The store has checked that they grow.
    assert!(data.batches.iter().all(|(key, _)| key.writer == tracker.node() && !key.repeats), "{:?}", data.batches);
    assert_eq!(data.batches.last().unwrap().0.number, 2500);
}

#[tokio::test]
async fn a_batch_that_was_committed_unheard_counts_once() {
    for spool in [false, true] {
        let (store, folder) = (Fake::new(), tempfile::tempdir().unwrap());
        let tracker =
            if spool { spooling(&store, folder.path()).await } else { builder(&store).build().await.unwrap() };
        store.commits_but_fails.store(true, Relaxed);
        for n in 0..20 {
            tracker.capture(numbered(n));
        }
        until("it was tried again", || store.asked.load(Relaxed) > 2).await;
        store.commits_but_fails.store(false, Relaxed);
        until("all is written", || store.count() == 20 && tracker.balance().under_way() == 0).await;
        assert_eq!(store.data().doubles, 0);
        let balance = tracker.balance();
        assert_eq!((balance.captured, balance.stored), (20, 20), "{balance:?}");
    }
}

#[tokio::test]
async fn a_store_that_hangs_after_its_commit_counts_once() {
    let (store, folder) = (Fake::new(), tempfile::tempdir().unwrap());
    let mut pace = builder(&store).pace;
    pace.answer = Duration::from_millis(100);
    let tracker = builder(&store).pace(pace).spool(folder.path(), ROOM).build().await.unwrap();
    store.set_hang(Hang::AfterCommit);
    let receipt = report(&tracker, event("while it hangs")).await.unwrap();
    assert!(matches!(receipt, Receipt::Spooled { .. }), "{receipt:?}");
    until("it was tried again", || store.asked.load(Relaxed) > 1).await;
    assert!(tracker.is_store_away());
    store.set_hang(Hang::No);
    until("all is written", || tracker.balance().stored == 1).await;
    assert_eq!((store.count(), store.data().doubles), (1, 0));
}

#[tokio::test]
async fn reports_and_captures_wait_in_the_spool_in_order() {
    let (store, folder) = (Fake::new(), tempfile::tempdir().unwrap());
    let tracker = spooling(&store, folder.path()).await;
    store.set_away(true);
    let mut expected = Vec::new();
    for n in 0..30 {
        let event = numbered(n);
        expected.push(event.title().1.to_owned());
        if n % 3 == 0 {
            let receipt = report(&tracker, event).await.unwrap();
            assert!(matches!(receipt, Receipt::Spooled { .. }), "{receipt:?}");
        } else {
            tracker.capture(event);
            assert!(tracker.flush(PATIENCE).await, "to the spool");
        }
    }
    let status = tracker.spool().unwrap();
    assert_eq!((status.occurrences, status.drained), (30, 0), "{status:?}");
    assert!(status.bytes > 0 && status.since.is_some() && files(folder.path()) > 0, "{status:?}");
    assert!(tracker.is_store_away() && tracker.has_room());
    assert_eq!(tracker.balance().under_way(), 30);

    store.set_away(false);
    until("it is drained", || store.count() == 30 && tracker.balance().under_way() == 0).await;
    assert_eq!(store.data().order, expected);
    until("it is empty", || tracker.spool().unwrap().occurrences == 0).await;
    assert_eq!(files(folder.path()), 0);
    let status = tracker.spool().unwrap();
    assert_eq!((status.occurrences, status.bytes, status.drained, status.damaged), (0, 0, 30, 0), "{status:?}");
    assert!(!tracker.is_store_away() && tracker.trouble().is_none());
    assert_settled(tracker.balance());
    let receipt = report(&tracker, event("afterwards")).await.unwrap();
    assert!(matches!(receipt, Receipt::Recorded { .. }), "{receipt:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_lost_or_doubled_when_it_comes_and_goes_under_load() {
    let (store, folder) = (Fake::new(), tempfile::tempdir().unwrap());
    let tracker = spooling(&store, folder.path()).await;
    let mut clients = Vec::new();
    for client in 0..8_usize {
        let tracker = tracker.clone();
        clients.push(tokio::spawn(async move {
            let mut taken = 0;
            for n in 0..300 {
                let event = numbered(client * 1000 + n);
                if client % 2 == 0 {
                    tracker.capture(event);
                    taken += 1;
                    tokio::task::yield_now().await;
                } else {
                    taken += u64::from(report(&tracker, event).await.is_ok());
                }
            }
            taken
        }));
    }
    let faults = tokio::spawn({
        let store = store.clone();
        async move {
            for round in 0.. {
                store.set_away(round % 3 == 1);
                store.commits_but_fails.store(round % 3 == 2, Relaxed);
                store.set_hang(if round % 7 == 3 { Hang::AfterCommit } else { Hang::No });
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    });
    let mut taken = 0;
    for client in clients {
        taken += client.await.unwrap();
    }
    faults.abort();
    let _ = faults.await;
    assert_eq!(taken, 2400, "each has room in the spool");
    store.set_away(false);
    store.commits_but_fails.store(false, Relaxed);
    store.set_hang(Hang::No);
    until("all is written", || tracker.balance().under_way() == 0).await;
    assert_eq!((store.count(), store.data().doubles), (2400, 0));
    assert_eq!(tracker.balance().stored, 2400);
}

#[tokio::test]
async fn reports_are_taken_while_a_long_spool_is_drained() {
    const WAITING: usize = 3000;
    let (store, folder) = (Fake::new(), tempfile::tempdir().unwrap());
    let tracker = spooling(&store, folder.path()).await;
    store.set_away(true);
    for n in 0..WAITING {
        tracker.capture(numbered(n));
    }
    assert!(tracker.flush(PATIENCE).await);
    let long = files(folder.path());
    assert!(long >= WAITING / 50, "{long}");
    store.data().record_takes = Duration::from_millis(5);
    store.set_away(false);
    until("it drains", || tracker.spool().unwrap().drained > 0).await;
    let mut spooled = 0;
    let mut last = WAITING;
    while tracker.spool().unwrap().occurrences > 0 {
        let receipt = report(&tracker, numbered(last)).await.expect("there is room for it");
        spooled += usize::from(matches!(receipt, Receipt::Spooled { .. }));
        last += 1;
    }
    assert!(spooled > 10, "none waited until it was empty: {spooled}");
    let receipt = report(&tracker, numbered(last)).await.unwrap();
    assert!(matches!(receipt, Receipt::Recorded { .. }), "and it does become empty: {receipt:?}");
    until("all is stored", || tracker.balance().under_way() == 0).await;
    let expected: Vec<_> = (0..=last).map(|n| numbered(n).title().1.to_owned()).collect();
    let data = store.data();
    assert!(data.order == expected, "in order");
    let small = data.batches.iter().filter(|(_, count)| *count < 50).count();
    assert!(small <= spooled + 2, "in whole batches, but for {small}");
}

#[tokio::test]
async fn a_spool_that_is_full_turns_reports_away_and_keeps_what_was_captured() {
    let (store, folder) = (Fake::new(), tempfile::tempdir().unwrap());
    let tracker = builder(&store).spool(folder.path(), 6_000).build().await.unwrap();
    store.set_away(true);
    let (mut spooled, mut refused) = (0, 0);
    for n in 0..40 {
        match report(&tracker, numbered(n)).await {
            Ok(Receipt::Spooled { .. }) => spooled += 1,
            Err(IngestError::Unavailable) => refused += 1,
            other => panic!("{other:?}"),
        }
    }
    assert!(spooled > 0 && refused > 0, "{spooled} {refused}");
    assert!(!tracker.has_room());
    let status = tracker.spool().unwrap();
    assert!(status.bytes <= status.most_bytes, "{status:?}");
    for n in 40..60 {
        tracker.capture(numbered(n));
    }
    store.set_away(false);
    until("all is written", || tracker.balance().under_way() == 0).await;
    let balance = tracker.balance();
    assert_eq!(
        (balance.captured, balance.stored, balance.dropped_by_store),
        (60, spooled + 20, refused),
        "{balance:?}"
    );
    assert_eq!((store.count(), store.data().doubles), (spooled + 20, 0));
    assert!(tracker.has_room());
}

#[tokio::test]
async fn a_folder_that_cannot_be_used_leaves_what_there_is_without_a_spool() {
    let (store, folder) = (Fake::new(), tempfile::tempdir().unwrap());
    let file = folder.path().join("no-folder");
    std::fs::write(&file, "in the way").unwrap();
    let tracker = spooling(&store, &file.join("spool")).await;
    until("it says so", || tracker.trouble().is_some_and(|(_, text)| text.contains("spool"))).await;
    store.set_away(true);
    tracker.capture(event("held"));
    until("it is away", || tracker.is_store_away()).await;
    assert_eq!(report(&tracker, event("refused")).await, Err(IngestError::Unavailable));
    assert!(!tracker.has_room());
    store.set_away(false);
    assert!(tracker.flush(PATIENCE).await);
    let balance = tracker.balance();
    assert_eq!((balance.captured, balance.stored, balance.dropped_by_store), (2, 1, 1), "{balance:?}");
}

#[tokio::test]
async fn a_poisoned_row_is_set_aside_wherever_it_comes_from() {
    let (store, folder) = (Fake::new(), tempfile::tempdir().unwrap());
    let tracker = spooling(&store, folder.path()).await;
    for away in [false, true] {
        store.set_away(away);
        for n in 0..20 {
            tracker.capture(if n == 13 { poisoned() } else { numbered(n) });
        }
        assert!(tracker.flush(PATIENCE).await);
        if away {
            assert_eq!(tracker.spool().unwrap().occurrences, 20);
        }
        store.set_away(false);
        until("all is done", || tracker.balance().under_way() == 0).await;
    }
    let balance = tracker.balance();
    assert_eq!((balance.captured, balance.stored, balance.dropped_by_store), (40, 38, 2), "{balance:?}");
    let data = store.data();
    assert!(data.aside.len() == 2 && data.aside[0].contains("poisoned"), "{:?}", data.aside);
    assert_eq!(data.doubles, 0);
}

#[tokio::test]
async fn who_flushes_does_not_wait_for_a_store_that_hangs() {
    let (store, folder) = (Fake::new(), tempfile::tempdir().unwrap());
    let mut pace = builder(&store).pace;
    pace.slow = Duration::from_secs(600);
    let tracker = builder(&store).pace(pace).spool(folder.path(), ROOM).build().await.unwrap();
    store.set_hang(Hang::BeforeCommit);
    tracker.capture(event("in flight"));
    until("it is being written", || store.asked.load(Relaxed) == 1).await;
    tracker.capture(event("after it"));
    assert!(tracker.flush(Duration::from_millis(500)).await);
    assert_eq!(tracker.spool().unwrap().occurrences, 2);
    store.set_hang(Hang::No);
    until("all is written", || tracker.balance().stored == 2).await;
    assert_eq!(store.data().order, ["in flight", "after it"]);
    assert_eq!(store.data().doubles, 0);
}

#[tokio::test]
async fn a_store_that_is_back_is_noticed_though_nothing_waits() {
    let store = Fake::new();
    let tracker = builder(&store).build().await.unwrap();
    store.set_away(true);
    assert_eq!(report(&tracker, event("refused")).await, Err(IngestError::Unavailable));
    assert!(tracker.is_store_away() && !tracker.has_room());
    store.set_away(false);
    until("it is back", || !tracker.is_store_away() && tracker.has_room()).await;
    assert!(tracker.trouble().is_none());
}

#[tokio::test]
async fn a_shutdown_without_a_spool_counts_what_is_lost() {
    let store = Fake::new();
    let tracker = builder(&store).build().await.unwrap();
    store.set_away(true);
    for n in 0..10 {
        tracker.capture(numbered(n));
    }
    until("it is away", || tracker.is_store_away()).await;
    let start = std::time::Instant::now();
    assert!(!tracker.shutdown().await);
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
    assert_eq!(tracker.balance().dropped_by_store, 10);
    assert_settled(tracker.balance());
}

#[tokio::test]
async fn the_panic_hook_waits_for_nothing() {
    let store = Fake::new();
    let tracker = builder(&store).queue(4, 1 << 20).build().await.unwrap();
    tracker.install_panic_hook();
    store.set_hang(Hang::BeforeCommit);
    let scope = crate::ScopeHandle::new(&tracker);
    let start = std::time::Instant::now();
    for n in 0..50 {
        let panics = std::panic::AssertUnwindSafe(|| scope.sync(|| panic!("{n}")));
        assert!(std::panic::catch_unwind(panics).is_err());
    }
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    store.set_hang(Hang::No);
    assert!(tracker.shutdown().await);
    assert_settled(tracker.balance());
    assert_eq!(tracker.balance().captured, 50);
}
