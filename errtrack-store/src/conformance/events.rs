//! Events.

use super::kit::{at, batch, event, issue_of, project, record};
use errtrack_core::Store;
use uuid::Uuid;

pub async fn an_event_is_found_by_both_ids(store: &impl Store) {
    let shop = project(store).await;
    let batch = batch(&shop, [event("A"), event("B")]);
    let recorded = store.record(&batch).await.unwrap();
    let issue = issue_of(store, &recorded[1]).await;
    let written = &batch.occurrences[1];
    for id in [written.id(), written.event_id().uuid()] {
        let stored = store.event(None, id).await.unwrap().unwrap();
        assert_eq!((stored.id, stored.issue, stored.issue_uuid), (written.id(), issue.id, issue.uuid));
        assert_eq!((stored.project, &stored.event), (shop.id, &written.event()));
        assert_eq!(store.event(Some(&[shop.id]), id).await.unwrap(), Some(stored));
    }
    assert_eq!(store.event(None, Uuid::new_v4()).await.unwrap(), None);
}

pub async fn an_event_is_hidden_from_other_projects(store: &impl Store) {
    let shop = project(store).await;
    let blog = store.ensure_project("blog").await.unwrap();
    let batch = batch(&shop, [event("A")]);
    store.record(&batch).await.unwrap();
    let written = &batch.occurrences[0];
    for id in [written.id(), written.event_id().uuid()] {
        assert_eq!(store.event(Some(&[blog.id]), id).await.unwrap(), None);
        assert_eq!(store.event(Some(&[]), id).await.unwrap(), None);
        assert!(store.event(Some(&[blog.id, shop.id]), id).await.unwrap().is_some());
    }
}

pub async fn events_page_from_new_to_old(store: &impl Store) {
    let shop = project(store).await;
    // Two of each minute.
    let recorded = record(store, &shop, (0..10).map(|n| at("A", n / 2))).await;
    record(store, &shop, [event("B")]).await;
    let issue = recorded[0].issue;
    let all = store.events(issue, None, 100).await.unwrap();
    assert_eq!((all.events.len(), all.next), (10, None));
    assert!(all.events.is_sorted_by(|a, b| (a.event.timestamp, a.row) > (b.event.timestamp, b.row)));
    let mut paged = Vec::new();
    let mut cursor = None;
    loop {
        let page = store.events(issue, cursor.as_ref(), 3).await.unwrap();
        paged.extend(page.events);
        record(store, &shop, [at("A", 50)]).await;
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(paged, all.events);
}

pub async fn positions_link_the_neighbours(store: &impl Store) {
    let shop = project(store).await;
    let recorded = record(store, &shop, [3, 1, 2, 2].map(|minute| at("A", minute))).await;
    let events = store.events(recorded[0].issue, None, 10).await.unwrap().events;
    let ids: Vec<_> = events.iter().rev().map(|e| e.id).collect();
    for (n, event) in events.iter().rev().enumerate() {
        let position = store.position(event).await.unwrap();
        assert_eq!((position.index, position.total), (n as i64 + 1, 4));
        assert_eq!((position.first, position.last), (Some(ids[0]), Some(ids[3])));
        assert_eq!(position.previous, n.checked_sub(1).map(|n| ids[n]));
        assert_eq!(position.next, ids.get(n + 1).copied());
    }
}
