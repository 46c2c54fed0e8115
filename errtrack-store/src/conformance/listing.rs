//! Lists of issues.

use super::kit::{at, by_user, event, minutes, project, query, record, tagged, types};
use errtrack_core::{
    Event, Level, Status, Store,
    store::{IssueQuery, Sort},
};

pub async fn every_filter_narrows(store: &impl Store) {
    let shop = project(store).await;
    let blog = store.ensure_project("blog").await.unwrap();
    let a = Event { level: Level::Fatal, user: by_user("", "ana").user, ..at("A", -120) };
    let tag = |key: &str, value: &str| vec![(key.to_owned(), value.to_owned())];
    let b = Event { source: Some("browser".into()), ..at("B", 0) };
    let c = Event { environment: Some("staging".into()), ..tagged("C", &[("color", "red"), ("size", "xl")]) };
    let recorded = record(store, &shop, [a, b, Event { timestamp: minutes(60), ..c }]).await;
    record(store, &blog, [at("D", 90)]).await;
    store.set_status(&[recorded[1].issue], Status::Resolved).await.unwrap();
    let red = ("color".to_owned(), "red".to_owned());
    let cases = [
        (query(), "D C B A"),
        (IssueQuery { projects: Some(vec![shop.id]), ..query() }, "C B A"),
        (IssueQuery { projects: Some(vec![shop.id, blog.id]), ..query() }, "D C B A"),
        (IssueQuery { status: Some(Status::Resolved), ..query() }, "B"),
        (IssueQuery { status: Some(Status::Unresolved), ..query() }, "D C A"),
        (IssueQuery { regressed: true, ..query() }, ""),
        (IssueQuery { levels: vec![Level::Fatal], ..query() }, "A"),
        (IssueQuery { levels: vec![Level::Fatal, Level::Error], ..query() }, "D C B A"),
        (IssueQuery { source: Some("browser".into()), ..query() }, "B"),
        (IssueQuery { words: vec!["a HAPP".into()], ..query() }, "A"),
        (IssueQuery { words: vec!["happened".into(), "c".into()], ..query() }, "C"),
        (IssueQuery { tags: vec![red.clone()], ..query() }, "C"),
        (IssueQuery { tags: vec![red.clone(), ("environment".into(), "staging".into())], ..query() }, "C"),
        (IssueQuery { tags: vec![red, ("size".into(), "s".into())], ..query() }, ""),
        (IssueQuery { tags: tag("level", "fatal"), ..query() }, "A"),
        (IssueQuery { tags: tag("level", "loud"), ..query() }, ""),
        (IssueQuery { tags: tag("user", "ana"), ..query() }, "A"),
        (IssueQuery { tags: tag("user", "bob"), ..query() }, ""),
        (IssueQuery { since: Some(minutes(60)), ..query() }, "D C"),
        (IssueQuery { until: Some(minutes(0)), ..query() }, "B A"),
        (IssueQuery { since: Some(minutes(-5)), until: Some(minutes(60)), ..query() }, "C B"),
        (IssueQuery { limit: 2, ..query() }, "D C"),
        (IssueQuery { offset: 1, limit: 2, ..query() }, "C B"),
    ];
    for (query, expected) in cases {
        let page = store.issues(&query).await.unwrap();
        assert_eq!(types(&page).join(" "), expected, "{query:?}");
        if query.limit == 100 {
            assert_eq!((page.total, page.next), (page.issues.len() as i64, None), "{query:?}");
        } else {
            assert_eq!((page.total, page.next.is_some()), (4, true), "{query:?}");
        }
    }
    record(store, &shop, [event("B")]).await;
    let regressed = IssueQuery { regressed: true, ..query() };
    assert_eq!(types(&store.issues(&regressed).await.unwrap()), ["B"]);
}

