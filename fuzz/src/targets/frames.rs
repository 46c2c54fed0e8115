//! Names of functions, modules and files of any language: cleaned, marked, grouped, blamed.

use super::text;
use crate::Target;
use errtrack_core::{
    Event, Exception, Frame, Stacktrace, fuzzing,
    grouping::{InApp, culprit, group},
};

pub(crate) const TARGET: Target = Target {
    name: "frames",
    run,
    seeds: |material| {
        let line = |frame: &Frame| {
            let [function, module, file] = [&frame.function, &frame.module, &frame.filename].map(Clone::clone);
            [function, module, file].map(Option::unwrap_or_default).join("\t")
        };
        let stack = |exception: &Exception| exception.frames().iter().map(line).collect::<Vec<_>>().join("\n");
        let stacks = |event: &Event| {
            let platform = event.platform.clone().unwrap_or_default();
            event
                .exceptions
                .iter()
                .map(stack)
                .map(|stack| format!("{platform}\n{stack}").into_bytes())
                .collect::<Vec<_>>()
        };
        material.events.iter().flat_map(stacks).collect()
    },
};

fn run(data: &[u8]) {
    let text = text(data);
    let mut lines = text.lines().take(100);
    let platform = lines.next().map(str::to_owned);
    let frames: Vec<_> = lines.map(frame).collect();
    let mut event = Event { platform, ..Event::default() };
    event.exceptions.push(Exception { stacktrace: Some(Stacktrace { frames }), ..Exception::new("E", "x") });
    InApp::default().mark(&mut event);
    let marked = event.clone();
    InApp::default().mark(&mut event);
    assert_eq!(event, marked, "what is marked stays so");
    let (fingerprint, _) = group(&event);
    let _ = culprit(&event);
    let stack = event.exceptions.iter_mut().filter_map(|exception| exception.stacktrace.as_mut());
    for frame in stack.flat_map(|stack| &mut stack.frames) {
        let _ = frame.function.as_deref().map(fuzzing::readable);
        (frame.lineno, frame.colno) = (Some(7), Some(11));
    }
    assert_eq!(group(&event).0, fingerprint, "lines do not count");
}

/// Function, module and file, apart by tabs.
fn frame(line: &str) -> Frame {
    let mut parts = line.split('\t').map(|part| Some(part.to_owned()).filter(|part| !part.is_empty()));
    let mut next = || parts.next().flatten();
    Frame { function: next(), module: next(), filename: next(), abs_path: next(), ..Frame::default() }
}
