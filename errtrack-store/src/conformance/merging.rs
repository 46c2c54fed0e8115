//! Issues that are made one, and taken apart again.

use super::kit::{
    at, batch, by_user, counts, event, events, issue_of, kept_as_told, minutes, outcomes, project, query, record,
    tagged, types, with_id,
};
use errtrack_core::{
    Event, Fingerprint, Issue, IssueId, IssueRef, Project, ProjectId, Status, Store, User,
    store::{
        Change, IssueEvent, IssueQuery, MAX_GROUPS,
        Outcome::{Duplicate, New, Regressed, Seen},
        Recorded, Refusal, Regrouped,
    },
};
use std::collections::HashSet;
use uuid::Uuid;

/// Events of three types that share users, tags and hours, and differ in each.
pub(super) fn visits() -> Vec<Event> {
    let visit = |ty: &str, minute: i64, user: &str, color: &str, release: Option<&str>| Event {
        user: Some(User::id(user)),
        release: release.map(str::to_owned),
        timestamp: minutes(minute),
        ..tagged(ty, &[("color", color)])
    };
    vec![
        visit("A", 0, "ana", "red", None),
        visit("A", 5, "ben", "blue", Some("1.0")),
        visit("B", -300, "ana", "red", Some("0.9")),
        visit("B", 7, "cleo", "green", Some("1.1")),
        visit("B", 65, "cleo", "green", None),
        visit("C", 6, "dan", "red", Some("1.0")),
        visit("C", -60 * 24 * 3, "ana", "black", Some("0.8")),
    ]
}

/// The issues of what was recorded, each once, in its order.
pub(super) async fn issues_of(store: &impl Store, recorded: &[Recorded]) -> Vec<Issue> {
    let mut issues: Vec<Issue> = Vec::new();
    for recorded in recorded {
        let issue = issue_of(store, recorded).await;
        if issues.iter().all(|other| other.uuid != issue.uuid) {
            issues.push(issue);
        }
    }
    issues
}

/// Three issues of [`visits`].
pub(super) async fn three(store: &impl Store, project: &Project) -> [Issue; 3] {
    let recorded = record(store, project, visits()).await;
    issues_of(store, &recorded).await.try_into().unwrap()
}

pub(super) fn done(regrouped: Regrouped) -> Vec<Issue> {
    let issues = match regrouped {
        Regrouped::Done(issues) => Ok(issues),
        Regrouped::Refused(refusal) => Err(refusal),
    };
    issues.unwrap()
}

pub(super) async fn merge(store: &impl Store, into: &Issue, others: &[&Issue]) -> Issue {
    let others: Vec<IssueId> = others.iter().map(|issue| issue.id).collect();
    let mut issues = done(store.merge(into.project, into.id, &others).await.unwrap());
    assert_eq!(issues.len(), 1);
    issues.remove(0)
}

pub(super) async fn unmerge(store: &impl Store, issue: &Issue, fingerprints: &[Fingerprint]) -> Vec<Issue> {
    done(store.unmerge(issue.id, fingerprints).await.unwrap())
}

pub(super) async fn by_uuid(store: &impl Store, uuid: Uuid) -> Issue {
    store.issue(&IssueRef::Uuid(uuid)).await.unwrap().unwrap()
}

/// An issue without what tells it from the same in another project, or of another time.
fn alike(issue: &Issue) -> Issue {
    let like = by_default(issue);
    Issue { project_slug: String::new(), ..like }
}

fn by_default(issue: &Issue) -> Issue {
    let (created_at, updated_at) = (minutes(0), minutes(0));
    let (id, uuid, project) = (IssueId(0), Uuid::nil(), ProjectId(0));
    let last_event = errtrack_core::EventId::default();
    Issue { id, uuid, project, last_event, created_at, updated_at, ..issue.clone() }
}

