//! The way through an event: every text in it, each with its key.

use super::{
    Rules, body,
    key::Label,
    path::Path,
    scan::{self, Found, Kind, is_filtered, replacement},
    token,
};
use crate::{Event, Frame, Map, Mark, Request};
use serde_json::Value;
use std::collections::BTreeMap;

/// The most marks that an event keeps.
const MARKS: usize = 200;
/// How deep values are followed; below it they are dropped. The limits cut far above.
const DEPTH: usize = 128;

/// Headers and variables that hold the client's address.
const ADDRESSES: [&str; 10] = [
    "x_forwarded_for",
    "x_real_ip",
    "forwarded",
    "cf_connecting_ip",
    "true_client_ip",
    "x_client_ip",
    "x_cluster_client_ip",
    "fly_client_ip",
    "remote_addr",
    "http_x_forwarded_for",
];

struct Walk<'r> {
    rules: &'r Rules,
    marks: Vec<Mark>,
}

/// Filters every part of an event.
pub(super) fn event(rules: &Rules, event: &mut Event) {
    let mut walk = Walk { rules, marks: std::mem::take(&mut event.filtered) };
    if let Some(message) = &mut event.message {
        let path = Path::root("message");
        walk.text(&path.name("text"), &mut message.text, Kind::Prose);
        walk.maybe(&path.name("template"), &mut message.template);
        walk.value(&path.name("params"), &mut message.params, None, 0);
    }
    for (i, exception) in event.exceptions.iter_mut().enumerate() {
        let list = Path::root("exceptions");
        let path = list.index(i);
        walk.maybe(&path.name("type"), &mut exception.ty);
        walk.maybe(&path.name("value"), &mut exception.value);
        if let Some(mechanism) = &mut exception.mechanism {
            walk.map(&path.name("mechanism"), &mut mechanism.data, None, 0);
        }
        let stack = exception.stacktrace.iter_mut().flat_map(|s| &mut s.frames);
        stack.enumerate().for_each(|(n, frame)| walk.frame(&path.name("frames").index(n), frame));
    }
    for (i, thread) in event.threads.iter_mut().enumerate() {
        let list = Path::root("threads");
        let path = list.index(i);
        let stack = thread.stacktrace.iter_mut().flat_map(|s| &mut s.frames);
        stack.enumerate().for_each(|(n, frame)| walk.frame(&path.name("frames").index(n), frame));
    }
    walk.maybe(&Path::root("stack_trace"), &mut event.stack_trace);
    walk.maybe(&Path::root("transaction"), &mut event.transaction);
    for (i, crumb) in event.breadcrumbs.iter_mut().enumerate() {
        let list = Path::root("breadcrumbs");
        let path = list.index(i);
        walk.maybe(&path.name("message"), &mut crumb.message);
        walk.map(&path.name("data"), &mut crumb.data, None, 0);
    }
    if let Some(request) = &mut event.request {
        walk.request(request);
    }
    if let Some(user) = &mut event.user {
        let path = Path::root("user");
        for (name, field) in [("id", &mut user.id), ("username", &mut user.username), ("email", &mut user.email)] {
            walk.maybe(&path.name(name), field);
        }
        walk.map(&path, &mut user.other, None, 0);
    }
    walk.strings(&Path::root("tags"), &mut event.tags);
    walk.map(&Path::root("contexts"), &mut event.contexts, None, 0);
    walk.map(&Path::root("extra"), &mut event.extra, None, 0);
    for (i, part) in event.fingerprint.iter_mut().enumerate() {
        walk.text(&Path::root("fingerprint").index(i), part, Kind::Prose);
    }
    event.filtered = walk.marks;
}

