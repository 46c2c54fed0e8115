//! What is kept of a request while it is served, and how it is put on an event.
//!
//! The parts are kept as they are, by counting references, inside the one allocation of the scope; they are turned into
//! text on the tracker's thread, and only if something is captured.

mod kept;
mod notes;

pub use kept::RequestBody;

use crate::{client, grpc, layer::Config};
use errtrack_core::{
    Event, RequestSource, Routes, ScopeHandle, StatusClass,
    adapter::{HeaderValues, ServedRequest, header_position},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri, uri::Authority};
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

/// The place of `content-type` among [`HEADERS`].
const CONTENT_TYPE: usize = 1;

/// A request that is being served.
pub(crate) struct Served {
    started: Instant,
    method: Method,
    uri: Uri,
    headers: HeaderValues,
    /// Those that the host asked for beyond that.
    further: Option<(Arc<Config>, Vec<Option<HeaderValue>>)>,
    #[cfg(feature = "axum")]
    matched: Option<axum::extract::MatchedPath>,
    client: Option<IpAddr>,
    kept: Option<Box<Kept>>,
    /// The status of the answer; 0 as long as there is none.
    status: AtomicU16,
    notes: Notes,
}

impl Served {
    pub(crate) fn read<B>(request: &Request<B>, config: Option<&Arc<Config>>) -> Self {
        let further = config.filter(|config| !config.headers.is_empty()).map(|config| {
            let values = config.headers.iter().map(|name| harmless(request.headers().get(name)?)).collect();
            (config.clone(), values)
        });
        let (method, uri) = (request.method(), uri(request));
        // The layer that stands furthest in knows the route best, so it is the one that counts.
        Self::with_outer(method, uri, |outer| {
            outer.notes.take(Note::Reported);
            outer.notes.put(Note::CountedInside);
        });
        let mut served = Self {
            started: Instant::now(),
            method: method.clone(),
            uri: uri.clone(),
            headers: HeaderValues::default(),
            further,
            #[cfg(feature = "axum")]
            matched: request.extensions().get().cloned(),
            client: client::of(request, config.and_then(|config| config.proxies.as_ref())),
            kept: config.and_then(|config| Kept::new(request.headers(), config.bodies)),
            status: AtomicU16::new(0),
            notes: Notes::default(),
        };
        pick(request.headers(), &mut served.headers);
        served
    }

    /// Whether it is a call of gRPC.
    pub(crate) fn is_grpc(&self) -> bool {
        grpc::is_call(self.headers.get(CONTENT_TYPE))
    }

    /// Notes that the answer's head is there, and counts the request.
    pub(crate) fn answered(&self, routes: Option<&Routes>, status: StatusCode, class: StatusClass, is_routed: bool) {
        self.status.store(status.as_u16(), Relaxed);
        self.count(routes, class, is_routed);
    }

    /// Counts the request, unless a layer further in does.
    pub(crate) fn count(&self, routes: Option<&Routes>, class: StatusClass, is_routed: bool) {
        if let Some(routes) = routes.filter(|_| !self.notes.has(Note::CountedInside)) {
            self.brief().count(routes, class, is_routed);
        }
    }

    /// Counts the request of a scope as dropped half-way.
    pub(crate) fn dropped(scope: &ScopeHandle) {
        if let Some(served) = scope.request::<Self>() {
            served.count(scope.routes(), StatusClass::Dropped, true);
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
        Self::with_outer(&self.method, &self.uri, |outer| outer.notes.put(Note::Reported));
    }

    /// Calls `f` with the same request as a layer further out keeps it. One that a handler makes on its own is another.
    fn with_outer(method: &Method, uri: &Uri, f: impl FnOnce(&Self)) {
        ScopeHandle::with_current(|scope| {
            if let Some(outer) = scope.request::<Self>()
                && std::ptr::eq(outer.uri.path(), uri.path())
                && outer.method == *method
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

    /// What it is counted by.
    fn brief(&self) -> ServedRequest<'_> {
        ServedRequest::new(self.method.as_str(), self.uri.path(), self.started).route(self.template())
    }

    fn lend(&self) -> ServedRequest<'_> {
        self.brief()
            .query(self.uri.query())
            .scheme(self.uri.scheme_str())
            .authority(self.uri.authority().map(Authority::as_str))
            .client(self.client)
            .status(Some(self.status.load(Relaxed)).filter(|status| *status != 0))
    }

    fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let further =
            self.further.iter().flat_map(|(config, values)| config.headers.iter().map(HeaderName::as_str).zip(values));
        let further = further.filter_map(|(name, value)| Some((name, value.as_ref()?.as_bytes())));
        // The names of those that are always kept live longer than the others.
        self.headers.iter().map(|(name, value)| -> (&str, &[u8]) { (name, value) }).chain(further)
    }
}

impl RequestSource for Served {
    fn fill(&self, event: &mut Event) {
        self.lend().fill(event, self.headers());
        if let Some(kept) = &self.kept {
            kept.fill(event);
        }
    }

    fn size(&self) -> usize {
        self.kept.as_ref().map_or(0, |kept| kept.size())
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

fn pick(headers: &HeaderMap, picked: &mut HeaderValues) {
    for (name, value) in headers {
        if let Some(at) = header_position(name.as_str())
            && !value.is_sensitive()
        {
            picked.put(at, value.as_bytes());
        }
    }
}

fn harmless(value: &HeaderValue) -> Option<HeaderValue> {
    (!value.is_sensitive()).then(|| value.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(request: &Request<()>, config: Option<Config>) -> Event {
        let mut event = Event::new();
        Served::read(request, config.map(Arc::new).as_ref()).fill(&mut event);
        event
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
}
