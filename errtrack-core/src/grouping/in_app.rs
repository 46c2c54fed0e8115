//! Which frames belong to the program, and which to libraries and runtimes.

use super::{
    crates,
    frames::before_panic,
    function::rust_crate,
    language::Language,
    runtime::{is_runtime, path},
};
use crate::{
    Event, Frame,
    symbols::{Origin, origin},
};

/// Decides which frames belong to the program.
///
/// What a client said of a frame stands, but for the frames of a Rust panic's machinery and hooks, which never are the
/// program's. What is unknown is decided by what was included or excluded here, then by what is usual in the language:
/// not the standard library, not installed packages.
///
/// A Rust frame belongs to the program by its file: all crates of a workspace do, wherever it was built, and nothing that
/// came from a registry, a git checkout or a folder of vendored packages. A frame without a file, on a stack on which the
/// program's frames have theirs, belongs to a dependency. In a program without any debug information only the names of
/// crates tell: well-known libraries are taken out, of others say so with [`exclude`](Self::exclude), or name your crates
/// with [`include`](Self::include).
///
/// # Example
/// ```
/// use errtrack_core::{Event, Exception, Frame, Stacktrace, grouping::InApp};
///
/// let frame = |function: &str| Frame { function: Some(function.into()), ..Frame::default() };
/// let frames = vec![frame("shop::main"), frame("vendor::pay"), frame("tokio::spawn")];
/// let mut event = Event::new();
/// event.exceptions.push(Exception { stacktrace: Some(Stacktrace { frames }), ..Exception::new("E", "x") });
/// InApp::default().exclude("vendor").mark(&mut event);
/// let marks: Vec<_> = event.exceptions[0].frames().iter().map(|f| f.in_app).collect();
/// assert_eq!(marks, [Some(true), Some(false), Some(false)]);
/// ```
#[derive(Debug, Clone, Default)]
pub struct InApp {
    include: Vec<String>,
    exclude: Vec<String>,
}

impl InApp {
    /// Counts everything whose module, function or path begins with a name, or has it as a folder, as the program's.
    #[must_use]
    pub fn include(mut self, name: impl Into<String>) -> Self {
        self.include.push(name.into());
        self
    }

    /// Counts the same as not the program's; what is included too stays included.
    #[must_use]
    pub fn exclude(mut self, name: impl Into<String>) -> Self {
        self.exclude.push(name.into());
        self
    }

    /// Sets `in_app` on every frame that does not have it.
    pub fn mark(&self, event: &mut Event) {
        let platform = event.platform.take();
        let of_exceptions = event.exceptions.iter_mut().filter_map(|e| e.stacktrace.as_mut());
        let of_threads = event.threads.iter_mut().filter_map(|t| t.stacktrace.as_mut());
        for stack in of_exceptions.chain(of_threads) {
            self.mark_frames(&mut stack.frames, platform.as_deref());
        }
        event.platform = platform;
    }

    /// The same for the frames of one stack, the caller first.
    pub(crate) fn mark_frames(&self, frames: &mut [Frame], platform: Option<&str>) {
        let own = before_panic(frames).len();
        // Stacks of this process were marked when they were named.
        let has_files = frames.iter().any(|frame| frame.in_app.is_none()) && frames.iter().any(is_program_file);
        for (index, frame) in frames.iter_mut().enumerate() {
            if index >= own {
                frame.in_app = Some(false);
            } else if frame.in_app.is_none() {
                frame.in_app = Some(self.decide(frame, platform, has_files));
            }
        }
    }

    fn decide(&self, frame: &Frame, platform: Option<&str>, has_files: bool) -> bool {
        if self.include.iter().any(|name| belongs(frame, name)) {
            return true;
        }
        let language = Language::of(frame, platform);
        !self.exclude.iter().any(|name| belongs(frame, name))
            && !is_runtime(frame, language)
            && !is_library(frame, language, has_files)
    }
}

