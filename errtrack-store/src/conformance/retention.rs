//! What is let go because it is old or too much.

use super::kit::{
    age, arrived, by_user, counts, days, event, events, ids, kept_as_told, project, record, seconds, tagged,
};
use errtrack_core::{
    Event, IssueId, IssueRef, ProjectId, Status, Store, Timestamp,
    store::{ProjectRetention, Retention, RetentionReport},
};
use std::time::Duration;

/// Keeps everything.
fn keep() -> Retention {
    let mut rules = Retention::default();
    rules.age = None;
    rules.events_per_issue = 10_000;
    rules
}

fn older_than(age: Duration) -> Retention {
    let mut rules = keep();
    rules.age = Some(age);
    rules
}

/// A report without its time.
fn what_went(report: RetentionReport) -> RetentionReport {
    RetentionReport { at: Timestamp::default(), took_ms: 0, ..report }
}

/// Runs retention, and looks whether the preview knew what goes.
async fn retain(store: &impl Store, rules: &Retention) -> RetentionReport {
    let preview = store.preview_retention(rules).await.unwrap();
    let report = store.retain(rules).await.unwrap();
    assert_eq!(what_went(preview), what_went(report), "the preview said what goes");
    what_went(report)
}

pub async fn events_age_from_their_arrival_by_whole_days(store: &impl Store) {
    let shop = project(store).await;
    let (age, day) = age(10);
    let batch = [
        arrived("A", day.minus(days(20))),
        arrived("A", day.minus(seconds(1))),
        arrived("A", day.plus(seconds(1))),
        // What arrives late has the time of its arrival before it.
        Event { timestamp: day.minus(days(30)), received_at: day.plus(days(3)), ..tagged("A", &[("color", "red")]) },
        arrived("A", day.plus(days(9))),
        Event { user: by_user("", "ana").user, ..arrived("Gone", day.minus(days(1))) },
    ];
    let recorded = record(store, &shop, batch).await;
    let (issue, gone) = (recorded[0].issue, recorded[5].issue);
    // Age takes pinned events too.
    let oldest = events(store, issue).await.into_iter().find(|e| e.event.timestamp == day.minus(days(20))).unwrap();
    assert!(store.pin(&oldest, true).await.unwrap());
    let before = (counts(store, issue).await, counts(store, gone).await);
    let report = retain(store, &older_than(age)).await;
    assert_eq!(report, RetentionReport { old_events: 3, ..RetentionReport::default() });
    assert_eq!((counts(store, issue).await, counts(store, gone).await), before);
    let left: Vec<_> = kept_as_told(store, issue).await.iter().map(|e| e.event.received_at).collect();
    assert_eq!(left, [day.plus(days(9)), day.plus(seconds(1)), day.plus(days(3))], "by the time when they happened");
    assert_eq!(kept_as_told(store, gone).await, [], "an open issue stays, without events");
    assert_eq!(store.event(None, oldest.id).await.unwrap(), None);
    assert_eq!(retain(store, &older_than(age)).await, RetentionReport::default());
    assert_eq!(retain(store, &keep()).await, RetentionReport::default());
}

pub async fn resolved_issues_age_from_when_they_were_last_seen_by_whole_days(store: &impl Store) {
    let shop = project(store).await;
    let (age, day) = age(10);
    let seen =
        |ty: &str, happened: Timestamp| Event { timestamp: happened, received_at: Timestamp::now(), ..event(ty) };
    let batch = [
        seen("Old", day.minus(seconds(1))),
        seen("Old", day.minus(days(3))),
        arrived("Old", day.minus(days(5))),
        seen("Recent", day.plus(seconds(1))),
        seen("Open", day.minus(seconds(1))),
        seen("Ignored", day.minus(seconds(1))),
        arrived("Old open", day.minus(seconds(1))),
        // It began before, but was seen since.
        seen("Recent", day.minus(days(2))),
    ];
    let recorded = record(store, &shop, batch).await;
    store.set_status(&[recorded[0].issue, recorded[3].issue], Status::Resolved).await.unwrap();
    store.set_status(&[recorded[5].issue], Status::Ignored).await.unwrap();
    let report = retain(store, &older_than(age)).await;
    // The event of the issue that goes is not counted as one that was too old itself.
    assert_eq!(report, RetentionReport { issues: 1, old_events: 1, ..RetentionReport::default() });
    for (n, kept) in [(0, false), (3, true), (4, true), (5, true), (6, true)] {
        let issue = store.issue(&IssueRef::Id(recorded[n].issue)).await.unwrap();
        assert_eq!(issue.is_some(), kept, "{n}");
    }
    assert_eq!(events(store, recorded[0].issue).await, []);
}

