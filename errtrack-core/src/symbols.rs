//! Backtraces: addresses on the thread of the host, names on ours.
//!
//! Walking a stack costs microseconds; naming its frames costs milliseconds the first time, because the debug information
//! of the program is read. So a capture takes addresses only, and the tracker names them, once per address. A storm comes
//! from few places: whole stacks are kept too, tidied and ready to be put on an event.

mod debug_info;
mod image;
mod name;
mod path;
mod source;
mod tidy;

pub(crate) use name::readable;
pub(crate) use path::{Origin, origin, shorten};
pub(crate) use source::{SourceLink, SourceRules, commit_of};

use crate::{Frame, Stacktrace, grouping::InApp};
use debug_info::DebugInfo;
use source::SourceReader;
use std::collections::HashMap;

/// Frames taken; deeper ones are recursion.
const DEEPEST: usize = 256;
/// Addresses whose names are kept; a program has some tens of thousands of call sites that can fail.
const CACHED: usize = 20_000;
/// Frames of whole stacks that are kept, some 500 bytes each.
const CACHED_FRAMES: usize = 20_000;

/// The addresses of a stack, the innermost first.
#[derive(Debug, Default, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Addresses(Vec<usize>);

impl Addresses {
    /// Walks the stack of the calling thread.
    #[inline(never)]
    pub(crate) fn capture() -> Self {
        let mut addresses = Vec::with_capacity(64);
        backtrace::trace(|frame| {
            addresses.push(frame.ip() as usize);
            addresses.len() < DEEPEST
        });
        Self(addresses)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

/// Names of addresses, kept.
#[derive(Debug, Default)]
pub(crate) struct Symbols {
    /// The frames at an address, inlined calls included, the innermost first.
    known: HashMap<usize, Vec<Frame>>,
    /// Stacks as events hold them.
    stacks: HashMap<Addresses, Stacktrace>,
    frames: usize,
    debug_info: DebugInfo,
    /// The folder in which the program was built, once it is known.
    root: Option<String>,
    in_app: InApp,
    rules: SourceRules,
    sources: SourceReader,
}

/// Where an event was captured: a file, as the compiler was given it, and a line.
pub(crate) type Place = (String, u32);

impl Symbols {
    /// Names frames, and marks by these rules which are the program's and what they show of its source.
    pub(crate) fn new(in_app: InApp, rules: SourceRules) -> Self {
        Self { in_app, rules, ..Self::default() }
    }

    /// The same again, of which nothing is known yet.
    pub(crate) fn afresh(&self) -> Self {
        Self::new(self.in_app.clone(), self.rules.clone())
    }

    /// The stack of these addresses, if it was asked for before. A few microseconds.
    pub(crate) fn known(&self, addresses: &Addresses) -> Option<Stacktrace> {
        self.stacks.get(addresses).cloned()
    }

    /// The frames of a stack, the caller first, as people read them; what errtrack did to capture it is left out.
    ///
    /// `place` is where the program captured it: its path is relative to the folder in which the program was built.
    /// Milliseconds for addresses that were never asked for.
    pub(crate) fn resolve(&mut self, addresses: &Addresses, place: Option<&Place>) -> Stacktrace {
        if let Some(stack) = self.known(addresses) {
            return stack;
        }
        if self.known.len() > CACHED {
            self.known.clear();
        }
        let mut frames = Vec::with_capacity(addresses.len());
        for &address in &addresses.0 {
            let names = self.known.entry(address).or_insert_with(|| self.debug_info.frames(address));
            frames.extend(names.iter().cloned());
        }
        self.learn_root(&frames, place);
        for frame in &mut frames {
            frame.filename = frame.abs_path.as_deref().map(|path| shorten(path, self.root.as_deref()));
        }
        tidy::tidy(&mut frames);
        frames.reverse();
        self.in_app.mark_frames(&mut frames, Some("rust"));
        self.sources.complete(&mut frames, &self.rules, self.root.as_deref());
        let stack = Stacktrace { frames };
        self.frames += stack.frames.len();
        if self.frames > CACHED_FRAMES {
            self.stacks.clear();
            self.frames = stack.frames.len();
        }
        self.stacks.insert(addresses.clone(), stack.clone());
        stack
    }

    /// Lets go of the debug information that naming frames has read. What was named stays named.
    pub(crate) fn let_go(&mut self) {
        self.debug_info.let_go();
    }

    /// Learns where the program was built: debug information has whole paths, and the place of a capture has the same path
    /// from the root of the workspace on.
    fn learn_root(&mut self, frames: &[Frame], place: Option<&Place>) {
        let Some((relative, line)) = place.filter(|_| self.root.is_none()) else { return };
        if relative.starts_with(['/', '\\', '.']) || relative.contains(':') || origin(relative) != Origin::Program {
            return;
        }
        let roots = frames.iter().filter_map(|frame| {
            let root = frame.abs_path.as_deref()?.strip_suffix(relative.as_str())?;
            Some((frame.lineno, root.strip_suffix(['/', '\\']).filter(|root| !root.is_empty())?))
        });
        // A member of the workspace may have a file of the same name further in.
        let exact = roots.clone().find(|(at, _)| *at == Some(*line));
        let Some((_, root)) = exact.or_else(|| roots.min_by_key(|(_, root)| root.len())) else { return };
        self.root = Some(root.to_owned());
        self.stacks.clear();
        self.frames = 0;
    }
}

/// Makes the frames of a text trace as readable as those that were resolved here; the caller first.
pub(crate) fn tidy(frames: &mut Vec<Frame>) {
    for function in frames.iter_mut().filter_map(|frame| frame.function.as_mut()) {
        *function = readable(function);
    }
    frames.reverse();
    tidy::tidy(frames);
    frames.reverse();
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::Location;

    #[inline(never)]
    #[track_caller]
    fn failing_function() -> (Addresses, &'static Location<'static>) {
        std::hint::black_box((Addresses::capture(), Location::caller()))
    }

    #[test]
    fn a_stack_ends_with_its_caller_and_begins_with_the_program() {
        let (addresses, _) = failing_function();
        let stack = Symbols::default().resolve(&addresses, None);
        let functions: Vec<_> = stack.frames.iter().filter_map(|f| f.function.as_deref()).collect();
        assert!(functions.last().unwrap().ends_with("symbols::tests::failing_function"), "{functions:?}");
        assert!(!functions.iter().any(|f| f.contains("short_backtrace") || f.starts_with("std::rt")), "{functions:?}");
    }

    #[test]
    fn files_are_told_from_the_root_of_the_workspace() {
        let mut symbols = Symbols::default();
        let (addresses, place) = failing_function();
        let stack = symbols.resolve(&addresses, Some(&(place.file().to_owned(), place.line())));
        assert_eq!(stack.frames.last().unwrap().filename.as_deref(), Some("errtrack-core/src/symbols.rs"));
        assert_eq!(symbols.known(&addresses), Some(stack), "kept as it was given");
    }
}
