//! Bodies of requests.

use crate::{
    error::Error,
    ingest::{fields::Fields, json},
};
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;

/// A body, or why there is none.
pub(super) type Sent = Result<Bytes, BytesRejection>;

/// The bytes of a body.
pub(super) fn bytes(body: Sent) -> Result<Bytes, Error> {
    body.map_err(|error| Error::new(error.status(), error.body_text()))
}

/// A body as text.
pub(super) fn text(body: Sent) -> Result<String, Error> {
    String::from_utf8(bytes(body)?.into()).map_err(|_| Error::bad_request("body: is not UTF-8"))
}

/// The fields of an object.
pub(super) fn fields(body: Sent) -> Result<Fields, Error> {
    Fields::parse(&bytes(body)?).map_err(Error::bad_request)
}

/// The fields of an object; none if the body is empty.
pub(super) fn optional_fields(body: Sent) -> Result<Fields, Error> {
    let body = bytes(body)?;
    if body.trim_ascii().is_empty() {
        return Ok(Fields::default());
    }
    json::object(&body).map(Fields::from).map_err(Error::bad_request)
}
