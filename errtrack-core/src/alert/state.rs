//! What one evaluation leaves for the next, as documents by name.

use crate::{
    Timestamp,
    notify::{DigestLine, Notification},
    store::AlertState,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

const RULE: &str = "rule:";
const CHANNEL: &str = "channel:";
pub(super) const GATHERED: &str = "gathered:";

/// How a rule stands.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RuleState {
    /// What it said when its condition was met, if that still is so.
    pub firing: Option<Uuid>,
    /// When it fired last.
    pub last_fired: Option<Timestamp>,
}

impl RuleState {
    /// How each rule stands; those that have never fired are missing.
    #[must_use]
    pub fn of_rules(state: &AlertState) -> BTreeMap<Uuid, Self> {
        let rules = state.entries.iter().filter_map(|(name, json)| Some((name.strip_prefix(RULE)?, json)));
        rules.filter_map(|(id, json)| Some((id.parse().ok()?, serde_json::from_str(json).ok()?))).collect()
    }
}

/// What a channel was told within an hour.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct ChannelState {
    /// When that hour began: with the first that it was told.
    pub(super) since: Timestamp,
    /// What can wait.
    pub(super) ordinary: u32,
    /// What cannot.
    pub(super) urgent: u32,
    /// Digests of what was too much.
    pub(super) digests: u32,
}

/// What is kept to be told at once.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Gathered {
    pub(super) channel: String,
    pub(super) recipients: Vec<String>,
    /// When it is told.
    pub(super) due: Timestamp,
    /// When the first of it came.
    pub(super) first: Timestamp,
    pub(super) total: u64,
    /// The newest first.
    pub(super) lines: Vec<DigestLine>,
    /// The only one, as long as there is one, and its firing: it is told as it is.
    pub(super) one: Option<(Uuid, Notification)>,
}

/// All of it, and what of it has changed.
#[derive(Debug, Default)]
pub(super) struct States {
    rules: BTreeMap<Uuid, RuleState>,
    channels: BTreeMap<String, ChannelState>,
    gathered: BTreeMap<String, Gathered>,
    changed: BTreeSet<String>,
}

impl States {
    /// Reads what is stored; what cannot be read is begun anew.
    pub(super) fn read(state: &AlertState) -> Self {
        Self {
            rules: RuleState::of_rules(state),
            channels: named(state, CHANNEL),
            gathered: named(state, GATHERED),
            changed: BTreeSet::new(),
        }
    }

    pub(super) fn rule(&self, id: Uuid) -> RuleState {
        self.rules.get(&id).cloned().unwrap_or_default()
    }

    pub(super) fn put_rule(&mut self, id: Uuid, state: RuleState) {
        self.changed.insert(format!("{RULE}{id}"));
        self.rules.insert(id, state);
    }

    /// Lets go of rules that are gone.
    pub(super) fn keep_rules(&mut self, known: &BTreeSet<Uuid>) {
        let gone: Vec<Uuid> = self.rules.keys().filter(|id| !known.contains(id)).copied().collect();
        for id in gone {
            self.rules.remove(&id);
            self.changed.insert(format!("{RULE}{id}"));
        }
    }

    pub(super) fn channel(&mut self, name: &str) -> &mut ChannelState {
        self.changed.insert(format!("{CHANNEL}{name}"));
        self.channels.entry(name.to_owned()).or_default()
    }

    pub(super) fn gathered(&mut self, name: &str) -> &mut Gathered {
        self.changed.insert(format!("{GATHERED}{name}"));
        self.gathered.entry(name.to_owned()).or_default()
    }

    /// Takes out what is to be told by now.
    pub(super) fn take_due(&mut self, now: Timestamp) -> Vec<(String, Gathered)> {
        let due: Vec<String> =
            self.gathered.iter().filter(|(_, gathered)| gathered.due <= now).map(|(name, _)| name.clone()).collect();
        let taken = due.into_iter().filter_map(|name| Some((self.gathered.remove(&name)?, name)));
        let taken: Vec<_> = taken.map(|(gathered, name)| (name, gathered)).collect();
        self.changed.extend(taken.iter().map(|(name, _)| format!("{GATHERED}{name}")));
        taken
    }

    /// What has changed, as it is stored.
    pub(super) fn changes(&self) -> Vec<(String, Option<String>)> {
        let json = |name: &String| match name.split_once(':')? {
            ("rule", id) => serde_json::to_string(self.rules.get(&id.parse().ok()?)?).ok(),
            ("channel", name) => serde_json::to_string(self.channels.get(name)?).ok(),
            (_, name) => serde_json::to_string(self.gathered.get(name)?).ok(),
        };
        self.changed.iter().map(|name| (name.clone(), json(name))).collect()
    }
}

fn named<T: DeserializeOwned>(state: &AlertState, prefix: &str) -> BTreeMap<String, T> {
    let entries = state.entries.iter().filter_map(|(name, json)| Some((name.strip_prefix(prefix)?, json)));
    entries.filter_map(|(name, json)| Some((name.to_owned(), serde_json::from_str(json).ok()?))).collect()
}
