//! Rust backtraces, as `std` and the default panic hook print them.

use super::{exception, frame, lines, location, number};
use crate::{Exception, Frame, symbols};

pub(super) fn parse(text: &str) -> Vec<Exception> {
    let mut frames: Vec<Frame> = Vec::new();
    let mut panic = Panic::default();
    for line in lines(text) {
        let text = line.trim();
        if let Some(function) = numbered(text) {
            frames.push(Frame { function: Some(function.to_owned()), ..Frame::default() });
        } else if let Some((file, line, column)) = text.strip_prefix("at ").and_then(location) {
            if let Some(last) = frames.last_mut().filter(|last| last.filename.is_none()) {
                *last = Frame {
                    function: last.function.take(),
                    ..frame(file.trim_start_matches("./"), Some(line), column)
                };
            }
        } else if frames.is_empty() {
            panic.line(line);
        }
    }
    let has_paths = frames.iter().any(|f| f.function.as_deref().is_some_and(|f| f.contains("::") || f == "main"));
    if !has_paths {
        return Vec::new();
    }
    frames.reverse();
    symbols::tidy(&mut frames);
    vec![exception(panic.seen.then_some("panic"), panic.seen.then_some(panic.message.trim()), frames)]
}

/// `thread 'main' panicked at src/main.rs:2:5:` and the message below; before Rust 1.73 the message stood within.
#[derive(Default)]
struct Panic {
    seen: bool,
    message: String,
    over: bool,
}

impl Panic {
    fn line(&mut self, line: &str) {
        if let Some((_, rest)) = line.split_once("' panicked at ").or_else(|| line.split_once(") panicked at ")) {
            self.seen = true;
            let old = rest.strip_prefix('\'').and_then(|rest| rest.rsplit_once("', "));
            self.message = old.map_or_else(String::new, |(message, _)| message.to_owned());
            self.over = old.is_some();
        } else if line.trim() == "stack backtrace:" || line.starts_with("note: run with") {
            self.over = true;
        } else if self.seen && !self.over && self.message.len() < super::VALUE {
            self.message.push_str(line);
            self.message.push('\n');
        }
    }
}

/// `12: path::function`, also `12: 0x55d0 - path::function`.
fn numbered(line: &str) -> Option<&str> {
    let (index, rest) = line.split_once(": ")?;
    number(index).filter(|index| *index < 10_000)?;
    let rest = rest.trim();
    let function = match rest.strip_prefix("0x") {
        Some(address) => address.split_once(" - ")?.1.trim(),
        None => rest,
    };
    (!function.is_empty() && !function.starts_with('(')).then_some(function)
}
