//! Slows down the guessing of passwords: a few tries, then a pause.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Tries from one address at one account before a pause.
const TRIES: u32 = 5;
/// Tries at one account from wherever: many machines guess together.
const TRIES_FROM_ANYWHERE: u32 = 25;
/// Tries from one address at whatever account.
const TRIES_AT_ANY: u32 = 50;
/// How long a pause is, from the last try on.
const PAUSE: Duration = Duration::from_secs(5 * 60);
/// Entries that are kept; a flood of made-up addresses must not fill the memory.
const MOST: usize = 4_096;

type Key = (Option<IpAddr>, String);

/// Counts the tries that failed.
#[derive(Debug, Default)]
pub(in super::super) struct Throttle {
    tries: Mutex<HashMap<Key, Tries>>,
}

#[derive(Debug, Clone, Copy)]
struct Tries {
    count: u32,
    last: Instant,
}

/// A try that is under way. It counts as failed until it is said to have succeeded, so that tries at the same time count too.
#[derive(Debug)]
pub(in super::super) struct Attempt {
    keys: Vec<Key>,
    left: u32,
}

impl Throttle {
    /// Begins a try, or says how long to wait.
    pub(in super::super) fn begin(
        &self,
        address: Option<IpAddr>,
        email: &str,
        now: Instant,
    ) -> Result<Attempt, Duration> {
        let email: String = email.trim().to_lowercase().chars().take(200).collect();
        let mut limits = vec![((address, email.clone()), TRIES)];
        if address.is_some() {
            limits.push(((None, email), TRIES_FROM_ANYWHERE));
            // No account has this name.
            limits.push(((address, String::from("*")), TRIES_AT_ANY));
        }
        let mut tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        tries.retain(|_, tries| now.duration_since(tries.last) < PAUSE);
        for (key, limit) in &limits {
            if let Some(tries) = tries.get(key).filter(|tries| tries.count >= *limit) {
                return Err(PAUSE.saturating_sub(now.duration_since(tries.last)));
            }
        }
        while tries.len() + limits.len() > MOST {
            let Some(oldest) = tries.iter().min_by_key(|(_, tries)| tries.last).map(|(key, _)| key.clone()) else {
                break;
            };
            tries.remove(&oldest);
        }
        let mut left = u32::MAX;
        for (key, limit) in &limits {
            let entry = tries.entry(key.clone()).or_insert(Tries { count: 0, last: now });
            *entry = Tries { count: entry.count + 1, last: now };
            left = left.min(limit.saturating_sub(entry.count));
        }
        Ok(Attempt { keys: limits.into_iter().map(|(key, _)| key).collect(), left })
    }

    /// Forgets what failed before at this account. What the address did elsewhere stays: an account of one's own must not
    /// buy more tries at those of others.
    pub(in super::super) fn succeeded(&self, attempt: &Attempt) {
        let mut tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        for key in &attempt.keys {
            if key.1 != "*" {
                tries.remove(key);
            } else if let Some(tries) = tries.get_mut(key) {
                tries.count = tries.count.saturating_sub(1);
            }
        }
    }
}

impl Attempt {
    /// How many tries are left, as a sentence.
    pub(in super::super) fn left(&self) -> String {
        let minutes = PAUSE.as_secs() / 60;
        match self.left {
            0 => format!("Wait {minutes} minutes before the next try."),
            1 => format!("One try is left before a pause of {minutes} minutes."),
            n => format!("{n} tries are left before a pause of {minutes} minutes."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Option<IpAddr> = Some(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST));

    #[test]
    fn the_sixth_try_waits() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        for left in (0..5).rev() {
            assert_eq!(throttle.begin(HERE, "Ana@example.com", now).unwrap().left, left);
        }
        assert_eq!(throttle.begin(HERE, "ana@example.com ", now).unwrap_err(), PAUSE);
        assert!(throttle.begin(HERE, "jun@example.com", now).is_ok());
        assert!(throttle.begin(HERE, "ana@example.com", now + PAUSE).is_ok());
    }

    #[test]
    fn an_address_that_tries_many_accounts_waits() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        for n in 0..TRIES_AT_ANY {
            let attempt = throttle.begin(HERE, &format!("m{n}@example.com"), now).unwrap();
            if n % 2 == 0 {
                // Its own account lets it in, which changes nothing for the others.
                let own = throttle.begin(HERE, "mallory@example.com", now).unwrap();
                throttle.succeeded(&own);
            }
            assert!(attempt.left < 5);
        }
        assert!(throttle.begin(HERE, "ana@example.com", now).is_err());
        assert!(throttle.begin(None, "ana@example.com", now).is_ok());
    }

    #[test]
    fn success_forgets_failures() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        for _ in 0..20 {
            let attempt = throttle.begin(HERE, "ana@example.com", now).unwrap();
            throttle.succeeded(&attempt);
        }
    }

    #[test]
    fn memory_is_bounded() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        for i in 0..3 * MOST as u64 {
            let _ = throttle.begin(None, &i.to_string(), now + Duration::from_nanos(i));
        }
        assert!(throttle.tries.lock().unwrap().len() <= MOST);
    }
}
