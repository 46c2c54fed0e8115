//! What people decided and said, as the page shows it.

use super::super::{text, time::When};
use errtrack_core::{Condition, Timestamp, store};

/// A comment.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) author: String,
    pub(super) at: When,
    pub(super) text: String,
}

impl Said {
    pub(super) fn new(comment: &store::Comment, now: Timestamp) -> Self {
        Self {
            author: text::line(&comment.author, 100),
            at: When::new(comment.at, now),
            text: text::block(&comment.text, 10_000),
        }
    }
}

/// What ends a status, after its name.
pub(super) fn condition(condition: &Condition, now: Timestamp) -> String {
    let release = |release: &str| text::line(release, 60);
    match condition {
        Condition::InRelease(name) => format!("in {}", release(name)),
        Condition::AfterRelease(name) if name.is_empty() => "in the next release".into(),
        Condition::AfterRelease(name) => format!("in the next release after {}", release(name)),
        Condition::Until { time, count } => {
            let time = time.map(|time| When::new(time, now).exact);
            let count = count.map(|count| text::counted(count, "event"));
            format!("until {}", time.into_iter().chain(count).collect::<Vec<_>>().join(" or "))
        }
    }
}
