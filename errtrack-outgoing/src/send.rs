//! One request on one connection.

use crate::{OutgoingError, connect::connect, tls::Tls};
use bytes::Bytes;
use errtrack_core::AllowedTargets;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Uri,
    header::{CONNECTION, CONTENT_TYPE, HOST, RETRY_AFTER, USER_AGENT},
    uri::Scheme,
};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};

const AGENT: HeaderValue = HeaderValue::from_static(concat!("errtrack/", env!("CARGO_PKG_VERSION")));

/// A request to be made.
#[derive(Debug)]
pub struct Question<'a> {
    method: Method,
    url: &'a str,
    headers: HeaderMap,
    body: Bytes,
    /// A header that is none was given.
    is_wrong: bool,
}

impl<'a> Question<'a> {
    /// `GET` that URL.
    #[must_use]
    pub fn get(url: &'a str) -> Self {
        Self { method: Method::GET, url, headers: HeaderMap::new(), body: Bytes::new(), is_wrong: false }
    }

    /// `POST` a body to that URL.
    #[must_use]
    pub fn post(url: &'a str, body: Bytes) -> Self {
        Self { method: Method::POST, body, ..Self::get(url) }
    }

    /// The body is JSON.
    #[must_use]
    pub fn json(self) -> Self {
        self.header(CONTENT_TYPE, "application/json")
    }

    /// The body is a form.
    #[must_use]
    pub fn form(self) -> Self {
        self.header(CONTENT_TYPE, "application/x-www-form-urlencoded")
    }

    /// Sets a header. A value that is none makes the request fail.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        match HeaderValue::from_str(value) {
            Ok(value) => drop(self.headers.insert(name, value)),
            Err(_) => self.is_wrong = true,
        }
        self
    }
}

/// What the other side said.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, as far as it was read; see [`Answer::is_cut`].
    pub body: Bytes,
    /// Whether the body is longer than what may be read, and so left out.
    pub is_cut: bool,
}

impl Answer {
    /// For how long the other side asks to be left alone (`Retry-After` in seconds, RFC 9110, 10.2.3).
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
    }
}

pub(crate) async fn send(
    allowed: &AllowedTargets,
    tls: &Tls,
    most_bytes: usize,
    question: Question<'_>,
) -> Result<Answer, OutgoingError> {
    if question.is_wrong {
        return Err(OutgoingError::InvalidUrl);
    }
    let uri: Uri = question.url.parse().map_err(|_| OutgoingError::InvalidUrl)?;
    let is_https = match uri.scheme() {
        Some(scheme) if *scheme == Scheme::HTTPS => true,
        Some(scheme) if *scheme == Scheme::HTTP => false,
        _ => return Err(OutgoingError::InvalidUrl),
    };
    // A password in a URL would go to whoever reads a log.
    let authority = uri.authority().filter(|authority| !authority.as_str().contains('@'));
    let authority = authority.ok_or(OutgoingError::InvalidUrl)?;
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    let port = authority.port_u16().unwrap_or(if is_https { 443 } else { 80 });
    if is_https && !crate::Outgoing::speaks_https() {
        return Err(OutgoingError::WithoutTls);
    }
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let mut request = Request::new(Full::new(question.body));
    *request.method_mut() = question.method;
    *request.uri_mut() = path.parse().map_err(|_| OutgoingError::InvalidUrl)?;
    let headers = request.headers_mut();
    *headers = question.headers;
    headers.insert(HOST, HeaderValue::from_str(authority.as_str()).map_err(|_| OutgoingError::InvalidUrl)?);
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    headers.entry(USER_AGENT).or_insert(AGENT);
    let stream = connect(allowed, host, port).await?;
    if is_https {
        speak(tls.secure(stream, host).await?, request, most_bytes).await
    } else {
        speak(stream, request, most_bytes).await
    }
}

async fn speak(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    request: Request<Full<Bytes>>,
    most_bytes: usize,
) -> Result<Answer, OutgoingError> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(OutgoingError::Broken)?;
    let asked = async {
        let (parts, body) = sender.send_request(request).await.map_err(OutgoingError::Broken)?.into_parts();
        let read = Limited::new(body, most_bytes).collect().await;
        let (body, is_cut) = match read {
            Ok(body) => (body.to_bytes(), false),
            Err(error) => match error.downcast::<hyper::Error>() {
                Ok(error) => return Err(OutgoingError::Broken(*error)),
                Err(_) => (Bytes::new(), true),
            },
        };
        Ok(Answer { status: parts.status.as_u16(), headers: parts.headers, body, is_cut })
    };
    // Both in this task: nothing goes on when nobody waits any more.
    let (mut connection, mut is_open) = (std::pin::pin!(connection), true);
    let mut asked = std::pin::pin!(asked);
    std::future::poll_fn(|context| {
        if is_open && connection.as_mut().poll(context).is_ready() {
            is_open = false;
        }
        asked.as_mut().poll(context)
    })
    .await
}
