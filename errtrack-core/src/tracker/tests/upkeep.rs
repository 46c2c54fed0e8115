//! What runs in the background, by a clock that is turned by hand.

use super::*;
use crate::{
    ProjectId,
    store::ProjectStore,
    tracker::{Engine, upkeep},
};
use std::sync::Arc;
use tokio::{sync::oneshot, task::JoinHandle, time::Instant};

/// The upkeep of one process.
struct Process {
    engine: Arc<Engine>,
    stop: oneshot::Sender<()>,
    running: JoinHandle<()>,
}

async fn process(store: &Fake) -> Process {
    let project = store.ensure_project("default").await.unwrap();
    let engine = Arc::new(builder(store).engine_for_tests(store.clone(), project));
    let (stop, stopped) = oneshot::channel();
    Process { running: tokio::spawn(upkeep::run(engine.clone(), stopped)), engine, stop }
}

impl Process {
    async fn end(self) {
        drop(self.stop);
        self.running.await.unwrap();
    }

    fn stores(&self, events: u64) {
        self.engine.ledger.own().captured(events);
        self.engine.ledger.own().stored(events);
    }
}

async fn pass(duration: Duration) {
    tokio::time::sleep(duration).await;
}

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test(start_paused = true)]
async fn the_store_hears_within_seconds_what_became_of_events() {
    let store = Fake::new();
    let process = process(&store).await;
    process.stores(3);
    process.engine.ledger.own().captured(2);
    pass(Duration::from_secs(6)).await;
    let told = |store: &Fake| store.data().balances.get(&ProjectId(1)).copied().unwrap_or_default();
    assert_eq!((told(&store).captured, told(&store).stored), (3, 3), "not what is under way");

    store.set_away(true);
    process.engine.ledger.own().dropped_by_store(2);
    pass(Duration::from_secs(60)).await;
    assert_eq!(told(&store).captured, 3);
    store.set_away(false);
    pass(Duration::from_secs(6)).await;
    assert_eq!((told(&store).captured, told(&store).dropped_by_store), (5, 2), "all of it, once");

    process.stores(1);
    process.end().await;
    assert_eq!(told(&store).captured, 6, "the last is told at the end");
}

#[tokio::test(start_paused = true)]
async fn one_of_many_processes_runs_retention_about_once_an_hour() {
    let store = Fake::new();
    let mut processes = Vec::new();
    for _ in 0..4 {
        processes.push(process(&store).await);
    }
    let start = Instant::now();
    pass(HOUR / 30).await;
    assert_eq!(store.data().retentions.len(), 1, "shortly after the start");
    pass(HOUR * 24 - HOUR / 30).await;
    let runs = store.data().retentions.clone();
    assert!((24..=38).contains(&runs.len()), "{}", runs.len());
    assert!(runs.windows(2).all(|pair| pair[1] - pair[0] >= HOUR / 2), "{:?}", runs.iter().map(|r| *r - start));
    for process in processes {
        process.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_long_run_keeps_its_lease() {
    let store = Fake::new();
    store.data().retention_takes = HOUR;
    let (first, second) = (process(&store).await, process(&store).await);
    pass(HOUR / 2).await;
    let (one, other) = (first.engine.retain().await.unwrap(), second.engine.retain().await.unwrap());
    assert_eq!((one, other), (None, None), "it is under way");
    pass(HOUR).await;
    assert!(!store.data().retentions.is_empty());
    first.end().await;
    second.end().await;
}

#[tokio::test(start_paused = true)]
async fn trimming_passes_to_another_process_when_one_ends() {
    let store = Fake::new();
    let (first, second) = (process(&store).await, process(&store).await);
    for _ in 0..10 {
        first.stores(1);
        second.stores(1);
        pass(Duration::from_secs(60)).await;
    }
    let before = store.data().trims.len();
    assert!((5..=20).contains(&before), "one of them: {before}");
    first.end().await;
    let end = Instant::now();
    second.stores(1);
    pass(Duration::from_secs(120)).await;
    assert!(store.data().trims.iter().any(|at| *at >= end), "at once: the lease was given back");
    second.end().await;
}

#[tokio::test]
async fn a_page_can_ask_for_retention() {
    let store = Fake::new();
    let tracker = builder(&store).build().await.unwrap();
    assert_eq!(tracker.preview_retention().await.unwrap().old_events, 7);
    assert!(store.data().retentions.is_empty(), "only looked");
    assert!(tracker.retain_now().await.unwrap().is_some());
    assert_eq!(store.data().retentions.len(), 1);
}
