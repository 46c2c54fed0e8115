//! The mapping from `tracing` to events and breadcrumbs; pure.

use crate::note::Note;
use errtrack_core::{Breadcrumb, Event, Exception, Frame, Level, Map, Message, Stacktrace, Thread, Timestamp};
use serde_json::{Value, json};

/// The field that `tracing` gives a message.
const MESSAGE: &str = "message";
/// Fields that are errors by convention, where they come as text.
const ERRORS: [&str; 4] = ["error", "err", "cause", "e"];

pub(crate) fn level(level: tracing_core::Level) -> Level {
    match level {
        tracing_core::Level::ERROR => Level::Error,
        tracing_core::Level::WARN => Level::Warning,
        tracing_core::Level::INFO => Level::Info,
        _ => Level::Debug,
    }
}

/// Where a note comes from. Records of the `log` crate carry it as fields, as their callsite is the bridge's.
struct Origin {
    target: String,
    file: Option<String>,
    line: Option<u32>,
    module: Option<String>,
}

impl Origin {
    fn of(note: &Note, fields: &mut Map) -> Self {
        let metadata = note.metadata();
        let mut logged = |name| match fields.remove(name) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        };
        let target = logged("log.target");
        let (file, module) = (logged("log.file"), logged("log.module_path"));
        let line = fields.remove("log.line").and_then(|line| line.as_u64()?.try_into().ok());
        match target {
            Some(target) => Self { target, file, line, module },
            None => Self {
                target: metadata.target().to_owned(),
                file: metadata.file().map(str::to_owned),
                line: metadata.line(),
                module: metadata.module_path().map(str::to_owned),
            },
        }
    }

    fn frame(self) -> Frame {
        Frame { filename: self.file, lineno: self.line, module: self.module, ..Frame::default() }
    }
}

pub(crate) fn breadcrumb(note: &Note, at: Timestamp) -> Breadcrumb {
    let mut data = Map::new();
    note.add_to(&mut data);
    let origin = Origin::of(note, &mut data);
    let message = data.remove(MESSAGE).map(text);
    Breadcrumb {
        timestamp: Some(at),
        category: Some(origin.target),
        level: Some(level(*note.metadata().level())),
        message,
        data,
        ..Breadcrumb::default()
    }
}

/// The event of a note and, where one of the fields was an error, its exceptions.
pub(crate) fn event(note: &Note, mut exceptions: Vec<Exception>, spans: Option<Value>) -> Event {
    let mut event = Event::new();
    let mut fields = Map::new();
    for (name, value) in note.values() {
        match name.strip_prefix("tags.") {
            Some(tag) => event.tags.insert(tag.to_owned(), text(value)),
            None => fields.insert(name.to_owned(), value).map(text),
        };
    }
    let origin = Origin::of(note, &mut fields);
    event.level = level(*note.metadata().level());
    event.logger = Some(origin.target.clone());
    event.message = fields.remove(MESSAGE).map(|message| Message::new(text(message)));
    if event.message.is_none() && exceptions.is_empty() {
        event.message = Some(Message::new(stand_in(note, &fields)));
    }
    let stack = Stacktrace { frames: vec![origin.frame()] };
    match exceptions.last_mut() {
        Some(outermost) => outermost.stacktrace = Some(stack),
        None => event.threads.push(Thread { current: Some(true), stacktrace: Some(stack), ..Thread::default() }),
    }
    event.exceptions = exceptions;
    event.extra = fields;
    if let Some(spans) = spans {
        event.contexts.insert("tracing".into(), spans);
    }
    event
}

/// What an event without a message says: the text of its error, else the name of its callsite.
fn stand_in(note: &Note, fields: &Map) -> String {
    let error = ERRORS.iter().find_map(|name| fields.get(*name)?.as_str());
    error.unwrap_or_else(|| note.metadata().name()).to_owned()
}

/// The spans of an event, the outermost first: their names, and their fields, those of an inner span winning; and the paths
/// of those from which they follow.
pub(crate) fn spans<'a>(
    notes: impl Iterator<Item = (&'static str, Option<&'a Note>)>,
    followed: impl Iterator<Item = &'a String>,
) -> Option<Value> {
    let mut names: Vec<&str> = Vec::new();
    let mut fields = Map::new();
    for (name, note) in notes {
        names.push(name);
        if let Some(note) = note {
            note.add_to(&mut fields);
        }
    }
    let mut context = json!({ "spans": names, "fields": fields });
    let followed: Vec<_> = followed.collect();
    if let Some(context) = context.as_object_mut().filter(|_| !followed.is_empty()) {
        context.insert("follows_from".into(), json!(followed));
    }
    (!names.is_empty()).then_some(context)
}

