//! An error and its sources, as exceptions.

use crate::{Exception, event::Mechanism, hosted::hosted};
use std::{
    any::type_name,
    error::Error,
    fmt::{self, Write},
};

/// Errors of one chain that are taken; a longer chain is most likely a loop.
const LONGEST: usize = 32;
/// Bytes of one error's text that are taken on the host's thread.
const LONGEST_TEXT: usize = 16 << 10;
/// Bytes of its `Debug` text: only how that begins tells anything.
const LONGEST_DEBUG: usize = 64;

impl Exception {
    /// The chain of an error as an event holds it: the root cause first, the error itself last.
    ///
    /// The last one says by which `mechanism` (`tower`, `tracing`, …) it was caught, and whether the program `handled` it.
    /// Behind a `dyn Error` the type is what its `Debug` text tells; a caller who knows better can set it.
    ///
    /// # Example
    /// ```
    /// use errtrack_core::Exception;
    ///
    /// let error = std::io::Error::other("x".parse::<i32>().unwrap_err());
    /// let chain = Exception::chain(&error, "generic", true);
    /// assert_eq!(chain.last().unwrap().ty.as_deref(), Some("std::io::Error::Other"));
    /// ```
    pub fn chain<E: Error + ?Sized>(error: &E, mechanism: &'static str, handled: bool) -> Vec<Self> {
        Chain::of(error, type_name::<E>(), mechanism, handled).into_exceptions()
    }

    /// Names a type whose path the caller knows, although the error is behind a `dyn Error` by now: `path` is what
    /// [`type_name`] says, completed by the variant that the `Debug` text shows.
    ///
    /// # Example
    /// ```
    /// use errtrack_core::Exception;
    ///
    /// let error: Box<dyn std::error::Error> = "x".parse::<i32>().unwrap_err().into();
    /// let path = std::any::type_name::<std::num::ParseIntError>();
    /// assert_eq!(Exception::type_of(&*error, path), "core::num::error::ParseIntError");
    /// ```
    #[must_use]
    pub fn type_of(error: &dyn Error, path: &str) -> String {
        let mut shown = String::with_capacity(32);
        let whole = hosted(|| write!(Bounded { text: &mut shown, room: LONGEST_DEBUG }, "{error:?}").is_ok());
        named(path, debug_name(&shown, whole == Some(true)))
    }
}

/// An error and its sources, as they are taken on the host's thread: their texts in one buffer, nothing named yet.
#[derive(Debug)]
pub(crate) struct Chain {
    texts: String,
    /// From the error itself to its root.
    links: Vec<Link>,
    mechanism: &'static str,
    handled: bool,
}

/// One error of a chain; its texts end where the numbers say.
#[derive(Debug)]
struct Link {
    /// What the compiler calls its type; nothing for sources.
    path: &'static str,
    debug_end: usize,
    /// The `Debug` text is all there.
    debug_is_whole: bool,
    end: usize,
}

impl Chain {
    /// Takes an error whose type is called `path` and its sources. Two allocations.
    pub(crate) fn of<E: Error + ?Sized>(error: &E, path: &'static str, mechanism: &'static str, handled: bool) -> Self {
        let mut chain = Self { texts: String::with_capacity(256), links: Vec::with_capacity(4), mechanism, handled };
        chain.take(error, path);
        let mut source = hosted(|| error.source()).flatten();
        while let Some(cause) = source
            && chain.links.len() < LONGEST
        {
            chain.take(cause, "dyn ");
            source = hosted(|| cause.source()).flatten();
        }
        chain
    }

    fn take<E: Error + ?Sized>(&mut self, error: &E, path: &'static str) {
        // An error of the writing is our own refusal to take more; a panic is the host's, and leaves what was written.
        let shown = hosted(|| write!(Bounded { text: &mut self.texts, room: LONGEST_DEBUG }, "{error:?}").is_ok());
        let debug_is_whole = shown == Some(true);
        let debug_end = self.texts.len();
        if hosted(|| write!(Bounded { text: &mut self.texts, room: LONGEST_TEXT }, "{error}")).is_none() {
            self.texts.push_str(" (its Display panicked)");
        }
        self.links.push(Link { path, debug_end, debug_is_whole, end: self.texts.len() });
    }

    /// Bytes that it holds, roughly.
    pub(crate) fn size(&self) -> usize {
        self.texts.len() + self.links.len() * size_of::<Exception>()
    }

    /// The texts of all errors, to tell chains apart.
    pub(crate) fn texts(&self) -> &str {
        &self.texts
    }

    /// The text of the error itself, without its sources.
    pub(crate) fn text(&self) -> &str {
        self.links.first().and_then(|link| self.texts.get(link.debug_end..link.end)).unwrap_or_default()
    }

