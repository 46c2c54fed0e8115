//! One issue.

use super::kit::{at, event, issue_of, minutes, project, record, tagged};
use errtrack_core::{IssueId, IssueRef, Status, Store};
use uuid::Uuid;

pub async fn an_issue_has_three_names(store: &impl Store) {
    let shop = project(store).await;
    let recorded = record(store, &shop, ["A", "B"].map(event)).await;
    let issue = issue_of(store, &recorded[1]).await;
    assert_eq!(issue.short_id(), "SHOP-2");
    for name in [IssueRef::Uuid(issue.uuid), issue.short_id().parse().unwrap(), IssueRef::Id(issue.id)] {
        assert_eq!(store.issue(&name).await.unwrap().as_ref(), Some(&issue), "{name:?}");
    }
    let short = |project: &str, number| IssueRef::Short { project: project.into(), number };
    for nothing in [IssueRef::Uuid(Uuid::new_v4()), short("shop", 3), short("blog", 1), IssueRef::Id(IssueId(99))] {
        assert_eq!(store.issue(&nothing).await.unwrap(), None, "{nothing:?}");
    }
}

pub async fn resolving_is_dated_and_undone(store: &impl Store) {
    let shop = project(store).await;
    let recorded = record(store, &shop, ["A", "B", "C"].map(event)).await;
    let all = [recorded[0].issue, recorded[1].issue, IssueId(99)];
    assert_eq!(store.set_status(&all, Status::Resolved).await.unwrap(), 2);
    let issue = issue_of(store, &recorded[0]).await;
    assert_eq!(issue.status, Status::Resolved);
    assert_eq!(issue.resolved_at, Some(issue.updated_at));
    assert_eq!(issue_of(store, &recorded[2]).await.status, Status::Unresolved);
    for status in [Status::Ignored, Status::Unresolved] {
        assert_eq!(store.set_status(&all[..1], status).await.unwrap(), 1);
        let issue = issue_of(store, &recorded[0]).await;
        assert_eq!((issue.status, issue.resolved_at), (status, None));
    }
    assert_eq!(store.set_status(&[], Status::Resolved).await.unwrap(), 0);
}

pub async fn an_issue_is_assigned_and_released(store: &impl Store) {
    let shop = project(store).await;
    let recorded = record(store, &shop, [event("A")]).await;
    assert!(store.assign(recorded[0].issue, Some("ana@example.com")).await.unwrap());
    assert_eq!(issue_of(store, &recorded[0]).await.assigned_to.as_deref(), Some("ana@example.com"));
    assert!(store.assign(recorded[0].issue, None).await.unwrap());
    assert_eq!(issue_of(store, &recorded[0]).await.assigned_to, None);
    assert!(!store.assign(IssueId(99), None).await.unwrap());
}

pub async fn histograms_are_filled_with_zeros(store: &impl Store) {
    let shop = project(store).await;
    let hours = [("A", 0), ("A", 0), ("A", -60), ("B", -180), ("A", -300), ("B", 60)];
    let recorded = record(store, &shop, hours.map(|(ty, minute)| at(ty, minute))).await;
    let (a, b) = (recorded[0].issue, recorded[3].issue);
    let histograms = store.histograms(&[b, a, IssueId(99)], minutes(0), 1, 4).await.unwrap();
    assert_eq!(histograms, [[1, 0, 0, 0], [0, 0, 1, 2], [0, 0, 0, 0]]);
    assert_eq!(store.histograms(&[], minutes(0), 1, 4).await.unwrap(), Vec::<Vec<i64>>::new());
    assert_eq!(store.histograms(&[a], minutes(0), 1, 0).await.unwrap(), [Vec::<i64>::new()]);
}

pub async fn wide_buckets_add_up(store: &impl Store) {
    let shop = project(store).await;
    let days = [0, 0, -24, -24 * 6, -24 * 6, -24 * 30];
    let recorded = record(store, &shop, days.map(|hours| at("A", hours * 60))).await;
    let week = store.histograms(&[recorded[0].issue], minutes(0), 24, 7).await.unwrap();
    assert_eq!(week, [[2, 0, 0, 0, 0, 1, 2]]);
}

pub async fn tags_are_tallied_exactly(store: &impl Store) {
    let shop = project(store).await;
    let events = ["red", "blue", "red"].map(|color| tagged("A", &[("color", color), ("size", "")]));
    let recorded = record(store, &shop, events).await;
    record(store, &shop, [tagged("A", &[("color", "red")]), tagged("B", &[("color", "green")])]).await;
    let tallies = store.tag_tallies(recorded[0].issue, 10).await.unwrap();
    let find = |key: &str| tallies.iter().find(|tally| tally.key == key).cloned().unwrap();
    let color = find("color");
    assert_eq!(color.total, 4);
    assert_eq!(color.values, [("red".to_owned(), 3), ("blue".to_owned(), 1)]);
    assert_eq!(find("size").total, 3);
    assert!(tallies.is_sorted_by(|a, b| a.key < b.key));
    let tallies = store.tag_tallies(recorded[0].issue, 1).await.unwrap();
    let color = tallies.iter().find(|tally| tally.key == "color").unwrap();
    assert_eq!((color.total, color.values.len()), (4, 1));
    assert_eq!(store.tag_tallies(IssueId(99), 10).await.unwrap(), []);
}

pub async fn many_values_of_a_tag_keep_the_total(store: &impl Store) {
    let shop = project(store).await;
    let mut issue = IssueId(0);
    for round in 0..10 {
        let names: Vec<String> = (0..50).map(|n| format!("{}", round * 50 + n)).collect();
        let events = names.iter().map(|name| tagged("A", &[("request", name), ("always", "1")]));
        issue = record(store, &shop, events).await[0].issue;
    }
    let tallies = store.tag_tallies(issue, 1000).await.unwrap();
    let request = tallies.iter().find(|tally| tally.key == "request").unwrap();
    assert_eq!(request.total, 500);
    assert!(request.values.len() >= 50, "{}", request.values.len());
    let always = tallies.iter().find(|tally| tally.key == "always").unwrap();
    assert_eq!(always.values, [("1".to_owned(), 500)]);
}

pub async fn values_of_a_tag_stay_within_their_projects(store: &impl Store) {
    let shop = project(store).await;
    let blog = store.ensure_project("blog").await.unwrap();
    let colors = [("A", "red"), ("B", "red"), ("B", "blue")];
    record(store, &shop, colors.map(|(ty, color)| tagged(ty, &[("color", color)]))).await;
    record(store, &blog, [tagged("A", &[("color", "green")])]).await;
    assert_eq!(store.tag_values(&[shop.id], "color", 10).await.unwrap(), ["red", "blue"]);
    assert_eq!(store.tag_values(&[shop.id], "color", 1).await.unwrap(), ["red"]);
    assert_eq!(store.tag_values(&[shop.id, blog.id], "color", 10).await.unwrap().len(), 3);
    assert_eq!(store.tag_values(&[], "color", 10).await.unwrap(), Vec::<String>::new());
    assert_eq!(store.tag_values(&[shop.id], "shape", 10).await.unwrap(), Vec::<String>::new());
}
