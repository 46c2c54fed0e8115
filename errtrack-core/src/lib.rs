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
pub mod alert;
#[cfg(feature = "anyhow")]
mod anyhow;
mod chain;
mod current;
pub mod event;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
pub mod grouping;
mod hosted;
mod id;
pub mod incident;
mod issue;
pub mod notify;
mod occurrence;
mod own_trace;
mod panic;
mod prepare;
mod priority;
mod project;
mod proxies;
mod release;
pub mod retention;
mod routes;
pub mod rules;
pub mod sanitize;
mod scope;
#[cfg(unix)]
mod signal;
mod spawn;
pub mod stacktext;
pub mod store;
mod symbols;
mod targets;
#[cfg(feature = "test")]
pub mod test;
mod time;
mod tracker;

pub use account::{
    ApiKey, AuditEntry, Member, MemberChange, MemberChanged, MemberStatus, Permission, Role, Token, TokenHash,
    TokenKind, UnknownMemberStatus, UnknownPermission, UnknownRole,
};
#[cfg(feature = "anyhow")]
pub use anyhow::{AnyhowExt, capture_anyhow};
pub use current::{
    ResultExt, add_breadcrumb, capture_error, capture_error_with_backtrace, capture_event, capture_message,
    configure_scope, tracker,
};
pub use event::{
    Breadcrumb, Event, Exception, Frame, Level, Map, Mark, Mechanism, Message, Request, Sdk, Stacktrace, Thread, User,
};
pub use hosted::{Capturing, discard, hosted};
pub use id::{EventId, Fingerprint, InvalidId, IssueId, ProjectId};
pub use issue::{Condition, InvalidIssueRef, Issue, IssueRef, Status, UnknownStatus};
pub use occurrence::Occurrence;
pub use panic::{last_panic, repeats_panic};
pub use prepare::{Formula, Limits, Preparer, user_hash};
pub use priority::lower_priority;
pub use project::{Project, slugify};
pub use proxies::{InvalidNetwork, TrustedProxies};
pub use release::release_order;
pub use routes::{Latencies, RouteStatistics, Routes, StatusClass};
pub use rules::{Action, Field, InvalidRules, Rule, Rules};
pub use scope::{BreadcrumbSource, InScope, RequestSource, Scope, ScopeExt, ScopeHandle, StreamScopeExt, with_scope};
pub use spawn::{carry, spawn, spawn_blocking};
pub use store::{Store, StoreError};
pub use targets::AllowedTargets;
pub use time::{InvalidTimestamp, Timestamp};
pub use tracker::{
    Balance, Beat, BuildError, IngestError, IssueChange, Receipt, Report, SpoolStatus, Tracker, TrackerBuilder,
    WeakTracker, inside,
};
