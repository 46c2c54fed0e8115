//! The panic hook: reports a panic with the scope in which it happened.
//!
//! A hook runs before the stack unwinds, so the scope of the task is still there, and so is the stack. The hook only takes
//! notes and puts them in the queue; whoever catches the panic afterwards finds the event's id with [`last_panic`].
//!
//! In a program that is built with `panic = "abort"` nobody catches it, and where a panic cannot unwind (one in a destructor
//! during another, one that leaves an `extern "C"` function) nobody can: there the hook waits until the event is durable.
//! Nothing of the host's is called in the hook, and nothing in it may panic: a panic in a hook ends the process at once.

use crate::{Event, EventId, Exception, Level, Mechanism, Tracker, current, tracker::inside};
use std::{
    any::Any,
    cell::Cell,
    panic::{self, PanicHookInfo},
    sync::atomic::{
        AtomicBool,
        Ordering::{Relaxed, SeqCst},
    },
    thread,
    time::Duration,
};

/// How long a panic that ends the process is held up by its report.
const LAST_WAIT: Duration = Duration::from_secs(2);

thread_local! {
    static LAST: Cell<EventId> = Cell::new(EventId::default());
    /// Our hook was called for the panic under way. Stale after that was caught, until something is captured or a scope is
    /// entered on the thread: nobody tells that a panic was caught.
    static SEEN: Cell<bool> = const { Cell::new(false) };
    /// The hook that was there before ours is running.
    static IN_HOOK: Cell<bool> = const { Cell::new(false) };
}

/// There was a panic in this process: before the first there is nothing to forget.
static PANICKED: AtomicBool = AtomicBool::new(false);

/// Our hook is in place, or held by one that was put in its place.
static INSTALLED: AtomicBool = AtomicBool::new(false);

/// Held by our hook, and dropped with it: a host may replace it by one that does not call it.
struct Installed;

impl Drop for Installed {
    fn drop(&mut self) {
        INSTALLED.store(false, SeqCst);
    }
}

impl Tracker {
    /// Reports every panic of the process, and calls the hook that was there before.
    ///
    /// Installed once per process, however often it is called; a panic goes to the tracker of the scope in which it
    /// happens, else to the one that was built last. A hook that the host installs later should call the one that it finds,
    /// as `color_eyre` and the like do; where it does not, panics are reported no more until this is called again. Does
    /// nothing on a thread that is panicking.
    ///
    /// The hook takes notes and returns; it waits for nothing. So a hook of the host's that ends the process (`exit` in a
    /// panic hook) has to [`flush`](Self::flush) before.
    ///
    /// Where panics abort (`panic = "abort"`), and where one cannot unwind (in a destructor, during another), the hook holds up the end of the process, for 2 seconds at most, until
    /// everything that was captured is in the store, or in the [spool](crate::TrackerBuilder::spool) if there is one and the
    /// store does not answer at once. Without a spool what the store has not taken by then is lost.
    pub fn install_panic_hook(&self) {
        if thread::panicking() || INSTALLED.swap(true, SeqCst) {
            return;
        }
        let installed = Installed;
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let _kept = &installed;
            report(info);
            let _ = IN_HOOK.try_with(|in_hook| in_hook.set(true));
            before(info);
            let _ = IN_HOOK.try_with(|in_hook| in_hook.set(false));
        }));
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
    forget_caught();
    let id = LAST.try_with(|last| last.take()).unwrap_or_default();
    (!id.is_nil()).then_some(id)
}

/// Forgets the last panic of this thread, if it was caught since.
pub(crate) fn forget_caught() {
    if PANICKED.load(Relaxed) && !thread::panicking() {
        let _ = SEEN.try_with(|seen| seen.set(false));
    }
}

/// Whether what is logged right now is logged by a panic hook, about a panic that our hook reports: one that ours calls, or
/// one that calls ours.
///
/// Not so for what is logged while a stack unwinds, by some `Drop`.
#[must_use]
pub fn repeats_panic() -> bool {
    if !thread::panicking() {
        forget_caught();
        return false;
    }
    IN_HOOK.try_with(Cell::get).unwrap_or(false)
        || (INSTALLED.load(SeqCst) && !SEEN.try_with(Cell::get).unwrap_or(true))
}

/// Whether this panic tells only that another one cannot go on, and the process ends with it. There is no stable way to ask;
/// the texts are those of `core`, and a test looks whether they still are.
fn ends_the_process(info: &PanicHookInfo<'_>) -> bool {
    let is_cores =
        info.location().is_some_and(|place| place.file().replace('\\', "/").ends_with("core/src/panicking.rs"));
    is_cores && text(info.payload()).starts_with("panic in a ")
}

fn report(info: &PanicHookInfo<'_>) {
    if inside() {
        return;
    }
    PANICKED.store(true, Relaxed);
    let _ = SEEN.try_with(|seen| seen.set(true));
    let Some(tracker) = current::tracker() else { return };
    if ends_the_process(info) {
        tracker.flush_at_the_end(LAST_WAIT);
    } else {
        let mut event = event(text(info.payload()));
        if let Some(place) = info.location() {
            event.contexts.insert(
                "captured_at".into(),
                serde_json::json!({ "file": place.file(), "line": place.line(), "column": place.column() }),
            );
        }
        if let Some(name) = thread::current().name() {
            event.tags.insert("thread".into(), name.to_owned());
        }
        let id = tracker.capture_with_stack(event, None);
        let _ = LAST.try_with(|last| last.set(id));
        if cfg!(panic = "abort") {
            tracker.flush_at_the_end(LAST_WAIT);
        }
    }
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
