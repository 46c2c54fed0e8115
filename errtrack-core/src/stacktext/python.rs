//! Python tracebacks, as [`traceback`](https://docs.python.org/3/library/traceback.html) prints them.

use super::{CHAIN, apart, exception, frame, lines, number};
use crate::{Exception, Frame};

const BEGIN: &str = "Traceback (most recent call last):";

pub(super) fn parse(text: &str) -> Vec<Exception> {
    if !text.contains("File \"") {
        return Vec::new();
    }
    let mut reader = Reader::default();
    for line in lines(text) {
        reader.line(line);
        if reader.chain.len() >= CHAIN {
            break;
        }
    }
    reader.end();
    reader.chain
}

#[derive(Default)]
struct Reader<'a> {
    chain: Vec<Exception>,
    frames: Vec<Frame>,
    /// The line that names the exception, once the frames are over.
    head: Option<&'a str>,
    more: Vec<&'a str>,
    expects_source: bool,
}

impl<'a> Reader<'a> {
    fn line(&mut self, line: &'a str) {
        let line = bare(line);
        let text = line.trim_start();
        if text.ends_with(BEGIN)
            || text.starts_with("During handling of the above")
            || text.starts_with("The above exception was")
        {
            self.end();
        } else if let Some(found) = place(text) {
            if self.head.is_some() {
                self.end();
            }
            self.frames.push(found);
            self.expects_source = true;
        } else if self.frames.is_empty() || text.is_empty() {
            self.expects_source = false;
        } else if self.head.is_some() {
            self.more.push(line);
        } else if text.len() < line.len() {
            let is_marker = text.chars().all(|c| matches!(c, '^' | '~' | ' ')) || text.starts_with("[Previous line");
            if self.expects_source && !is_marker {
                if let Some(last) = self.frames.last_mut() {
                    last.context_line = Some(text.to_owned());
                }
                self.expects_source = false;
            }
        } else {
            self.head = Some(line);
        }
    }

    /// Closes the exception that is open.
    fn end(&mut self) {
        let frames = std::mem::take(&mut self.frames);
        let more = std::mem::take(&mut self.more);
        let head = self.head.take();
        self.expects_source = false;
        if frames.is_empty() {
            return;
        }
        let (qualified, value) =
            match head.map(|head| head.split_once(": ").unwrap_or((head.trim_end_matches(':'), ""))) {
                Some((ty, value)) if !ty.contains(' ') => (Some(ty), value),
                _ => (None, head.unwrap_or_default()),
            };
        let value = std::iter::once(value).chain(more).collect::<Vec<_>>().join("\n");
        let (module, ty) = qualified.map_or((None, None), |q| (apart(q).0, Some(apart(q).1)));
        let mut found = exception(ty, Some(&value), frames);
        found.module = module.map(str::to_owned);
        self.chain.push(found);
    }
}

/// Without the bars that an exception group draws at the left.
fn bare(line: &str) -> &str {
    let text = line.trim_start();
    match text.strip_prefix("| ").or_else(|| text.strip_prefix("+ ")) {
        Some(inner) => inner,
        None => line,
    }
}

/// `File "cart.py", line 3, in pay`.
fn place(line: &str) -> Option<Frame> {
    let (path, rest) = line.strip_prefix("File \"")?.split_once("\", line ")?;
    let (line, function) = match rest.split_once(", in ") {
        Some((line, function)) => (line, Some(function.trim())),
        None => (rest.trim_end_matches(','), None),
    };
    let function = function.filter(|f| !f.is_empty()).map(str::to_owned);
    Some(Frame { function, ..frame(path, Some(number(line.trim())?), None) })
}
