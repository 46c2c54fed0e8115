//! The language of a frame: one trace may hold several, so each frame is asked.

use crate::Frame;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    Rust,
    Python,
    JavaScript,
    Java,
    Go,
    Ruby,
    Php,
    CSharp,
    Elixir,
    Other,
}

impl Language {
    /// By the file's extension, else by the look of the function, else by the platform of the event.
    pub(super) fn of(frame: &Frame, platform: Option<&str>) -> Self {
        let file = frame.filename.as_deref().or(frame.abs_path.as_deref()).unwrap_or_default();
        if file.starts_with("node:") {
            return Self::JavaScript;
        }
        let file = file.split(['?', '#']).next().unwrap_or_default();
        let extension = file.rsplit_once('.').map_or("", |(_, extension)| extension);
        match extension {
            "rs" => Self::Rust,
            "py" | "pyx" => Self::Python,
            "js" | "mjs" | "cjs" | "jsx" | "ts" | "tsx" | "mts" | "vue" | "svelte" | "html" | "bundle" => {
                Self::JavaScript
            }
            "java" | "kt" | "scala" | "groovy" | "clj" => Self::Java,
            "go" => Self::Go,
            "rb" => Self::Ruby,
            "php" => Self::Php,
            "cs" | "fs" | "vb" => Self::CSharp,
            "ex" | "exs" | "eex" | "heex" | "erl" => Self::Elixir,
            _ => Self::of_platform(frame, platform),
        }
    }

    fn of_platform(frame: &Frame, platform: Option<&str>) -> Self {
        match platform.unwrap_or_default() {
            "rust" => Self::Rust,
            "python" => Self::Python,
            "javascript" | "node" => Self::JavaScript,
            "java" | "kotlin" => Self::Java,
            "go" => Self::Go,
            "ruby" => Self::Ruby,
            "php" => Self::Php,
            "csharp" => Self::CSharp,
            "elixir" => Self::Elixir,
            _ if frame.function.as_deref().is_some_and(|f| f.contains("::")) => Self::Rust,
            _ => Self::Other,
        }
    }
}
