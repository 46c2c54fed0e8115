//! What is kept of a request while it is served, and how it is put on an event.
//!
//! The parts are kept as they are, by counting references, inside the one allocation of the scope; they are turned into
//! text on the tracker's thread, and only if something is captured.

use crate::{layer::Config, route, trace};
use errtrack_core::{Event, RequestSource, Timestamp};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, header};
use std::sync::Arc;

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
const HOST: usize = 2;
const TRACEPARENT: usize = 7;

/// A request that is being served.
pub(crate) struct Served {
    started: Timestamp,
    method: Method,
    uri: Uri,
    headers: [Option<HeaderValue>; 8],
    /// Those that the host asked for beyond that.
    further: Option<(Arc<Config>, Vec<Option<HeaderValue>>)>,
    #[cfg(feature = "axum")]
    matched: Option<axum::extract::MatchedPath>,
    #[cfg(feature = "axum")]
    client: Option<std::net::SocketAddr>,
}

impl Served {
    pub(crate) fn read<B>(request: &Request<B>, config: Option<&Arc<Config>>) -> Self {
        let further = config.filter(|config| !config.headers.is_empty()).map(|config| {
            let values = config.headers.iter().map(|name| harmless(request.headers().get(name)?)).collect();
            (config.clone(), values)
        });
        Self {
            started: Timestamp::now(),
            method: request.method().clone(),
            uri: uri(request).clone(),
            headers: pick(request.headers()),
            further,
            #[cfg(feature = "axum")]
            matched: request.extensions().get().cloned(),
            #[cfg(feature = "axum")]
            client: request
                .extensions()
                .get::<axum::extract::ConnectInfo<std::net::SocketAddr>>()
                .map(|axum::extract::ConnectInfo(address)| *address),
        }
    }

    fn route(&self) -> String {
        #[cfg(feature = "axum")]
        if let Some(matched) = &self.matched {
            return format!("{} {}", self.method, matched.as_str());
        }
        format!("{} {}", self.method, route::generalize(self.uri.path()))
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
        let lasted = event.timestamp.as_micros() - self.started.as_micros();
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
        #[cfg(feature = "axum")]
        if let Some(client) = self.client {
            request.env.entry("REMOTE_ADDR".into()).or_insert_with(|| client.ip().to_string());
        }
        request.duration_ms.get_or_insert(lasted.max(0) as f64 / 1000.0);
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

fn pick(headers: &HeaderMap) -> [Option<HeaderValue>; 8] {
    let mut picked = [const { None }; 8];
    for (name, value) in headers {
        if let Some(slot) = position(name.as_str()).and_then(|at| picked.get_mut(at))
            && slot.is_none()
        {
            *slot = harmless(value);
        }
    }
    picked
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
        Served::read(request, config.map(Arc::new).as_ref()).fill(&mut event);
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
        let config = Config { headers: vec![HeaderName::from_static("x-plan")], errors: Vec::new() };
        let headers = filled(&request, Some(config)).request.unwrap().headers;
        assert_eq!(headers.into_iter().collect::<Vec<_>>(), [("x-plan".to_owned(), "pro".to_owned())]);
    }

    #[test]
    fn what_the_event_says_itself_wins() {
        let request = Request::get("/a").body(()).unwrap();
        let mut event = Event::new();
        event.request = Some(errtrack_core::Request { status: Some(503), ..Default::default() });
        event.transaction = Some("nightly".into());
        Served::read(&request, None).fill(&mut event);
        assert_eq!(event.request.unwrap().status, Some(503));
        assert_eq!(event.transaction.as_deref(), Some("nightly"));
    }
}
