//! Exceptions, their stacks and frames.

use super::Map;
use serde::{Deserialize, Serialize};

/// One error of a chain.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Exception {
    /// The type: `std::io::Error`, `ValueError`. Absent for values that are no exceptions.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub ty: Option<String>,
    /// What it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The module in which the type lives.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
    /// The thread in which it was raised.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread_id: Option<String>,
    /// How it was caught.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mechanism: Option<Mechanism>,
    /// Where it was raised.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stacktrace: Option<Stacktrace>,
}

/// How an exception was caught.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Mechanism {
    /// `panic`, `onerror`, `generic`, `tracing`, ….
    #[serde(rename = "type")]
    pub ty: String,
    /// `false` if nothing in the program handled it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handled: Option<bool>,
    /// The stack was made up by the client to have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub synthetic: Option<bool>,
    /// Its number in the tree of exceptions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exception_id: Option<i64>,
    /// The number of the one that holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<i64>,
    /// It stands for several (`AggregateError`, `ExceptionGroup`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_exception_group: Option<bool>,
    /// The field of the parent that holds it: `cause`, `errors[0]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Anything else.
    #[serde(skip_serializing_if = "Map::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub data: Map,
}

/// A stack: the caller first, the crash last.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Stacktrace {
    /// The frames.
    pub frames: Vec<Frame>,
}

/// One call on a stack. Absent means unknown.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Frame {
    /// The file as a person wants to read it: relative, or the last part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filename: Option<String>,
    /// The whole path or URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub abs_path: Option<String>,
    /// Module, package or crate path of the function.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
    /// The function.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// Line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lineno: Option<u32>,
    /// Column, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub colno: Option<u32>,
    /// It belongs to the program, not to a library or the runtime.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_app: Option<bool>,
    /// The source line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context_line: Option<String>,
    /// The lines before it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pre_context: Vec<String>,
    /// The lines after it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub post_context: Vec<String>,
    /// Where a code host shows the line: an `https://` or `http://` address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_link: Option<String>,
    /// Local variables.
    #[serde(skip_serializing_if = "Map::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub vars: Map,
    /// The library or image that holds the code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
    /// The address in hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instruction_addr: Option<String>,
}

/// A thread of the program at the time of the event.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Thread {
    /// Its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// It is the one that captured the event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current: Option<bool>,
    /// It ended by this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crashed: Option<bool>,
    /// What it was doing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stacktrace: Option<Stacktrace>,
}

impl Exception {
    /// An exception with a type and a value.
    pub fn new(ty: impl Into<String>, value: impl Into<String>) -> Self {
        Self { ty: Some(ty.into()), value: Some(value.into()), ..Self::default() }
    }

    /// Its frames; none if it has no stack.
    #[must_use]
    pub fn frames(&self) -> &[Frame] {
        self.stacktrace.as_ref().map_or(&[], |s| s.frames.as_slice())
    }

    pub(super) fn approximate_size(&self) -> usize {
        size_of::<Self>()
            + self.ty.as_ref().map_or(0, String::len)
            + self.value.as_ref().map_or(0, String::len)
            + self.stacktrace.as_ref().map_or(0, Stacktrace::approximate_size)
    }
}

impl Mechanism {
    /// A mechanism that says whether the program handled the error.
    pub fn new(ty: impl Into<String>, handled: bool) -> Self {
        Self { ty: ty.into(), handled: Some(handled), ..Self::default() }
    }
}

impl Stacktrace {
    pub(super) fn approximate_size(&self) -> usize {
        let text = |s: &Option<String>| s.as_ref().map_or(0, String::len);
        self.frames
            .iter()
            .map(|f| {
                let lines = f.pre_context.iter().chain(&f.post_context).map(|l| 24 + l.len()).sum::<usize>();
                let vars = f.vars.iter().map(|(k, v)| 64 + k.len() + v.as_str().map_or(16, str::len)).sum::<usize>();
                size_of::<Frame>()
                    + text(&f.filename)
                    + text(&f.abs_path)
                    + text(&f.module)
                    + text(&f.function)
                    + text(&f.context_line)
                    + text(&f.source_link)
                    + lines
                    + vars
            })
            .sum()
    }
}

impl Frame {
    /// The function, with its module where that is not already part of the name.
    #[must_use]
    pub fn qualified_function(&self) -> Option<String> {
        let function = self.function.as_deref()?;
        Some(match self.module.as_deref() {
            Some(module) if !module.is_empty() && !function.starts_with(module) => {
                let joint = if function.contains("::") || module.contains("::") { "::" } else { "." };
                format!("{module}{joint}{function}")
            }
            _ => function.to_owned(),
        })
    }
}
