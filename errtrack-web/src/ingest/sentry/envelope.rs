//! The envelope: a header and items, one after the other.
//!
//! ```text
//! envelope = header NL *( item-header NL payload [NL] )
//! ```
//! See [Sentry's specification](https://develop.sentry.dev/sdk/data-model/envelopes/). Nothing is copied: payloads are parts
//! of the body.

use super::lenient::{At, Notes, Shape, Slot, object, read};
use crate::ingest::json;
use errtrack_core::{EventId, Timestamp};

/// An envelope, taken apart.
#[derive(Debug)]
pub(crate) struct Envelope<'a> {
    pub(crate) header: Header,
    pub(crate) items: Vec<Item<'a>>,
}

/// What an envelope says of itself; every part is optional.
#[derive(Debug, Default)]
pub(crate) struct Header {
    event_id: Option<String>,
    pub(crate) dsn: Option<String>,
    pub(crate) sent_at: Option<Timestamp>,
}

object!(Header {
    "event_id" => event_id,
    "dsn" => dsn,
    "sent_at" => sent_at,
});

impl Header {
    /// The id of the envelope's event.
    pub(crate) fn event_id(&self) -> Option<EventId> {
        self.event_id.as_deref()?.parse().ok()
    }
}

/// A part of an envelope.
#[derive(Debug)]
pub(crate) struct Item<'a> {
    pub(crate) kind: Kind,
    pub(crate) payload: &'a [u8],
}

/// What an item is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An error or a message.
    Event,
    /// What became of a request, or of other work.
    Transaction,
    /// Parts of such work.
    Spans,
    /// Something that is skipped.
    #[default]
    Other,
}

impl Shape for Kind {
    fn text(_: &At<'_>, value: &str) -> Option<Self> {
        Some(match value {
            "event" => Self::Event,
            "transaction" => Self::Transaction,
            "span" => Self::Spans,
            _ => Self::Other,
        })
    }
}

impl Slot for Kind {
    type Shape = Self;

    fn put(&mut self, value: Self) {
        *self = value;
    }
}

#[derive(Debug, Default)]
struct ItemHeader {
    kind: Kind,
    length: Option<usize>,
}

object!(ItemHeader {
    "type" => kind,
    "length" => length,
});

/// Why bytes are no envelope.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Invalid {
    /// There is nothing.
    Empty,
    /// The first line is not a JSON object.
    Header,
    /// The line before an item, counted from 1, is not a JSON object.
    ItemHeader(usize),
    /// An item is to be longer than what is left.
    Short {
        /// The item, counted from 1.
        item: usize,
        /// How many bytes were announced.
        length: usize,
        /// How many there are.
        left: usize,
    },
    /// An item does not end where its header says.
    Boundary(usize),
}

impl std::fmt::Display for Invalid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Empty => write!(f, "the body is empty"),
            Self::Header => write!(f, "the first line is not a JSON object"),
            Self::ItemHeader(item) => write!(f, "the header of item {item} is not a JSON object"),
            Self::Short { item, length, left } => {
                write!(f, "item {item} is announced with {length} bytes, and {left} are left")
            }
            Self::Boundary(item) => write!(f, "item {item} is longer than its header says"),
        }
    }
}

/// Takes an envelope apart.
pub(crate) fn parse(bytes: &[u8]) -> Result<Envelope<'_>, Invalid> {
    if bytes.trim_ascii().is_empty() {
        return Err(Invalid::Empty);
    }
    let (line, mut rest) = first_line(bytes);
    let header = object_of(line).ok_or(Invalid::Header)?;
    let mut items = Vec::new();
    while !rest.trim_ascii_start().is_empty() {
        let (line, after) = first_line(rest);
        rest = after;
        if line.trim_ascii().is_empty() {
            continue;
        }
        let number = items.len() + 1;
        let ItemHeader { kind, length } = object_of(line).ok_or(Invalid::ItemHeader(number))?;
        let payload = match length {
            None => {
                let (payload, after) = first_line(rest);
                rest = after;
                payload
            }
            Some(length) => {
                let (payload, after) =
                    rest.split_at_checked(length).ok_or(Invalid::Short { item: number, length, left: rest.len() })?;
                rest = match after.split_first() {
                    None => after,
                    Some((b'\n', after)) => after,
                    // The payload is of the right length, but its line goes on.
                    Some(_) if after.starts_with(b"\r\n") => after.get(2..).unwrap_or_default(),
                    Some(_) => return Err(Invalid::Boundary(number)),
                };
                payload
            }
        };
        items.push(Item { kind, payload });
    }
    Ok(Envelope { header, items })
}

