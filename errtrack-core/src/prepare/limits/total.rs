//! The size of the whole: what goes first when an event is too large.

use super::Limits;
use crate::{Event, Map, Mark, Stacktrace};
use std::io;

/// One way to make an event smaller, and what it is called in the mark.
type Step = (&'static str, fn(&mut Event));

/// In this order, until it fits: first what is large and tells little, last what says what went wrong.
const STEPS: [Step; 15] = [
    ("frames.vars", |event| frames(event, |stack| stack.frames.iter_mut().for_each(|f| f.vars = Map::new()))),
    ("breadcrumbs.data", |event| event.breadcrumbs.iter_mut().for_each(|b| b.data = Map::new())),
    ("extra", |event| event.extra = Map::new()),
    ("request.data", |event| {
        if let Some(request) = &mut event.request {
            request.data = None;
        }
    }),
    ("threads", |event| event.threads.retain(|t| t.current == Some(true) || t.crashed == Some(true))),
    ("frames.context", |event| {
        frames(event, |stack| {
            for frame in &mut stack.frames {
                frame.pre_context = Vec::new();
                frame.post_context = Vec::new();
            }
        });
    }),
    ("modules", |event| event.modules.clear()),
    ("breadcrumbs", |event| event.breadcrumbs.clear()),
    ("contexts", |event| event.contexts.retain(|name, _| matches!(name.as_str(), "trace" | "tracing"))),
    ("debug_images", |event| event.debug_images.clear()),
    ("request", |event| event.request = None),
    ("user", |event| {
        if let Some(user) = &mut event.user {
            user.other = Map::new();
        }
    }),
    ("frames", |event| {
        event.threads.clear();
        frames(event, |stack| {
            let of = stack.frames.len();
            stack.frames.drain(..of.saturating_sub(20));
        });
        let of = event.exceptions.len();
        event.exceptions.drain(..of.saturating_sub(4));
    }),
    ("texts", texts),
    ("stacks", |event| event.exceptions.iter_mut().for_each(|e| e.stacktrace = None)),
];

/// Bytes of a text in the last step.
const SHORT: usize = 1 << 10;

/// Drops parts until the event fits.
pub(super) fn fit(limits: &Limits, event: &mut Event) {
    let mut size = size(event);
    let before = size;
    let mut dropped = Vec::new();
    for (name, shrink) in STEPS {
        if size <= limits.event {
            break;
        }
        shrink(event);
        let now = self::size(event);
        if now < size {
            dropped.push(name);
        }
        size = now;
    }
    if before > limits.event {
        let what = format!("kept {size} of {before} bytes, without {}", dropped.join(", "));
        event.truncated.insert(0, Mark { path: String::new(), what });
    }
}

/// The bytes of the event as JSON, counted without writing them anywhere.
fn size(event: &Event) -> usize {
    struct Count(usize);
    impl io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    // What cannot be serialized cannot be stored either; the store says so.
    match serde_json::to_writer(&mut count, event) {
        Ok(()) | Err(_) => count.0,
    }
}

fn frames(event: &mut Event, shrink: fn(&mut Stacktrace)) {
    let of_exceptions = event.exceptions.iter_mut().filter_map(|e| e.stacktrace.as_mut());
    let of_threads = event.threads.iter_mut().filter_map(|t| t.stacktrace.as_mut());
    of_exceptions.chain(of_threads).for_each(shrink);
}

fn texts(event: &mut Event) {
    fn short(text: &mut String) {
        text.truncate(text.floor_char_boundary(SHORT));
    }
    if let Some(message) = &mut event.message {
        short(&mut message.text);
        message.template.iter_mut().for_each(short);
        message.params = serde_json::Value::Null;
    }
    for exception in &mut event.exceptions {
        let frames = exception.stacktrace.iter_mut().flat_map(|s| &mut s.frames);
        for frame in frames {
            let names = [&mut frame.filename, &mut frame.abs_path, &mut frame.module, &mut frame.function];
            names.into_iter().flatten().for_each(short);
            (frame.context_line, frame.package, frame.instruction_addr) = (None, None, None);
            frame.source_link = None;
        }
        exception.mechanism = None;
        [&mut exception.ty, &mut exception.value, &mut exception.module].into_iter().flatten().for_each(short);
    }
    let names = [
        &mut event.stack_trace,
        &mut event.platform,
        &mut event.source,
        &mut event.logger,
        &mut event.transaction,
        &mut event.server_name,
        &mut event.release,
        &mut event.dist,
        &mut event.environment,
    ];
    names.into_iter().flatten().for_each(short);
    if let Some(user) = &mut event.user {
        [&mut user.id, &mut user.username, &mut user.email, &mut user.ip_address].into_iter().flatten().for_each(short);
    }
    if let Some(sdk) = &mut event.sdk {
        short(&mut sdk.name);
        short(&mut sdk.version);
    }
    event.contexts.clear();
    event.tags.clear();
    event.fingerprint.iter_mut().for_each(short);
}
