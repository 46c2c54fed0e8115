//! A stack without what says nothing about the program: how it was captured, how a panic runs, how a thread starts.

use super::name;
use crate::{Frame, grouping};

/// Names with which the C library and the kernel start a thread.
const STARTERS: [&str; 10] = [
    "main",
    "_start",
    "start",
    "__libc_start_main",
    "__libc_start_main_impl",
    "__libc_start_call_main",
    "start_thread",
    "thread_start",
    "__clone3",
    "clone3",
];

/// Tidies a stack whose names are [`readable`](name::readable); the innermost frame first. A stack of which nothing would be
/// left stays whole.
pub(crate) fn tidy(frames: &mut Vec<Frame>) {
    let inner = before_capture(frames);
    let outer = started(frames);
    if inner < outer {
        frames.truncate(outer);
        frames.drain(..inner);
    }
    name_async(frames);
}

/// How many frames at the inner end capture, or run a panic. What is captured by hand while a panic unwinds is no panic.
fn before_capture(frames: &[Frame]) -> usize {
    let captured = captured(frames);
    let hook = |frame: &Frame| of(frame).is_some_and(|name| begins(&name, "errtrack_core::panic::"));
    let by_hand = captured > 0 && !frames.iter().take(captured).any(hook);
    panicked(frames).filter(|_| !by_hand).unwrap_or(captured)
}

/// How many frames capture. They stand together at the inner end, with what they call of the standard library between them;
/// `with_scope` and its like further out are none, as the program's own stand between.
///
/// Known by the path of the function, or, in programs that carry no more than line tables and so only bare names, by the
/// file. Never by what stands somewhere in a name: a handler's own name may hold our types as parameters.
fn captured(frames: &[Frame]) -> usize {
    let mut end = 0;
    for (index, frame) in frames.iter().enumerate() {
        if is_capturing(frame) {
            end = index + 1;
        } else if !is_glue(frame) {
            break;
        }
    }
    end
}

fn is_capturing(frame: &Frame) -> bool {
    const CRATES: [&str; 5] =
        ["errtrack_core::", "errtrack_tower::", "errtrack_actix::", "errtrack_tracing::", "errtrack::"];
    const FILES: [&str; 7] = [
        "errtrack-core/src/symbols.rs",
        "errtrack-core/src/tracker.rs",
        "errtrack-core/src/current.rs",
        "errtrack-core/src/anyhow.rs",
        "errtrack-core/src/panic.rs",
        "errtrack-core/src/adapter/report.rs",
        "src/handler_error.rs",
    ];
    let Some(name) = of(frame) else { return false };
    let function = name::nested(&name).0;
    let function = function.rsplit("::").next().unwrap_or(function);
    let captures = ["capture", "enqueue", "report", "from"].iter().any(|verb| function.starts_with(verb));
    if begins(&name, "backtrace::") || begins(&name, "errtrack_core::panic::") {
        return true;
    }
    if begins(&name, "crate::") {
        // Only line tables, and our sources lie beside the program's.
        let path = frame.abs_path.as_deref().unwrap_or_default();
        return path.contains("errtrack-") && FILES.iter().any(|file| path.ends_with(file));
    }
    captures && CRATES.iter().any(|own| begins(&name, own)) && !name.contains("::tests::")
}

/// Whether a frame of the standard library, or one that has no name, may stand between those that capture.
fn is_glue(frame: &Frame) -> bool {
    let Some(name) = of(frame) else { return frame.instruction_addr.is_some() && frame.package.is_none() };
    ["core::", "std::", "alloc::", "__rust"].iter().any(|own| begins(&name, own))
}

/// Whether a function is in a module, be it as `<module::Type as Trait>` or as `<Type as module::Trait>`.
fn begins(name: &str, module: &str) -> bool {
    let name = name.trim_start_matches(['<', '&', '*']);
    name.starts_with(module)
        || name.split_once(" as ").is_some_and(|(ty, of_trait)| !ty.contains("::") && of_trait.starts_with(module))
}

