//! Answers that are kept for a while.
//!
//! What is kept is looked up under a key that holds the version of what it was made of: a write changes the version, so an
//! answer from before is not found any more, on whichever process, and goes when its time is over. Nothing is ever taken
//! back, and a cache that loses what it holds costs time alone.

use axum::body::Bytes;
use futures_util::future::BoxFuture;
use std::{
    collections::HashMap,
    fmt,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Keeps bytes by key.
pub(crate) trait Cache: fmt::Debug + Send + Sync + 'static {
    /// What was put there, unless its time is over or it had to make room.
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Option<Bytes>>;

    /// Keeps something for that long at most.
    fn put<'a>(&'a self, key: &'a str, value: Bytes, lives: Duration) -> BoxFuture<'a, ()>;
}

/// Bytes that are kept at most, keys included.
const MOST: usize = 4 << 20;

/// A cache in this process.
#[derive(Debug, Default)]
pub(crate) struct LocalCache(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    entries: HashMap<String, (Instant, Bytes)>,
    bytes: usize,
}

impl Cache for LocalCache {
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Option<Bytes>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.entries.get(key).filter(|(end, _)| *end > Instant::now()).map(|(_, value)| value.clone());
        Box::pin(std::future::ready(found))
    }

    fn put<'a>(&'a self, key: &'a str, value: Bytes, lives: Duration) -> BoxFuture<'a, ()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).put(key, value, lives);
        Box::pin(std::future::ready(()))
    }
}

impl Kept {
    fn put(&mut self, key: &str, value: Bytes, lives: Duration) {
        let (now, size) = (Instant::now(), key.len() + value.len());
        if size > MOST / 8 {
            return;
        }
        if self.bytes + size > MOST {
            self.entries.retain(|_, (end, _)| *end > now);
            self.count();
        }
        if self.bytes + size > MOST {
            // What would go first.
            let mut ends: Vec<Instant> = self.entries.values().map(|(end, _)| *end).collect();
            ends.sort_unstable();
            let middle = ends.get(ends.len() / 2).copied();
            self.entries.retain(|_, (end, _)| middle.is_some_and(|middle| *end > middle));
            self.count();
        }
        let old = self.entries.insert(key.to_owned(), (now + lives, value));
        self.bytes += size - old.map_or(0, |(_, value)| key.len() + value.len()).min(size);
    }

    fn count(&mut self) {
        self.bytes = self.entries.iter().map(|(key, (_, value))| key.len() + value.len()).sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn what_is_kept_is_found_until_its_time_is_over() {
        let cache = LocalCache::default();
        assert_eq!(cache.get("a").await, None);
        cache.put("a", "1".into(), LONG).await;
        cache.put("b", "2".into(), Duration::ZERO).await;
        assert_eq!((cache.get("a").await, cache.get("b").await), (Some("1".into()), None));
        cache.put("a", "3".into(), LONG).await;
        assert_eq!(cache.get("a").await, Some("3".into()));
    }

    #[tokio::test]
    async fn a_cache_is_bounded() {
        let cache = LocalCache::default();
        for n in 0..1_000 {
            cache.put(&format!("{n}"), vec![0; 20_000].into(), LONG).await;
            let kept = cache.0.lock().unwrap();
            let bytes: usize = kept.entries.iter().map(|(key, (_, value))| key.len() + value.len()).sum();
            assert!(bytes <= MOST && bytes <= kept.bytes, "{bytes} {}", kept.bytes);
        }
        assert_eq!(cache.get("999").await.map(|value| value.len()), Some(20_000), "the newest is there");
        cache.put("huge", vec![0; MOST].into(), LONG).await;
        assert_eq!(cache.get("huge").await, None);
    }
}
