//! Capture middleware for actix-web 4, and a bridge that mounts errtrack's router in an actix app.
//!
//! [`Capture`] gives every request a scope of its own, which travels with the request's future, and reports
//!
//! - a **panic**, in a handler or before it returned a future: with its stack if the hook is installed
//!   ([`Tracker::install_panic_hook`](errtrack_core::Tracker::install_panic_hook)); the client gets a 500, the connection
//!   and the worker live on;
//! - an **error** that a handler or a middleware returned, if its `ResponseError` answers 5xx: with its chain of sources if
//!   it is known (see [`Capture::response_error`]), or whatever it is if the handler returns [`HandlerError`];
//! - a **5xx** answer by hand: with the error that led to it if the handler says so by a [`Cause`], else, unless something
//!   was already reported while the request was served, as a message that names the route;
//! - a **body** that fails, or panics, after its head was sent.
//!
//! Whatever is captured meanwhile, by whatever means, carries the request: route pattern, method, URL, a few harmless
//! headers, the client's address, trace id. A 4xx is no failure. A request that is dropped half-way is not either, and
//! leaves nothing behind.
//!
//! # Example
//! ```no_run
//! # use errtrack_core::Tracker;
//! use actix_web::{App, HttpServer, web};
//! use errtrack_actix::{Capture, HandlerError};
//!
//! async fn quantity(text: String) -> Result<String, HandlerError> {
//!     let quantity: u32 = text.parse()?; // captured here, answered as a 500
//!     Ok(format!("{quantity} pieces"))
//! }
//!
//! # fn example(tracker: Tracker) -> std::io::Result<()> {
//! HttpServer::new(move || {
//!     App::new().wrap(Capture::new(&tracker)).route("/quantity", web::post().to(quantity))
//! });
//! # Ok(())
//! # }
//! ```
//!
//! # Features
//! `mount`: the bridge, which brings errtrack-web and axum.

mod body;
mod capture;
mod cause;
mod future;
mod handler_error;
#[cfg(feature = "mount")]
mod mount;
mod panicked;
mod report;
mod request;
mod service;

pub use body::CaptureBody;
pub use capture::Capture;
pub use cause::Cause;
pub use future::ResponseFuture;
pub use handler_error::HandlerError;
#[cfg(feature = "mount")]
pub use mount::{Mount, mount};
pub use service::CaptureService;

pub use errtrack_core::adapter::Reported;
