//! What a batch comes to: one row per issue, hour, tag and user instead of one per event.

use crate::payload::Codec;
use errtrack_core::{EventId, Fingerprint, Level, Occurrence, Timestamp, store::Batch};
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, HashMap},
};
use uuid::Uuid;

/// Parts the name of a tag from its value.
pub(crate) const PART: char = '\u{1f}';
/// Stands for all values of a tag beyond the first hundred.
pub(crate) const OTHER: &str = "\u{1f}";
/// Distinct values that are kept per tag and issue.
pub(crate) const VALUES: usize = 100;
/// Characters of a tag's value that are kept in tallies.
const VALUE_LENGTH: usize = 200;

/// A batch, coalesced.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) groups: Vec<Group>,
    /// Events per project and hour.
    pub(crate) hours: BTreeMap<(i64, i64), i64>,
    pub(crate) events: Vec<EventRow>,
    /// For each kept event, one after the other: our id, the client's id, the packed payload.
    pub(crate) blob: Vec<u8>,
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
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) project: i64,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) count: i64,
    pub(crate) stored: i64,
    pub(crate) first_seen: Timestamp,
    pub(crate) last_seen: Timestamp,
    pub(crate) first_release: Option<String>,
    pub(crate) last_release: Option<String>,
    pub(crate) newest: Newest,
    pub(crate) users: BTreeSet<i64>,
    /// By hour, environment and release.
    pub(crate) hours: BTreeMap<(i64, String, String), i64>,
    /// By name and value, with [`PART`] between them.
    pub(crate) tags: BTreeMap<String, i64>,
    distinct: HashMap<String, usize>,
}

/// What an issue shows of its newest event.
#[derive(Debug, Default)]
pub(crate) struct Newest {
    pub(crate) ty: String,
    pub(crate) value: String,
    pub(crate) culprit: String,
    pub(crate) level: Level,
    pub(crate) source: Option<String>,
    pub(crate) platform: Option<String>,
    pub(crate) environment: Option<String>,
    pub(crate) event: EventId,
    /// The newest event that is kept.
    pub(crate) kept: Option<EventId>,
    kept_at: Timestamp,
    released_at: Timestamp,
}

/// An event that is kept; its bytes stand in [`Plan::blob`].
#[derive(Debug)]
pub(crate) struct EventRow {
    pub(crate) group: usize,
    pub(crate) timestamp: i64,
    pub(crate) user_hash: Option<i64>,
    pub(crate) environment: Option<String>,
    pub(crate) release: Option<String>,
    pub(crate) codec: i64,
    pub(crate) offset: usize,
    pub(crate) length: usize,
}

impl Plan {
    /// Coalesces a batch, but for the occurrences that are known to be stored for an issue.
    pub(crate) fn new(batch: &Batch, known: &HashMap<usize, i64>, codec: &Codec) -> Self {
        let mut plan = Self::default();
        let mut groups = HashMap::new();
        let mut ids = HashMap::new();
        let mut packer = codec.packer();
        for (place, (occurrence, keep)) in batch.iter().enumerate() {
            let project = occurrence.project().0;
            let id = occurrence.event().event_id.uuid();
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
            if !occurrence.id_is_ours() {
                plan.checks.push((place, project, id));
            }
            let group = *groups.entry((project, occurrence.fingerprint())).or_insert_with(|| {
                plan.groups.push(Group::new(occurrence));
                plan.groups.len() - 1
            });
            plan.slots.push(Slot::Counts(group));
            let times = i64::try_from(occurrence.times()).unwrap_or(i64::MAX);
            *plan.hours.entry((project, occurrence.timestamp().hour())).or_default() += times;
            if let Some(entry) = plan.groups.get_mut(group) {
                entry.add(occurrence, times, keep);
            }
            if keep {
                plan.blob.extend_from_slice(occurrence.id().as_bytes());
                plan.blob.extend_from_slice(id.as_bytes());
                let offset = plan.blob.len();
                let codec = packer.pack(occurrence.payload(), &mut plan.blob);
                let event = occurrence.event();
                plan.events.push(EventRow {
                    group,
                    timestamp: occurrence.timestamp().as_micros(),
                    user_hash: occurrence.user_hash(),
                    environment: event.environment.clone(),
                    release: event.release.clone(),
                    codec,
                    offset,
                    length: plan.blob.len() - offset,
                });
            }
        }
        plan
    }
}

