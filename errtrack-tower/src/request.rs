//! What is kept of a request while it is served, and how it is put on an event.
//!
//! The parts are kept as they are, by counting references, inside the one allocation of the scope; they are turned into
//! text on the tracker's thread, and only if something is captured.

mod kept;
mod notes;

pub use kept::RequestBody;

use crate::{client, grpc, layer::Config, route, trace};
use errtrack_core::{Event, RequestSource, Routes, ScopeHandle, StatusClass, Timestamp};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri, header};
use kept::Kept;
use notes::{Note, Notes};
use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering::Relaxed},
    },
    time::Instant,
};

/// The headers that are always taken: harmless, and what one asks for first. In the order of [`position`].
static HEADERS: [HeaderName; 8] = [
    header::ACCEPT,
    header::CONTENT_TYPE,
    header::HOST,
    header::ORIGIN,
    header::REFERER,
    header::USER_AGENT,
    HeaderName::from_static("x-request-id"),
    HeaderName::from_static("traceparent"),
];
const CONTENT_TYPE: usize = 1;
const HOST: usize = 2;
const TRACEPARENT: usize = 7;

/// A request that is being served.
pub(crate) struct Served {
    started: Instant,
    method: Method,
    uri: Uri,
    headers: [Option<HeaderValue>; 8],
    /// Those that the host asked for beyond that.
    further: Option<(Arc<Config>, Vec<Option<HeaderValue>>)>,
    #[cfg(feature = "axum")]
    matched: Option<axum::extract::MatchedPath>,
    client: Option<IpAddr>,
    kept: Option<Box<Kept>>,
    routes: Routes,
    /// The status of the answer; 0 as long as there is none.
    status: AtomicU16,
    notes: Notes,
}

impl Served {
    pub(crate) fn read<B>(request: &Request<B>, config: Option<&Arc<Config>>, routes: &Routes) -> Self {
        let further = config.filter(|config| !config.headers.is_empty()).map(|config| {
            let values = config.headers.iter().map(|name| harmless(request.headers().get(name)?)).collect();
            (config.clone(), values)
        });
        let mut served = Self {
            started: Instant::now(),
            method: request.method().clone(),
            uri: uri(request).clone(),
            headers: [const { None }; 8],
            further,
            #[cfg(feature = "axum")]
            matched: request.extensions().get().cloned(),
            client: client::of(request, config.and_then(|config| config.proxies.as_ref())),
            kept: config.and_then(|config| Kept::new(request.headers(), config.bodies)),
            routes: routes.clone(),
            status: AtomicU16::new(0),
            notes: Notes::default(),
        };
        pick(request.headers(), &mut served.headers);
        // The layer that stands furthest in knows the route best, so it is the one that counts.
        served.with_outer(|outer| {
            outer.notes.take(Note::Reported);
            outer.notes.put(Note::CountedInside);
        });
        served
    }

    /// Whether it is a call of gRPC.
    pub(crate) fn is_grpc(&self) -> bool {
        grpc::is_call(self.headers.get(CONTENT_TYPE).and_then(Option::as_ref))
    }

    /// Notes that the answer's head is there, and counts the request.
    pub(crate) fn answered(&self, status: StatusCode, class: StatusClass, is_routed: bool) {
        self.status.store(status.as_u16(), Relaxed);
        self.count(class, is_routed);
    }

    /// Counts the request, unless a layer further in does.
    pub(crate) fn count(&self, class: StatusClass, is_routed: bool) {
        if self.notes.has(Note::CountedInside) {
            return;
        }
        let took = self.started.elapsed();
        let record = |route: &str| self.routes.record(method(&self.method), route, class, took);
        match self.template() {
            Some(template) => record(template),
            None if is_routed => route::with_name(self.uri.path(), record),
            // Whoever tries out paths must not fill the list of routes.
            None => record(route::NONE),
        }
    }

