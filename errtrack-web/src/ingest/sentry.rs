//! Reports of Sentry SDKs: envelopes, and the older store requests.
//!
//! What is sent is never believed to be what its `Content-Type` says, and a part that cannot be read never costs another. The
//! answer is given when everything is durable.

mod answer;
mod auth;
mod envelope;
mod event;
mod exception;
#[cfg(feature = "fuzzing")]
pub(super) mod fuzzing;
pub(crate) mod lenient;
mod message;
mod pairs;
mod request;
mod routes;
mod shapes;
mod store;
mod transaction;

pub(super) use routes::routes;
