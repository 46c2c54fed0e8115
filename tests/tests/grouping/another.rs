//! What makes another issue, where the client does not say what an issue is.

use super::variant::{Pair, Variant, has_type, root, said};
use errtrack::{Event, Frame};
use errtrack_core::grouping::InApp;

pub const VARIANTS: &[Variant] = &[
    Variant {
        name: "another type",
        make: |event| {
            ours(event).and_then(|event| {
                let mut other = event.clone();
                let ty = other.exceptions.iter_mut().rev().find_map(|exception| exception.ty.as_mut())?;
                ty.push_str("Elsewhere");
                Some((event, other))
            })
        },
    },
    Variant {
        name: "another type of the cause",
        make: |event| {
            ours(event).and_then(|event| {
                let mut other = event.clone();
                let index = root(&event).filter(|_| event.exceptions.len() > 1)?;
                other.exceptions[index].ty.as_mut()?.push_str("Elsewhere");
                Some((event, other))
            })
        },
    },
    Variant { name: "another function", make: another_function },
    Variant { name: "another status code", make: |event| saying(event, [404, 422].map(status)) },
    Variant { name: "another status of the server", make: |event| saying(event, [500, 503].map(status)) },
    Variant {
        name: "another error of the system",
        make: |event| saying(event, [": No such file or directory (os error 2)", ": Permission denied (os error 13)"]),
    },
    Variant {
        name: "another message without a stack",
        make: |event| {
            ours(event).and_then(|event| {
                let has_frames = event.exceptions.iter().any(|exception| !exception.frames().is_empty())
                    || event.threads.iter().any(|thread| thread.stacktrace.is_some());
                let mut other = event.clone();
                let text = match other.exceptions.last_mut() {
                    Some(outermost) => outermost.value.get_or_insert_default(),
                    None => &mut other.message.as_mut()?.text,
                };
                text.push_str(" while the warehouse was closed");
                if let Some(message) = &mut other.message {
                    message.template = None;
                }
                (!has_frames).then_some((event, other))
            })
        },
    },
];

/// The innermost function of the program has another name: that of the root cause, which is where it broke. A message that
/// was captured with a stack is known by its text, wherever it was said.
fn another_function(event: &Event) -> Option<Pair> {
    let event = ours(event).filter(has_type)?;
    let mut other = event.clone();
    let mut marked = event.clone();
    InApp::default().mark(&mut marked);
    let holds = |&index: &usize| marked.exceptions[index].frames().iter().any(is_own);
    let first = root(&event)?;
    let index = (first..event.exceptions.len()).chain(0..first).find(holds)?;
    let own = marked.exceptions[index].frames().iter().rposition(is_own)?;
    let frame = &mut other.exceptions[index].stacktrace.as_mut()?.frames[own];
    frame.function = Some(format!("another_{}", frame.function.as_deref()?));
    Some((event, other))
}

/// Two events that say different things in the end.
fn saying(event: &Event, endings: [impl AsRef<str>; 2]) -> Option<Pair> {
    let event = ours(event)?;
    let [one, other] = endings.map(|ending| {
        let mut event = event.clone();
        said(&mut event)?.push_str(ending.as_ref());
        Some(event)
    });
    Some((one?, other?))
}

fn status(code: u16) -> String {
    format!(": answered with HTTP status {code}")
}

/// An event whose fingerprint is not the client's.
fn ours(event: &Event) -> Option<Event> {
    let is_clients = event.grouping.as_ref().is_some_and(|grouping| grouping.by == "client fingerprint");
    (!is_clients).then(|| event.clone())
}

fn is_own(frame: &Frame) -> bool {
    frame.in_app == Some(true) && frame.function.as_deref().is_some_and(|function| function.len() > 1)
}
