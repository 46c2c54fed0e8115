//! Exceptions, threads, stacks and frames as Sentry SDKs send them.

use super::{
    lenient::{At, Object, Slot, fill, object},
    shapes::{Loose, Values},
};
use errtrack_core::{Exception, Frame, Mechanism, Stacktrace, Thread};
use serde::de::MapAccess;

object!(Frame {
    "filename" => filename,
    "abs_path" => abs_path,
    "module" => module,
    "function" => function,
    "lineno" => lineno,
    "colno" => colno,
    "in_app" => in_app,
    "context_line" => context_line,
    "pre_context" => pre_context,
    "post_context" => post_context,
    "source_link" => source_link,
    "vars" => vars,
    "package" => package,
    "instruction_addr" => instruction_addr,
});

object!(Stacktrace {
    "frames" => frames,
});

object!(Mechanism {
    "type" => ty,
    "handled" => handled,
    "synthetic" => synthetic,
    "exception_id" => exception_id,
    "parent_id" => parent_id,
    "is_exception_group" => is_exception_group,
    "source" => source,
    "data" => data,
});

object!(Thread {
    "id" => id,
    "name" => name,
    "current" => current,
    "crashed" => crashed,
    "stacktrace" => stacktrace,
});

impl Object for Exception {
    fn field<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A, at: &At<'_>) -> Result<bool, A::Error> {
        let at = &at.field(name);
        match name {
            "type" => fill(&mut self.ty, map, at)?,
            // JavaScript throws anything; what is thrown may be an object.
            "value" => {
                let mut value = None::<Loose>;
                fill(&mut value, map, at)?;
                self.value = value.map(|Loose(text)| text).or_else(|| self.value.take());
            }
            "module" => fill(&mut self.module, map, at)?,
            "thread_id" => fill(&mut self.thread_id, map, at)?,
            "mechanism" => fill(&mut self.mechanism, map, at)?,
            "stacktrace" | "sentry.interfaces.Stacktrace" => fill(&mut self.stacktrace, map, at)?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// Exceptions or threads: a field of an event that takes all the forms of [`Values`].
#[derive(Debug)]
pub(super) struct Many<T>(pub(super) Vec<T>);

impl<T> Default for Many<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Object> Slot for Many<T> {
    type Shape = Values<T>;

    fn put(&mut self, value: Values<T>) {
        // Of two spellings of one field, the one that says something counts.
        if !value.0.is_empty() {
            self.0 = value.0;
        }
    }
}

/// Whether an exception says anything at all.
pub(super) fn says_something(exception: &Exception) -> bool {
    exception.ty.is_some() || exception.value.is_some() || exception.stacktrace.is_some()
}
