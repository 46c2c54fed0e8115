//! Events that could not be written.

use super::kit::{by_user, event, prepare, project, query};
use errtrack_core::{ProjectId, Store, Timestamp, store::SetAside};

pub async fn what_is_set_aside_is_kept_with_its_reason(store: &impl Store) {
    let shop = project(store).await;
    let before = Timestamp::now();
    let mut written = Vec::new();
    for ty in ["A", "B", "C"] {
        let occurrence = prepare(shop.id, event(ty));
        store.set_aside(&occurrence, &format!("{ty} is too large")).await.unwrap();
        written.insert(0, occurrence);
    }
    let kept = store.set_aside_events(10).await.unwrap();
    assert_eq!(kept.len(), 3);
    for (kept, written) in kept.iter().zip(&written) {
        let SetAside { project, at, reason, times, event } = kept;
        assert_eq!((*project, *times, event.as_ref()), (written.project(), 1, Some(&written.event())));
        assert_eq!(*reason, format!("{} is too large", written.title().0));
        // The clock may be that of another machine.
        assert!(before.minus(super::kit::days(1)) < *at && *at < before.plus(super::kit::days(1)), "{at}");
    }
    assert_eq!(store.set_aside_events(1).await.unwrap(), kept[..1], "the newest first");
    assert_eq!(store.issues(&query()).await.unwrap().total, 0, "they do not count");
}

pub async fn at_most_a_thousand_events_are_set_aside(store: &impl Store) {
    let shop = project(store).await;
    let occurrences: Vec<_> = (0..1005).map(|_| prepare(shop.id, event("A"))).collect();
    for (n, occurrence) in occurrences.iter().enumerate() {
        store.set_aside(occurrence, &n.to_string()).await.unwrap();
    }
    let reasons = |kept: Vec<SetAside>| kept.into_iter().map(|kept| kept.reason).collect::<Vec<_>>();
    let kept = reasons(store.set_aside_events(5000).await.unwrap());
    let newest: Vec<_> = (5..1005).rev().map(|n| n.to_string()).collect();
    assert_eq!(kept, newest);
}

pub async fn an_event_is_set_aside_once(store: &impl Store) {
    let shop = project(store).await;
    let occurrence = prepare(shop.id, event("A"));
    for reason in ["first", "second"] {
        store.set_aside(&occurrence, reason).await.unwrap();
    }
    let kept = store.set_aside_events(10).await.unwrap();
    assert_eq!(kept.iter().map(|kept| kept.reason.as_str()).collect::<Vec<_>>(), ["second"]);
}

pub async fn what_is_set_aside_goes_with_its_user_and_its_project(store: &impl Store) {
    let shop = project(store).await;
    let blog = store.ensure_project("blog").await.unwrap();
    for (project, user) in [(&shop, "ana"), (&shop, "bob"), (&blog, "ana"), (&blog, "bob")] {
        store.set_aside(&prepare(project.id, by_user("A", user)), user).await.unwrap();
    }
    let left = async || {
        let kept = store.set_aside_events(10).await.unwrap();
        kept.into_iter().map(|kept| (kept.project, kept.reason)).collect::<Vec<_>>()
    };
    store.erase_user(Some(&[shop.id]), "ana").await.unwrap();
    assert_eq!(left().await, [(blog.id, "bob".into()), (blog.id, "ana".into()), (shop.id, "bob".into())]);
    store.delete_project(blog.id).await.unwrap();
    assert_eq!(left().await, [(shop.id, "bob".into())]);
    store.erase_user(None, "bob").await.unwrap();
    assert_eq!(left().await, []);
    // Nothing comes back for a project that is gone, though another process may try.
    store.set_aside(&prepare(blog.id, event("A")), "late").await.unwrap();
    store.set_aside(&prepare(ProjectId(99), event("A")), "late").await.unwrap();
    assert_eq!(left().await, []);
}
