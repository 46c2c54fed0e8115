//! What is kept of a request while it is served, and how it is put on an event.
//!
//! The parts are kept by counting references, inside the one allocation of the scope, and are turned into text on the
//! tracker's thread. The route's pattern is the exception: the map of routes belongs to the worker's thread, so the pattern
//! is asked for at once. actix-web finds it by the regular expressions of its routes, so it is remembered.

use crate::capture::Config;
use actix_web::{
    dev::ServiceRequest,
    http::{
        Method, StatusCode, Uri,
        header::{HeaderMap, HeaderName, HeaderValue},
        uri::Authority,
    },
};
use errtrack_core::{
    Event, RequestSource, Routes, ScopeHandle, StatusClass, TrustedProxies,
    adapter::{HeaderValues, ServedRequest, Templates, header_position},
};
use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU16, Ordering::Relaxed},
    },
    time::Instant,
};

/// A request that is being served.
pub(crate) struct Served {
    started: Instant,
    method: Method,
    uri: Uri,
    is_secure: bool,
    headers: HeaderValues,
    /// Those that the host asked for beyond that.
    further: Option<(Arc<Config>, Vec<Option<HeaderValue>>)>,
    pattern: Option<Arc<str>>,
    client: Option<IpAddr>,
    /// The status of the answer; 0 as long as there is none.
    status: AtomicU16,
    is_counted_inside: AtomicBool,
}

impl Served {
    pub(crate) fn read(request: &ServiceRequest, config: Option<&Arc<Config>>, templates: &Templates) -> Self {
        let further = config.filter(|config| !config.headers.is_empty()).map(|config| {
            let values = config.headers.iter().map(|name| harmless(request.headers().get(name)?)).collect();
            (config.clone(), values)
        });
        // Of middlewares around the same request the innermost counts.
        ScopeHandle::with_current(|scope| {
            if let Some(outer) = scope.request::<Self>()
                && std::ptr::eq(outer.uri.path(), request.uri().path())
            {
                outer.is_counted_inside.store(true, Relaxed);
            }
        });
        let mut served = Self {
            started: Instant::now(),
            method: request.method().clone(),
            uri: request.uri().clone(),
            is_secure: request.app_config().secure(),
            headers: HeaderValues::default(),
            further,
            pattern: templates.find(request.path(), || request.match_pattern()),
            client: client(request, config.and_then(|config| config.proxies.as_ref())),
            status: AtomicU16::new(0),
            is_counted_inside: AtomicBool::new(false),
        };
        pick(request.headers(), &mut served.headers);
        served
    }

    /// Notes that the answer to the request of a scope has its head, and counts the request.
    pub(crate) fn answered_in(scope: &ScopeHandle, status: StatusCode) {
        if let Some(served) = scope.request::<Self>() {
            served.status.store(status.as_u16(), Relaxed);
            // Where there is a route, its pattern is known, or the answer is not that there is none.
            served.count(scope.routes(), StatusClass::of(status.as_u16()), !status.is_client_error());
        }
    }

    /// Counts the request, unless a middleware further in does.
    fn count(&self, routes: Option<&Routes>, class: StatusClass, is_routed: bool) {
        if let Some(routes) = routes.filter(|_| !self.is_counted_inside.load(Relaxed)) {
            self.brief().count(routes, class, is_routed);
        }
    }

    /// Counts the request of a scope as dropped half-way.
    pub(crate) fn dropped(scope: &ScopeHandle) {
        if let Some(served) = scope.request::<Self>() {
            served.count(scope.routes(), StatusClass::Dropped, true);
        }
    }

    /// What it is counted by.
    fn brief(&self) -> ServedRequest<'_> {
        ServedRequest::new(self.method.as_str(), self.uri.path(), self.started).route(self.pattern.as_deref())
    }

    fn lend(&self) -> ServedRequest<'_> {
        self.brief()
            .query(self.uri.query())
            .scheme(self.scheme())
            .authority(self.uri.authority().map(Authority::as_str))
            .client(self.client)
            .status(Some(self.status.load(Relaxed)).filter(|status| *status != 0))
    }

    fn scheme(&self) -> Option<&str> {
        self.uri.scheme_str().or_else(|| self.is_secure.then_some("https"))
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
    }
}

/// The address of the client. Where nobody knows who is connected, no header is believed.
fn client(request: &ServiceRequest, proxies: Option<&TrustedProxies>) -> Option<IpAddr> {
    let peer = request.peer_addr()?.ip();
    let Some(proxies) = proxies else { return Some(peer) };
    // A line that is no text is one of which nothing is understood.
    let lines: Vec<_> = request.headers().get_all(proxies.header()).map(|line| line.to_str().unwrap_or("?")).collect();
    Some(proxies.client(peer, lines))
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
    use actix_web::test::TestRequest;

    fn filled(request: TestRequest, config: Option<Config>) -> Event {
        let mut event = Event::new();
        Served::read(&request.to_srv_request(), config.map(Arc::new).as_ref(), &Templates::default()).fill(&mut event);
        event
    }

    #[test]
    fn an_event_gets_route_url_query_headers_client_and_trace() {
        let request = TestRequest::post()
            .uri("/orders/7?page=2")
            .peer_addr("192.0.2.1:5000".parse().unwrap())
            .insert_header(("Host", "shop.example:8080"))
            .insert_header(("User-Agent", "test"))
            .insert_header(("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"))
            .insert_header(("Authorization", "Bearer abc"));
        let event = filled(request, None);
        assert_eq!(event.transaction.as_deref(), Some("POST /orders/{id}"));
        assert_eq!(event.contexts["trace"]["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
        let request = event.request.unwrap();
        assert_eq!(request.url.as_deref(), Some("http://shop.example:8080/orders/7"));
        assert_eq!(request.query_string.as_deref(), Some("page=2"));
        assert_eq!(request.env["REMOTE_ADDR"], "192.0.2.1");
        assert_eq!(request.headers.keys().collect::<Vec<_>>(), ["host", "traceparent", "user-agent"]);
    }

    #[test]
    fn a_header_says_who_asks_only_if_a_trusted_proxy_wrote_it() {
        let client = |peer: &str, proxies| {
            let request = TestRequest::get()
                .peer_addr(peer.parse().unwrap())
                .append_header(("x-forwarded-for", "198.51.100.1"))
                .append_header(("x-forwarded-for", "203.0.113.9, 10.0.0.2"));
            filled(request, Some(Config { proxies, ..Config::default() })).request.unwrap().env["REMOTE_ADDR"].clone()
        };
        let proxies = TrustedProxies::new(["10.0.0.0/8"]).ok();
        assert_eq!(client("10.0.0.1:5000", proxies.clone()), "203.0.113.9");
        assert_eq!(client("192.0.2.1:5000", proxies), "192.0.2.1");
        assert_eq!(client("10.0.0.1:5000", None), "10.0.0.1");
    }

    #[test]
    fn sensitive_values_are_left_and_further_headers_taken_on_request() {
        let mut secret = HeaderValue::from_static("secret");
        secret.set_sensitive(true);
        let request = TestRequest::get().insert_header(("user-agent", secret)).insert_header(("x-plan", "pro"));
        let config = Config { headers: vec![HeaderName::from_static("x-plan")], ..Config::default() };
        let headers = filled(request, Some(config)).request.unwrap().headers;
        assert_eq!(headers.into_iter().collect::<Vec<_>>(), [("x-plan".to_owned(), "pro".to_owned())]);
    }
}
