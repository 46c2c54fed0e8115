//! The tags and users of a batch: which of them their issues have, as far as this process knows, and which are new.

use crate::{
    bulk::Target,
    known::{Fact, Facts, has_tag, hit_user},
    plan::{Plan, Tag},
    rollup::Row,
    tag::{OTHER, VALUES, other_number},
};

/// What is counted, ordered by the keys of its tables.
#[derive(Debug, Default)]
pub(crate) struct Tallies<'a> {
    /// Project, issue, tag, count: tags that the issues are known to have.
    pub(crate) tags: Vec<[i64; 4]>,
    /// Tags that they may not have.
    pub(crate) new_tags: Vec<NewTag<'a>>,
    /// Project, issue and user that may be new.
    pub(crate) users: Vec<[i64; 3]>,
    /// Project, issue, hour, count; by project, day, issue and hour.
    pub(crate) hours: Vec<[i64; 4]>,
    /// What is counted of projects, in the order of their key.
    pub(crate) rollups: Vec<Row<'a>>,
    /// Issues that were there and had no event of one of these releases.
    pub(crate) new_releases: Vec<i64>,
}

/// A tag that its issue may not have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewTag<'a> {
    pub(crate) project: i64,
    pub(crate) issue: i64,
    pub(crate) number: i64,
    pub(crate) count: i64,
    pub(crate) key: &'a str,
    pub(crate) value: &'a str,
    /// The issue was there before the batch, so that the database must be asked about its tags.
    pub(crate) ask: bool,
}

/// What the database says of a tag of an issue.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Answer {
    pub(crate) is_there: bool,
    /// How many values of the same key the issue has.
    pub(crate) values: i64,
}

impl<'a> Tallies<'a> {
    pub(crate) fn new(plan: &'a Plan<'_>, targets: &[Target], known: &Facts) -> Self {
        let mut tallies = Self::default();
        let project = |group: usize| plan.groups.get(group).map_or(0, |group| group.project);
        let rows = |group: usize| targets.get(group).copied().into_iter().flat_map(Target::rows);
        let place = |tag: &'a Tag<'a>| rows(tag.group).map(move |issue| (project(tag.group), issue, tag));
        let mut tags: Vec<(i64, i64, &Tag<'_>)> = plan.tags.iter().flat_map(place).collect();
        tags.sort_unstable_by_key(|(project, issue, tag)| (*project, *issue, tag.number));
        for same in tags.chunk_by(|a, b| (a.1, a.2.number) == (b.1, b.2.number)) {
            let Some(&(project, issue, tag)) = same.first() else { continue };
            let count = same.iter().fold(0_i64, |sum, (_, _, tag)| sum.saturating_add(tag.count));
            if known.contains(has_tag(issue, tag.number)) {
                tallies.tags.push([project, issue, tag.number, count]);
                continue;
            }
            let ask = targets.get(tag.group).is_some_and(|target| target.existing.is_some());
            let (number, key, value) = (tag.number, tag.key.as_ref(), tag.value.as_ref());
            tallies.new_tags.push(NewTag { project, issue, number, count, key, value, ask });
        }
        let users = plan.users.iter();
        let users = users.flat_map(|(group, user)| rows(*group).map(move |issue| [project(*group), issue, *user]));
        tallies.users = users.filter(|[_, issue, user]| !known.contains(hit_user(*issue, *user))).collect();
        tallies.users.sort_unstable();
        tallies.users.dedup();
        let hours = plan
            .group_hours
            .iter()
            .flat_map(|(group, hour, n)| rows(*group).map(move |issue| [project(*group), issue, *hour, *n]));
        tallies.hours = hours.collect();
        tallies.hours.sort_unstable_by_key(|[project, issue, hour, _]| (*project, *hour / 24, *issue, *hour));
        tallies.hours.dedup_by(|[projects, issues, hours, n], [project, issue, hour, sum]| {
            let same = (*project, *issue, *hour) == (*projects, *issues, *hours);
            *sum = if same { sum.saturating_add(*n) } else { *sum };
            same
        });
        tallies
    }

    /// Keeps at most [`VALUES`] values per key; the rest is counted under one name, so that the key's total stays exact.
    /// `answers` holds one for each new tag that asks.
    pub(crate) fn settle(&mut self, answers: &[Answer]) {
        let mut answers = answers.iter().copied();
        let mut rest: Vec<NewTag<'a>> = Vec::new();
        let (mut key, mut added) = ((0, 0), 0);
        let mut new_releases = Vec::new();
        self.new_tags.retain(|tag| {
            let answer = if tag.ask { answers.next().unwrap_or_default() } else { Answer::default() };
            let other = (tag.issue, other_number(tag.number));
            if key != other {
                (key, added) = (other, 0);
            }
            if answer.is_there {
                return true;
            }
            if answer.values + added < VALUES {
                added += 1;
                if tag.ask && tag.key == "release" {
                    new_releases.push(tag.issue);
                }
                return true;
            }
            match rest.last_mut().filter(|last| (last.issue, last.number) == other) {
                Some(last) => last.count = last.count.saturating_add(tag.count),
                None => rest.push(NewTag { number: other.1, value: OTHER, ..*tag }),
            }
            false
        });
        new_releases.dedup();
        self.new_releases = new_releases;
        self.new_tags.append(&mut rest);
    }

    /// What is stored once this is committed, and was not known.
    pub(crate) fn facts(&self) -> Vec<Fact> {
        let tags = self.new_tags.iter().filter(|tag| tag.value != OTHER).map(|tag| has_tag(tag.issue, tag.number));
        tags.chain(self.users.iter().map(|[_, issue, user]| hit_user(*issue, *user))).collect()
    }
}
