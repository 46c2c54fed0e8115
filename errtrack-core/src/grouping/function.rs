//! Names of functions without what the compiler, the bundler or the build adds to them.

use super::language::Language;
use std::borrow::Cow;

/// A name that is the same in every build; empty where there is no name.
pub(super) fn clean(function: &str, language: Language) -> Cow<'_, str> {
    let function = function.trim();
    match language {
        Language::Rust => Cow::Owned(rust(function)),
        Language::JavaScript => Cow::Borrowed(javascript(function)),
        Language::Java => without_digits(java(function)),
        Language::Go => Cow::Borrowed(go(function)),
        Language::Ruby => Cow::Borrowed(ruby(function)),
        Language::CSharp => without_digits(function),
        Language::Python | Language::Php | Language::Elixir | Language::Other if function == "?" => Cow::Borrowed(""),
        Language::Python | Language::Php | Language::Elixir | Language::Other => Cow::Borrowed(function),
    }
}

/// The crate of a Rust function: of the type in `<Type as Trait>::f`, of the trait where the type is a mere parameter.
pub(super) fn rust_crate(function: &str) -> Option<&str> {
    let mut rest = function;
    // Depth-bounded by hand: each turn looks into one `<`.
    for _ in 0..8 {
        rest = rest.trim_start_matches(['<', '&', '*', '(', '[', ' ', '_']);
        rest = strip_words(rest);
        if rest.starts_with(['<', '&', '*', '(', '[']) {
            continue;
        }
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        let (name, after) = rest.split_at_checked(end)?;
        if after.starts_with("::") {
            return (!name.is_empty()).then_some(name);
        }
        match after.split_once(" as ") {
            Some((_, of_trait)) if function.starts_with('<') => rest = of_trait,
            _ => return None,
        }
    }
    None
}

fn strip_words(mut text: &str) -> &str {
    while let Some(rest) = ["dyn ", "mut ", "const ", "impl "].iter().find_map(|word| text.strip_prefix(word)) {
        text = rest;
    }
    match text.strip_prefix("for<").and_then(|rest| rest.split_once("> ")) {
        Some((_, rest)) => rest,
        None => text,
    }
}

/// `<shop::Pay<T> as Future>::poll::{{closure}}::h0123456789abcdef` is `shop::Pay`.
fn rust(function: &str) -> String {
    let is_future = function.contains("Future>::poll") || function.contains("Future<") && function.contains(">::poll");
    let mut name = without_generics(function);
    loop {
        let before = name.len();
        if let Some((head, tail)) = name.rsplit_once("::")
            && (is_hash(tail) || tail.starts_with('{') || is_future && tail == "poll")
        {
            name.truncate(head.len());
        }
        for mark in [" [clone", ".llvm.", " [.cold", "{{"] {
            if let Some(found) = name.find(mark) {
                name.truncate(found);
            }
        }
        if name.len() == before {
            return name;
        }
    }
}

