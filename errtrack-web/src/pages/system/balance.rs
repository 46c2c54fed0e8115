//! The balance as a sum that the eye can check: captured = stored + coalesced + … + under way.

use crate::{pages::text, status::Account};
use errtrack_core::Balance;

/// The least that a slice is drawn with, in hundredths of a percent: what is there is to be seen.
const THIN: u64 = 25;

/// A balance with its chart.
#[derive(Debug)]
pub(in crate::pages) struct Equation {
    pub(in crate::pages) captured: String,
    pub(in crate::pages) terms: Vec<Term>,
    pub(in crate::pages) slices: Vec<Slice>,
    pub(in crate::pages) check: Check,
    pub(in crate::pages) is_empty: bool,
    /// The finding, for who does not see the chart.
    pub(in crate::pages) label: String,
}

/// One place where events end.
#[derive(Debug)]
pub(in crate::pages) struct Term {
    pub(in crate::pages) name: &'static str,
    /// Which of the colours of the chart.
    pub(in crate::pages) class: &'static str,
    pub(in crate::pages) note: &'static str,
    pub(in crate::pages) count: String,
    pub(in crate::pages) is_zero: bool,
}

/// A part of the bar.
#[derive(Debug)]
pub(in crate::pages) struct Slice {
    pub(in crate::pages) class: &'static str,
    pub(in crate::pages) x: String,
    pub(in crate::pages) width: String,
    pub(in crate::pages) title: String,
}

/// Whether a sum is right.
#[derive(Debug)]
pub(in crate::pages) struct Check {
    pub(in crate::pages) is_right: bool,
    pub(in crate::pages) text: String,
}

/// A project's line in the table.
#[derive(Debug)]
pub(in crate::pages) struct Line {
    pub(in crate::pages) name: String,
    pub(in crate::pages) captured: String,
    pub(in crate::pages) cells: Vec<Term>,
    pub(in crate::pages) check: Check,
}

/// Name, class, note and number of each term, in the order of the sum.
fn parts(balance: &Balance) -> [(&'static str, &'static str, &'static str, u64); 8] {
    [
        ("stored", "q0", "kept whole", balance.stored),
        ("coalesced", "q1", "counted, not kept", balance.coalesced),
        ("sampled", "q2", "by your rate", balance.sampled),
        ("ignored", "q3", "by your rules, or twice", balance.ignored),
        ("limited", "q4", "over the limit", balance.limited),
        ("dropped", "q5", "the queue was full", balance.dropped_by_queue),
        ("refused", "q6", "by the database", balance.dropped_by_store),
        ("under way", "q7", "not written yet", balance.under_way()),
    ]
}

fn terms(balance: &Balance) -> Vec<Term> {
    let term = |(name, class, note, n)| Term { name, class, note, count: text::count(n), is_zero: n == 0 };
    parts(balance).into_iter().map(term).collect()
}

fn check(balance: &Balance) -> Check {
    match balance.settled().checked_sub(balance.captured) {
        None | Some(0) => Check { is_right: true, text: "adds up".into() },
        Some(more) => Check { is_right: false, text: format!("{} too many", text::count(more)) },
    }
}

impl Equation {
    pub(super) fn new(balance: &Balance) -> Self {
        let kept = balance.stored.saturating_add(balance.coalesced);
        Self {
            captured: text::count(balance.captured),
            terms: terms(balance),
            slices: slices(balance),
            check: check(balance),
            is_empty: *balance == Balance::default(),
            label: format!("{} of {} captured events were counted", text::count(kept), text::count(balance.captured)),
        }
    }
}

/// The bar: shares of a hundred percent, none of them too thin to be seen.
fn slices(balance: &Balance) -> Vec<Slice> {
    let parts = parts(balance).map(|(name, class, _, n)| (name, class, n));
    let there: Vec<_> = parts.into_iter().filter(|(.., n)| *n > 0).collect();
    let sum: u128 = there.iter().map(|(.., n)| u128::from(*n)).sum();
    let share = |n: u64| u64::try_from(u128::from(n) * 10_000 / sum.max(1)).unwrap_or(0).max(THIN);
    let widths: u64 = there.iter().map(|(.., n)| share(*n)).sum();
    let mut x = 0;
    there
        .into_iter()
        .map(|(name, class, n)| {
            let width = share(n) * 10_000 / widths.max(1);
            // A hair of ground between two.
            let slice = Slice {
                class,
                x: percent(x),
                width: percent(width.saturating_sub(10)),
                title: format!("{name} {}", text::count(n)),
            };
            x += width;
            slice
        })
        .collect()
}

fn percent(hundredths: u64) -> String {
    format!("{}.{:02}%", hundredths / 100, hundredths % 100)
}

/// The projects that have events, the busiest first.
pub(super) fn lines(accounts: &[Account]) -> Vec<Line> {
    let mut accounts: Vec<_> = accounts.iter().filter(|account| account.balance != Balance::default()).collect();
    accounts.sort_by(|a, b| b.balance.captured.cmp(&a.balance.captured).then_with(|| a.slug.cmp(&b.slug)));
    let line = |account: &Account| Line {
        name: text::line(if account.name.is_empty() { &account.slug } else { &account.name }, 60),
        captured: text::count(account.balance.captured),
        cells: terms(&account.balance),
        check: check(&account.balance),
    };
    accounts.into_iter().map(line).collect()
}

/// How many projects have no event yet, as a sentence.
pub(super) fn without_events(accounts: &[Account]) -> Option<String> {
    match accounts.iter().filter(|account| account.balance == Balance::default()).count() {
        0 => None,
        n if n == accounts.len() => None,
        1 => Some("One more project has no events yet.".into()),
        n => Some(format!("{n} more projects have no events yet.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thin_slices_are_seen_and_the_bar_is_full() {
        let balance = Balance { captured: 1_000_003, stored: 1_000_000, dropped_by_store: 1, ..Balance::default() };
        let slices = slices(&balance);
        assert_eq!(
            slices.iter().map(|s| s.title.as_str()).collect::<Vec<_>>(),
            ["stored 1,000,000", "refused 1", "under way 2"]
        );
        assert_eq!((slices[1].width.as_str(), slices[2].x.as_str()), ("0.14%", "99.74%"));
        assert!(super::slices(&Balance::default()).is_empty());
    }

    #[test]
    fn a_sum_that_is_wrong_says_by_how_much() {
        assert!(check(&Balance { captured: 3, stored: 1, ..Balance::default() }).is_right);
        let wrong = check(&Balance { captured: 3, stored: 1_300, ..Balance::default() });
        assert_eq!((wrong.is_right, wrong.text.as_str()), (false, "1,297 too many"));
    }
}
