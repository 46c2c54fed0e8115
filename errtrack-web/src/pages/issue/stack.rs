//! The chain of exceptions with their stacks: the outermost first, and in each the crash first.

mod frame;
mod library;

pub(in crate::pages) use frame::FrameView;

use crate::pages::{shell::Choice, text};
use errtrack_core::{Event, Exception, Frame, Thread};

/// Exceptions of one event that are shown.
const MOST_EXCEPTIONS: usize = 30;
/// Frames of one exception that are shown.
const MOST_FRAMES: usize = 300;
/// Frames of one exception that are shown with their source; beyond, it is recursion.
const MOST_WHOLE: usize = 50;
/// Characters of a stack as text.
const LONGEST_TEXT: usize = 60_000;

/// How much of the stack is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::pages) enum Mode {
    /// Your code; libraries folded.
    App,
    /// Every frame.
    Full,
    /// As text.
    Raw,
}

/// The stack.
#[derive(Debug)]
pub(in crate::pages) struct StackView {
    pub(in crate::pages) modes: Vec<Choice>,
    pub(in crate::pages) causes: Vec<Cause>,
    /// The stack as text, where that is asked for or all there is.
    pub(in crate::pages) text: Option<String>,
    /// Where to look first: file and line, and the function.
    pub(in crate::pages) line: Option<(String, String)>,
    /// Where on the page that is.
    pub(in crate::pages) line_url: &'static str,
}

/// One exception of the chain.
#[derive(Debug)]
pub(in crate::pages) struct Cause {
    pub(in crate::pages) is_first: bool,
    pub(in crate::pages) ty: String,
    pub(in crate::pages) value: String,
    pub(in crate::pages) role: &'static str,
    pub(in crate::pages) mechanism: Option<String>,
    /// Holds the line to look at first.
    pub(in crate::pages) has_line: bool,
    pub(in crate::pages) groups: Vec<Group>,
}

/// Frames that are shown one by one, or folded into one line.
#[derive(Debug)]
pub(in crate::pages) struct Group {
    pub(in crate::pages) summary: Option<String>,
    pub(in crate::pages) frames: Vec<FrameView>,
}

impl Mode {
    pub(super) fn of(name: Option<&str>) -> Self {
        match name {
            Some("full") => Self::Full,
            Some("raw") => Self::Raw,
            _ => Self::App,
        }
    }

    pub(super) fn parameter(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::App => None,
            Self::Full => Some(("stack", "full")),
            Self::Raw => Some(("stack", "raw")),
        }
    }
}

impl StackView {
    pub(super) fn new(event: &Event, mode: Mode, url: impl Fn(Mode) -> String) -> Self {
        let choice = |(label, each): (&str, Mode)| Choice {
            label: label.into(),
            url: format!("{}#stack", url(each)),
            current: each == mode,
            note: String::new(),
        };
        let modes = [("Your code", Mode::App), ("All frames", Mode::Full), ("Raw", Mode::Raw)];
        let chain = chain(event);
        let place = chain.iter().rposition(|link| link.frames.iter().any(|f| f.in_app == Some(true)));
        let place = place.or_else(|| chain.iter().rposition(|link| !link.frames.is_empty()));
        let has_frames = chain.iter().any(|link| !link.frames.is_empty());
        let text = match (mode, &event.stack_trace) {
            (Mode::Raw, _) if has_frames => Some(text::block(&raw(event), LONGEST_TEXT)),
            (_, Some(received)) if !has_frames || mode == Mode::Raw => Some(text::block(received, LONGEST_TEXT)),
            _ => None,
        };
        let line = place.and_then(|at| chain.get(at)).and_then(|link| frame::line(link.frames));
        let last = chain.len().saturating_sub(1);
        let causes = chain.iter().enumerate().map(|(i, link)| cause(link, i, last, place == Some(i), mode));
        let as_text = mode == Mode::Raw && text.is_some();
        Self {
            modes: if has_frames { modes.into_iter().map(choice).collect() } else { Vec::new() },
            causes: if as_text { Vec::new() } else { causes.collect() },
            text,
            line,
            line_url: if as_text { "#stack" } else { "#line" },
        }
    }
}

/// An exception, a thread, or only a message, with its frames.
struct Link<'a> {
    ty: &'a str,
    value: &'a str,
    mechanism: Option<String>,
    frames: &'a [Frame],
}

/// The outermost first. An event without exceptions may still have a thread with a stack.
fn chain(event: &Event) -> Vec<Link<'_>> {
    let exceptions = event.exceptions.iter().rev().take(MOST_EXCEPTIONS);
    let mut chain: Vec<Link<'_>> = exceptions.map(of_exception).collect();
    if chain.iter().all(|link| link.frames.is_empty())
        && let Some(frames) = thread(&event.threads)
    {
        match chain.last_mut() {
            Some(link) => link.frames = frames,
            None => {
                let (ty, value) = event.title();
                chain.push(Link { ty, value, mechanism: None, frames });
            }
        }
    }
    chain
}

