//! How variants of an event are made.

use errtrack::{Event, Frame};

/// A way to make two events of one.
pub struct Variant {
    pub name: &'static str,
    /// Two events to compare; `None` where the event has nothing of the kind.
    pub make: fn(&Event) -> Option<Pair>,
}

pub type Pair = (Event, Event);

/// The event, and the event with a change.
pub fn with(event: &Event, change: impl FnOnce(&mut Event)) -> Option<Pair> {
    let mut other = event.clone();
    change(&mut other);
    Some((event.clone(), other))
}

/// The event, and the event with every frame changed; `None` where no frame has what is to be changed.
pub fn frames(event: &Event, mut change: impl FnMut(&mut Frame) -> bool) -> Option<Pair> {
    let mut other = event.clone();
    let mut changed = false;
    frames_of(&mut other).for_each(|frame| changed |= change(frame));
    changed.then(|| (event.clone(), other))
}

/// The frames of all exceptions and threads.
pub fn frames_of(event: &mut Event) -> impl Iterator<Item = &mut Frame> {
    let exceptions = event.exceptions.iter_mut().filter_map(|exception| exception.stacktrace.as_mut());
    let threads = event.threads.iter_mut().filter_map(|thread| thread.stacktrace.as_mut());
    exceptions.chain(threads).flat_map(|stack| &mut stack.frames)
}

/// The text that says what went wrong: of the root cause, or of a message that no exception with a type goes with.
pub fn said(event: &mut Event) -> Option<&mut String> {
    if !has_type(event) {
        let message = event.message.as_mut()?;
        // A template would say that what was added is a parameter.
        message.template = None;
        return Some(&mut message.text);
    }
    root(event).map(|index| event.exceptions[index].value.get_or_insert_default())
}

/// The root cause, which is the first but for React's component stack.
pub fn root(event: &Event) -> Option<usize> {
    event
        .exceptions
        .iter()
        .position(|exception| !exception.ty.as_deref().is_some_and(|ty| ty.starts_with("React ErrorBoundary")))
}

/// Whether an exception names the event. A message may come with one that has a stack alone.
pub fn has_type(event: &Event) -> bool {
    event.main_exception().is_some_and(|exception| exception.ty.is_some())
}
