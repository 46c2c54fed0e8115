//! What Sentry SDKs send, for the fuzz targets.

use super::{
    auth::{Auth, dsn_parts},
    envelope::{self, Kind},
    event::{self, Circumstances},
    store,
};
use bytes::Bytes;
use errtrack_core::Event;
use http::{HeaderMap, HeaderValue, Uri, header};

pub(in crate::ingest) fn envelope(body: &[u8]) -> Vec<Event> {
    let Ok(envelope) = envelope::parse(body) else { return Vec::new() };
    let _ = envelope.header.dsn.as_deref().and_then(dsn_parts);
    let about = Circumstances {
        id: envelope.header.event_id(),
        sent_at: envelope.header.sent_at,
        peer: Some([192, 0, 2, 7].into()),
        client: Some("client/1".into()),
    };
    let events = envelope.items.iter().filter(|item| item.kind == Kind::Event);
    events.filter_map(|item| event::parse(item.payload, &about).ok().flatten()).collect()
}

pub(in crate::ingest) fn event(json: &[u8]) -> Option<Event> {
    event::parse(json, &Circumstances::default()).ok().flatten()
}

pub(in crate::ingest) fn store_request(body: &[u8], limit: usize) -> Option<Event> {
    event(&store::unwrap(Bytes::copy_from_slice(body), limit).ok()?)
}

pub(in crate::ingest) fn sender(header: &[u8], authorization: &[u8], uri: &str, dsn: &str) -> Option<String> {
    let mut headers = HeaderMap::new();
    headers.insert("x-sentry-auth", HeaderValue::from_bytes(header).ok()?);
    headers.insert(header::AUTHORIZATION, HeaderValue::from_bytes(authorization).ok()?);
    let mut auth = Auth::find(&headers, &uri.parse::<Uri>().ok()?).ok()?;
    if let Some((key, _)) = dsn_parts(dsn) {
        auth.take_key(key).ok()?;
    }
    auth.key
}
