//! Upkeep: jobs in the background that one of several processes does, and what each tells the store of its events.
//!
//! Who does a job holds its lease in the database. The lease on trimming stays with its holder from round to round; the one
//! on retention is given back after each run, and whoever comes next sees when the last run was.

use super::{
    Engine, Tracker,
    alerts::{self, ALERTS, watched},
    delivery,
    jitter::jittered,
    jobs, series, users,
};
use crate::{
    Timestamp,
    store::{RetentionReport, StoreError},
};
use std::{future::poll_fn, pin::pin, sync::Arc, task::Poll, time::Duration};
use tokio::{
    sync::oneshot,
    time::{Instant, sleep, timeout},
};

/// How often the store is told what became of events.
const TELL_EVERY: Duration = Duration::from_secs(5);
/// How often, at most, issues with too many events are trimmed.
const TRIM_EVERY: Duration = Duration::from_secs(60);
/// In every so many rounds it is done even if this process has stored nothing: others may have.
const TRIM_ANYWAY: u32 = 10;
/// How often what is old is let go of.
const RETAIN_EVERY: Duration = Duration::from_secs(3600);
/// How long after the start, at most, that is done for the first time.
const RETAIN_FIRST: Duration = Duration::from_secs(120);
/// How long a lease is held without being extended.
const LEASE: Duration = Duration::from_secs(180);
/// How long it is kept what became of notifications, where events are kept for ever.
const OUTBOX_KEPT: Duration = Duration::from_secs(90 * 86_400);
/// How long the end of the tracker waits for the store to hear the last.
const LAST_WORDS: Duration = Duration::from_millis(500);

const TRIM: &str = "trim";
const RETENTION: &str = "retention";

/// Works until it is told to stop, or whoever could do so is gone.
pub(crate) async fn run(engine: Arc<Engine>, stop: oneshot::Receiver<()>) {
    let mut stop = pin!(stop);
    let jobs = [
        tokio::spawn(trim(engine.clone())),
        tokio::spawn(retain(engine.clone())),
        tokio::spawn(series::write(engine.clone())),
        tokio::spawn(jobs::run(engine.clone())),
        tokio::spawn(alerts::run(engine.clone())),
        tokio::spawn(users::write(engine.clone())),
        tokio::spawn(watched::write(engine.clone())),
        tokio::spawn(delivery::run(engine.clone())),
    ];
    while timeout(TELL_EVERY, &mut stop).await.is_err() {
        let mut told = pin!(engine.tell_balances());
        let stopped = poll_fn(|cx| match told.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(false),
            Poll::Pending => stop.as_mut().poll(cx).map(|_| true),
        });
        if stopped.await {
            // What is on its way is not said twice.
            let _ = timeout(LAST_WORDS, told).await;
            break;
        }
    }
    for job in jobs {
        job.abort();
    }
    delivery::last(&engine).await;
    let _ = timeout(LAST_WORDS, async {
        engine.tell_balances().await;
        series::write_last(&engine).await;
        let _ = engine.tell_users().await;
        let _ = engine.tell_watched(Timestamp::now()).await;
        for lease in [TRIM, RETENTION, ALERTS] {
            // It ends by itself if it cannot be given back.
            let _ = engine.store.release(lease, engine.node).await;
        }
    })
    .await;
}

async fn trim(engine: Arc<Engine>) {
    let mut stored = u64::MAX;
    for round in 1_u32.. {
        sleep(jittered(TRIM_EVERY)).await;
        // Without a lease: it is a look-up by index, and harmless when several do it.
        if let Err(error) = engine.store.unignore(Timestamp::now()).await {
            engine.note_trouble(&error.context("opening what was ignored until now"));
        }
        let now = engine.ledger.total().stored;
        if now == stored && round % TRIM_ANYWAY != 0 {
            continue;
        }
        let work = engine.store.trim_events(engine.retention.events_per_issue);
        match engine.under_lease(TRIM, work).await {
            Ok(Some(_)) => stored = now,
            Ok(None) => {}
            Err(error) => engine.note_trouble(&error.context("letting go of surplus events")),
        }
    }
}

async fn retain(engine: Arc<Engine>) {
    let start = (Timestamp::now(), Instant::now());
    sleep(jittered(RETAIN_FIRST)).await;
    loop {
        // Whichever clock is ahead: a machine may have slept, and a clock may have been set back.
        let now = start.0.plus(start.1.elapsed()).max(Timestamp::now());
        if let Err(error) = engine.retain_if_due(now).await {
            engine.note_trouble(&error.context("letting go of what is old"));
        }
        sleep(RETAIN_EVERY / 2 + jittered(RETAIN_EVERY / 2)).await;
    }
}

impl Engine {
    /// Tells the store what became of events since it was last told. Only of those that ended somewhere: what is under way
    /// may end in another process, which then tells all of it.
    async fn tell_balances(&self) {
        let untold = self.ledger.untold_ended();
        if untold.is_empty() {
            return;
        }
        match self.store.add_balances(&untold).await {
            Ok(()) => self.ledger.note_told(&untold),
            Err(error) => self.note_trouble(&error.context("telling what became of events")),
        }
    }

    async fn retain_if_due(&self, now: Timestamp) -> Result<(), StoreError> {
        // Half of what differs between processes less than an hour: one process alone does it every time.
        let recent = now.minus(RETAIN_EVERY / 8 * 5);
        if self.store.last_retention().await?.is_none_or(|last| last.at <= recent) {
            self.retain().await?;
        }
        Ok(())
    }

    /// Runs retention, unless it is running already, here or in another process.
    pub(super) async fn retain(&self) -> Result<Option<RetentionReport>, StoreError> {
        // This process would get the lease a second time.
        let Ok(_one) = self.retaining.try_lock() else { return Ok(None) };
        let work = async {
            let report = self.store.retain(&self.retention).await?;
            series::let_go(self.store.as_ref()).await?;
            let age = self.retention.age.unwrap_or(OUTBOX_KEPT);
            self.store.drop_outbox(Timestamp::now().minus(age)).await?;
            Ok(report)
        };
        let report = self.under_lease(RETENTION, work).await;
        let released = self.store.release(RETENTION, self.node).await;
        let report = report?;
        released.map(|()| report)
    }

    /// Works as long as this process holds a lease; `None` if another has it.
    async fn under_lease<T>(
        &self,
        name: &str,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<Option<T>, StoreError> {
        if !self.store.lease(name, self.node, LEASE).await? {
            return Ok(None);
        }
        let mut work = pin!(work);
        loop {
            match timeout(LEASE / 3, &mut work).await {
                Ok(done) => return done.map(Some),
                Err(_) if self.store.lease(name, self.node, LEASE).await? => {}
                // It ran out, and somebody else is at it.
                Err(_) => return Ok(None),
            }
        }
    }
}

impl Tracker {
    /// Lets go of what is too old or too much now, as happens about once an hour by itself, and answers what went; `None`
    /// if that is being done already, here or by another process on the same database.
    ///
    /// # Errors
    /// The store failed; what had gone by then is gone.
    pub async fn retain_now(&self) -> Result<Option<RetentionReport>, StoreError> {
        self.shared.engine.retain().await
    }

    /// What [`retain_now`](Self::retain_now) would let go of. Changes nothing.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn preview_retention(&self) -> Result<RetentionReport, StoreError> {
        self.store().preview_retention(self.retention()).await
    }
}
