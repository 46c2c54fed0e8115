//! Go: what a panic prints, `debug.Stack()`, and `%+v` of errors that carry a stack.

use super::{exception, frame, lines, location};
use crate::{Exception, Frame};

pub(super) fn parse(text: &str) -> Vec<Exception> {
    if !text.contains(".go:") {
        return Vec::new();
    }
    let mut reader = Reader::default();
    for line in lines(text) {
        if reader.is_over(line) {
            break;
        }
        reader.line(line);
    }
    if reader.frames.is_empty() {
        return Vec::new();
    }
    reader.frames.reverse();
    let (ty, value) = reader.head.unzip();
    vec![exception(ty, value.or(reader.first), reader.frames)]
}

#[derive(Default)]
struct Reader<'a> {
    head: Option<(&'a str, &'a str)>,
    /// The first line of a text that names no panic: what an error with a stack says.
    first: Option<&'a str>,
    /// A line that may be a function, if a place follows it.
    function: Option<&'a str>,
    frames: Vec<Frame>,
    goroutines: usize,
}

impl<'a> Reader<'a> {
    /// Only the first goroutine failed; what follows are the others.
    fn is_over(&mut self, line: &str) -> bool {
        self.goroutines += usize::from(line.starts_with("goroutine ") && line.ends_with("]:"));
        self.goroutines > 1 && !self.frames.is_empty()
    }

    fn line(&mut self, line: &'a str) {
        if line.starts_with(['\t', ' '])
            && let Some(function) = self.function
            && let Some(found) = place(line.trim(), function)
        {
            self.frames.push(found);
            self.function = None;
            return;
        }
        let line = line.trim();
        if let Some(value) = line.strip_prefix("panic: ") {
            // A panic that was recovered and raised again is printed after the first.
            self.head.get_or_insert(("panic", value.trim_end_matches(" [recovered]")));
        } else if let Some(value) = line.strip_prefix("fatal error: ") {
            self.head.get_or_insert(("fatal error", value));
        } else if self.frames.is_empty() && self.first.is_none() && !line.is_empty() && !line.starts_with("goroutine ")
        {
            self.first = Some(line);
        }
        self.function = Some(line);
    }
}

/// A function's line and the line of its place: `/srv/main.go:12 +0x1d`.
fn place(line: &str, function: &str) -> Option<Frame> {
    let (file, line, _) = location(line.split(" +0x").next()?)?;
    if !file.ends_with(".go") {
        return None;
    }
    let function = function.strip_prefix("created by ").unwrap_or(function);
    let function = function.split(" in goroutine ").next()?;
    let function = without_arguments(function);
    // `github.com/acme/shop.(*Cart).Pay`: the package ends at the first dot behind the last slash.
    let slash = function.rfind('/').map_or(0, |slash| slash + 1);
    let dot = function.get(slash..)?.find('.')? + slash;
    let (module, name) = (function.get(..dot)?, function.get(dot + 1..)?);
    let is_named = !name.is_empty() && !function.contains(char::is_whitespace);
    is_named.then(|| Frame {
        module: Some(module.to_owned()),
        function: Some(name.to_owned()),
        ..frame(file, Some(line), None)
    })
}

/// `main.(*Cart).Pay(0xc000, 0x5)` without what it was called with.
fn without_arguments(function: &str) -> &str {
    match function.strip_suffix(')').and_then(|rest| rest.rfind('(')) {
        Some(open) if open > 0 => function.get(..open).unwrap_or(function),
        _ => function,
    }
}
