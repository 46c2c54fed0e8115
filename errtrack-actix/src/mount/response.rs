//! The way out: a response of axum becomes one of actix-web.

use actix_web::{
    HttpResponse,
    body::{BodySize, BoxBody, MessageBody},
    http::{
        StatusCode,
        header::{HeaderName, HeaderValue},
    },
};
use axum::body::Body;
use bytes::Bytes;
use http_body::Body as _;
use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

/// The response in actix-web's terms.
pub(super) fn convert(response: http::Response<Body>) -> HttpResponse {
    let (parts, body) = response.into_parts();
    let status = StatusCode::from_u16(parts.status.as_u16()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut converted = HttpResponse::new(status);
    let mut length = body.size_hint().exact();
    for (name, value) in &parts.headers {
        match *name {
            // The answer to a HEAD announces the length of a body that it does not carry.
            http::header::CONTENT_LENGTH => {
                length = value.to_str().ok().and_then(|text| text.parse().ok()).or(length);
            }
            // actix-web decides how it is sent.
            http::header::TRANSFER_ENCODING | http::header::CONNECTION => {}
            _ => {
                let name = HeaderName::from_bytes(name.as_str().as_bytes());
                if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value.as_bytes())) {
                    converted.headers_mut().append(name, value);
                }
            }
        }
    }
    let is_bare = status.is_informational() || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    let size = match length {
        _ if is_bare => BodySize::None,
        Some(length) => BodySize::Sized(length),
        None => BodySize::Stream,
    };
    converted.set_body(BoxBody::new(Sent { body, size, is_over: false }))
}

/// The body as it is sent.
struct Sent {
    body: Body,
    size: BodySize,
    is_over: bool,
}

impl MessageBody for Sent {
    type Error = axum::Error;

    fn size(&self) -> BodySize {
        self.size
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, axum::Error>>> {
        while !self.is_over {
            match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                // Trailers are let go: HTTP/1 clients rarely ask for them, and actix-web sends none.
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        return Poll::Ready(Some(Ok(data)));
                    }
                }
                Some(Err(error)) => {
                    self.is_over = true;
                    return Poll::Ready(Some(Err(error)));
                }
                None => self.is_over = true,
            }
        }
        Poll::Ready(None)
    }
}
