//! Recording.

use super::kit::{
    at, batch, by_user, event, issue_of, minutes, outcomes, prepare, project, query, record, types, with_id,
};
use errtrack_core::{
    Event, EventId, Exception, ProjectId, Status, Store,
    store::{
        Batch,
        Outcome::{Duplicate, New, Regressed, Seen},
    },
};
use uuid::Uuid;

pub async fn the_first_event_makes_an_issue(store: &impl Store) {
    let shop = project(store).await;
    let mut event = at("Timeout", 5);
    event.environment = Some("production".into());
    event.release = Some("shop@1.0".into());
    event.platform = Some("rust".into());
    event.source = Some("backend".into());
    event.transaction = Some("POST /orders".into());
    let id = event.event_id;
    let batch = batch(&shop, [event]);
    let recorded = store.record(&batch).await.unwrap();
    assert_eq!(outcomes(&recorded), [New]);
    let issue = issue_of(store, &recorded[0]).await;
    assert_eq!((issue.project, issue.project_slug.as_str(), issue.number), (shop.id, "shop", 1));
    assert_eq!((issue.ty.as_str(), issue.value.as_str()), ("Timeout", "Timeout happened"));
    assert_eq!(issue.fingerprint, batch.occurrences[0].fingerprint());
    assert_eq!(issue.culprit, batch.occurrences[0].culprit());
    assert_eq!((issue.status, issue.regressed, issue.resolved_at), (Status::Unresolved, false, None));
    assert_eq!((issue.count, issue.stored_count, issue.user_count), (1, 1, 0));
    assert_eq!((issue.first_seen, issue.last_seen), (minutes(5), minutes(5)));
    assert_eq!((issue.platform.as_deref(), issue.source.as_deref()), (Some("rust"), Some("backend")));
    assert_eq!(issue.environment.as_deref(), Some("production"));
    assert_eq!((issue.first_release.as_deref(), issue.last_release.as_deref()), (Some("shop@1.0"), Some("shop@1.0")));
    assert_eq!(issue.last_event, id);
    assert_eq!(issue.assigned_to, None);
}

pub async fn outcomes_come_in_the_order_of_the_batch(store: &impl Store) {
    let shop = project(store).await;
    let recorded = record(store, &shop, ["B", "A", "B", "C", "A"].map(event)).await;
    assert_eq!(outcomes(&recorded), [New, New, Seen, New, Seen]);
    assert_eq!(recorded[0].issue, recorded[2].issue);
    assert_eq!(recorded[1].issue, recorded[4].issue);
    let recorded = record(store, &shop, ["C", "D", "A"].map(event)).await;
    assert_eq!(outcomes(&recorded), [Seen, New, Seen]);
    let page = store.issues(&query()).await.unwrap();
    let mut numbers: Vec<_> = page.issues.iter().map(|i| (i.number, i.ty.as_str(), i.count)).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [(1, "B", 2), (2, "A", 3), (3, "C", 2), (4, "D", 1)]);
}

pub async fn an_event_id_is_stored_once(store: &impl Store) {
    let shop = project(store).await;
    let id = Uuid::new_v4();
    let first = record(store, &shop, [with_id("A", id)]).await;
    // Even if it would belong to another issue now.
    let second = record(store, &shop, [event("B"), with_id("C", id), event("A")]).await;
    assert_eq!(outcomes(&second), [New, Duplicate, Seen]);
    assert_eq!(second[1].issue, first[0].issue);
    let page = store.issues(&query()).await.unwrap();
    let mut counts: Vec<_> = page.issues.iter().map(|i| (i.ty.as_str(), i.count, i.stored_count, i.number)).collect();
    counts.sort_unstable();
    assert_eq!(counts, [("A", 2, 2, 1), ("B", 1, 1, 2)]);
    let all = record(store, &shop, [with_id("A", id)]).await;
    assert_eq!(outcomes(&all), [Duplicate]);
}

