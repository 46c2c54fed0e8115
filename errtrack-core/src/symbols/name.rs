//! Names of functions as people write them.
//!
//! | the compiler says | a frame says |
//! |---|---|
//! | `shop::pay::h0123456789abcdef` | `shop::pay` |
//! | `shop::pay::{{closure}}`, polled | `shop::pay`: the body of an async function |
//! | `shop::pay::{{closure}}::{{closure}}`, polled by a runtime | `shop::pay::{async block}` |
//! | `shop::pay::{{closure}}`, called | `shop::pay::{closure}` |
//! | `core::option::Option<alloc::string::String>::map::<u32, shop::pay::{closure#0}>` | `core::option::Option<String>::map` |
//! | `<shop::Pay<T> as core::future::future::Future>::poll` | `<shop::Pay<T> as Future>::poll` |
//! | `{async_fn#0}<alloc::string::String>` | `{async fn}`: with line tables alone its name is lost |
//!
//! Which `{{closure}}` is polled is seen on the stack alone, see [`polled`]. Grouping drops closures and parameters, so none
//! of this changes a fingerprint.

/// Deepest nesting of `<…>` that is looked into.
const DEEPEST: usize = 12;
/// Longest list of parameters that is shown.
const LONGEST_PARAMETERS: usize = 40;

/// A demangled name without hashes and build marks, its parameters shortened.
pub(crate) fn readable(name: &str) -> String {
    let mut name = name.trim();
    for mark in [" [clone", ".llvm.", " (.", " [.cold"] {
        name = name.split(mark).next().unwrap_or_default();
    }
    if let Some((head, hash)) = name.rsplit_once("::h")
        && hash.len() == 16
        && hash.bytes().all(|b| b.is_ascii_hexdigit())
    {
        name = head;
    }
    closures(&path(name, 0))
}

/// `<shop::Cart<T> as core::Trait>::pay::<u8>`.
fn path(name: &str, depth: usize) -> String {
    if depth > DEEPEST {
        return "…".to_owned();
    }
    let mut out = String::with_capacity(name.len().min(128));
    let mut rest = name;
    if let Some(inside) = name.strip_prefix('<')
        && let Some((head, tail)) = closing(inside)
    {
        match split_as(head) {
            (ty, None) => out.push_str(&path(ty, depth + 1)),
            (ty, Some(of_trait)) => {
                let ty = path(ty, depth + 1);
                // The trait names the crate where the type is a mere parameter.
                let of_trait = path(of_trait, depth + 1);
                let of_trait = if ty.contains("::") { last_segment(&of_trait) } else { &of_trait };
                out.push_str(&format!("<{ty} as {of_trait}>"));
            }
        }
        rest = tail;
    }
    while let Some(open) = rest.find('<') {
        let (Some(head), Some(inside)) = (rest.get(..open), rest.get(open + 1..)) else { break };
        let Some((parameters, tail)) = closing(inside) else { break };
        match head.strip_suffix("::") {
            // `pay::<u8>`, the function's own.
            Some(head) => out.push_str(head),
            None => {
                out.push_str(head);
                // `poll<u8>`, with line tables alone; a type has a function behind it.
                if !tail.is_empty() || depth > 0 {
                    out.push_str(&shown(parameters, depth));
                }
            }
        }
        rest = tail;
    }
    out.push_str(rest);
    out
}

/// `<String, u8>` of `alloc::string::String, u8`.
fn shown(parameters: &str, depth: usize) -> String {
    let mut out = String::from("<");
    for (index, parameter) in split_commas(parameters).enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        let parameter = path(parameter.split(" + ").next().unwrap_or_default().trim(), depth + 1);
        let mut name = parameter.as_str();
        while let Some((word, rest)) = ["&", "*", "dyn ", "mut ", "const ", "impl "]
            .iter()
            .find_map(|word| Some((*word, name.strip_prefix(word)?)))
        {
            out.push_str(word);
            name = rest;
        }
        out.push_str(last_segment(name));
        if out.len() > LONGEST_PARAMETERS {
            return "<…>".to_owned();
        }
    }
    out.push('>');
    out
}

/// `Future<T>` of `core::future::Future<T>`.
fn last_segment(path: &str) -> &str {
    let plain = path.split('<').next().unwrap_or(path);
    plain.rfind("::").and_then(|at| path.get(at + 2..)).unwrap_or(path)
}

/// `{{closure}}` and `{closure#0}` are `{closure}`, `{async_fn#0}` is `{async fn}`; `{impl#2}` says nothing.
fn closures(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut rest = name;
    while let Some((head, after)) = rest.split_once('{') {
        out.push_str(head);
        let Some((inside, tail)) = after.trim_start_matches('{').split_once('}') else {
            rest = after;
            continue;
        };
        let kind = inside.split(['#', ':']).next().unwrap_or_default().trim_end_matches("_env");
        match kind {
            "impl" if out.ends_with("::") => out.truncate(out.len() - 2),
            "impl" => {}
            _ => out.push_str(&format!("{{{}}}", kind.replace('_', " "))),
        }
        rest = tail.trim_start_matches('}');
    }
    out.push_str(rest);
    out
}

