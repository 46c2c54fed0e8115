//! Each part of an event, cut by itself.

use super::Limits;
use crate::{Event, Frame, Map, Mark, Stacktrace};
use serde_json::Value;
use std::collections::BTreeMap;

/// Cuts with the limits at hand, notes what was cut and counts what is left.
struct Cut<'l> {
    limits: &'l Limits,
    marks: Vec<Mark>,
    /// No fewer bytes than it makes as JSON.
    bound: usize,
}

/// What a byte can grow to in JSON: `\u0001`.
const ESCAPED: usize = 6;
/// What surrounds a value in JSON: its name where that is ours, quotes, commas.
const AROUND: usize = 48;

/// Cuts the parts of an event; says how large it can be as JSON at most.
pub(super) fn event(limits: &Limits, event: &mut Event) -> usize {
    let mut cut = Cut { limits, marks: std::mem::take(&mut event.truncated), bound: 4 << 10 };
    cut.bound += event
        .filtered
        .iter()
        .chain(&cut.marks)
        .map(|m| (m.path.len() + m.what.len()) * ESCAPED + AROUND)
        .sum::<usize>();
    cut.names(event);
    cut.ends("exceptions", &mut event.exceptions, limits.exceptions);
    for (i, exception) in event.exceptions.iter_mut().enumerate() {
        let path = || format!("exceptions.{i}");
        cut.maybe(&|| path() + ".type", &mut exception.ty);
        cut.maybe(&|| path() + ".value", &mut exception.value);
        cut.maybe(&|| path() + ".module", &mut exception.module);
        cut.maybe(&|| path() + ".thread_id", &mut exception.thread_id);
        cut.bound += 4 * AROUND;
        if let Some(mechanism) = &mut exception.mechanism {
            cut.bound += 10 * AROUND;
            cut.string(&|| path() + ".mechanism.type", &mut mechanism.ty);
            cut.maybe(&|| path() + ".mechanism.source", &mut mechanism.source);
            cut.map(&|| path() + ".mechanism.data", &mut mechanism.data, usize::MAX);
        }
        cut.stack(&path, exception.stacktrace.as_mut());
    }
    cut.first("threads", &mut event.threads, limits.threads);
    for (i, thread) in event.threads.iter_mut().enumerate() {
        cut.maybe(&|| format!("threads.{i}.id"), &mut thread.id);
        cut.maybe(&|| format!("threads.{i}.name"), &mut thread.name);
        cut.bound += 4 * AROUND;
        cut.stack(&|| format!("threads.{i}"), thread.stacktrace.as_mut());
    }
    let crumbs = event.breadcrumbs.len();
    if crumbs > limits.breadcrumbs {
        event.breadcrumbs.drain(..crumbs - limits.breadcrumbs);
        cut.kept("breadcrumbs", limits.breadcrumbs, crumbs);
    }
    for (i, crumb) in event.breadcrumbs.iter_mut().enumerate() {
        cut.maybe(&|| format!("breadcrumbs.{i}.message"), &mut crumb.message);
        cut.maybe(&|| format!("breadcrumbs.{i}.category"), &mut crumb.category);
        cut.maybe(&|| format!("breadcrumbs.{i}.type"), &mut crumb.ty);
        cut.bound += 4 * AROUND;
        cut.map(&|| format!("breadcrumbs.{i}.data"), &mut crumb.data, usize::MAX);
    }
    if let Some(request) = &mut event.request {
        for (name, text) in
            [("url", &mut request.url), ("method", &mut request.method), ("query_string", &mut request.query_string)]
        {
            cut.maybe(&|| format!("request.{name}"), text);
        }
        cut.strings("request.headers", &mut request.headers, (limits.headers, limits.key, limits.string));
        cut.strings("request.env", &mut request.env, (limits.headers, limits.key, limits.string));
        cut.value(&|| "request.cookies".into(), &mut request.cookies, 0);
        if let Some(data) = &mut request.data {
            cut.value(&|| "request.data".into(), data, 0);
        }
    }
    if let Some(user) = &mut event.user {
        let fields = [
            ("id", &mut user.id),
            ("username", &mut user.username),
            ("email", &mut user.email),
            ("ip_address", &mut user.ip_address),
        ];
        fields.into_iter().for_each(|(name, text)| cut.maybe(&|| format!("user.{name}"), text));
        cut.map(&|| "user".into(), &mut user.other, limits.extra);
    }
    cut.strings("tags", &mut event.tags, (limits.tags, limits.tag_key, limits.tag_value));
    cut.map(&|| "contexts".into(), &mut event.contexts, limits.contexts);
    cut.map(&|| "extra".into(), &mut event.extra, limits.extra);
    cut.strings("modules", &mut event.modules, (limits.modules, limits.key, limits.key));
    cut.first("debug_images", &mut event.debug_images, limits.debug_images);
    for (i, image) in event.debug_images.iter_mut().enumerate() {
        cut.value(&|| format!("debug_images.{i}"), image, 0);
    }
    cut.first("fingerprint", &mut event.fingerprint, limits.fingerprint);
    for (i, part) in event.fingerprint.iter_mut().enumerate() {
        cut.string(&|| format!("fingerprint.{i}"), part);
    }
    event.truncated = cut.marks;
    cut.bound
}

