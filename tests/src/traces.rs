//! Traces as text, one of each language and runtime, as programs print them.

macro_rules! traces {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../fixtures/traces/", $name, ".txt")))),*]
    };
}

/// Every trace, with its name.
#[must_use]
pub fn traces() -> [(&'static str, &'static str); 12] {
    traces![
        "anyhow",
        "browser",
        "csharp",
        "elixir",
        "go",
        "java",
        "javascript",
        "kotlin",
        "php",
        "python",
        "ruby",
        "rust",
    ]
}
