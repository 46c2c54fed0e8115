//! Every endpoint, asked through the router.

mod agents;
mod analytics;
mod api;
pub(crate) mod away;
mod balance;
mod dialects;
mod foreign;
mod headers;
mod keys;
mod matrix;
mod merging;
mod metrics;
mod monitoring;
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
mod team;
mod triage;
mod users;
