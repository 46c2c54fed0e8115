//! The culprit: where a person should look first.

use super::{
    file,
    formula::{captured_at, place_of, thread_frames},
    frames, function,
    language::Language,
};
use crate::{Event, Frame};

/// The function, or failing that the place or the route, to blame; empty if none is known.
///
/// Rust and Java name the function with its path, other languages with its file: `shop::orders::pay`,
/// `assets/cart.js in renderTotals`.
#[must_use]
pub fn culprit(event: &Event) -> String {
    let platform = event.platform.as_deref();
    let of_stack = blamed(event).map(|frame| describe(frame, platform)).filter(|text| !text.is_empty());
    of_stack
        .or_else(|| {
            stacks(event)
                .filter_map(|stack| stack.first().filter(|_| place_of(stack, platform).is_some()))
                .next()
                .map(place)
        })
        .or_else(|| captured_at(event).filter(|_| !event.exceptions.is_empty()).map(str::to_owned))
        .or_else(|| event.transaction.clone())
        .unwrap_or_default()
}

/// The stacks of an event, that of the main exception first.
fn stacks(event: &Event) -> impl Iterator<Item = &[Frame]> {
    event.main_exception().into_iter().chain(event.exceptions.iter().rev()).map(|e| e.frames())
}

/// The frame to blame: the innermost of the program's own.
pub(crate) fn blamed(event: &Event) -> Option<&Frame> {
    let platform = event.platform.as_deref();
    let stacks = stacks(event).chain(thread_frames(event)).filter(|stack| place_of(stack, platform).is_none());
    stacks.into_iter().find_map(|stack| frames::innermost(stack, platform))
}

/// The function of a frame without what a build adds to it.
pub(crate) fn function_of(frame: &Frame, event: &Event) -> String {
    let language = Language::of(frame, event.platform.as_deref());
    function::clean(frame.function.as_deref().unwrap_or_default(), language).into_owned()
}

/// The file of a frame without what a build or a deploy adds to it.
pub(crate) fn file_of(frame: &Frame, event: &Event) -> String {
    file::clean(frame, Language::of(frame, event.platform.as_deref()))
}

fn describe(frame: &Frame, platform: Option<&str>) -> String {
    let language = Language::of(frame, platform);
    let function = function::clean(frame.function.as_deref().unwrap_or_default(), language).into_owned();
    let cleaned = Frame { function: Some(function), module: frame.module.clone(), ..Frame::default() };
    let function = cleaned.function.as_deref().unwrap_or_default();
    let file = file::display(frame, language);
    let qualified = || cleaned.qualified_function().unwrap_or_default();
    match (language, function.is_empty(), file.is_empty()) {
        (_, true, _) => file,
        (Language::Rust | Language::Java | Language::Go | Language::CSharp, ..) | (_, _, true) => qualified(),
        (Language::JavaScript, ..) => format!("{file} in {function}"),
        _ if frame.module.as_deref().is_some_and(|m| !m.is_empty() && m != "__main__") => qualified(),
        _ => format!("{file} in {function}"),
    }
}

fn place(frame: &Frame) -> String {
    let file = frame.filename.as_deref().or(frame.abs_path.as_deref()).unwrap_or_default();
    match frame.module.as_deref() {
        Some(module) if !module.is_empty() => module.to_owned(),
        _ => file.to_owned(),
    }
}
