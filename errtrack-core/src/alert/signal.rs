//! What a batch did to issues that somebody may want to hear of, and what became of it.

use crate::{Issue, IssueId, Level, ProjectId, Timestamp, notify::Trigger};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Something that a batch did to an issue, written with the batch and taken away when the rules have been asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Signal {
    /// The number of its row.
    pub id: i64,
    /// What happened.
    pub trigger: Trigger,
    /// When the event came that did it.
    pub at: Timestamp,
    /// In this project.
    pub project: ProjectId,
    /// The issue as it is now; `None` if it is gone.
    pub issue: Option<Issue>,
    /// How many events it had then, where that is what happened.
    pub count: i64,
    /// The level of the event.
    pub level: Level,
    /// Its environment.
    pub environment: Option<String>,
    /// Its release.
    pub release: Option<String>,
    /// Where it came from.
    pub source: Option<String>,
    /// Its tags, and what is tallied like them; fifty at most.
    pub tags: BTreeMap<String, String>,
}

impl Signal {
    /// Tags that are kept of an event.
    pub const TAGS: usize = 50;

    /// The number under which a trigger is stored; those that are no signals have none.
    #[must_use]
    pub const fn number(trigger: Trigger) -> Option<i64> {
        match trigger {
            Trigger::NewIssue => Some(1),
            Trigger::Regression => Some(2),
            Trigger::Milestone => Some(3),
            Trigger::Unignored => Some(4),
            Trigger::NewInRelease => Some(5),
            _ => None,
        }
    }

    /// The trigger that is stored under that number.
    #[must_use]
    pub const fn trigger(number: i64) -> Option<Trigger> {
        match number {
            1 => Some(Trigger::NewIssue),
            2 => Some(Trigger::Regression),
            3 => Some(Trigger::Milestone),
            4 => Some(Trigger::Unignored),
            5 => Some(Trigger::NewInRelease),
            _ => None,
        }
    }

    /// The milestone that a count reached which was less before: 10, 100, 1,000, ….
    #[must_use]
    pub const fn milestone(before: i64, after: i64) -> Option<i64> {
        let (mut mark, mut reached) = (10_i64, None);
        while mark <= after {
            if before < mark {
                reached = Some(mark);
            }
            mark = match mark.checked_mul(10) {
                Some(next) => next,
                None => break,
            };
        }
        reached
    }
}

/// That a rule had something to say.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Firing {
    /// Its id; entries of the outbox name it.
    pub id: Uuid,
    /// The rule.
    pub rule: Uuid,
    /// When.
    pub at: Timestamp,
    /// What happened: [`Trigger::Rule`] where a condition was met, [`Trigger::Recovered`] where it no longer is.
    pub trigger: Trigger,
    /// The project, if it is about one.
    pub project: Option<ProjectId>,
    /// The issue, if it is about one.
    pub issue: Option<IssueId>,
    /// What it was about, in one line.
    pub title: String,
    /// What was measured.
    pub value: Option<f64>,
    /// With what it was compared.
    pub threshold: Option<f64>,
    /// Channels that were not told of it alone, but with others.
    pub gathered: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milestones_are_powers_of_ten() {
        for (before, after, reached) in [
            (0, 9, None),
            (9, 10, Some(10)),
            (10, 99, None),
            (5, 1_234, Some(1_000)),
            (99, 100, Some(100)),
            (100, 100, None),
            (0, i64::MAX, Some(1_000_000_000_000_000_000)),
        ] {
            assert_eq!(Signal::milestone(before, after), reached, "{before} to {after}");
        }
        for number in 1..=5 {
            assert_eq!(Signal::trigger(number).and_then(Signal::number), Some(number));
        }
    }
}
