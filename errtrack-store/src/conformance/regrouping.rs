//! Merged issues in the long run: upkeep, chance, and many at once.

use super::{
    kit::{
        age, arrived, at, batch, by_user, counts, event, events, ids, issue_of, kept_as_told, minutes, outcomes,
        project, query, record, tagged, with_id,
    },
    merging::{by_uuid, issues_of, merge, three, unmerge},
};
use errtrack_core::{
    Event, Fingerprint, Issue, IssueRef, Project, Status, Store, Timestamp, User,
    store::{Outcome, Refusal, Regrouped, Retention},
};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

pub async fn events_are_let_go_by_group(store: &impl Store) {
    let (shop, twin) = (project(store).await, store.ensure_project("twin").await.unwrap());
    let flood = || (0..12).map(|n| at("A", n)).chain((0..9).map(|n| at("B", 2 * n))).chain([at("C", 0)]);
    let [a, b, _] = issues_of(store, &record(store, &shop, flood()).await).await.try_into().unwrap();
    let twins: Vec<Issue> = issues_of(store, &record(store, &twin, flood()).await).await;
    let merged = merge(store, &a, &[&b]).await;
    assert_eq!(store.trim_events(5).await.unwrap(), 2 * (7 + 4));
    assert_eq!(store.trim_events(5).await.unwrap(), 0);
    let kept = kept_as_told(store, merged.id).await;
    assert_eq!(kept.len(), 10, "each keeps what it would keep alone");
    assert_eq!(counts(store, merged.id).await.count, 21);
    let back = unmerge(store, &merged, &[b.fingerprint]).await;
    for (issue, twin) in back.iter().zip(&twins) {
        let times = async |issue: &Issue| -> Vec<Timestamp> {
            kept_as_told(store, issue.id).await.iter().map(|kept| kept.event.timestamp).collect()
        };
        assert_eq!(times(issue).await, times(twin).await);
    }
}

pub async fn pins_outlast_merging_and_unmerging(store: &impl Store) {
    let shop = project(store).await;
    let recorded = record(store, &shop, (0..10).map(|n| at("A", n)).chain((0..10).map(|n| at("B", n)))).await;
    let [a, b] = issues_of(store, &recorded).await.try_into().unwrap();
    let pinned = events(store, b.id).await.remove(5);
    assert!(store.pin(&pinned, true).await.unwrap());
    let merged = merge(store, &a, &[&b]).await;
    let also = events(store, merged.id)
        .await
        .into_iter()
        .find(|kept| kept.event.main_exception().unwrap().ty.as_deref() == Some("A"));
    let also = also.unwrap();
    assert!(store.pin(&also, true).await.unwrap());
    store.trim_events(2).await.unwrap();
    assert!(ids(&kept_as_told(store, merged.id).await).contains(&pinned.id));
    let back = unmerge(store, &merged, &[b.fingerprint]).await;
    assert!(ids(&kept_as_told(store, back[1].id).await).contains(&pinned.id));
    assert!(ids(&kept_as_told(store, back[0].id).await).contains(&also.id));
    assert!(store.event(None, also.id).await.unwrap().unwrap().pinned);
}

pub async fn an_erased_user_is_gone_from_a_merged_issue_and_its_groups(store: &impl Store) {
    let shop = project(store).await;
    let [a, b, c] = three(store, &shop).await;
    let merged = merge(store, &a, &[&b, &c]).await;
    assert_eq!(merged.user_count, 4);
    assert_eq!(store.erase_user(None, "ana").await.unwrap(), 3);
    assert_eq!(store.erase_user(None, "ana").await.unwrap(), 0);
    let issue = by_uuid(store, merged.uuid).await;
    assert_eq!((issue.user_count, issue.stored_count, issue.count), (3, 4, 7));
    kept_as_told(store, merged.id).await;
    record(store, &shop, [by_user("B", "ana")]).await;
    assert_eq!(by_uuid(store, merged.uuid).await.user_count, 4, "she is found again");
    let back = unmerge(store, &merged, &[b.fingerprint, c.fingerprint]).await;
    assert_eq!(back.iter().map(|issue| issue.user_count).collect::<Vec<_>>(), [1, 2, 1]);
}

