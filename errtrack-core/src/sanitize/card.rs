//! Numbers of payment cards.

/// The length of the card number with which a text begins, spaces and dashes included.
///
/// The ranges of issuers keep times and ids out, of which one in ten passes the checksum.
///
/// Digits that follow after a gap, a security code or another card, are not part of it.
pub(super) fn at_start(text: &str) -> Option<usize> {
    let mut digits = [0u8; 19];
    let mut count = 0;
    let mut gap = false;
    let mut found = None;
    for (i, byte) in text.bytes().chain([b'\n']).enumerate() {
        if let b'0'..=b'9' = byte {
            let Some(digit) = digits.get_mut(count) else { break };
            *digit = byte - b'0';
            count += 1;
            gap = false;
            continue;
        }
        let is_word = matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'_' | 0x80..);
        if gap || is_word {
            break;
        }
        if digits.get(..count).is_some_and(|digits| is_issued(digits) && luhn(digits)) {
            found = Some(i);
        }
        gap = matches!(byte, b' ' | b'-') && count >= 4;
        if !gap {
            break;
        }
    }
    found
}

/// Whether issuers give out such numbers: ISO/IEC 7812 and the networks' ranges.
fn is_issued(digits: &[u8]) -> bool {
    let lead = digits.iter().take(4).fold(0u32, |sum, d| sum * 10 + u32::from(*d));
    match digits.len() {
        14 => matches!(lead, 3000..=3059 | 3600..=3699 | 3800..=3999),
        15 => matches!(lead, 3400..=3499 | 3700..=3799),
        16 => matches!(lead, 2221..=2720 | 3528..=3589 | 4000..=4999 | 5100..=5599 | 6011 | 6200..=6299 | 6440..=6599),
        19 => matches!(lead, 4000..=4999 | 6011 | 6200..=6299 | 6440..=6599),
        13 => matches!(lead, 4000..=4999),
        _ => false,
    }
}

/// The checksum of ISO/IEC 7812-1, annex B.
fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(i, d)| match (u32::from(*d), i % 2) {
            (d, 0) => d,
            (d, _) if d > 4 => d * 2 - 9,
            (d, _) => d * 2,
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cards_are_found_and_other_numbers_not() {
        for card in
            ["4111111111111111", "4111 1111 1111 1111", "5500-0000-0000-0004", "340000000000009", "4111111111111111, x"]
        {
            assert!(at_start(card).is_some(), "{card}");
        }
        for (text, length) in [
            ("4111111111111111 4111111111111111", 16),
            ("4111 1111 1111 1111 123", 19),
            ("4111 1111 1111 1111 12ab", 19),
            ("4111111111111111 - 3", 16),
        ] {
            assert_eq!(at_start(text), Some(length), "{text}");
        }
        for other in ["4111111111111112", "1700000000000", "1795218780514000", "4111", "4111111111111111x", "", "é"] {
            assert_eq!(at_start(other), None, "{other}");
        }
    }
}
