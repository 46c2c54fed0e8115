//! The fields of an event or a span, noted in the cheapest form.
//!
//! Values are written one after another into a buffer that lies in the note itself, each with the number of its field; the
//! names are those of the callsite. Most notes are never read; those that are become JSON on the tracker's thread.

use crate::convert;
use errtrack_core::{Breadcrumb, BreadcrumbSource, Map, Timestamp, hosted};
use serde_json::Value;
use std::fmt;
use tracing_core::{Metadata, field::Field};

/// Bytes that lie in the note itself.
const INLINE: usize = 112;
/// Bytes of all values of a note; a hundred notes are held per request.
const MOST: usize = 8 << 10;

/// The fields of an event or a span.
pub(crate) struct Note {
    metadata: &'static Metadata<'static>,
    at: Timestamp,
    used: usize,
    inline: [u8; INLINE],
    /// Everything, once it is more than fits inline.
    more: Vec<u8>,
}

/// How a value is written.
#[derive(Clone, Copy)]
enum Tag {
    Text = 0,
    Signed = 1,
    Unsigned = 2,
    Float = 3,
    Bool = 4,
}

impl Note {
    pub(crate) fn new(metadata: &'static Metadata<'static>, at: Timestamp) -> Self {
        Self { metadata, at, used: 0, inline: [0; INLINE], more: Vec::new() }
    }

    /// Takes over newer values of the same span; they replace older ones of the same field.
    pub(crate) fn update(&mut self, newer: &Self) {
        let mut merged = Self::new(self.metadata, self.at);
        for record in records(self.bytes()).filter(|old| records(newer.bytes()).all(|new| new.field != old.field)) {
            merged.push(record.whole);
        }
        merged.push(newer.bytes());
        *self = merged;
    }

    pub(crate) fn metadata(&self) -> &'static Metadata<'static> {
        self.metadata
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.used == 0
    }

    pub(crate) fn text(&mut self, field: &Field, value: &str) {
        self.write(field, |text| fmt::Write::write_str(text, value));
    }

    /// Notes what a formatter of the host's writes, as far as it comes.
    pub(crate) fn written(&mut self, field: &Field, write: impl FnOnce(&mut Text<'_>) -> fmt::Result) {
        self.write(field, |text| {
            hosted(|| write(text)).unwrap_or_else(|| fmt::Write::write_str(text, " (it panicked here)"))
        });
    }

    /// Notes what is written, cut where the note is full.
    fn write(&mut self, field: &Field, write: impl FnOnce(&mut Text<'_>) -> fmt::Result) {
        self.head(field, Tag::Text);
        let length_at = self.used;
        self.push(&[0; 2]);
        let begins = self.used;
        // An error here is our own refusal to take more.
        let _ = write(&mut Text(self));
        let length = u16::try_from(self.used.saturating_sub(begins)).unwrap_or(u16::MAX).to_le_bytes();
        if let Some(place) = self.bytes_mut().get_mut(length_at..).and_then(<[u8]>::first_chunk_mut) {
            *place = length;
        }
    }

    pub(crate) fn signed(&mut self, field: &Field, value: i64) {
        self.number(field, Tag::Signed, value.to_le_bytes());
    }

    pub(crate) fn unsigned(&mut self, field: &Field, value: u64) {
        self.number(field, Tag::Unsigned, value.to_le_bytes());
    }

    pub(crate) fn float(&mut self, field: &Field, value: f64) {
        self.number(field, Tag::Float, value.to_le_bytes());
    }

    pub(crate) fn bool(&mut self, field: &Field, value: bool) {
        self.number(field, Tag::Bool, u64::from(value).to_le_bytes());
    }

    fn number(&mut self, field: &Field, tag: Tag, bytes: [u8; 8]) {
        self.head(field, tag);
        self.push(&bytes);
    }

    fn head(&mut self, field: &Field, tag: Tag) {
        self.push(&[u8::try_from(field.index()).unwrap_or(u8::MAX), tag as u8]);
    }

    /// Texts are cut at [`MOST`]; what is beyond it are heads and numbers, of which there are as many as fields.
    fn push(&mut self, bytes: &[u8]) {
        let end = self.used + bytes.len();
        match self.inline.get_mut(self.used..end) {
            Some(room) if self.more.is_empty() => room.copy_from_slice(bytes),
            _ => {
                if self.more.is_empty() {
                    self.more.reserve(2 * end);
                    self.more.extend(self.inline.iter().take(self.used));
                }
                self.more.extend_from_slice(bytes);
            }
        }
        self.used = end;
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        if self.more.is_empty() { &mut self.inline } else { &mut self.more }
    }

    fn bytes(&self) -> &[u8] {
        if self.more.is_empty() { self.inline.get(..self.used).unwrap_or_default() } else { &self.more }
    }

    /// The values by the names of their fields, in the order in which they were recorded.
    pub(crate) fn values(&self) -> impl Iterator<Item = (&'static str, Value)> {
        records(self.bytes()).filter_map(|record| {
            let name = self.metadata.fields().iter().nth(usize::from(record.field))?.name();
            Some((name, record.value()))
        })
    }

    /// Adds the values to an object; of two of one name the later wins.
    pub(crate) fn add_to(&self, fields: &mut Map) {
        fields.extend(self.values().map(|(name, value)| (name.to_owned(), value)));
    }
}

/// One value as it is written.
struct Written<'a> {
    field: u8,
    tag: u8,
    bytes: &'a [u8],
    /// With its head.
    whole: &'a [u8],
}

fn records(bytes: &[u8]) -> impl Iterator<Item = Written<'_>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (&[field, tag], body) = rest.split_first_chunk()?;
        let (bytes, tail) = if tag == Tag::Text as u8 {
            let (&length, text) = body.split_first_chunk()?;
            text.split_at_checked(usize::from(u16::from_le_bytes(length)))?
        } else {
            body.split_at_checked(8)?
        };
        let whole = rest.get(..rest.len() - tail.len())?;
        rest = tail;
        Some(Written { field, tag, bytes, whole })
    })
}

