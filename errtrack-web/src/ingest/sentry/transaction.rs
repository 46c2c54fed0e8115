//! Transactions: what an SDK says of a request that its program has served. Of each is counted how it ended and how long it
//! took, under its route; nothing else is kept.
//!
//! They come as items of their own (an event of type `transaction`), or as the first span of each process in an item of spans,
//! which newer SDKs send instead.

use super::lenient::{Notes, object, read};
use errtrack_core::{StatusClass, Timestamp};
use serde_json::Value;
use std::time::Duration;

/// What serves requests is called so; the other operations are no requests of this program.
const SERVER: &str = "http.server";
/// The longest that a request is believed to take.
const LONGEST: Duration = Duration::from_secs(24 * 3_600);
/// Transactions of one item that are counted.
const MOST: usize = 1_000;

/// A request that was served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Served {
    pub(super) method: String,
    pub(super) route: String,
    pub(super) class: StatusClass,
    pub(super) took: Duration,
}

/// A transaction as it stands in a payload.
#[derive(Debug, Default)]
struct Payload {
    name: Option<String>,
    start: Option<Timestamp>,
    end: Option<Timestamp>,
    contexts: Option<Contexts>,
    request: Option<Request>,
}

object!(Payload {
    "transaction" => name,
    "start_timestamp" => start,
    "timestamp" => end,
    "contexts" => contexts,
    "request" => request,
});

#[derive(Debug, Default)]
struct Contexts {
    trace: Option<Trace>,
    response: Option<Response>,
}

object!(Contexts {
    "trace" => trace,
    "response" => response,
});

#[derive(Debug, Default)]
struct Trace {
    op: Option<String>,
    status: Option<String>,
    data: Option<Data>,
}

object!(Trace {
    "op" => op,
    "status" => status,
    "data" => data,
});

#[derive(Debug, Default)]
struct Data {
    status: Option<u32>,
    method: Option<String>,
}

object!(Data {
    "http.response.status_code" | "http.status_code" => status,
    "http.request.method" | "http.method" | "method" => method,
});

#[derive(Debug, Default)]
struct Response {
    status: Option<u32>,
}

object!(Response {
    "status_code" => status,
});

#[derive(Debug, Default)]
struct Request {
    method: Option<String>,
}

object!(Request {
    "method" => method,
});

/// Spans as they stand in a payload.
#[derive(Debug, Default)]
struct Spans {
    items: Vec<Span>,
}

object!(Spans {
    "items" => items,
});

#[derive(Debug, Default)]
struct Span {
    name: Option<String>,
    status: Option<String>,
    is_first: Option<bool>,
    start: Option<Timestamp>,
    end: Option<Timestamp>,
    attributes: Option<Attributes>,
}

object!(Span {
    "name" => name,
    "status" => status,
    "is_segment" => is_first,
    "start_timestamp" => start,
    "end_timestamp" => end,
    "attributes" => attributes,
});

#[derive(Debug, Default)]
struct Attributes {
    op: Option<Attribute>,
    status: Option<Attribute>,
    method: Option<Attribute>,
}

object!(Attributes {
    "sentry.op" => op,
    "http.response.status_code" | "http.status_code" => status,
    "http.request.method" | "http.method" => method,
});

/// A value beside its kind.
#[derive(Debug, Default)]
struct Attribute {
    value: Option<Value>,
}

object!(Attribute {
    "value" => value,
});

impl Attribute {
    fn text(this: Option<&Self>) -> Option<&str> {
        this?.value.as_ref()?.as_str()
    }

    fn status(this: Option<&Self>) -> Option<u32> {
        let value = this?.value.as_ref()?;
        value.as_u64().and_then(|status| status.try_into().ok()).or_else(|| value.as_str()?.parse().ok())
    }
}

/// The request of a transaction; `None` if it was none, or cannot be read.
pub(super) fn of_transaction(payload: &[u8]) -> Option<Served> {
    let Payload { name, start, end, contexts, request } = read(payload, &Notes::default()).ok()??;
    let Contexts { trace, response } = contexts?;
    let Trace { op, status, data } = trace?;
    let data = data.unwrap_or_default();
    if op.as_deref() != Some(SERVER) {
        return None;
    }
    let code = response.and_then(|response| response.status).or(data.status);
    let method = request.and_then(|request| request.method).or(data.method);
    Some(served(&name?, method.as_deref(), class(code, status.as_deref()), start?, end?))
}

