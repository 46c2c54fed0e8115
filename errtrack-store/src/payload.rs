//! Payloads as they are stored: compressed, with the number of the way beside them.

use errtrack_core::Event;
use std::sync::{LazyLock, Mutex, PoisonError};
use zstd::{
    bulk::{Compressor, Decompressor},
    dict::{DecoderDictionary, EncoderDictionary},
    zstd_safe,
};

/// As it is.
const RAW: i64 = 0;
/// zstd.
const ZSTD: i64 = 1;
/// zstd with the dictionary `1.zdict`.
const ZSTD_1: i64 = 2;
/// Level 1: higher ones cost more than they save on a few kilobytes.
const LEVEL: i32 = 1;
/// A payload that claims to be larger than this when unpacked is not ours.
const LARGEST: u64 = 64 << 20;
/// Shorter ones are left alone.
const SHORTEST: usize = 64;
/// How many contexts of each kind wait for their next use.
const SPARE: usize = 4;

static DICTIONARY: &[u8] = include_bytes!("../dictionaries/1.zdict");
static ENCODER: LazyLock<EncoderDictionary<'static>> = LazyLock::new(|| EncoderDictionary::copy(DICTIONARY, LEVEL));
static DECODER: LazyLock<DecoderDictionary<'static>> = LazyLock::new(|| DecoderDictionary::copy(DICTIONARY));

/// Packs and unpacks payloads; keeps the costly contexts for the next call.
#[derive(Default)]
pub(crate) struct Codec {
    compressors: Mutex<Vec<Compressor<'static>>>,
    decompressors: Mutex<Vec<Decompressor<'static>>>,
}

impl std::fmt::Debug for Codec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Codec")
    }
}

impl Codec {
    /// Borrows a compressor for many payloads.
    pub(crate) fn packer(&self) -> Packer<'_> {
        let compressor = take(&self.compressors).or_else(|| Compressor::with_prepared_dictionary(&ENCODER).ok());
        Packer { codec: self, compressor }
    }

    /// The payload as it was; `None` if it is none of ours.
    pub(crate) fn unpack(&self, codec: i64, packed: &[u8]) -> Option<Vec<u8>> {
        match codec {
            RAW => Some(packed.to_vec()),
            // A decompressor that has the dictionary also reads frames that name none.
            ZSTD | ZSTD_1 => {
                let size = zstd_safe::get_frame_content_size(packed).ok()??;
                let size = usize::try_from(size.min(LARGEST)).ok()?;
                let mut decompressor =
                    take(&self.decompressors).or_else(|| Decompressor::with_prepared_dictionary(&DECODER).ok())?;
                let unpacked = decompressor.decompress(packed, size).ok();
                give(&self.decompressors, decompressor);
                unpacked
            }
            _ => None,
        }
    }

    /// The event of a packed payload; `None` if it cannot be read.
    pub(crate) fn event(&self, codec: i64, packed: &[u8]) -> Option<Event> {
        serde_json::from_slice(&self.unpack(codec, packed)?).ok()
    }
}

/// A compressor on loan.
pub(crate) struct Packer<'a> {
    codec: &'a Codec,
    compressor: Option<Compressor<'static>>,
}

impl Packer<'_> {
    /// Appends the packed payload to `out` and answers in which way it is packed.
    pub(crate) fn pack(&mut self, payload: &[u8], out: &mut Vec<u8>) -> i64 {
        if payload.len() >= SHORTEST
            && let Some(compressor) = &mut self.compressor
            && let Ok(packed) = compressor.compress(payload)
            && packed.len() < payload.len()
        {
            out.extend_from_slice(&packed);
            return ZSTD_1;
        }
        out.extend_from_slice(payload);
        RAW
    }
}

impl Drop for Packer<'_> {
    fn drop(&mut self) {
        if let Some(compressor) = self.compressor.take() {
            give(&self.codec.compressors, compressor);
        }
    }
}

fn take<T>(spare: &Mutex<Vec<T>>) -> Option<T> {
    spare.lock().unwrap_or_else(PoisonError::into_inner).pop()
}

fn give<T>(spare: &Mutex<Vec<T>>, context: T) {
    let mut spare = spare.lock().unwrap_or_else(PoisonError::into_inner);
    if spare.len() < SPARE {
        spare.push(context);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_come_back_as_they_were() {
        let codec = Codec::default();
        for payload in [&b""[..], b"{}", &[b'a'; 100_000], &(0..=255).collect::<Vec<u8>>()] {
            let mut packed = Vec::new();
            let way = codec.packer().pack(payload, &mut packed);
            assert!(packed.len() <= payload.len());
            assert_eq!(codec.unpack(way, &packed).as_deref(), Some(payload));
        }
    }

    #[test]
    fn what_is_damaged_or_unknown_is_refused() {
        let codec = Codec::default();
        let mut packed = Vec::new();
        let way = codec.packer().pack(&[b'a'; 1000], &mut packed);
        packed.truncate(packed.len() / 2);
        assert_eq!(codec.unpack(way, &packed), None);
        assert_eq!(codec.unpack(ZSTD, b"not zstd"), None);
        assert_eq!(codec.unpack(99, b"x"), None);
    }

    #[test]
    fn frames_without_a_dictionary_are_read() {
        let packed = zstd::bulk::compress(&[b'a'; 1000], LEVEL).unwrap();
        assert_eq!(Codec::default().unpack(ZSTD, &packed).as_deref(), Some(&[b'a'; 1000][..]));
    }
}