impl Walk<'_> {
    fn mark(&mut self, path: &Path<'_>, what: &Label) {
        if self.marks.len() < MARKS {
            self.marks.push(Mark { path: path.write(), what: what.to_string() });
        }
    }

    /// Looks into a text.
    fn text(&mut self, path: &Path<'_>, text: &mut String, kind: Kind) {
        if let Some(found) = scan::filter(text, self.rules, kind) {
            self.put(path, text, found);
        }
    }

    fn put(&mut self, path: &Path<'_>, text: &mut String, found: Found) {
        *text = found.text;
        found.what.iter().for_each(|what| self.mark(path, what));
    }

    fn maybe(&mut self, path: &Path<'_>, text: &mut Option<String>) {
        if let Some(text) = text {
            self.text(path, text, Kind::Prose);
        }
    }

    /// Filters a text whole.
    fn whole(&mut self, path: &Path<'_>, text: &mut String, label: Label) {
        if is_filtered(text) {
            return;
        }
        // What is no secret of that kind may hold one of another.
        if label.spares(text) {
            return self.text(path, text, Kind::Prose);
        }
        let label = token::scheme(text).map_or(label, Label::Known);
        *text = replacement(&label);
        self.mark(path, &label);
    }

    fn keyed(&mut self, path: &Path<'_>, key: &str, text: &mut String) {
        match self.rules.key(key) {
            Some(label) => self.whole(path, text, label),
            None => self.text(path, text, Kind::Prose),
        }
    }

    fn strings(&mut self, path: &Path<'_>, map: &mut BTreeMap<String, String>) {
        map.iter_mut().for_each(|(key, text)| self.keyed(&path.name(key), key, text));
    }

    fn map(&mut self, path: &Path<'_>, map: &mut Map, forced: Option<&Label>, depth: usize) {
        // `{"name": "password", "value": "…"}` has its key in a value.
        let named =
            ["name", "key"].iter().find_map(|name| map.get(*name)?.as_str()).and_then(|name| self.rules.key(name));
        for (key, value) in map {
            let own = if forced.is_none() { self.rules.key(key) } else { None };
            let label = forced.or(own.as_ref()).or_else(|| named.as_ref().filter(|_| key == "value"));
            self.value(&path.name(key), value, label, depth + 1);
        }
    }

    fn value(&mut self, path: &Path<'_>, value: &mut Value, forced: Option<&Label>, depth: usize) {
        if depth > DEPTH {
            *value = Value::String(replacement(&Label::Known("too deep")));
            return;
        }
        match value {
            Value::String(text) => match forced {
                Some(label) => self.whole(path, text, label.clone()),
                None => self.text(path, text, Kind::Prose),
            },
            Value::Number(number) => {
                let text = number.to_string();
                let card = || (text.len() >= 13 && !self.rules.off).then(|| super::card::at_start(&text)).flatten();
                let label = match forced {
                    Some(label) if !label.spares_numbers() && !label.spares(&text) => Some(label.clone()),
                    _ => card().filter(|length| *length == text.len()).map(|_| Label::Known("card number")),
                };
                if let Some(label) = label {
                    *value = Value::String(replacement(&label));
                    self.mark(path, &label);
                }
            }
            Value::Array(list) => {
                // `["password", "…"]` is a pair, as headers and cookies are sent by some clients.
                let pair = match list.as_slice() {
                    [Value::String(key), Value::String(_)] => self.rules.key(key),
                    _ => None,
                };
                for (i, item) in list.iter_mut().enumerate() {
                    let label = forced.or_else(|| pair.as_ref().filter(|_| i == 1));
                    self.value(&path.index(i), item, label, depth + 1);
                }
            }
            Value::Object(map) => self.map(path, map, forced, depth),
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn frame(&mut self, path: &Path<'_>, frame: &mut Frame) {
        let places = [
            ("filename", &mut frame.filename),
            ("abs_path", &mut frame.abs_path),
            ("source_link", &mut frame.source_link),
        ];
        for (name, place) in places {
            if let Some(text) = place.as_mut().filter(|text| text.contains(['?', '@'])) {
                self.text(&path.name(name), text, Kind::Prose);
            }
        }
        if let Some(line) = &mut frame.context_line {
            self.text(&path.name("context_line"), line, Kind::Code);
        }
        for (name, lines) in [("pre_context", &mut frame.pre_context), ("post_context", &mut frame.post_context)] {
            lines.iter_mut().enumerate().for_each(|(i, line)| self.text(&path.name(name).index(i), line, Kind::Code));
        }
        self.map(&path.name("vars"), &mut frame.vars, None, 0);
    }

    fn request(&mut self, request: &mut Request) {
        let path = Path::root("request");
        self.maybe(&path.name("url"), &mut request.url);
        if let Some(query) = &mut request.query_string {
            self.form(&path.name("query_string"), query);
        }
        self.addressed(&path.name("headers"), &mut request.headers);
        self.addressed(&path.name("env"), &mut request.env);
        self.cookies(&path.name("cookies"), &mut request.cookies);
        match &mut request.data {
            Some(Value::String(text)) => self.body(&path.name("data"), text),
            Some(value) => self.value(&path.name("data"), value, None, 0),
            None => {}
        }
    }

    fn form(&mut self, path: &Path<'_>, text: &mut String) {
        if let Some(found) = body::form(text, self.rules) {
            self.put(path, text, found);
        }
    }

    /// A body as text: JSON and forms are read as such.
    fn body(&mut self, path: &Path<'_>, text: &mut String) {
        if body::is_json(text)
            && let Ok(mut value) = serde_json::from_str::<Value>(text)
        {
            let before = value.clone();
            self.value(path, &mut value, None, 0);
            if value != before {
                *text = value.to_string();
            }
        } else if body::is_form(text) {
            self.form(path, text);
            // What was filtered is written as no form is: the rest may be more than its parts.
            if !body::is_form(text) {
                self.text(path, text, Kind::Prose);
            }
        } else {
            self.text(path, text, Kind::Prose);
        }
    }

    /// Headers or variables of a request, in which the client's address stands too.
    fn addressed(&mut self, path: &Path<'_>, map: &mut BTreeMap<String, String>) {
        let hides_addresses = !self.rules.keeps_personal && !self.rules.off;
        for (key, text) in map {
            let path = path.name(key);
            if hides_addresses && ADDRESSES.contains(&super::key::normalize(key).as_str()) {
                self.whole(&path, text, Label::Known("ip address"));
            } else if self.rules.keeps_personal && key.eq_ignore_ascii_case("cookie") {
                self.cookie_header(&path, text);
            } else {
                self.keyed(&path, key, text);
            }
        }
    }

    /// `a=1; session=x`, cookie by cookie.
    fn cookie_header(&mut self, path: &Path<'_>, text: &mut String) {
        if let Some(found) = body::cookies(text, self.rules) {
            self.put(path, text, found);
        }
    }

    fn cookies(&mut self, path: &Path<'_>, cookies: &mut Value) {
        let hides = !self.rules.keeps_personal && !self.rules.off;
        let label = Label::Known("cookie");
        match cookies {
            // Pairs and maps keep the names of their cookies.
            Value::Array(list) if hides => {
                for (i, item) in list.iter_mut().enumerate() {
                    let path = path.index(i);
                    match item {
                        Value::Array(pair) if pair.len() == 2 => {
                            if let Some(value) = pair.last_mut() {
                                self.value(&path, value, Some(&label), 0);
                            }
                        }
                        other => self.value(&path, other, Some(&label), 0),
                    }
                }
            }
            Value::String(text) if !hides => self.cookie_header(path, text),
            _ => self.value(path, cookies, hides.then_some(&label), 0),
        }
    }
}
