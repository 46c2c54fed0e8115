//! Decisions that end by themselves, and comments.

use super::kit::{event, issue_of, outcomes, project, record};
use errtrack_core::{
    Condition, Event, IssueId, Status, Store, Timestamp,
    store::{
        Outcome::{Regressed, Seen, Unignored},
        Regrouped,
    },
};
use std::time::Duration;

fn from(ty: &str, release: &str) -> Event {
    Event { release: Some(release.into()), ..event(ty) }
}

fn after(release: &str) -> Condition {
    Condition::AfterRelease(release.into())
}

pub async fn what_is_ignored_until_a_count_is_open_again_when_it_is_there(store: &impl Store) {
    let shop = project(store).await;
    let first = record(store, &shop, [event("A"), event("B")]).await;
    let until = Condition::Until { time: None, count: Some(4) };
    assert_eq!(store.set_condition(&[first[0].issue, IssueId(99)], &until).await.unwrap(), 1);
    let issue = issue_of(store, &first[0]).await;
    assert_eq!((issue.status, issue.condition.as_ref()), (Status::Ignored, Some(&until)));
    let more = record(store, &shop, [event("A"), event("B"), event("A")]).await;
    assert_eq!(outcomes(&more), [Seen; 3]);
    assert_eq!(issue_of(store, &first[0]).await.status, Status::Ignored, "three of four");
    let more = record(store, &shop, [event("B"), event("A"), event("A")]).await;
    assert_eq!(outcomes(&more), [Seen, Unignored, Seen]);
    let issue = issue_of(store, &first[0]).await;
    assert_eq!((issue.status, issue.condition, issue.regressed), (Status::Unresolved, None, false));
    assert_eq!(outcomes(&record(store, &shop, [event("A")]).await), [Seen]);
}

pub async fn what_is_ignored_until_a_time_is_open_again_with_events_or_without(store: &impl Store) {
    let shop = project(store).await;
    let recorded = record(store, &shop, ["A", "B", "C"].map(event)).await;
    let now = Timestamp::now();
    let until = |time| Condition::Until { time: Some(time), count: None };
    let hour = Duration::from_secs(3600);
    store.set_condition(&[recorded[0].issue, recorded[1].issue], &until(now.minus(hour))).await.unwrap();
    store.set_condition(&[recorded[2].issue], &until(now.plus(hour))).await.unwrap();
    let more = record(store, &shop, ["A", "C"].map(event)).await;
    assert_eq!(outcomes(&more), [Unignored, Seen]);
    assert_eq!(store.unignore(now).await.unwrap(), 1);
    for (recorded, status) in recorded.iter().zip([Status::Unresolved, Status::Unresolved, Status::Ignored]) {
        assert_eq!(issue_of(store, recorded).await.status, status);
    }
    assert_eq!(store.unignore(now).await.unwrap(), 0);
    store.set_status(&[recorded[2].issue], Status::Ignored).await.unwrap();
    assert_eq!(store.unignore(now.plus(hour).plus(hour)).await.unwrap(), 0, "for ever, as was said last");
}

pub async fn what_is_resolved_in_the_next_release_comes_back_from_a_later_one(store: &impl Store) {
    let shop = project(store).await;
    let first = record(store, &shop, [from("A", "shop@1.9.0"), from("A", "shop@1.8.0"), from("B", "shop@1.9.0")]).await;
    assert_eq!(store.latest_release(shop.id).await.unwrap().as_deref(), Some("shop@1.9.0"));
    store.set_condition(&[first[0].issue], &after("shop@1.9.0")).await.unwrap();
    let issue = issue_of(store, &first[0]).await;
    assert_eq!((issue.status, issue.condition), (Status::Resolved, Some(after("shop@1.9.0"))));
    assert!(issue.resolved_at.is_some());
    let same = [event("A"), from("A", "shop@1.9.0"), from("A", "shop@1.8.7"), from("B", "shop@2.0.0")];
    assert_eq!(outcomes(&record(store, &shop, same).await), [Seen; 4]);
    let issue = issue_of(store, &first[0]).await;
    assert_eq!((issue.status, issue.count), (Status::Resolved, 5));
    let later = [from("A", "shop@1.10.0"), from("A", "shop@1.9.0"), from("A", "shop@1.8.0")];
    assert_eq!(outcomes(&record(store, &shop, later).await), [Regressed, Seen, Seen]);
    let issue = issue_of(store, &first[0]).await;
    assert_eq!(
        (issue.status, issue.regressed, issue.condition, issue.resolved_at),
        (Status::Unresolved, true, None, None)
    );
    assert_eq!(store.latest_release(shop.id).await.unwrap().as_deref(), Some("shop@2.0.0"));
}

