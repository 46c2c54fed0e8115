//! A dry run: what a set of rules would do to events that are stored.
//!
//! Pure. Nothing is changed by it, and saving rules does not change stored events either: rules hold for what comes. So it
//! says what would have become of these events, had the rules held when they came.

use super::{Decision, Rules};
use crate::{Fingerprint, Issue, IssueId, store::StoredEvent};
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

/// The issues that a dry run looks at, those that were seen last.
pub const ISSUES: u32 = 100;
/// The events of each that it looks at, the newest.
pub const EVENTS: u32 = 10;
/// Groups, and issues that lose events, that are listed; the others are counted.
const LISTED: usize = 100;

/// What rules would do.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Preview {
    /// How many issues were looked at.
    pub issues: usize,
    /// How many of their events.
    pub events: usize,
    /// There are more, older ones that were not looked at.
    pub is_cut: bool,
    /// How many events each of the rules decided about, in the order of the rules.
    pub applied: Vec<usize>,
    /// How many events would be ignored.
    pub ignored_events: usize,
    /// The issues that would lose events to nobody; at most a hundred.
    pub ignored: Vec<Affected>,
    /// Where events would go that are in another issue now; at most a hundred.
    pub groups: Vec<Group>,
    /// How many issues and groups were left out of these lists.
    pub left_out: usize,
}

/// Events of an issue to which something would happen.
#[derive(Debug, Clone, PartialEq)]
pub struct Affected {
    /// The issue that they are in.
    pub issue: Issue,
    /// How many.
    pub events: usize,
    /// Of how many that were looked at.
    pub of: usize,
    /// The newest of them.
    pub example: Uuid,
    /// Which rule would decide, from 0; `None` if it is that no rule does any more, or one in the code.
    pub rule: Option<usize>,
}

/// An issue that would get events of others.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// The issue, where it is one of those that were looked at; else it would be a new one.
    pub into: Option<Issue>,
    /// What its events have in common: the first component that is compared.
    pub parts: Vec<String>,
    /// The issues that would lose events to it.
    pub from: Vec<Affected>,
}

/// What happens by a [`Group`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Events of several issues come together.
    Merge,
    /// Some of an issue's events go, others stay.
    Split,
    /// All of an issue's events go, to an issue of their own.
    Move,
}

impl Change {
    /// The name in JSON: `merge`, `split`, `move`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Merge => "merge",
            Self::Split => "split",
            Self::Move => "move",
        }
    }
}

impl Group {
    /// What happens by it.
    #[must_use]
    pub fn change(&self) -> Change {
        match self.from.as_slice() {
            [one] if self.into.is_none() && one.events < one.of => Change::Split,
            [_] if self.into.is_none() => Change::Move,
            _ => Change::Merge,
        }
    }

    /// How many events it would get.
    #[must_use]
    pub fn events(&self) -> usize {
        self.from.iter().map(|affected| affected.events).sum()
    }
}

/// A dry run that takes events issue by issue.
#[derive(Debug)]
pub(crate) struct DryRun {
    own: Rules,
    rules: Rules,
    issues: Vec<(Issue, usize)>,
    /// Where events of that fingerprint are now.
    homes: HashMap<Fingerprint, IssueId>,
    applied: Vec<usize>,
    ignored: BTreeMap<usize, Lot>,
    /// By fingerprint, the parts and what each issue would lose; in the order in which they were met.
    groups: Vec<(Fingerprint, Vec<String>, BTreeMap<usize, Lot>)>,
    known: HashMap<Fingerprint, usize>,
}

/// Events of one issue with one fate.
#[derive(Debug)]
struct Lot {
    events: usize,
    example: Uuid,
    rule: Option<usize>,
}

impl DryRun {
    /// Begins with the rules in the code, which go first, and those that are tried.
    pub(crate) fn new(own: Rules, rules: Rules) -> Self {
        Self {
            applied: vec![0; rules.len()],
            own,
            rules,
            issues: Vec::new(),
            homes: HashMap::new(),
            ignored: BTreeMap::new(),
            groups: Vec::new(),
            known: HashMap::new(),
        }
    }

    /// Begins with the next issue.
    pub(crate) fn issue(&mut self, issue: Issue) {
        self.homes.entry(issue.fingerprint).or_insert(issue.id);
        self.issues.push((issue, 0));
    }

    /// Looks at an event of the issue that was begun, the newest first.
    pub(crate) fn event(&mut self, stored: &StoredEvent) {
        let at = self.issues.len().saturating_sub(1);
        let Some((_, of)) = self.issues.get_mut(at) else { return };
        *of += 1;
        let Some(now) = &stored.event.grouping else { return };
        self.homes.insert(now.fingerprint(), stored.issue);
        let is_touched =
            now.rule.is_some() || self.own.followed_by(&self.rules).any(|set| set.first(&stored.event).is_some());
        // What no rule has touched stays as it is, whatever a later version of the formula would say of it.
        if !is_touched {
            return;
        }
        let sets = self.own.followed_by(&self.rules);
        let (lots, rule) = match Rules::decide(sets, &stored.event, now.formula()) {
            Decision::Ignore(rule) => (&mut self.ignored, Some(rule)),
            Decision::Group(fingerprint, grouping, rule) => {
                let next = self.groups.len();
                let index = *self.known.entry(fingerprint).or_insert(next);
                if index == next {
                    let parts = grouping.components.into_iter().next().map(|c| c.values).unwrap_or_default();
                    self.groups.push((fingerprint, parts, BTreeMap::new()));
                }
                let Some((_, _, lots)) = self.groups.get_mut(index) else { return };
                (lots, rule)
            }
        };
        let rule = rule.and_then(|rule| rule.checked_sub(self.own.len()));
        if let Some(applied) = rule.and_then(|rule| self.applied.get_mut(rule)) {
            *applied += 1;
        }
        lots.entry(at).or_insert(Lot { events: 0, example: stored.id, rule }).events += 1;
    }

    /// What came of it.
    pub(crate) fn finish(self, is_cut: bool) -> Preview {
        let affected = |(at, lot): (usize, Lot)| {
            let (issue, of) = self.issues.get(at)?;
            let Lot { events, example, rule } = lot;
            Some(Affected { issue: issue.clone(), events, of: *of, example, rule })
        };
        let ignored: Vec<Affected> = self.ignored.into_iter().filter_map(affected).collect();
        let group = |(fingerprint, parts, lots): (Fingerprint, Vec<String>, BTreeMap<usize, Lot>)| {
            let home = self.homes.get(&fingerprint);
            let from: Vec<Affected> =
                lots.into_iter().filter_map(affected).filter(|affected| Some(&affected.issue.id) != home).collect();
            let into = home.and_then(|home| self.issues.iter().find(|(issue, _)| issue.id == *home));
            (!from.is_empty()).then(|| Group { into: into.map(|(issue, _)| issue.clone()), parts, from })
        };
        let mut groups: Vec<Group> = self.groups.into_iter().filter_map(group).collect();
        groups.sort_by_key(|group| std::cmp::Reverse(group.events()));
        let mut preview = Preview {
            issues: self.issues.len(),
            events: self.issues.iter().map(|(_, of)| of).sum(),
            is_cut,
            applied: self.applied,
            ignored_events: ignored.iter().map(|affected| affected.events).sum(),
            left_out: ignored.len().saturating_sub(LISTED) + groups.len().saturating_sub(LISTED),
            ignored,
            groups,
        };
        preview.ignored.truncate(LISTED);
        preview.groups.truncate(LISTED);
        preview
    }
}
