//! From an event to an occurrence: text traces to frames → limits → sanitizing → grouping.
//!
//! Pure and synchronous. For reports over HTTP it runs in the request's task, for events captured in the process on the
//! tracker's own thread; never on the thread of the host that captured them.

mod limits;

pub use limits::Limits;

use crate::{
    Event, Fingerprint, Occurrence, ProjectId,
    grouping::{self, Grouping, InApp},
    occurrence::Parts,
    rules::{Decision, Rules},
    sanitize::Sanitizer,
    stacktext,
};
use sha2::{Digest, Sha256};

/// Makes occurrences of events.
///
/// # Example
/// ```
/// use errtrack_core::{Event, Exception, Formula, Preparer, ProjectId};
///
/// let mut event = Event::new();
/// event.exceptions.push(Exception::new("Timeout", "password=hunter2 timed out after 5 s"));
/// let occurrence = Preparer::default().prepare(ProjectId(1), event, Formula::Ours);
/// assert!(!String::from_utf8_lossy(occurrence.payload()).contains("hunter2"));
/// ```
#[derive(Debug, Clone, Default)]
pub struct Preparer {
    /// What is cut.
    pub limits: Limits,
    /// What is filtered.
    pub sanitizer: Sanitizer,
    /// Which frames belong to the program.
    pub in_app: InApp,
}

/// How the fingerprint of an event is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Formula {
    /// By `errtrack:1`, see [`grouping`](crate::grouping).
    Ours,
    /// By a formula that a report dialect's document fixes.
    Fixed {
        /// The fingerprint.
        fingerprint: Fingerprint,
        /// What it was made of, for the issue page.
        because: String,
    },
}

impl Preparer {
    /// Makes an occurrence of an event.
    ///
    /// Fills frames from a text trace where there are no others, marks frames as in-app, clamps the time, cuts what is
    /// over the limits, filters secrets and fingerprints. Costs some 20 µs for an event of 4 KB.
    #[must_use]
    pub fn prepare(&self, project: ProjectId, event: Event, formula: Formula) -> Occurrence {
        let fit = self.fit(event);
        let (fingerprint, grouping) = grouping::by_formula(&fit.event, formula);
        fit.grouped(project, fingerprint, grouping)
    }

    /// The same where rules may decide; `None` if one says that nobody wants the event. Rules see it as it is stored.
    pub(crate) fn prepare_by<'a>(
        &self,
        rules: impl IntoIterator<Item = &'a Rules>,
        project: ProjectId,
        event: Event,
        formula: Formula,
    ) -> Option<Occurrence> {
        let fit = self.fit(event);
        match Rules::decide(rules, &fit.event, formula) {
            Decision::Ignore(_) => None,
            Decision::Group(fingerprint, grouping, _) => Some(fit.grouped(project, fingerprint, grouping)),
        }
    }

    /// All but the fingerprint.
    fn fit(&self, mut event: Event) -> Fit {
        let id_is_ours = event.event_id.is_nil();
        if id_is_ours {
            event.event_id = crate::EventId::random();
        }
        stacktext::fill_frames(&mut event);
        self.in_app.mark(&mut event);
        self.limits.apply(&mut event);
        let user_hash = event.user.as_ref().and_then(crate::User::key).map(user_hash);
        self.sanitizer.sanitize(&mut event);
        Fit { event, id_is_ours, user_hash }
    }
}

/// An event that may be stored, before it is known to which issue it belongs.
struct Fit {
    event: Event,
    id_is_ours: bool,
    user_hash: Option<i64>,
}

impl Fit {
    fn grouped(self, project: ProjectId, fingerprint: Fingerprint, grouping: Grouping) -> Occurrence {
        let Self { mut event, id_is_ours, user_hash } = self;
        event.grouping = Some(grouping);
        let (ty, value) = event.title();
        Occurrence::new(Parts {
            project,
            event_id: event.event_id,
            id_is_ours,
            timestamp: event.timestamp,
            received_at: event.received_at,
            level: event.level,
            ty: ty.to_owned(),
            value: value.to_owned(),
            culprit: grouping::culprit(&event),
            fingerprint,
            user_hash,
            dimensions: dimensions(&event),
            payload: serde_json::to_vec(&event).unwrap_or_default(),
            source: event.source,
            platform: event.platform,
            environment: event.environment,
            release: event.release,
        })
    }
}

/// The hash by which users are counted, of [`User::key`](crate::User::key): so the counting table holds no personal data.
/// NUL counts as U+FFFD, which stands for it in every event.
#[must_use]
pub fn user_hash(key: &str) -> i64 {
    let digest = if key.contains('\0') { Sha256::digest(key.replace('\0', "\u{fffd}")) } else { Sha256::digest(key) };
    digest.first_chunk().map_or(0, |bytes| i64::from_le_bytes(*bytes))
}

/// The tags of an event, and the parts of it that are tallied like tags. Not its level and user: an issue shows the one,
/// and counts the others by their hashes.
fn dimensions(event: &Event) -> Vec<(String, String)> {
    let implicit = [
        ("environment", event.environment.as_deref()),
        ("release", event.release.as_deref()),
        ("server_name", event.server_name.as_deref()),
        ("transaction", event.transaction.as_deref()),
    ];
    let mut all = Vec::with_capacity(event.tags.len() + implicit.len());
    for (key, value) in implicit {
        if let Some(value) = value.filter(|v| !v.is_empty() && !event.tags.contains_key(key)) {
            all.push((key.to_owned(), value.chars().take(200).collect()));
        }
    }
    all.extend(event.tags.iter().filter(|(k, _)| *k != "level").map(|(k, v)| (k.clone(), v.clone())));
    all
}
