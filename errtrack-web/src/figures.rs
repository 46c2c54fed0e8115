//! Figures: what the API and the pages say of events and issues over time, made from rollups.

mod calendar;
mod kept;
mod stats;
mod trends;

pub(crate) use kept::{json, kept, scope};
pub(crate) use stats::{EnvironmentFigures, Stats, TopError, duration};
pub(crate) use trends::{GroupBy, Period, Trend};
