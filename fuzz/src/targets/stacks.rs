//! Text traces: every reader, and what becomes of them in an event.

use super::{bytes, text};
use crate::Target;
use errtrack_core::{Event, Exception, fuzzing, stacktext};

pub(crate) const TARGET: Target =
    Target { name: "stacks", run, seeds: |material| bytes(material.traces.iter().map(String::as_str)) };

fn run(data: &[u8]) {
    let text = text(data);
    fuzzing::readers(&text).for_each(|chain| bounded(&text, &chain));
    let chain = stacktext::parse(&text);
    assert_eq!(chain.is_none(), stacktext::innermost_place(&text).is_none() && chain.is_none());
    let mut event = Event { stack_trace: Some(text), ..Event::default() };
    stacktext::fill_frames(&mut event);
    let filled = event.clone();
    stacktext::fill_frames(&mut event);
    assert!(event == filled || filled.exceptions.iter().all(|e| e.frames().is_empty()));
}

fn bounded(text: &str, chain: &[Exception]) {
    assert!(chain.len() <= 32);
    let frames: usize = chain.iter().map(|exception| exception.frames().len()).sum();
    // PHP's lines tell of the call and of the place, which stand apart in frames.
    assert!(frames <= text.split('\n').count() + chain.len(), "{frames} frames");
}
