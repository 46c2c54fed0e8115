//! What a captured event gets on the tracker's thread: from its scope, from its request, from this process.

use super::{Engine, queue::Captured};
use crate::{
    Event, Stacktrace,
    event::{Frame, Sdk},
};
use std::panic::Location;

/// What events of this process get where they do not say it themselves.
#[derive(Debug, Default)]
pub(super) struct Defaults {
    pub(super) environment: Option<String>,
    pub(super) release: Option<String>,
    pub(super) server_name: Option<String>,
    pub(super) backtraces: bool,
    pub(super) own_backtraces: bool,
}

impl Engine {
    /// Fills in what a captured event gets from its scope and from this process. On the tracker's thread.
    pub(super) fn complete(&self, captured: Captured, stack: Option<Stacktrace>) -> Event {
        let Captured { what, snapshot, scope, addresses: _, place } = captured;
        let mut event = what.into_event();
        if let Some(scope) = &scope {
            scope.fill_request(&mut event);
        }
        if let Some(snapshot) = snapshot {
            snapshot.apply(&mut event);
        }
        if let Some(root) = self.root.snapshot() {
            root.apply_facts(&mut event);
        }
        self.defaults.apply(&mut event);
        let stack = stack.or_else(|| place.map(|place| self.stack_of(place)));
        if let Some(place) = place {
            event.contexts.entry("captured_at").or_insert_with(
                || serde_json::json!({ "file": place.file(), "line": place.line(), "column": place.column() }),
            );
        }
        // The stack belongs to the error that was in hand: the outermost.
        match (event.exceptions.last_mut(), stack) {
            (Some(exception), Some(stack)) if exception.stacktrace.is_none() => exception.stacktrace = Some(stack),
            (None, Some(stack)) if event.threads.is_empty() => {
                let thread = crate::Thread { current: Some(true), stacktrace: Some(stack), ..Default::default() };
                event.threads.push(thread);
            }
            _ => {}
        }
        event
    }

    /// A stack of the one frame that is known without walking it.
    fn stack_of(&self, place: &Location<'_>) -> Stacktrace {
        let file = place.file();
        let is_from_root = !file.starts_with(['/', '\\']) && !file.contains(':');
        let link = self.sources.link.as_ref().filter(|_| is_from_root);
        let frame = Frame {
            filename: Some(file.to_owned()),
            lineno: Some(place.line()),
            colno: Some(place.column()),
            source_link: link.map(|link| link.to(file, Some(place.line()))),
            ..Frame::default()
        };
        Stacktrace { frames: vec![frame] }
    }
}

impl Defaults {
    fn apply(&self, event: &mut Event) {
        event.environment.get_or_insert_with(|| self.environment.clone().unwrap_or_else(|| "production".into()));
        if event.release.is_none() {
            event.release.clone_from(&self.release);
        }
        if event.server_name.is_none() {
            event.server_name.clone_from(&self.server_name);
        }
        event.platform.get_or_insert_with(|| "rust".to_owned());
        event.source.get_or_insert_with(|| "backend".to_owned());
        event
            .sdk
            .get_or_insert_with(|| Sdk { name: "errtrack.rust".into(), version: env!("CARGO_PKG_VERSION").into() });
    }
}
