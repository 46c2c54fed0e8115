//! What happened lately, in bounded memory.

use errtrack_core::ProjectId;
use std::{collections::VecDeque, sync::Arc};

/// Entries that are kept for who comes back.
const MOST: usize = 1_024;
/// Bytes of what they say.
const MOST_BYTES: usize = 2 << 20;

/// What an entry tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    New,
    Regressed,
    Resolved,
    Edited,
    Deleted,
    Counters,
    Missed,
}

impl Kind {
    /// Its name on the wire.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Regressed => "regressed",
            Self::Resolved => "resolved",
            Self::Edited => "edited",
            Self::Deleted => "deleted",
            Self::Counters => "counters",
            Self::Missed => "missed",
        }
    }
}

/// Something that happened.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// Whose it is; `None` concerns everybody.
    pub(super) project: Option<ProjectId>,
    pub(super) kind: Kind,
    /// JSON.
    pub(super) data: Arc<str>,
}

impl Entry {
    pub(super) fn missed() -> Self {
        Self { project: None, kind: Kind::Missed, data: "{}".into() }
    }
}

/// The latest entries, numbered from 0.
#[derive(Debug, Default)]
pub(super) struct Ring {
    entries: VecDeque<Entry>,
    /// The number of the first that is kept.
    first: u64,
    bytes: usize,
}

/// What follows a position.
#[derive(Debug)]
pub(super) enum Next {
    /// Nothing yet, up to this position.
    Nothing(u64),
    /// An entry, and the position after it.
    Entry(u64, Entry),
    /// Some of it is gone; the position of the first that is not.
    Gone(u64),
}

impl Ring {
    /// The position after the last entry.
    pub(super) fn end(&self) -> u64 {
        self.first + self.entries.len() as u64
    }

    pub(super) fn push(&mut self, entry: Entry) {
        // Twice in a row says no more than once.
        let is_missed = |entry: &Entry| entry.kind == Kind::Missed;
        if is_missed(&entry) && self.entries.back().is_some_and(is_missed) {
            self.entries.pop_back();
            self.bytes -= entry.data.len();
            // The number changes, so that whoever has read the one reads the other.
            self.first += 1;
        }
        self.bytes += entry.data.len();
        self.entries.push_back(entry);
        while self.entries.len() > MOST || self.bytes > MOST_BYTES {
            let Some(oldest) = self.entries.pop_front() else { break };
            self.bytes -= oldest.data.len();
            self.first += 1;
        }
    }

    /// The first entry from a position on that somebody may see.
    pub(super) fn next(&self, from: u64, sees: impl Fn(ProjectId) -> bool) -> Next {
        let Some(skipped) = from.checked_sub(self.first).and_then(|skipped| usize::try_from(skipped).ok()) else {
            return Next::Gone(self.first);
        };
        let mut entries = self.entries.iter().skip(skipped).zip(from..);
        match entries.find(|(entry, _)| entry.project.is_none_or(&sees)) {
            Some((entry, at)) => Next::Entry(at + 1, entry.clone()),
            None => Next::Nothing(self.end().max(from)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(project: i64, data: &str) -> Entry {
        Entry { project: Some(ProjectId(project)), kind: Kind::New, data: data.into() }
    }

    /// What somebody reads from a position on.
    fn read(ring: &Ring, mut from: u64, sees: impl Fn(ProjectId) -> bool) -> Vec<String> {
        let mut read = Vec::new();
        loop {
            match ring.next(from, &sees) {
                Next::Entry(after, entry) => {
                    read.push(entry.data.to_string());
                    from = after;
                }
                Next::Gone(first) => {
                    read.push("gone".into());
                    from = first;
                }
                Next::Nothing(end) => {
                    assert_eq!(end, ring.end());
                    return read;
                }
            }
        }
    }

    #[test]
    fn each_reads_what_it_may_see_from_where_it_was() {
        let mut ring = Ring::default();
        for (project, data) in [(1, "a"), (2, "b"), (1, "c")] {
            ring.push(entry(project, data));
        }
        assert_eq!(read(&ring, 0, |_| true), ["a", "b", "c"]);
        assert_eq!(read(&ring, 1, |_| true), ["b", "c"]);
        assert_eq!(read(&ring, 0, |project| project == ProjectId(1)), ["a", "c"]);
        assert!(read(&ring, 3, |_| true).is_empty());
        ring.push(Entry::missed());
        assert_eq!(read(&ring, 3, |_| false), ["{}"], "that concerns everybody");
    }

    #[test]
    fn it_is_bounded_in_entries_and_bytes_and_says_what_is_gone() {
        let mut ring = Ring::default();
        for n in 0..3 * MOST {
            ring.push(entry(1, &n.to_string()));
        }
        let all = read(&ring, 0, |_| true);
        assert_eq!((all.len(), all[0].as_str(), all[1].parse()), (MOST + 1, "gone", Ok(2 * MOST)));
        let large = "x".repeat(MOST_BYTES / 4);
        for _ in 0..10 {
            ring.push(entry(1, &large));
        }
        assert!(ring.bytes <= MOST_BYTES && ring.entries.len() == 4);
        ring.push(entry(1, &"x".repeat(MOST_BYTES + 1)));
        assert_eq!((ring.bytes, ring.entries.len()), (0, 0), "what is too large is gone at once");
        assert_eq!(read(&ring, 5, |_| true), ["gone"]);
    }

    #[test]
    fn that_something_was_missed_stands_there_once_and_is_read_by_all() {
        let mut ring = Ring::default();
        ring.push(Entry::missed());
        let Next::Entry(after, _) = ring.next(0, |_| true) else { panic!("it is there") };
        ring.push(Entry::missed());
        assert_eq!(ring.entries.len(), 1);
        assert_eq!(read(&ring, after, |_| true), ["{}"]);
    }
}
