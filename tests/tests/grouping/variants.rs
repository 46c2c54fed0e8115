//! Variants of an event.

use errtrack::{Event, Frame, Timestamp, User};
use errtrack_core::EventId;
use std::time::Duration;

/// A way to make two events of one.
pub struct Variant {
    pub name: &'static str,
    /// Two events to compare; `None` where the event has nothing of the kind.
    pub make: fn(&Event) -> Option<(Event, Event)>,
}

/// What makes no other issue.
pub const SAME: &[Variant] = &[
    Variant { name: "again", make: |event| Some((event.clone(), event.clone())) },
    Variant { name: "lines shifted", make: |event| frames(event, |frame| shift(&mut frame.lineno, 7)) },
    Variant { name: "columns shifted", make: |event| frames(event, |frame| shift(&mut frame.colno, 13)) },
    Variant {
        name: "another release",
        make: |event| {
            with(event, |event| {
                event.release = Some("shop@9.9.9-rc.1+4711".into());
                event.dist = Some("4711".into());
                event.environment = Some("canary".into());
            })
        },
    },
    Variant {
        name: "another folder",
        make: |event| {
            frames(event, |frame| {
                let filename = frame.filename.as_mut().is_some_and(moved);
                frame.abs_path.as_mut().is_some_and(moved) || filename
            })
        },
    },
    Variant {
        name: "another host of the scripts",
        make: |event| {
            frames(event, |frame| {
                let filename = frame.filename.as_mut().is_some_and(rehosted);
                frame.abs_path.as_mut().is_some_and(rehosted) || filename
            })
        },
    },
    Variant {
        name: "other ids in the message",
        make: |event| {
            let mut other = event.clone();
            let mut changed = false;
            for exception in &mut other.exceptions {
                changed |= exception.value.as_mut().is_some_and(renumbered);
            }
            changed |= other.message.as_mut().is_some_and(|message| renumbered(&mut message.text));
            changed.then(|| (event.clone(), other))
        },
    },
    Variant {
        name: "another user",
        make: |event| {
            with(event, |event| {
                event.user = Some(User::id("4711"));
                event.server_name = Some("web-4711".into());
                event.tags.insert("customer".into(), "4711".into());
            })
        },
    },
    Variant {
        name: "another time",
        make: |event| {
            with(event, |event| {
                event.event_id = EventId::random();
                event.timestamp = event.timestamp.minus(Duration::from_secs(4711));
                event.received_at = Timestamp::now();
            })
        },
    },
    Variant {
        name: "another request",
        make: |event| {
            with(event, |event| {
                let request = event.request.get_or_insert_default();
                request.url = Some("https://shop.example.com/orders/4711?page=3".into());
                request.headers.insert("User-Agent".into(), "another".into());
                event.breadcrumbs.clear();
                event.extra.insert("attempt".into(), 4711.into());
            })
        },
    },
    Variant {
        name: "other variables and source lines",
        make: |event| {
            frames(event, |frame| {
                frame.vars.insert("n".into(), 4711.into());
                frame.context_line = Some("changed(4711);".into());
                frame.instruction_addr = Some("0x55d04711".into());
                true
            })
        },
    },
    Variant {
        name: "other threads in another order",
        make: |event| {
            let is_other =
                |thread: &errtrack_core::Thread| thread.crashed != Some(true) && thread.current != Some(true);
            let mut other = event.clone();
            (other.threads.iter().filter(|thread| is_other(thread)).count() > 1).then(|| {
                other.threads.reverse();
                (event.clone(), other)
            })
        },
    },
    Variant {
        name: "deeper recursion",
        make: |event| {
            let mut other = event.clone();
            let mut changed = false;
            for stack in other.exceptions.iter_mut().filter_map(|exception| exception.stacktrace.as_mut()) {
                if let Some(last) = stack.frames.last().filter(|last| last.function.is_some()).cloned() {
                    stack.frames.extend([last.clone(), last]);
                    changed = true;
                }
            }
            changed.then(|| (event.clone(), other))
        },
    },
];

