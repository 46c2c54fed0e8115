//! Backtraces that errors bring along, as the text that `std` makes of them.

use crate::{Stacktrace, hosted::hosted, stacktext, symbols::shorten};
use std::{
    backtrace::{Backtrace, BacktraceStatus},
    fmt::{self, Write},
};

/// Bytes of the text that are taken: some 300 frames.
const LONGEST: usize = 64 << 10;

/// The text of a backtrace; `None` if none was captured.
pub(crate) fn text(backtrace: &Backtrace) -> Option<String> {
    if backtrace.status() != BacktraceStatus::Captured {
        return None;
    }
    let mut text = Bounded(String::with_capacity(4 << 10));
    hosted(|| {
        // An error is our own refusal to take more.
        let _ = write!(text, "{backtrace}");
    })?;
    Some(text.0)
}

/// The frames of such a text; `None` if there are none to be read. What took the backtrace is left out.
pub(crate) fn stack(text: &str) -> Option<Stacktrace> {
    const TAKING: [&str; 6] = ["std::backtrace", "backtrace::", "anyhow::", "<anyhow::", "eyre::", "<eyre::"];
    let mut stack = stacktext::parse(text)?.pop()?.stacktrace?;
    while stack
        .frames
        .last()
        .and_then(|f| f.function.as_deref())
        .is_some_and(|f| TAKING.iter().any(|t| f.starts_with(t)))
    {
        stack.frames.pop();
    }
    for frame in &mut stack.frames {
        let path = frame.abs_path.as_deref().or(frame.filename.as_deref());
        frame.filename = path.map(|path| shorten(path, None));
    }
    (!stack.frames.is_empty()).then_some(stack)
}

struct Bounded(String);

impl Write for Bounded {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        if self.0.len() + more.len() > LONGEST {
            return Err(fmt::Error);
        }
        self.0.push_str(more);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backtrace_becomes_frames_that_end_where_it_was_taken() {
        #[inline(never)]
        fn failing_function() -> Backtrace {
            std::hint::black_box(Backtrace::force_capture())
        }
        let stack = stack(&text(&failing_function()).unwrap()).unwrap();
        let last = stack.frames.last().unwrap();
        assert!(last.function.as_deref().unwrap().ends_with("failing_function"), "{last:?}");
        assert_eq!(last.filename.as_deref(), Some("src/own_trace.rs"));
        assert!(last.lineno.is_some());
    }

    #[test]
    fn one_that_was_not_captured_is_none() {
        assert!(text(&Backtrace::disabled()).is_none());
    }
}
