//! What becomes of what: by level, by target, or by a function of the host's.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, PoisonError, RwLock},
};
use tracing_core::{Level, LevelFilter, Metadata, callsite::Identifier};

/// What an event of `tracing` becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventFilter {
    /// Nothing.
    Ignore,
    /// A breadcrumb of the current scope.
    Breadcrumb,
    /// An event.
    Event,
}

type Decide = dyn Fn(&Metadata<'_>) -> EventFilter + Send + Sync;

/// What becomes of what. Changed by [`LayerExt`](crate::LayerExt).
#[derive(Clone)]
pub struct Mapping {
    pub(crate) events: LevelFilter,
    pub(crate) breadcrumbs: LevelFilter,
    pub(crate) ignored: Vec<String>,
    decided: Option<Arc<Decided>>,
}

/// A function of the host's, and what it said of each callsite: it is asked once.
struct Decided {
    decide: Box<Decide>,
    known: RwLock<HashMap<Identifier, EventFilter>>,
}

impl Default for Mapping {
    fn default() -> Self {
        Self { events: LevelFilter::ERROR, breadcrumbs: LevelFilter::INFO, ignored: Vec::new(), decided: None }
    }
}

impl Mapping {
    pub(crate) fn decide_by(&mut self, decide: Arc<Decide>) {
        let decide: Box<Decide> = Box::new(move |metadata| decide(metadata));
        self.decided = Some(Arc::new(Decided { decide, known: RwLock::default() }));
    }

    /// The most verbose level of which anything is wanted.
    pub(crate) fn most_verbose(&self) -> LevelFilter {
        match self.decided {
            Some(_) => LevelFilter::TRACE,
            None => self.span_level(),
        }
    }

    /// Spans are wanted for what they say about events, and so as far as events or breadcrumbs are, but at least to `INFO`.
    fn span_level(&self) -> LevelFilter {
        self.events.max(self.breadcrumbs).max(LevelFilter::INFO)
    }

    /// Whether the fields of a span are wanted.
    pub(crate) fn wants_span(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= self.span_level() && !self.leaves_out(metadata.target())
    }

    /// What an event becomes.
    pub(crate) fn of(&self, metadata: &Metadata<'_>) -> EventFilter {
        let by_level = self.by_level(*metadata.level());
        if self.decided.is_none() && by_level == EventFilter::Ignore || self.leaves_out(metadata.target()) {
            return EventFilter::Ignore;
        }
        self.decided.as_ref().map_or(by_level, |decided| decided.of(metadata))
    }

    fn by_level(&self, level: Level) -> EventFilter {
        if level <= self.events {
            EventFilter::Event
        } else if level <= self.breadcrumbs {
            EventFilter::Breadcrumb
        } else {
            EventFilter::Ignore
        }
    }

    fn leaves_out(&self, target: &str) -> bool {
        is_ours(target) || self.ignored.iter().any(|ignored| is_within(target, ignored))
    }
}

impl Decided {
    fn of(&self, metadata: &Metadata<'_>) -> EventFilter {
        // All records of the `log` crate share five callsites, whatever their targets.
        if is_log(metadata) {
            return self.ask(metadata);
        }
        let callsite = metadata.callsite();
        if let Some(known) = self.known.read().unwrap_or_else(PoisonError::into_inner).get(&callsite) {
            return *known;
        }
        let said = self.ask(metadata);
        self.known.write().unwrap_or_else(PoisonError::into_inner).insert(callsite, said);
        said
    }

    /// What panics has nothing to say.
    fn ask(&self, metadata: &Metadata<'_>) -> EventFilter {
        errtrack_core::hosted(|| (self.decide)(metadata)).unwrap_or(EventFilter::Ignore)
    }
}

impl fmt::Debug for Mapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mapping")
            .field("events", &self.events)
            .field("breadcrumbs", &self.breadcrumbs)
            .field("ignored", &self.ignored)
            .field("decided", &self.decided.is_some())
            .finish()
    }
}

/// Whether metadata are those of records of the `log` crate, which carry their own origin as fields.
pub(crate) fn is_log(metadata: &Metadata<'_>) -> bool {
    metadata.fields().field("log.target").is_some()
}

/// Whether a target is that module, or in it.
fn is_within(target: &str, module: &str) -> bool {
    target.strip_prefix(module).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// Whether a target belongs to errtrack: one of its crates, not one of a user's whose name begins alike.
pub(crate) fn is_ours(target: &str) -> bool {
    let Some(rest) = target.strip_prefix("errtrack") else { return false };
    let end = rest.find("::").unwrap_or(rest.len());
    matches!(rest.get(..end), Some("" | "_core" | "_store" | "_notify" | "_tower" | "_actix" | "_tracing" | "_web"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_targets_are_known_by_the_whole_name() {
        for ours in ["errtrack", "errtrack::web", "errtrack_core", "errtrack_store::sqlite::writer"] {
            assert!(is_ours(ours), "{ours}");
        }
        for other in
            ["errtracker", "errtrack_demo", "errtrack_demo::core", "errtrack_corex", "my::errtrack", "shop", ""]
        {
            assert!(!is_ours(other), "{other}");
        }
    }

    #[test]
    fn a_target_stands_for_its_modules() {
        assert!(is_within("hyper", "hyper") && is_within("hyper::proto::h1", "hyper"));
        assert!(!is_within("hyper_util", "hyper") && !is_within("my::hyper", "hyper"));
    }
}
