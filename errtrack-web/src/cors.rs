//! CORS: which other origins may report from browsers, and use the API.
//!
//! No cookie counts across origins: nothing says `Access-Control-Allow-Credentials`, so a page elsewhere needs a key.

use crate::{Config, Origins, ingest::is_report};
use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::{collections::HashMap, sync::Arc};
use utoipa::openapi::{OpenApi as Document, PathItem};

/// Headers that SDKs send, for browsers that do not say which they want to send.
const USUAL_HEADERS: HeaderValue = HeaderValue::from_static(
    "x-sentry-auth, x-requested-with, x-forwarded-for, origin, referer, accept, content-type, authentication, \
     authorization, content-encoding, transfer-encoding, baggage, sentry-trace, x-api-key, x-app-id, x-app-key",
);
/// Without it browsers cannot see how long they are to be silent.
const EXPOSED: HeaderValue =
    HeaderValue::from_static("x-sentry-error, x-sentry-rate-limits, retry-after, ratelimit, ratelimit-policy");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// What the layer knows: who may do what, and which methods a path has.
#[derive(Debug, Clone)]
pub(crate) struct Cors(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    config: Config,
    methods: HashMap<String, HeaderValue>,
}

impl Cors {
    /// With the methods that are described.
    pub(crate) fn new(config: &Config, document: &Document) -> Self {
        let line = |(path, item): (&String, &PathItem)| {
            let methods: Vec<_> = methods_of(item).collect();
            HeaderValue::from_str(&methods.join(", ")).ok().map(|methods| (path.clone(), methods))
        };
        let methods = document.paths.paths.iter().filter_map(line).collect();
        Self(Arc::new(Inner { config: config.clone(), methods }))
    }

    /// The methods of the path of a request, which may stand behind the prefix of the mount point.
    fn methods(&self, request: &Request) -> Option<HeaderValue> {
        let matched = request.extensions().get::<MatchedPath>()?.as_str();
        let tails = matched.match_indices('/').filter_map(|(at, _)| matched.get(at..));
        tails.into_iter().find_map(|tail| self.0.methods.get(tail).cloned())
    }
}

fn methods_of(item: &PathItem) -> impl Iterator<Item = &'static str> {
    let methods = [
        ("GET", &item.get),
        ("POST", &item.post),
        ("PUT", &item.put),
        ("PATCH", &item.patch),
        ("DELETE", &item.delete),
    ];
    methods.into_iter().filter_map(|(name, operation)| operation.is_some().then_some(name))
}

/// Answers preflights, and says on every answer who may read it.
pub(crate) async fn layer(State(cors): State<Cors>, request: Request, next: Next) -> Response {
    let is_preflight = request.method() == Method::OPTIONS;
    let origin = request.headers().get(header::ORIGIN).cloned();
    let allowed = Allowed::of(&cors.0.config, &request, origin.as_ref());
    if !is_preflight {
        let mut response = next.run(request).await;
        allowed.note(response.headers_mut());
        return response;
    }
    let wanted = request.headers().get(header::ACCESS_CONTROL_REQUEST_HEADERS).cloned();
    let methods = match &allowed {
        // Any origin may report, and do nothing else.
        Allowed::Any => Some(HeaderValue::from_static("POST")),
        Allowed::Listed(_) if is_report(&Method::OPTIONS, request.uri().path()) => {
            Some(HeaderValue::from_static("POST"))
        }
        Allowed::Listed(_) => cors.methods(&request),
        Allowed::Own { .. } => None,
    };
    let Some(methods) = methods else {
        let mut response = next.run(request).await;
        allowed.note(response.headers_mut());
        return response;
    };
    let headers = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, methods),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, wanted.unwrap_or(USUAL_HEADERS)),
        (header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("3600")),
    ];
    let mut response = (StatusCode::NO_CONTENT, headers).into_response();
    allowed.note(response.headers_mut());
    response
}

/// Who may read an answer, beside its own origin.
enum Allowed {
    Any,
    /// This one, because it is in a list.
    Listed(HeaderValue),
    /// Nobody; `varies` if others are in a list.
    Own {
        varies: bool,
    },
}

impl Allowed {
    fn of(config: &Config, request: &Request, origin: Option<&HeaderValue>) -> Self {
        let method = match request.method() {
            &Method::OPTIONS => asked_method(request.headers()),
            method => method.clone(),
        };
        let reports = is_report(&method, request.uri().path());
        let lists = [
            Some(config.api_origins.as_slice()),
            match &config.ingest_origins {
                Origins::These(list) if reports => Some(list.as_slice()),
                _ => None,
            },
        ];
        let lists = lists.into_iter().flatten();
        let listed = |origin: &HeaderValue| {
            lists.clone().flatten().any(|listed| listed.trim_end_matches('/').as_bytes() == origin.as_bytes())
        };
        match origin {
            _ if reports && config.ingest_origins == Origins::Any => Self::Any,
            Some(origin) if listed(origin) => Self::Listed(origin.clone()),
            _ => Self::Own { varies: lists.flatten().next().is_some() },
        }
    }

    fn note(&self, headers: &mut HeaderMap) {
        let origin = match self {
            Self::Any => HeaderValue::from_static("*"),
            Self::Listed(origin) => origin.clone(),
            Self::Own { varies: false } => return,
            Self::Own { varies: true } => {
                headers.append(header::VARY, HeaderValue::from_static("origin"));
                return;
            }
        };
        if let Self::Listed(_) = self {
            headers.append(header::VARY, HeaderValue::from_static("origin"));
        }
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        headers.insert(RESOURCE_POLICY, HeaderValue::from_static("cross-origin"));
    }
}

/// The method that a preflight asks for.
fn asked_method(headers: &HeaderMap) -> Method {
    let asked = headers.get(header::ACCESS_CONTROL_REQUEST_METHOD);
    asked.and_then(|method| Method::from_bytes(method.as_bytes()).ok()).unwrap_or(Method::POST)
}
