//! What a batch comes to: one row per issue instead of one per event, and what is tallied. It borrows from the batch.

use crate::{
    payload::Codec,
    tag::{tag_key, tag_number, tag_value},
};
use errtrack_core::{EventId, Fingerprint, Occurrence, Timestamp, store::Batch};
use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
};
use uuid::Uuid;

/// A batch, coalesced.
#[derive(Debug, Default)]
pub(crate) struct Plan<'a> {
    pub(crate) groups: Vec<Group<'a>>,
    /// Events per project, minute, environment and level.
    pub(crate) minutes: BTreeMap<(i64, i64, Cow<'a, str>, i64), i64>,
    /// Group, hour and events; a pair may come more than once.
    pub(crate) group_hours: Vec<(usize, i64, i64)>,
    /// Group and user; a pair may come more than once.
    pub(crate) users: Vec<(usize, i64)>,
    /// A tag of a group may come more than once.
    pub(crate) tags: Vec<Tag<'a>>,
    pub(crate) events: Vec<EventRow>,
    /// The packed payloads, one after the other.
    pub(crate) payloads: Vec<u8>,
    /// Events whose id may be stored already: the place in the batch, project, id.
    pub(crate) checks: Vec<(usize, i64, Uuid)>,
    pub(crate) slots: Vec<Slot>,
}

/// What becomes of an occurrence.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Slot {
    /// It counts for that group.
    Counts(usize),
    /// It repeats that one of the same batch.
    Repeats(usize),
    /// It was stored before, for that issue.
    Known(i64),
}

/// All occurrences of a batch with one fingerprint.
#[derive(Debug, Clone)]
pub(crate) struct Group<'a> {
    pub(crate) project: i64,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) count: i64,
    pub(crate) stored: i64,
    pub(crate) first_seen: Timestamp,
    /// What the issue shows.
    pub(crate) newest: &'a Occurrence,
    /// The newest event that is kept.
    pub(crate) kept: Option<(Timestamp, EventId)>,
    pub(crate) first_release: Option<&'a str>,
    pub(crate) last_release: Option<(Timestamp, &'a str)>,
}

/// A tag of some occurrences of a group.
#[derive(Debug)]
pub(crate) struct Tag<'a> {
    pub(crate) group: usize,
    pub(crate) number: i64,
    pub(crate) count: i64,
    pub(crate) key: Cow<'a, str>,
    pub(crate) value: Cow<'a, str>,
}

/// An event that is kept; its payload stands in [`Plan::payloads`].
#[derive(Debug)]
pub(crate) struct EventRow {
    pub(crate) group: usize,
    pub(crate) timestamp: i64,
    pub(crate) id: Uuid,
    pub(crate) client_id: Uuid,
    pub(crate) codec: i64,
    pub(crate) offset: usize,
    pub(crate) length: usize,
}

impl<'a> Plan<'a> {
    /// Coalesces a batch, but for the occurrences that are known to be stored for an issue. `check_all` says that ids
    /// which were made here may be stored as well: a batch can be written twice.
    pub(crate) fn new(batch: &'a Batch, known: &HashMap<usize, i64>, check_all: bool, codec: &Codec) -> Self {
        let mut plan = Self::default();
        let mut groups = HashMap::new();
        let mut ids = HashMap::new();
        let mut packer = codec.packer();
        for (place, (occurrence, keep)) in batch.iter().enumerate() {
            let project = occurrence.project().0;
            let id = occurrence.event_id().uuid();
            if let Some(&issue) = known.get(&place) {
                plan.slots.push(Slot::Known(issue));
                ids.insert((project, id), place);
                continue;
            }
            if let Some(&first) = ids.get(&(project, id)) {
                plan.slots.push(Slot::Repeats(first));
                continue;
            }
            ids.insert((project, id), place);
            if check_all || !occurrence.id_is_ours() {
                plan.checks.push((place, project, id));
            }
            let group = *groups.entry((project, occurrence.fingerprint())).or_insert_with(|| {
                plan.groups.push(Group::new(occurrence));
                plan.groups.len() - 1
            });
            plan.slots.push(Slot::Counts(group));
            plan.count(group, occurrence, keep);
            if keep {
                let offset = plan.payloads.len();
                let codec = packer.pack(occurrence.payload(), &mut plan.payloads);
                plan.events.push(EventRow {
                    group,
                    timestamp: occurrence.timestamp().as_micros(),
                    id: occurrence.id(),
                    client_id: id,
                    codec,
                    offset,
                    length: plan.payloads.len() - offset,
                });
            }
        }
        plan
    }

