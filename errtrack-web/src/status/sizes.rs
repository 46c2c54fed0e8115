//! How large the store is, measured now and then: measuring may read much of it.

use super::PATIENCE;
use crate::{app::App, error::Error};
use errtrack_core::{Timestamp, store::Storage};
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};
use tokio::time::timeout;

/// How many times as long as it took a measure is good for, and how long at least and at most.
const WORTH: u32 = 100;
const FRESH: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(600));

/// The last measure.
#[derive(Debug, Default)]
pub(crate) struct Sizes {
    last: Mutex<Option<Measure>>,
    is_measuring: AtomicBool,
}

/// How large the store was at a time.
#[derive(Debug, Clone)]
pub(crate) struct Measure {
    pub(crate) at: Timestamp,
    pub(crate) storage: Arc<Storage>,
    pub(crate) good_for: Duration,
}

impl Sizes {
    /// The last measure, however old.
    pub(super) fn last(&self) -> Option<Measure> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A recent measure, or an older one if a new one takes long; it goes on then, for who asks next.
    pub(super) async fn get(&self, app: &App) -> Option<Measure> {
        let last = self.last();
        if last.as_ref().is_some_and(|last| Timestamp::now() < last.at.plus(last.good_for))
            || self.is_measuring.swap(true, Relaxed)
        {
            return last;
        }
        let app = app.clone();
        let measuring = tokio::spawn(async move { app.sizes().measure(&app).await });
        let _ = timeout(PATIENCE, measuring).await;
        self.last()
    }

    async fn measure(&self, app: &App) {
        let _turn = Turn(&self.is_measuring);
        let start = Instant::now();
        match app.store().storage().await {
            Ok(storage) => {
                let good_for = start.elapsed().saturating_mul(WORTH).clamp(FRESH.0, FRESH.1);
                let measure = Measure { at: Timestamp::now(), storage: storage.into(), good_for };
                *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(measure);
            }
            Err(error) if error.is_unavailable() => {}
            Err(error) => Error::from(error).log(),
        }
    }
}

/// The one measure that is being taken; over when it is dropped, also by a panic of the store.
struct Turn<'a>(&'a AtomicBool);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.store(false, Relaxed);
    }
}
