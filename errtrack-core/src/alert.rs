//! Alerts: rules that say when somebody is to be told.

mod condition;

pub use condition::{
    Bound, Condition, Filter, FilterKey, InvalidCondition, Metric, Operator, Window, WindowChoice, parse_window,
};
