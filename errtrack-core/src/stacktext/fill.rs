//! What was read from a trace, put into the event.

use super::read;
use crate::{Event, Mechanism};

/// Fills exceptions and frames from [`Event::stack_trace`] where the event has no frames of its own.
///
/// The last error of the text gives its frames to the exception that names the event. An event without an exception
/// gets one only if the text names a type, and an explicit message stays what it says.
pub fn fill_frames(event: &mut Event) {
    let Some(text) = event.stack_trace.as_deref() else { return };
    let has_frames = |e: &crate::Exception| !e.frames().is_empty();
    if text.is_empty() || event.exceptions.iter().any(has_frames) {
        return;
    }
    let Some((platform, mut chain)) = read(text) else { return };
    let Some(mut outermost) = chain.pop() else { return };
    let named = event.exceptions.iter().rposition(|e| e.ty.is_some());
    let index = named.or_else(|| event.exceptions.len().checked_sub(1));
    if let Some(exception) = index.and_then(|index| event.exceptions.get_mut(index)) {
        exception.stacktrace = outermost.stacktrace;
        if exception.value.is_none() {
            exception.value = outermost.value;
        }
    } else if outermost.ty.is_some() {
        if let Some(message) = &event.message {
            outermost.value = Some(message.text.clone());
        }
        outermost.mechanism.get_or_insert_with(Mechanism::default).synthetic = Some(true);
        event.exceptions.push(outermost);
    } else {
        return;
    }
    if event.exceptions.len() == 1 {
        chain.append(&mut event.exceptions);
        event.exceptions = chain;
    }
    // Frames without a file are of the same language as the others.
    event.platform.get_or_insert_with(|| platform.to_owned());
}