pub async fn an_event_id_is_stored_once_within_a_batch(store: &impl Store) {
    let shop = project(store).await;
    let id = Uuid::new_v4();
    let recorded = record(store, &shop, [with_id("A", id), with_id("A", id), with_id("B", id)]).await;
    assert_eq!(outcomes(&recorded), [New, Duplicate, Duplicate]);
    let again = record(store, &shop, [with_id("A", id), with_id("B", id)]).await;
    assert_eq!(outcomes(&again), [Duplicate, Duplicate]);
    assert!(recorded.iter().chain(&again).all(|r| r.issue == recorded[0].issue));
    let issue = issue_of(store, &recorded[0]).await;
    assert_eq!((issue.count, issue.stored_count), (1, 1));
}

pub async fn projects_do_not_share_event_ids_or_issues(store: &impl Store) {
    let shop = project(store).await;
    let blog = store.ensure_project("blog").await.unwrap();
    let id = Uuid::new_v4();
    let batch = Batch::whole(vec![prepare(shop.id, with_id("A", id)), prepare(blog.id, with_id("A", id))]);
    let recorded = store.record(&batch).await.unwrap();
    assert_eq!(outcomes(&recorded), [New, New]);
    for (recorded, project) in recorded.iter().zip([shop, blog]) {
        let issue = issue_of(store, recorded).await;
        assert_eq!((issue.project, issue.number), (project.id, 1));
    }
}

pub async fn what_is_only_counted_is_not_kept(store: &impl Store) {
    let shop = project(store).await;
    let mut batch = batch(&shop, [by_user("A", "1"), by_user("A", "2"), by_user("A", "3")]);
    batch.counted_only = vec![false, true];
    let recorded = store.record(&batch).await.unwrap();
    assert_eq!(outcomes(&recorded), [New, Seen, Seen]);
    let issue = issue_of(store, &recorded[0]).await;
    assert_eq!((issue.count, issue.stored_count, issue.user_count), (3, 2, 3));
    assert_eq!(issue.last_event, batch.occurrences[2].event_id());
    assert_eq!(store.events(issue.id, None, 10).await.unwrap().events.len(), 2);
    let histogram = store.histograms(&[issue.id], minutes(0), 1, 1).await.unwrap();
    assert_eq!(histogram, [[3]]);
    let counted = batch.occurrences[1].event_id().uuid();
    assert_eq!(store.event(None, counted).await.unwrap(), None);
}

pub async fn a_resolved_issue_reopens_once(store: &impl Store) {
    let shop = project(store).await;
    let first = record(store, &shop, [event("A")]).await;
    store.set_status(&[first[0].issue], Status::Resolved).await.unwrap();
    let recorded = record(store, &shop, [event("B"), event("A"), event("A")]).await;
    assert_eq!(outcomes(&recorded), [New, Regressed, Seen]);
    let issue = issue_of(store, &recorded[1]).await;
    assert_eq!((issue.status, issue.regressed, issue.resolved_at), (Status::Unresolved, true, None));
    let recorded = record(store, &shop, [event("A")]).await;
    assert_eq!(outcomes(&recorded), [Seen]);
    store.set_status(&[first[0].issue], Status::Resolved).await.unwrap();
    assert!(!issue_of(store, &recorded[0]).await.regressed);
    assert_eq!(outcomes(&record(store, &shop, [event("A")]).await), [Regressed]);
}

pub async fn an_ignored_issue_stays_ignored(store: &impl Store) {
    let shop = project(store).await;
    let first = record(store, &shop, [event("A")]).await;
    store.set_status(&[first[0].issue], Status::Ignored).await.unwrap();
    let again = record(store, &shop, [event("A")]).await;
    assert_eq!(outcomes(&again), [Seen]);
    let issue = issue_of(store, &again[0]).await;
    assert_eq!((issue.status, issue.count), (Status::Ignored, 2));
}

pub async fn numbers_have_no_gaps_when_many_write_at_once(store: &impl Store) {
    let shop = project(store).await;
    let write = async |writer: usize| {
        let mut made = 0;
        for round in 0..5 {
            let own = format!("Own{writer}x{round}");
            let shared = format!("Shared{round}");
            let recorded = record(store, &shop, [event(&own), event(&shared)]).await;
            made += recorded.iter().filter(|r| r.outcome == New).count();
        }
        made
    };
    let (a, b, c, d) = tokio::join!(write(0), write(1), write(2), write(3));
    assert_eq!(a + b + c + d, 25);
    let page = store.issues(&query()).await.unwrap();
    let mut numbers: Vec<_> = page.issues.iter().map(|i| i.number).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=25).collect::<Vec<_>>());
    assert_eq!(page.issues.iter().map(|i| i.count).sum::<i64>(), 40);
}

