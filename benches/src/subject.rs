//! What fails in the benchmarks, and the requests that are served.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use std::{error::Error, fmt, io};

/// An error with a cause.
#[derive(Debug)]
pub struct Payment(io::Error);

impl fmt::Display for Payment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("could not take payment")
    }
}

impl Error for Payment {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

/// An error with its cause, as it happens.
#[must_use]
pub fn payment() -> Payment {
    Payment(io::Error::new(io::ErrorKind::TimedOut, "no answer within 5 s"))
}

/// The answer to a request that failed.
#[must_use]
pub fn failed() -> Response<String> {
    let mut response = Response::new(String::new());
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}

/// A request as hyper hands it over: URI and header values are slices of the buffer that was read.
#[must_use]
pub fn request() -> Request<String> {
    static HEAD: &[u8] =
        b"/orders/42/pay?retry=1|shop.example.com|Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 \
        Firefox/132.0|*/*|application/json|theme=dark; session=abc|Bearer abc|7c1e44b0";
    static NAMES: [HeaderName; 7] = [
        header::HOST,
        header::USER_AGENT,
        header::ACCEPT,
        header::CONTENT_TYPE,
        header::COOKIE,
        header::AUTHORIZATION,
        HeaderName::from_static("x-request-id"),
    ];
    let buffer = Bytes::from_owner(HEAD);
    let mut parts = HEAD.split(|byte| *byte == b'|').map(|part| buffer.slice_ref(part));
    let uri = parts.next().and_then(|uri| Uri::from_maybe_shared(uri).ok()).unwrap_or_default();
    let mut request = Request::new(String::new());
    *request.method_mut() = Method::POST;
    *request.uri_mut() = uri;
    for (name, value) in NAMES.iter().zip(parts) {
        if let Ok(value) = HeaderValue::from_maybe_shared(value) {
            request.headers_mut().insert(name, value);
        }
    }
    request
}
