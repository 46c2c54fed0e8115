//! Users and projects that are deleted with all that is known of them.

use super::kit::{
    at, batch, by_user, counts, event, events, ids, kept_as_told, minutes, outcomes, prepare, project, query, record,
    tagged, types, with_id,
};
use errtrack_core::{
    Balance, Event, EventId, IssueRef, ProjectId, Store, User,
    store::{Batch, IssueQuery, Outcome::New},
};
use uuid::Uuid;

/// The types of the issues that a user has hit.
async fn hit_by(store: &impl Store, project: ProjectId, user: &str) -> Vec<String> {
    let tags = vec![("user".to_owned(), user.to_owned())];
    let page = store.issues(&IssueQuery { projects: Some(vec![project]), tags, ..query() }).await.unwrap();
    let mut types: Vec<_> = page.issues.into_iter().map(|issue| issue.ty).collect();
    types.sort_unstable();
    types
}

pub async fn an_erased_user_is_gone_and_the_counts_stay(store: &impl Store) {
    let shop = project(store).await;
    let blog = store.ensure_project("blog").await.unwrap();
    let with = |ty: &str, user: &str, minute| Event { user: by_user("", user).user, ..at(ty, minute) };
    let shops = [
        with("A", "ana", 1),
        with("A", "bob", 2),
        with("A", "ana", 3),
        with("B", "ana", 1),
        with("C", "bob", 1),
        Event { user: User::id("ana").email("bob@example.com").into(), ..tagged("A", &[("color", "red")]) },
        Event { user: None, ..at("A", 9) },
    ];
    let shops = batch(&shop, shops);
    let recorded = store.record(&shops).await.unwrap();
    let blogs = batch(&blog, [with("A", "ana", 1), with("A", "bob", 2)]);
    let blog_issue = store.record(&blogs).await.unwrap()[0].issue;
    let (a, b, c) = (recorded[0].issue, recorded[3].issue, recorded[4].issue);
    let pinned = store.event(None, shops.occurrences[2].id()).await.unwrap().unwrap();
    assert!(store.pin(&pinned, true).await.unwrap());
    let before =
        [counts(store, a).await, counts(store, b).await, counts(store, c).await, counts(store, blog_issue).await];

    assert_eq!(store.erase_user(Some(&[]), "ana").await.unwrap(), 0);
    assert_eq!(store.erase_user(None, "eve").await.unwrap(), 0);
    assert_eq!(store.erase_user(Some(&[shop.id]), "ana").await.unwrap(), 4);
    for (place, occurrence) in shops.occurrences.iter().enumerate() {
        for id in [occurrence.id(), occurrence.event_id().uuid()] {
            let found = store.event(None, id).await.unwrap();
            assert_eq!(found.is_some(), [1, 4, 6].contains(&place), "{place}");
        }
    }
    let written = |places: &[usize]| places.iter().map(|place| shops.occurrences[*place].id()).collect::<Vec<_>>();
    assert_eq!(ids(&kept_as_told(store, a).await), written(&[6, 1]));
    assert_eq!(ids(&kept_as_told(store, b).await), written(&[]));
    assert_eq!(ids(&kept_as_told(store, c).await), written(&[4]));
    assert_eq!(hit_by(store, shop.id, "ana").await, Vec::<String>::new());
    assert_eq!(hit_by(store, shop.id, "bob").await, ["A", "C"]);
    for ((issue, before), users) in [a, b, c].into_iter().zip(before).zip([1, 0, 1]) {
        assert_eq!(counts(store, issue).await, super::kit::Counts { users, ..before });
    }
    // Another project's are left alone.
    assert_eq!(hit_by(store, blog.id, "ana").await, ["A"]);
    assert_eq!(kept_as_told(store, blog_issue).await.len(), 2);
    assert_eq!(store.erase_user(Some(&[shop.id]), "ana").await.unwrap(), 0);
    assert_eq!(store.erase_user(None, "ana").await.unwrap(), 1);
    assert_eq!(counts(store, blog_issue).await.users, 1);

    // Whoever comes back counts again.
    record(store, &shop, [with("B", "ana", 1), with("A", "bob", 3)]).await;
    assert_eq!((counts(store, a).await.users, counts(store, b).await.users), (1, 1));
    assert_eq!(hit_by(store, shop.id, "ana").await, ["B"]);
}

pub async fn a_user_without_an_id_is_erased_by_the_next_name(store: &impl Store) {
    let shop = project(store).await;
    let user = |user: User| Event { user: Some(user), ..event("A") };
    let carol = user(User::default().username("carol"));
    let recorded = record(store, &shop, [carol, user(User::id("7").username("carol"))]).await;
    assert_eq!(store.erase_user(None, "carol").await.unwrap(), 1);
    let left = events(store, recorded[0].issue).await;
    assert_eq!(left[0].event.user.as_ref().and_then(User::key), Some("7"));
}

