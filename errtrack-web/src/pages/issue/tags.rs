//! Tags with their tallies, each value a link to the list filtered by it.

use crate::pages::{query, shell::Shell, text};
use errtrack_core::store::TagTally;

/// A tag.
#[derive(Debug)]
pub(in crate::pages) struct Tag {
    pub(in crate::pages) key: String,
    pub(in crate::pages) values: Vec<Share>,
    /// How many events have another value.
    pub(in crate::pages) rest: Option<String>,
}

/// A value and its share of the events.
#[derive(Debug)]
pub(in crate::pages) struct Share {
    pub(in crate::pages) value: String,
    pub(in crate::pages) url: String,
    pub(in crate::pages) count: String,
    pub(in crate::pages) percent: String,
    pub(in crate::pages) width: String,
}

pub(super) fn view(shell: &Shell, tallies: &[TagTally]) -> Vec<Tag> {
    tallies.iter().map(|tally| tag(shell, tally)).collect()
}

fn tag(shell: &Shell, tally: &TagTally) -> Tag {
    let total = tally.total.max(1);
    let share = |(value, count): &(String, i64)| {
        let percent = count.saturating_mul(100) / total;
        let query = format!("{}:{}", tally.key, query::quote(value));
        Share {
            value: if value.is_empty() { "(empty)".into() } else { text::line(value, 120) },
            url: shell.links.path(text::url("/issues", &[("q", &query)])),
            count: text::counted(*count, "event"),
            percent: if percent == 0 { "< 1 %".into() } else { format!("{percent} %") },
            width: format!("{}%", percent.clamp(1, 100)),
        }
    };
    let shown: i64 = tally.values.iter().map(|(_, count)| count).sum();
    Tag {
        key: text::line(&tally.key, 80),
        values: tally.values.iter().map(share).collect(),
        rest: (tally.total > shown)
            .then(|| format!("{} with other values", text::counted(tally.total - shown, "event"))),
    }
}