/// The end of what runs a panic, hooks included, at the inner end.
fn panicked(frames: &[Frame]) -> Option<usize> {
    let begins = |frame: &Frame| of(frame).is_some_and(|name| grouping::begins_panic(&name));
    let first = frames.iter().position(begins)?;
    let rest = frames.iter().skip(first).position(|frame| !begins(frame))?;
    Some(first + rest)
}

/// Where the start of the thread begins: `main` and `lang_start`, or `clone` and the thread's own start.
fn started(frames: &[Frame]) -> usize {
    let begins = |frame: &Frame| frame.function.as_deref().is_some_and(|f| f.contains("__rust_begin_short_backtrace"));
    let mut end = frames.iter().position(begins).unwrap_or(frames.len());
    while let Some(last) = end.checked_sub(1).and_then(|last| frames.get(last)) {
        let has_rust = last.abs_path.as_deref().is_some_and(|path| path.ends_with(".rs"));
        let starts = match of(last) {
            Some(name) => {
                name.starts_with("core::ops::function::FnOnce::call_once")
                    || name.starts_with("std::rt::")
                    || (!has_rust && STARTERS.contains(&name.as_str()))
            }
            None => last.instruction_addr.as_deref() == Some("0x0"),
        };
        if !starts {
            break;
        }
        end -= 1;
    }
    end
}

/// Tells async functions from closures, which the compiler gives one name. A body is polled: by a `poll` or a `block_on`, or
/// by another body that awaits it.
fn name_async(frames: &mut [Frame]) {
    let called: Vec<Option<String>> = frames.iter_mut().map(|frame| frame.function.take()).collect();
    // The frame that calls, and whether it is a body.
    let mut caller = ("", false);
    for index in (0..frames.len()).rev() {
        let (Some(Some(function)), Some(frame)) = (called.get(index), frames.get_mut(index)) else {
            caller = ("", false);
            continue;
        };
        let (base, closures) = name::nested(function);
        let by_runtime = name::polls(caller.0);
        let is_body = closures > 0 && !name::polls(base) && (by_runtime || caller.1);
        // A block that is awaited where it stands and a closure that is called there look the same, unless they poll.
        let within_caller = function.strip_prefix(caller.0) == Some("::{closure}");
        let calls = index.checked_sub(1).and_then(|callee| called.get(callee)?.as_deref()).unwrap_or_default();
        let is_block = is_body && (by_runtime && !within_caller || name::polls(calls));
        frame.function = Some(match closures {
            0 => function.clone(),
            1 if is_body => base.to_owned(),
            _ if is_block => format!("{base}::{{async block}}"),
            _ => format!("{base}::{{closure}}"),
        });
        caller = (function, is_body || base.ends_with("{async fn}") || base.ends_with("{async block}"));
    }
}

