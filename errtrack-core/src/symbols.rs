//! Backtraces: addresses on the thread of the host, names on ours.
//!
//! Walking a stack costs microseconds; naming its frames costs milliseconds the first time, because the debug information
//! of the program is read. So a capture takes addresses only, and the tracker's thread resolves them, once per address.

use crate::{Frame, Stacktrace};
use std::{collections::HashMap, path::Path};

/// Frames taken; deeper ones are recursion.
const DEEPEST: usize = 256;
/// Addresses whose names are kept; a program has some tens of thousands of call sites that can fail.
const CACHED: usize = 50_000;

/// Frames among which our own are sought; capturing takes fewer.
const OWN: usize = 32;

/// The addresses of a stack, the innermost first.
#[derive(Debug, Default, Clone)]
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
}

impl Symbols {
    /// The frames of a stack, the caller first; what errtrack itself did to capture it is left out.
    pub(crate) fn resolve(&mut self, addresses: &Addresses) -> Stacktrace {
        if self.known.len() > CACHED {
            self.known.clear();
        }
        let mut frames = Vec::with_capacity(addresses.len());
        for &address in &addresses.0 {
            let names = self.known.entry(address).or_insert_with(|| name(address));
            frames.extend(names.iter().cloned());
        }
        // Inlined frames carry bare names, so the end of our own part is sought from the far side.
        let own = frames.iter().take(OWN).rposition(is_capturing);
        if let Some(last) = own {
            frames.drain(..=last);
        }
        frames.reverse();
        Stacktrace { frames }
    }
}

/// Whether a frame belongs to the act of capturing.
///
/// Known by the path of the function, or, in programs that carry no more than line tables and so only bare names, by the
/// file. Never by what stands somewhere in a name: a handler's own name may hold our types as parameters.
fn is_capturing(frame: &Frame) -> bool {
    const FUNCTIONS: [&str; 7] = [
        "backtrace::backtrace::trace",
        "errtrack_core::symbols::Addresses",
        "errtrack_core::tracker::Tracker",
        "errtrack_core::current::",
        "errtrack_core::anyhow::",
        "errtrack_core::panic::",
        "errtrack_tower::handler_error::",
    ];
    const FILES: [(&str, &str); 5] = [
        ("errtrack-core", "src/tracker.rs"),
        ("errtrack-core", "src/current.rs"),
        ("errtrack-core", "src/anyhow.rs"),
        ("errtrack-core", "src/panic.rs"),
        ("errtrack-tower", "src/handler_error.rs"),
    ];
    let path = frame.function.as_deref().map(|f| f.trim_start_matches('<'));
    let place = frame.filename.as_deref().and_then(|f| f.split_once('/'));
    path.is_some_and(|path| FUNCTIONS.iter().any(|own| path.starts_with(own)))
        || place.is_some_and(|(folder, file)| FILES.iter().any(|own| folder.starts_with(own.0) && file == own.1))
}

fn name(address: usize) -> Vec<Frame> {
    let mut frames = Vec::new();
    // The address is that of the next instruction; one before it lies within the call.
    let inside = address.saturating_sub(1);
    backtrace::resolve(inside as *mut std::ffi::c_void, |symbol| {
        let path = symbol.filename().map(|p| p.to_string_lossy().into_owned());
        frames.push(Frame {
            function: symbol.name().map(|n| format!("{n:#}")),
            filename: path.as_deref().map(shorten),
            abs_path: path,
            lineno: symbol.lineno(),
            colno: symbol.colno(),
            instruction_addr: Some(format!("{address:#x}")),
            ..Frame::default()
        });
    });
    if frames.is_empty() {
        frames.push(Frame { instruction_addr: Some(format!("{address:#x}")), ..Frame::default() });
    }
    frames
}

/// The part of a path that is the same on every machine: from the last `src`, `tests`, `examples` or `benches` on. For
/// libraries with the folder before it, which names the library; for the program that is wherever it was checked out.
pub(crate) fn shorten(path: &str) -> String {
    let parts: Vec<&str> = path.split(['/', '\\']).collect();
    let root = parts.iter().rposition(|p| ["src", "tests", "examples", "benches"].contains(p));
    let library = ["registry", "checkouts", "rustc", "library"].iter().any(|mark| parts.contains(mark));
    match root.and_then(|at| parts.get(at.saturating_sub(usize::from(library))..)) {
        Some(tail) if !tail.is_empty() => tail.join("/"),
        _ => Path::new(path).file_name().map_or_else(|| path.to_owned(), |n| n.to_string_lossy().into_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_ends_with_its_caller() {
        #[inline(never)]
        fn failing_function() -> Addresses {
            std::hint::black_box(Addresses::capture())
        }
        let stack = Symbols::default().resolve(&failing_function());
        let functions: Vec<_> = stack.frames.iter().rev().take(4).filter_map(|f| f.function.clone()).collect();
        assert!(functions.iter().any(|f| f.ends_with("failing_function")), "{functions:?}");
        let frame =
            stack.frames.iter().rev().find(|f| f.function.as_ref().is_some_and(|f| f.ends_with("failing_function")));
        assert_eq!(frame.unwrap().filename.as_deref(), Some("src/symbols.rs"));
    }

    #[test]
    fn our_own_part_is_known_by_path_or_file_and_not_by_parameters() {
        let frame = |function: &str, filename: &str| Frame {
            function: Some(function.into()),
            filename: Some(filename.into()),
            ..Frame::default()
        };
        let from = "<errtrack_tower::handler_error::HandlerError as core::convert::From<E>>::from";
        assert!(is_capturing(&frame(from, "x.rs")));
        assert!(is_capturing(&frame("from<shop::Error>", "errtrack-tower-0.1.0/src/handler_error.rs")));
        let handler = "{async_block#0}<fn() -> Result<(), errtrack_tower::handler_error::HandlerError>>";
        assert!(!is_capturing(&frame(handler, "axum/src/handler/mod.rs")));
        assert!(!is_capturing(&frame("poll", "errtrack-core/src/scope.rs")));
    }

    #[test]
    fn paths_are_the_same_on_every_machine() {
        assert_eq!(shorten("/home/ana/shop/src/orders/pay.rs"), "src/orders/pay.rs");
        assert_eq!(shorten("/ci/.cargo/registry/src/index/tokio-1.54.1/src/task.rs"), "tokio-1.54.1/src/task.rs");
        assert_eq!(shorten("src/main.rs"), "src/main.rs");
        assert_eq!(shorten("/rustc/abc/library/core/src/ops/function.rs"), "core/src/ops/function.rs");
        assert_eq!(shorten("/opt/main.rs"), "main.rs");
    }
}