impl Group {
    fn new(occurrence: &Occurrence) -> Self {
        Self {
            project: occurrence.project().0,
            fingerprint: occurrence.fingerprint(),
            count: 0,
            stored: 0,
            first_seen: occurrence.timestamp(),
            last_seen: Timestamp::default(),
            first_release: None,
            last_release: None,
            newest: Newest::default(),
            users: BTreeSet::new(),
            hours: BTreeMap::new(),
            tags: BTreeMap::new(),
            distinct: HashMap::new(),
        }
    }

    fn add(&mut self, occurrence: &Occurrence, times: i64, keep: bool) {
        let event = occurrence.event();
        let at = occurrence.timestamp();
        self.count = self.count.saturating_add(times);
        self.first_seen = self.first_seen.min(at);
        if at >= self.last_seen {
            self.last_seen = at;
            self.newest.update(occurrence);
        }
        if keep {
            self.stored += 1;
            if self.newest.kept.is_none() || at >= self.newest.kept_at {
                self.newest.kept = Some(event.event_id);
                self.newest.kept_at = at;
            }
        }
        if let Some(release) = &event.release {
            self.first_release.get_or_insert_with(|| release.clone());
            if self.last_release.is_none() || at >= self.newest.released_at {
                self.last_release = Some(release.clone());
                self.newest.released_at = at;
            }
        }
        self.users.extend(occurrence.user_hash());
        let environment = event.environment.clone().unwrap_or_default();
        let release = event.release.clone().unwrap_or_default();
        *self.hours.entry((at.hour(), environment, release)).or_default() += times;
        for (key, value) in occurrence.dimensions() {
            self.tally(key, value, times);
        }
    }

    fn tally(&mut self, key: &str, value: &str, times: i64) {
        let label = format!("{}{PART}{}", tag_key(key), tag_value(value));
        if let Some(count) = self.tags.get_mut(&label) {
            *count += times;
            return;
        }
        let key = tag_key(key);
        let distinct = match self.distinct.get_mut(key.as_ref()) {
            Some(distinct) => distinct,
            None => self.distinct.entry(key.clone().into_owned()).or_default(),
        };
        *distinct += 1;
        let label = if *distinct > VALUES { format!("{key}{PART}{OTHER}") } else { label };
        *self.tags.entry(label).or_default() += times;
    }
}

impl Newest {
    fn update(&mut self, occurrence: &Occurrence) {
        let event = occurrence.event();
        let (ty, value) = event.title();
        ty.clone_into(&mut self.ty);
        value.clone_into(&mut self.value);
        occurrence.culprit().clone_into(&mut self.culprit);
        self.level = occurrence.level();
        self.source.clone_from(&event.source);
        self.platform.clone_from(&event.platform);
        self.environment.clone_from(&event.environment);
        self.event = event.event_id;
    }
}

/// A tag's name as it is tallied.
pub(crate) fn tag_key(key: &str) -> Cow<'_, str> {
    clean(key)
}

/// A tag's value as it is tallied: at most 200 characters.
pub(crate) fn tag_value(value: &str) -> Cow<'_, str> {
    let end = if value.len() <= VALUE_LENGTH { None } else { value.char_indices().nth(VALUE_LENGTH) };
    clean(end.and_then(|(end, _)| value.get(..end)).unwrap_or(value))
}

/// Without the two characters that cannot be stored: NUL, which some databases refuse, and our own [`PART`].
fn clean(text: &str) -> Cow<'_, str> {
    if text.contains(['\0', PART]) { text.replace(['\0', PART], "\u{fffd}").into() } else { text.into() }
}
