//! Bodies of reports: read up to a limit, and unpacked up to another.

use super::unpack::{self, Encoding};
use crate::error::Error;
use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt;
use std::{fmt, time::Duration};

/// How long a client may be silent within a body.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why a body was not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// It is longer than so many bytes, as sent or unpacked.
    TooLarge(usize),
    /// It ended before its end.
    Broken,
    /// Nothing came for too long.
    Silent,
    /// It is not what `Content-Encoding` says.
    Encoding(&'static str),
}

impl Unreadable {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Silent => StatusCode::REQUEST_TIMEOUT,
            Self::Broken | Self::Encoding(_) => StatusCode::BAD_REQUEST,
        }
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge(limit) => write!(f, "the body is longer than {limit} bytes"),
            Self::Broken => write!(f, "the body ended before its end"),
            Self::Silent => write!(f, "the body did not come in time"),
            Self::Encoding(name) => write!(f, "the body is not valid {name}"),
        }
    }
}

impl From<Unreadable> for Error {
    fn from(error: Unreadable) -> Self {
        Self::new(error.status(), error.to_string())
    }
}

/// Reads a body of at most `limit` bytes, as it was sent.
pub(crate) async fn read(headers: &HeaderMap, mut body: Body, limit: usize) -> Result<Bytes, Unreadable> {
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()).and_then(|v| v.parse().ok());
    if announced.is_some_and(|length: usize| length > limit) {
        return Err(Unreadable::TooLarge(limit));
    }
    let (mut first, mut more) = (Bytes::new(), BytesMut::new());
    loop {
        let frame = tokio::time::timeout(PATIENCE, body.frame()).await.map_err(|_| Unreadable::Silent)?;
        let Some(frame) = frame else { break };
        let Ok(data) = frame.map_err(|_| Unreadable::Broken)?.into_data() else { continue };
        if first.len() + more.len() + data.len() > limit {
            return Err(Unreadable::TooLarge(limit));
        }
        // Most bodies come in one piece, which then needs no copy.
        if first.is_empty() && more.is_empty() {
            first = data;
        } else {
            if more.is_empty() {
                more.reserve(announced.unwrap_or(0).max(first.len() + data.len()));
                more.extend_from_slice(&std::mem::take(&mut first));
            }
            more.extend_from_slice(&data);
        }
    }
    Ok(if more.is_empty() { first } else { more.freeze() })
}

/// Reads and unpacks the body of a JSON report; the limit holds for what is sent and for what is in it.
pub(crate) async fn read_report(headers: &HeaderMap, body: Body, limit: usize) -> Result<Bytes, Unreadable> {
    let bytes = read(headers, body, limit).await?;
    unpack::unpack(bytes, Encoding::of(headers), limit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;
    use std::io;

    #[tokio::test]
    async fn a_body_in_pieces_is_put_together() {
        let pieces = ["a", "", "bc", "d"].map(|p| Ok::<_, io::Error>(Bytes::from(p)));
        let body = Body::from_stream(stream::iter(pieces));
        assert_eq!(read(&HeaderMap::new(), body, 4).await.unwrap(), "abcd");
    }

    #[tokio::test]
    async fn too_long_is_told_before_it_is_read() {
        let headers = HeaderMap::from_iter([(header::CONTENT_LENGTH, "5".parse().unwrap())]);
        assert_eq!(read(&headers, Body::empty(), 4).await, Err(Unreadable::TooLarge(4)));
        assert_eq!(read(&HeaderMap::new(), Body::from("12345"), 4).await, Err(Unreadable::TooLarge(4)));
    }

    #[tokio::test]
    async fn a_body_that_stops_half_way_is_broken() {
        let pieces = [Ok(Bytes::from("a")), Err(io::Error::other("gone"))];
        let body = Body::from_stream(stream::iter(pieces));
        assert_eq!(read(&HeaderMap::new(), body, 4).await, Err(Unreadable::Broken));
    }
}