pub async fn releases_that_are_no_versions_are_ordered_as_they_came(store: &impl Store) {
    let shop = project(store).await;
    let blog = store.ensure_project("blog").await.unwrap();
    assert_eq!(store.latest_release(shop.id).await.unwrap(), None);
    let issue = record(store, &shop, [from("A", "fa3c")]).await[0].issue;
    record(store, &shop, [from("A", "b21e")]).await;
    record(store, &blog, [from("A", "0b0b")]).await;
    assert_eq!(store.latest_release(shop.id).await.unwrap().as_deref(), Some("b21e"));
    store.set_condition(&[issue], &after("b21e")).await.unwrap();
    assert_eq!(outcomes(&record(store, &shop, [from("A", "b21e"), from("A", "fa3c")]).await), [Seen, Seen]);
    assert_eq!(outcomes(&record(store, &shop, [from("A", "0b0b")]).await), [Regressed], "new in this project");
    // In a named release: that one counts too, and one that is not there yet has nothing before it.
    store.set_condition(&[issue], &Condition::InRelease("c0de".into())).await.unwrap();
    assert_eq!(outcomes(&record(store, &shop, [from("A", "0b0b"), from("A", "d00d")]).await), [Seen, Seen]);
    assert_eq!(outcomes(&record(store, &shop, [from("A", "c0de")]).await), [Regressed]);
    // Without a release that was known, any is later.
    store.set_condition(&[issue], &after("")).await.unwrap();
    assert_eq!(outcomes(&record(store, &shop, [event("A")]).await), [Seen]);
    assert_eq!(outcomes(&record(store, &shop, [from("A", "fa3c")]).await), [Regressed]);
}

pub async fn a_condition_is_that_of_the_whole_issue(store: &impl Store) {
    let shop = project(store).await;
    let recorded = record(store, &shop, ["A", "B"].map(event)).await;
    let (a, b) = (recorded[0].issue, recorded[1].issue);
    assert!(matches!(store.merge(shop.id, a, &[b]).await.unwrap(), Regrouped::Done(_)));
    store.set_condition(&[b], &Condition::Until { time: None, count: Some(4) }).await.unwrap();
    assert_eq!(outcomes(&record(store, &shop, [event("A")]).await), [Seen]);
    assert_eq!(issue_of(store, &recorded[0]).await.status, Status::Ignored);
    assert_eq!(outcomes(&record(store, &shop, [event("B")]).await), [Unignored], "the fourth of both");
    assert_eq!(issue_of(store, &recorded[0]).await.status, Status::Unresolved);
}

pub async fn comments_stand_in_their_order_and_go_with_the_issue(store: &impl Store) {
    let shop = project(store).await;
    let recorded = record(store, &shop, ["A", "B"].map(event)).await;
    let (a, b) = (recorded[0].issue, recorded[1].issue);
    assert_eq!(store.comments(a).await.unwrap(), []);
    let first = store.add_comment(a, "ana@example.com", "seen *before*\n\0").await.unwrap().unwrap();
    assert_eq!((first.author.as_str(), first.text.as_str()), ("ana@example.com", "seen *before*\n\u{fffd}"));
    let second = store.add_comment(b, "ben", "so what").await.unwrap().unwrap();
    assert!(second.id > first.id);
    let third = store.add_comment(a, "ben", "again").await.unwrap().unwrap();
    assert_eq!(store.comments(a).await.unwrap(), [first.clone(), third.clone()]);
    assert_eq!(store.add_comment(IssueId(99), "ben", "nowhere").await.unwrap(), None);
    // They follow merging.
    assert!(matches!(store.merge(shop.id, b, &[a]).await.unwrap(), Regrouped::Done(_)));
    assert_eq!(store.comments(a).await.unwrap(), [first.clone(), second.clone(), third.clone()]);
    let fourth = store.add_comment(a, "ana", "on both").await.unwrap().unwrap();
    let groups = store.groups(b).await.unwrap();
    let of_a = groups.iter().find(|group| group.ty == "A").unwrap().fingerprint;
    assert!(matches!(store.unmerge(b, &[of_a]).await.unwrap(), Regrouped::Done(_)));
    assert_eq!(store.comments(a).await.unwrap(), [first, third]);
    assert_eq!(store.comments(b).await.unwrap(), [second, fourth], "with the name that the issue had");
    assert_eq!(store.delete_issues(&[a]).await.unwrap(), 1);
    assert_eq!(store.comments(a).await.unwrap(), []);
    assert_eq!(store.comments(b).await.unwrap().len(), 2);
}
