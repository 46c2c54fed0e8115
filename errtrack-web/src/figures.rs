//! Figures: what the API and the pages say of events and issues over time, made from rollups.

mod calendar;
mod kept;
mod performance;
mod stats;
mod timeframe;
mod trends;

pub(crate) use calendar::{day, month, months_later};
pub(crate) use kept::{for_a_while, json, kept, scope};
pub(crate) use performance::{Performance, PerformancePoint, RoutePerformance, rounded};
pub(crate) use stats::{EnvironmentFigures, Stats, TopError, duration};
pub(crate) use timeframe::{Timeframe, minute, time};
#[cfg(test)]
pub(crate) use trends::TrendPoint;
pub(crate) use trends::{GroupBy, Period, Trend};