pub async fn a_merged_issue_is_deleted_with_all_its_groups(store: &impl Store) {
    let shop = project(store).await;
    let [a, b, c] = three(store, &shop).await;
    let kept = events(store, b.id).await.remove(0);
    let merged = merge(store, &a, &[&b]).await;
    assert_eq!(store.delete_issues(&[b.id, merged.id]).await.unwrap(), 1, "both are names of the same");
    for issue in [&a, &b, &merged] {
        for name in [IssueRef::Uuid(issue.uuid), issue.short_id().parse().unwrap(), IssueRef::Id(issue.id)] {
            assert_eq!(store.issue(&name).await.unwrap(), None);
        }
    }
    assert_eq!(store.event(None, kept.id).await.unwrap(), None);
    assert_eq!(store.issues(&query()).await.unwrap().issues, [by_uuid(store, c.uuid).await]);
    let recorded = record(store, &shop, [event("A"), event("B")]).await;
    assert_eq!(outcomes(&recorded), [Outcome::New; 2]);
    assert_eq!(issue_of(store, &recorded[1]).await.number, 5);
    let merged = merge(store, &c, &[&issue_of(store, &recorded[0]).await]).await;
    assert!(store.delete_project(shop.id).await.unwrap());
    assert_eq!(store.issue(&IssueRef::Id(merged.id)).await.unwrap(), None);
}

pub async fn a_merged_issue_that_is_stale_goes_as_one(store: &impl Store) {
    let shop = project(store).await;
    let (age, day) = age(5);
    let (old, new) = (day.minus(super::kit::days(3)), Timestamp::now());
    let recorded =
        record(store, &shop, [arrived("A", old), arrived("B", new), arrived("C", old), arrived("D", old)]).await;
    let [a, b, c, d] = issues_of(store, &recorded).await.try_into().unwrap();
    let (fresh, stale) = (merge(store, &a, &[&b]).await, merge(store, &c, &[&d]).await);
    store.set_status(&[fresh.id, stale.id], Status::Resolved).await.unwrap();
    let mut rules = Retention::default();
    rules.age = Some(age);
    let preview = store.preview_retention(&rules).await.unwrap();
    let report = store.retain(&rules).await.unwrap();
    assert_eq!((report.issues, report.old_events), (1, 1), "one issue of two groups; the old event of the fresh one");
    assert_eq!((preview.issues, preview.old_events), (report.issues, report.old_events));
    let page = store.issues(&query()).await.unwrap();
    assert_eq!((page.total, page.issues[0].uuid, page.issues[0].count), (1, a.uuid, 2));
    assert_eq!(kept_as_told(store, page.issues[0].id).await.len(), 1);
    assert_eq!(store.groups(page.issues[0].id).await.unwrap().len(), 2);
    assert_eq!(store.issue(&IssueRef::Uuid(d.uuid)).await.unwrap(), None);
}

/// Numbers that look random and are the same each time (Marsaglia's xorshift).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).unwrap()
    }
}

/// What is known of a group, or of several together.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Known {
    count: i64,
    users: BTreeSet<String>,
    /// By hours before the newest.
    hours: BTreeMap<usize, i64>,
    colors: BTreeMap<String, i64>,
    events: BTreeSet<Uuid>,
}

impl Known {
    fn sum<'a>(groups: impl Iterator<Item = &'a Self>) -> Self {
        groups.fold(Self::default(), |mut sum, group| {
            sum.count += group.count;
            sum.users.extend(group.users.iter().cloned());
            group.hours.iter().for_each(|(hour, n)| *sum.hours.entry(*hour).or_default() += n);
            group.colors.iter().for_each(|(color, n)| *sum.colors.entry(color.clone()).or_default() += n);
            sum.events.extend(&group.events);
            sum
        })
    }
}

/// A few types, each with what it must count and the set that it was merged into.
#[derive(Default)]
struct Model {
    groups: BTreeMap<usize, (Known, usize, Fingerprint, Uuid)>,
    made: usize,
}

const HOURS: u8 = 30;

fn hours_ago(hours: usize) -> Timestamp {
    minutes(-60 * i64::try_from(hours).unwrap())
}