fn of_exception(exception: &Exception) -> Link<'_> {
    let mechanism = exception.mechanism.as_ref().filter(|m| !m.ty.is_empty()).map(|m| {
        let handled = if m.handled == Some(false) { ", not handled" } else { "" };
        format!("{}{handled}", text::line(&m.ty, 60))
    });
    Link {
        ty: exception.ty.as_deref().unwrap_or_default(),
        value: exception.value.as_deref().unwrap_or_default(),
        mechanism,
        frames: exception.frames(),
    }
}

/// The stack of the thread that crashed or captured the event.
fn thread(threads: &[Thread]) -> Option<&[Frame]> {
    let stacks = || threads.iter().filter(|t| t.stacktrace.as_ref().is_some_and(|s| !s.frames.is_empty()));
    let chosen = stacks().find(|t| t.crashed == Some(true)).or_else(|| stacks().find(|t| t.current == Some(true)));
    let stack = chosen.or_else(|| stacks().next())?.stacktrace.as_ref()?;
    Some(&stack.frames)
}

fn cause(link: &Link<'_>, index: usize, last: usize, has_line: bool, mode: Mode) -> Cause {
    Cause {
        is_first: index == 0,
        ty: text::line(link.ty, 300),
        value: text::block(link.value, 2_000),
        role: match index {
            _ if last == 0 => "",
            0 => "outermost",
            i if i == last => "root",
            _ => "",
        },
        mechanism: link.mechanism.clone(),
        has_line,
        groups: groups(link.frames, mode),
    }
}

/// The frames, the crash first; runs of library frames folded where only your code is asked for.
fn groups(frames: &[Frame], mode: Mode) -> Vec<Group> {
    let any_app = frames.iter().any(|f| f.in_app == Some(true));
    let is_app = |frame: &Frame| frame.in_app == Some(true) || (!any_app && frame.in_app.is_none());
    let mut groups: Vec<Group> = Vec::new();
    let mut folded: Vec<&Frame> = Vec::new();
    let mut opened = false;
    for (depth, frame) in frames.iter().rev().take(MOST_FRAMES).enumerate() {
        // Where nothing is known to be yours, the crash itself is the place to look at.
        let shown = mode != Mode::App || is_app(frame) || (!any_app && depth == 0);
        if !shown {
            folded.push(frame);
            continue;
        }
        fold(&mut groups, &mut folded);
        let make = if depth < MOST_WHOLE { FrameView::whole } else { FrameView::line };
        let mut view = make(frame, is_app(frame));
        view.open = view.is_expandable() && !opened && (is_app(frame) || !any_app);
        opened |= view.open;
        groups.push(Group { summary: None, frames: vec![view] });
    }
    fold(&mut groups, &mut folded);
    if let Some(more) = frames.len().checked_sub(MOST_FRAMES).filter(|more| *more > 0) {
        let more = text::counted(i64::try_from(more).unwrap_or(i64::MAX), "frame");
        groups.push(Group { summary: Some(format!("{more} more, see the event in the API")), frames: Vec::new() });
    }
    groups
}

/// Puts the library frames that were passed into one line.
fn fold(groups: &mut Vec<Group>, folded: &mut Vec<&Frame>) {
    if folded.is_empty() {
        return;
    }
    let summary = library::summary(folded);
    let frames = folded.drain(..).map(|frame| FrameView::line(frame, false)).collect();
    groups.push(Group { summary: Some(summary), frames });
}

/// Where a frame is: `src/db/pool.rs:88:14`.
pub(super) fn at(frame: &Frame) -> String {
    frame::at(frame)
}

/// The chain as text, the way a terminal would show it.
pub(super) fn raw(event: &Event) -> String {
    let mut out = String::new();
    for (i, link) in chain(event).iter().enumerate() {
        if i > 0 {
            out.push_str("\nCaused by: ");
        }
        let colon = if link.ty.is_empty() || link.value.is_empty() { "" } else { ": " };
        out.push_str(&format!("{}{colon}{}\n", link.ty, link.value));
        for frame in link.frames.iter().rev() {
            let (function, at) = (frame::function(frame), frame::at(frame));
            out.push_str(&if at.is_empty() {
                format!("    {function}\n")
            } else {
                format!("    {function}\n        at {at}\n")
            });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::samples;

    #[test]
    fn your_code_stands_out_and_libraries_are_folded() {
        let view = StackView::new(&samples::event(), Mode::App, |_| String::new());
        let mut shape = String::new();
        for cause in &view.causes {
            shape.push_str(&format!("{} [{}] line: {}\n", cause.ty, cause.role, cause.has_line));
            for group in &cause.groups {
                match &group.summary {
                    Some(summary) => shape.push_str(&format!("  ({summary})\n")),
                    None => group.frames.iter().for_each(|f| {
                        shape.push_str(&format!("  {} {} open: {}\n", f.function, f.at, f.open));
                    }),
                }
            }
        }
        insta::assert_snapshot!(shape);
        assert_eq!(view.line, Some(("pool.rs:88".into(), "checkout_api::db::Db::begin".into())));
    }

    #[test]
    fn raw_is_text() {
        insta::assert_snapshot!(raw(&samples::event()));
    }
}
