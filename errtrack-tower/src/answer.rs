//! What a client is told when its request ended in a panic.

use http::{Response, StatusCode};

/// Makes the answer to a request that ended in a panic; see [`CaptureLayer::answer_panics`](crate::CaptureLayer::answer_panics).
///
/// Implemented for [`EmptyAnswer`] and for functions without arguments.
pub trait AnswerPanic<B> {
    /// The answer. It must say nothing about the inside.
    fn answer(&self) -> Response<B>;
}

/// A 500 with an empty body.
///
/// It fits every body type that implements `Default`: that of axum, of tonic, `Full`, `Empty`, `BoxBody` and
/// `UnsyncBoxBody` of http-body-util, `String`, `Vec<u8>`.
#[derive(Debug, Clone, Copy, Default)]
pub struct EmptyAnswer;

impl<B: Default> AnswerPanic<B> for EmptyAnswer {
    fn answer(&self) -> Response<B> {
        let mut response = Response::new(B::default());
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        response
    }
}

impl<B, F: Fn() -> Response<B>> AnswerPanic<B> for F {
    fn answer(&self) -> Response<B> {
        self()
    }
}