/// All that is known of the issues of a project, by number.
async fn all_of(store: &impl Store, project: &Project) -> Vec<(Issue, super::kit::Counts, Vec<String>)> {
    let page = store.issues(&IssueQuery { projects: Some(vec![project.id]), ..query() }).await.unwrap();
    let mut issues = page.issues;
    issues.sort_by_key(|issue| issue.number);
    let mut all = Vec::new();
    for issue in issues {
        let kept = kept_as_told(store, issue.id).await;
        let shown = kept.iter().map(|kept| format!("{} {:?}", kept.event.timestamp.as_micros(), kept.event.tags));
        all.push((alike(&issue), counts(store, issue.id).await, shown.collect()));
    }
    all
}

pub async fn a_merged_issue_is_the_sum_of_its_groups(store: &impl Store) {
    let shop = project(store).await;
    let [a, b, c] = three(store, &shop).await;
    let merged = merge(store, &a, &[&b]).await;
    assert_eq!((merged.uuid, merged.short_id()), (a.uuid, a.short_id()));
    assert_eq!((merged.count, merged.stored_count, merged.user_count), (5, 5, 3), "ana is one user");
    assert_eq!((merged.first_seen, merged.last_seen), (minutes(-300), minutes(65)));
    assert_eq!(merged.ty, "B", "it shows the newest event");
    assert_eq!((merged.first_release.as_deref(), merged.last_release.as_deref()), (Some("1.0"), Some("1.1")));
    let counts = counts(store, merged.id).await;
    let color = counts.tags.iter().find(|tally| tally.key == "color").unwrap();
    let mut colors = color.values.clone();
    colors.sort_unstable();
    assert_eq!(color.total, 5);
    assert_eq!(colors, [("blue".to_owned(), 1), ("green".to_owned(), 2), ("red".to_owned(), 2)]);
    assert_eq!(store.histograms(&[merged.id], minutes(65), 1, 7).await.unwrap(), [[1, 0, 0, 0, 0, 3, 1]]);
    let kept = kept_as_told(store, merged.id).await;
    assert!(kept.iter().all(|kept| (kept.issue, kept.issue_uuid) == (merged.id, merged.uuid)));
    assert!(kept.is_sorted_by(|one, next| one.event.timestamp >= next.event.timestamp));

    let page = store.issues(&query()).await.unwrap();
    assert_eq!((page.total, types(&page)), (2, vec!["B", "C"]));
    assert_eq!(store.status_counts(&query()).await.unwrap().unresolved, 2);
    for (tag, found) in [(("color", "blue"), vec!["B"]), (("user", "cleo"), vec!["B"]), (("color", "black"), vec!["C"])]
    {
        let tags = vec![(tag.0.to_owned(), tag.1.to_owned())];
        assert_eq!(types(&store.issues(&IssueQuery { tags, ..query() }).await.unwrap()), found, "{tag:?}");
    }
    assert_eq!(store.tag_values(&[shop.id], "color", 1).await.unwrap(), ["red"], "nothing is counted twice");

    let groups = store.groups(merged.id).await.unwrap();
    assert_eq!(groups.iter().map(|group| group.uuid).collect::<Vec<_>>(), [a.uuid, b.uuid]);
    assert_eq!(groups.iter().map(|group| group.count).collect::<Vec<_>>(), [2, 3]);
    assert_eq!(groups.iter().map(Issue::short_id).collect::<Vec<_>>(), ["SHOP-1", "SHOP-2"]);
    let alone = store.groups(c.id).await.unwrap();
    assert_eq!(alone, [c]);
    assert_eq!(store.groups(IssueId(99_999)).await.unwrap(), []);
}

pub async fn every_name_of_a_merged_issue_leads_to_it(store: &impl Store) {
    let shop = project(store).await;
    let [a, b, c] = three(store, &shop).await;
    let merged = merge(store, &b, &[&a, &c, &a]).await;
    assert_eq!(merged.short_id(), "SHOP-2");
    for issue in [&a, &b, &c] {
        for name in [IssueRef::Uuid(issue.uuid), issue.short_id().parse().unwrap(), IssueRef::Id(issue.id)] {
            assert_eq!(store.issue(&name).await.unwrap().as_ref(), Some(&merged), "{name:?}");
        }
        assert_eq!(store.groups(issue.id).await.unwrap().len(), 3);
        assert_eq!(counts(store, issue.id).await, counts(store, merged.id).await);
    }
    assert_eq!(store.issue(&IssueRef::Uuid(Uuid::nil())).await.unwrap(), None);
}

