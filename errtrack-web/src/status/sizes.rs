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
    last: Mutex<Option<(Timestamp, Arc<Storage>)>>,
    is_measuring: AtomicBool,
}

impl Sizes {
    /// The last measure, however old.
    pub(super) fn last(&self) -> Option<Arc<Storage>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(|(_, storage)| storage.clone())
    }

    /// A measure of the last minute, or an older one if a new one takes long; it goes on then, for who asks next.
    pub(super) async fn get(&self, app: &App) -> Option<Arc<Storage>> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match last {
            Some((at, storage)) if Timestamp::now() < at.plus(FRESH) => return Some(storage),
            _ if self.is_measuring.swap(true, Relaxed) => return self.last(),
            _ => {}
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
                let measured = Some((Timestamp::now(), Arc::new(storage)));
                *self.last.lock().unwrap_or_else(PoisonError::into_inner) = measured;
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
