//! How the machine, this service and others that are watched are doing; kept as series, by jobs on the tracker's thread.

mod check;
mod machine;
mod services;
mod traffic;
mod uptime;

pub use check::{InvalidTarget, Target};
pub(crate) use machine::Machine;
pub(crate) use services::{Health, Services, services};
pub(crate) use traffic::{Traffic, count};
pub(crate) use uptime::Uptime;

use crate::app::App;

/// Begins to take readings, if nobody has for this tracker.
pub(crate) fn begin(app: &App) {
    let (traffic, config) = (app.traffic().clone(), app.config());
    let (targets, allowed) = (config.monitor.clone(), config.allowed_targets.clone());
    app.tracker().in_background("machine", move |tracker| machine::run(tracker, traffic));
    app.tracker().in_background("checks", move |tracker| services::run(tracker, targets, allowed));
}
