//! Every endpoint, asked through the router.

mod api;
mod dialects;
mod sentry;
mod support;
