//! Which users met an event lately, as sketches: told as a series, which alert rules read.

use super::Engine;
use crate::{
    ProjectId, Timestamp,
    alert::Users,
    store::{Series, SeriesPoint, StoreError},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::sleep;

/// How often it is told.
const TELL_EVERY: Duration = Duration::from_secs(10);
/// The widths of buckets in minutes.
const WIDTHS: [i64; 2] = [5, 60];
/// Buckets that are kept at hand; beyond, it begins anew.
const BUCKETS: usize = 1_000;

/// Project, watch (empty for any event), width and start.
type Key = (ProjectId, String, i64, i64);

/// What was seen lately.
#[derive(Debug, Default)]
pub(super) struct SeenUsers(Mutex<HashMap<Key, Bucket>>);

/// The users of a bucket.
#[derive(Debug, Default)]
struct Bucket {
    users: Users,
    is_told: bool,
}

impl SeenUsers {
    /// Notes a user of an event that was stored, and that a watch of that name counts.
    pub(super) fn note(&self, project: ProjectId, watch: &str, hash: i64, now: Timestamp) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() > BUCKETS {
            seen.clear();
        }
        for width in WIDTHS {
            let start = now.minute().div_euclid(width) * width;
            let bucket = seen.entry((project, watch.to_owned(), width, start)).or_default();
            bucket.is_told &= !bucket.users.add(hash);
        }
    }

    /// What there is to tell.
    fn take(&self, engine: &Engine) -> Vec<SeriesPoint> {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let untold = seen.iter_mut().filter(|(_, bucket)| !bucket.is_told);
        let point = |((project, watch, width, start), bucket): (&Key, &mut Bucket)| {
            bucket.is_told = true;
            SeriesPoint {
                series: Series::Users,
                project: *project,
                width: *width,
                start: *start,
                name: watch.clone(),
                node: engine.node,
                data: bucket.users.to_point(),
            }
        };
        untold.map(point).collect()
    }

    /// Lets go of buckets that are over and told.
    fn let_go(&self, now: Timestamp) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.retain(|(.., width, start), bucket| !bucket.is_told || start + width > now.minute());
    }

    /// Tells it again the next time.
    fn keep(&self) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.values_mut().for_each(|bucket| bucket.is_told = false);
    }
}

/// Tells it now and then.
pub(super) async fn write(engine: Arc<Engine>) {
    loop {
        sleep(TELL_EVERY).await;
        if let Err(error) = engine.tell_users().await {
            engine.note_trouble(&error.context("telling how many users there were"));
        }
    }
}

impl Engine {
    pub(super) async fn tell_users(&self) -> Result<(), StoreError> {
        let points = self.users.take(self);
        if points.is_empty() {
            return Ok(());
        }
        self.store.put_points(&points).await.inspect_err(|_| self.users.keep())?;
        self.users.let_go(Timestamp::now());
        Ok(())
    }
}