    /// Whether a layer further in has reported the error that is being passed out; asking takes it.
    pub(crate) fn take_reported(&self) -> bool {
        self.notes.take(Note::Reported)
    }

    /// Whether the client broke off while it sent the body, as far as somebody looked.
    pub(crate) fn is_broken_off(&self) -> bool {
        self.notes.has(Note::BrokenOff)
    }

    /// Tells a layer further out, in whose scope we are polled, that the error which it will see is reported.
    pub(crate) fn tell_outer(&self) {
        self.with_outer(|outer| outer.notes.put(Note::Reported));
    }

    /// Calls `f` with the same request as a layer further out keeps it. One that a handler makes on its own is another.
    fn with_outer(&self, f: impl FnOnce(&Self)) {
        ScopeHandle::with_current(|scope| {
            if let Some(outer) = scope.request::<Self>()
                && std::ptr::eq(outer.uri.path(), self.uri.path())
                && outer.method == self.method
            {
                f(outer);
            }
        });
    }

    fn template(&self) -> Option<&str> {
        #[cfg(feature = "axum")]
        if let Some(matched) = &self.matched {
            return Some(matched.as_str());
        }
        None
    }

    fn route(&self) -> String {
        match self.template() {
            Some(template) => format!("{} {template}", self.method),
            None => format!("{} {}", self.method, route::generalize(self.uri.path())),
        }
    }

    fn url(&self) -> String {
        let host = self.uri.authority().map(http::uri::Authority::as_str);
        let host = host.or_else(|| self.headers.get(HOST)?.as_ref()?.to_str().ok());
        match host {
            // A user and password in the authority are filtered with everything else.
            Some(host) => format!("{}://{host}{}", self.uri.scheme_str().unwrap_or("http"), self.uri.path()),
            None => self.uri.path().to_owned(),
        }
    }

    fn headers(&self) -> impl Iterator<Item = (&HeaderName, &HeaderValue)> {
        let further = self.further.iter().flat_map(|(config, values)| config.headers.iter().zip(values));
        HEADERS.iter().zip(&self.headers).chain(further).filter_map(|(name, value)| Some((name, value.as_ref()?)))
    }
}

impl RequestSource for Served {
    #[expect(clippy::cast_precision_loss, reason = "no request lasts for 2^53 microseconds")]
    fn fill(&self, event: &mut Event) {
        if event.transaction.is_none() {
            event.transaction = Some(self.route());
        }
        if let Some(trace) = self.headers.get(TRACEPARENT).and_then(|v| trace::context(v.as_ref()?.to_str().ok()?)) {
            event.contexts.entry("trace").or_insert(trace);
        }
        let started = Timestamp::now().minus(self.started.elapsed());
        let lasted = event.timestamp.as_micros() - started.as_micros();
        let request = event.request.get_or_insert_default();
        request.method.get_or_insert_with(|| self.method.to_string());
        request.url.get_or_insert_with(|| self.url());
        if request.query_string.is_none() {
            request.query_string = self.uri.query().map(str::to_owned);
        }
        for (name, value) in self.headers() {
            let value = || String::from_utf8_lossy(value.as_bytes()).into_owned();
            request.headers.entry(name.as_str().to_owned()).or_insert_with(value);
        }
        if let Some(client) = self.client {
            request.env.entry("REMOTE_ADDR".into()).or_insert_with(|| client.to_string());
        }
        request.duration_ms.get_or_insert(lasted.max(0) as f64 / 1000.0);
        if request.status.is_none() {
            request.status = Some(self.status.load(Relaxed)).filter(|status| *status != 0);
        }
        if let Some(kept) = &self.kept {
            kept.fill(event);
        }
    }

    fn size(&self) -> usize {
        self.kept.as_ref().map_or(0, |kept| kept.size())
    }
}

