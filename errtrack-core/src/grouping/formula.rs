//! The formula `errtrack:1`: the first part of it that applies.

use super::{Component, FINGERPRINT, Grouping, VERSION, file, fingerprint, frames, language::Language, message};
use crate::{Event, Exception, Fingerprint, Formula, Frame};
use serde_json::Value;

/// What an error is called behind `dyn Error`, if its `Debug` text does not tell.
const UNTYPED: &str = "Error";

/// The fingerprint of an event, and why.
///
/// # Example
/// ```
/// use errtrack_core::{Event, Exception, grouping::group};
///
/// let mut event = Event::new();
/// event.exceptions.push(Exception::new("Timeout", "order 4711 timed out"));
/// let (fingerprint, why) = group(&event);
/// event.exceptions[0].value = Some("order 4712 timed out".into());
/// assert_eq!(group(&event).0, fingerprint);
/// assert_eq!((why.version.as_str(), why.by.as_str()), ("errtrack:1", "type and message"));
/// ```
#[must_use]
pub fn group(event: &Event) -> (Fingerprint, Grouping) {
    let (by, components) = match by_client(event) {
        Some(components) => ("client fingerprint", components),
        None => ours(event),
    };
    let grouping = Grouping { version: VERSION.to_owned(), by: by.to_owned(), components, ..Grouping::default() };
    (fingerprint::hash(VERSION, &grouping.components), grouping)
}

/// The fingerprint where no rule decides.
pub(crate) fn by_formula(event: &Event, formula: Formula) -> (Fingerprint, Grouping) {
    match formula {
        Formula::Ours => group(event),
        Formula::Fixed { fingerprint, because } => (fingerprint, Grouping::fixed(because, fingerprint)),
    }
}

/// The fingerprint that a rule gives. Its parts weigh as those of a client do, so that both can name the same issue.
pub(crate) fn by_rule(rule: &str, parts: Vec<String>, event: &Event, formula: Formula) -> (Fingerprint, Grouping) {
    let is_fixed = matches!(formula, Formula::Fixed { .. });
    let wants_default = parts.iter().any(|part| is_default(part));
    let mut components = vec![Component::new(FINGERPRINT, parts)];
    let mut instead_of = Vec::new();
    if wants_default {
        components.extend(by_formula(event, formula).1.components);
    } else if is_fixed {
        instead_of = by_formula(event, formula).1.components;
    }
    let fingerprint = fingerprint::hash(VERSION, &components);
    let (version, by) = (VERSION.to_owned(), "rule".to_owned());
    (fingerprint, Grouping { version, by, components, rule: Some(rule.to_owned()), instead_of })
}

/// Whether a part of a fingerprint stands for what would decide without it.
pub(crate) fn is_default(part: &str) -> bool {
    matches!(part.trim(), "{{ default }}" | "{{default}}")
}

/// The client's fingerprint; `None` where it says nothing but `{{ default }}`.
fn by_client(event: &Event) -> Option<Vec<Component>> {
    if event.fingerprint.iter().all(|part| is_default(part)) {
        return None;
    }
    let mut components = vec![Component::new(FINGERPRINT, event.fingerprint.clone())];
    if event.fingerprint.iter().any(|part| is_default(part)) {
        components.extend(ours(event).1);
    }
    Some(components)
}

fn ours(event: &Event) -> (&'static str, Vec<Component>) {
    by_stack(event)
        .map(|c| ("stack", c))
        .or_else(|| by_place(event).map(|c| ("place", c)))
        .or_else(|| by_type(event).map(|c| ("type and message", c)))
        .unwrap_or_else(|| ("message", by_message(event)))
}

fn by_stack(event: &Event) -> Option<Vec<Component>> {
    event.main_exception()?.ty.as_ref()?;
    let platform = event.platform.as_deref();
    let usable = |stack: &[Frame]| {
        let found = frames::of(stack, platform);
        let is_place = place_of(stack, platform).is_some();
        (!found.names.is_empty() && !is_place).then_some(found)
    };
    let is_react = |e: &&Exception| is_component_stack(e);
    let exceptions = event.exceptions.iter();
    let (root, found) = exceptions
        .clone()
        .filter(|e| !is_react(e))
        .chain(exceptions.filter(is_react))
        .find_map(|e| usable(e.frames()).map(|found| (e, found)))
        .or_else(|| Some((event.exceptions.first()?, usable(thread_frames(event)?)?)))?;
    if !found.tells && capture_place(event).is_some() {
        return None;
    }
    let mut components = vec![types(event), Component::new("frames", found.names)];
    if !found.has_files {
        push(&mut components, "place", capture_place(event).into_iter().collect());
    }
    if found.tells {
        push(&mut components, "codes", codes(causes(event, root).chain([root])));
    } else {
        // Files or a runtime alone say too little: every error of a page would be one.
        push(&mut components, "message", vec![message::parameterize(root.value.as_deref().unwrap_or_default()).into()]);
        push(&mut components, "codes", codes(causes(event, root)));
    }
    Some(components)
}

/// A component stack of React stands before the cause that it belongs to.
fn is_component_stack(exception: &Exception) -> bool {
    exception.ty.as_deref().is_some_and(|ty| ty.starts_with("React ErrorBoundary"))
}

