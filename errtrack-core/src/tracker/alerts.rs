//! Alert rules are asked now and then, by one process at a time: soon after something happened, conditions a few times a minute.

pub(super) mod watched;

use super::{Engine, Tracker};
use crate::{
    Timestamp,
    alert::{Evaluated, Scope, evaluate},
    store::StoreError,
};
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, sleep, timeout};

/// How often it is looked whether something happened, where nobody says so: other processes may have written it.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How often conditions are measured.
const MEASURE_EVERY: Duration = Duration::from_secs(15);
/// How often issues are looked at for spikes.
const SPIKES_EVERY: Duration = Duration::from_secs(60);
/// After the first signal of a batch, more may follow at once.
const GATHER: Duration = Duration::from_millis(200);
/// How long this process asks alone.
const LEASE: Duration = Duration::from_secs(60);

pub(super) const ALERTS: &str = "alerts";

/// Asks the rules until it is dropped.
pub(super) async fn run(engine: Arc<Engine>) {
    let mut turns = Turns::default();
    loop {
        let woken = timeout(LOOK_EVERY, engine.signalled.notified()).await.is_ok();
        if woken {
            sleep(GATHER).await;
        }
        while match engine.ask_rules(&mut turns).await {
            Ok(done) => done.more,
            Err(error) => {
                engine.note_trouble(&error.context("asking alert rules"));
                false
            }
        } {}
    }
}

/// When what is to be done next.
#[derive(Debug, Default)]
struct Turns {
    measured: Option<Instant>,
    spikes: Option<Instant>,
    /// Until then this process has the lease.
    leased: Option<Instant>,
}

impl Engine {
    async fn ask_rules(&self, turns: &mut Turns) -> Result<Evaluated, StoreError> {
        let start = Instant::now();
        let due = |last: Option<Instant>, every| last.is_none_or(|last| start.duration_since(last) >= every);
        let scope = Scope { conditions: due(turns.measured, MEASURE_EVERY), spikes: due(turns.spikes, SPIKES_EVERY) };
        let came = !self.store.signals(1).await?.is_empty();
        if !scope.conditions && !scope.spikes && !came {
            return Ok(Evaluated::default());
        }
        let rules = self.store.alert_rules().await?;
        let has_something = came || !rules.is_empty() || !self.alerts.emails.is_empty();
        // The lease is a write: it is only asked for where there is something to do.
        let may_ask = has_something && self.may_ask_rules(turns, start).await?;
        let done = if may_ask {
            evaluate(self.store.as_ref(), self, (&self.alerts, &rules), Timestamp::now(), scope).await?
        } else {
            Evaluated::default()
        };
        // Where another process asks, it is this one's turn no sooner than if it had asked itself.
        if scope.conditions {
            turns.measured = Some(start);
        }
        if scope.spikes {
            turns.spikes = Some(start);
        }
        if done.told > 0 {
            self.channels.came.notify_one();
        }
        Ok(done)
    }

    /// Whether this process is the one that asks.
    async fn may_ask_rules(&self, turns: &mut Turns, start: Instant) -> Result<bool, StoreError> {
        if turns.leased.is_none_or(|until| until <= start) {
            let is_mine = self.store.lease(ALERTS, self.node, LEASE).await?;
            turns.leased = is_mine.then_some(start + LEASE / 2);
        }
        Ok(turns.leased.is_some())
    }
}

impl Tracker {
    /// Asks all alert rules as of `now`, as happens by itself every few seconds, and answers how often they had something to
    /// say. Several processes may do so at once: what happened is told once all the same.
    ///
    /// # Errors
    /// The store failed; what was not told will be.
    pub async fn evaluate_alerts(&self, now: Timestamp) -> Result<usize, StoreError> {
        let engine = &self.shared.engine;
        let mut firings = 0;
        // What this process has counted so far is asked too.
        engine.tell_users().await?;
        engine.tell_watched(now).await?;
        loop {
            let scope = Scope { conditions: true, spikes: true };
            let rules = engine.store.alert_rules().await?;
            let done = evaluate(engine.store.as_ref(), engine.as_ref(), (&engine.alerts, &rules), now, scope).await?;
            firings += done.firings;
            if !done.more {
                self.wake_delivery();
                return Ok(firings);
            }
        }
    }
}