/// What makes another issue, where the client does not say what an issue is.
pub const ANOTHER: &[Variant] = &[
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
        name: "another function",
        make: |event| {
            ours(event).and_then(|event| {
                let mut other = event.clone();
                // The root cause is where it broke.
                let stack = other
                    .exceptions
                    .iter_mut()
                    .find_map(|e| e.stacktrace.as_mut().filter(|s| s.frames.iter().any(is_own)))?;
                let frame = stack.frames.iter_mut().rev().find(|frame| is_own(frame))?;
                frame.function = Some(format!("another_{}", frame.function.as_deref()?));
                Some((event, other))
            })
        },
    },
    Variant {
        name: "another status code",
        make: |event| {
            ours(event).and_then(|event| {
                let said = |code: u16| {
                    let mut event = event.clone();
                    let value = match event.exceptions.first_mut() {
                        Some(root) => root.value.get_or_insert_default(),
                        None => &mut event.message.as_mut()?.text,
                    };
                    value.push_str(&format!(": answered with HTTP status {code}"));
                    // A template would say that the code is a parameter.
                    if let Some(message) = &mut event.message {
                        message.template = None;
                    }
                    Some(event)
                };
                Some((said(404)?, said(422)?))
            })
        },
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

fn with(event: &Event, change: impl FnOnce(&mut Event)) -> Option<(Event, Event)> {
    let mut other = event.clone();
    change(&mut other);
    Some((event.clone(), other))
}

/// Changes every frame; `None` where no frame has what is to be changed.
fn frames(event: &Event, mut change: impl FnMut(&mut Frame) -> bool) -> Option<(Event, Event)> {
    let mut other = event.clone();
    let exceptions = other.exceptions.iter_mut().filter_map(|exception| exception.stacktrace.as_mut());
    let threads = other.threads.iter_mut().filter_map(|thread| thread.stacktrace.as_mut());
    let mut changed = false;
    for frame in exceptions.chain(threads).flat_map(|stack| &mut stack.frames) {
        changed |= change(frame);
    }
    changed.then(|| (event.clone(), other))
}

/// An event whose fingerprint is not the client's, without what its text trace says beside its frames.
fn ours(event: &Event) -> Option<Event> {
    let is_clients = event.grouping.as_ref().is_some_and(|grouping| grouping.by == "client fingerprint");
    (!is_clients).then(|| event.clone())
}

fn is_own(frame: &Frame) -> bool {
    frame.in_app == Some(true) && frame.function.as_deref().is_some_and(|function| function.len() > 1)
}

fn shift(number: &mut Option<u32>, by: u32) -> bool {
    number.as_mut().map(|number| *number += by).is_some()
}

/// The folder of another deploy.
fn moved(path: &mut String) -> bool {
    let Some(rest) = path.strip_prefix('/').filter(|_| !path.starts_with("/rustc/")) else { return false };
    *path = format!("/srv/releases/20270302/{rest}");
    true
}

fn rehosted(path: &mut String) -> bool {
    let Some((scheme @ ("http" | "https"), rest)) = path.split_once("://") else { return false };
    let Some((_, rest)) = rest.split_once('/') else { return false };
    *path = format!("{scheme}://cdn-4711.example.net/{rest}");
    true
}

/// Changes numbers of five and more digits, which are ids and times and no codes.
fn renumbered(text: &mut String) -> bool {
    let mut out = String::with_capacity(text.len());
    let mut changed = false;
    let mut rest = text.as_str();
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let (head, tail) = rest.split_at(start);
        let end = tail.find(|c: char| !c.is_ascii_digit()).unwrap_or(tail.len());
        let (digits, after) = tail.split_at(end);
        let stands_alone =
            !head.ends_with(|c: char| c.is_alphanumeric()) && !after.starts_with(|c: char| c.is_alphanumeric());
        out.push_str(head);
        if digits.len() >= 5 && stands_alone {
            out.extend(digits.chars().map(|digit| char::from(b'1' + (digit as u8 - b'0' + 3) % 9)));
            changed = true;
        } else {
            out.push_str(digits);
        }
        rest = after;
    }
    out.push_str(rest);
    *text = out;
    changed
}
