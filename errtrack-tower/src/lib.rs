//! One tower layer that captures what goes wrong in any service over `http::Request`: panics, errors, and answers of 5xx.
//!
//! [`CaptureLayer`] gives every request a scope of its own, which travels with the request's future, and reports
//!
//! - a **panic**, in the handler or before it returned a future: with its stack if the hook is installed
//!   ([`Tracker::install_panic_hook`](errtrack_core::Tracker::install_panic_hook)); the client gets a 500, the connection
//!   and the process live on;
//! - an **error** of the service, with its chain of sources (see [`CaptureLayer::service_error`]);
//! - a **5xx** answer: with the error that led to it if the handler says so by a [`Cause`], else, unless something was
//!   already reported while the request was served, as a message that names the route.
//!
//! Whatever is captured meanwhile, by whatever means, carries the request: route, method, URL, a few harmless headers,
//! trace id. A request that is dropped half-way is not an error and leaves nothing behind.
//!
//! One layer does it all, and its place among other layers does not matter: what stands inside it is watched. The route's
//! template is known wherever axum has matched it before (`Router::layer` and `route_layer`); outside of that, the
//! path with its numbers and ids replaced stands in.
//!
//! # Example
//! ```no_run
//! # use errtrack_core::Tracker;
//! use errtrack_tower::CaptureLayer;
//! use tower::{ServiceBuilder, service_fn};
//!
//! # fn example(tracker: Tracker) {
//! let service = ServiceBuilder::new()
//!     .layer(CaptureLayer::new(&tracker))
//!     .service(service_fn(|_: http::Request<String>| async {
//!         Ok::<_, std::convert::Infallible>(http::Response::new(String::new()))
//!     }));
//! # }
//! ```
//!
//! # Features
//! `axum`: route templates, the client's address, original URLs of nested routers, and `HandlerError`.

mod answer;
mod body;
mod cause;
mod client;
mod future;
mod grpc;
#[cfg(feature = "axum")]
mod handler_error;
mod layer;
mod report;
mod request;
mod service;

pub use answer::{AnswerPanic, Asked, EmptyAnswer};
pub use body::CaptureBody;
pub use cause::Cause;
pub use client::PeerAddress;
pub use future::ResponseFuture;
#[cfg(feature = "axum")]
pub use handler_error::HandlerError;
pub use layer::{BodiesAsTheyCome, BodiesKept, CaptureLayer};
pub use request::RequestBody;
pub use service::Capture;

pub use errtrack_core::adapter::Reported;
