//! Bodies of store requests: an event alone, in whatever wrapping the older clients put it.

use super::answer::Refusal;
use crate::ingest::unpack;
use base64::{Engine as _, engine::GeneralPurposeConfig, engine::general_purpose::GeneralPurpose};
use bytes::Bytes;

/// Base64 in either padding, as both occur.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(base64::engine::DecodePaddingMode::Indifferent),
);

/// Takes an event out of base64 and zlib, in which raven clients send it; JSON stays as it is.
pub(super) fn unwrap(body: Bytes, limit: usize) -> Result<Bytes, Refusal> {
    if is_object(&body) {
        return Ok(body);
    }
    let text: Vec<u8> = body.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect();
    let Ok(decoded) = BASE64.decode(text) else { return Ok(body) };
    if is_object(&decoded) {
        return Ok(decoded.into());
    }
    Ok(unpack::inflate(&decoded, limit)?)
}

fn is_object(bytes: &[u8]) -> bool {
    bytes.trim_ascii_start().starts_with(b"{")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_base64_and_base64_of_zlib() {
        for body in ["{\"a\":1}", "eyJhIjoxfQ==", "eyJhIjoxfQ", "eJyrVkpUsjKsBQAIKgIJ", "  {\"a\":1}"] {
            assert_eq!(unwrap(Bytes::from(body), 100).unwrap().trim_ascii(), b"{\"a\":1}", "{body}");
        }
        assert_eq!(unwrap(Bytes::from("[1]"), 100).unwrap(), "[1]");
    }
}
