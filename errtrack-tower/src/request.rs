//! What is kept of a request while it is served, and how it is put on an event.
//!
//! The parts are kept as they are, by counting references, inside the one allocation of the scope; they are turned into
//! text on the tracker's thread, and only if something is captured.

use crate::layer::Config;
use errtrack_core::{
    Event, RequestSource, Timestamp,
    adapter::{HEADERS, ServedRequest, header_position},
};
use http::{HeaderMap, HeaderValue, Method, Request, Uri, uri::Authority};
use std::sync::Arc;

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

    fn route(&self) -> Option<&str> {
        #[cfg(feature = "axum")]
        return self.matched.as_ref().map(axum::extract::MatchedPath::as_str);
        #[cfg(not(feature = "axum"))]
        None
    }

    fn client(&self) -> Option<std::net::IpAddr> {
        #[cfg(feature = "axum")]
        return self.client.map(|client| client.ip());
        #[cfg(not(feature = "axum"))]
        None
    }

    fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let further = self
            .further
            .iter()
            .flat_map(|(config, values)| config.headers.iter().map(http::HeaderName::as_str).zip(values));
        let always = HEADERS.into_iter().zip(&self.headers);
        always.chain(further).filter_map(|(name, value)| Some((name, value.as_ref()?.as_bytes())))
    }
}

impl RequestSource for Served {
    fn fill(&self, event: &mut Event) {
        ServedRequest::new(self.method.as_str(), self.uri.path(), self.started)
            .query(self.uri.query())
            .scheme(self.uri.scheme_str())
            .authority(self.uri.authority().map(Authority::as_str))
            .route(self.route())
            .client(self.client())
            .fill(event, self.headers());
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
        if let Some(slot) = header_position(name.as_str()).and_then(|at| picked.get_mut(at))
            && slot.is_none()
        {
            *slot = harmless(value);
        }
    }
    picked
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
        let config = Config { headers: vec![http::HeaderName::from_static("x-plan")], errors: Vec::new() };
        let headers = filled(&request, Some(config)).request.unwrap().headers;
        assert_eq!(headers.into_iter().collect::<Vec<_>>(), [("x-plan".to_owned(), "pro".to_owned())]);
    }
}