impl Model {
    async fn record(&mut self, store: &impl Store, shop: &Project, dice: &mut Dice) {
        let mut planned = Vec::new();
        for _ in 0..=dice.roll(12) {
            let (ty, hour, user) = (dice.roll(7), dice.roll(HOURS.into()), dice.roll(5));
            let color = ["red", "green", "blue"][dice.roll(3)];
            self.made += 1;
            planned.push((ty, hour, format!("u{user}"), color, Uuid::from_u128(self.made as u128), dice.roll(4) > 0));
        }
        let event = |(ty, hour, user, color, id, _): &(usize, usize, String, &str, Uuid, bool)| Event {
            timestamp: hours_ago(*hour),
            user: Some(User::id(user)),
            tags: [("color".to_owned(), (*color).to_owned())].into(),
            ..with_id(&format!("T{ty}"), *id)
        };
        let mut batch = batch(shop, planned.iter().map(event));
        batch.counted_only = planned.iter().map(|planned| !planned.5).collect();
        let recorded = store.record(&batch).await.unwrap();
        for ((ty, hour, user, color, id, kept), recorded) in planned.into_iter().zip(recorded) {
            let is_new = !self.groups.contains_key(&ty);
            assert_eq!(recorded.outcome, if is_new { Outcome::New } else { Outcome::Seen });
            if is_new {
                let issue = issue_of(store, &recorded).await;
                self.groups.insert(ty, (Known::default(), ty, issue.fingerprint, issue.uuid));
            }
            let (known, ..) = self.groups.get_mut(&ty).unwrap();
            known.count += 1;
            known.users.insert(user);
            *known.hours.entry(hour).or_default() += 1;
            *known.colors.entry(color.to_owned()).or_default() += 1;
            known.events.extend(kept.then_some(id));
        }
    }

    async fn regroup(&mut self, store: &impl Store, shop: &Project, dice: &mut Dice) {
        let types: Vec<usize> = self.groups.keys().copied().collect();
        let pick = |dice: &mut Dice| types[dice.roll(types.len())];
        let (one, other) = (pick(dice), pick(dice));
        let issue = async |ty: usize| by_uuid(store, self.groups[&ty].3).await;
        let (issue, second) = (issue(one).await, issue(other).await);
        let (set, with) = (self.groups[&one].1, self.groups[&other].1);
        if dice.roll(2) == 0 {
            let answer = store.merge(shop.id, issue.id, &[second.id]).await.unwrap();
            if set == with {
                assert_eq!(answer, Regrouped::Refused(Refusal::OneIssue));
            } else {
                assert!(matches!(answer, Regrouped::Done(_)), "{answer:?}");
                self.groups.values_mut().filter(|group| group.1 == with).for_each(|group| group.1 = set);
            }
        } else {
            let answer = store.unmerge(issue.id, &[self.groups[&other].2]).await.unwrap();
            let size = self.groups.values().filter(|group| group.1 == set).count();
            if set != with {
                assert_eq!(answer, Regrouped::Refused(Refusal::NotOfIssue(self.groups[&other].2)));
            } else if size == 1 {
                assert_eq!(answer, Regrouped::Refused(Refusal::LastGroup));
            } else {
                assert!(matches!(answer, Regrouped::Done(_)), "{answer:?}");
                // A set of its own.
                self.made += 1;
                self.groups.get_mut(&other).unwrap().1 = 1000 + self.made;
            }
        }
    }

