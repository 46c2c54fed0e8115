//! Unpacking of bodies, with an eye on how much comes out.

use super::body::Unreadable;
use bytes::Bytes;
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use http::{HeaderMap, header};
use std::io::Read;

/// How a body is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// Not at all; also what no one knows, as Relay does it.
    Identity,
    Gzip,
    /// zlib (RFC 9110), or bare deflate, which some clients take it for.
    Deflate,
    Brotli,
    Zstd,
}

impl Encoding {
    /// What `Content-Encoding` says. Empty (Ruby) is like absent.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let name = headers.get(header::CONTENT_ENCODING).and_then(|v| v.to_str().ok()).unwrap_or_default().trim();
        let is = |known: &[&str]| known.iter().any(|k| name.eq_ignore_ascii_case(k));
        if is(&["gzip", "x-gzip"]) {
            Self::Gzip
        } else if is(&["deflate"]) {
            Self::Deflate
        } else if is(&["br"]) {
            Self::Brotli
        } else if is(&["zstd"]) {
            Self::Zstd
        } else {
            Self::Identity
        }
    }
}

/// The window that a sender of zstd over HTTP may use: 8 MiB (RFC 9659).
const ZSTD_WINDOW_LOG: u32 = 23;

/// Unpacks a body; stops as soon as more than `limit` bytes come out.
pub(crate) fn unpack(body: Bytes, encoding: Encoding, limit: usize) -> Result<Bytes, Unreadable> {
    if body.is_empty() {
        return Ok(body);
    }
    let from = body.as_ref();
    match encoding {
        Encoding::Identity if body.len() > limit => Err(Unreadable::TooLarge(limit)),
        Encoding::Identity => Ok(body),
        Encoding::Gzip => drain(MultiGzDecoder::new(from), from.len(), limit, "gzip"),
        Encoding::Deflate if is_zlib(from) => drain(ZlibDecoder::new(from), from.len(), limit, "deflate"),
        Encoding::Deflate => drain(DeflateDecoder::new(from), from.len(), limit, "deflate"),
        Encoding::Brotli => drain(brotli_decompressor::Decompressor::new(from, 4096), from.len(), limit, "br"),
        Encoding::Zstd => {
            let mut decoder = zstd::Decoder::with_buffer(from).map_err(|_| Unreadable::Encoding("zstd"))?;
            decoder.window_log_max(ZSTD_WINDOW_LOG).map_err(|_| Unreadable::Encoding("zstd"))?;
            drain(decoder, from.len(), limit, "zstd")
        }
    }
}

/// Unpacks zlib.
pub(crate) fn inflate(body: &[u8], limit: usize) -> Result<Bytes, Unreadable> {
    drain(ZlibDecoder::new(body), body.len(), limit, "zlib")
}

/// Whether bytes start as RFC 1950 says: the method, and a check over two bytes.
fn is_zlib(bytes: &[u8]) -> bool {
    match bytes {
        [method, flags, ..] => method & 0x0f == 8 && (u16::from(*method) << 8 | u16::from(*flags)).is_multiple_of(31),
        _ => false,
    }
}

fn drain(reader: impl Read, packed: usize, limit: usize, name: &'static str) -> Result<Bytes, Unreadable> {
    // JSON shrinks to a fifth; what a header promises is not believed.
    let mut unpacked = Vec::with_capacity((packed * 5).min(limit).min(1 << 20));
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    reader.take(most).read_to_end(&mut unpacked).map_err(|_| Unreadable::Encoding(name))?;
    if unpacked.len() > limit {
        return Err(Unreadable::TooLarge(limit));
    }
    Ok(unpacked.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{
        Compression,
        write::{DeflateEncoder, GzEncoder, ZlibEncoder},
    };
    use proptest::prelude::*;
    use std::io::Write;

    fn packed(text: &[u8]) -> Vec<(Encoding, Vec<u8>)> {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
        let mut raw = DeflateEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(text).unwrap();
        zlib.write_all(text).unwrap();
        raw.write_all(text).unwrap();
        vec![
            (Encoding::Identity, text.to_vec()),
            (Encoding::Gzip, gzip.finish().unwrap()),
            (Encoding::Deflate, zlib.finish().unwrap()),
            (Encoding::Deflate, raw.finish().unwrap()),
            (Encoding::Zstd, zstd::encode_all(text, 1).unwrap()),
        ]
    }

    #[test]
    fn every_encoding_is_unpacked_up_to_its_limit() {
        let text = b"{\"a\": 1}".repeat(1000);
        for (encoding, bytes) in packed(&text) {
            let bytes = Bytes::from(bytes);
            assert_eq!(unpack(bytes.clone(), encoding, 8000).unwrap(), text, "{encoding:?}");
            assert_eq!(unpack(bytes.clone(), encoding, 7999), Err(Unreadable::TooLarge(7999)), "{encoding:?}");
            if encoding != Encoding::Identity {
                let half = bytes.slice(..bytes.len() / 2);
                assert!(matches!(unpack(half, encoding, 8000), Err(Unreadable::Encoding(_))), "{encoding:?}");
            }
        }
    }

    #[test]
    fn brotli_is_unpacked() {
        let bytes = b"\x1b\x16\x00\xf8\x8d\x94\x6e\xde\x44\x55\x86\x96\x6c\x20\x6f\x21\x4f\x1c\xe0\x38";
        assert_eq!(unpack(Bytes::from_static(bytes), Encoding::Brotli, 100).unwrap(), "hello hello hello hello");
    }

    #[test]
    fn the_header_is_read_in_any_case_and_empty_means_none() {
        let of = |value: &'static str| {
            Encoding::of(&HeaderMap::from_iter([(header::CONTENT_ENCODING, http::HeaderValue::from_static(value))]))
        };
        assert_eq!(
            (of("GZip"), of(""), of("br"), of("snappy")),
            (Encoding::Gzip, Encoding::Identity, Encoding::Brotli, Encoding::Identity)
        );
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            for encoding in [Encoding::Gzip, Encoding::Deflate, Encoding::Brotli, Encoding::Zstd] {
                let _ = unpack(bytes.clone().into(), encoding, 1000);
            }
        }
    }
}
