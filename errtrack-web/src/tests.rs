//! Every endpoint, asked through the router.

mod analytics;
mod api;
pub(crate) mod away;
mod balance;
mod cors;
mod dialects;
mod foreign;
mod limits;
mod live;
mod merging;
mod metrics;
mod openapi;
mod permissions;
mod pins;
mod projects;
mod rules;
mod sanitizer;
mod sentry;
mod settings;
mod spool;
mod support;