impl Cut<'_> {
    fn mark(&mut self, path: String, what: String) {
        if self.marks.len() < self.limits.marks {
            self.marks.push(Mark { path, what });
        }
    }

    fn kept(&mut self, path: &str, kept: usize, of: usize) {
        self.mark(path.to_owned(), format!("kept {kept} of {of}"));
    }

    /// The short texts that name things, and the long ones that say what happened.
    fn names(&mut self, event: &mut Event) {
        let names = [
            ("platform", &mut event.platform),
            ("source", &mut event.source),
            ("logger", &mut event.logger),
            ("transaction", &mut event.transaction),
            ("server_name", &mut event.server_name),
            ("release", &mut event.release),
            ("dist", &mut event.dist),
            ("environment", &mut event.environment),
            ("stack_trace", &mut event.stack_trace),
            ("original_timestamp", &mut event.original_timestamp),
        ];
        names.into_iter().for_each(|(name, text)| self.maybe(&|| name.to_owned(), text));
        if let Some(message) = &mut event.message {
            self.string(&|| "message.text".into(), &mut message.text);
            self.maybe(&|| "message.template".into(), &mut message.template);
            self.value(&|| "message.params".into(), &mut message.params, 0);
        }
        if let Some(sdk) = &mut event.sdk {
            self.string(&|| "sdk.name".into(), &mut sdk.name);
            self.string(&|| "sdk.version".into(), &mut sdk.version);
        }
    }

    fn text(&mut self, path: &dyn Fn() -> String, text: &mut String, limit: usize) {
        if text.len() > limit {
            let of = text.len();
            text.truncate(text.floor_char_boundary(limit));
            self.mark(path(), format!("kept {} of {of} bytes", text.len()));
        }
        if text.contains('\0') {
            *text = text.replace('\0', "\u{fffd}");
        }
        self.bound += text.len() * ESCAPED + AROUND;
    }

    fn string(&mut self, path: &dyn Fn() -> String, text: &mut String) {
        self.text(path, text, self.limits.string);
    }

    fn maybe(&mut self, path: &dyn Fn() -> String, text: &mut Option<String>) {
        if let Some(text) = text {
            self.string(path, text);
        }
    }

    fn first<T>(&mut self, path: &str, list: &mut Vec<T>, limit: usize) {
        let of = list.len();
        if of > limit {
            list.truncate(limit);
            self.kept(path, limit, of);
        }
    }

    /// Keeps both ends: how it began and how it ended.
    fn ends<T>(&mut self, path: &str, list: &mut Vec<T>, limit: usize) {
        let of = list.len();
        if of > limit {
            let head = limit / 2;
            list.drain(head..of - (limit - head));
            self.kept(path, limit, of);
        }
    }

    fn stack(&mut self, path: &dyn Fn() -> String, stack: Option<&mut Stacktrace>) {
        let Some(stack) = stack else { return };
        if stack.frames.len() > self.limits.frames {
            let of = path() + ".stacktrace.frames";
            self.ends(&of, &mut stack.frames, self.limits.frames);
        }
        for (i, frame) in stack.frames.iter_mut().enumerate() {
            self.frame(&|| format!("{}.stacktrace.frames.{i}", path()), frame);
        }
    }

    fn frame(&mut self, path: &dyn Fn() -> String, frame: &mut Frame) {
        self.bound += 8 * AROUND;
        let texts = [
            ("filename", &mut frame.filename),
            ("abs_path", &mut frame.abs_path),
            ("module", &mut frame.module),
            ("function", &mut frame.function),
            ("context_line", &mut frame.context_line),
            ("source_link", &mut frame.source_link),
            ("package", &mut frame.package),
            ("instruction_addr", &mut frame.instruction_addr),
        ];
        texts.into_iter().for_each(|(name, text)| self.maybe(&|| format!("{}.{name}", path()), text));
        for line in frame.pre_context.iter_mut().chain(&mut frame.post_context) {
            self.string(&|| format!("{}.context", path()), line);
        }
        self.map(&|| path() + ".vars", &mut frame.vars, usize::MAX);
    }

    /// Limits: entries, bytes of a key, bytes of a value.
    fn strings(
        &mut self,
        path: &str,
        map: &mut BTreeMap<String, String>,
        (entries, key, value): (usize, usize, usize),
    ) {
        let of = map.len();
        if of > entries {
            let mut seen = 0;
            map.retain(|_, _| {
                seen += 1;
                seen <= entries
            });
            self.kept(path, entries, of);
        }
        let long: Vec<String> = map.keys().filter(|name| name.len() > key || name.contains('\0')).cloned().collect();
        for mut name in long {
            if let Some(text) = map.remove(&name) {
                self.text(&|| path.to_owned(), &mut name, key);
                map.entry(name).or_insert(text);
            }
        }
        self.bound += map.keys().map(|name| name.len() * ESCAPED).sum::<usize>();
        map.iter_mut().for_each(|(name, text)| self.text(&|| format!("{path}.{name}"), text, value));
    }

    fn map(&mut self, path: &dyn Fn() -> String, map: &mut Map, entries: usize) {
        self.object(path, map, entries, 0);
    }

    fn object(&mut self, path: &dyn Fn() -> String, map: &mut Map, entries: usize, depth: usize) {
        let of = map.len();
        if of > entries {
            let mut seen = 0;
            map.retain(|_, _| {
                seen += 1;
                seen <= entries
            });
            self.mark(path(), format!("kept {entries} of {of}"));
        }
        let long: Vec<String> = map.keys().filter(|k| k.len() > self.limits.key || k.contains('\0')).cloned().collect();
        for mut key in long {
            if let Some(value) = map.remove(&key) {
                self.text(path, &mut key, self.limits.key);
                map.entry(key).or_insert(value);
            }
        }
        for (key, value) in map {
            self.bound += key.len() * ESCAPED + AROUND;
            self.value(&|| format!("{}.{key}", path()), value, depth + 1);
        }
    }

    /// Goes down as far as the limit of depth, so the stack is bounded whatever was sent.
    fn value(&mut self, path: &dyn Fn() -> String, value: &mut Value, depth: usize) {
        self.bound += AROUND;
        match value {
            Value::Array(_) | Value::Object(_) if depth >= self.limits.depth => {
                *value = Value::String("[Cut: too deep]".into());
                self.mark(path(), format!("kept {} levels", self.limits.depth));
            }
            Value::Array(list) => {
                for (i, item) in list.iter_mut().enumerate() {
                    self.value(&|| format!("{}.{i}", path()), item, depth + 1);
                }
            }
            Value::Object(map) => self.object(path, map, usize::MAX, depth),
            Value::String(text) => self.string(path, text),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}
