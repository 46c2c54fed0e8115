//! What adapters for web frameworks have in common, in plain data: they speak different versions of `http`, and core none.
//!
//! A host does not need this. An adapter keeps the parts of a request as its framework holds them, implements
//! [`RequestSource`](crate::RequestSource) by lending them to [`ServedRequest::fill`], and reports what fails by
//! [`panicked`], [`answered`] and [`Caught`].

mod headers;
mod open;
mod report;
mod request;
mod route;
mod templates;
pub(crate) mod trace;

pub use headers::HeaderValues;
pub use open::Open;
pub use report::{Captured, Caught, Reported, answered, event_of, expect_echo, panicked, takes_echo};
pub use request::{HEADERS, ServedRequest, header_position};
pub use templates::Templates;
