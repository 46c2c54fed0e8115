//! The panic hook: reports a panic with the scope in which it happened.
//!
//! A hook runs before the stack unwinds, so the scope of the task is still there, and so is the stack. The hook only takes
//! notes and puts them in the queue; whoever catches the panic afterwards finds the event's id with [`last_panic`].
//!
//! In a program that is built with `panic = "abort"` nobody catches it: there the hook waits until the event is durable.

use crate::{Event, EventId, Exception, Level, Mechanism, Tracker, current, tracker::inside};
use std::{
    any::Any,
    cell::Cell,
    panic::{self, PanicHookInfo},
    sync::Once,
    time::Duration,
};

/// How long a panic that ends the process is held up by its report.
const LAST_WAIT: Duration = Duration::from_secs(2);

thread_local! {
    static LAST: Cell<EventId> = Cell::new(EventId::default());
    /// A panic while a panic is being reported is none of ours to report.
    static REPORTING: Cell<bool> = const { Cell::new(false) };
}

static INSTALL: Once = Once::new();

impl Tracker {
    /// Reports every panic of the process, and calls the hook that was there before.
    ///
    /// Installed once per process, however often it is called; a panic goes to the tracker of the scope in which it
    /// happens, else to the one that was built last.
    ///
    /// Where panics abort (`panic = "abort"`), the hook holds up the end of the process, for 2 seconds at most, until
    /// everything that was captured is in the store, or in the [spool](crate::TrackerBuilder::spool) if there is one and the
    /// store does not answer at once. Without a spool what the store has not taken by then is lost.
    pub fn install_panic_hook(&self) {
        INSTALL.call_once(|| {
            let before = panic::take_hook();
            panic::set_hook(Box::new(move |info| {
                report(info);
                before(info);
            }));
        });
    }

    /// Reports a panic that was caught without the hook; it has no place and no stack any more.
    pub fn capture_panic(&self, payload: &(dyn Any + Send)) -> EventId {
        self.capture(event(text(payload)))
    }
}

/// The event of the last panic on this thread, if the hook reported one; asking takes it.
///
/// To be asked right after `catch_unwind`, on the same thread.
#[must_use]
pub fn last_panic() -> Option<EventId> {
    let id = LAST.try_with(|last| last.take()).unwrap_or_default();
    (!id.is_nil()).then_some(id)
}

fn report(info: &PanicHookInfo<'_>) {
    if inside() || REPORTING.try_with(|reporting| reporting.replace(true)).unwrap_or(true) {
        return;
    }
    if let Some(tracker) = current::tracker() {
        let mut event = event(text(info.payload()));
        if let Some(place) = info.location() {
            event.contexts.insert(
                "captured_at".into(),
                serde_json::json!({ "file": place.file(), "line": place.line(), "column": place.column() }),
            );
        }
        if let Some(name) = std::thread::current().name() {
            event.tags.insert("thread".into(), name.to_owned());
        }
        let id = tracker.capture_with_stack(event, None);
        let _ = LAST.try_with(|last| last.set(id));
        if cfg!(panic = "abort") {
            tracker.flush_at_the_end(LAST_WAIT);
        }
    }
    let _ = REPORTING.try_with(|reporting| reporting.set(false));
}

fn event(text: &str) -> Event {
    let mut event = Event::new();
    event.level = Level::Fatal;
    let mut exception = Exception::new("panic", text);
    exception.mechanism = Some(Mechanism::new("panic", false));
    event.exceptions.push(exception);
    event
}

/// The text of a panic.
fn text(payload: &(dyn Any + Send)) -> &str {
    if let Some(text) = payload.downcast_ref::<&'static str>() {
        text
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text
    } else {
        "(a value that is no text)"
    }
}