/// Whether a frame is of a module, a crate or a folder.
fn belongs(frame: &Frame, name: &str) -> bool {
    let begins = |text: &str| {
        text.strip_prefix(name)
            .is_some_and(|rest| rest.is_empty() || !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
    };
    let function = frame.function.as_deref().unwrap_or_default();
    let path = path(frame);
    !name.is_empty()
        && (begins(function)
            || begins(function.trim_start_matches('<'))
            || frame.module.as_deref().is_some_and(begins)
            || rust_crate(function) == Some(name)
            || begins(path)
            || path.split(['/', '\\']).any(|folder| folder == name))
}

/// Whether a frame has a source file of a Rust program, not of what it depends on.
fn is_program_file(frame: &Frame) -> bool {
    let path = path(frame);
    path.ends_with(".rs") && origin(path) == Origin::Program && !is_runtime(frame, Language::Rust)
}

/// The same for a Rust frame; `has_files` if the program's own frames on this stack have files.
fn is_rust_library(frame: &Frame, has_files: bool) -> bool {
    let path = path(frame);
    if path.ends_with(".rs") {
        return origin(path) != Origin::Program;
    }
    let name = frame.function.as_deref().and_then(rust_crate);
    name.is_some_and(|name| has_files || crates::is_library(name))
}

/// Whether a frame lies where the language keeps what was installed.
fn is_library(frame: &Frame, language: Language, has_files: bool) -> bool {
    let path = path(frame);
    let within = |folders: &[&str]| folders.iter().any(|folder| path.contains(folder));
    let module = frame.module.as_deref().unwrap_or_default();
    match language {
        Language::Rust => is_rust_library(frame, has_files),
        Language::Python => {
            within(&["/site-packages/", "/dist-packages/", "\\site-packages\\", "\\Lib\\", "<frozen "])
                || is_python_library(path)
        }
        Language::JavaScript => {
            within(&[
                "node_modules",
                "node:",
                "webpack/bootstrap",
                "webpack/runtime",
                "chrome-extension://",
                "moz-extension://",
            ]) || within(&["safari-extension://", "safari-web-extension://", "<anonymous>", "[native code]"])
                || path.starts_with("internal/")
        }
        Language::Java => [
            "java.",
            "javax.",
            "jakarta.",
            "jdk.",
            "sun.",
            "com.sun.",
            "kotlin.",
            "kotlinx.",
            "scala.",
            "android.",
            "androidx.",
        ]
        .iter()
        .chain(&[
            "org.springframework.",
            "org.apache.",
            "org.hibernate.",
            "io.netty.",
            "com.zaxxer.",
            "org.eclipse.jetty.",
        ])
        .any(|prefix| module.starts_with(prefix)),
        Language::Go => within(&["/pkg/mod/", "/usr/local/go/src/", "/go/src/runtime/", "/vendor/", "/libexec/src/"]),
        Language::Ruby => within(&["/gems/", "/lib/ruby/", "/vendor/bundle/", "<internal:"]),
        Language::Php => within(&["/vendor/"]),
        Language::CSharp => ["System.", "Microsoft."].iter().any(|prefix| module.starts_with(prefix)),
        Language::Other => within(&["/usr/lib/", "/usr/include/", "/System/Library/"]),
    }
}

/// `/usr/lib/python3.11/threading.py`.
fn is_python_library(path: &str) -> bool {
    path.split_once("/lib/python").is_some_and(|(_, rest)| rest.starts_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Exception, Stacktrace};

    fn marked(frames: Vec<Frame>) -> Vec<Option<bool>> {
        let mut event = Event::new();
        event.exceptions.push(Exception { stacktrace: Some(Stacktrace { frames }), ..Exception::new("E", "x") });
        InApp::default().mark(&mut event);
        event.exceptions[0].frames().iter().map(|f| f.in_app).collect()
    }

    fn frame(function: &str, path: &str) -> Frame {
        Frame { function: Some(function.into()), abs_path: Some(path.into()), ..Frame::default() }
    }

    #[test]
    fn libraries_and_runtimes_are_not_the_program() {
        let marks = marked(vec![
            frame("shop::main", "/srv/shop/src/main.rs"),
            frame("serde_json::from_str", "/home/ana/.cargo/registry/src/index/serde_json-1/src/de.rs"),
            frame("<F as axum::handler::Handler<S>>::call", "/x/handler.rs"),
            frame("run", "/srv/app/shop.py"),
            frame("get", "/venv/lib/python3.11/site-packages/requests/api.py"),
            frame("run", "/usr/lib/python3.11/threading.py"),
            frame("pay", "/srv/app/cart.js"),
            frame("next", "/srv/app/node_modules/express/router.js"),
            frame("emit", "node:events"),
        ]);
        assert_eq!(marks, [true, false, false, true, false, false, true, false, false].map(Some));
    }

    #[test]
    fn a_rust_program_is_known_by_its_files() {
        let marks = marked(vec![
            frame("shop_server::main", "/build/shop-1.4.2/src/main.rs"),
            frame("shop_orders::pay", "/build/shop-1.4.2/crates/orders/src/pay.rs"),
            Frame { module: Some("crate::pay".into()), ..frame("{async fn}", "/build/shop-1.4.2/src/pay.rs") },
            // Dependencies are often built without debug information.
            frame("obscure::Pool::get", ""),
            frame("obscure::Pool<T>::get", "/home/ana/.cargo/registry/src/index/obscure-0.1.0/src/pool.rs"),
            frame("core::result::Result<T,E>::map_err", "/rustc/0/library/core/src/result.rs"),
        ]);
        assert_eq!(marks, [true, true, true, false, false, false].map(Some));
    }

    #[test]
    fn without_files_the_crate_tells() {
        let marks = marked(vec![
            frame("shop::main", ""),
            frame("reqwest::Client::execute", ""),
            frame("<F as axum::handler::Handler<S>>::call", ""),
            frame("shop_orders::pay", ""),
        ]);
        assert_eq!(marks, [true, false, false, true].map(Some));
    }

    #[test]
    fn what_a_client_said_stands() {
        let said = Frame { in_app: Some(true), ..frame("next", "/srv/node_modules/own/x.js") };
        assert_eq!(marked(vec![said]), [Some(true)]);
    }

    #[test]
    fn panic_machinery_and_hooks_are_cut() {
        let hook = Frame { in_app: Some(true), ..frame("my_hooks::report", "/srv/src/hook.rs") };
        let marks = marked(vec![
            frame("std::panicking::try", ""),
            frame("shop::pay", "/srv/shop/src/pay.rs"),
            frame("core::result::unwrap_failed", ""),
            frame("core::panicking::panic_fmt", ""),
            frame("rust_begin_unwind", ""),
            hook,
        ]);
        assert_eq!(marks, [false, true, false, false, false, false].map(Some));
    }
}
