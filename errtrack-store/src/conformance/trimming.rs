//! Events that an issue has beyond what is kept of it.

use super::kit::{at, by_user, counts, event, events, ids, kept_as_told, project, record};
use errtrack_core::{Event, Store};
use std::collections::BTreeSet;

pub async fn trimming_keeps_a_spread_between_the_first_and_the_newest(store: &impl Store) {
    let shop = project(store).await;
    let day = 24 * 60;
    // One a day, and a flood on the fifth day.
    let calm = (0..10).map(|n| at("A", (n - 10) * day));
    let flood = (0..400).map(|n| at("A", -5 * day + 1 + n % 100));
    let recorded = record(store, &shop, calm.chain(flood)).await;
    let issue = recorded[0].issue;
    let before = counts(store, issue).await;
    let all = events(store, issue).await;
    for (keep, gone) in [(410, 0), (20, 390), (20, 0), (19, 1)] {
        assert_eq!(store.trim_events(keep).await.unwrap(), gone);
        let left = kept_as_told(store, issue).await;
        assert_eq!(left.len() as u64, 410.min(u64::from(keep)));
        let newest = keep.div_ceil(2) as usize;
        assert_eq!(ids(&left)[..newest], ids(&all)[..newest]);
        assert_eq!(left.last().unwrap().id, all[409].id);
        let days: BTreeSet<i64> = left.iter().map(|e| e.event.timestamp.as_micros() / 86_400_000_000).collect();
        assert_eq!(days.len(), 10, "each day is still to be seen");
    }
    assert_eq!(counts(store, issue).await, before);
}

pub async fn an_issue_that_is_trimmed_as_it_grows_keeps_a_spread(store: &impl Store) {
    let shop = project(store).await;
    let mut issue = None;
    for round in 0..30 {
        let recorded = record(store, &shop, (0..20).map(|n| at("A", round * 20 + n))).await;
        issue = Some(recorded[0].issue);
        store.trim_events(10).await.unwrap();
    }
    let left = kept_as_told(store, issue.unwrap()).await;
    let mut minutes: Vec<i64> =
        left.iter().map(|e| (e.event.timestamp.as_micros() - super::kit::NOON) / 60_000_000).collect();
    minutes.reverse();
    assert_eq!((minutes.len(), minutes[0], &minutes[5..]), (10, 0, &[595, 596, 597, 598, 599][..]));
    let widest = minutes.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
    assert!(widest <= 300, "{minutes:?}");
    assert_eq!(counts(store, issue.unwrap()).await.count, 600);
}

pub async fn pinned_events_survive_trimming(store: &impl Store) {
    let shop = project(store).await;
    let recorded = record(store, &shop, (0..30).map(|n| at("A", n))).await;
    let others = record(store, &shop, (0..30).map(|n| at("B", n))).await;
    let issue = recorded[0].issue;
    let all = events(store, issue).await;
    let pinned = [&all[8], &all[20], &all[21]];
    for event in pinned {
        assert!(store.pin(event, true).await.unwrap());
        assert!(store.pin(event, true).await.unwrap(), "pinning again changes nothing");
    }
    assert_eq!(store.trim_events(4).await.unwrap(), 24 + 26);
    let left = kept_as_told(store, issue).await;
    assert_eq!(ids(&left), [0, 1, 8, 20, 21, 29].map(|place: usize| all[place].id));
    assert_eq!(left.iter().map(|e| e.pinned).collect::<Vec<_>>(), [false, false, true, true, true, false]);
    assert_eq!(kept_as_told(store, others[0].issue).await.len(), 4);
    for event in pinned {
        assert!(store.pin(event, false).await.unwrap());
    }
    assert_eq!(store.trim_events(4).await.unwrap(), 2);
    let left = kept_as_told(store, issue).await;
    assert_eq!((left.len(), left.iter().any(|event| event.pinned)), (4, false));
    assert_eq!([left[0].id, left[1].id, left[3].id], [0, 1, 29].map(|place: usize| all[place].id));
}

pub async fn what_is_gone_cannot_be_pinned(store: &impl Store) {
    let shop = project(store).await;
    let recorded = record(store, &shop, (0..3).map(|n| at("A", n)).chain([event("B")])).await;
    let trimmed = events(store, recorded[0].issue).await.remove(1);
    let deleted = events(store, recorded[3].issue).await.remove(0);
    store.trim_events(2).await.unwrap();
    store.delete_issues(&[recorded[3].issue]).await.unwrap();
    for gone in [trimmed, deleted] {
        assert!(!store.pin(&gone, true).await.unwrap());
        assert!(!store.pin(&gone, false).await.unwrap());
    }
}

pub async fn pins_show_wherever_the_event_is_read(store: &impl Store) {
    let shop = project(store).await;
    let recorded = record(store, &shop, ["A", "A"].map(event)).await;
    let event = events(store, recorded[0].issue).await.remove(1);
    for pinned in [true, false] {
        assert!(store.pin(&event, pinned).await.unwrap());
        for id in [event.id, event.event.event_id.uuid()] {
            let read = store.event(Some(&[shop.id]), id).await.unwrap().unwrap();
            assert_eq!(read.pinned, pinned);
        }
        let listed = events(store, event.issue).await;
        assert_eq!(listed.iter().map(|event| event.pinned).collect::<Vec<_>>(), [false, pinned]);
    }
}

pub async fn counting_goes_on_while_events_are_let_go(store: &impl Store) {
    let shop = project(store).await;
    let write = async || {
        let mut issue = None;
        for n in 0..40 {
            let users = |k: i64| Event { user: by_user("", &k.to_string()).user, ..at("A", n) };
            issue = Some(record(store, &shop, (0..5).map(users)).await[0].issue);
        }
        issue.unwrap()
    };
    let trim = async || {
        let mut trimmed = 0;
        for _ in 0..20 {
            trimmed += store.trim_events(10).await.unwrap();
        }
        trimmed
    };
    let (issue, other, mut trimmed) = tokio::join!(write(), write(), trim());
    assert_eq!(issue, other);
    trimmed += store.trim_events(10).await.unwrap();
    assert_eq!(trimmed, 390);
    assert_eq!(kept_as_told(store, issue).await.len(), 10);
    let counts = counts(store, issue).await;
    assert_eq!((counts.count, counts.users), (400, 5));
}
