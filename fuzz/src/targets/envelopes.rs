//! Envelopes of Sentry SDKs, their items, and the older store requests.

use super::events::prepared;
use crate::Target;
use errtrack_web::fuzzing;

pub(crate) const TARGET: Target = Target { name: "envelopes", run, seeds: |material| material.envelopes.clone() };

/// The most bytes that a store request may unpack to.
const LIMIT: usize = 1 << 20;

fn run(data: &[u8]) {
    let events = fuzzing::envelope(data);
    let events = events.into_iter().chain(fuzzing::envelope_event(data)).chain(fuzzing::store_request(data, LIMIT));
    events.for_each(prepared);
}
