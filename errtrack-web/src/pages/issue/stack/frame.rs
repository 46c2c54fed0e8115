//! One frame.

use super::super::field::{self, Field};
use crate::pages::text;
use errtrack_core::Frame;

/// Bytes of an address that is linked to.
const LONGEST_LINK: usize = 2_000;

/// A frame, ready to be shown.
#[derive(Debug)]
pub(in crate::pages) struct FrameView {
    pub(in crate::pages) function: String,
    /// `src/db/pool.rs:88:14`.
    pub(in crate::pages) at: String,
    /// Where a code host shows it.
    pub(in crate::pages) link: Option<String>,
    pub(in crate::pages) is_app: bool,
    pub(in crate::pages) open: bool,
    pub(in crate::pages) lines: Vec<Line>,
    /// The number of the first line.
    pub(in crate::pages) start: u32,
    pub(in crate::pages) vars: Vec<Field>,
}

/// One line of source.
#[derive(Debug)]
pub(in crate::pages) struct Line {
    pub(in crate::pages) text: String,
    pub(in crate::pages) is_hit: bool,
}

impl FrameView {
    /// A frame with its source and variables.
    pub(super) fn whole(frame: &Frame, is_app: bool) -> Self {
        let before = u32::try_from(frame.pre_context.len()).unwrap_or(0);
        Self {
            lines: lines(frame),
            start: frame.lineno.unwrap_or(1).saturating_sub(before).max(1),
            vars: field::short_of_map(&frame.vars),
            ..Self::line(frame, is_app)
        }
    }

    /// Only where it is.
    pub(super) fn line(frame: &Frame, is_app: bool) -> Self {
        let (function, at) = (text::line(&function(frame), 400), text::line(&at(frame), 300));
        let link = link(frame);
        Self { function, at, link, is_app, open: false, lines: Vec::new(), start: 1, vars: Vec::new() }
    }

    pub(in crate::pages) fn is_expandable(&self) -> bool {
        !self.lines.is_empty() || !self.vars.is_empty()
    }
}

/// The address of the line, if it is one of the web: whoever reports may send anything.
fn link(frame: &Frame) -> Option<String> {
    let link = frame.source_link.as_deref()?;
    let is_web = link.starts_with("https://") || link.starts_with("http://");
    let is_plain = link.bytes().all(|b| b.is_ascii_graphic() && !b"\"'<>\\^`{|}".contains(&b));
    (is_web && is_plain && link.len() <= LONGEST_LINK).then(|| link.to_owned())
}

fn lines(frame: &Frame) -> Vec<Line> {
    let Some(hit) = &frame.context_line else { return Vec::new() };
    let line = |text: &String, is_hit| {
        // A space keeps the height of an empty line.
        let text = if text.is_empty() { " ".into() } else { text::block(text, 500).replace('\n', " ") };
        Line { text, is_hit }
    };
    let before = frame.pre_context.iter().map(|text| line(text, false));
    let after = frame.post_context.iter().map(|text| line(text, false));
    before.chain([line(hit, true)]).chain(after).collect()
}

pub(super) fn function(frame: &Frame) -> String {
    frame.qualified_function().or_else(|| frame.instruction_addr.clone()).unwrap_or_else(|| {
        // Without a backtrace a Rust error has the place where it was captured, and nothing that ran.
        let is_place = frame.filename.as_deref().is_some_and(|file| file.ends_with(".rs"));
        match frame.module.as_deref() {
            Some(module) if is_place && !module.is_empty() => format!("captured in {module}"),
            _ if is_place => "captured here".into(),
            _ => "(unknown)".into(),
        }
    })
}

pub(super) fn at(frame: &Frame) -> String {
    let Some(file) = frame.filename.as_ref().or(frame.abs_path.as_ref()).or(frame.package.as_ref()) else {
        return String::new();
    };
    match (frame.lineno, frame.colno) {
        (Some(line), Some(column)) => format!("{file}:{line}:{column}"),
        (Some(line), None) => format!("{file}:{line}"),
        _ => file.clone(),
    }
}

/// Where to look first: file and line of the newest frame of your code, and its function.
pub(super) fn line(frames: &[Frame]) -> Option<(String, String)> {
    let frame = frames.iter().rev().find(|f| f.in_app == Some(true)).or(frames.last())?;
    let file = frame.filename.as_deref().or(frame.abs_path.as_deref())?;
    let file = file.rsplit(['/', '\\']).next().unwrap_or(file);
    let place = frame.lineno.map_or_else(|| file.to_owned(), |line| format!("{file}:{line}"));
    Some((text::line(&place, 60), text::line(&function(frame), 120)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_web_are_linked_to() {
        let linked = |link: &str| link_of(link).is_some();
        fn link_of(link: &str) -> Option<String> {
            super::link(&Frame { source_link: Some(link.into()), ..Frame::default() })
        }
        assert!(linked("https://github.com/acme/shop/blob/3f2a9c1/src/pay%20it.rs#L7"));
        assert!(linked("http://git.local/src/main.rs?line=7"));
        for bad in
            ["javascript:alert(1)", "data:text/html,x", "//evil.example", "https://x/\"onclick=", "https://x/ a", ""]
        {
            assert!(!linked(bad), "{bad}");
        }
    }
}