pub async fn a_project_over_its_quota_keeps_its_newest_events(store: &impl Store) {
    let shop = project(store).await;
    let blog = store.ensure_project("blog").await.unwrap();
    let now = Timestamp::now();
    // By arrival: when they say that they happened is the other way round.
    let nth = |n: u64| Event {
        timestamp: now.minus(days(1)).minus(seconds(n)),
        received_at: now.minus(seconds(100 - n)),
        ..by_user(if n.is_multiple_of(3) { "A" } else { "B" }, &n.to_string())
    };
    let mut written = Vec::new();
    let mut issues = Vec::new();
    for n in 0..12 {
        let batch = super::kit::batch(&shop, [nth(n)]);
        issues.push(store.record(&batch).await.unwrap()[0].issue);
        written.push(batch.occurrences[0].id());
    }
    let others = record(store, &blog, (0..5).map(nth)).await;
    let (a, b) = (issues[0], issues[1]);
    let pinned = store.event(None, written[1]).await.unwrap().unwrap();
    assert!(store.pin(&pinned, true).await.unwrap());
    let before = (counts(store, a).await, counts(store, b).await);
    let mut rules = keep();
    rules.events_per_project = Some(5);
    let report = retain(store, &rules).await;
    assert_eq!(report, RetentionReport { quota_events: 7, ..RetentionReport::default() });
    let mut left = ids(&kept_as_told(store, a).await);
    left.extend(ids(&kept_as_told(store, b).await));
    left.sort_unstable();
    let mut expected = [written[1], written[8], written[9], written[10], written[11]];
    expected.sort_unstable();
    assert_eq!(left, expected, "the pinned one and the newest");
    assert_eq!((counts(store, a).await, counts(store, b).await), before);
    let kept = events(store, others[0].issue).await.len() + events(store, others[1].issue).await.len();
    assert_eq!(kept, 5, "another project is not touched");
    rules.events_per_project = Some(0);
    assert_eq!(retain(store, &rules).await.quota_events, 4 + 5);
    assert_eq!(ids(&kept_as_told(store, b).await), [written[1]], "a pinned event stays whatever the quota");
}

pub async fn a_full_disk_takes_the_oldest_events(store: &impl Store) {
    let shop = project(store).await;
    let recorded = record(store, &shop, (0..20).map(|n| arrived("A", Timestamp::now().minus(seconds(n))))).await;
    let issue = recorded[0].issue;
    let before = counts(store, issue).await;
    let all = events(store, issue).await;
    assert!(store.pin(&all[19], true).await.unwrap());
    let mut rules = keep();
    rules.free_disk = 1;
    assert_eq!(retain(store, &rules).await, RetentionReport::default(), "there is a byte");
    // More than any disk has.
    rules.free_disk = u64::MAX;
    let report = retain(store, &rules).await;
    let left = ids(&kept_as_told(store, issue).await);
    if store.storage().await.unwrap().free_disk.is_some() {
        assert_eq!(report, RetentionReport { disk_events: 19, ..RetentionReport::default() });
        assert_eq!(left, [all[19].id], "but the pinned one");
    } else {
        assert_eq!(report, RetentionReport::default(), "it cannot see the disk");
        assert_eq!(left, ids(&all));
    }
    assert_eq!(counts(store, issue).await, before);
}

/// Something for every rule.
async fn much(store: &impl Store) -> (ProjectId, Duration, Vec<IssueId>) {
    let shop = project(store).await;
    let blog = store.ensure_project("blog").await.unwrap();
    let (age, day) = age(20);
    let (old, now) = (day.minus(seconds(5)), Timestamp::now());
    let times = |ty: &'static str, from: Timestamp, n: u64| {
        (0..n).map(move |n| Event { user: by_user("", &n.to_string()).user, ..arrived(ty, from.plus(seconds(n))) })
    };
    let stale = times("Stale", old.minus(seconds(60)), 4);
    let aging = times("Aging", old, 12);
    let shops = stale.chain(aging).chain(times("Flood", now.minus(seconds(900)), 60));
    let shops = shops.chain(times("Calm", now.minus(seconds(2000)), 9));
    let mut issues: Vec<_> = record(store, &shop, shops).await.into_iter().map(|recorded| recorded.issue).collect();
    let blogs = times("Blog", now.minus(seconds(50)), 40).chain(times("Old", old.minus(days(3)), 6));
    issues.extend(record(store, &blog, blogs).await.into_iter().map(|recorded| recorded.issue));
    issues.dedup();
    assert_eq!(issues.len(), 6);
    store.set_status(&issues[..1], Status::Resolved).await.unwrap();
    // Old, surplus and over the quota.
    for (issue, place) in [(1, 11), (2, 30), (2, 31), (3, 8)] {
        let event = events(store, issues[issue]).await.remove(place);
        assert!(store.pin(&event, true).await.unwrap());
    }
    (shop.id, age, issues)
}

