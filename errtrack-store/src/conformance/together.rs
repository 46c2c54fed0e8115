//! Many at once, as when several processes write to one database.

use super::kit::{
    batch, by_user, counts, event, issue_of, kept_as_told, outcomes, project, query, record, tagged, with_id,
};
use errtrack_core::{
    Event, Project, Status, Store,
    store::{
        IssueQuery,
        Outcome::{Duplicate, New, Regressed, Seen},
        Recorded,
    },
};
use std::{collections::HashSet, time::Duration};
use uuid::Uuid;

/// Runs it six times at once.
macro_rules! at_once {
    ($write:expr) => {{
        let (a, b, c, d, e, f) = tokio::join!($write(0), $write(1), $write(2), $write(3), $write(4), $write(5));
        [a, b, c, d, e, f]
    }};
}

pub async fn many_recorders_make_one_issue_of_a_fingerprint(store: &impl Store) {
    let shop = project(store).await;
    let blog = store.ensure_project("blog").await.unwrap();
    let write = async |writer: usize| {
        let mut all = Vec::new();
        for round in 0..4 {
            // Each writes the same issues in an order of its own.
            let mut types: Vec<String> = (0..10).map(|n| format!("T{round}x{}", (n * 3 + writer) % 10)).collect();
            if writer % 2 == 1 {
                types.reverse();
            }
            let user = writer.to_string();
            let visit = |ty: &String| Event { user: by_user("", &user).user, ..tagged(ty, &[("writer", &user)]) };
            let mut batch = batch(&shop, types.iter().map(visit));
            batch.occurrences.extend(super::kit::batch(&blog, types.iter().map(visit)).occurrences);
            if writer % 3 == 1 {
                batch.occurrences.reverse();
            }
            all.extend(store.record(&batch).await.unwrap());
        }
        all
    };
    let recorded: Vec<Recorded> = at_once!(write).into_iter().flatten().collect();
    assert_eq!(recorded.len(), 480);
    let made: Vec<_> =
        recorded.iter().filter(|recorded| recorded.outcome == New).map(|recorded| recorded.issue).collect();
    assert_eq!(made.len(), 80, "each issue is made once");
    assert_eq!(made.iter().collect::<HashSet<_>>().len(), 80);
    let of = |project: &Project| IssueQuery { projects: Some(vec![project.id]), ..query() };
    for project in [&shop, &blog] {
        let page = store.issues(&of(project)).await.unwrap();
        let mut numbers: Vec<_> = page.issues.iter().map(|issue| issue.number).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (1..=40).collect::<Vec<_>>(), "no number is left out");
        for issue in page.issues {
            assert_eq!(kept_as_told(store, issue.id).await.len(), 6);
            let counts = counts(store, issue.id).await;
            assert_eq!((counts.count, counts.users), (6, 6), "{}", issue.ty);
            let mut writers = counts.tags[0].values.clone();
            writers.sort_unstable();
            assert_eq!(writers, (0..6).map(|n| (n.to_string(), 1)).collect::<Vec<_>>());
        }
    }
}

pub async fn an_event_id_that_many_send_at_once_is_stored_once(store: &impl Store) {
    let shop = project(store).await;
    for round in 0..5_u128 {
        let id = |n: u128| Uuid::from_u128(1000 + round * 10 + n);
        let write = async |writer: u128| {
            // Some with events of their own around, in different orders; the last with two of the same.
            let mut events: Vec<Event> = (0..4).map(|n| with_id("A", id((n + writer) % 4))).collect();
            events.push(event("A"));
            events.push(with_id("A", id(writer % 4)));
            outcomes(&record(store, &shop, events).await)
        };
        let outcomes: Vec<_> = at_once!(write).concat();
        let counted = outcomes.iter().filter(|outcome| **outcome != Duplicate).count();
        assert_eq!(counted, 4 + 6);
    }
    let page = store.issues(&query()).await.unwrap();
    assert_eq!((page.total, page.issues[0].count, page.issues[0].stored_count), (1, 50, 50));
    counts(store, page.issues[0].id).await;
}

pub async fn an_issue_that_many_hit_at_once_reopens_once(store: &impl Store) {
    let shop = project(store).await;
    let first = record(store, &shop, [event("A")]).await;
    for _ in 0..5 {
        store.set_status(&[first[0].issue], Status::Resolved).await.unwrap();
        let write = async |writer: usize| {
            let other = format!("Other{writer}");
            outcomes(&record(store, &shop, [event("A"), event(&other)]).await)
        };
        let reopened = at_once!(write).concat().into_iter().filter(|outcome| *outcome == Regressed).count();
        assert_eq!(reopened, 1);
    }
    assert_eq!(issue_of(store, &first[0]).await.count, 31);
}

pub async fn many_who_delete_and_record_leave_nothing_half(store: &impl Store) {
    let shop = project(store).await;
    let write = async |writer: i64| {
        for n in 0..8 {
            let recorded = record(store, &shop, (0..5).map(|k| by_user("A", &format!("{writer}.{n}.{k}")))).await;
            if n % 3 == writer % 3 {
                store.delete_issues(&[recorded[0].issue]).await.unwrap();
            }
        }
    };
    at_once!(write);
    let recorded = record(store, &shop, [by_user("A", "last")]).await;
    let page = store.issues(&query()).await.unwrap();
    assert_eq!((page.total, page.issues[0].id), (1, recorded[0].issue), "at most one issue is left");
    let issue = &page.issues[0];
    assert_eq!((issue.count, issue.user_count), (issue.stored_count, issue.count), "each user came once");
    counts(store, issue.id).await;
    kept_as_told(store, issue.id).await;
}

pub async fn a_caller_that_stops_waiting_leaves_all_or_nothing(store: &impl Store) {
    let shop = project(store).await;
    record(store, &shop, ["A", "A", "B"].map(event)).await;
    for n in 0..30 {
        let batch = batch(&shop, ["A", "B", "A"].map(event));
        let patience = Duration::from_micros(n * n * 20);
        // Whether it was in time does not matter.
        let _ = tokio::time::timeout(patience, store.record(&batch)).await;
    }
    assert_eq!(outcomes(&record(store, &shop, ["A", "A", "B"].map(event)).await), [Seen; 3]);
    let page = store.issues(&query()).await.unwrap();
    let count = |ty| page.issues.iter().find(|issue| issue.ty == ty).map(|issue| (issue.count, issue.stored_count));
    let ((a, stored), (b, _)) = (count("A").unwrap(), count("B").unwrap());
    assert!(a == 2 * b && a == stored && (2..=32).contains(&b), "{a} {stored} {b}");
}