pub async fn every_order_pages_to_the_end(store: &impl Store) {
    let shop = project(store).await;
    for n in 0..9_i64 {
        let name = format!("T{n}");
        // Every third shares its keys with two others.
        let events = (0..=n / 3).map(|k| Event { user: by_user("", &k.to_string()).user, ..at(&name, n / 3 - k) });
        record(store, &shop, events).await;
    }
    for sort in Sort::ALL {
        let all = store.issues(&IssueQuery { sort, ..query() }).await.unwrap();
        let key = |issue: &errtrack_core::Issue| match sort {
            Sort::LastSeen => issue.last_seen.as_micros(),
            Sort::FirstSeen => issue.first_seen.as_micros(),
            Sort::Count => issue.count,
            Sort::Users => issue.user_count,
        };
        assert!(all.issues.is_sorted_by_key(|issue| std::cmp::Reverse(key(issue))), "{sort:?}");
        let mut paged = Vec::new();
        let mut next = IssueQuery { sort, limit: 2, ..query() };
        loop {
            let page = store.issues(&next).await.unwrap();
            assert_eq!(page.total, 9);
            assert!(!page.issues.is_empty() && page.issues.len() <= 2);
            paged.extend(page.issues);
            let Some(cursor) = page.next else { break };
            next.cursor = Some(cursor);
        }
        assert_eq!(paged, all.issues, "{sort:?}");
    }
}

pub async fn cursors_stand_still_when_events_arrive(store: &impl Store) {
    let shop = project(store).await;
    record(store, &shop, (0..6).map(|n| at(&format!("T{n}"), n))).await;
    let first = store.issues(&IssueQuery { limit: 3, ..query() }).await.unwrap();
    assert_eq!(types(&first), ["T5", "T4", "T3"]);
    record(store, &shop, [at("New", 100), at("T5", 101)]).await;
    let second = store.issues(&IssueQuery { limit: 3, offset: 2, cursor: first.next, ..query() }).await.unwrap();
    assert_eq!(types(&second), ["T2", "T1", "T0"]);
    assert_eq!((second.next, second.total), (None, 7));
}

pub async fn words_are_text_and_not_patterns(store: &impl Store) {
    let shop = project(store).await;
    record(store, &shop, ["rate 100%", "snake_case", "wow!", "back\\slash", "it's", "plain"].map(event)).await;
    for (word, expected) in [
        ("%", "rate 100%"),
        ("_", "snake_case"),
        ("!", "wow!"),
        ("\\", "back\\slash"),
        ("'", "it's"),
        ("PLAIN", "plain"),
        ("p_ain", ""),
        ("nothing", ""),
    ] {
        let page = store.issues(&IssueQuery { words: vec![word.into()], ..query() }).await.unwrap();
        assert_eq!(types(&page).join(" "), expected, "{word}");
    }
}

pub async fn counts_by_status_cover_every_status(store: &impl Store) {
    let shop = project(store).await;
    let recorded = record(store, &shop, ["A", "B", "C", "D", "E"].map(event)).await;
    store.set_status(&[recorded[0].issue, recorded[1].issue], Status::Resolved).await.unwrap();
    store.set_status(&[recorded[2].issue], Status::Ignored).await.unwrap();
    record(store, &shop, [event("B")]).await;
    let query = IssueQuery { status: Some(Status::Ignored), ..query() };
    let counts = store.status_counts(&query).await.unwrap();
    assert_eq!((counts.unresolved, counts.regressed, counts.resolved, counts.ignored), (3, 1, 1, 1));
    assert_eq!(counts.total(), 5);
    let counts = store.status_counts(&IssueQuery { words: vec!["a".into()], ..query }).await.unwrap();
    assert_eq!(counts.total(), 5, "each title holds an a");
}

pub async fn no_projects_means_no_issues(store: &impl Store) {
    let shop = project(store).await;
    record(store, &shop, [event("A")]).await;
    let query = IssueQuery { projects: Some(Vec::new()), ..query() };
    assert_eq!(store.issues(&query).await.unwrap().total, 0);
    assert_eq!(store.status_counts(&query).await.unwrap().total(), 0);
}