/// The name of a method where it is counted by: of those that clients made up, one stands for all.
fn method(method: &Method) -> &str {
    match *method {
        Method::GET
        | Method::POST
        | Method::PUT
        | Method::DELETE
        | Method::HEAD
        | Method::OPTIONS
        | Method::CONNECT
        | Method::PATCH
        | Method::TRACE => method.as_str(),
        _ => "(other)",
    }
}

/// The URI as the client sent it: a nested axum router sees only what is below its own prefix.
fn uri<B>(request: &Request<B>) -> &Uri {
    #[cfg(feature = "axum")]
    if let Some(axum::extract::OriginalUri(uri)) = request.extensions().get() {
        return uri;
    }
    request.uri()
}

fn pick(headers: &HeaderMap, picked: &mut [Option<HeaderValue>; 8]) {
    for (name, value) in headers {
        if let Some(slot) = position(name.as_str()).and_then(|at| picked.get_mut(at))
            && slot.is_none()
        {
            *slot = harmless(value);
        }
    }
}

/// The place of a header among [`HEADERS`]. One pass over the names that are there is cheaper than eight searches.
fn position(name: &str) -> Option<usize> {
    Some(match name {
        "accept" => 0,
        "content-type" => 1,
        "host" => HOST,
        "origin" => 3,
        "referer" => 4,
        "user-agent" => 5,
        "x-request-id" => 6,
        "traceparent" => TRACEPARENT,
        _ => return None,
    })
}

fn harmless(value: &HeaderValue) -> Option<HeaderValue> {
    (!value.is_sensitive()).then(|| value.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(request: &Request<()>, config: Option<Config>) -> Event {
        let mut event = Event::new();
        Served::read(request, config.map(Arc::new).as_ref(), &Routes::default()).fill(&mut event);
        event
    }

    #[test]
    fn every_header_has_its_place() {
        for (at, name) in HEADERS.iter().enumerate() {
            assert_eq!(position(name.as_str()), Some(at));
        }
    }

    #[test]
    fn an_event_gets_route_url_query_headers_and_trace() {
        let request = Request::post("/orders/7?page=2")
            .header("Host", "shop.example:8080")
            .header("User-Agent", "test")
            .header("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
            .header("Authorization", "Bearer abc")
            .body(())
            .unwrap();
        let event = filled(&request, None);
        assert_eq!(event.transaction.as_deref(), Some("POST /orders/{id}"));
        assert_eq!(event.contexts["trace"]["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
        let request = event.request.unwrap();
        assert_eq!(request.url.as_deref(), Some("http://shop.example:8080/orders/7"));
        assert_eq!(request.query_string.as_deref(), Some("page=2"));
        assert_eq!(request.method.as_deref(), Some("POST"));
        assert_eq!(request.headers.keys().collect::<Vec<_>>(), ["host", "traceparent", "user-agent"]);
        assert!(request.duration_ms.is_some());
    }

    #[test]
    fn sensitive_values_are_left_and_further_headers_taken_on_request() {
        let mut secret = HeaderValue::from_static("secret");
        secret.set_sensitive(true);
        let request = Request::get("/").header("user-agent", secret).header("x-plan", "pro").body(()).unwrap();
        let config = Config { headers: vec![HeaderName::from_static("x-plan")], ..Config::default() };
        let headers = filled(&request, Some(config)).request.unwrap().headers;
        assert_eq!(headers.into_iter().collect::<Vec<_>>(), [("x-plan".to_owned(), "pro".to_owned())]);
    }

    #[test]
    fn what_the_event_says_itself_wins() {
        let request = Request::get("/a").body(()).unwrap();
        let mut event = Event::new();
        event.request = Some(errtrack_core::Request { status: Some(503), ..Default::default() });
        event.transaction = Some("nightly".into());
        Served::read(&request, None, &Routes::default()).fill(&mut event);
        assert_eq!(event.request.unwrap().status, Some(503));
        assert_eq!(event.transaction.as_deref(), Some("nightly"));
    }
}
