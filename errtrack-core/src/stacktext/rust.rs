//! Rust backtraces: of the default panic hook, of `anyhow` and `eyre`, of `color-eyre`.

use super::{CHAIN, exception, frame, lines, location, number};
use crate::{Exception, Frame};

pub(super) fn parse(text: &str) -> Vec<Exception> {
    let mut reader = Reader::default();
    lines(text).for_each(|line| reader.line(line));
    let has_paths =
        reader.frames.iter().any(|f| f.function.as_deref().is_some_and(|f| f.contains("::") || f == "main"));
    if !has_paths {
        return Vec::new();
    }
    reader.frames.reverse();
    let mut chain = reader.messages();
    let outermost = chain.pop().unwrap_or_default();
    chain.push(Exception { stacktrace: exception(None, None, reader.frames).stacktrace, ..outermost });
    chain
}

/// What the lines that come are about.
#[derive(Default, Clone, Copy, PartialEq)]
enum Part {
    /// What stands above the frames, or no heading at all.
    #[default]
    Head,
    /// What an error says, and what its causes say, the outermost first.
    Messages,
    /// The spans of `color-eyre`, and where it says that an error was made.
    Aside,
    Frames,
}

#[derive(Default)]
struct Reader<'a> {
    part: Part,
    panic: Panic,
    /// The first line, which is what an error says if causes or a backtrace follow.
    first: Option<&'a str>,
    messages: Vec<&'a str>,
    is_error: bool,
    frames: Vec<Frame>,
}

impl<'a> Reader<'a> {
    fn line(&mut self, line: &'a str) {
        let text = line.trim();
        if let Some(part) = heading(text) {
            // Only `anyhow`, `eyre` and what is built on it write these.
            self.is_error |= matches!(text, "Caused by:" | "Stack backtrace:" | "Error:");
            self.part = part;
            return;
        }
        match self.part {
            Part::Messages => {
                let said = numbered(text).unwrap_or(text);
                if !said.is_empty() && self.messages.len() < CHAIN - 1 {
                    self.messages.push(said);
                }
            }
            Part::Aside => {}
            Part::Head | Part::Frames => self.frame_or_head(line, text),
        }
    }

    fn frame_or_head(&mut self, line: &'a str, text: &'a str) {
        if let Some(function) = numbered(text) {
            self.frames.push(Frame { function: Some(function.to_owned()), ..Frame::default() });
        } else if let Some((file, line, column)) = text.strip_prefix("at ").and_then(location) {
            if let Some(last) = self.frames.last_mut().filter(|last| last.filename.is_none()) {
                *last = Frame {
                    function: last.function.take(),
                    ..frame(file.trim_start_matches("./"), Some(line), column)
                };
            }
        } else if self.frames.is_empty() && self.part == Part::Head {
            if !text.is_empty() {
                self.first.get_or_insert(text);
            }
            self.panic.line(line);
        }
    }

    /// What is said, the root cause first.
    fn messages(&self) -> Vec<Exception> {
        if self.panic.seen {
            return vec![exception(Some("panic"), Some(self.panic.message.trim()), Vec::new())];
        }
        if !self.is_error {
            return Vec::new();
        }
        let first = self.first.map(|first| first.strip_prefix("Error: ").unwrap_or(first));
        let said = first.into_iter().chain(self.messages.iter().copied());
        let mut chain: Vec<_> = said.map(|said| exception(Some("Error"), Some(said), Vec::new())).collect();
        chain.reverse();
        chain
    }
}

fn heading(text: &str) -> Option<Part> {
    match text {
        "Caused by:" | "Error:" => Some(Part::Messages),
        "Stack backtrace:" | "stack backtrace:" => Some(Part::Frames),
        "Location:" => Some(Part::Aside),
        _ if text.contains("━━ SPANTRACE ━━") => Some(Part::Aside),
        _ if text.contains("━━ BACKTRACE ━━") => Some(Part::Frames),
        _ => None,
    }
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
        } else if line.starts_with("note: run with") {
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
