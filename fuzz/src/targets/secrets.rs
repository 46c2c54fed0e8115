//! The sanitizer, with the same text in every part of an event.

use super::text;
use crate::Target;
use errtrack_core::{
    Breadcrumb, Event, Exception, Frame, Message, Request, Stacktrace, User,
    sanitize::{InvalidPattern, Sanitizer},
};
use serde_json::{Map, json};
use std::sync::LazyLock;

pub(crate) const TARGET: Target = Target {
    name: "secrets",
    run,
    seeds: |material| material.secrets.iter().chain(&material.prose).map(|text| text.clone().into_bytes()).collect(),
};

fn run(data: &[u8]) {
    let text = text(data);
    let event = everywhere(&text);
    for sanitizer in SANITIZERS.iter() {
        let mut once = event.clone();
        sanitizer.sanitize(&mut once);
        let mut twice = once.clone();
        sanitizer.sanitize(&mut twice);
        assert_eq!(twice, once, "sanitizing twice changes nothing");
    }
    let mut off = event.clone();
    Sanitizer::off().sanitize(&mut off);
    assert_eq!(off, event);
}

/// As it is, with personal data, and with rules of one's own.
static SANITIZERS: LazyLock<[Sanitizer; 3]> = LazyLock::new(|| {
    let own = own().unwrap_or_else(|error| panic!("{error}"));
    [Sanitizer::default(), Sanitizer::default().send_default_pii(true), own]
});

fn own() -> Result<Sanitizer, InvalidPattern> {
    Sanitizer::default().key("favourite_colour").allow_key("session").pattern(r"ACME-\d{6}")
}

fn everywhere(text: &str) -> Event {
    // A key and a value, if it can be taken apart.
    let (key, value) = text.split_once(['=', ':', '\n']).unwrap_or(("note", text));
    let map = Map::from_iter([
        (key.to_owned(), json!(value)),
        ("name".to_owned(), json!(key)),
        ("value".into(), json!(value)),
    ]);
    let strings = || [(key.to_owned(), value.to_owned()), ("Cookie".into(), text.to_owned())].into();
    let mut event =
        Event { message: Some(Message::new(text)), extra: map.clone(), tags: strings(), ..Event::default() };
    let mut frame = Frame { context_line: Some(text.to_owned()), filename: Some(text.to_owned()), ..Frame::default() };
    frame.vars.clone_from(&map);
    event
        .exceptions
        .push(Exception { stacktrace: Some(Stacktrace { frames: vec![frame] }), ..Exception::new("E", value) });
    event.breadcrumbs.push(Breadcrumb::new(value).data(key, value));
    event.contexts.insert("deep".into(), json!([[key, value], { "list": [value, 4_111_111_111_111_111_u64] }]));
    event.request = Some(Request {
        url: Some(text.to_owned()),
        query_string: Some(text.to_owned()),
        headers: strings(),
        cookies: json!(text),
        data: Some(json!(text)),
        ..Request::default()
    });
    event.user = Some(User::id(value));
    event.fingerprint.push(text.to_owned());
    event
}
