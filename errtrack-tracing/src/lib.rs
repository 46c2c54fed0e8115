//! A `tracing_subscriber` layer that brings what a program logs to errtrack.
//!
//! | level | becomes |
//! |---|---|
//! | `ERROR` | an event: message, fields, an `error` field with its whole chain of sources, the place of the call |
//! | `WARN`, `INFO` | a breadcrumb of the current scope, seen on whatever is captured next in it |
//! | `DEBUG`, `TRACE` | nothing |
//!
//! Levels, targets, or a function of yours decide otherwise: [`LayerExt`]. Records of the `log` crate come through
//! `tracing_log::LogTracer`, with their own target, file and line.
//!
//! Events carry the path and the fields of the spans in which they happened, and the paths of spans from which those follow,
//! as the context `tracing`.
//!
//! # Example
//! ```no_run
//! # fn example(tracker: errtrack_core::Tracker) {
//! use tracing_subscriber::prelude::*;
//!
//! tracing_subscriber::registry()
//!     .with(errtrack_tracing::layer(&tracker))
//!     .init();
//!
//! let error = std::io::Error::other("connection refused");
//! tracing::error!(
//!     error = &error as &dyn std::error::Error, // the whole chain; `%error` would be its text only
//!     tags.provider = "acme-pay",               // a tag to filter by
//!     order = 7,                                // everything else stands under "extra"
//!     "could not take payment"
//! );
//! # }
//! ```
//!
//! # Not reported
//! What errtrack itself logs; what is logged on its own threads, its database driver included; and what a panic hook logs
//! about a panic that errtrack's hook reports. A value whose `Debug` panics costs its own field.
//!
//! # Design
//! The layer keeps nothing in thread-locals: fields live in the extensions of their span, and the scope travels with the
//! future of the request. It filters for itself alone ([`CaptureFilter`]): what it does not want is disabled where nobody
//! else wants it, and still reaches the other layers where they do. What errtrack itself logs, and everything that is
//! logged on the tracker's own thread, is dropped first of all: a tracker that records its own failure to record is a loop.

mod configure;
mod convert;
mod filter;
mod layer;
mod mapping;
mod note;
mod visit;

pub use configure::LayerExt;
pub use filter::CaptureFilter;
pub use layer::CaptureLayer;
pub use mapping::{EventFilter, Mapping};

use errtrack_core::Tracker;
use tracing_core::Subscriber;
use tracing_subscriber::{filter::Filtered, layer::Layer, registry::LookupSpan};

/// A layer that reports to a tracker, with the filter that belongs to it.
///
/// A breadcrumb costs less than a tenth of a microsecond and one allocation, an event some hundred nanoseconds; what is
/// disabled costs nothing. It does not keep the tracker alive.
///
/// # Example
/// ```no_run
/// # fn example(tracker: errtrack_core::Tracker) {
/// use tracing_subscriber::prelude::*;
/// tracing_subscriber::registry()
///     .with(errtrack_tracing::layer(&tracker))
///     .init();
/// # }
/// ```
pub fn layer<S>(tracker: &Tracker) -> Filtered<CaptureLayer, CaptureFilter, S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    CaptureLayer::new(tracker).with_filter(CaptureFilter::default())
}

/// A layer that reports to the tracker of the current scope, else to the one that was built last, with the filter that
/// belongs to it.
///
/// It can be set up before there is a tracker, so that what happens while the program starts is logged by others already;
/// until then it lets everything go. In tests, one that is set up for the process reports to the recorder of each test.
///
/// # Example
/// ```no_run
/// use tracing_subscriber::prelude::*;
/// tracing_subscriber::registry()
///     .with(errtrack_tracing::current_layer())
///     .init();
/// // and later: let tracker = Tracker::builder()…
/// ```
pub fn current_layer<S>() -> Filtered<CaptureLayer, CaptureFilter, S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    CaptureLayer::current().with_filter(CaptureFilter::default())
}
