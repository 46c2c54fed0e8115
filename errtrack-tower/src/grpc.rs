//! The status of a gRPC call, which stands in the headers of the answer if there is nothing else, else in its trailers.
//!
//! # Which codes are the server's errors
//! Those which OpenTelemetry's semantic conventions for gRPC call errors on the server's side, and which Google's mapping to
//! HTTP (`google/rpc/code.proto`) makes a 5xx; the two lists are the same:
//!
//! | code | name | HTTP |
//! |---|---|---|
//! | 2 | `UNKNOWN` | 500 |
//! | 4 | `DEADLINE_EXCEEDED` | 504 |
//! | 12 | `UNIMPLEMENTED` | 501 |
//! | 13 | `INTERNAL` | 500 |
//! | 14 | `UNAVAILABLE` | 503 |
//! | 15 | `DATA_LOSS` | 500 |
//!
//! All others are the client's: what it asked for is not there, not allowed, not possible now, or not wanted any more. A code
//! that gRPC does not know is `UNKNOWN`, as the protocol has it.

use errtrack_core::StatusClass;
use http::{HeaderMap, HeaderName, HeaderValue};

const STATUS: HeaderName = HeaderName::from_static("grpc-status");
const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Code(u8);

impl Code {
    const UNKNOWN: Self = Self(2);
    const UNIMPLEMENTED: Self = Self(12);
    const INTERNAL: Self = Self(13);

    /// The code in headers or trailers; `None` if they say nothing.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let code = headers.get(STATUS)?.to_str().ok().and_then(|code| code.parse().ok());
        Some(code.filter(|code| *code <= 16).map_or(Self::UNKNOWN, Self))
    }

    pub(crate) const fn number(self) -> u8 {
        self.0
    }

    pub(crate) const fn is_server_error(self) -> bool {
        matches!(self.0, 2 | 4 | 12..=15)
    }

    /// Whether nobody is there to serve the route that was asked for.
    pub(crate) fn is_unimplemented(self) -> bool {
        self == Self::UNIMPLEMENTED
    }

    pub(crate) const fn class(self) -> StatusClass {
        match self.0 {
            0 => StatusClass::Success,
            _ if self.is_server_error() => StatusClass::ServerError,
            _ => StatusClass::ClientError,
        }
    }

    /// Its name in the protocol.
    pub(crate) const fn name(self) -> &'static str {
        match self.0 {
            0 => "OK",
            1 => "CANCELLED",
            3 => "INVALID_ARGUMENT",
            4 => "DEADLINE_EXCEEDED",
            5 => "NOT_FOUND",
            6 => "ALREADY_EXISTS",
            7 => "PERMISSION_DENIED",
            8 => "RESOURCE_EXHAUSTED",
            9 => "FAILED_PRECONDITION",
            10 => "ABORTED",
            11 => "OUT_OF_RANGE",
            12 => "UNIMPLEMENTED",
            13 => "INTERNAL",
            14 => "UNAVAILABLE",
            15 => "DATA_LOSS",
            16 => "UNAUTHENTICATED",
            _ => "UNKNOWN",
        }
    }
}

/// Whether a request with this content type is a call of gRPC; `application/grpc+proto`, `application/grpc-web` are too.
pub(crate) fn is_call(content_type: Option<&[u8]>) -> bool {
    content_type.is_some_and(|value| value.starts_with(b"application/grpc"))
}

/// The message of a status, decoded: it is percent-encoded (the gRPC protocol over HTTP/2, `Percent-Encoded`).
pub(crate) fn message(headers: &HeaderMap) -> Option<String> {
    let bytes = headers.get(MESSAGE)?.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let [byte, after @ ..] = rest {
        rest = after;
        match (byte, after) {
            (b'%', [high, low, after @ ..]) => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => {
                    decoded.push(high << 4 | low);
                    rest = after;
                }
                _ => decoded.push(b'%'),
            },
            _ => decoded.push(*byte),
        }
    }
    Some(String::from_utf8_lossy(&decoded).into_owned()).filter(|text| !text.is_empty())
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// Says that the call ended in an error of the inside.
pub(crate) fn put_internal(headers: &mut HeaderMap) {
    headers.insert(STATUS, HeaderValue::from(u16::from(Code::INTERNAL.number())));
    headers.insert(MESSAGE, HeaderValue::from_static("internal error"));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(status: &str, message: &str) -> HeaderMap {
        let pairs = [(STATUS, status), (MESSAGE, message)];
        pairs.into_iter().map(|(name, value)| (name, HeaderValue::from_str(value).unwrap())).collect()
    }

    #[test]
    fn six_codes_are_the_servers_errors() {
        let server: Vec<_> = (0..=16).map(Code).filter(|code| code.is_server_error()).map(Code::name).collect();
        let expected = ["UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"];
        assert_eq!(server, expected);
        assert_eq!((Code(0).class(), Code(5).class()), (StatusClass::Success, StatusClass::ClientError));
    }

    #[test]
    fn a_code_that_nobody_knows_is_unknown() {
        for status in ["17", "-1", "x", ""] {
            assert_eq!(Code::of(&headers(status, "")), Some(Code::UNKNOWN), "{status}");
        }
        assert_eq!(Code::of(&HeaderMap::new()), None);
    }

    #[test]
    fn messages_are_decoded() {
        let of = |text| message(&headers("13", text));
        assert_eq!(of("caf%C3%A9 closed").as_deref(), Some("café closed"));
        assert_eq!(of("100%").as_deref(), Some("100%"));
        assert_eq!(of("%zz %4").as_deref(), Some("%zz %4"));
        assert_eq!(of(""), None);
    }
}
