//! A scope that is shared.

use super::{BreadcrumbSource, Scope};
use crate::Map;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

/// A scope that is shared. Copied on write: a capture takes a snapshot by counting one reference.
///
/// The lock is never held while the host's code runs: what a host does to a scope may log, capture or panic, and all of
/// that looks at the scope again.
#[derive(Debug, Default)]
pub(crate) struct ScopeCell(Mutex<Option<Arc<Scope>>>);

impl ScopeCell {
    pub(crate) fn holding(scope: Option<Arc<Scope>>) -> Self {
        Self(Mutex::new(scope))
    }

    /// Changes a copy and puts it in place. What others changed meanwhile stays, where `f` did not change the same.
    pub(crate) fn configure<T>(&self, f: impl FnOnce(&mut Scope) -> T) -> T {
        let base = self.snapshot();
        let mut changed = base.as_deref().cloned().unwrap_or_default();
        let out = f(&mut changed);
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_base = guard.as_ref().map(Arc::as_ptr) == base.as_ref().map(Arc::as_ptr);
        let old = if is_base {
            guard.replace(Arc::new(changed))
        } else {
            let mut merged = guard.as_deref().cloned().unwrap_or_default();
            merged.take_changes(base.as_deref().unwrap_or(&Scope::default()), changed);
            guard.replace(Arc::new(merged))
        };
        drop(guard);
        // A breadcrumb that is let go may be of the host's own making.
        drop(old);
        out
    }

    /// Adds a breadcrumb.
    pub(crate) fn add_breadcrumb(&self, source: Arc<dyn BreadcrumbSource>) {
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let gone = Arc::make_mut(guard.get_or_insert_default()).push_breadcrumb(source);
        drop(guard);
        drop(gone);
    }

    /// The scope as it is now; `None` while it is empty.
    pub(crate) fn snapshot(&self) -> Option<Arc<Scope>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Scope {
    /// Takes over what distinguishes `changed` from `base`.
    fn take_changes(&mut self, base: &Self, changed: Self) {
        if changed.user != base.user {
            self.user = changed.user;
        }
        if changed.level != base.level {
            self.level = changed.level;
        }
        if changed.transaction != base.transaction {
            self.transaction = changed.transaction;
        }
        if changed.fingerprint != base.fingerprint {
            self.fingerprint = changed.fingerprint;
        }
        self.tags.retain(|key, _| changed.tags.contains_key(key) || !base.tags.contains_key(key));
        self.tags.extend(only_new(&base.tags, changed.tags));
        take_map_changes(&mut self.contexts, &base.contexts, changed.contexts);
        take_map_changes(&mut self.extra, &base.extra, changed.extra);
        // Breadcrumbs are only ever added, or all of them forgotten.
        let last = base.breadcrumbs.back();
        let kept = last.and_then(|last| changed.breadcrumbs.iter().rposition(|crumb| Arc::ptr_eq(crumb, last)));
        if last.is_some() && kept.is_none() {
            self.breadcrumbs.clear();
        }
        for crumb in changed.breadcrumbs.into_iter().skip(kept.map_or(0, |at| at + 1)) {
            self.add_breadcrumb_source(crumb);
        }
    }
}

fn only_new(
    base: &BTreeMap<String, String>,
    changed: BTreeMap<String, String>,
) -> impl Iterator<Item = (String, String)> {
    changed.into_iter().filter(|(key, value)| base.get(key) != Some(value))
}

fn take_map_changes(map: &mut Map, base: &Map, changed: Map) {
    map.retain(|key, _| changed.contains_key(key) || !base.contains_key(key));
    map.extend(changed.into_iter().filter(|(key, value)| base.get(key) != Some(value)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Breadcrumb, Event, User};

    fn seen(cell: &ScopeCell) -> Event {
        let mut event = Event::new();
        cell.snapshot().unwrap().apply(&mut event);
        event
    }

    #[test]
    fn a_scope_can_be_looked_at_and_changed_while_it_is_being_changed() {
        let cell = ScopeCell::default();
        cell.configure(|scope| {
            scope.set_tag("plan", "free");
            scope.set_tag("old", "1");
            scope.add_breadcrumb(Breadcrumb::new("before"));
        });
        cell.configure(|scope| {
            assert_eq!(seen(&cell).tags["plan"], "free", "as it was, and no deadlock");
            cell.add_breadcrumb(Arc::new(Breadcrumb::new("meanwhile")));
            cell.configure(|inner| {
                inner.set_tag("inner", "1");
                inner.set_user(User::id("42"));
            });
            scope.set_tag("plan", "pro");
            scope.remove_tag("old");
            scope.add_breadcrumb(Breadcrumb::new("after"));
        });
        let event = seen(&cell);
        let tags: Vec<_> = event.tags.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(tags, [("inner", "1"), ("plan", "pro")]);
        assert_eq!(event.user.unwrap().id.as_deref(), Some("42"));
        let crumbs: Vec<_> = event.breadcrumbs.iter().map(|b| b.message.as_deref().unwrap()).collect();
        assert_eq!(crumbs, ["before", "meanwhile", "after"]);
    }

    #[test]
    fn a_panic_while_it_is_being_changed_leaves_it_as_it_was() {
        let cell = ScopeCell::default();
        cell.configure(|scope| scope.set_tag("plan", "free"));
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            cell.configure(|scope| {
                scope.set_tag("plan", "pro");
                panic!("no such plan");
            });
        }));
        assert!(panicked.is_err());
        assert_eq!(seen(&cell).tags["plan"], "free");
    }

    #[test]
    fn what_is_forgotten_while_others_add_is_forgotten() {
        let cell = ScopeCell::default();
        cell.add_breadcrumb(Arc::new(Breadcrumb::new("old")));
        cell.configure(|scope| {
            cell.add_breadcrumb(Arc::new(Breadcrumb::new("meanwhile")));
            scope.clear();
            scope.add_breadcrumb(Breadcrumb::new("new"));
        });
        let crumbs: Vec<_> = seen(&cell).breadcrumbs.into_iter().map(|b| b.message.unwrap()).collect();
        assert_eq!(crumbs, ["new"]);
    }
}
