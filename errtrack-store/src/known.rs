//! What this process knows to be stored: which tags and users an issue has.
//!
//! Such rows leave together with their issue, whose id never comes back, so that what was known once stays true, whatever
//! other processes do; or when a user is erased. Each erasure raises a number in the database, which every batch reads:
//! what was known before is then forgotten. Only what has been committed is noted.

use std::{
    collections::HashSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// When there are more, it starts anew: 200,000 take some 2 MiB.
const LIMIT: usize = 200_000;

/// A pair of an issue and one of its tags or users, as one number.
pub(crate) type Fact = u64;

/// A bounded set of facts.
#[derive(Debug, Default)]
pub(crate) struct Known(Mutex<Facts>);

/// What is known since an erasure.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    erasures: i64,
    facts: HashSet<Fact>,
}

impl Known {
    /// What is known to a transaction that finds that number of erasures.
    pub(crate) fn since(&self, erasures: i64) -> MutexGuard<'_, Facts> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.erasures != erasures {
            *known = Facts { erasures, facts: HashSet::new() };
        }
        known
    }

    /// Notes what a transaction that has been committed has stored; it found that number of erasures.
    pub(crate) fn add(&self, facts: Vec<Fact>, erasures: i64) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.erasures != erasures {
            return;
        }
        if known.facts.len() + facts.len() > LIMIT {
            known.facts.clear();
        }
        known.facts.extend(facts.into_iter().take(LIMIT));
    }
}

impl Facts {
    pub(crate) fn contains(&self, fact: Fact) -> bool {
        self.facts.contains(&fact)
    }
}

/// That an issue has a tag.
pub(crate) const fn has_tag(issue: i64, tag: i64) -> Fact {
    mix(issue, tag.cast_unsigned())
}

/// That an issue has hit a user.
pub(crate) const fn hit_user(issue: i64, user: i64) -> Fact {
    mix(issue, user.cast_unsigned().rotate_left(32) ^ 0x5bd1_e995_0000_0001)
}

/// That a project has a release.
pub(crate) const fn has_release(project: i64, release: i64) -> Fact {
    mix(project, release.cast_unsigned().rotate_left(17) ^ 0x9d2c_5680_0000_0003)
}

const fn mix(issue: i64, number: u64) -> u64 {
    let mixed =
        (number ^ issue.cast_unsigned().wrapping_mul(0x9e37_79b9_7f4a_7c15)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    mixed ^ (mixed >> 32)
}
