//! Upkeep.

use super::kit::{at, batch, by_user, days, event, issue_of, minutes, outcomes, project, query, record, types};
use errtrack_core::{
    Event, IssueId, IssueRef, Status, Store, Timestamp,
    store::{
        Outcome::{New, Seen},
        Retention,
    },
};

pub async fn deletion_is_complete(store: &impl Store) {
    let shop = project(store).await;
    let visit = |n: i32| Event { server_name: Some(format!("web-{n}")), ..by_user("A", &n.to_string()) };
    let events: Vec<_> = (0..1200).map(visit).chain([event("B")]).collect();
    let again = events[0].clone();
    let batch = batch(&shop, events);
    let recorded = store.record(&batch).await.unwrap();
    let (gone, kept) = (recorded[0].issue, recorded[1200].issue);
    assert_eq!(store.delete_issues(&[gone, gone, IssueId(99)]).await.unwrap(), 1);
    assert_eq!(store.issue(&IssueRef::Id(gone)).await.unwrap(), None);
    assert_eq!(store.event(None, batch.occurrences[7].id()).await.unwrap(), None);
    assert_eq!(store.events(gone, None, 10).await.unwrap().events, []);
    assert_eq!(store.tag_tallies(gone, 10).await.unwrap(), []);
    assert_eq!(store.histograms(&[gone], minutes(0), 1, 1).await.unwrap(), [[0]]);
    assert_eq!(store.tag_values(&[shop.id], "server_name", 10).await.unwrap(), Vec::<String>::new());
    assert_eq!(types(&store.issues(&query()).await.unwrap()), ["B"]);
    // The same event makes a new issue, with a user that counts anew.
    let recorded = record(store, &shop, [again, event("B")]).await;
    assert_eq!(outcomes(&recorded), [New, Seen]);
    assert_ne!(recorded[0].issue, gone);
    assert_eq!(recorded[1].issue, kept);
    assert_eq!(issue_of(store, &recorded[0]).await.user_count, 1);
}

pub async fn numbers_of_deleted_issues_stay_gone(store: &impl Store) {
    let shop = project(store).await;
    let recorded = record(store, &shop, ["A", "B"].map(event)).await;
    store.delete_issues(&[recorded[1].issue]).await.unwrap();
    let again = record(store, &shop, [event("B")]).await;
    assert!(again[0].issue > recorded[1].issue);
    assert_eq!(issue_of(store, &again[0]).await.number, 3);
}

pub async fn pruning_spares_what_is_open_or_recent(store: &impl Store) {
    let shop = project(store).await;
    let ago = |ty, n| Event { timestamp: Timestamp::now().minus(days(n)), received_at: Timestamp::now(), ..event(ty) };
    let recorded = record(store, &shop, [ago("Old", 5), ago("OldOpen", 5), ago("OldIgnored", 5), ago("New", 1)]).await;
    store.set_status(&[recorded[0].issue, recorded[3].issue], Status::Resolved).await.unwrap();
    store.set_status(&[recorded[2].issue], Status::Ignored).await.unwrap();
    let mut rules = Retention::default();
    for (age, issues) in [(10, 0), (3, 1), (3, 0)] {
        rules.age = Some(days(age));
        assert_eq!(store.retain(&rules).await.unwrap().issues, issues);
    }
    let mut left = store.issues(&query()).await.unwrap();
    left.issues.sort_by_key(|issue| issue.number);
    assert_eq!(types(&left), ["OldOpen", "OldIgnored", "New"]);
}

pub async fn trimming_keeps_the_newest_and_the_counts(store: &impl Store) {
    let shop = project(store).await;
    let recorded = record(store, &shop, (0..1300).map(|n| at("A", n))).await;
    record(store, &shop, (0..3).map(|n| at("B", n))).await;
    let issue = recorded[0].issue;
    let all = store.events(issue, None, 1300).await.unwrap().events;
    let (newest, first) = (&all[..3], &all[1299]);
    assert_eq!(store.trim_events(5).await.unwrap(), 1295);
    assert_eq!(store.trim_events(5).await.unwrap(), 0);
    let left = store.events(issue, None, 100).await.unwrap();
    assert_eq!((left.events.len(), &left.events[..3], &left.events[4]), (5, newest, first));
    let issue = issue_of(store, &recorded[0]).await;
    assert_eq!((issue.count, issue.stored_count), (1300, 5));
    let position = store.position(&newest[0]).await.unwrap();
    assert_eq!((position.index, position.total, position.next), (5, 5, None));
}

pub async fn a_store_says_how_large_it_is(store: &impl Store) {
    let shop = project(store).await;
    record(store, &shop, (0..50).map(|n| at("A", n))).await;
    let storage = store.storage().await.unwrap();
    assert!(!storage.backend.is_empty());
    assert!(storage.bytes > 0 && storage.reusable_bytes <= storage.bytes, "{storage:?}");
    assert!(storage.tables.is_sorted_by(|a, b| a.bytes >= b.bytes), "the largest first: {storage:?}");
    assert!(storage.tables.iter().all(|table| !table.name.is_empty()), "{storage:?}");
    assert!(storage.tables.iter().map(|table| table.bytes).sum::<u64>() > 0, "{storage:?}");
}

pub async fn a_store_answers_until_it_is_closed(store: &impl Store) {
    let shop = project(store).await;
    store.ping().await.unwrap();
    store.close().await;
    assert!(store.ping().await.unwrap_err().is_unavailable());
    assert!(store.record(&batch(&shop, [event("A")])).await.unwrap_err().is_unavailable());
    assert!(store.issues(&query()).await.unwrap_err().is_unavailable());
    store.close().await;
}
