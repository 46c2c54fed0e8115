//! Retention that somebody asks for, beside the runs that come by themselves.

use crate::{
    access::{Caller, Deed},
    app::App,
    error::Error,
};
use axum::http::StatusCode;
use errtrack_core::{Timestamp, store::RetentionReport};
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::timeout;

/// How long somebody waits for a run before being told that it goes on.
const PATIENCE: Duration = Duration::from_secs(20);
const BUSY: &str = "a retention run is under way already, here or in another process";

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
    /// Since when a run that somebody asked for is under way.
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
            return Err(Error::new(StatusCode::CONFLICT, BUSY));
        }
        *state = State { since: Some(Timestamp::now()), failed: None };
        Ok(Turn(app.clone()))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The one run that may be under way; over when it is dropped, also by a panic of the store.
struct Turn(App);

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.runs().state().since = None;
    }
}

/// Lets go of what is old or too much, now.
///
/// Not in the task of the request: a run that is begun ends, whether the browser waits or not.
pub(crate) async fn run(app: &App, caller: &Caller) -> Result<Run, Error> {
    let turn = Runs::begin(app)?;
    caller.did(app, Deed::new("retention.run", "")).await;
    let task = tokio::spawn(async move {
        let Turn(app) = &turn;
        let done = app.tracker().retain_now().await.map_err(Error::from);
        if let Err(error) = &done {
            app.runs().state().failed = Some((Timestamp::now(), error.message.clone()));
        }
        done
    });
    match timeout(PATIENCE, task).await {
        Ok(Ok(Ok(Some(report)))) => Ok(Run::Done(report)),
        Ok(Ok(Ok(None))) => Err(Error::new(StatusCode::CONFLICT, BUSY)),
        Ok(Ok(Err(error))) => Err(error),
        Ok(Err(_)) => Err(Error::new(StatusCode::INTERNAL_SERVER_ERROR, "the server failed")),
        Err(_) => Ok(Run::UnderWay),
    }
}