pub async fn a_user_of_many_events_is_erased(store: &impl Store) {
    let shop = project(store).await;
    let users = ["ana", "bob", "ana", "eve"];
    let recorded = record(store, &shop, (0..2400).map(|n| by_user("A", users[n % 4]))).await;
    let issue = recorded[0].issue;
    let before = counts(store, issue).await;
    assert_eq!(store.erase_user(None, "ana").await.unwrap(), 1200);
    let left = kept_as_told(store, issue).await;
    assert_eq!(left.len(), 1200);
    assert!(left.iter().all(|event| event.event.user != Some(User::id("ana"))));
    assert_eq!(counts(store, issue).await, super::kit::Counts { users: 2, ..before });
}

pub async fn a_deleted_project_is_gone_and_no_other(store: &impl Store) {
    let shop = project(store).await;
    let blog = store.ensure_project("blog").await.unwrap();
    let key = "0123456789abcdef0123456789abcdef";
    assert!(store.add_public_key(blog.id, key).await.unwrap());
    let visits = |ty: &'static str| {
        (0..600).map(move |n| Event { server_name: Some(format!("web-{n}")), ..by_user(ty, &n.to_string()) })
    };
    let id = Uuid::new_v4();
    let blogs = batch(&blog, visits("A").chain(visits("B")).chain([with_id("C", id)]));
    let recorded = store.record(&blogs).await.unwrap();
    let kept = record(store, &shop, visits("A").chain([with_id("C", id)])).await;
    let some = Balance { captured: 7, ..Balance::default() };
    store.add_balances(&[(shop.id, some), (blog.id, some)]).await.unwrap();
    let before = (counts(store, kept[0].issue).await, events(store, kept[0].issue).await);

    assert!(store.delete_project(blog.id).await.unwrap());
    assert!(!store.delete_project(blog.id).await.unwrap());
    assert_eq!(store.projects().await.unwrap(), std::slice::from_ref(&shop));
    assert_eq!(types(&store.issues(&query()).await.unwrap()).len(), 2);
    for (place, occurrence) in [(0, &blogs.occurrences[0]), (600, &blogs.occurrences[600])] {
        let issue = recorded[place].issue;
        assert_eq!(store.issue(&IssueRef::Id(issue)).await.unwrap(), None);
        assert_eq!(store.event(None, occurrence.id()).await.unwrap(), None);
        assert_eq!(store.event(None, occurrence.event_id().uuid()).await.unwrap(), None);
        assert_eq!(events(store, issue).await, []);
        assert_eq!(store.tag_tallies(issue, 10).await.unwrap(), []);
        assert_eq!(store.histograms(&[issue], minutes(0), 24, 30).await.unwrap(), [[0; 30]]);
    }
    assert_eq!(store.issue(&"BLOG-1".parse().unwrap()).await.unwrap(), None);
    assert_eq!(store.tag_values(&[blog.id], "server_name", 10).await.unwrap(), Vec::<String>::new());
    assert_eq!(store.balances().await.unwrap(), [(shop.id, some)]);
    let late = Batch::whole(vec![prepare(shop.id, event("Late")), prepare(blog.id, event("Late"))]);
    assert!(!store.record(&late).await.unwrap_err().is_unavailable(), "nothing is written for what is gone");
    // The other project is as it was.
    assert_eq!((counts(store, kept[0].issue).await, events(store, kept[0].issue).await), before);
    assert!(store.event(Some(&[shop.id]), id).await.unwrap().is_some());

    let again = store.ensure_project("blog").await.unwrap();
    assert!(again.id.0 > blog.id.0, "a number that stood in a DSN is not given to another project");
    assert_ne!(again.public_key(), blog.public_key());
    assert_eq!(again.public_keys.len(), 1);
    assert!(store.add_public_key(again.id, key).await.unwrap(), "its keys are free");
    let recorded = record(store, &again, [with_id("C", id)]).await;
    assert_eq!(outcomes(&recorded), [New]);
    let issue = store.issue(&"BLOG-1".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!((issue.id, issue.count), (recorded[0].issue, 1));
    assert_eq!(issue.last_event, EventId::from(id));
}

pub async fn the_events_of_a_user_are_read_page_by_page(store: &impl Store) {
    let shop = project(store).await;
    let blog = store.ensure_project("blog").await.unwrap();
    let hits = [("A", "ana"), ("B", "ana"), ("A", "bob"), ("A", "ana"), ("C", "ana"), ("C", "bob"), ("A", "ana")];
    record(store, &shop, hits.map(|(ty, user)| by_user(ty, user))).await;
    record(store, &blog, [by_user("A", "ana")]).await;
    let read = async |projects: Option<&[ProjectId]>, user: &str| {
        let (mut found, mut cursor) = (Vec::new(), None);
        loop {
            let page = store.user_events(projects, user, cursor.as_ref(), 2).await.unwrap();
            assert!(page.events.len() <= 2);
            found.extend(page.events);
            cursor = page.next;
            if cursor.is_none() {
                return found;
            }
        }
    };
    let all = read(None, "ana").await;
    let mut unique = ids(&all);
    unique.sort_unstable();
    unique.dedup();
    assert_eq!((all.len(), unique.len()), (6, 6), "each once");
    assert!(all.iter().all(|stored| stored.event.user == Some(User::id("ana"))));
    assert_eq!(read(Some(&[shop.id]), "ana").await.len(), 5);
    assert_eq!(read(Some(&[]), "ana").await, []);
    assert_eq!(read(None, "nobody").await, []);
}
