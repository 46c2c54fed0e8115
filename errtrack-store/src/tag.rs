//! Texts as they are stored, and tags as they are tallied: cut, cleaned and numbered.

use std::borrow::Cow;

/// Stands for all values of a tag beyond the first hundred.
pub(crate) const OTHER: &str = "\u{1f}";
/// Distinct values that are kept per tag and issue.
pub(crate) const VALUES: i64 = 100;
/// Characters of a tag's value that are kept in tallies.
const VALUE_LENGTH: usize = 200;
/// Bits of a number that tell values apart; those above tell keys apart.
const VALUE_BITS: u32 = 39;

/// A tag's name as it is tallied.
pub(crate) fn tag_key(key: &str) -> Cow<'_, str> {
    clean(key)
}

/// A tag's value as it is tallied: at most 200 characters.
pub(crate) fn tag_value(value: &str) -> Cow<'_, str> {
    let end = if value.len() <= VALUE_LENGTH { None } else { value.char_indices().nth(VALUE_LENGTH) };
    clean(end.and_then(|(end, _)| value.get(..end)).unwrap_or(value))
}

/// The number of a tag. It need only be unique among the few thousand tags of one issue.
pub(crate) fn tag_number(key: &str, value: &str) -> i64 {
    let (first, last) = tag_numbers(key);
    (first | (hash(value.as_bytes()).cast_signed() & (last - first))).max(first + 1)
}

/// The first and the last number of a key's tags. The first is that of [`OTHER`].
pub(crate) fn tag_numbers(key: &str) -> (i64, i64) {
    let first = (hash(key.as_bytes()) >> (VALUE_BITS + 1)).cast_signed() << VALUE_BITS;
    (first, first | ((1 << VALUE_BITS) - 1))
}

/// The number of [`OTHER`] among the tags of the same key.
pub(crate) const fn other_number(tag: i64) -> i64 {
    tag >> VALUE_BITS << VALUE_BITS
}

/// FNV-1a with its bits mixed at the end. It is part of what is stored and must not change.
fn hash(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325, step);
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^ (hash >> 33)
}

/// Without NUL, which some databases refuse in a text, and others take for its end.
pub(crate) fn stored(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// Without NUL, which some databases refuse, and [`OTHER`].
fn clean(text: &str) -> Cow<'_, str> {
    if text.contains(['\0', '\u{1f}']) { text.replace(['\0', '\u{1f}'], "\u{fffd}").into() } else { text.into() }
}

#[cfg(test)]
mod tests {
    use super::{other_number, tag_number, tag_numbers};

    #[test]
    fn numbers_of_a_key_stand_together() {
        for (key, value) in [("color", "red"), ("color", ""), ("", "red"), ("größe", "xl")] {
            let (first, last) = tag_numbers(key);
            let tag = tag_number(key, value);
            assert!(0 <= first && first < tag && tag <= last, "{key}={value}");
            assert_eq!(other_number(tag), first);
        }
        assert_ne!(tag_number("color", "red"), tag_number("color", "blue"));
        assert_ne!(tag_numbers("color"), tag_numbers("size"));
    }

    #[test]
    fn numbers_never_change() {
        assert_eq!(tag_number("environment", "production"), 877_218_666_829_566_942);
    }
}
