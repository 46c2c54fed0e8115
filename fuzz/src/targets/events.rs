//! Events as JSON, prepared: cut, sanitized, fingerprinted.

use crate::Target;
use errtrack_core::{Event, Formula, Preparer, ProjectId, grouping::group};

pub(crate) const TARGET: Target = Target {
    name: "events",
    run,
    seeds: |material| material.events.iter().filter_map(|event| serde_json::to_vec(event).ok()).collect(),
};

fn run(data: &[u8]) {
    if let Ok(event) = serde_json::from_slice(data) {
        prepared(event);
    }
}

/// Prepares an event, and checks what a store counts on.
pub(super) fn prepared(event: Event) {
    let occurrence = Preparer::default().prepare(ProjectId(1), event, Formula::Ours);
    let payload = occurrence.payload();
    assert!(payload.len() <= (1 << 20) + (16 << 10), "{} bytes", payload.len());
    let stored: Event = serde_json::from_slice(payload).unwrap_or_else(|error| panic!("it reads back: {error}"));
    assert_eq!(group(&stored).0, occurrence.fingerprint(), "what is stored groups as what was sent");
}
