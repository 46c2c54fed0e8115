//! Who asks alert rules, by a clock that is turned by hand.

use super::*;
use crate::{
    alert::AlertRule,
    store::ProjectStore,
    tracker::{Engine, alerts},
};
use std::sync::Arc;
use uuid::Uuid;

async fn engine(store: &Fake) -> Arc<Engine> {
    let project = store.ensure_project("default").await.unwrap();
    Arc::new(builder(store).engine_for_tests(store.clone(), project))
}

#[tokio::test(start_paused = true)]
async fn a_process_that_is_refused_asks_no_more_often_than_the_one_that_has_the_lease() {
    let store = Fake::new();
    store.data().alert_rules.push(AlertRule { id: Uuid::new_v4(), ..AlertRule::default() });
    let (first, second) = (engine(&store).await, engine(&store).await);
    let mut running = vec![tokio::spawn(alerts::run(first.clone()))];
    tokio::time::sleep(Duration::from_secs(6)).await;
    running.push(tokio::spawn(alerts::run(second.clone())));
    tokio::time::sleep(Duration::from_secs(600)).await;
    let asks = |node: Uuid| store.data().lease_asks.iter().filter(|(_, by)| *by == node).count();
    // One has it and extends it twice a minute, the other asks for it when it is its turn: each 15 seconds.
    assert!((15..=22).contains(&asks(first.node)), "{}", asks(first.node));
    assert!((30..=42).contains(&asks(second.node)), "{}", asks(second.node));
    let read = store.data().alert_rules_read;
    assert!((60..=84).contains(&read), "once in each turn: {read}");
    for task in running {
        task.abort();
    }
}
