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
    let main = event.main_exception().into_iter();
    let stacks = main.chain(event.exceptions.iter().rev()).map(|e| e.frames());
    let of_stack = stacks
        .clone()
        .chain(thread_frames(event))
        .filter(|stack| place_of(stack, platform).is_none())
        .find_map(|stack| frames::innermost(stack, platform).map(|frame| describe(frame, platform)))
        .filter(|text| !text.is_empty());
    of_stack
        .or_else(|| {
            stacks.filter_map(|stack| stack.first().filter(|_| place_of(stack, platform).is_some())).next().map(place)
        })
        .or_else(|| captured_at(event).filter(|_| !event.exceptions.is_empty()).map(str::to_owned))
        .or_else(|| event.transaction.clone())
        .unwrap_or_default()
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