pub async fn an_unmerged_group_is_as_if_it_had_never_been_merged(store: &impl Store) {
    let (shop, twin) = (project(store).await, store.ensure_project("twin").await.unwrap());
    let [a, b, c] = three(store, &shop).await;
    three(store, &twin).await;
    let before = all_of(store, &shop).await;
    assert_eq!(before, all_of(store, &twin).await);
    let merged = merge(store, &a, &[&b, &c]).await;
    for project in [&shop, &twin] {
        record(store, project, visits()).await;
        record(store, project, [by_user("B", "eve"), at("C", 90)]).await;
    }
    let back = unmerge(store, &merged, &[c.fingerprint, b.fingerprint, c.fingerprint]).await;
    assert_eq!(back.iter().map(|issue| issue.uuid).collect::<Vec<_>>(), [a.uuid, c.uuid, b.uuid]);
    assert_eq!(back.iter().map(|issue| issue.count).collect::<Vec<_>>(), [4, 5, 7]);
    assert_eq!(all_of(store, &shop).await, all_of(store, &twin).await);
    // And so is what comes later.
    for project in [&shop, &twin] {
        assert_eq!(outcomes(&record(store, project, visits()).await), [Seen; 7]);
    }
    assert_eq!(all_of(store, &shop).await, all_of(store, &twin).await);
}