    async fn check(&self, store: &impl Store) {
        let sets: BTreeSet<usize> = self.groups.values().map(|group| group.1).collect();
        assert_eq!(store.issues(&query()).await.unwrap().total, sets.len() as i64);
        for set in sets {
            let of_set = || self.groups.values().filter(move |group| group.1 == set);
            let expected = Known::sum(of_set().map(|group| &group.0));
            let issue = by_uuid(store, of_set().next().unwrap().3).await;
            for group in of_set() {
                assert_eq!(by_uuid(store, group.3).await.id, issue.id);
            }
            let hours = store.histograms(&[issue.id], minutes(0), 1, HOURS.into()).await.unwrap().remove(0);
            let hours = hours.iter().rev().zip(0..).filter(|(n, _)| **n > 0).map(|(n, hour)| (hour, *n));
            let tags = store.tag_tallies(issue.id, 100).await.unwrap();
            let colors = tags.into_iter().find(|tally| tally.key == "color").unwrap();
            let kept = events(store, issue.id).await;
            assert_eq!(issue.stored_count, kept.len() as i64);
            let found = Known {
                count: issue.count,
                users: expected.users.clone(),
                hours: hours.collect(),
                colors: colors.values.into_iter().collect(),
                events: kept.iter().map(|kept| kept.event.event_id.uuid()).collect(),
            };
            assert_eq!(found, expected);
            assert_eq!(issue.user_count, expected.users.len() as i64);
            assert_eq!(
                (issue.first_seen, issue.last_seen),
                (hours_ago(*expected.hours.keys().max().unwrap()), hours_ago(*expected.hours.keys().min().unwrap()),)
            );
            let groups = store.groups(issue.id).await.unwrap();
            let counts: BTreeMap<Uuid, (i64, i64)> =
                groups.iter().map(|group| (group.uuid, (group.count, group.user_count))).collect();
            let expected = of_set().map(|group| (group.3, (group.0.count, group.0.users.len() as i64)));
            assert_eq!(counts, expected.collect());
        }
    }
}

pub async fn random_merges_beside_recording_match_a_model(store: &impl Store) {
    let shop = project(store).await;
    let (mut dice, mut model) = (Dice(0x9e37_79b9_7f4a_7c15), Model::default());
    for step in 0..60 {
        model.record(store, &shop, &mut dice).await;
        model.regroup(store, &shop, &mut dice).await;
        if step % 6 == 5 {
            model.check(store).await;
        }
    }
    model.check(store).await;
}

pub async fn many_who_merge_unmerge_and_record_lose_nothing(store: &impl Store) {
    const TYPES: usize = 5;
    let shop = project(store).await;
    let names: Vec<String> = (0..TYPES).map(|ty| format!("T{ty}")).collect();
    let made = issues_of(store, &record(store, &shop, names.iter().map(|ty| by_user(ty, "first"))).await).await;
    let write = async |writer: usize| {
        for round in 0..12 {
            let mut types: Vec<usize> = (0..TYPES).map(|n| (n * 2 + writer + round) % TYPES).collect();
            if writer % 2 == 1 {
                types.reverse();
            }
            let user = format!("{writer}.{round}");
            let visit =
                |ty: &usize| Event { user: by_user("", &user).user, ..tagged(&names[*ty], &[("color", "red")]) };
            let recorded = store.record(&batch(&shop, types.iter().map(visit))).await.unwrap();
            assert!(recorded.iter().all(|recorded| recorded.outcome == Outcome::Seen));
        }
    };
    let regroup = async |seed: u64| {
        let mut dice = Dice(seed);
        for _ in 0..20 {
            let (one, other) = (&made[dice.roll(TYPES)], &made[dice.roll(TYPES)]);
            // What another has done meanwhile may be in the way; that is refused, and nothing else.
            if dice.roll(2) == 0 {
                store.merge(shop.id, one.id, &[other.id]).await.unwrap();
            } else {
                store.unmerge(one.id, &[other.fingerprint]).await.unwrap();
            }
            if dice.roll(4) == 0 {
                store.trim_events(20).await.unwrap();
                store.set_status(&[one.id, other.id], Status::Unresolved).await.unwrap();
            }
        }
    };
    tokio::join!(write(0), write(1), regroup(3), write(2), regroup(5), write(3));
    let page = store.issues(&query()).await.unwrap();
    assert_eq!(page.issues.iter().map(|issue| issue.count).sum::<i64>(), (TYPES * 49) as i64);
    for issue in &page.issues {
        counts(store, issue.id).await;
        kept_as_told(store, issue.id).await;
        assert_eq!(issue.user_count, 49, "each came to every one of them");
    }
    for issue in &made {
        // Alone again, wherever it was left.
        let _ = store.unmerge(issue.id, &[issue.fingerprint]).await.unwrap();
        let alone = by_uuid(store, issue.uuid).await;
        assert_eq!((alone.count, alone.user_count, alone.number), (49, 49, issue.number));
        counts(store, alone.id).await;
        kept_as_told(store, alone.id).await;
    }
    assert_eq!(store.issues(&query()).await.unwrap().total, TYPES as i64);
}
