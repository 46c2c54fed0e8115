//! The parts of an event that rules compare, and what stands there in an event.

use crate::{
    Event, Frame,
    grouping::{self, message},
};
use std::{fmt, str::FromStr};

/// A part of an event that a rule compares.
///
/// Its text form is what stands in JSON, in variables of fingerprints and on the page: `type`, `message`, `tag.plan`, ….
/// The order is that of the cost of comparing, the cheap first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Field {
    /// The level: `error`, `fatal`, ….
    Level,
    /// The environment.
    Environment,
    /// The release.
    Release,
    /// The status that was answered.
    Status,
    /// The logger, which is the target of `tracing`.
    Target,
    /// The type of any error of the chain.
    Type,
    /// The route, with its method or without.
    Route,
    /// The URL of the request, without its query.
    Url,
    /// The value of a tag.
    Tag(String),
    /// The text of any error of the chain, or the message.
    Message,
    /// The module of any frame, or of the type of any error.
    Module,
    /// The function of any frame, with its module or without.
    Function,
    /// The file of any frame, as it is shown or with its whole path.
    Path,
}

impl Field {
    /// Every field but the tags.
    pub const NAMED: [Self; 12] = [
        Self::Type,
        Self::Message,
        Self::Path,
        Self::Function,
        Self::Module,
        Self::Target,
        Self::Route,
        Self::Url,
        Self::Status,
        Self::Level,
        Self::Environment,
        Self::Release,
    ];

    /// The name without that of a tag.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Type => "type",
            Self::Message => "message",
            Self::Path => "path",
            Self::Function => "function",
            Self::Module => "module",
            Self::Target => "target",
            Self::Tag(_) => "tag",
            Self::Url => "url",
            Self::Route => "route",
            Self::Status => "status",
            Self::Level => "level",
            Self::Environment => "environment",
            Self::Release => "release",
        }
    }

    /// Whether any of the texts that an event has there is what `f` looks for.
    pub(super) fn any(&self, event: &Event, f: impl Fn(&str) -> bool) -> bool {
        let is = |text: &Option<String>| text.as_deref().is_some_and(&f);
        match self {
            Self::Level => f(event.level.as_str()),
            Self::Environment => is(&event.environment),
            Self::Release => is(&event.release),
            Self::Status => {
                event.request.as_ref().and_then(|r| r.status).is_some_and(|status| f(Digits::of(status).text()))
            }
            Self::Target => is(&event.logger),
            Self::Type => event.exceptions.iter().any(|e| is(&e.ty)),
            Self::Route => event
                .transaction
                .as_deref()
                .is_some_and(|route| f(route) || route.split_once(' ').is_some_and(|(_, path)| f(path))),
            Self::Url => event.request.as_ref().is_some_and(|request| is(&request.url)),
            Self::Tag(name) => event.tags.get(name).is_some_and(|value| f(value)),
            Self::Message => {
                event.message.as_ref().is_some_and(|message| f(&message.text))
                    || event.exceptions.iter().any(|e| is(&e.value))
            }
            Self::Module => {
                event.exceptions.iter().any(|e| is(&e.module)) || frames(event).any(|frame| is(&frame.module))
            }
            Self::Function => frames(event).any(|frame| is(&frame.function) || is_qualified(frame, &f)),
            Self::Path => frames(event).any(|frame| is(&frame.filename) || is(&frame.abs_path)),
        }
    }

    /// The text that stands for it in a fingerprint; empty where an event has none.
    ///
    /// Of several errors it is that of the main one, of frames that of the one to blame, without what a build adds to it. Of
    /// the message, parameters are left out: an id would make an issue of every event.
    pub(super) fn value(&self, event: &Event) -> String {
        let main = event.main_exception();
        match self {
            Self::Level => event.level.as_str().to_owned(),
            Self::Environment => event.environment.clone().unwrap_or_default(),
            Self::Release => event.release.clone().unwrap_or_default(),
            Self::Status => event.request.as_ref().and_then(|r| r.status).map(|s| s.to_string()).unwrap_or_default(),
            Self::Target => event.logger.clone().unwrap_or_default(),
            Self::Type => main.and_then(|e| e.ty.clone()).unwrap_or_default(),
            Self::Route => event.transaction.clone().unwrap_or_default(),
            Self::Url => event.request.as_ref().and_then(|r| r.url.clone()).unwrap_or_default(),
            Self::Tag(name) => event.tags.get(name).cloned().unwrap_or_default(),
            Self::Message => message::parameterize(event.title().1).into_owned(),
            Self::Module => {
                let of_frame = grouping::blamed(event).and_then(|frame| frame.module.clone());
                of_frame.or_else(|| main.and_then(|e| e.module.clone())).unwrap_or_default()
            }
            Self::Function => {
                grouping::blamed(event).map(|frame| grouping::function_of(frame, event)).unwrap_or_default()
            }
            Self::Path => grouping::blamed(event).map(|frame| grouping::file_of(frame, event)).unwrap_or_default(),
        }
    }
}

