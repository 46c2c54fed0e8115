//! The event: everything that a program can say about one thing that went wrong.
//!
//! One model holds what the capturing layers see inside a Rust process, what the three report dialects bring, and what a
//! Sentry SDK sends ([event payloads]). It is liberal: every part is optional, and nothing here judges. Limits, sanitizing
//! and grouping are applied later, when an [`Occurrence`](crate::Occurrence) is made from it.
//!
//! Its JSON form is both what is stored and what `GET /api/events/{id}` answers.
//!
//! [event payloads]: https://develop.sentry.dev/sdk/data-model/event-payloads/

mod exception;
mod level;
mod request;

pub use exception::{Exception, Frame, Mechanism, Stacktrace, Thread};
pub use level::{Level, UnknownLevel};
pub use request::{Request, User};

use crate::{EventId, Timestamp, grouping::Grouping};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// A JSON object.
pub type Map = serde_json::Map<String, Value>;

/// One report of something that went wrong, as it was captured or received.
///
/// # Example
/// ```
/// use errtrack_core::{Event, Exception, Level};
///
/// let mut event = Event::new();
/// event.level = Level::Fatal;
/// event.exceptions.push(Exception::new("PoolTimedOut", "no connection within 5 s"));
/// assert_eq!(event.title(), ("PoolTimedOut", "no connection within 5 s"));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Event {
    /// The client's id, or one that was made here; 32 hex digits in JSON. Stored once per project.
    pub event_id: EventId,
    /// When it happened, clamped to a sane range.
    pub timestamp: Timestamp,
    /// When it reached the tracker.
    pub received_at: Timestamp,
    /// The timestamp as sent, where it was clamped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub original_timestamp: Option<String>,
    /// How bad it is.
    pub level: Level,
    /// `rust`, `python`, `javascript`, `node`, …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// Where it came from in the words of the report dialects: `backend`, `frontend`, `browser`, ….
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The logger or `tracing` target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logger: Option<String>,
    /// The route template or task in which it happened: `POST /orders/{id}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction: Option<String>,
    /// The host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_name: Option<String>,
    /// The release of the program: `shop@1.4.2`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// The build within a release.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dist: Option<String>,
    /// `production`, `staging`, ….
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// A message, apart from what the exceptions say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<Message>,
    /// The chain of exceptions in the order in which Sentry's protocol sends it: the root cause first, the outermost
    /// error, which names the event, last.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exceptions: Vec<Exception>,
    /// Threads, where a client sends them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub threads: Vec<Thread>,
    /// The stack trace as text, where that is what was received.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack_trace: Option<String>,
    /// What happened before, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub breadcrumbs: Vec<Breadcrumb>,
    /// The HTTP request that was served.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<Request>,
    /// For whom it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<User>,
    /// Short values to filter and count by.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Named groups of facts: `os`, `runtime`, `device`, `trace`, ….
    #[serde(skip_serializing_if = "Map::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub contexts: Map,
    /// Anything else.
    #[serde(skip_serializing_if = "Map::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub extra: Map,
    /// Packages and their versions.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub modules: BTreeMap<String, String>,
    /// Images for symbolication and source maps, as sent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub debug_images: Vec<Value>,
    /// What captured it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sdk: Option<Sdk>,
    /// The client's own fingerprint; `{{ default }}` in it stands for ours.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fingerprint: Vec<String>,
    /// Why it belongs to its issue; set when it is prepared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grouping: Option<Grouping>,
    /// Which values were filtered before storing, by path and kind.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub filtered: Vec<Mark>,
    /// What was cut to fit the limits, by path.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub truncated: Vec<Mark>,
}

/// A note on a part of an event that is not what was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Mark {
    /// Where, in dots: `request.headers.authorization`.
    pub path: String,
    /// What was done: `bearer token`, or `kept 200 of 412`.
    pub what: String,
}

/// A message, with the template it was made from where that is known.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Message {
    /// The text as a person reads it.
    pub text: String,
    /// The text before its parameters were filled in; the better key for grouping.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// The parameters: a list or a map.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub params: Value,
}

/// Something that happened before the event.
///
/// # Example
/// ```
/// use errtrack_core::{Breadcrumb, Level};
/// let crumb = Breadcrumb::new("cache miss").category("cache").level(Level::Debug).data("key", "user:42");
/// assert_eq!(crumb.category.as_deref(), Some("cache"));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Breadcrumb {
    /// When; taken when it is added, where it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<Timestamp>,
    /// `http`, `navigation`, `query`, `default`, ….
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub ty: Option<String>,
    /// A dotted name of its source: `ui.click`, `sqlx::query`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// How bad it is; `info` where it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
    /// What happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Fields.
    #[serde(skip_serializing_if = "Map::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub data: Map,
}

