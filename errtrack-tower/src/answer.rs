//! What a client is told when its request ended in a panic.

use crate::{CaptureBody, grpc};
use http::{HeaderValue, Response, StatusCode, header};

/// Makes the answer to a request that ended in a panic; see [`CaptureLayer::answer_panics`](crate::CaptureLayer::answer_panics).
///
/// Implemented for [`EmptyAnswer`] and for functions without arguments that return a response.
pub trait AnswerPanic<B> {
    /// The answer. It must say nothing about the inside.
    fn answer(&self, asked: Asked) -> Response<CaptureBody<B>>;
}

/// What is known about the request that ended in a panic.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Asked {
    /// It was a call of gRPC: the client looks for a status of gRPC and not of HTTP.
    pub grpc: bool,
}

/// A 500 with an empty body; for gRPC, the status `INTERNAL`.
///
/// It fits every service, as it needs no body of the service's type.
#[derive(Debug, Clone, Copy, Default)]
pub struct EmptyAnswer;

impl<B> AnswerPanic<B> for EmptyAnswer {
    fn answer(&self, asked: Asked) -> Response<CaptureBody<B>> {
        let mut response = Response::new(CaptureBody::empty());
        if asked.grpc {
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
            grpc::put_internal(headers);
        } else {
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        }
        response
    }
}

impl<B, F: Fn() -> Response<B>> AnswerPanic<B> for F {
    fn answer(&self, _: Asked) -> Response<CaptureBody<B>> {
        self().map(CaptureBody::unwatched)
    }
}
