//! An error tracker that lives inside your service.
//!
//! A tower layer, a panic hook and a `tracing` layer catch what goes wrong; a bounded queue carries it; a database file
//! beside the service keeps it; a router mounted in the same app shows it. Nothing else runs.
//!
//! This crate only gathers the rooms of the house; see `ARCHITECTURE.md` for where things are.

pub use errtrack_core::{
    Balance, Breadcrumb, BuildError, Event, EventId, Exception, Frame, IssueChange, Level, Mechanism, Message, Project,
    Request, RequestSource, ResultExt, Scope, ScopeHandle, Stacktrace, Store, StoreError, Timestamp, Tracker,
    TrackerBuilder, User, add_breadcrumb, capture_error, capture_event, capture_message, configure_scope, grouping,
    last_panic, sanitize, spawn, store, tracker,
};

#[cfg(feature = "sqlite")]
pub use errtrack_store::SqliteStore;

/// The layer for any tower service over `http::Request`.
#[cfg(feature = "tower")]
pub mod tower {
    pub use errtrack_tower::*;
}

/// The layer for `tracing_subscriber`.
#[cfg(feature = "tracing")]
pub mod tracing {
    pub use errtrack_tracing::*;
}

/// The router: ingest, REST API and dashboard.
#[cfg(feature = "axum")]
pub mod web {
    pub use errtrack_web::*;
}

/// Helpers for axum handlers.
#[cfg(feature = "axum")]
pub mod axum {
    pub use errtrack_tower::HandlerError;
}