/// The client that captured an event.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Sdk {
    /// `sentry.python`, `errtrack.rust`, ….
    pub name: String,
    /// Its version.
    pub version: String,
}

impl Event {
    /// An empty event of level `error` with a fresh id, happening now.
    #[must_use]
    pub fn new() -> Self {
        let now = Timestamp::now();
        Self { event_id: EventId::random(), timestamp: now, received_at: now, ..Self::default() }
    }

    /// The exception that names the event: the outermost one that says anything.
    ///
    /// A value without a type, as JavaScript SDKs send beside a message, does not name an event.
    #[must_use]
    pub fn main_exception(&self) -> Option<&Exception> {
        self.exceptions.iter().rev().find(|e| e.ty.is_some()).or_else(|| match &self.message {
            Some(_) => None,
            None => self.exceptions.last(),
        })
    }

    /// Type and value, as a list shows them: of the main exception, else `("", message)`.
    #[must_use]
    pub fn title(&self) -> (&str, &str) {
        if let Some(exception) = self.main_exception() {
            let ty = exception.ty.as_deref().unwrap_or_default();
            let value = exception.value.as_deref().unwrap_or_default();
            if !ty.is_empty() || !value.is_empty() {
                return (ty, value);
            }
        }
        match &self.message {
            Some(message) => ("", &message.text),
            None => ("", ""),
        }
    }

    /// `false` where any exception says that nothing in the program handled it.
    #[must_use]
    pub fn handled(&self) -> bool {
        !self.exceptions.iter().any(|e| e.mechanism.as_ref().and_then(|m| m.handled) == Some(false))
    }

    /// A rough count of the bytes that it holds, for bounding queues; no allocation, no serialization.
    #[must_use]
    pub fn approximate_size(&self) -> usize {
        fn value(v: &Value) -> usize {
            match v {
                Value::String(s) => 24 + s.len(),
                Value::Array(list) => 24 + list.iter().map(value).sum::<usize>(),
                Value::Object(object) => map(object),
                _ => 16,
            }
        }
        fn map(m: &Map) -> usize {
            m.iter().map(|(k, v)| 48 + k.len() + value(v)).sum()
        }
        fn text(s: Option<&String>) -> usize {
            s.map_or(0, String::len)
        }
        let exceptions = self.exceptions.iter().map(Exception::approximate_size).sum::<usize>();
        let threads = self.threads.iter().filter_map(|t| t.stacktrace.as_ref());
        let crumbs = self.breadcrumbs.iter().map(|b| 200 + text(b.message.as_ref()) + map(&b.data)).sum::<usize>();
        let request = self.request.as_ref().map_or(0, |r| {
            let pairs = r.headers.iter().chain(&r.env).map(|(k, v)| 48 + k.len() + v.len()).sum::<usize>();
            pairs + text(r.url.as_ref()) + text(r.query_string.as_ref()) + r.data.as_ref().map_or(0, value)
        });
        size_of::<Self>()
            + exceptions
            + threads.map(Stacktrace::approximate_size).sum::<usize>()
            + crumbs
            + request
            + self.message.as_ref().map_or(0, |m| m.text.len() + value(&m.params))
            + text(self.stack_trace.as_ref())
            + self.tags.iter().map(|(k, v)| 48 + k.len() + v.len()).sum::<usize>()
            + map(&self.contexts)
            + map(&self.extra)
    }
}

impl Message {
    /// A message that was made from no template.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }
}

impl Breadcrumb {
    /// A breadcrumb that happens now.
    pub fn new(message: impl Into<String>) -> Self {
        Self { timestamp: Some(Timestamp::now()), message: Some(message.into()), ..Self::default() }
    }

    /// Sets the dotted name of its source.
    #[must_use]
    pub fn category(mut self, category: impl Into<String>) -> Self {
        self.category = Some(category.into());
        self
    }

    /// Sets the level.
    #[must_use]
    pub fn level(mut self, level: Level) -> Self {
        self.level = Some(level);
        self
    }

    /// Adds a field.
    #[must_use]
    pub fn data(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.data.insert(key.into(), value.into());
        self
    }
}