/// The requests of an item of spans.
pub(super) fn of_spans(payload: &[u8]) -> Vec<Served> {
    let spans: Option<Spans> = read(payload, &Notes::default()).ok().flatten();
    let items = spans.map(|spans| spans.items).unwrap_or_default();
    items.into_iter().filter(|span| span.is_first == Some(true)).filter_map(of_span).take(MOST).collect()
}

fn of_span(span: Span) -> Option<Served> {
    let Attributes { op, status, method } = span.attributes?;
    if Attribute::text(op.as_ref()) != Some(SERVER) {
        return None;
    }
    let class = class(Attribute::status(status.as_ref()), span.status.as_deref());
    Some(served(&span.name?, Attribute::text(method.as_ref()), class, span.start?, span.end?))
}

fn served(name: &str, method: Option<&str>, class: StatusClass, start: Timestamp, end: Timestamp) -> Served {
    let micros = end.as_micros().saturating_sub(start.as_micros());
    let took = Duration::from_micros(u64::try_from(micros).unwrap_or_default()).min(LONGEST);
    let is_method = |word: &str| (1..=20).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_uppercase());
    let (named, route) = match name.trim().split_once(' ') {
        Some((word, rest)) if is_method(word) => (Some(word), rest.trim()),
        _ => (None, name.trim()),
    };
    let given = method.map(str::to_ascii_uppercase).filter(|method| is_method(method));
    let method = given.unwrap_or_else(|| named.unwrap_or("-").to_owned());
    Served { method, route: without_ids(route), class, took }
}

/// How it ended: by the status of HTTP, else by what the SDK calls it.
fn class(code: Option<u32>, status: Option<&str>) -> StatusClass {
    match (code, status) {
        (Some(code @ 100..600), _) => StatusClass::of(u16::try_from(code).unwrap_or_default()),
        (_, Some("cancelled")) => StatusClass::Dropped,
        (
            _,
            Some(
                "invalid_argument"
                | "not_found"
                | "already_exists"
                | "permission_denied"
                | "unauthenticated"
                | "resource_exhausted"
                | "failed_precondition"
                | "out_of_range",
            ),
        ) => StatusClass::ClientError,
        // A handler that panics is aborted.
        (
            _,
            Some(
                "error" | "aborted" | "internal_error" | "unknown_error" | "unknown" | "unavailable" | "unimplemented"
                | "deadline_exceeded" | "data_loss",
            ),
        ) => StatusClass::ServerError,
        _ => StatusClass::Success,
    }
}

