//! Grouping `errtrack:1`: which events are one issue, and why.
//!
//! The first of these that applies names the issue:
//!
//! 1. a [rule](crate::rules) of the project, in whose fingerprint `{{ default }}` stands for what follows; then the client's
//!    fingerprint, likewise;
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
pub(crate) use culprit::{blamed, file_of, function_of};
pub use formula::group;
pub(crate) use formula::{by_formula, by_rule, is_default, thread_frames};
pub use in_app::InApp;
pub(crate) use runtime::begins_panic;

use crate::{Fingerprint, Formula};
use serde::{Deserialize, Serialize};

/// The version of the formula.
pub const VERSION: &str = "errtrack:1";
/// The component that a rule or a client gives.
const FINGERPRINT: &str = "fingerprint";
/// The version of what a report dialect compares.
const FIXED: &str = "fixed";

/// Why an event belongs to its issue.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Grouping {
    /// The version of the formula: `errtrack:1`.
    pub version: String,
    /// Which part of the formula applied, in words: `stack`, `message`, ….
    pub by: String,
    /// What was compared, in order, each with a name for people.
    pub components: Vec<Component>,
    /// The name of the rule that decided, or that let what follows it decide; `None` where none applied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// What the formula of a report dialect compared, where a rule decided instead.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub instead_of: Vec<Component>,
}

/// A part of what was compared.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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
    pub fn fixed(because: String, fingerprint: Fingerprint) -> Self {
        let components =
            vec![Component::new("formula", vec![because]), Component::new(FINGERPRINT, vec![fingerprint.to_string()])];
        Self { version: FIXED.into(), by: "formula".into(), components, ..Self::default() }
    }

    /// How the event was grouped where no rule decides, as far as it tells.
    pub(crate) fn formula(&self) -> Formula {
        let all = self.components.iter().chain(&self.instead_of);
        let mut pairs = all.clone().zip(all.skip(1));
        let fixed = pairs.find(|(formula, fingerprint)| formula.name == "formula" && fingerprint.name == FINGERPRINT);
        let read = fixed.and_then(|(formula, fingerprint)| {
            let fingerprint = fingerprint.values.first()?.parse().ok()?;
            Some(Formula::Fixed { fingerprint, because: formula.values.first()?.clone() })
        });
        read.unwrap_or(Formula::Ours)
    }

    /// The fingerprint that was made of it.
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        match self.formula() {
            Formula::Fixed { fingerprint, .. } if self.version == FIXED => fingerprint,
            _ => fingerprint::hash(&self.version, &self.components),
        }
    }
}

impl Component {
    fn new(name: &str, values: Vec<String>) -> Self {
        Self { name: name.to_owned(), values }
    }
}
