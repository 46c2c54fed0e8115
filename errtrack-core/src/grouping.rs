//! Grouping `errtrack:1`: which events are one issue, and why.
//!
//! The first of these that applies names the issue:
//!
//! 1. the client's fingerprint, in which `{{ default }}` stands for what follows;
//! 2. the stack of the root cause: the types of the whole chain and the program's own frames, cleaned of everything that
//!    a deploy changes (lines, columns, hashes, generics, folders);
//! 3. the place, for Rust errors without a backtrace, and where a stripped program has only addresses: types, the file and
//!    module of `#[track_caller]`, the open spans;
//! 4. the types and the [parameterized](message::parameterize) message;
//! 5. the message: its template, else what is left of it without its parameters, and the logger.
//!
//! A Rust error behind `dyn Error` that shows no type, as those of `anyhow!`, is known by its message instead. Where a Rust
//! program has names but no files, because it was built without debug information, inlined functions are missing from the
//! stack, and the place is compared too.
//!
//! Numbers in the messages of the causes that say what went wrong (`404`, `os error 13`) split by stack, place and type too,
//! from the root cause to the error whose stack, place or message was compared.
//!
//! What was compared is kept in [`Event::grouping`](crate::Event::grouping), so that a page can explain the issue.

mod crates;
mod culprit;
mod file;
mod fingerprint;
mod formula;
mod frames;
mod function;
mod in_app;
mod language;
pub mod message;
mod runtime;

pub use culprit::culprit;
pub use formula::group;
pub use in_app::InApp;
pub(crate) use runtime::begins_panic;

use serde::{Deserialize, Serialize};

/// The version of the formula.
pub const VERSION: &str = "errtrack:1";

/// Why an event belongs to its issue.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Grouping {
    /// The version of the formula: `errtrack:1`.
    pub version: String,
    /// Which part of the formula applied, in words: `stack`, `message`, ….
    pub by: String,
    /// What was compared, in order, each with a name for people.
    pub components: Vec<Component>,
}

/// A part of what was compared.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Component {
    /// What it is: `types`, `frames`, `message`, ….
    pub name: String,
    /// Its values.
    pub values: Vec<String>,
}

impl Grouping {
    /// A grouping by the formula of a report dialect.
    #[must_use]
    pub fn fixed(because: String) -> Self {
        let component = Component { name: "formula".into(), values: vec![because] };
        Self { version: "fixed".into(), by: "formula".into(), components: vec![component] }
    }
}

impl Component {
    fn new(name: &str, values: Vec<String>) -> Self {
        Self { name: name.to_owned(), values }
    }
}
