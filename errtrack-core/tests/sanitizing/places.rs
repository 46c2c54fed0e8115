//! Where in an event a text can stand.

use errtrack_core::{Breadcrumb, Event, Exception, Frame, Message, Request, Stacktrace};
use serde_json::{Value, json};

/// A part of an event, and how something gets there.
pub(crate) struct Place {
    pub(crate) name: &'static str,
    /// The event with a text, under its key if it needs one; `None` where such a text cannot stand.
    pub(crate) put: fn(key: Option<&str>, text: &str) -> Option<Event>,
}

impl Place {
    /// Whether sentences stand there as they are.
    pub(crate) fn takes_prose(&self) -> bool {
        !["header", "query", "form", "url", "cookie", "source line"].contains(&self.name)
    }
}

pub(crate) const PLACES: &[Place] = &[
    Place {
        name: "message",
        put: |key, text| Some(Event { message: Some(Message::new(prose(key, text))), ..Event::default() }),
    },
    Place { name: "exception", put: |key, text| Some(with_exception(&quoted(key, text), Frame::default())) },
    Place {
        name: "text of JSON",
        put: |key, text| Some(with_exception(&format!("got {}", object(key, text)), Frame::default())),
    },
    Place {
        name: "stack text",
        put: |key, text| {
            Some(Event {
                stack_trace: Some(format!("Error: {}\n    at pay (app.js:3:7)", prose(key, text))),
                ..Event::default()
            })
        },
    },
    Place {
        name: "breadcrumb",
        put: |key, text| Some(Event { breadcrumbs: vec![Breadcrumb::new(prose(key, text))], ..Event::default() }),
    },
    Place {
        name: "breadcrumb data",
        put: |key, text| {
            let mut crumb = Breadcrumb::new("called");
            crumb.data = map(key, text);
            Some(Event { breadcrumbs: vec![crumb], ..Event::default() })
        },
    },
    Place {
        name: "variable",
        put: |key, text| Some(with_exception("x", Frame { vars: map(key, text), ..Frame::default() })),
    },
    Place {
        name: "source line",
        put: |key, text| {
            if text.contains('\n') {
                return None;
            }
            let line = match key {
                Some(key) => format!("    client.set({key:?}, {text:?});"),
                None => format!("    let given = {text:?};"),
            };
            Some(with_exception("x", Frame { context_line: Some(line), ..Frame::default() }))
        },
    },
    Place {
        name: "tag",
        put: |key, text| {
            let mut event = Event::default();
            event.tags.insert(key.unwrap_or("note").to_owned(), text.to_owned());
            Some(event)
        },
    },
    Place {
        name: "extra",
        put: |key, text| {
            let mut event = Event::default();
            event.extra.insert("request".into(), json!({ "inner": [map(key, text)] }));
            Some(event)
        },
    },
    Place {
        name: "context",
        put: |key, text| {
            let mut event = Event::default();
            event.contexts.insert("app".into(), Value::Object(map(key, text)));
            Some(event)
        },
    },
    Place {
        name: "header",
        put: |key, text| {
            let key = key.unwrap_or("X-Note");
            (!text.contains('\n') && !key.contains('[')).then(|| {
                with_request(|request| {
                    request.headers.insert(key.to_owned(), text.to_owned());
                })
            })
        },
    },
    Place {
        name: "environment",
        put: |key, text| {
            Some(with_request(|request| {
                request.env.insert(key.unwrap_or("NOTE").to_owned(), text.to_owned());
            }))
        },
    },
    Place {
        name: "query",
        put: |key, text| {
            plain(text).then(|| {
                with_request(|request| {
                    request.query_string = Some(format!("page=2&{}={text}&sort=asc", key.unwrap_or("q")));
                })
            })
        },
    },
    Place {
        name: "url",
        put: |key, text| {
            plain(text).then(|| {
                with_request(|request| {
                    request.url = Some(format!("https://shop.example.com/pay?{}={text}", key.unwrap_or("q")));
                })
            })
        },
    },
    Place {
        name: "form",
        put: |key, text| {
            plain(text).then(|| {
                with_request(|request| {
                    request.data = Some(format!("amount=5&{}={text}", key.unwrap_or("note")).into());
                })
            })
        },
    },
    Place {
        name: "JSON body",
        put: |key, text| {
            Some(with_request(|request| request.data = Some(json!({ "amount": 5, "with": map(key, text) }))))
        },
    },
    Place {
        name: "JSON body as text",
        put: |key, text| {
            Some(with_request(|request| {
                request.data = Some(json!({ "amount": 5, "with": map(key, text) }).to_string().into());
            }))
        },
    },
    Place {
        name: "cookie",
        put: |key, text| {
            plain(text).then(|| {
                with_request(|request| {
                    request.headers.insert("Cookie".into(), format!("theme=dark; {}={text}", key.unwrap_or("sid")));
                })
            })
        },
    },
];

/// Whether a text stands in a URL as it is.
fn plain(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~!*$+:@".contains(&b)) && !text.contains("://")
}

fn prose(key: Option<&str>, text: &str) -> String {
    match key {
        Some(key) => format!("could not connect with {key}={text}"),
        None => format!("could not connect with {text}"),
    }
}

fn quoted(key: Option<&str>, text: &str) -> String {
    match key {
        Some(key) => format!("bad request: {key}: {text:?}, retry"),
        None => format!("bad request: {text:?}, retry"),
    }
}

fn object(key: Option<&str>, text: &str) -> String {
    json!({ key.unwrap_or("value"): text, "n": 1 }).to_string()
}

fn map(key: Option<&str>, text: &str) -> serde_json::Map<String, Value> {
    serde_json::Map::from_iter([(key.unwrap_or("value").to_owned(), text.into())])
}

fn with_exception(value: &str, frame: Frame) -> Event {
    let mut exception = Exception::new("Error", value);
    exception.stacktrace = Some(Stacktrace { frames: vec![frame] });
    Event { exceptions: vec![exception], ..Event::default() }
}

fn with_request(fill: impl FnOnce(&mut Request)) -> Event {
    let mut request = Request::default();
    fill(&mut request);
    Event { request: Some(request), ..Event::default() }
}