pub async fn a_preview_says_what_would_go_and_changes_nothing(store: &impl Store) {
    let (shop, age, issues) = much(store).await;
    let picture = async || {
        let mut all = Vec::new();
        for issue in &issues {
            all.push((store.issue(&IssueRef::Id(*issue)).await.unwrap(), events(store, *issue).await));
        }
        all
    };
    let before = picture().await;
    let mut rules = Retention::default();
    rules.age = Some(age);
    rules.events_per_issue = 10;
    rules.events_per_project = Some(14);
    let start = Timestamp::now();
    let preview = store.preview_retention(&rules).await.unwrap();
    assert!(preview.at >= start && preview.at <= Timestamp::now());
    assert_eq!(picture().await, before);
    assert_eq!(store.last_retention().await.unwrap(), None);
    let report = retain(store, &rules).await;
    assert_eq!(report, what_went(preview));
    let RetentionReport { issues: gone, old_events, surplus_events, quota_events, .. } = report;
    assert_eq!(gone, 1);
    // The first of those that "Aging" got before the day began, and all of "Old".
    assert_eq!(old_events, 5 + 6);
    assert_eq!(surplus_events, 50 + 30);
    // Of 7 + 10 + 9 in the shop, of which 14 stay; the blog has 10.
    assert_eq!(quota_events, 12);
    let mut left = 0;
    for issue in &issues[1..4] {
        let of = store.issue(&IssueRef::Id(*issue)).await.unwrap().unwrap();
        assert_eq!(of.project, shop);
        left += kept_as_told(store, *issue).await.len();
        counts(store, *issue).await;
    }
    assert_eq!(left, 14);
}

pub async fn the_last_run_of_retention_is_remembered(store: &impl Store) {
    let shop = project(store).await;
    assert_eq!(store.last_retention().await.unwrap(), None);
    record(store, &shop, (0..9).map(|n| arrived("A", Timestamp::now().minus(seconds(n))))).await;
    for keep_events in [4, 3, 3] {
        let mut rules = keep();
        rules.events_per_issue = keep_events;
        let start = Timestamp::now();
        let report = store.retain(&rules).await.unwrap();
        assert!(report.at >= start && report.at <= Timestamp::now());
        store.preview_retention(&keep()).await.unwrap();
        store.trim_events(3).await.unwrap();
        assert_eq!(store.last_retention().await.unwrap(), Some(report));
    }
}

pub async fn counts_are_exact_whatever_goes(store: &impl Store) {
    let (_, age, issues) = much(store).await;
    let mut before = Vec::new();
    for issue in &issues[1..] {
        before.push(counts(store, *issue).await);
    }
    store.trim_events(20).await.unwrap();
    store.retain(&older_than(age)).await.unwrap();
    let mut rules = keep();
    rules.events_per_issue = 5;
    rules.events_per_project = Some(8);
    store.retain(&rules).await.unwrap();
    for (issue, before) in issues[1..].iter().zip(&before) {
        assert_eq!(&counts(store, *issue).await, before);
        kept_as_told(store, *issue).await;
    }
    assert_eq!(store.issue(&IssueRef::Id(issues[0])).await.unwrap(), None, "it was resolved and old");
    // They count on from there.
    let shop = project(store).await;
    let recorded =
        record(store, &shop, [Event { user: by_user("", "3").user, ..arrived("Flood", Timestamp::now()) }]).await;
    assert_eq!(recorded[0].issue, issues[2]);
    let now = counts(store, issues[2]).await;
    assert_eq!((now.count, now.users), (before[1].count + 1, before[1].users));
    kept_as_told(store, issues[2]).await;
}

pub async fn a_project_may_keep_less_than_the_rules_say(store: &impl Store) {
    let shop = project(store).await;
    let blog = store.ensure_project("blog").await.unwrap();
    let now = Timestamp::now();
    let batch = || {
        let events = [20, 10, 3, 1].map(|ago| arrived("A", now.minus(days(ago))));
        events.into_iter().chain([arrived("Done", now.minus(days(10)))])
    };
    for project in [&shop, &blog] {
        let recorded = record(store, project, batch()).await;
        store.set_status(&[recorded[4].issue], Status::Resolved).await.unwrap();
    }
    let set = async |rules: ProjectRetention| {
        assert!(store.put_setting(shop.id, ProjectRetention::SETTING, rules.to_json().as_deref()).await.unwrap());
    };
    // More than the rules say is as they say.
    set(ProjectRetention { age_days: Some(100), events: Some(100) }).await;
    let mut rules = older_than(days(15));
    rules.events_per_project = Some(50);
    assert_eq!(retain(store, &rules).await, RetentionReport { old_events: 2, ..RetentionReport::default() });
    set(ProjectRetention { age_days: Some(5), events: None }).await;
    assert_eq!(retain(store, &rules).await, RetentionReport { issues: 1, old_events: 1, ..RetentionReport::default() });
    set(ProjectRetention { age_days: None, events: Some(1) }).await;
    assert_eq!(retain(store, &rules).await, RetentionReport { quota_events: 1, ..RetentionReport::default() });
    set(ProjectRetention::default()).await;
    assert_eq!(retain(store, &rules).await, RetentionReport::default());
    let kept = async |project: ProjectId| {
        let issues = store.issues(&super::kit::query()).await.unwrap().issues;
        issues.iter().filter(|issue| issue.project == project).map(|issue| issue.stored_count).sum::<i64>()
    };
    assert_eq!((kept(shop.id).await, kept(blog.id).await), (1, 4));
}