/// Up to the first line feed, and what comes after it.
fn first_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|&b| b == b'\n').unwrap_or(bytes.len());
    let (line, rest) = bytes.split_at_checked(end).unwrap_or((bytes, &[]));
    (line, rest.split_first().map_or(&[], |(_, rest)| rest))
}

fn object_of<T: Shape>(line: &[u8]) -> Option<T> {
    json::with_repair(line, |line| read(line, &Notes::default())).ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn kinds(bytes: &[u8]) -> Vec<(Kind, &[u8])> {
        parse(bytes).unwrap().items.iter().map(|i| (i.kind, i.payload)).collect()
    }

    #[test]
    fn items_end_at_their_length_or_at_the_end_of_the_line() {
        let bytes = b"{}\n{\"type\":\"attachment\",\"length\":4}\na\nb\r\n{\"type\":\"event\"}\n{\"a\":1}\n\n{\"type\":\"event\",\"length\":0}\n\n{\"type\":\"log\"}\n{}";
        let expected: [(Kind, &[u8]); 4] =
            [(Kind::Other, b"a\nb\r"), (Kind::Event, b"{\"a\":1}"), (Kind::Event, b""), (Kind::Other, b"{}")];
        assert_eq!(kinds(bytes), expected);
    }

    #[test]
    fn a_header_alone_is_an_envelope() {
        let id = "{\"event_id\":\"cd0617fe-63c4-46e3-afda-00b640b4562a\",\"dsn\":null,\"trace\":3}";
        let envelope = parse(id.as_bytes()).unwrap();
        assert_eq!(envelope.header.event_id().unwrap().to_string(), "cd0617fe63c446e3afda00b640b4562a");
        assert!(envelope.items.is_empty());
        assert!(kinds(b"{}\n\n").is_empty());
    }

    #[test]
    fn what_is_wrong_is_said() {
        let cases: [(&[u8], Invalid); 6] = [
            (b"", Invalid::Empty),
            (b"\n \n", Invalid::Empty),
            (b"[]\n", Invalid::Header),
            (b"{}\n{\"type\"\n", Invalid::ItemHeader(1)),
            (b"{}\n{\"type\":\"event\",\"length\":9}\n{}", Invalid::Short { item: 1, length: 9, left: 2 }),
            (b"{}\n{\"type\":\"event\",\"length\":1}\n{}", Invalid::Boundary(1)),
        ];
        for (bytes, error) in cases {
            assert_eq!(parse(bytes).unwrap_err(), error);
        }
    }

    #[test]
    fn a_type_that_is_no_text_is_skipped() {
        assert_eq!(kinds(b"{}\n{\"type\":7}\nx\n{}\ny"), [(Kind::Other, &b"x"[..]), (Kind::Other, b"y")]);
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn no_length_makes_it_panic(length in any::<i128>(), body in "[ -~\n]{0,80}") {
            let _ = parse(format!("{{}}\n{{\"type\":\"event\",\"length\":{length}}}\n{body}").as_bytes());
        }

        #[test]
        fn what_is_put_together_comes_apart(payloads in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..50), 0..6)) {
            let mut bytes = b"{}\n".to_vec();
            for payload in &payloads {
                bytes.extend(format!("{{\"type\":\"event\",\"length\":{}}}\n", payload.len()).bytes());
                bytes.extend(payload);
                bytes.push(b'\n');
            }
            let envelope = parse(&bytes).unwrap();
            let read: Vec<_> = envelope.items.iter().map(|i| i.payload.to_vec()).collect();
            prop_assert_eq!(read, payloads);
        }
    }
}