fn text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::visit::Reporting;
    use std::{
        error::Error,
        io,
        sync::{Arc, Mutex},
    };
    use tracing_subscriber::{Layer, layer::Context, prelude::*, registry::Registry};

    type Seen = Arc<Mutex<Option<(Note, Vec<Exception>)>>>;
    struct Keeping(Seen);

    impl Layer<Registry> for Keeping {
        fn on_event(&self, event: &tracing_core::Event<'_>, _: Context<'_, Registry>) {
            let mut note = Note::new(event.metadata(), Timestamp::default());
            let mut visitor = Reporting::new(&mut note);
            event.record(&mut visitor);
            let exceptions = visitor.into_exceptions();
            *self.0.lock().unwrap() = Some((note, exceptions));
        }
    }

    fn reported(log: impl FnOnce()) -> (Note, Vec<Exception>) {
        let seen = Seen::default();
        tracing::subscriber::with_default(tracing_subscriber::registry().with(Keeping(seen.clone())), log);
        seen.lock().unwrap().take().unwrap()
    }

    pub(crate) fn noted(log: impl FnOnce()) -> Note {
        reported(log).0
    }

    pub(crate) fn fields_of(note: &Note) -> Map {
        let mut fields = Map::new();
        note.add_to(&mut fields);
        fields
    }

    #[test]
    fn an_error_field_becomes_exceptions_with_the_whole_chain() {
        let error = io::Error::other("x".parse::<i32>().unwrap_err());
        let (note, exceptions) =
            reported(|| tracing::error!(error = &error as &dyn Error, tags.plan = "pro", order = 7, "payment failed"));
        let event = event(&note, exceptions, None);
        assert_eq!(event.exceptions.len(), 1, "io::Error hides what it wraps behind its own source");
        assert_eq!(event.exceptions[0].value.as_deref(), Some("invalid digit found in string"));
        assert_eq!(event.message.unwrap().text, "payment failed");
        assert_eq!(event.tags["plan"], "pro");
        assert_eq!(Value::Object(event.extra), json!({ "order": 7 }));
        assert_eq!(event.logger.as_deref(), Some("errtrack_tracing::convert::tests"));
        let frame = event.exceptions[0].frames().last().unwrap();
        assert!(frame.filename.as_deref().unwrap().ends_with("convert.rs"));
        assert!(frame.lineno.is_some());
    }

    #[test]
    fn an_error_as_text_is_a_field_and_stands_in_for_a_missing_message() {
        let (note, exceptions) = reported(|| tracing::error!(error = %"no route", "payment failed"));
        let with_message = event(&note, exceptions, None);
        assert_eq!(with_message.title(), ("", "payment failed"));
        assert_eq!(with_message.extra["error"], "no route");
        let (note, exceptions) = reported(|| tracing::error!(error = %"no route"));
        assert_eq!(event(&note, exceptions, None).title(), ("", "no route"));
    }

    #[test]
    fn a_breadcrumb_has_target_level_message_and_fields() {
        let note = noted(|| tracing::warn!(target: "cache", key = "user:42", "miss"));
        let crumb = breadcrumb(&note, Timestamp::from_micros(1));
        assert_eq!((crumb.category.as_deref(), crumb.level), (Some("cache"), Some(Level::Warning)));
        assert_eq!(crumb.message.as_deref(), Some("miss"));
        assert_eq!(Value::Object(crumb.data), json!({ "key": "user:42" }));
    }

    #[test]
    fn a_record_of_the_log_crate_keeps_its_own_origin() {
        let note = noted(|| {
            let (target, file) = ("shop::mail", "src/mail.rs");
            tracing::error!(target: "log", { log.target = target, log.file = file, log.line = 9_u64 }, "down");
        });
        let event = event(&note, Vec::new(), None);
        assert_eq!(event.logger.as_deref(), Some("shop::mail"));
        assert!(event.extra.is_empty());
        let frame = event.threads[0].stacktrace.as_ref().unwrap().frames[0].clone();
        assert_eq!((frame.filename.as_deref(), frame.lineno), (Some("src/mail.rs"), Some(9)));
    }

    #[test]
    fn inner_spans_win_over_outer_ones() {
        let outer = noted(|| tracing::info!(order = 7, shop = "a"));
        let inner = noted(|| tracing::info!(order = 8));
        let spans = spans([("request", Some(&outer)), ("idle", None), ("pay", Some(&inner))].into_iter(), [].iter());
        let expected = json!({ "spans": ["request", "idle", "pay"], "fields": { "order": 8, "shop": "a" } });
        assert_eq!(spans, Some(expected));
    }
}