    fn count(&mut self, group: usize, occurrence: &'a Occurrence, keep: bool) {
        let times = i64::try_from(occurrence.times()).unwrap_or(i64::MAX);
        let hour = occurrence.timestamp().hour();
        let (environment, level) = (environment(occurrence), occurrence.level().to_number());
        let minute = occurrence.timestamp().minute();
        let events = self.minutes.entry((occurrence.project().0, minute, environment, level)).or_default();
        *events = events.saturating_add(times);
        self.group_hours.push((group, hour, times));
        self.users.extend(occurrence.user_hash().map(|user| (group, user)));
        self.tags.extend(occurrence.dimensions().iter().map(|(key, value)| {
            let (key, value) = (tag_key(key), tag_value(value));
            Tag { group, number: tag_number(&key, &value), count: times, key, value }
        }));
        if let Some(group) = self.groups.get_mut(group) {
            group.add(occurrence, times, keep);
        }
    }
}

impl<'a> Group<'a> {
    fn new(occurrence: &'a Occurrence) -> Self {
        Self {
            project: occurrence.project().0,
            fingerprint: occurrence.fingerprint(),
            count: 0,
            stored: 0,
            first_seen: occurrence.timestamp(),
            newest: occurrence,
            kept: None,
            first_release: None,
            last_release: None,
        }
    }

    fn add(&mut self, occurrence: &'a Occurrence, times: i64, keep: bool) {
        let at = occurrence.timestamp();
        let release = occurrence.release();
        self.merge(&Self {
            count: times,
            stored: i64::from(keep),
            kept: keep.then(|| (at, occurrence.event_id())),
            first_release: release,
            last_release: release.map(|release| (at, release)),
            ..Self::new(occurrence)
        });
    }

    /// Adds what came later in the batch.
    pub(crate) fn merge(&mut self, later: &Self) {
        self.count = self.count.saturating_add(later.count);
        self.stored += later.stored;
        self.first_seen = self.first_seen.min(later.first_seen);
        if later.newest.timestamp() >= self.newest.timestamp() {
            self.newest = later.newest;
        }
        // Of two at the same time, the later one is the newer.
        self.kept = newer(self.kept, later.kept);
        self.last_release = newer(self.last_release, later.last_release);
        self.first_release = self.first_release.or(later.first_release);
    }

    /// Where and when an issue that it makes was made, as rollups have it: minute, environment, level.
    pub(crate) fn made(&self) -> (i64, Cow<'a, str>, i64) {
        (self.first_seen.minute(), environment(self.newest), self.newest.level().to_number())
    }

    /// Where and when it brought a resolved issue back, likewise.
    pub(crate) fn came_back(&self) -> (i64, Cow<'a, str>, i64) {
        (self.newest.timestamp().minute(), environment(self.newest), self.newest.level().to_number())
    }

    /// When it was last seen.
    pub(crate) fn last_seen(&self) -> Timestamp {
        self.newest.timestamp()
    }
}

fn newer<T: Copy>(one: Option<(Timestamp, T)>, later: Option<(Timestamp, T)>) -> Option<(Timestamp, T)> {
    match (one, later) {
        (Some(one), Some(later)) if later.0 < one.0 => Some(one),
        (one, later) => later.or(one),
    }
}

/// The environment of an occurrence as it is counted; empty if it has none.
fn environment(of: &Occurrence) -> Cow<'_, str> {
    of.environment().map_or(Cow::Borrowed(""), tag_value)
}
