//! The time of an event, clamped to when it can have happened.

use super::Limits;
use crate::{Event, Timestamp};

/// Absent means that it happened when it arrived. What lies outside keeps its original beside it.
pub(super) fn clamp(limits: &Limits, event: &mut Event) {
    let unset = Timestamp::default();
    if event.received_at == unset {
        event.received_at = Timestamp::now();
    }
    let received = event.received_at;
    if event.timestamp == unset {
        event.timestamp = received;
        return;
    }
    let oldest = received.minus(limits.past);
    let clamped = match event.timestamp {
        time if time > received.plus(limits.future) => received,
        time if time < oldest => oldest,
        _ => return,
    };
    let original = std::mem::replace(&mut event.timestamp, clamped);
    event.original_timestamp.get_or_insert_with(|| original.to_string());
}
