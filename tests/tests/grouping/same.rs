//! What makes no other issue.

use super::variant::{Pair, Variant, frames, frames_of, said, with};
use errtrack::{Event, Timestamp, User};
use errtrack_core::{EventId, Thread};
use std::time::Duration;

pub const VARIANTS: &[Variant] = &[
    Variant { name: "again", make: |event| Some((event.clone(), event.clone())) },
    Variant { name: "lines shifted", make: |event| frames(event, |frame| shift(&mut frame.lineno, 7)) },
    Variant { name: "columns shifted", make: |event| frames(event, |frame| shift(&mut frame.colno, 13)) },
    Variant { name: "lines shifted in the text", make: |event| text_trace(event, shifted) },
    Variant {
        name: "another folder in the text",
        make: |event| {
            text_trace(event, |text| {
                let moved = text.replace("/srv/shop/", "/app/releases/20270302/");
                moved.replace("https://shop.example.com/", "https://cdn-4711.example.net/")
            })
        },
    },
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
        name: "other values in the message",
        make: |event| {
            let said = |values: &str| {
                let mut event = event.clone();
                said(&mut event)?.push_str(values);
                Some(event)
            };
            Some((
                said(
                    " (order 48213 of ana@example.com, request 0b0e7ac0-3a52-4bc1-9d8e-5d1a2f6f1c11 from 10.1.2.3:51422 \
                     after 1.5s at 2026-11-20T22:41:07Z, 0x7ffe1200, /orders/48213/items/7)",
                )?,
                said(
                    " (order 7 of bo.li@mail.example.org, request 5f64e1d2-91f3-4d4e-8a37-7a0f4a1c9b02 from 192.168.70.9:80 \
                     after 320ms at 2027-03-02T01:02:03.456Z, 0xdeadbeef00, /orders/7/items/12345)",
                )?,
            ))
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
            let mut other = event.clone();
            let [one, another] = [thread(event, "worker-1", 1)?, thread(event, "worker-2", 2)?];
            other.threads.splice(0..0, [another.clone(), one.clone()]);
            let mut event = event.clone();
            event.threads.splice(0..0, [one, another]);
            Some((event, other))
        },
    },
    Variant {
        name: "one thread more",
        make: |event| {
            let thread = thread(event, "worker-4711", 1)?;
            with(event, |event| event.threads.insert(0, thread))
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

/// A thread that had nothing to do with it, in another place of the program.
fn thread(event: &Event, name: &str, cut: usize) -> Option<Thread> {
    let mut stack = event.exceptions.iter().find_map(|exception| exception.stacktrace.clone())?;
    stack.frames.drain(..cut.min(stack.frames.len() - 1));
    let (crashed, current) = (Some(false), Some(false));
    Some(Thread { name: Some(name.into()), crashed, current, stacktrace: Some(stack), ..Thread::default() })
}

/// The event of a text trace, and of the text as another deploy prints it; `None` where it does not print another.
fn text_trace(event: &Event, change: impl FnOnce(&str) -> String) -> Option<Pair> {
    let text = event.stack_trace.as_deref()?;
    let changed = change(text);
    let of = |text: &str| Event { stack_trace: Some(text.to_owned()), ..Event::new() };
    let mut marks = event.clone();
    // Frames that are read from the text are marked by nobody.
    let is_bare = frames_of(&mut marks).all(|frame| frame.in_app.is_none());
    (is_bare && changed != text).then(|| (of(text), of(&changed)))
}

/// A trace whose numbers of lines and columns are others: `:57`, `line 57`, `.php(57)`.
fn shifted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let (head, tail) = rest.split_at(start);
        let end = tail.find(|c: char| !c.is_ascii_digit()).unwrap_or(tail.len());
        let (digits, after) = tail.split_at(end);
        out.push_str(head);
        let is_line = head.ends_with([':']) || head.ends_with("line ") || head.ends_with(".php(");
        match digits.parse::<u32>() {
            Ok(line) if is_line => out.push_str(&(line + 7).to_string()),
            _ => out.push_str(digits),
        }
        rest = after;
    }
    out + rest
}

fn shift(number: &mut Option<u32>, by: u32) -> bool {
    number.as_mut().map(|number| *number += by).is_some()
}

/// The folder of another deploy. What the compiler was built in does not move, nor does what the system installed.
fn moved(path: &mut String) -> bool {
    let is_ours = |path: &str| !["/rustc/", "/usr/"].iter().any(|folder| path.starts_with(folder));
    let moved = if let Some(rest) = path.strip_prefix('/').filter(|_| is_ours(path)) {
        format!("/data/releases/20270302/{rest}")
    } else if let Some(rest) = path.strip_prefix("C:\\") {
        format!("D:\\releases\\20270302\\{rest}")
    } else if let Some(rest) = path.strip_prefix("file:///") {
        format!("file:///data/releases/20270302/{rest}")
    } else {
        return false;
    };
    *path = moved;
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
            out.extend(digits.bytes().map(|digit| char::from(b'1' + (digit - b'0' + 3) % 9)));
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
