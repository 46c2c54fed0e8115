//! When keys were used and members were active: kept in memory, and written at most once a minute for each.

use errtrack_core::Timestamp;
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use uuid::Uuid;

/// How long what was written is good enough.
const PAUSE: Duration = Duration::from_secs(60);
/// Entries past which old ones are let go.
const MANY: usize = 1_000;

/// When each key or member was last written.
#[derive(Debug, Default)]
pub(super) struct Uses(Mutex<HashMap<Uuid, Timestamp>>);

impl Uses {
    /// Whether a use is to be written; from then on it counts as written.
    pub(super) fn is_due(&self, id: Uuid, now: Timestamp) -> bool {
        let mut written = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let recent = |at: &Timestamp| *at > now.minus(PAUSE);
        if written.get(&id).is_some_and(recent) {
            return false;
        }
        if written.len() >= MANY {
            written.retain(|_, at| recent(at));
        }
        written.insert(id, now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_use_is_written_once_a_minute() {
        let (uses, now) = (Uses::default(), Timestamp::now());
        let after = |seconds| now.plus(Duration::from_secs(seconds));
        assert!(uses.is_due(Uuid::nil(), now));
        assert!(!uses.is_due(Uuid::nil(), after(59)));
        assert!(uses.is_due(Uuid::max(), after(59)), "each has a minute of its own");
        assert!(uses.is_due(Uuid::nil(), after(60)));
        assert!(!uses.is_due(Uuid::nil(), after(61)));
    }
}
