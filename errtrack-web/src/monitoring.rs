//! How the machine, this service and others that are watched are doing; kept as series, by jobs on the tracker's thread.

mod check;
mod history;
mod machine;
mod services;
mod traffic;
mod uptime;

pub use check::{InvalidTarget, Target};
#[cfg(test)]
pub(crate) use history::LatencyPoint;
pub(crate) use history::{History, ServiceHistory};
#[cfg(test)]
pub(crate) use machine::NetworkIo;
pub(crate) use machine::{Machine, MachinePoint};
#[cfg(test)]
pub(crate) use services::Details;
pub(crate) use services::{Health, Service, Services, services};
pub(crate) use traffic::{Traffic, count};
#[cfg(test)]
pub(crate) use uptime::Downtime;
pub(crate) use uptime::{Node, NodeStatus, Uptime};

use crate::app::App;

/// Begins to take readings, if nobody has for this tracker.
pub(crate) fn begin(app: &App) {
    let (traffic, config) = (app.traffic().clone(), app.config());
    let (targets, allowed, shared) = (config.monitor.clone(), config.allowed_targets.clone(), app.shared().clone());
    app.tracker().in_background("machine", move |tracker| machine::run(tracker, traffic));
    app.tracker().in_background("checks", move |tracker| services::run(tracker, shared, targets, allowed));
}
