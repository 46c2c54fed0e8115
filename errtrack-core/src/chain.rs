//! An error and its sources, as exceptions.

use crate::{Exception, event::Mechanism};
use std::{
    any::type_name,
    error::Error,
    fmt::{self, Write},
};

/// Errors of one chain that are taken; a longer chain is most likely a loop.
const LONGEST: usize = 32;
/// Bytes of one error's text that are taken on the host's thread.
const LONGEST_TEXT: usize = 16 << 10;

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
    pub fn chain<E: Error + ?Sized>(error: &E, mechanism: &str, handled: bool) -> Vec<Self> {
        exceptions(error, mechanism, handled)
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
        named(path, debug_name(error))
    }
}

/// The chain of an error as exceptions: the root cause first, the error itself last, as events hold them.
pub(crate) fn exceptions<E: Error + ?Sized>(error: &E, mechanism: &str, handled: bool) -> Vec<Exception> {
    let mut chain = Vec::with_capacity(4);
    let mut outermost = Exception { ty: Some(type_of(error)), value: Some(text_of(error)), ..Exception::default() };
    outermost.mechanism = Some(Mechanism::new(mechanism, handled));
    chain.push(outermost);
    let mut source = error.source();
    while let Some(cause) = source
        && chain.len() < LONGEST
    {
        chain.push(Exception { ty: Some(type_of(cause)), value: Some(text_of(cause)), ..Exception::default() });
        source = cause.source();
    }
    chain.reverse();
    chain
}

/// The path of the type, where the compiler knows it, with the variant that `Debug` shows: `shop::OrderError::Payment`.
///
/// Behind a `dyn Error` only what `Debug` shows is left.
pub(crate) fn type_of<E: Error + ?Sized>(error: &E) -> String {
    named(type_name::<E>(), debug_name(error))
}

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

/// What the error says, cut where nobody reads on.
fn text_of<E: Error + ?Sized>(error: &E) -> String {
    let mut text = Bounded { text: String::with_capacity(64), room: LONGEST_TEXT };
    // An error here is our own refusal to take more.
    let _ = write!(text, "{error}");
    text.text
}

/// The identifier with which the `Debug` text begins, if it looks derived: `Payment { … }`, `Payment(…)`, `Payment`.
fn debug_name<E: Error + ?Sized>(error: &E) -> Option<String> {
    let mut text = Bounded { text: String::with_capacity(32), room: 64 };
    let whole = write!(text, "{error:?}").is_ok();
    let end = text.text.find(|c: char| !c.is_alphanumeric() && c != '_');
    let (name, rest) = text.text.split_at(end.unwrap_or(text.text.len()));
    let derived = rest.starts_with(" {") || rest.starts_with('(') || (rest.is_empty() && whole);
    if let Some(kind) = io_kind(name, rest) {
        return Some(format!("{IO_ERROR}::{kind}"));
    }
    (derived && name.starts_with(|c: char| c.is_ascii_uppercase())).then(|| name.to_owned())
}

/// How people call the most common error of all, whose own name for its variants (`Os`, `Custom`) says nothing.
const IO_ERROR: &str = "std::io::Error";

/// The kind in the `Debug` text of an [`std::io::Error`]: `Os { code: 2, kind: NotFound, …`.
fn io_kind<'a>(name: &str, rest: &'a str) -> Option<&'a str> {
    if !matches!(name, "Os" | "Custom") {
        return None;
    }
    let (_, kind) = rest.split_once("kind: ")?;
    kind.split([',', ' ']).next()
}

/// A string that stops taking text when it is full, and so stops the formatting.
struct Bounded {
    text: String,
    room: usize,
}

impl Write for Bounded {
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
        let chain = exceptions(&error, "generic", true);
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
        assert_eq!(type_of(plain.as_ref()), "Plain");
        let text: Box<dyn Error> = "Two words".into();
        assert_eq!(type_of(text.as_ref()), "Error");
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
        assert!(exceptions(&Endless, "generic", true)[0].value.as_ref().unwrap().len() <= LONGEST_TEXT);
    }
}
