//! What is kept of a request while it is served, and how it is put on an event.
//!
//! The parts are kept by counting references, inside the one allocation of the scope, and are turned into text on the
//! tracker's thread. The route's pattern is the exception: the map of routes belongs to the worker's thread, so the pattern
//! is asked for at once.

use crate::capture::Config;
use actix_web::{
    dev::ServiceRequest,
    http::{
        Method, Uri,
        header::{HeaderMap, HeaderName, HeaderValue},
        uri::Authority,
    },
};
use errtrack_core::{
    Event, RequestSource, Timestamp,
    adapter::{HEADERS, ServedRequest, header_position},
};
use std::{net::SocketAddr, sync::Arc};

/// A request that is being served.
pub(crate) struct Served {
    started: Timestamp,
    method: Method,
    uri: Uri,
    is_secure: bool,
    headers: [Option<HeaderValue>; 8],
    /// Those that the host asked for beyond that.
    further: Option<(Arc<Config>, Vec<Option<HeaderValue>>)>,
    pattern: Option<String>,
    client: Option<SocketAddr>,
}

impl Served {
    pub(crate) fn read(request: &ServiceRequest, config: Option<&Arc<Config>>) -> Self {
        let further = config.filter(|config| !config.headers.is_empty()).map(|config| {
            let values = config.headers.iter().map(|name| harmless(request.headers().get(name)?)).collect();
            (config.clone(), values)
        });
        Self {
            started: Timestamp::now(),
            method: request.method().clone(),
            uri: request.uri().clone(),
            is_secure: request.app_config().secure(),
            headers: pick(request.headers()),
            further,
            pattern: request.match_pattern(),
            client: request.peer_addr(),
        }
    }

    fn scheme(&self) -> Option<&str> {
        self.uri.scheme_str().or_else(|| self.is_secure.then_some("https"))
    }

    fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let further =
            self.further.iter().flat_map(|(config, values)| config.headers.iter().map(HeaderName::as_str).zip(values));
        let always = HEADERS.into_iter().zip(&self.headers);
        always.chain(further).filter_map(|(name, value)| Some((name, value.as_ref()?.as_bytes())))
    }
}

impl RequestSource for Served {
    fn fill(&self, event: &mut Event) {
        ServedRequest::new(self.method.as_str(), self.uri.path(), self.started)
            .query(self.uri.query())
            .scheme(self.scheme())
            .authority(self.uri.authority().map(Authority::as_str))
            .route(self.pattern.as_deref())
            .client(self.client.map(|client| client.ip()))
            .fill(event, self.headers());
    }
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
    use actix_web::test::TestRequest;

    fn filled(request: TestRequest, config: Option<Config>) -> Event {
        let mut event = Event::new();
        Served::read(&request.to_srv_request(), config.map(Arc::new).as_ref()).fill(&mut event);
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
    fn sensitive_values_are_left_and_further_headers_taken_on_request() {
        let mut secret = HeaderValue::from_static("secret");
        secret.set_sensitive(true);
        let request = TestRequest::get().insert_header(("user-agent", secret)).insert_header(("x-plan", "pro"));
        let config = Config { headers: vec![HeaderName::from_static("x-plan")], ..Config::default() };
        let headers = filled(request, Some(config)).request.unwrap().headers;
        assert_eq!(headers.into_iter().collect::<Vec<_>>(), [("x-plan".to_owned(), "pro".to_owned())]);
    }
}
