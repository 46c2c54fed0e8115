//! How large the store is, measured now and then: measuring may read much of it.

use super::PATIENCE;
use crate::{app::App, error::Error};
use errtrack_core::{Timestamp, store::Storage};
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::time::timeout;

/// How long a measure is good for.
const FRESH: Duration = Duration::from_secs(60);

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
}

impl Sizes {
    /// The last measure, however old.
    pub(super) fn last(&self) -> Option<Measure> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A measure of the last minute, or an older one if a new one takes long; it goes on then, for who asks next.
    pub(super) async fn get(&self, app: &App) -> Option<Measure> {
        let last = self.last();
        if last.as_ref().is_some_and(|last| Timestamp::now() < last.at.plus(FRESH))
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
        match app.store().storage().await {
            Ok(storage) => {
                let measure = Measure { at: Timestamp::now(), storage: storage.into() };
                *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(measure);
            }
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