    /// The text of an error as [`text`](Self::text) tells it of a chain.
    pub(crate) fn text_of(error: &(dyn Error + 'static)) -> String {
        let mut text = String::new();
        let _ = write!(Bounded { text: &mut text, room: LONGEST_TEXT }, "{error}");
        text
    }

    /// The chain as events hold it: the root cause first, the error itself last.
    pub(crate) fn into_exceptions(self) -> Vec<Exception> {
        let mut start = 0;
        let mut exceptions = Vec::with_capacity(self.links.len());
        for link in &self.links {
            let part = |from, to| self.texts.get(from..to).unwrap_or_default();
            let shown = debug_name(part(start, link.debug_end), link.debug_is_whole);
            exceptions.push(Exception::new(named(link.path, shown), part(link.debug_end, link.end)));
            start = link.end;
        }
        if let Some(error) = exceptions.first_mut() {
            error.mechanism = Some(Mechanism::new(self.mechanism, self.handled));
        }
        exceptions.reverse();
        exceptions
    }
}

/// The path of a type with the variant that `Debug` shows: `shop::OrderError::Payment`.
///
/// Behind a `dyn Error` only what `Debug` shows is left.
fn named(path: &str, shown: Option<String>) -> String {
    // A text that was made into an error has no type that would tell anything.
    let is_text = path.starts_with('&') || path == "alloc::string::String" || path.starts_with("alloc::borrow::Cow<");
    if is_text || path.starts_with("dyn ") || path.contains("dyn core::error::Error") {
        return shown.unwrap_or_else(|| "Error".to_owned());
    }
    let bare = path.split('<').next().unwrap_or(path);
    match shown {
        Some(shown) if shown.starts_with(IO_ERROR) => shown,
        Some(variant) if !bare.ends_with(&variant) => format!("{bare}::{variant}"),
        _ => bare.to_owned(),
    }
}

/// The identifier with which a `Debug` text begins, if it looks derived: `Payment { … }`, `Payment(…)`, `Payment`.
fn debug_name(text: &str, whole: bool) -> Option<String> {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_');
    let (name, rest) = text.split_at(end.unwrap_or(text.len()));
    let derived = rest.starts_with(" {") || rest.starts_with('(') || (rest.is_empty() && whole);
    if let Some(kind) = io_kind(name, rest) {
        return Some(format!("{IO_ERROR}::{kind}"));
    }
    (derived && name.starts_with(|c: char| c.is_ascii_uppercase())).then(|| name.to_owned())
}

/// How people call the most common error of all, whose own name for its variants (`Os`, `Custom`) says nothing.
const IO_ERROR: &str = "std::io::Error";

/// The kind in the `Debug` text of an [`std::io::Error`]: `Os { code: 2, kind: NotFound, …`, `Kind(NotFound)`,
/// `Error { kind: UnexpectedEof, message: …`.
fn io_kind<'a>(name: &str, rest: &'a str) -> Option<&'a str> {
    match name {
        "Os" | "Custom" => rest.split_once("kind: ")?.1.split([',', ' ']).next(),
        "Error" => rest.strip_prefix(" { kind: ")?.split_once(", message: ").map(|(kind, _)| kind),
        "Kind" => rest.strip_prefix('(')?.strip_suffix(')').filter(|kind| kind.chars().all(char::is_alphabetic)),
        _ => None,
    }
}

/// Takes text until there is no more room, and so stops the formatting.
struct Bounded<'a> {
    text: &'a mut String,
    room: usize,
}

impl Write for Bounded<'_> {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        let mut end = more.len().min(self.room);
        while !more.is_char_boundary(end) {
            end -= 1;
        }
        self.text.push_str(more.get(..end).unwrap_or_default());
        self.room -= end;
        if end == more.len() { Ok(()) } else { Err(fmt::Error) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    #[derive(Debug, thiserror::Error)]
    enum OrderError {
        #[error("could not take payment for order {0}")]
        Payment(u32, #[source] io::Error),
    }

    #[derive(Debug, thiserror::Error)]
    #[error("plain")]
    struct Plain;

    #[test]
    fn a_chain_begins_with_its_root_and_ends_with_the_error() {
        let error = OrderError::Payment(7, io::Error::other(Plain));
        let chain = Exception::chain(&error, "generic", true);
        let shown: Vec<_> = chain.iter().map(|e| (e.ty.as_deref().unwrap(), e.value.as_deref().unwrap())).collect();
        assert_eq!(shown.first(), Some(&("std::io::Error::Other", "plain")));
        assert_eq!(
            shown.last(),
            Some(&("errtrack_core::chain::tests::OrderError::Payment", "could not take payment for order 7"))
        );
    }

    #[test]
    fn a_type_behind_dyn_is_named_by_its_debug_text() {
        let plain: Box<dyn Error> = Box::new(Plain);
        assert_eq!(Exception::chain(plain.as_ref(), "generic", true)[0].ty.as_deref(), Some("Plain"));
        let text: Box<dyn Error> = "Two words".into();
        assert_eq!(Exception::chain(text.as_ref(), "generic", true)[0].ty.as_deref(), Some("Error"));
    }

    #[test]
    fn an_endless_text_is_cut() {
        #[derive(Debug)]
        struct Endless;
        impl fmt::Display for Endless {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                loop {
                    f.write_str("again ä ")?;
                }
            }
        }
        impl Error for Endless {}
        assert!(Exception::chain(&Endless, "generic", true)[0].value.as_ref().unwrap().len() <= LONGEST_TEXT);
    }
}
