//! What conditions count that is not counted anyway: events by release, source or tag. Each process counts what it has written,
//! by the minute, for the conditions of the rules that are there; so a rule counts from the moment at which it is made.

use super::{Condition, Filter, FilterKey, Metric, Signal, decision::hashed};
use crate::{Level, Occurrence};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What an event, or what it did, says of itself.
pub(crate) trait Facts {
    fn environment(&self) -> Option<&str>;
    fn level(&self) -> Level;
    fn release(&self) -> Option<&str>;
    fn source(&self) -> Option<&str>;
    fn tag(&self, key: &str) -> Option<&str>;
}

impl Facts for Occurrence {
    fn environment(&self) -> Option<&str> {
        self.environment()
    }

    fn level(&self) -> Level {
        self.level()
    }

    fn release(&self) -> Option<&str> {
        self.release()
    }

    fn source(&self) -> Option<&str> {
        self.source()
    }

    fn tag(&self, key: &str) -> Option<&str> {
        self.dimensions().iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }
}

impl Facts for Signal {
    fn environment(&self) -> Option<&str> {
        self.environment.as_deref()
    }

    fn level(&self) -> Level {
        self.level
    }

    fn release(&self) -> Option<&str> {
        self.release.as_deref()
    }

    fn source(&self) -> Option<&str> {
        self.source.as_deref()
    }

    fn tag(&self, key: &str) -> Option<&str> {
        self.tags.get(key).map(String::as_str)
    }
}

impl Filter {
    /// Whether an event is what this asks for, projects aside. What an event does not say is empty.
    pub(crate) fn holds(&self, facts: &impl Facts) -> bool {
        let text = match self.key {
            FilterKey::Project => return true,
            FilterKey::Level => return self.value.parse() == Ok(facts.level()),
            FilterKey::Environment => facts.environment(),
            FilterKey::Release => facts.release(),
            FilterKey::Source => facts.source(),
            FilterKey::Tag => facts.tag(&self.tag),
        };
        text.unwrap_or_default() == self.value
    }
}

/// What is counted for conditions that ask the same of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Watch {
    /// What it is called where it is kept.
    pub(crate) name: String,
    /// Whether users are counted too.
    pub(crate) users: bool,
    filters: Vec<Filter>,
}

impl Watch {
    /// What is to be counted for a condition; `None` if all that it asks for is counted anyway.
    pub(crate) fn of(condition: &Condition) -> Option<Self> {
        if !condition.is_watched() {
            return None;
        }
        let mut filters: Vec<Filter> =
            condition.filters.iter().filter(|filter| filter.key != FilterKey::Project).cloned().collect();
        filters.sort_by(|one, other| (one.key.as_str(), &one.tag).cmp(&(other.key.as_str(), &other.tag)));
        let parts: Vec<&str> =
            filters.iter().flat_map(|f| [f.key.as_str(), f.tag.as_str(), f.value.as_str()]).collect();
        let name = hashed(&parts).simple().to_string().chars().take(16).collect();
        Some(Self { name, users: condition.metric == Metric::UserCount, filters })
    }

    /// Whether an event counts.
    pub(crate) fn counts(&self, facts: &impl Facts) -> bool {
        self.filters.iter().all(|filter| filter.holds(facts))
    }
}

/// What was counted within a bucket, by the names of watches, as it is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Watched(BTreeMap<String, Counts>);

/// Events, issues that were made, and resolved ones that came back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counts(pub(crate) i64, pub(crate) i64, pub(crate) i64);

impl Watched {
    /// Adds to what was counted.
    pub(crate) fn add(&mut self, watch: &str, more: Counts) {
        let counts = match self.0.get_mut(watch) {
            Some(counts) => counts,
            None => self.0.entry(watch.to_owned()).or_default(),
        };
        counts.0 = counts.0.saturating_add(more.0);
        counts.1 = counts.1.saturating_add(more.1);
        counts.2 = counts.2.saturating_add(more.2);
    }

    /// What was counted for a watch.
    pub(crate) fn of(&self, watch: &str) -> Option<Counts> {
        self.0.get(watch).copied()
    }

    pub(crate) fn to_point(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads what was stored; `None` if it is something else.
    pub(crate) fn from_point(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Event, Formula, Preparer, ProjectId};

    fn watch(filters: &str) -> Option<Watch> {
        Watch::of(&format!("error_count > 1 in 5m {filters}").parse().unwrap())
    }

    #[test]
    fn an_event_counts_if_it_is_all_that_is_asked() {
        let mut event = Event { release: Some("1.2".into()), source: Some("worker".into()), ..Event::new() };
        event.tags.insert("team".into(), "payments".into());
        event.environment = Some("production".into());
        event.level = Level::Fatal;
        let occurrence = Preparer::default().prepare(ProjectId(1), event, Formula::Ours);
        for (filters, counts) in [
            ("where release = 1.2", true),
            ("where release = 1.20", false),
            ("where source = worker and tag.team = payments", true),
            ("where source = browser and tag.team = payments", false),
            ("where tag.other = \"\"", true),
            ("where tag.team = \"\"", false),
            ("where release = 1.2 and level = fatal and environment = production and project = shop", true),
            ("where release = 1.2 and level = error", false),
            ("where release = 1.2 and environment = staging", false),
        ] {
            assert_eq!(watch(filters).unwrap().counts(&occurrence), counts, "{filters}");
        }
    }

    #[test]
    fn what_is_counted_anyway_is_not_watched_and_the_same_is_counted_once() {
        assert_eq!(watch(""), None);
        assert_eq!(watch("where level = error and environment = production and project = shop"), None);
        let one = watch("where release = 1 and tag.a = b").unwrap();
        assert_eq!(watch("where tag.a = b and project = shop and release = 1").unwrap(), one);
        assert_ne!(watch("where tag.a = b and release = 2").unwrap().name, one.name);
        assert_ne!(watch("where tag.b = b and release = 1").unwrap().name, one.name);
        assert_eq!(one.name.len(), 16);
    }

    #[test]
    fn counts_are_kept_as_they_were() {
        let mut watched = Watched::default();
        watched.add("a", Counts(3, 1, 0));
        watched.add("a", Counts(1, 0, 1));
        assert_eq!(watched.to_point(), r#"{"a":[4,1,1]}"#);
        assert_eq!(Watched::from_point(&watched.to_point()).unwrap().of("a"), Some(Counts(4, 1, 1)));
        assert_eq!((Watched::from_point("[]"), watched.of("b")), (None, None));
    }
}
