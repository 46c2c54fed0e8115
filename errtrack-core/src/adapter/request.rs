//! How a request that is being served is put on an event.

use super::{route, trace};
use crate::{Event, Routes, StatusClass, Timestamp};
use std::{net::IpAddr, time::Instant};

/// The headers that are always taken: harmless, and what one asks for first. In the order of [`header_position`].
pub static HEADERS: [&str; 8] =
    ["accept", "content-type", "host", "origin", "referer", "user-agent", "x-request-id", "traceparent"];

/// The place of a header, in small letters, among [`HEADERS`]. One pass over the names that are there is cheaper than
/// eight searches.
#[must_use]
pub fn header_position(name: &str) -> Option<usize> {
    Some(match name {
        "accept" => 0,
        "content-type" => 1,
        "host" => 2,
        "origin" => 3,
        "referer" => 4,
        "user-agent" => 5,
        "x-request-id" => 6,
        "traceparent" => 7,
        _ => return None,
    })
}

/// The parts of a request that is being served, lent to be put on an event.
///
/// # Example
/// ```
/// use errtrack_core::{Event, adapter::ServedRequest};
/// use std::time::Instant;
///
/// let mut event = Event::new();
/// let headers = [("host", &b"shop.example"[..])];
/// ServedRequest::new("GET", "/orders/7", Instant::now()).query(Some("page=2")).fill(&mut event, headers.into_iter());
/// assert_eq!(event.transaction.as_deref(), Some("GET /orders/{id}"));
/// assert_eq!(event.request.unwrap().url.as_deref(), Some("http://shop.example/orders/7"));
/// ```
#[derive(Debug, Clone, Copy)]
pub struct ServedRequest<'a> {
    method: &'a str,
    path: &'a str,
    started: Instant,
    query: Option<&'a str>,
    scheme: Option<&'a str>,
    authority: Option<&'a str>,
    route: Option<&'a str>,
    client: Option<IpAddr>,
    status: Option<u16>,
}

impl<'a> ServedRequest<'a> {
    /// Method, path as the client sent it, and when serving began.
    #[must_use]
    pub fn new(method: &'a str, path: &'a str, started: Instant) -> Self {
        Self {
            method,
            path,
            started,
            query: None,
            scheme: None,
            authority: None,
            route: None,
            client: None,
            status: None,
        }
    }

    /// The query, without the question mark.
    #[must_use]
    pub fn query(self, query: Option<&'a str>) -> Self {
        Self { query, ..self }
    }

    /// The scheme, where it is known; `http` unless set.
    #[must_use]
    pub fn scheme(self, scheme: Option<&'a str>) -> Self {
        Self { scheme, ..self }
    }

    /// The authority of the URI; the header `host` unless set.
    #[must_use]
    pub fn authority(self, authority: Option<&'a str>) -> Self {
        Self { authority, ..self }
    }

    /// The route's template as the router knows it; the path with numbers and ids replaced unless set.
    #[must_use]
    pub fn route(self, route: Option<&'a str>) -> Self {
        Self { route, ..self }
    }

    /// The client's address.
    #[must_use]
    pub fn client(self, client: Option<IpAddr>) -> Self {
        Self { client, ..self }
    }

    /// The status of the answer, once its head is there.
    #[must_use]
    pub fn status(self, status: Option<u16>) -> Self {
        Self { status, ..self }
    }

    /// Counts it, now that it has ended so.
    ///
    /// `is_routed` is whether there was a route for it, known by name or not: whoever tries out paths must not fill the list
    /// of routes. No allocation.
    pub fn count(&self, routes: &Routes, class: StatusClass, is_routed: bool) {
        let took = self.started.elapsed();
        let record = |route: &str| routes.record(counted(self.method), route, class, took);
        match self.route {
            Some(route) => record(route),
            None if is_routed => route::with_name(self.path, record),
            None => record(route::NONE),
        }
    }

