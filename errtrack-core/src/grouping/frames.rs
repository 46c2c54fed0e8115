//! The frames of a stack that tell one issue from another.

use super::{
    file, function,
    language::Language,
    runtime::{begins_panic, is_runtime},
};
use crate::Frame;

/// The longest cycle of calls that is taken for recursion.
const CYCLE: usize = 4;

/// Frames as they are compared, the caller first.
#[derive(Debug, Default)]
pub(super) struct Frames {
    pub(super) names: Vec<String>,
    /// They tell issues apart: at least one has a function and is no runtime's.
    pub(super) tells: bool,
    /// At least one has a file.
    pub(super) has_files: bool,
}

/// The program's own frames, cleaned; all that are not a runtime's where it has none, else all.
pub(super) fn of(frames: &[Frame], platform: Option<&str>) -> Frames {
    let frames = before_panic(frames);
    let own = |frame: &&Frame| frame.in_app == Some(true) && !runs(frame, platform);
    let foreign = |frame: &&Frame| frame.in_app != Some(false) && !runs(frame, platform);
    let library = |frame: &&Frame| !runs(frame, platform);
    let passes: [&dyn Fn(&&Frame) -> bool; 4] = [&own, &foreign, &library, &|_| true];
    for (index, pass) in passes.into_iter().enumerate() {
        let found = collect(frames.iter().filter(|frame| pass(frame)), platform);
        if !found.names.is_empty() {
            // Where nothing but a runtime or the client itself is on the stack, it says too little alone.
            return Frames { tells: found.tells && index < 3, ..found };
        }
    }
    Frames::default()
}

/// The innermost frame that is the program's own.
pub(super) fn innermost<'a>(frames: &'a [Frame], platform: Option<&str>) -> Option<&'a Frame> {
    let told = |frame: &&&Frame| frame.in_app == Some(true) && !runs(frame, platform);
    let untold = |frame: &&&Frame| frame.in_app.is_none() && !runs(frame, platform);
    let frames = before_panic(frames);
    let mut reversed = frames.iter().rev();
    let own = reversed.find(|frame| told(&frame));
    own.or_else(|| frames.iter().rev().find(|frame| untold(&frame)))
}

/// What was running when a Rust program panicked: without the machinery of the panic and the hook.
pub(super) fn before_panic(frames: &[Frame]) -> &[Frame] {
    // Bare names have their module beside them.
    let begins = |frame: &Frame| match frame.function.as_deref() {
        Some(function) if function.contains("::") || frame.module.is_none() => begins_panic(function),
        Some(_) => frame.qualified_function().is_some_and(|name| begins_panic(&name)),
        None => false,
    };
    // A caught panic leaves `std::panicking::try` further out; the machinery itself is the innermost run of its kind.
    let Some(last) = frames.iter().rposition(begins) else { return frames };
    let first = frames.iter().take(last).rposition(|frame| !begins(frame)).map_or(0, |before| before + 1);
    match frames.get(..first) {
        Some(rest) if !rest.is_empty() => rest,
        _ => frames,
    }
}

fn runs(frame: &Frame, platform: Option<&str>) -> bool {
    is_runtime(frame, Language::of(frame, platform))
}

fn collect<'a>(frames: impl Iterator<Item = &'a Frame>, platform: Option<&str>) -> Frames {
    let mut found = Frames::default();
    for frame in frames {
        let language = Language::of(frame, platform);
        let name = name(frame, language);
        let file = file::clean(frame, language);
        let has_file = !file.is_empty();
        let text = match (name.is_empty(), file.is_empty()) {
            (true, true) => continue,
            (true, false) => format!("? ({file})"),
            (false, true) => name,
            (false, false) => format!("{name} ({file})"),
        };
        found.tells |= !text.starts_with("? ");
        found.has_files |= has_file;
        found.names.push(text);
        collapse(&mut found.names);
    }
    found
}

/// The cleaned function with its module. In JavaScript the module is made of the path, so the file says more.
fn name(frame: &Frame, language: Language) -> String {
    let function = function::clean(frame.function.as_deref().unwrap_or_default(), language);
    let module = frame.module.as_deref().unwrap_or_default();
    if function.is_empty() || module.is_empty() || language == Language::JavaScript || function.starts_with(module) {
        return function.into_owned();
    }
    match language {
        Language::Rust => format!("{module}::{function}"),
        Language::Java => format!("{}.{function}", function::clean(module, language)),
        _ => format!("{module}.{function}"),
    }
}

/// Drops what the last frame completes a second time: `a b a b` is `a b`.
fn collapse(names: &mut Vec<String>) {
    for cycle in 1..=CYCLE.min(names.len() / 2) {
        let (head, last) = names.split_at(names.len() - cycle);
        if head.ends_with(last) {
            names.truncate(names.len() - cycle);
            return;
        }
    }
}
