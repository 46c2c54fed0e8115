//! A client: a position among what happened, and the right to know of it.

use super::{
    Kind, Live,
    hub::{self, Place},
    ring::Next,
};
use crate::{access::Caller, app::App};
use http::request::Parts;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

/// Between two signs of life.
const BEAT: Duration = Duration::from_secs(15);
/// How soon it is looked again whether the caller may still be here: when accounts change, and anyway.
const SOON: Duration = Duration::from_secs(1);
const ANYWAY: Duration = Duration::from_secs(60);

/// Somebody who is told what happens. Ends when its session or key does.
#[derive(Debug)]
pub(crate) struct Client {
    app: App,
    live: Live,
    parts: Parts,
    caller: Caller,
    moved: watch::Receiver<u64>,
    life: u64,
    at: u64,
    /// Up to where it was told the counters.
    counted: u64,
    begun: bool,
    missed: bool,
    beat: Instant,
    checked: Instant,
    doors: u64,
    _place: Place,
}

/// What a client is told.
#[derive(Debug)]
pub(crate) struct Told {
    /// Where it stands now: what to come back with.
    pub(crate) id: String,
    /// What happened, with JSON; `None` is a sign of life.
    pub(crate) event: Option<(Kind, Arc<str>)>,
}

impl Client {
    /// Begins after `last`, the id of what was last told, if that is known here; else now. `None` if there are too many.
    pub(crate) fn enter(app: &App, parts: Parts, caller: Caller, last: Option<&str>) -> Option<Self> {
        let live = app.live().clone();
        let place = live.enter()?;
        live.listen(app);
        let moved = live.watch();
        let state = live.state();
        let (life, end, doors) = (state.life.unwrap_or_default(), state.ring.end(), state.doors);
        drop(state);
        let known = last.and_then(position).filter(|(of, at)| *of == life && *at <= end);
        let now = Instant::now();
        Some(Self {
            app: app.clone(),
            live,
            parts,
            caller,
            moved,
            life,
            at: known.map_or(end, |(_, at)| at),
            counted: 0,
            begun: false,
            missed: last.is_some() && known.is_none(),
            beat: now + BEAT,
            checked: now,
            doors,
            _place: place,
        })
    }

    /// Waits for what happens next; `None` when the client has to go.
    pub(crate) async fn next(&mut self) -> Option<Told> {
        loop {
            if !self.may_stay().await {
                return None;
            }
            if let Some(told) = self.take() {
                self.beat = Instant::now() + BEAT;
                return Some(told);
            }
            let until = self.beat.min(self.next_check());
            tokio::select! {
                _ = self.moved.changed() => {}
                () = sleep_until(until) => {}
                () = self.app.config().stop.stopped() => return None,
            }
        }
    }

    /// What there is to tell now.
    fn take(&mut self) -> Option<Told> {
        let state = self.live.state();
        if state.life != Some(self.life) {
            // Who listened is gone, with the runtime that it was on.
            drop(state);
            self.live.listen(&self.app);
            let state = self.live.state();
            (self.life, self.at, self.missed) = (state.life.unwrap_or_default(), state.ring.end(), true);
            self.counted = 0;
            drop(state);
            return self.take();
        }
        if !self.begun {
            self.begun = true;
            return Some(self.told(None));
        }
        if self.missed {
            self.missed = false;
            return Some(self.told(Some((Kind::Missed, "{}".into()))));
        }
        match state.ring.next(self.at, |project| self.caller.sees(project)) {
            Next::Entry(after, entry) => {
                self.at = after;
                return Some(self.told(Some((entry.kind, entry.data))));
            }
            Next::Gone(first) => {
                self.at = first;
                return Some(self.told(Some((Kind::Missed, "{}".into()))));
            }
            Next::Nothing(end) => self.at = end,
        }
        let moved = |(_, (at, _)): &(_, &(u64, _))| *at > self.counted;
        let mine = state.counters.iter().filter(|(project, _)| self.caller.sees(**project)).filter(moved);
        if let Some((project, (at, balance))) = mine.min_by_key(|(_, (at, _))| *at) {
            let data = hub::counters(*project, *balance);
            self.counted = *at;
            return Some(self.told(Some((Kind::Counters, data))));
        }
        (Instant::now() >= self.beat).then(|| self.told(None))
    }

    fn told(&self, event: Option<(Kind, Arc<str>)>) -> Told {
        Told { id: format!("{:016x}-{}", self.life, self.at), event }
    }

    fn next_check(&self) -> Instant {
        let changed = self.live.state().doors != self.doors;
        self.checked + if changed { SOON } else { ANYWAY }
    }

    /// Whether the caller may still know; looks again when it may have changed.
    async fn may_stay(&mut self) -> bool {
        if Instant::now() < self.next_check() {
            return true;
        }
        let doors = self.live.state().doors;
        let found = Caller::find(&self.app, &self.parts).await;
        // Only now: whoever stops waiting for the answer has not looked.
        (self.doors, self.checked) = (doors, Instant::now());
        match found {
            Ok(Some(caller)) if caller.permissions.read => {
                self.caller = caller;
                true
            }
            Ok(_) => false,
            // Nobody can say; what may be known did not change.
            Err(error) => error.status == http::StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// Life and position of an id.
fn position(id: &str) -> Option<(u64, u64)> {
    let (life, at) = id.trim().split_once('-')?;
    Some((u64::from_str_radix(life, 16).ok()?, at.parse().ok()?))
}