    /// Puts it on an event, with these headers, whose names are in small letters. What the event says itself wins.
    #[expect(clippy::cast_precision_loss, reason = "no request lasts for 2^53 microseconds")]
    pub fn fill<'h>(&self, event: &mut Event, headers: impl Iterator<Item = (&'h str, &'h [u8])>) {
        if event.transaction.is_none() {
            event.transaction = Some(self.transaction());
        }
        let started = Timestamp::now().minus(self.started.elapsed());
        let lasted = event.timestamp.as_micros() - started.as_micros();
        let request = event.request.get_or_insert_default();
        let mut host = None;
        for (name, value) in headers {
            match (name, std::str::from_utf8(value)) {
                ("host", Ok(text)) => host = Some(text),
                ("traceparent", Ok(text)) => {
                    if let Some(trace) = trace::context(text) {
                        event.contexts.entry("trace").or_insert(trace);
                    }
                }
                _ => {}
            }
            let value = || String::from_utf8_lossy(value).into_owned();
            request.headers.entry(name.to_owned()).or_insert_with(value);
        }
        request.method.get_or_insert_with(|| self.method.to_owned());
        request.url.get_or_insert_with(|| self.url(host));
        if request.query_string.is_none() {
            request.query_string = self.query.map(str::to_owned);
        }
        if let Some(client) = self.client {
            request.env.entry("REMOTE_ADDR".into()).or_insert_with(|| client.to_string());
        }
        request.duration_ms.get_or_insert(lasted.max(0) as f64 / 1000.0);
        request.status = request.status.or(self.status);
    }

    fn transaction(&self) -> String {
        match self.route {
            Some(route) => format!("{} {route}", self.method),
            None => format!("{} {}", self.method, route::generalize(self.path)),
        }
    }

    fn url(&self, host: Option<&str>) -> String {
        match self.authority.or(host) {
            // A user and password in the authority are filtered with everything else.
            Some(host) => format!("{}://{host}{}", self.scheme.unwrap_or("http"), self.path),
            None => self.path.to_owned(),
        }
    }
}

/// The name of a method where it is counted by: of those that clients made up, one stands for all.
fn counted(method: &str) -> &str {
    match method {
        "GET" | "POST" | "PUT" | "DELETE" | "HEAD" | "OPTIONS" | "CONNECT" | "PATCH" | "TRACE" => method,
        _ => "(other)",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_header_has_its_place() {
        for (at, name) in HEADERS.iter().enumerate() {
            assert_eq!(header_position(name), Some(at));
        }
    }

    #[test]
    fn an_event_gets_route_url_query_headers_client_and_trace() {
        let mut event = Event::new();
        let headers: [(&str, &[u8]); 2] = [
            ("host", b"shop.example:8080"),
            ("traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
        ];
        ServedRequest::new("POST", "/orders/7", Instant::now())
            .query(Some("page=2"))
            .route(Some("/orders/{order}"))
            .scheme(Some("https"))
            .client("192.0.2.1".parse().ok())
            .fill(&mut event, headers.into_iter());
        assert_eq!(event.transaction.as_deref(), Some("POST /orders/{order}"));
        assert_eq!(event.contexts["trace"]["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
        let request = event.request.unwrap();
        assert_eq!(request.url.as_deref(), Some("https://shop.example:8080/orders/7"));
        assert_eq!(request.query_string.as_deref(), Some("page=2"));
        assert_eq!(request.method.as_deref(), Some("POST"));
        assert_eq!(request.env["REMOTE_ADDR"], "192.0.2.1");
        assert_eq!(request.headers.len(), 2);
        assert!(request.duration_ms.is_some());
    }

    #[test]
    fn what_the_event_says_itself_wins() {
        let mut event = Event::new();
        event.request = Some(crate::Request { status: Some(503), ..Default::default() });
        event.transaction = Some("nightly".into());
        ServedRequest::new("GET", "/a", Instant::now()).fill(&mut event, std::iter::empty());
        assert_eq!(event.request.unwrap().status, Some(503));
        assert_eq!(event.transaction.as_deref(), Some("nightly"));
    }

    #[test]
    fn what_clients_make_up_is_counted_under_one_name() {
        let routes = Routes::default();
        ServedRequest::new("GET", "/orders/7", Instant::now()).count(&routes, StatusClass::Success, true);
        ServedRequest::new("GET", "/wp-admin", Instant::now()).count(&routes, StatusClass::ClientError, false);
        ServedRequest::new("BREW", "/pot", Instant::now()).route(Some("/{any}")).count(
            &routes,
            StatusClass::Success,
            true,
        );
        let counted: Vec<_> = routes.snapshot().into_iter().map(|r| (r.method, r.route)).collect();
        let expected = [("GET", "(none)"), ("GET", "/orders/{id}"), ("(other)", "/{any}")];
        assert_eq!(counted, expected.map(|(method, route)| (method.to_owned(), route.to_owned())));
    }
}