impl Written<'_> {
    fn value(&self) -> Value {
        let number = self.bytes.first_chunk().copied().unwrap_or_default();
        match self.tag {
            0 => String::from_utf8_lossy(self.bytes).into(),
            1 => i64::from_le_bytes(number).into(),
            2 => u64::from_le_bytes(number).into(),
            3 => f64::from_le_bytes(number).into(),
            _ => (u64::from_le_bytes(number) == 1).into(),
        }
    }
}

/// The end of a note, as something to format into.
pub(crate) struct Text<'a>(&'a mut Note);

impl fmt::Write for Text<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut end = text.len().min(MOST.saturating_sub(self.0.used));
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        self.0.push(text.as_bytes().get(..end).unwrap_or_default());
        if end == text.len() { Ok(()) } else { Err(fmt::Error) }
    }
}

impl BreadcrumbSource for Note {
    fn breadcrumb(&self) -> Breadcrumb {
        convert::breadcrumb(self, self.at)
    }
}

impl fmt::Debug for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.values()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convert::tests::{fields_of, noted};

    #[test]
    fn every_kind_of_value_comes_back() {
        let long = "ä".repeat(200);
        let note = noted(|| {
            tracing::info!(a = -1, b = 2_u64, c = 0.5, d = true, e = "text", f = ?Some(1), g = %long, "said {}", "so");
        });
        let expected = serde_json::json!({
            "a": -1, "b": 2, "c": 0.5, "d": true, "e": "text", "f": "Some(1)", "g": long, "message": "said so"
        });
        assert_eq!(Value::Object(fields_of(&note)), expected);
    }

    #[test]
    fn an_endless_text_is_cut_and_what_comes_after_it_is_kept() {
        let note = noted(|| tracing::info!(a = %"x".repeat(100_000), b = 7));
        let fields = fields_of(&note);
        assert!(fields["a"].as_str().unwrap().len() <= MOST);
        assert_eq!(fields["b"], 7);
    }

    #[test]
    fn a_field_that_is_recorded_again_and_again_takes_no_more_room() {
        let mut note = noted(|| tracing::info!(count = 0, name = "loop"));
        let newer = noted(|| tracing::info!(count = 1, name = "loop"));
        for _ in 0..10_000 {
            note.update(&newer);
        }
        assert!(note.used < INLINE);
        assert_eq!(fields_of(&note)["count"], 1);
    }
}
