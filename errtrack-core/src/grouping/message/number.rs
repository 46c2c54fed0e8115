//! What can begin with a digit: dates, addresses, durations, plain numbers.

use super::at;

/// How a date or time is written: `9` is a digit, the rest stands for itself. The longest first.
const DATES: [&[u8]; 9] = [
    b"9999-99-99T99:99:99",
    b"9999-99-99 99:99:99",
    b"9999/99/99 99:99:99",
    b"99/Aaa/9999:99:99:99",
    b"9999-99-99",
    b"9999/99/99",
    b"99.99.9999",
    b"99/99/9999",
    b"99:99:99",
];

/// Units behind a number, glued to it or apart.
const UNITS: [&str; 26] = [
    "ns",
    "us",
    "µs",
    "μs",
    "ms",
    "s",
    "m",
    "h",
    "d",
    "sec",
    "secs",
    "second",
    "seconds",
    "min",
    "mins",
    "minute",
    "minutes",
    "hr",
    "hrs",
    "hour",
    "hours",
    "day",
    "days",
    "millis",
    "milliseconds",
    "microseconds",
];

/// The end of a date or a time that begins at a place, with fraction and zone.
pub(super) fn date_end(bytes: &[u8], start: usize) -> Option<usize> {
    let rest = bytes.get(start..)?;
    let fits = |shape: &[u8]| {
        rest.len() >= shape.len()
            && shape.iter().zip(rest).all(|(wanted, got)| match wanted {
                b'9' => got.is_ascii_digit(),
                b'A' | b'a' => got.is_ascii_alphabetic(),
                _ => wanted == got,
            })
            && !at(rest, shape.len()).is_ascii_digit()
    };
    let mut length = DATES.iter().find(|shape| fits(shape))?.len();
    if matches!(at(rest, length), b'.' | b',') && at(rest, length + 1).is_ascii_digit() {
        length += 1 + digits(rest, length + 1).min(12);
    }
    if at(rest, length) == b'Z' {
        return Some(start + length + 1);
    }
    let zone = if at(rest, length) == b' ' { length + 1 } else { length };
    if matches!(at(rest, zone), b'+' | b'-') && length >= 8 {
        let hours = digits(rest, zone + 1);
        if hours == 4 {
            length = zone + 5;
        } else if hours == 2 && at(rest, zone + 3) == b':' && digits(rest, zone + 4) == 2 {
            length = zone + 6;
        }
    }
    Some(start + length)
}

/// The end of an IPv4 address that begins at a place, with its port.
pub(super) fn ipv4_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut pos = start;
    for part in 0..4 {
        if part > 0 {
            if at(bytes, pos) != b'.' {
                return None;
            }
            pos += 1;
        }
        let count = digits(bytes, pos);
        let value = bytes.get(pos..pos + count.min(4))?.iter().fold(0u32, |sum, b| sum * 10 + u32::from(b - b'0'));
        if !(1..=3).contains(&count) || value > 255 {
            return None;
        }
        pos += count;
    }
    if at(bytes, pos) == b'.' && at(bytes, pos + 1).is_ascii_digit() {
        return None;
    }
    if at(bytes, pos) == b':' {
        let port = digits(bytes, pos + 1);
        if (1..=5).contains(&port) {
            return Some(pos + 1 + port);
        }
    }
    Some(pos)
}

/// The end of a UUID that begins at a place.
pub(super) fn uuid_end(bytes: &[u8], start: usize) -> Option<usize> {
    let candidate = bytes.get(start..start + 36)?;
    let fits = candidate.iter().enumerate().all(|(i, b)| match i {
        8 | 13 | 18 | 23 => *b == b'-',
        _ => b.is_ascii_hexdigit(),
    });
    (fits && !super::is_word(at(bytes, start + 36))).then_some(start + 36)
}

/// The end of digits with groups and a fraction: `1,234.5`.
pub(super) fn end(bytes: &[u8], start: usize) -> usize {
    let mut pos = start + digits(bytes, start);
    while matches!(at(bytes, pos), b'.' | b',' | b'_') {
        let count = digits(bytes, pos + 1);
        if count == 0 || at(bytes, pos) != b'.' && count != 3 {
            break;
        }
        pos += 1 + count;
    }
    pos
}

/// Whether a word is a unit of time.
pub(super) fn is_unit(word: &str) -> bool {
    UNITS.contains(&word)
}

fn digits(bytes: &[u8], start: usize) -> usize {
    bytes.get(start..).unwrap_or_default().iter().take_while(|b| b.is_ascii_digit()).count()
}
