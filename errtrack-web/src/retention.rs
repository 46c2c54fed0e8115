//! Retention that somebody asks for: what would go now, and letting it go.

use crate::{app::App, error::Error};
use axum::http::StatusCode;
use errtrack_core::{StoreError, Timestamp, store::RetentionReport};
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::timeout;

/// Who has this lease lets go of what is old; the tracker's own runs take it too.
const LEASE: &str = "retention";
/// For how long it is taken; a run that takes longer is extended.
const LEASE_LASTS: Duration = Duration::from_secs(60);
/// How long somebody waits for a run before being told that it goes on.
const PATIENCE: Duration = Duration::from_secs(20);

/// The run that was asked for last.
#[derive(Debug, Default)]
pub(crate) struct Runs(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    since: Option<Timestamp>,
    failed: Option<(Timestamp, String)>,
}

/// What came of asking for a run.
#[derive(Debug)]
pub(crate) enum Run {
    /// It is done.
    Done(RetentionReport),
    /// It takes its time, and goes on whether somebody waits or not.
    UnderWay,
}

impl Runs {
    /// Since when a run is under way in this process.
    pub(crate) fn under_way(&self) -> Option<Timestamp> {
        self.state().since
    }

    /// When and why the last one failed, unless one was begun since.
    pub(crate) fn failed(&self) -> Option<(Timestamp, String)> {
        self.state().failed.clone()
    }

    fn begin(app: &App) -> Result<Turn, Error> {
        let mut state = app.runs().state();
        if state.since.is_some() {
            return Err(Error::new(StatusCode::CONFLICT, "a retention run is under way already"));
        }
        *state = State { since: Some(Timestamp::now()), failed: None };
        Ok(Turn(app.clone()))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The one run that may be under way in this process; over when it is dropped, also by a panic of the store.
struct Turn(App);

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.runs().state().since = None;
    }
}

/// What a run would let go of now.
pub(crate) async fn preview(app: &App) -> Result<RetentionReport, StoreError> {
    app.store().preview_retention(app.tracker().retention()).await
}

/// Lets go of what is old or too much, now.
///
/// Not in the task of the request: a run that is begun ends, whether the browser waits or not.
pub(crate) async fn run(app: &App) -> Result<Run, Error> {
    let turn = Runs::begin(app)?;
    let task = tokio::spawn(async move {
        let Turn(app) = &turn;
        let done = run_alone(app).await.map_err(Error::from);
        if let Err(error) = &done {
            app.runs().state().failed = Some((Timestamp::now(), error.message.clone()));
        }
        done
    });
    match timeout(PATIENCE, task).await {
        Ok(Ok(Ok(Some(report)))) => Ok(Run::Done(report)),
        Ok(Ok(Ok(None))) => Err(Error::new(StatusCode::CONFLICT, "another process has a retention run under way")),
        Ok(Ok(Err(error))) => Err(error),
        Ok(Err(_)) => Err(Error::new(StatusCode::INTERNAL_SERVER_ERROR, "the server failed")),
        Err(_) => Ok(Run::UnderWay),
    }
}

/// Runs it under the lease; `None` if another process has that.
async fn run_alone(app: &App) -> Result<Option<RetentionReport>, StoreError> {
    let (store, node) = (app.store(), app.tracker().node());
    if !store.lease(LEASE, node, LEASE_LASTS).await? {
        return Ok(None);
    }
    let run = store.retain(app.tracker().retention());
    let extend = async {
        loop {
            tokio::time::sleep(LEASE_LASTS / 3).await;
            let _ = store.lease(LEASE, node, LEASE_LASTS).await;
        }
    };
    let report = tokio::select! {
        report = run => report,
        never = extend => never,
    };
    let _ = store.release(LEASE, node).await;
    report.map(Some)
}