/// `h` and sixteen hex digits: the hash of Rust's old mangling.
fn is_hash(part: &str) -> bool {
    part.strip_prefix('h').is_some_and(|hex| hex.len() == 16 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// Drops `<…>`, but keeps the type of a leading `<Type as Trait>`, or the trait where the type is a mere parameter, and
/// drops closures (`{closure#0}`, `{{closure}}`, `{impl#2}`) in the middle of a path.
fn without_generics(function: &str) -> String {
    let mut name = String::with_capacity(function.len());
    let mut rest = function;
    if let Some(inside) = function.strip_prefix('<')
        && let Some(end) = closing(inside)
        && let (Some(head), Some(tail)) = (inside.get(..end), inside.get(end + 1..))
    {
        let (ty, of_trait) = split_as(head);
        let ty = strip_words(ty.trim_start_matches(['&', '*', ' ']));
        let chosen = if ty.contains("::") { ty } else { of_trait.unwrap_or(ty) };
        name.push_str(strip_words(chosen.trim_start_matches(['&', '*', '<', ' '])));
        name = plain(&name);
        rest = tail;
    }
    name.push_str(&plain(rest));
    name
}

/// A path without `<…>` and `{…}`, and without the `::` before them.
fn plain(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let mut depth = 0u32;
    let mut previous = ' ';
    for c in path.chars() {
        match c {
            '<' | '{' => {
                if depth == 0 && out.ends_with("::") {
                    out.truncate(out.len() - 2);
                }
                depth += 1;
            }
            '>' if previous == '-' => {}
            '>' | '}' => depth = depth.saturating_sub(1),
            _ if depth == 0 => out.push(c),
            _ => {}
        }
        previous = c;
    }
    out
}

/// Where the `<` that was opened before the text is closed.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 1u32;
    let mut previous = b' ';
    for (i, byte) in text.bytes().enumerate() {
        match byte {
            b'<' => depth += 1,
            b'>' if previous != b'-' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(i);
        }
        previous = byte;
    }
    None
}

/// `Type as Trait`, apart, at the outermost level.
fn split_as(head: &str) -> (&str, Option<&str>) {
    let mut depth = 0i32;
    for (i, byte) in head.bytes().enumerate() {
        match byte {
            b'<' | b'(' | b'[' => depth += 1,
            b'>' | b')' | b']' => depth -= 1,
            b' ' if depth <= 0 => {
                if let (Some(ty), Some(rest)) = (head.get(..i), head.get(i..))
                    && let Some(of_trait) = rest.strip_prefix(" as ")
                {
                    return (ty, Some(of_trait));
                }
            }
            _ => {}
        }
    }
    (head, None)
}

/// `Object.<anonymous>`, `async Object.pay [as _onTimeout]`, `new Cart`.
fn javascript(function: &str) -> &str {
    let mut name = function.split(" [as ").next().unwrap_or_default();
    while let Some(rest) = [
        "async ",
        "new ",
        "Object.",
        "Module.",
        "exports.",
        "null.",
        "Function.",
        "global.",
        "window.",
        "Window.",
        "HTMLDocument.",
        "async*",
    ]
    .iter()
    .find_map(|prefix| name.strip_prefix(prefix))
    {
        name = rest;
    }
    // SpiderMonkey writes `outer/inner/<` for what has no name of its own.
    let name = name.trim_end_matches(['<', '/']);
    match name {
        "?" | "<anonymous>" | "anonymous" | "(anonymous)" | "<anonymous" | "eval" | "<unknown>" => "",
        _ => name,
    }
}

/// `lambda$pay$3` is `lambda$pay$`, and what follows `$$` was generated.
fn java(function: &str) -> &str {
    function.split("$$").next().unwrap_or_default()
}

/// `(*Server).Pay.func1.2` is `(*Server).Pay`.
fn go(function: &str) -> &str {
    let mut name = function;
    while let Some((head, tail)) = name.rsplit_once('.') {
        let digits = tail.strip_prefix("func").unwrap_or(tail);
        let generated = !tail.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        if !generated {
            break;
        }
        name = head;
    }
    name.strip_suffix("-fm").unwrap_or(name)
}

/// `block (2 levels) in pay` is `pay`.
fn ruby(function: &str) -> &str {
    match function.rsplit_once(" in ") {
        Some((_, name)) => name,
        None => function,
    }
}

fn without_digits(name: &str) -> Cow<'_, str> {
    if name.contains('$') || name.contains('<') {
        Cow::Owned(name.chars().filter(|c| !c.is_ascii_digit()).collect())
    } else {
        Cow::Borrowed(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rust_names_lose_what_the_compiler_adds() {
        for (given, expected) in [
            ("shop::pay::h0123456789abcdef", "shop::pay"),
            ("shop::pay::{{closure}}::h0123456789abcdef", "shop::pay"),
            ("shop::pay::{closure#0}::{closure#1}", "shop::pay"),
            ("shop::pay::{{closure}}::inner", "shop::pay::inner"),
            ("<shop::Pay<T, U> as core::future::future::Future>::poll", "shop::Pay"),
            ("<F as axum::handler::Handler<((),),S>>::call::{{closure}}", "axum::handler::Handler::call"),
            ("<shop::Cart as shop::Total>::total", "shop::Cart::total"),
            ("shop::Cart<T>::total::<u32>", "shop::Cart::total"),
            ("core::ops::function::FnOnce::call_once{{vtable.shim}}", "core::ops::function::FnOnce::call_once"),
            ("<alloc::boxed::Box<dyn Fn(u8) -> u8> as Fn>::call", "alloc::boxed::Box::call"),
            ("f::poll", "f::poll"),
            ("<<", ""),
        ] {
            assert_eq!(clean(given, Language::Rust), expected, "{given}");
        }
    }

    #[test]
    fn a_readable_name_groups_as_the_compilers() {
        for given in [
            "shop::orders::pay::{{closure}}::{{closure}}::h0123456789abcdef",
            "core::result::Result<T,E>::map_err",
            "<shop::pay::Cart<T> as shop::pay::Gateway>::take::{{closure}}",
            "<futures_util::future::future::map::Map<Fut,F> as core::future::future::Future>::poll",
            "<F as axum::handler::Handler<(M,T1),S>>::call::{{closure}}",
            "std::panicking::catch_unwind::<isize, std::rt::lang_start_internal::{closure#0}>",
            "<shop::Cart<alloc::string::String>>::pay",
            "<&dyn core::ops::function::Fn<(), Output = i32> + core::marker::Sync as core::ops::function::FnOnce<()>>::call_once",
            "poll<shop::pay::{impl#1}::take::{async_block_env#0}<alloc::string::String>>",
            "{async_fn#0}<alloc::string::String>",
            "tokio::runtime::task::core::Core<T,S>::poll::{{closure}}",
        ] {
            let readable = crate::symbols::readable(given);
            assert_eq!(clean(&readable, Language::Rust), clean(given, Language::Rust), "{given} → {readable}");
        }
    }

    #[test]
    fn the_crate_is_that_of_the_type() {
        for (function, expected) in [
            ("shop::pay", Some("shop")),
            ("<shop::Pay as core::future::Future>::poll", Some("shop")),
            ("<F as axum::handler::Handler<S>>::call", Some("axum")),
            ("<&dyn core::ops::Fn<()> as core::ops::FnOnce<()>>::call_once", Some("core")),
            ("<&mut F as tower::Service>::call", Some("tower")),
            ("main", None),
            ("<", None),
            ("", None),
        ] {
            assert_eq!(rust_crate(function), expected, "{function}");
        }
    }

    #[test]
    fn other_languages_lose_what_was_generated() {
        for (given, language, expected) in [
            ("Object.<anonymous>", Language::JavaScript, ""),
            ("Timeout.main [as _onTimeout]", Language::JavaScript, "Timeout.main"),
            ("async Object.pay", Language::JavaScript, "pay"),
            ("renderTotals/<", Language::JavaScript, "renderTotals"),
            ("t", Language::JavaScript, "t"),
            ("lambda$pay$3", Language::Java, "lambda$pay$"),
            ("(*Server).Pay.func1.2", Language::Go, "(*Server).Pay"),
            ("block (2 levels) in pay", Language::Ruby, "pay"),
            ("<module>", Language::Python, "<module>"),
        ] {
            assert_eq!(clean(given, language), expected, "{given}");
        }
    }
}
