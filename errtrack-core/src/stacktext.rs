//! Stack traces as text, turned into frames.
//!
//! Reports over HTTP often carry a trace as the text that the language prints. Rust, Python, JavaScript, Java and Kotlin, Go,
//! Ruby, PHP, C# and Elixir have a reader here; all go
//! line by line, skip what they do not know, and give what they could read. Frames come as everywhere else: the caller
//! first, the crash last; chains with the root cause first.

mod csharp;
mod elixir;
mod fill;
mod go;
mod java;
mod javascript;
mod php;
mod python;
mod ruby;
mod rust;

pub use fill::fill_frames;

use crate::{Exception, Frame, Stacktrace};

/// The most lines of a text that are read.
const LINES: usize = 20_000;
/// The most exceptions that one text gives.
const CHAIN: usize = 32;
/// The longest message that is taken from a text, in bytes.
const VALUE: usize = 8 << 10;

/// The exceptions of a trace with their frames; `None` where no language's reader finds a frame.
///
/// # Example
/// ```
/// let text = "Traceback (most recent call last):\n  File \"cart.py\", line 3, in pay\n    charge()\nValueError: no card";
/// let chain = errtrack_core::stacktext::parse(text).unwrap();
/// assert_eq!(chain[0].ty.as_deref(), Some("ValueError"));
/// assert_eq!(chain[0].frames()[0].function.as_deref(), Some("pay"));
/// ```
#[must_use]
pub fn parse(text: &str) -> Option<Vec<Exception>> {
    read(text).map(|(_, chain)| chain)
}

/// The same, with the platform as Sentry's protocol calls it.
fn read(text: &str) -> Option<(&'static str, Vec<Exception>)> {
    let chains = READERS.iter().map(|(platform, read)| (*platform, read(text)));
    chains.into_iter().find(|(_, chain)| chain.iter().any(|e| !e.frames().is_empty()))
}

/// Reads a trace of one language.
type Reader = fn(&str) -> Vec<Exception>;

/// Those that ask for more come first; JavaScript's takes what looks like a place in a file.
pub(crate) const READERS: [(&str, Reader); 9] = [
    ("python", python::parse),
    ("java", java::parse),
    ("go", go::parse),
    ("ruby", ruby::parse),
    ("php", php::parse),
    ("elixir", elixir::parse),
    ("rust", rust::parse),
    ("csharp", csharp::parse),
    ("javascript", javascript::parse),
];

/// File and line of the innermost frame: what the fingerprint of some report dialects is made of.
///
/// # Example
/// ```
/// use errtrack_core::stacktext::innermost_place;
///
/// let text = "Error: Connection timeout\n at Database.connect(db.js:45)\n at main(app.js:12)";
/// assert_eq!(innermost_place(text), Some(("db.js".into(), 45)));
/// assert_eq!(innermost_place("it broke"), None);
/// ```
#[must_use]
pub fn innermost_place(text: &str) -> Option<(String, u32)> {
    let chain = parse(text)?;
    // Python prints the outermost error last, the others first; what is raised last is what was reported.
    let frame = chain.iter().rev().find_map(|e| e.frames().last())?;
    let file = frame.abs_path.clone().or_else(|| frame.filename.clone())?;
    Some((file, frame.lineno.unwrap_or_default()))
}

/// The lines of a text without what ends them.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n').take(LINES).map(|line| line.trim_end_matches('\r'))
}

/// An exception of what was read.
fn exception(ty: Option<&str>, value: Option<&str>, frames: Vec<Frame>) -> Exception {
    let cut = |value: &str| value.get(..value.floor_char_boundary(VALUE)).unwrap_or_default().trim_end().to_owned();
    Exception {
        ty: ty.map(str::to_owned),
        value: value.map(cut),
        stacktrace: (!frames.is_empty()).then_some(Stacktrace { frames }),
        ..Exception::default()
    }
}

/// A frame of a path, which is whole where it is absolute.
fn frame(path: &str, line: Option<u32>, column: Option<u32>) -> Frame {
    let is_whole = path.starts_with('/') || path.contains("://") || path.get(1..3) == Some(":\\");
    Frame {
        filename: Some(path.to_owned()),
        abs_path: is_whole.then(|| path.to_owned()),
        lineno: line,
        colno: column,
        ..Frame::default()
    }
}

/// `file:line:column` or `file:line`, taken from the end.
fn location(text: &str) -> Option<(&str, u32, Option<u32>)> {
    let (head, last) = text.rsplit_once(':')?;
    let last = number(last)?;
    match head.rsplit_once(':').and_then(|(file, line)| Some((file, number(line)?))) {
        Some((file, line)) if !file.is_empty() => Some((file, line, Some(last))),
        _ if !head.is_empty() => Some((head, last, None)),
        _ => None,
    }
}

fn number(text: &str) -> Option<u32> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// `Type: message`, where the type is one name: the line above the frames, or below them.
fn headline(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    let line = line.strip_prefix("Uncaught ").unwrap_or(line);
    let (ty, value) = match line.split_once(':') {
        Some((ty, value)) => (ty, value.trim()),
        None => (line, ""),
    };
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '$');
    (!ty.is_empty() && ty.len() <= 200 && !ty.starts_with(|c: char| c.is_ascii_digit()) && ty.chars().all(is_name))
        .then_some((ty, value))
}

/// Whether a name is that of an error, and not a word before a colon.
fn names_an_error(ty: &str) -> bool {
    ["Error", "Exception", "Failure", "Fault", "Interrupt", "Throwable"].iter().any(|end| ty.ends_with(end))
}

/// Splits `package.Type`.
fn apart(qualified: &str) -> (Option<&str>, &str) {
    match qualified.rsplit_once('.') {
        Some((module, name)) if !module.is_empty() && !name.is_empty() => (Some(module), name),
        _ => (None, qualified),
    }
}

/// Splits a type off its module at the last joint: `Shop::CartError`, `Shop\CartError`.
fn apart_by<'a>(qualified: &'a str, joint: &str) -> (Option<&'a str>, Option<&'a str>) {
    match qualified.rsplit_once(joint) {
        Some((module, name)) if !module.is_empty() && !name.is_empty() => (Some(module), Some(name)),
        _ => (None, Some(qualified)),
    }
}

#[cfg(test)]
mod tests;