pub async fn a_late_event_leaves_the_title_alone(store: &impl Store) {
    let shop = project(store).await;
    let same = |value: &str, minute| {
        let mut event = at("A", minute);
        event.fingerprint = vec!["one".into()];
        event.exceptions = vec![Exception::new("A", "one")];
        event.transaction = Some(value.into());
        event.release = Some(format!("r{minute}"));
        event
    };
    let recorded = record(store, &shop, [same("second", 10), same("third", 20)]).await;
    record(store, &shop, [same("first", 1)]).await;
    let issue = issue_of(store, &recorded[0]).await;
    assert_eq!(issue.culprit, prepare(shop.id, same("third", 20)).culprit());
    assert_eq!((issue.first_seen, issue.last_seen, issue.count), (minutes(1), minutes(20), 3));
    assert_eq!(issue.last_release.as_deref(), Some("r20"));
    let newest = same("fourth", 30);
    let id = newest.event_id;
    record(store, &shop, [newest]).await;
    let issue = issue_of(store, &recorded[0]).await;
    assert_eq!((issue.last_event, issue.last_seen), (id, minutes(30)));
}

pub async fn each_user_counts_once(store: &impl Store) {
    let shop = project(store).await;
    let recorded = record(store, &shop, [by_user("A", "1"), by_user("A", "2"), by_user("A", "1"), event("A")]).await;
    assert_eq!(issue_of(store, &recorded[0]).await.user_count, 2);
    record(store, &shop, [by_user("A", "2"), by_user("A", "3"), by_user("B", "1")]).await;
    assert_eq!(issue_of(store, &recorded[0]).await.user_count, 3);
}

pub async fn hostile_text_comes_back_whole(store: &impl Store) {
    let shop = project(store).await;
    let long = "x\"\\'%_\u{1f}é😀".repeat(5_000);
    for (n, text) in ["a\0b", "'; DROP TABLE x; --", "100%_!", "\"quoted\" \\u0000 \\", "😀\u{202e}é\n\t\u{1f}", &long]
        .into_iter()
        .enumerate()
    {
        let mut event = Event { message: None, ..event(&format!("T{n}")) };
        event.exceptions[0].value = Some(text.into());
        event.environment = Some(text.into());
        event.release = Some(text.into());
        event.tags = [(text.chars().take(50).collect(), text.into()), (format!("k{n}"), text.into())].into();
        event.event_id = EventId::from(Uuid::from_u128(n as u128 + 1));
        let batch = batch(&shop, [event]);
        let recorded = store.record(&batch).await.unwrap();
        let issue = issue_of(store, &recorded[0]).await;
        let written = &batch.occurrences[0];
        // A column may hold something else for NUL, which some databases cannot store in a text.
        assert_eq!(issue.value.replace('\0', "\u{fffd}"), written.title().1.replace('\0', "\u{fffd}"));
        let stored = store.event(None, batch.occurrences[0].id()).await.unwrap().unwrap();
        assert_eq!(stored.event, written.event());
        let by_tag = errtrack_core::store::IssueQuery { tags: vec![(format!("k{n}"), text.into())], ..query() };
        assert_eq!(types(&store.issues(&by_tag).await.unwrap()), [format!("T{n}")]);
    }
}

pub async fn an_empty_batch_is_nothing(store: &impl Store) {
    project(store).await;
    assert_eq!(store.record(&Batch::default()).await.unwrap(), []);
}

pub async fn a_batch_for_no_project_writes_nothing(store: &impl Store) {
    let shop = project(store).await;
    let batch = Batch::whole(vec![prepare(shop.id, event("A")), prepare(ProjectId(99), event("B"))]);
    let error = store.record(&batch).await.unwrap_err();
    assert!(!error.is_unavailable(), "trying again cannot help");
    assert_eq!(store.issues(&query()).await.unwrap().total, 0);
    assert_eq!(outcomes(&record(store, &shop, [event("A")]).await), [New]);
}
