//! What processes on one database share: leases and balances.

use super::kit::project;
use errtrack_core::{Balance, ProjectId, Store};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Long enough for a slow machine to do something within it.
const SHORT: Duration = Duration::from_millis(500);
const LONG: Duration = Duration::from_secs(3600);
/// No test waits longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Asks until the lease is given.
async fn wait_for(store: &impl Store, name: &str, holder: Uuid) {
    let start = Instant::now();
    while !store.lease(name, holder, LONG).await.unwrap() {
        assert!(start.elapsed() < PATIENCE, "the lease `{name}` does not end");
        tokio::task::yield_now().await;
    }
}

pub async fn a_lease_has_one_holder(store: &impl Store) {
    let (a, b) = (Uuid::new_v4(), Uuid::new_v4());
    assert!(store.lease("retention", a, LONG).await.unwrap());
    assert!(!store.lease("retention", b, LONG).await.unwrap());
    assert!(store.lease("alerts", b, LONG).await.unwrap(), "each name is a lease of its own");
    assert!(!store.lease("alerts", a, LONG).await.unwrap());
    assert!(store.lease("retention", a, LONG).await.unwrap(), "its holder extends it");
}

pub async fn a_lease_that_is_given_back_is_free(store: &impl Store) {
    let (a, b) = (Uuid::new_v4(), Uuid::new_v4());
    assert!(store.lease("retention", a, LONG).await.unwrap());
    store.release("retention", b).await.unwrap();
    store.release("alerts", a).await.unwrap();
    assert!(!store.lease("retention", b, LONG).await.unwrap(), "only its holder can give it back");
    store.release("retention", a).await.unwrap();
    assert!(store.lease("retention", b, LONG).await.unwrap());
    store.release("retention", a).await.unwrap();
    assert!(!store.lease("retention", a, LONG).await.unwrap());
}

pub async fn a_lease_ends_by_itself(store: &impl Store) {
    let (a, b) = (Uuid::new_v4(), Uuid::new_v4());
    let start = Instant::now();
    assert!(store.lease("retention", a, SHORT).await.unwrap());
    wait_for(store, "retention", b).await;
    assert!(start.elapsed() >= SHORT - SHORT / 20, "not before its time: {:?}", start.elapsed());
    assert!(!store.lease("retention", a, LONG).await.unwrap());
}

pub async fn an_extended_lease_lasts_longer(store: &impl Store) {
    let (a, b) = (Uuid::new_v4(), Uuid::new_v4());
    assert!(store.lease("retention", a, SHORT).await.unwrap());
    assert!(store.lease("retention", a, LONG).await.unwrap());
    // When this one has ended, the first would have too.
    assert!(store.lease("clock", a, SHORT).await.unwrap());
    wait_for(store, "clock", b).await;
    assert!(!store.lease("retention", b, LONG).await.unwrap());
}

pub async fn of_many_who_ask_for_a_lease_one_gets_it(store: &impl Store) {
    for round in 0..5 {
        let name = format!("job {round}");
        let holders: [Uuid; 6] = std::array::from_fn(|_| Uuid::new_v4());
        let ask = |place: usize| store.lease(&name, holders[place], LONG);
        let (a, b, c, d, e, f) = tokio::join!(ask(0), ask(1), ask(2), ask(3), ask(4), ask(5));
        let given: Vec<bool> = [a, b, c, d, e, f].into_iter().map(Result::unwrap).collect();
        assert_eq!(given.iter().filter(|given| **given).count(), 1, "{given:?}");
        for (holder, given) in holders.into_iter().zip(given) {
            assert_eq!(store.lease(&name, holder, LONG).await.unwrap(), given);
        }
    }
}

pub async fn balances_add_up(store: &impl Store) {
    let shop = project(store).await;
    let blog = store.ensure_project("blog").await.unwrap();
    assert_eq!(store.balances().await.unwrap(), []);
    store.add_balances(&[]).await.unwrap();
    let one = Balance {
        captured: 36,
        stored: 1,
        coalesced: 2,
        sampled: 3,
        ignored: 4,
        limited: 5,
        dropped_by_queue: 6,
        dropped_by_store: 7,
    };
    let other = Balance { captured: 1 << 40, ..Balance::default() };
    // Projects in any order, and one of them twice.
    store.add_balances(&[(blog.id, other), (shop.id, one), (blog.id, one)]).await.unwrap();
    let more = [(shop.id, one)];
    let add = || store.add_balances(&more);
    let (a, b, c) = tokio::join!(add(), add(), add());
    [a, b, c].into_iter().for_each(Result::unwrap);
    let mut blogs = other;
    blogs += one;
    let mut shops = one;
    for _ in 0..3 {
        shops += one;
    }
    assert_eq!(store.balances().await.unwrap(), [(shop.id, shops), (blog.id, blogs)]);
}

pub async fn a_project_that_is_gone_has_no_balance(store: &impl Store) {
    let shop = project(store).await;
    let some = Balance { captured: 1, ..Balance::default() };
    // A process may tell what it counted after another has deleted the project.
    store.add_balances(&[(ProjectId(99), some), (shop.id, some)]).await.unwrap();
    assert_eq!(store.balances().await.unwrap(), [(shop.id, some)]);
}