/// The stack of the thread that failed, which some clients send instead of one in the exception.
pub(crate) fn thread_frames(event: &Event) -> Option<&[Frame]> {
    let threads = event.threads.iter();
    threads
        .clone()
        .find(|t| t.crashed == Some(true))
        .or_else(|| threads.clone().find(|t| t.current == Some(true)))
        .and_then(|t| t.stacktrace.as_ref())
        .map(|s| s.frames.as_slice())
}

fn by_place(event: &Event) -> Option<Vec<Component>> {
    event.main_exception()?.ty.as_ref()?;
    let platform = event.platform.as_deref();
    let of_frame = event.exceptions.iter().find_map(|e| Some((e, place_of(e.frames(), platform)?)));
    let (holder, place) = of_frame.or_else(|| Some((event.exceptions.first()?, capture_place(event)?)))?;
    let mut components = vec![types(event), Component::new("place", vec![place])];
    push(&mut components, "spans", spans(event));
    push(&mut components, "codes", codes(causes(event, holder).chain([holder])));
    Some(components)
}

/// The file and the module of the one frame without a function that `#[track_caller]` gives.
pub(super) fn place_of(stack: &[Frame], platform: Option<&str>) -> Option<String> {
    let [frame] = stack else { return None };
    if frame.function.is_some() || Language::of(frame, platform) != Language::Rust {
        return None;
    }
    let file = file::clean(frame, Language::Rust);
    match frame.module.as_deref().filter(|m| !m.is_empty()) {
        Some(module) => Some(format!("{module} ({file})")),
        None => (!file.is_empty()).then_some(file),
    }
}

/// The file in which our own capture was called, or the panic happened.
pub(super) fn captured_at(event: &Event) -> Option<&str> {
    event.contexts.get("captured_at")?.get("file")?.as_str().filter(|_| is_rust(event))
}

/// The same for comparing: without what a checkout puts into it.
fn capture_place(event: &Event) -> Option<String> {
    let file = Frame { filename: captured_at(event).map(str::to_owned), ..Frame::default() };
    Some(file::clean(&file, Language::Rust)).filter(|file| !file.is_empty())
}

fn is_rust(event: &Event) -> bool {
    event.platform.as_deref() == Some("rust")
}

fn by_type(event: &Event) -> Option<Vec<Component>> {
    let main = event.main_exception()?;
    main.ty.as_deref().filter(|ty| !ty.is_empty())?;
    let text = main.value.as_deref().unwrap_or_default();
    let mut components = vec![types(event)];
    push(&mut components, "spans", spans(event));
    push(&mut components, "message", vec![message::parameterize(text).into_owned()]);
    push(&mut components, "codes", codes(causes(event, main)));
    Some(components)
}

fn by_message(event: &Event) -> Vec<Component> {
    let has_params = |params: &Value| match params {
        Value::Array(list) => !list.is_empty(),
        Value::Object(map) => !map.is_empty(),
        _ => false,
    };
    // Without parameters a template is the text itself, and `%s` alone says nothing.
    let template = event.message.as_ref().and_then(|m| {
        let template = m.template.as_deref()?;
        let says_something =
            template.split(char::is_whitespace).any(|word| word.chars().filter(|c| c.is_alphabetic()).count() > 2);
        (has_params(&m.params) || template != m.text).then_some(template).filter(|_| says_something)
    });
    if let Some(template) = template {
        return vec![Component::new("template", vec![template.to_owned()])];
    }
    let mut components = vec![Component::new("message", vec![message::parameterize(event.title().1).into_owned()])];
    push(&mut components, "logger", event.logger.iter().cloned().collect());
    components
}

/// The types of the whole chain, the root cause first. A chain that repeats itself counts once. A Rust error without a type
/// is known by its message.
fn types(event: &Event) -> Component {
    let is_rust = is_rust(event);
    let named = |e: &Exception| match (e.ty.as_deref()?.trim(), e.value.as_deref()) {
        (UNTYPED, Some(text)) if is_rust => Some(format!("{UNTYPED}: {}", message::parameterize(text))),
        (ty, _) => Some(ty.to_owned()),
    };
    let mut types: Vec<String> = event.exceptions.iter().filter_map(named).collect();
    types.dedup();
    Component::new("types", types)
}

/// What led to an exception, the root cause first.
fn causes<'a>(event: &'a Event, of: &'a Exception) -> impl Iterator<Item = &'a Exception> {
    event.exceptions.iter().take_while(move |e| !std::ptr::eq(*e, of)).filter(|e| !is_component_stack(e))
}

/// The codes in the messages of exceptions.
fn codes<'a>(exceptions: impl Iterator<Item = &'a Exception>) -> Vec<String> {
    let of = |e: &'a Exception| message::codes(e.value.as_deref().unwrap_or_default());
    exceptions.flat_map(of).map(str::to_owned).collect()
}

fn spans(event: &Event) -> Vec<String> {
    let spans = event.contexts.get("tracing").and_then(|tracing| tracing.get("spans")).and_then(Value::as_array);
    let name = |span: &Value| span.as_str().or_else(|| span.get("name")?.as_str()).map(str::to_owned);
    spans.map(|list| list.iter().filter_map(name).collect()).unwrap_or_default()
}

fn push(components: &mut Vec<Component>, name: &str, values: Vec<String>) {
    if values.iter().any(|value| !value.is_empty()) {
        components.push(Component::new(name, values));
    }
}

#[cfg(test)]
mod tests;
