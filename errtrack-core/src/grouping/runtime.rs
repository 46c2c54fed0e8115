//! Frames that carry a program but are none of it, by language.

use super::{function::rust_crate, language::Language};
use crate::Frame;

/// Crates that run code: their frames say how it was called, never what it did.
const CRATES: [&str; 36] = [
    "core",
    "__rustc",
    "std",
    "alloc",
    "proc_macro",
    "test",
    "backtrace",
    "rustc_demangle",
    "tokio",
    "tokio_util",
    "tokio_stream",
    "tracing",
    "tracing_core",
    "tracing_subscriber",
    "hyper",
    "hyper_util",
    "h2",
    "http_body_util",
    "async_std",
    "smol",
    "rayon",
    "rayon_core",
    "anyhow",
    "eyre",
    "color_eyre",
    "async_task",
    "rocket",
    "warp",
    "mio",
    "errtrack",
    "errtrack_actix",
    "errtrack_core",
    "errtrack_store",
    "errtrack_tower",
    "errtrack_tracing",
    "errtrack_web",
];

/// The same, for families of crates. By their whole names: a program may well be called `axum_app` or `tower_defense`.
const FAMILIES: [(&str, &[&str]); 6] = [
    ("futures", &["", "_util", "_core", "_executor", "_channel", "_task", "_io", "_sink"]),
    ("tower", &["", "_http", "_service", "_layer", "_sessions", "_cookies"]),
    ("axum", &["", "_core", "_extra", "_macros", "_server", "_login"]),
    ("actix", &["", "_web", "_http", "_rt", "_server", "_service", "_router", "_codec", "_utils", "_macros"]),
    ("sentry", &["", "_core", "_backtrace", "_panic", "_tower", "_actix", "_tracing", "_anyhow", "_log"]),
    ("wasm_bindgen", &["", "_futures", "_test"]),
];

/// Whether a crate only runs code.
pub(super) fn is_crate(name: &str) -> bool {
    let of_family =
        |(family, members): &(&str, &[&str])| name.strip_prefix(family).is_some_and(|member| members.contains(&member));
    CRATES.contains(&name) || FAMILIES.iter().any(of_family)
}

/// Whether a frame belongs to a runtime; it never counts, whatever the client said of it.
pub(super) fn is_runtime(frame: &Frame, language: Language) -> bool {
    let path = path(frame);
    match language {
        Language::Rust => {
            let function = frame.function.as_deref().unwrap_or_default();
            let name = rust_crate(function).or_else(|| frame.module.as_deref().and_then(rust_crate));
            let is_c = name.is_none() && !path.ends_with(".rs");
            is_c || name.is_some_and(is_crate) || path.contains("/rustc/") || is_ours(path)
        }
        Language::JavaScript => {
            path.starts_with("node:")
                || path.starts_with("internal/")
                || path.contains("node_modules/@sentry")
                || path.contains("webpack/bootstrap")
                || path.contains("webpack/runtime")
                || path.ends_with("[native code]")
                || path == "native"
        }
        Language::Python => {
            let function = frame.function.as_deref().unwrap_or_default();
            path.starts_with("<frozen ") || path.contains("/sentry_sdk/") || function.starts_with("sentry_patched")
        }
        Language::Java => {
            let class = frame.module.as_deref().unwrap_or_default();
            ["java.", "jdk.", "sun.", "io.sentry."].iter().any(|prefix| class.starts_with(prefix))
        }
        Language::Go => {
            let function = frame.function.as_deref().unwrap_or_default();
            let module = frame.module.as_deref().unwrap_or_default();
            module == "runtime" || function.starts_with("runtime.") || path.contains("/src/runtime/")
        }
        _ => false,
    }
}

/// Whether a file is of the crates that stand around a handler to catch its errors. Inlined functions carry no crate in
/// their name, so the folder must tell.
fn is_ours(path: &str) -> bool {
    ["/errtrack-core/src/", "/errtrack-tower/src/", "/errtrack-tracing/src/"].iter().any(|folder| path.contains(folder))
}

/// The whole path of a frame's file, else what is known of it.
pub(super) fn path(frame: &Frame) -> &str {
    frame.abs_path.as_deref().or(frame.filename.as_deref()).unwrap_or_default()
}

/// Whether a frame belongs to Rust's panic machinery, or to a hook that it called.
pub(crate) fn begins_panic(function: &str) -> bool {
    let function = function.trim_start_matches('<');
    [
        "core::panicking::",
        "std::panicking::",
        "__rust_begin_unwind",
        "rust_begin_unwind",
        "__rustc::rust_begin_unwind",
        "std::sys::backtrace::__rust_end_short_backtrace",
        "std::sys_common::backtrace::__rust_end_short_backtrace",
    ]
    .iter()
    .any(|machinery| function.starts_with(machinery))
        && !function.starts_with("std::panicking::try")
        && !function.starts_with("std::panicking::catch_unwind")
        || ["core::option::unwrap_failed", "core::option::expect_failed", "core::result::unwrap_failed"]
            .iter()
            .any(|failed| function.starts_with(failed))
}
