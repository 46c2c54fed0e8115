//! Which frames belong to the program, and which to libraries and runtimes.

mod libraries;

use super::{
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
/// Elsewhere it belongs to the program unless it lies where the language keeps what was installed, or its package is one
/// that programs are built with:
///
/// | Language | Not the program's |
/// |---|---|
/// | Python | `site-packages`, `dist-packages`, the standard library, layers of AWS Lambda |
/// | JavaScript | `node_modules`, what Node, Deno and bundlers bring, extensions of browsers, scripts of public CDNs |
/// | Java, Kotlin, Scala | `java.`, `jakarta.`, `kotlin.`, `scala.`, `android.`, Spring, Apache, Netty, and the like |
/// | Go | `pkg/mod`, `vendor`, `GOROOT`, also in builds with `-trimpath` |
/// | Ruby | `gems`, `vendor/bundle`, the standard library |
/// | PHP | `vendor`, PHP archives, WordPress itself |
/// | C# | `System.`, `Microsoft.`, and well-known packages |
/// | Elixir | Elixir, OTP, `deps`, and well-known packages |
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
            && !libraries::is_library(frame, language, has_files)
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

#[cfg(test)]
mod tests;
