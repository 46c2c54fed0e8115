//! What an event may hold at most.

mod cut;
mod time;
mod total;

use crate::Event;
use std::time::Duration;

/// The limits of an event. What is cut is marked in [`Event::truncated`].
///
/// # Example
/// ```
/// use errtrack_core::{Event, Limits};
///
/// let limits = Limits { breadcrumbs: 10, ..Limits::default() };
/// let mut event = Event::new();
/// event.breadcrumbs = vec![errtrack_core::Breadcrumb::new("step"); 12];
/// limits.apply(&mut event);
/// assert_eq!(event.breadcrumbs.len(), 10);
/// assert_eq!(event.truncated[0].what, "kept 10 of 12");
/// ```
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of the event as JSON. Above it parts are dropped, the least telling first: variables, breadcrumbs' data,
    /// extras, the body, other threads, source lines, modules, contexts, images, and last what the text holds.
    pub event: usize,
    /// Levels of nesting in JSON values.
    pub depth: usize,
    /// Bytes of a key in a JSON value.
    pub key: usize,
    /// Bytes of any one string.
    pub string: usize,
    /// Exceptions; the first and the last half are kept.
    pub exceptions: usize,
    /// Frames of a stack; the first and the last half are kept.
    pub frames: usize,
    /// Threads.
    pub threads: usize,
    /// Breadcrumbs; the last are kept.
    pub breadcrumbs: usize,
    /// Tags.
    pub tags: usize,
    /// Bytes of a tag's key.
    pub tag_key: usize,
    /// Bytes of a tag's value.
    pub tag_value: usize,
    /// Contexts.
    pub contexts: usize,
    /// Entries of `extra`.
    pub extra: usize,
    /// Packages.
    pub modules: usize,
    /// Headers and variables of a request, each.
    pub headers: usize,
    /// Images for symbolication.
    pub debug_images: usize,
    /// Parts of a client's fingerprint.
    pub fingerprint: usize,
    /// Marks that say what was cut.
    pub marks: usize,
    /// How far ahead of the tracker a client's clock may be.
    pub future: Duration,
    /// How old an event may be when it arrives.
    pub past: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            event: 1 << 20,
            depth: 64,
            key: 1 << 10,
            string: 64 << 10,
            exceptions: 32,
            frames: 200,
            threads: 256,
            breadcrumbs: 100,
            tags: 100,
            tag_key: 200,
            tag_value: 2 << 10,
            contexts: 50,
            extra: 100,
            modules: 500,
            headers: 200,
            debug_images: 500,
            fingerprint: 32,
            marks: 100,
            future: Duration::from_secs(5 * 60),
            past: Duration::from_secs(90 * 24 * 60 * 60),
        }
    }
}

impl Limits {
    /// Cuts what is over the limits, clamps the time, and marks both. NUL, which some databases cannot hold in text,
    /// becomes U+FFFD.
    pub fn apply(&self, event: &mut Event) {
        time::clamp(self, event);
        // Measuring costs a serialization, so it is left out where even the worst case fits.
        if cut::event(self, event) > self.event {
            total::fit(self, event);
        }
        event.truncated.truncate(self.marks);
    }
}

#[cfg(test)]
mod tests;
