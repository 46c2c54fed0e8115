//! The scope: what is known about the work under way, to be put on every event captured in it.
//!
//! A scope travels with the future that does the work ([`ScopeHandle::enter`] wraps it), not with the thread: it is there
//! in every poll, on whichever thread, and gone in between. Nothing depends on a guard that lives across an await.

mod cell;
mod future;
mod handle;

pub(crate) use cell::ScopeCell;
pub use future::{InScope, ScopeExt, StreamScopeExt};
pub use handle::{ScopeHandle, with_scope};

use crate::{Breadcrumb, Event, Level, Map, User};
use serde_json::Value;
use std::{
    any::Any,
    collections::{BTreeMap, VecDeque},
    fmt,
    sync::Arc,
};

/// Breadcrumbs kept per scope; older ones are let go.
const BREADCRUMBS: usize = 100;

/// What is known about the work under way.
///
/// # Example
/// ```
/// use errtrack_core::{Event, Scope, User};
///
/// let mut scope = Scope::default();
/// scope.set_user(User::id("42"));
/// scope.set_tag("plan", "pro");
///
/// let mut event = Event::new();
/// scope.apply(&mut event);
/// assert_eq!(event.tags["plan"], "pro");
/// ```
#[derive(Debug, Clone, Default)]
pub struct Scope {
    user: Option<User>,
    level: Option<Level>,
    transaction: Option<String>,
    fingerprint: Vec<String>,
    tags: BTreeMap<String, String>,
    contexts: Map,
    extra: Map,
    /// Shared, so that a scope that was put on an event can go on cheaply: the copy counts references.
    breadcrumbs: VecDeque<Arc<dyn BreadcrumbSource>>,
}

/// A breadcrumb in a form in which it is cheap to leave, made whole only when something is captured.
///
/// Most breadcrumbs are never read. A layer that leaves many keeps what it has as it is, and turns it into a
/// [`Breadcrumb`] here, on the tracker's thread.
pub trait BreadcrumbSource: fmt::Debug + Send + Sync + 'static {
    /// The breadcrumb.
    fn breadcrumb(&self) -> Breadcrumb;
}

impl BreadcrumbSource for Breadcrumb {
    fn breadcrumb(&self) -> Breadcrumb {
        self.clone()
    }
}

impl Scope {
    /// Sets the user for whom the work is done.
    pub fn set_user(&mut self, user: impl Into<Option<User>>) {
        self.user = user.into();
    }

    /// Sets a tag: a short value to filter and count by.
    pub fn set_tag(&mut self, key: impl Into<String>, value: impl Into<String>) {
        self.tags.insert(key.into(), value.into());
    }

    /// Takes a tag away.
    pub fn remove_tag(&mut self, key: &str) {
        self.tags.remove(key);
    }

    /// Sets a named group of facts.
    pub fn set_context(&mut self, key: impl Into<String>, value: impl Into<Value>) {
        self.contexts.insert(key.into(), value.into());
    }

    /// Sets a further value.
    pub fn set_extra(&mut self, key: impl Into<String>, value: impl Into<Value>) {
        self.extra.insert(key.into(), value.into());
    }

    /// Overrides the level of what is captured.
    pub fn set_level(&mut self, level: impl Into<Option<Level>>) {
        self.level = level.into();
    }

    pub(crate) fn level(&self) -> Option<Level> {
        self.level
    }

    /// Names the route or task.
    pub fn set_transaction(&mut self, name: impl Into<String>) {
        self.transaction = Some(name.into());
    }

    /// Sets the fingerprint of what is captured; `{{ default }}` in it stands for ours.
    pub fn set_fingerprint<I: IntoIterator<Item: Into<String>>>(&mut self, parts: I) {
        self.fingerprint = parts.into_iter().map(Into::into).collect();
    }

    /// Adds a breadcrumb; the last 100 are kept.
    pub fn add_breadcrumb(&mut self, mut breadcrumb: Breadcrumb) {
        breadcrumb.timestamp.get_or_insert_with(crate::Timestamp::now);
        self.add_breadcrumb_source(Arc::new(breadcrumb));
    }

    /// Adds a breadcrumb that is made whole later; the last 100 are kept.
    pub fn add_breadcrumb_source(&mut self, source: Arc<dyn BreadcrumbSource>) {
        drop(self.push_breadcrumb(source));
    }

    /// Adds a breadcrumb and answers the one that is let go for it.
    fn push_breadcrumb(&mut self, source: Arc<dyn BreadcrumbSource>) -> Option<Arc<dyn BreadcrumbSource>> {
        let gone = if self.breadcrumbs.len() >= BREADCRUMBS { self.breadcrumbs.pop_front() } else { None };
        self.breadcrumbs.push_back(source);
        gone
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Puts what it knows on an event. What the event says itself wins.
    pub fn apply(&self, event: &mut Event) {
        if let Some(level) = self.level {
            event.level = level;
        }
        if event.user.is_none() {
            event.user.clone_from(&self.user);
        }
        if event.fingerprint.is_empty() {
            event.fingerprint.clone_from(&self.fingerprint);
        }
        if let Some(name) = &self.transaction {
            event.transaction = Some(name.clone());
        }
        if event.breadcrumbs.is_empty() {
            event.breadcrumbs.extend(self.breadcrumbs.iter().map(|source| source.breadcrumb()));
        }
        self.apply_facts(event);
    }

    /// Puts on an event what holds for the whole process: tags, contexts and extra, not who it was or what came before.
    pub(crate) fn apply_facts(&self, event: &mut Event) {
        for (key, value) in &self.tags {
            event.tags.entry(key.clone()).or_insert_with(|| value.clone());
        }
        for (key, value) in &self.contexts {
            if !event.contexts.contains_key(key) {
                event.contexts.insert(key.clone(), value.clone());
            }
        }
        for (key, value) in &self.extra {
            if !event.extra.contains_key(key) {
                event.extra.insert(key.clone(), value.clone());
            }
        }
    }
}

/// What a scope can tell about the request that is being served, read only when something is captured.
///
/// It is filled in on the tracker's thread: keep the request's parts and copy them here, not while serving.
pub trait RequestSource: Any + Send + Sync {
    /// Puts request and route on an event.
    fn fill(&self, event: &mut Event);

    /// Bytes that it holds beyond a few hundred, such as a request's body: they count where events wait.
    fn size(&self) -> usize {
        0
    }
}

impl RequestSource for () {
    fn fill(&self, _event: &mut Event) {}
}