pub async fn what_comes_after_a_merge_counts_for_its_group(store: &impl Store) {
    let shop = project(store).await;
    let [a, b, _] = three(store, &shop).await;
    let merged = merge(store, &a, &[&b]).await;
    let id = Uuid::from_u128(7);
    let recorded = record(store, &shop, [event("B"), with_id("A", id), event("D"), event("B")]).await;
    assert_eq!(outcomes(&recorded), [Seen, Seen, New, Seen]);
    assert_eq!(recorded[0].issue, recorded[1].issue);
    assert_eq!(issue_of(store, &recorded[0]).await.uuid, merged.uuid);
    let again = record(store, &shop, [with_id("A", id)]).await;
    assert_eq!((again[0].outcome, again[0].issue), (Duplicate, recorded[1].issue));
    let found = store.event(None, id).await.unwrap().unwrap();
    assert_eq!((found.issue, found.issue_uuid), (recorded[1].issue, merged.uuid));
    let groups = store.groups(merged.id).await.unwrap();
    assert_eq!(groups.iter().map(|group| group.count).collect::<Vec<_>>(), [3, 5]);
    assert_eq!(by_uuid(store, merged.uuid).await.count, 8);
    kept_as_told(store, merged.id).await;
    let events = events(store, merged.id).await;
    for (place, event) in events.iter().rev().enumerate() {
        let position = store.position(event).await.unwrap();
        assert_eq!((position.index, position.total), (place as i64 + 1, 8));
        assert_eq!(position.last, Some(events[0].id));
        assert_eq!(position.next, place.checked_sub(8).or(events.len().checked_sub(place + 2)).map(|at| events[at].id));
    }
    let mut cursor = None;
    let mut paged = Vec::new();
    loop {
        let page = store.events(merged.id, cursor.as_ref(), 3).await.unwrap();
        paged.extend(page.events);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(paged, events);
}

pub async fn merged_issues_merge_again(store: &impl Store) {
    let shop = project(store).await;
    let [a, b, c] = three(store, &shop).await;
    let recorded = record(store, &shop, [event("D"), event("E")]).await;
    let [d, e]: [Issue; 2] = issues_of(store, &recorded).await.try_into().unwrap();
    let (one, other) = (merge(store, &b, &[&a]).await, merge(store, &d, &[&e, &c]).await);
    let all = merge(store, &one, &[&other]).await;
    assert_eq!((all.uuid, all.count, all.user_count), (b.uuid, 9, 4));
    counts(store, all.id).await;
    kept_as_told(store, all.id).await;
    let groups = store.groups(all.id).await.unwrap();
    let names: Vec<String> = groups.iter().map(Issue::short_id).collect();
    assert_eq!(names, ["SHOP-2", "SHOP-1", "SHOP-3", "SHOP-4", "SHOP-5"], "the issue's own first");
    assert_eq!(store.issue(&IssueRef::Uuid(d.uuid)).await.unwrap(), Some(all.clone()));
    let back = unmerge(store, &all, &[d.fingerprint]).await;
    assert_eq!(back.iter().map(Issue::short_id).collect::<Vec<_>>(), ["SHOP-2", "SHOP-4"]);
    assert_eq!(back.iter().map(|issue| issue.count).collect::<Vec<_>>(), [8, 1]);
    assert_eq!(store.issues(&query()).await.unwrap().total, 2);
    let numbers: HashSet<i64> = store.groups(back[0].id).await.unwrap().iter().map(|group| group.number).collect();
    assert_eq!(numbers, HashSet::from([1, 2, 3, 5]));
    let recorded = record(store, &shop, [event("F")]).await;
    assert_eq!(issue_of(store, &recorded[0]).await.number, 6, "numbers go on");
}

pub async fn a_group_whose_name_the_issue_has_can_leave(store: &impl Store) {
    let shop = project(store).await;
    let [a, b, c] = three(store, &shop).await;
    let merged = merge(store, &a, &[&c, &b]).await;
    assert!(store.assign(merged.id, Some("ana@example.com")).await.unwrap());
    let back = unmerge(store, &merged, &[a.fingerprint]).await;
    let [rest, back] = back.try_into().unwrap();
    assert_eq!((rest.uuid, rest.short_id(), rest.count), (b.uuid, b.short_id(), 5), "it has the name of the next");
    assert_eq!(rest.assigned_to.as_deref(), Some("ana@example.com"));
    assert_eq!((back.uuid, back.short_id(), back.count), (a.uuid, a.short_id(), 2));
    assert_eq!(by_uuid(store, c.uuid).await, rest);
    let [rest, back] = unmerge(store, &rest, &[b.fingerprint]).await.try_into().unwrap();
    assert_eq!([rest.uuid, back.uuid], [c.uuid, b.uuid]);
    assert_eq!(store.groups(rest.id).await.unwrap().len(), 1);
    assert_eq!(store.issues(&query()).await.unwrap().total, 3);
}

pub async fn what_cannot_be_merged_is_refused_and_changes_nothing(store: &impl Store) {
    let (shop, blog) = (project(store).await, store.ensure_project("blog").await.unwrap());
    let [a, b, c] = three(store, &shop).await;
    let elsewhere = issue_of(store, &record(store, &blog, [event("A")]).await[0]).await;
    let merged = merge(store, &a, &[&b]).await;
    let before = (all_of(store, &shop).await, all_of(store, &blog).await);
    let gone = IssueId(99_999);
    for (project, into, others, refusal) in [
        (&shop, merged.id, vec![merged.id], Refusal::OneIssue),
        (&shop, merged.id, vec![b.id, a.id], Refusal::OneIssue),
        (&shop, c.id, vec![], Refusal::OneIssue),
        (&shop, c.id, vec![gone], Refusal::Gone),
        (&shop, gone, vec![c.id], Refusal::Gone),
        (&shop, c.id, vec![merged.id, elsewhere.id], Refusal::OtherProject),
        (&shop, elsewhere.id, vec![c.id], Refusal::OtherProject),
        (&blog, c.id, vec![merged.id], Refusal::OtherProject),
    ] {
        let answer = store.merge(project.id, into, &others).await.unwrap();
        assert_eq!(answer, Regrouped::Refused(refusal), "{into} {others:?}");
    }
    let (of_a, of_b, of_c) = (a.fingerprint, b.fingerprint, c.fingerprint);
    for (issue, fingerprints, refusal) in [
        (merged.id, vec![], Refusal::NoFingerprint),
        (merged.id, vec![of_b, of_c], Refusal::NotOfIssue(of_c)),
        (merged.id, vec![of_b, of_a], Refusal::LastGroup),
        (c.id, vec![of_c], Refusal::LastGroup),
        (c.id, vec![of_a], Refusal::NotOfIssue(of_a)),
        (elsewhere.id, vec![Fingerprint([9; 16])], Refusal::NotOfIssue(Fingerprint([9; 16]))),
        (gone, vec![of_a], Refusal::Gone),
    ] {
        let answer = store.unmerge(issue, &fingerprints).await.unwrap();
        assert_eq!(answer, Regrouped::Refused(refusal), "{issue} {fingerprints:?}");
    }
    assert_eq!((all_of(store, &shop).await, all_of(store, &blog).await), before);
}

pub async fn an_issue_has_a_bounded_number_of_groups(store: &impl Store) {
    let shop = project(store).await;
    let types: Vec<String> = (0..=MAX_GROUPS).map(|n| format!("T{n}")).collect();
    let issues: Vec<IssueId> =
        record(store, &shop, types.iter().map(|ty| event(ty))).await.iter().map(|recorded| recorded.issue).collect();
    let too_many = store.merge(shop.id, issues[0], &issues).await.unwrap();
    assert_eq!(too_many, Regrouped::Refused(Refusal::TooMany));
    let merged = done(store.merge(shop.id, issues[0], &issues[..MAX_GROUPS]).await.unwrap()).remove(0);
    assert_eq!((merged.count, store.groups(merged.id).await.unwrap().len()), (500, MAX_GROUPS));
    let one_more = store.merge(shop.id, merged.id, &issues[MAX_GROUPS..]).await.unwrap();
    assert_eq!(one_more, Regrouped::Refused(Refusal::TooMany));
    assert_eq!(events(store, merged.id).await.len(), MAX_GROUPS);
}

pub async fn what_people_decide_about_a_merged_issue_holds_for_each_group(store: &impl Store) {
    let shop = project(store).await;
    let [a, b, c] = three(store, &shop).await;
    store.set_status(&[b.id], Status::Ignored).await.unwrap();
    let merged = merge(store, &a, &[&b, &c]).await;
    assert_eq!(merged.status, Status::Unresolved);
    let [rest, back] = unmerge(store, &merged, &[b.fingerprint]).await.try_into().unwrap();
    assert_eq!((rest.status, back.status), (Status::Unresolved, Status::Ignored), "nothing was decided meanwhile");
    let merged = merge(store, &rest, &[&back]).await;
    assert_eq!(store.set_status(&[merged.id], Status::Resolved).await.unwrap(), 1);
    assert!(store.assign(b.id, Some("ben@example.com")).await.unwrap(), "by any of its numbers");
    let counts = store.status_counts(&query()).await.unwrap();
    assert_eq!((counts.total(), counts.resolved), (1, 1));
    for issue in unmerge(store, &merged, &[b.fingerprint, c.fingerprint]).await {
        assert_eq!((issue.status, issue.resolved_at.is_some()), (Status::Resolved, true), "{}", issue.ty);
        assert_eq!(issue.assigned_to.as_deref(), Some("ben@example.com"));
    }
}

pub async fn a_resolved_issue_opens_when_an_open_one_joins_it(store: &impl Store) {
    let shop = project(store).await;
    let [a, b, c] = three(store, &shop).await;
    store.set_status(&[a.id, b.id], Status::Resolved).await.unwrap();
    let merged = merge(store, &a, &[&b]).await;
    assert_eq!(merged.status, Status::Resolved, "both are");
    let merged = merge(store, &merged, &[&c]).await;
    assert_eq!((merged.status, merged.resolved_at, merged.regressed), (Status::Unresolved, None, false));
    store.set_status(&[merged.id], Status::Ignored).await.unwrap();
    let d = issue_of(store, &record(store, &shop, [event("D")]).await[0]).await;
    assert_eq!(merge(store, &merged, &[&d]).await.status, Status::Ignored, "as noise is added to what is ignored");
}

pub async fn a_merged_issue_that_was_resolved_reopens_once(store: &impl Store) {
    let shop = project(store).await;
    let [a, b, c] = three(store, &shop).await;
    let merged = merge(store, &a, &[&b, &c]).await;
    store.set_status(&[merged.id], Status::Resolved).await.unwrap();
    let recorded = record(store, &shop, ["B", "A", "B"].map(event)).await;
    assert_eq!(outcomes(&recorded), [Regressed, Seen, Seen]);
    let merged = by_uuid(store, merged.uuid).await;
    assert_eq!((merged.status, merged.regressed, merged.resolved_at), (Status::Unresolved, true, None));
    let back = unmerge(store, &merged, &[b.fingerprint, c.fingerprint]).await;
    let shown: Vec<_> = back.iter().map(|issue| (issue.status, issue.regressed)).collect();
    let (open, resolved) = ((Status::Unresolved, true), (Status::Resolved, false));
    assert_eq!(shown, [open, open, resolved], "nothing has hit C since");
}

pub async fn many_values_of_a_tag_keep_their_total_in_a_merged_issue(store: &impl Store) {
    let shop = project(store).await;
    let mut recorded = Vec::new();
    for (ty, from) in [("A", 0), ("B", 60), ("C", 400)] {
        let names: Vec<String> = (from..from + 90).map(|n| n.to_string()).collect();
        let events = names.iter().map(|name| tagged(ty, &[("request", name), ("always", "1")]));
        recorded.push(record(store, &shop, events).await.remove(0));
    }
    let [a, b, c] = issues_of(store, &recorded).await.try_into().unwrap();
    let merged = merge(store, &a, &[&b]).await;
    let merged = merge(store, &merged, &[&c]).await;
    for (ty, n) in [("A", 1000), ("C", 2)] {
        let name = n.to_string();
        record(store, &shop, [tagged(ty, &[("request", &name), ("always", "1")])]).await;
    }
    let tags = store.tag_tallies(merged.id, 1000).await.unwrap();
    let find = |key: &str| tags.iter().find(|tally| tally.key == key).unwrap();
    assert_eq!((find("request").total, find("always").total), (272, 272));
    assert_eq!(find("always").values, [("1".to_owned(), 272)]);
    assert!(find("request").values.len() >= 50);
    let back = unmerge(store, &merged, &[c.fingerprint]).await;
    let tags = store.tag_tallies(back[1].id, 1000).await.unwrap();
    let request = tags.iter().find(|tally| tally.key == "request").unwrap();
    assert_eq!((request.total, request.values.len()), (91, 91), "each of its own values is there again");
}

pub async fn merging_is_told(store: &impl Store) {
    let shop = project(store).await;
    let [a, b, _] = three(store, &shop).await;
    let mut changes = store.changes();
    let mut told = async |seen: Uuid| loop {
        match tokio::time::timeout(super::kit::seconds(10), changes.next()).await.unwrap().unwrap() {
            Change::Issue { project, issue, event } => {
                assert_eq!((project, event), (shop.id, IssueEvent::Edited));
                let issue = store.issue(&IssueRef::Id(issue)).await.unwrap();
                if issue.is_some_and(|issue| issue.uuid == seen) {
                    return;
                }
            }
            other => return assert_eq!(other, Change::Missed),
        }
    };
    let merged = merge(store, &a, &[&b]).await;
    told(a.uuid).await;
    unmerge(store, &merged, &[b.fingerprint]).await;
    told(b.uuid).await;
    assert_eq!(store.record(&batch(&shop, [event("B")])).await.unwrap()[0].outcome, Seen);
}