/// A route whose names stand for themselves: some SDKs know no templates and send paths, of which there are too many.
fn without_ids(route: &str) -> String {
    let route = route.split(['?', '#']).next().unwrap_or_default();
    let is_id = |part: &str| {
        let is_number = part.bytes().all(|b| b.is_ascii_digit());
        let is_hash = part.len() >= 16 && part.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
        !part.is_empty() && (is_number || is_hash)
    };
    let parts = route.split('/').map(|part| if is_id(part) { "{id}" } else { part });
    let route = parts.collect::<Vec<_>>().join("/");
    if route.is_empty() { "/".to_owned() } else { route }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn transaction(change: &Value) -> Option<Served> {
        let mut payload = json!({
            "type": "transaction", "transaction": "GET /orders/{id}", "start_timestamp": 1_000.25, "timestamp": 1_000.75,
            "contexts": {"trace": {"op": "http.server", "status": "ok"}}, "spans": [{"op": "db", "data": {}}],
        });
        for (name, value) in change.as_object().unwrap() {
            payload[name] = value.clone();
        }
        of_transaction(payload.to_string().as_bytes())
    }

    #[test]
    fn a_request_is_counted_under_its_method_and_route() {
        let half = Duration::from_millis(500);
        let served = transaction(&json!({})).unwrap();
        let expected =
            Served { method: "GET".into(), route: "/orders/{id}".into(), class: StatusClass::Success, took: half };
        assert_eq!(served, expected);
        for (change, method, route) in [
            (json!({"transaction": "/orders/42?a=b", "request": {"method": "post"}}), "POST", "/orders/{id}"),
            (json!({"transaction": "GET /u/123e4567-e89b-12d3-a456-426614174000/x"}), "GET", "/u/{id}/x"),
            (json!({"transaction": "shop.views.buy"}), "-", "shop.views.buy"),
            (json!({"transaction": "Buy it"}), "-", "Buy it"),
            (json!({"transaction": ""}), "-", "/"),
            (json!({"transaction": "GET /v1/deadbeef"}), "GET", "/v1/deadbeef"),
        ] {
            let served = transaction(&change).unwrap();
            assert_eq!((&*served.method, &*served.route), (method, route), "{change}");
        }
    }

    #[test]
    fn how_it_ended_and_how_long_it_took_is_what_is_said_of_it() {
        let trace = |more: Value| {
            let mut trace = json!({"op": "http.server"});
            for (name, value) in more.as_object().unwrap() {
                trace[name] = value.clone();
            }
            json!({"contexts": {"trace": trace}})
        };
        for (change, class) in [
            (trace(json!({"status": "internal_error"})), StatusClass::ServerError),
            (trace(json!({"status": "aborted"})), StatusClass::ServerError),
            (trace(json!({"status": "not_found"})), StatusClass::ClientError),
            (trace(json!({"status": "cancelled"})), StatusClass::Dropped),
            (trace(json!({})), StatusClass::Success),
            (trace(json!({"status": "ok", "data": {"http.response.status_code": 503}})), StatusClass::ServerError),
            (trace(json!({"data": {"http.status_code": "404"}})), StatusClass::ClientError),
            (trace(json!({"data": {"http.response.status_code": 70_000}})), StatusClass::Success),
        ] {
            assert_eq!(transaction(&change).unwrap().class, class, "{change}");
        }
        let took =
            |start: Value, end: Value| transaction(&json!({"start_timestamp": start, "timestamp": end})).unwrap().took;
        assert_eq!(took(json!("2026-11-20T23:51:10.205Z"), json!("2026-11-20T23:51:10.455Z")).as_millis(), 250);
        assert_eq!(took(json!(2_000), json!(1_000)), Duration::ZERO);
        assert_eq!(took(json!(0), json!(4_000_000_000_u64)), LONGEST);
    }

    #[test]
    fn what_is_no_request_is_left_alone() {
        for change in [
            json!({"contexts": {"trace": {"op": "pageload"}}}),
            json!({"contexts": {"trace": {}}}),
            json!({"contexts": null}),
            json!({"transaction": null}),
            json!({"start_timestamp": "soon"}),
        ] {
            assert_eq!(transaction(&change), None, "{change}");
        }
        for payload in ["", "[]", "{", "null", "\u{0}"] {
            assert_eq!((of_transaction(payload.as_bytes()), of_spans(payload.as_bytes()).len()), (None, 0));
        }
    }

    #[test]
    fn of_spans_the_first_of_each_request_counts() {
        let span = |is_segment: bool, op: &str| {
            let attributes = json!({
                "sentry.op": {"value": op, "type": "string"},
                "http.request.method": {"value": "POST", "type": "string"},
                "http.response.status_code": {"value": 500, "type": "integer"},
            });
            json!({"name": "POST /orders/:id", "status": "error", "is_segment": is_segment, "start_timestamp": 1.0,
                "end_timestamp": 1.5, "attributes": attributes})
        };
        let items = json!({"version": 2, "items": [
            span(true, "http.server"), span(false, "http.server"), span(true, "http.client"), 7, null,
        ]});
        let served = of_spans(items.to_string().as_bytes());
        assert_eq!(served.len(), 1);
        assert_eq!(
            (&*served[0].method, &*served[0].route, served[0].class),
            ("POST", "/orders/:id", StatusClass::ServerError)
        );
    }
}
