//! The way in: a request of actix-web becomes one of axum.

use actix_web::{
    HttpRequest, dev,
    error::PayloadError,
    http::{Version, header},
    rt,
};
use axum::{body::Body, extract::ConnectInfo};
use bytes::Bytes;
use futures_core::Stream;
use http_body::{Frame, SizeHint};
use std::{
    error::Error,
    future::poll_fn,
    net::SocketAddr,
    pin::{Pin, pin},
    task::{Context, Poll, ready},
};
use tokio::sync::mpsc;

/// Headers that concern the connection, which is not the router's.
const OF_THE_CONNECTION: [header::HeaderName; 6] =
    [header::CONNECTION, header::EXPECT, header::TE, header::TRAILER, header::TRANSFER_ENCODING, header::UPGRADE];

/// The request in axum's terms; nothing if there is no such request there.
pub(super) fn convert(request: &HttpRequest, payload: dev::Payload) -> Option<http::Request<Body>> {
    let mut headers = http::HeaderMap::with_capacity(request.headers().len());
    for (name, value) in request.headers() {
        if !OF_THE_CONNECTION.contains(name) {
            let name = http::HeaderName::from_bytes(name.as_str().as_bytes()).ok()?;
            headers.append(name, http::HeaderValue::from_bytes(value.as_bytes()).ok()?);
        }
    }
    let length = headers.get(http::header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse().ok());
    let mut converted = http::Request::new(body(payload, length));
    *converted.method_mut() = http::Method::from_bytes(request.method().as_str().as_bytes()).ok()?;
    *converted.uri_mut() = uri(request, &headers)?;
    *converted.version_mut() = match request.version() {
        Version::HTTP_09 => http::Version::HTTP_09,
        Version::HTTP_10 => http::Version::HTTP_10,
        Version::HTTP_2 => http::Version::HTTP_2,
        Version::HTTP_3 => http::Version::HTTP_3,
        _ => http::Version::HTTP_11,
    };
    *converted.headers_mut() = headers;
    if let Some(peer) = request.peer_addr() {
        converted.extensions_mut().insert(ConnectInfo::<SocketAddr>(peer));
    }
    Some(converted)
}

/// The URI; where actix-web itself ends the TLS of HTTP/1, with the scheme that the client sees.
fn uri(request: &HttpRequest, headers: &http::HeaderMap) -> Option<http::Uri> {
    let uri: http::Uri = request.uri().to_string().parse().ok()?;
    if uri.scheme().is_some() || !request.app_config().secure() {
        return Some(uri);
    }
    let host = headers.get(http::header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let path = uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    http::Uri::builder().scheme("https").authority(host).path_and_query(path).build().ok().or(Some(uri))
}

fn body(payload: dev::Payload, length: Option<u64>) -> Body {
    if matches!(payload, dev::Payload::None) {
        return Body::empty();
    }
    // A payload of actix-web stays on its thread, and a body of axum may not. So the one is read by a task beside the
    // router, which is never more than a chunk ahead of it.
    let (sender, parts) = mpsc::channel(1);
    rt::spawn(pump(payload, sender));
    Body::new(Received { parts, left: length, is_over: false })
}

/// Reads a payload for as long as somebody wants it.
async fn pump(mut payload: dev::Payload, sender: mpsc::Sender<Part>) {
    loop {
        let mut given_up = pin!(sender.closed());
        let next = poll_fn(|cx| match given_up.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(None),
            Poll::Pending => Pin::new(&mut payload).poll_next(cx).map(Some),
        });
        let part = match next.await {
            None => return,
            Some(Some(Ok(data))) => Part::Data(data),
            Some(Some(Err(error))) => Part::Failed(error),
            Some(None) => Part::End,
        };
        let is_last = !matches!(part, Part::Data(_));
        if sender.send(part).await.is_err() || is_last {
            return;
        }
    }
}

enum Part {
    Data(Bytes),
    Failed(PayloadError),
    /// It is complete. A channel that ends without this belonged to a connection that is gone.
    End,
}

/// The body as it is received. Once over it stays over: layers that unpack a body ask again.
struct Received {
    parts: mpsc::Receiver<Part>,
    left: Option<u64>,
    is_over: bool,
}

impl http_body::Body for Received {
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        let part = ready!(self.parts.poll_recv(cx));
        if let Some(Part::Data(data)) = part {
            let length = data.len().try_into().unwrap_or(u64::MAX);
            self.left = self.left.map(|left| left.saturating_sub(length));
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        self.is_over = true;
        Poll::Ready(match part {
            Some(Part::Failed(error)) => Some(Err(error.into())),
            None => Some(Err("the connection was lost".into())),
            Some(_) => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.is_over
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