/// A name and how many closures stand at its end.
pub(crate) fn nested(name: &str) -> (&str, usize) {
    let (mut base, mut closures) = (name, 0);
    while let Some(outer) = base.strip_suffix("::{closure}") {
        (base, closures) = (outer, closures + 1);
    }
    (base, closures)
}

/// Whether a function polls what it calls: `poll`, `poll_next`, `block_on`, and closures in them.
pub(crate) fn polls(name: &str) -> bool {
    let base = nested(name).0;
    let function = base.rsplit("::").next().unwrap_or(base);
    ["poll", "try_poll", "block_on"].iter().any(|start| function.starts_with(start))
}

/// What was opened before the text, and what follows where it is closed.
fn closing(text: &str) -> Option<(&str, &str)> {
    let mut depth = 1u32;
    let mut previous = b' ';
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'<' => depth += 1,
            b'>' if previous != b'-' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some((text.get(..at)?, text.get(at + 1..)?));
        }
        previous = byte;
    }
    None
}

/// `Type as Trait`, apart, at the outermost level.
fn split_as(head: &str) -> (&str, Option<&str>) {
    outermost(head, |rest| rest.starts_with(" as ")).map_or((head, None), |(ty, rest)| (ty, rest.get(4..)))
}

fn split_commas(list: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(list);
    std::iter::from_fn(move || {
        let text = rest?;
        let (first, after) = match outermost(text, |rest| rest.starts_with(", ")) {
            Some((first, after)) => (first, after.get(2..)),
            None => (text, None),
        };
        rest = after;
        Some(first)
    })
}

/// Splits before the first place outside of all brackets for which `found` says `true` of what follows.
fn outermost(text: &str, found: impl Fn(&str) -> bool) -> Option<(&str, &str)> {
    let mut depth = 0i32;
    let mut previous = b' ';
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'<' | b'(' | b'[' => depth += 1,
            b'>' if previous == b'-' => {}
            b'>' | b')' | b']' => depth -= 1,
            _ if depth <= 0 && text.get(at..).is_some_and(&found) => return Some((text.get(..at)?, text.get(at..)?)),
            _ => {}
        }
        previous = byte;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_keep_their_crate() {
        for (given, expected) in [
            ("shop::pay::h0123456789abcdef", "shop::pay"),
            ("shop::orders::pay::{{closure}}", "shop::orders::pay::{closure}"),
            ("shop::main::{closure#1}::{closure#0}", "shop::main::{closure}::{closure}"),
            ("core::result::Result<T,E>::map_err", "core::result::Result<T,E>::map_err"),
            (
                "<shop::pay::Cart<T> as shop::pay::Gateway>::take::{{closure}}",
                "<shop::pay::Cart<T> as Gateway>::take::{closure}",
            ),
            ("<F as axum::handler::Handler<S>>::call", "<F as axum::handler::Handler<S>>::call"),
            (
                "std::panicking::catch_unwind::<isize, std::rt::lang_start_internal::{closure#0}>",
                "std::panicking::catch_unwind",
            ),
            ("<shop::Cart<alloc::string::String>>::pay", "shop::Cart<String>::pay"),
            (
                "<&dyn core::ops::function::Fn<(), Output = i32> + core::marker::Sync as core::ops::function::FnOnce<()>>::call_once",
                "<&dyn core::ops::function::Fn<(), Output = i32> + core::marker::Sync as FnOnce<()>>::call_once",
            ),
            ("{async_fn#0}<alloc::string::String>", "{async fn}"),
            ("poll<shop::pay::{impl#1}::take::{async_block_env#0}<alloc::string::String>>", "poll"),
            (
                "shop::Pool<alloc::vec::Vec<u8>, &mut dyn shop::Driver>::get",
                "shop::Pool<Vec<u8>, &mut dyn Driver>::get",
            ),
            ("f.llvm.123", "f"),
            ("main", "main"),
            ("<<", "<<"),
            ("a::{", "a::"),
            ("", ""),
        ] {
            assert_eq!(readable(given), expected, "{given}");
        }
    }

    #[test]
    fn long_parameters_are_left_out() {
        let long = "shop::Stack<tower::Trace<tower::Compression<tower::Limit<axum::Router>>>, shop::AuthenticationLayer>::call";
        assert_eq!(readable(long), "shop::Stack<…>::call");
        let deep = format!("{}T{}::f", "a::B<".repeat(5_000), ">".repeat(5_000));
        assert!(readable(&deep).len() < 200);
    }

    #[test]
    fn who_polls_is_known_by_name() {
        assert!(polls("tokio::runtime::task::core::Core<T,S>::poll::{closure}"));
        assert!(polls("<shop::Pay as Future>::poll"));
        assert!(polls("tokio::runtime::park::CachedParkThread::block_on"));
        assert!(!polls("core::result::Result<T,E>::map_err"));
    }
}
