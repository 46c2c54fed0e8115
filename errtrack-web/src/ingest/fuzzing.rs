//! The reports of all dialects, for the fuzz targets.

use super::{fields::Fields, legacy, native, reports, sentry, unpack};
use bytes::Bytes;
use errtrack_core::Event;
use http::{HeaderMap, HeaderValue, header};

/// The events of an envelope, as far as it can be read.
#[must_use]
pub fn envelope(body: &[u8]) -> Vec<Event> {
    sentry::fuzzing::envelope(body)
}

/// An event as it stands in an envelope.
#[must_use]
pub fn envelope_event(json: &[u8]) -> Option<Event> {
    sentry::fuzzing::event(json)
}

/// The event of a store request.
#[must_use]
pub fn store_request(body: &[u8], limit: usize) -> Option<Event> {
    sentry::fuzzing::store_request(body, limit)
}

/// Key and client that a request names by header, query and DSN.
#[must_use]
pub fn sender(header: &[u8], authorization: &[u8], uri: &str, dsn: &str) -> Option<String> {
    sentry::fuzzing::sender(header, authorization, uri, dsn)
}

/// What a body becomes that is packed as `Content-Encoding` says; nothing where it is not, or would be longer than the limit.
#[must_use]
pub fn unpacked(body: &[u8], encoding: &str, limit: usize) -> Option<Bytes> {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_ENCODING, HeaderValue::from_str(encoding).ok()?);
    unpack::unpack(Bytes::copy_from_slice(body), unpack::Encoding::of(&headers), limit).ok()
}

/// The events of a report in each of the JSON dialects that take it.
#[must_use]
pub fn report(json: &[u8]) -> Vec<Event> {
    let fields = || Fields::parse(json).ok();
    let events = [
        fields().and_then(|mut fields| native::read(&mut fields).ok()),
        fields().and_then(|mut fields| reports::read_alone(&mut fields).ok()),
        fields().and_then(|mut fields| legacy::read_alone(&mut fields).ok()),
    ];
    events.into_iter().flatten().collect()
}
