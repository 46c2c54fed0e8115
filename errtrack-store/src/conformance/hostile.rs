//! Texts that no database may stumble over, NUL above all, which some cannot hold.

use super::kit::{by_user, event, events, issue_of, prepare, project, query, record};
use errtrack_core::{IssueRef, Member, Role, Store, store::IssueQuery};
use std::time::Duration;
use uuid::Uuid;

const TEXTS: [&str; 5] =
    ["a\0b", "'; DROP TABLE errtrack_issue; --", "100%_!", "\"q\" \\u0000 \\", "😀\u{202e}é\n\u{1f}"];

/// As a store may give it back.
fn readable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

pub async fn hostile_reasons_are_kept(store: &impl Store) {
    let shop = project(store).await;
    for text in TEXTS {
        store.set_aside(&prepare(shop.id, event("A")), text).await.unwrap();
    }
    let reasons = store.set_aside_events(10).await.unwrap().into_iter().map(|kept| readable(&kept.reason));
    assert!(reasons.eq(TEXTS.iter().rev().map(|text| readable(text))));
}

pub async fn hostile_names_of_leases_are_names(store: &impl Store) {
    let (a, b) = (Uuid::new_v4(), Uuid::new_v4());
    let hour = Duration::from_secs(3600);
    for text in TEXTS {
        assert!(store.lease(text, a, hour).await.unwrap(), "{text:?}");
        assert!(!store.lease(text, b, hour).await.unwrap(), "{text:?}");
    }
    for text in TEXTS {
        store.release(text, a).await.unwrap();
        assert!(store.lease(text, b, hour).await.unwrap(), "{text:?}");
    }
}

pub async fn hostile_users_are_found_and_erased(store: &impl Store) {
    let shop = project(store).await;
    for (n, user) in TEXTS.into_iter().enumerate() {
        let ty = format!("T{n}");
        let recorded = record(store, &shop, [by_user(&ty, user), by_user(&ty, "bob")]).await;
        let tags = vec![("user".to_owned(), user.to_owned())];
        let hit = store.issues(&IssueQuery { tags, ..query() }).await.unwrap();
        assert_eq!(hit.issues.iter().map(|issue| issue.id).collect::<Vec<_>>(), [recorded[0].issue], "{n}");
        assert_eq!(store.erase_user(Some(&[shop.id]), user).await.unwrap(), 1, "{n}");
        assert_eq!(events(store, recorded[0].issue).await.len(), 1);
        assert_eq!(issue_of(store, &recorded[0]).await.user_count, 1);
    }
}

pub async fn hostile_names_of_members_are_kept(store: &impl Store) {
    let shop = project(store).await;
    let issue = record(store, &shop, [event("A")]).await.remove(0);
    for (n, text) in TEXTS.into_iter().enumerate() {
        assert!(store.assign(issue.issue, Some(text)).await.unwrap());
        assert_eq!(readable(&issue_of(store, &issue).await.assigned_to.unwrap()), readable(text));
        let member = Member { email: format!("{n}{text}"), name: text.into(), ..Member::new("", Role::Viewer) };
        assert_eq!(readable(&store.put_member(&member).await.unwrap().name), readable(text));
        let found = store.member_by_email(&member.email).await.unwrap().unwrap();
        assert_eq!((found.id, readable(&found.email)), (member.id, readable(&member.email)));
    }
}

pub async fn hostile_questions_find_nothing(store: &impl Store) {
    let shop = project(store).await;
    record(store, &shop, [event("A")]).await;
    for text in TEXTS {
        let short = IssueRef::Short { project: text.into(), number: 1 };
        assert_eq!(store.issue(&short).await.unwrap(), None);
        assert_eq!(store.member_by_email(text).await.unwrap(), None);
        assert_eq!(store.tag_values(&[shop.id], text, 10).await.unwrap(), Vec::<String>::new());
        assert_eq!(store.erase_user(None, text).await.unwrap(), 0);
        let tag = |key: &str| IssueQuery { tags: vec![(key.into(), text.into())], ..query() };
        for query in [
            tag(text),
            tag("environment"),
            tag("user"),
            tag("level"),
            IssueQuery { source: Some(text.into()), ..query() },
            IssueQuery { words: vec![text.into()], ..query() },
        ] {
            assert_eq!(store.issues(&query).await.unwrap().total, 0, "{query:?}");
            assert_eq!(store.status_counts(&query).await.unwrap().total(), 0, "{query:?}");
        }
    }
}