/// The frames of every error, and of the thread that failed.
fn frames(event: &Event) -> impl Iterator<Item = &Frame> {
    let of_thread = grouping::thread_frames(event).unwrap_or_default();
    event.exceptions.iter().flat_map(|exception| exception.frames()).chain(of_thread)
}

/// Joins only where the module is not part of the name already.
fn is_qualified(frame: &Frame, f: impl Fn(&str) -> bool) -> bool {
    let (Some(function), Some(module)) = (frame.function.as_deref(), frame.module.as_deref()) else { return false };
    let is_apart = !module.is_empty() && !function.starts_with(module);
    is_apart && frame.qualified_function().is_some_and(|name| f(&name))
}

/// A number as text, without asking for memory.
struct Digits {
    bytes: [u8; 5],
    start: usize,
}

impl Digits {
    fn of(mut number: u16) -> Self {
        let mut digits = Self { bytes: [b'0'; 5], start: 5 };
        for (index, byte) in digits.bytes.iter_mut().enumerate().rev() {
            *byte = b'0' + u8::try_from(number % 10).unwrap_or_default();
            digits.start = index;
            number /= 10;
            if number == 0 {
                break;
            }
        }
        digits
    }

    fn text(&self) -> &str {
        self.bytes.get(self.start..).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(name) => write!(f, "tag.{name}"),
            other => f.write_str(other.kind()),
        }
    }
}

/// The error of naming a part of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "is none of type, message, path, function, module, target, tag.NAME, route, url, status, level, environment, release"
)]
pub struct UnknownField;

impl FromStr for Field {
    type Err = UnknownField;

    /// Reads a name; `logger` is `target` too, `tags.NAME` is `tag.NAME`.
    fn from_str(name: &str) -> Result<Self, UnknownField> {
        if let Some(tag) = name.strip_prefix("tag.").or_else(|| name.strip_prefix("tags.")) {
            return if tag.is_empty() { Err(UnknownField) } else { Ok(Self::Tag(tag.to_owned())) };
        }
        let name = if name == "logger" { "target" } else { name };
        Self::NAMED.into_iter().find(|field| field.kind() == name).ok_or(UnknownField)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for field in Field::NAMED.into_iter().chain([Field::Tag("a.b c".into())]) {
            assert_eq!(field.to_string().parse(), Ok(field));
        }
        assert_eq!("logger".parse(), Ok(Field::Target));
        for wrong in ["", "tag", "tag.", "Type", "types", "user"] {
            assert_eq!(wrong.parse::<Field>(), Err(UnknownField), "{wrong}");
        }
    }

    #[test]
    fn numbers_are_written_without_memory() {
        for number in [0, 7, 10, 404, 503, 65_535] {
            assert_eq!(Digits::of(number).text(), number.to_string());
        }
    }
}
