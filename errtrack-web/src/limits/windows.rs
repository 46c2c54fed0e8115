//! Counting within the process, in bounded memory and without ever walking through what is counted.

use super::{Count, Policy, Subject, WINDOW};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Instant,
};

/// Windows of a generation; there are two.
const MOST: usize = 1 << 14;

type Key = (Policy, Subject);

/// Windows that are under way.
///
/// They live in two generations. When the younger is full, or old enough that nothing in the older can be under way, the
/// older goes and the younger takes its place; whoever asks is taken along.
#[derive(Debug)]
pub(super) struct Windows {
    state: Mutex<State>,
    most: usize,
}

#[derive(Debug)]
struct State {
    young: HashMap<Key, Window>,
    old: HashMap<Key, Window>,
    /// When the younger generation began.
    began: Option<Instant>,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    began: Instant,
    used: u64,
}

impl Default for Windows {
    fn default() -> Self {
        Self::with_room_for(MOST)
    }
}

impl Windows {
    fn with_room_for(most: usize) -> Self {
        let state = State { young: HashMap::new(), old: HashMap::new(), began: None };
        Self { state: Mutex::new(state), most }
    }

    /// Counts one.
    pub(super) fn count(&self, key: Key, now: Instant) -> Count {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let began = *state.began.get_or_insert(now);
        if state.young.len() >= self.most || now.duration_since(began) >= WINDOW {
            state.old = std::mem::take(&mut state.young);
            state.began = Some(now);
        }
        let known = state.young.get(&key).copied().or_else(|| state.old.remove(&key));
        let fresh = known.filter(|window| now.duration_since(window.began) < WINDOW);
        let mut window = fresh.unwrap_or(Window { began: now, used: 0 });
        window.used = window.used.saturating_add(1);
        state.young.insert(key, window);
        Count { used: window.used, left: WINDOW.saturating_sub(now.duration_since(window.began)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{net::Ipv4Addr, time::Duration};

    fn key(n: u32) -> Key {
        (Policy::Address, Subject::address(Ipv4Addr::from_bits(n).into()))
    }

    #[test]
    fn a_window_lasts_a_minute_from_its_first_request() {
        let (windows, start) = (Windows::default(), Instant::now());
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        assert_eq!(windows.count(key(1), at(10)), Count { used: 1, left: WINDOW });
        assert_eq!(windows.count(key(1), at(69)), Count { used: 2, left: Duration::from_secs(1) });
        assert_eq!(windows.count(key(2), at(69)).used, 1);
        assert_eq!(windows.count(key(1), at(70)), Count { used: 1, left: WINDOW });
        assert_eq!(windows.count(key(2), at(128)).used, 2, "its own minute is not over");
        assert_eq!(windows.count(key(2), at(300)).used, 1);
    }

    #[test]
    fn keys_and_policies_count_apart() {
        let (windows, now) = (Windows::default(), Instant::now());
        let subject = key(1).1;
        assert_eq!(windows.count((Policy::Api, subject), now).used, 1);
        assert_eq!(windows.count((Policy::Ingest, subject), now).used, 1);
        assert_eq!(windows.count((Policy::Api, subject), now).used, 2);
    }

    #[test]
    fn memory_is_bounded_and_who_keeps_asking_is_remembered() {
        let (windows, start) = (Windows::with_room_for(100), Instant::now());
        for n in 0..10_000 {
            windows.count(key(n + 1), start);
            if n % 50 == 0 {
                assert_eq!(windows.count(key(0), start).used, u64::from(n / 50 + 1));
            }
        }
        let state = windows.state.lock().unwrap();
        assert!(state.young.len() + state.old.len() <= 200);
    }

    #[test]
    fn many_threads_count_exactly() {
        let (windows, now) = (Windows::default(), Instant::now());
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..1_000).for_each(|_| _ = windows.count(key(1), now)));
            }
        });
        assert_eq!(windows.count(key(1), now).used, 4_001);
    }
}