/// The function with its module.
fn of(frame: &Frame) -> Option<String> {
    frame.qualified_function()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tidied(functions: &[&str]) -> Vec<String> {
        let frame = |f: &&str| Frame { function: Some(name::readable(f)), ..Frame::default() };
        let mut frames: Vec<Frame> = functions.iter().map(frame).collect();
        tidy(&mut frames);
        frames.into_iter().filter_map(|f| f.function).collect()
    }

    #[test]
    fn async_functions_read_as_they_are_written() {
        let stack = tidied(&[
            "errtrack_core::symbols::Addresses::capture",
            "core::bool::<impl bool>::then",
            "errtrack_core::tracker::Tracker::capture_caught",
            "errtrack_core::current::capture_error",
            "shop_orders::pay::inner::{{closure}}::{{closure}}",
            "core::result::Result<T,E>::map_err",
            "shop_orders::pay::inner::{{closure}}",
            "shop_orders::pay::charge::{{closure}}",
            "shop_orders::pay::Cart<T>::pay::{{closure}}",
            "<shop_orders::pay::Cart<T> as shop_orders::pay::Gateway>::take::{{closure}}",
            "<futures_util::future::future::map::Map<Fut,F> as core::future::future::Future>::poll",
            "shop_server::web::handler::{{closure}}::{{closure}}",
            "shop_server::web::handler::{{closure}}",
            "shop_server::main::{{closure}}::{{closure}}",
            "tokio::runtime::task::core::Core<T,S>::poll::{{closure}}",
            "tokio::runtime::task::core::Core<T,S>::poll",
            "std::panicking::catch_unwind::do_call",
            "tokio::runtime::runtime::Runtime::block_on",
            "shop_server::main",
            "core::ops::function::FnOnce::call_once",
            "std::sys::backtrace::__rust_begin_short_backtrace",
            "std::rt::lang_start::{{closure}}",
            "std::rt::lang_start_internal",
            "main",
            "__libc_start_call_main",
            "_start",
        ]);
        assert_eq!(
            stack,
            [
                "shop_orders::pay::inner::{closure}",
                "core::result::Result<T,E>::map_err",
                "shop_orders::pay::inner",
                "shop_orders::pay::charge",
                "shop_orders::pay::Cart<T>::pay",
                "<shop_orders::pay::Cart<T> as Gateway>::take",
                "<futures_util::future::future::map::Map<Fut,F> as Future>::poll",
                "shop_server::web::handler::{async block}",
                "shop_server::web::handler",
                "shop_server::main::{async block}",
                "tokio::runtime::task::core::Core<T,S>::poll::{closure}",
                "tokio::runtime::task::core::Core<T,S>::poll",
                "std::panicking::catch_unwind::do_call",
                "tokio::runtime::runtime::Runtime::block_on",
                "shop_server::main",
            ]
        );
    }

    #[test]
    fn a_closure_that_a_thread_runs_stays_one() {
        let stack = tidied(&[
            "shop::main::{{closure}}",
            "std::sys::backtrace::__rust_begin_short_backtrace",
            "std::thread::Builder::spawn_unchecked_::{{closure}}",
            "start_thread",
        ]);
        assert_eq!(stack, ["shop::main::{closure}"]);
    }

    #[test]
    fn the_machinery_of_a_panic_and_its_hooks_are_left_out() {
        let stack = tidied(&[
            "errtrack_core::symbols::Addresses::capture",
            "errtrack_core::panic::report",
            "<alloc::boxed::Box<F,A> as core::ops::function::Fn<Args>>::call",
            "shop::hooks::mine",
            "std::panicking::panic_with_hook",
            "std::sys::backtrace::__rust_end_short_backtrace",
            "__rustc::rust_begin_unwind",
            "core::panicking::panic_fmt",
            "core::result::unwrap_failed",
            "shop::pay",
            "std::panicking::try",
            "shop::main",
        ]);
        assert_eq!(stack, ["shop::pay", "std::panicking::try", "shop::main"]);
    }

    #[test]
    fn what_runs_in_our_own_functions_is_kept() {
        let stack = tidied(&[
            "errtrack_core::current::capture_error",
            "<T as errtrack_core::current::ResultExt>::capture",
            "shop::pay::{{closure}}",
            "errtrack_core::current::with_scope",
            "shop::pay",
        ]);
        assert_eq!(stack, ["shop::pay::{closure}", "errtrack_core::current::with_scope", "shop::pay"]);
        let handler = "core::ops::Fn<errtrack_tower::handler_error::HandlerError>::call";
        assert_eq!(tidied(&[handler, "shop::main"]), ["core::ops::Fn<HandlerError>::call", "shop::main"]);
    }

    #[test]
    fn a_stack_of_nothing_else_stays() {
        assert_eq!(tidied(&["std::rt::lang_start", "main"]), ["std::rt::lang_start", "main"]);
        assert!(tidied(&[]).is_empty());
    }
}
