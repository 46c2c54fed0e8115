//! The core of errtrack: what an event is, how it is made safe and grouped, and how it gets into a store.
//!
//! ```text
//! Event ──prepare──▶ Occurrence ──record──▶ Issue
//! seen               cut, sanitized,         stored, counted
//!                    fingerprinted
//! ```
//!
//! Each stage has its own type, and only the stage before can make it. Core knows no SQL, no HTTP framework and no HTML;
//! those live in the crates above it, which the facade `errtrack` joins.

mod account;
pub mod adapter;
mod chain;
mod current;
pub mod event;
pub mod grouping;
mod id;
mod issue;
mod occurrence;
mod panic;
mod prepare;
mod project;
mod proxies;
pub mod retention;
mod routes;
pub mod sanitize;
mod scope;
#[cfg(unix)]
mod signal;
pub mod stacktext;
pub mod store;
mod symbols;
mod time;
mod tracker;

pub use account::{Member, Role, TokenHash, TokenKind, UnknownRole};
pub use current::{
    ResultExt, add_breadcrumb, capture_error, capture_event, capture_message, configure_scope, spawn, tracker,
};
pub use event::{
    Breadcrumb, Event, Exception, Frame, Level, Map, Mark, Mechanism, Message, Request, Sdk, Stacktrace, Thread, User,
};
pub use id::{EventId, Fingerprint, InvalidId, IssueId, ProjectId};
pub use issue::{InvalidIssueRef, Issue, IssueRef, Status, UnknownStatus};
pub use occurrence::Occurrence;
pub use panic::last_panic;
pub use prepare::{Formula, Limits, Preparer, user_hash};
pub use project::{Project, slugify};
pub use proxies::{InvalidNetwork, TrustedProxies};
pub use routes::{Latencies, RouteStatistics, Routes, StatusClass};
pub use scope::{BreadcrumbSource, InScope, RequestSource, Scope, ScopeHandle};
pub use store::{Store, StoreError};
pub use time::{InvalidTimestamp, Timestamp};
pub use tracker::{
    Balance, BuildError, IngestError, IssueChange, Receipt, Report, SpoolStatus, Tracker, TrackerBuilder, WeakTracker,
    inside,
};
