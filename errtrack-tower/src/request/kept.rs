//! The beginning of a request's body, kept as the handler reads it.

use super::{Note, Served};
use bytes::Buf;
use errtrack_core::{Event, Mark, ScopeHandle};
use http::{HeaderMap, HeaderValue, header};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use serde_json::Value;
use std::{
    fmt,
    io::IoSlice,
    pin::Pin,
    sync::{Mutex, PoisonError},
    task::{Context, Poll, ready},
};

/// What is kept of a body.
pub(crate) struct Kept {
    most: usize,
    read: Mutex<Read>,
}

#[derive(Default)]
struct Read {
    bytes: Vec<u8>,
    /// Bytes that the handler has read.
    seen: u64,
}

impl Kept {
    /// `None` for bodies that are no text, or whose text is compressed.
    pub(super) fn new(headers: &HeaderMap, most: usize) -> Option<Box<Self>> {
        let plain = || headers.get(header::CONTENT_ENCODING).is_none_or(|coding| coding == "identity");
        let wanted = most > 0 && headers.get(header::CONTENT_TYPE).is_some_and(is_text) && plain();
        wanted.then(|| Box::new(Self { most, read: Mutex::default() }))
    }

    fn push(&self, data: &impl Buf) {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let whole = read.bytes.len() as u64 == read.seen;
        read.seen = read.seen.saturating_add(data.remaining() as u64);
        if !whole {
            return;
        }
        let mut slices = [IoSlice::new(&[]); 16];
        let filled = data.chunks_vectored(&mut slices);
        for slice in slices.iter().take(filled) {
            let room = self.most.saturating_sub(read.bytes.len());
            read.bytes.extend(slice.iter().take(room));
        }
    }

    pub(super) fn fill(&self, event: &mut Event) {
        let read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(request) = event.request.as_mut().filter(|r| r.data.is_none() && !read.bytes.is_empty()) else {
            return;
        };
        let (kept, seen) = (read.bytes.len() as u64, read.seen);
        request.data = Some(Value::String(text(&read.bytes, kept == seen).into_owned()));
        if kept < seen {
            event.truncated.push(Mark { path: "request.data".into(), what: format!("kept {kept} of {seen} bytes") });
        }
    }

    pub(super) fn size(&self) -> usize {
        self.read.lock().unwrap_or_else(PoisonError::into_inner).bytes.capacity()
    }
}

/// Text of bytes; a character that was cut in two at the end is left away.
fn text(bytes: &[u8], whole: bool) -> std::borrow::Cow<'_, str> {
    match str::from_utf8(bytes) {
        Err(error) if !whole && error.error_len().is_none() => {
            String::from_utf8_lossy(bytes.get(..error.valid_up_to()).unwrap_or_default())
        }
        _ => String::from_utf8_lossy(bytes),
    }
}

/// Text of any kind, JSON and forms. No uploads.
fn is_text(content_type: &HeaderValue) -> bool {
    let Ok(content_type) = content_type.to_str() else { return false };
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence.starts_with("text/")
        || essence == "application/json"
        || (essence.starts_with("application/") && essence.ends_with("+json"))
        || essence == "application/x-www-form-urlencoded"
}

pin_project! {
    /// Body of a request whose beginning is kept, see [`CaptureLayer::request_bodies`](crate::CaptureLayer::request_bodies).
    ///
    /// It is the body that came, and hands every frame on as it is. What the handler does not read is not read.
    pub struct RequestBody<B> {
        #[pin]
        body: B,
        // Absent in a body that is no request's.
        scope: Option<ScopeHandle>,
    }
}

impl<B> RequestBody<B> {
    pub(crate) fn new(body: B, scope: &ScopeHandle) -> Self {
        Self { body, scope: Some(scope.clone()) }
    }

    /// The body as it came.
    pub fn get_ref(&self) -> &B {
        &self.body
    }

    /// The body as it came; nothing more of it is kept.
    pub fn into_inner(self) -> B {
        self.body
    }
}

/// An empty body of which nothing is kept.
impl<B: Default> Default for RequestBody<B> {
    fn default() -> Self {
        Self { body: B::default(), scope: None }
    }
}

impl<B: Body> Body for RequestBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let this = self.project();
        let frame = ready!(this.body.poll_frame(cx));
        if let Some(served) = this.scope.as_ref().and_then(|scope| scope.request::<Served>()) {
            match &frame {
                Some(Ok(frame)) => {
                    if let (Some(kept), Some(data)) = (&served.kept, frame.data_ref()) {
                        kept.push(data);
                    }
                }
                Some(Err(_)) => served.notes.put(Note::BrokenOff),
                None => {}
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl<B> fmt::Debug for RequestBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestBody").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(content_type: &'static str, most: usize) -> Option<Box<Kept>> {
        let headers = [(header::CONTENT_TYPE, HeaderValue::from_static(content_type))];
        Kept::new(&headers.into_iter().collect(), most)
    }

    fn filled(kept: &Kept) -> (Option<String>, Vec<String>) {
        let mut event = Event::new();
        event.request = Some(errtrack_core::Request::default());
        kept.fill(&mut event);
        let data = event.request.unwrap().data.map(|data| data.as_str().unwrap().to_owned());
        (data, event.truncated.into_iter().map(|mark| mark.what).collect())
    }

    #[test]
    fn text_json_and_forms_are_kept() {
        for is_kept in [
            "text/plain",
            "Application/JSON; charset=utf-8",
            "application/problem+json",
            "application/x-www-form-urlencoded",
        ] {
            assert!(kept(is_kept, 10).is_some(), "{is_kept}");
        }
        for is_not in ["multipart/form-data; boundary=x", "application/grpc", "image/svg", "application/octet-stream"] {
            assert!(kept(is_not, 10).is_none(), "{is_not}");
        }
        assert!(kept("text/plain", 0).is_none());
    }

    #[test]
    fn no_more_than_the_limit_and_without_a_hole() {
        let kept = kept("text/plain", 5).unwrap();
        assert_eq!(filled(&kept), (None, vec![]));
        kept.push(&&b"abc"[..]);
        assert_eq!(filled(&kept), (Some("abc".into()), vec![]));
        kept.push(&b"d"[..].chain(&b"\xc3\xa9f"[..]));
        kept.push(&&b"g"[..]);
        assert_eq!(filled(&kept), (Some("abcd".into()), vec!["kept 5 of 8 bytes".into()]));
        assert!(kept.size() < 64);
    }
}
