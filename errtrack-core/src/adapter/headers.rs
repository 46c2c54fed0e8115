//! The headers that are kept of a request.

use super::HEADERS;
use std::fmt;

/// Bytes of values that have room beside each other.
const ROOM: usize = 256;
/// Says that there is no value in a place.
const NONE: (u16, u16) = (u16::MAX, 0);

/// Values of the headers in [`HEADERS`], copied from a request: most are so short that a copy costs less than to count a
/// reference and to let it go again. No allocation, unless they are longer than 256 bytes together.
///
/// # Example
/// ```
/// use errtrack_core::adapter::{HeaderValues, header_position};
///
/// let mut values = HeaderValues::default();
/// values.put(header_position("host").unwrap(), b"shop.example");
/// assert_eq!(values.iter().collect::<Vec<_>>(), [("host", &b"shop.example"[..])]);
/// ```
pub struct HeaderValues {
    text: [u8; ROOM],
    used: u16,
    /// From where to where each value reaches.
    places: [(u16, u16); HEADERS.len()],
    /// Those for which there was no room.
    long: Vec<(usize, Box<[u8]>)>,
}

impl Default for HeaderValues {
    fn default() -> Self {
        Self { text: [0; ROOM], used: 0, places: [NONE; HEADERS.len()], long: Vec::new() }
    }
}

impl HeaderValues {
    /// Keeps the value of the header in that place of [`HEADERS`]; the first of several stays.
    pub fn put(&mut self, at: usize, value: &[u8]) {
        if self.get(at).is_some() {
            return;
        }
        let Some(place) = self.places.get_mut(at) else { return };
        let start = usize::from(self.used);
        let end = start.saturating_add(value.len());
        match (self.text.get_mut(start..end), u16::try_from(end)) {
            (Some(room), Ok(end)) => {
                room.copy_from_slice(value);
                *place = (self.used, end);
                self.used = end;
            }
            _ => self.long.push((at, value.into())),
        }
    }

    /// The value of the header in that place of [`HEADERS`].
    #[must_use]
    pub fn get(&self, at: usize) -> Option<&[u8]> {
        let (start, end) = *self.places.get(at)?;
        let short = self.text.get(usize::from(start)..usize::from(end));
        short.or_else(|| self.long.iter().find(|(place, _)| *place == at).map(|(_, value)| &**value))
    }

    /// Names and values, in the order of [`HEADERS`].
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &[u8])> {
        HEADERS.into_iter().enumerate().filter_map(|(at, name)| Some((name, self.get(at)?)))
    }
}

impl fmt::Debug for HeaderValues {
    /// Names alone: a value may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(|(name, _)| name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_value_of_a_place_stays_an_empty_one_too() {
        let mut values = HeaderValues::default();
        values.put(2, b"");
        values.put(2, b"b");
        values.put(5, b"c");
        values.put(99, b"nowhere");
        assert_eq!(values.iter().collect::<Vec<_>>(), [("host", &b""[..]), ("user-agent", b"c")]);
        assert_eq!((values.get(0), values.get(99)), (None, None));
    }

    #[test]
    fn values_of_any_length_are_kept_whole() {
        let mut values = HeaderValues::default();
        let long = vec![b'a'; 100_000];
        for (at, length) in [(0, 200), (1, 100), (2, 56), (3, 1), (4, 100_000), (5, 70_000), (6, 0)] {
            values.put(at, &long[..length]);
        }
        for (at, length) in [(0, 200), (1, 100), (2, 56), (3, 1), (4, 100_000), (5, 70_000), (6, 0)] {
            assert_eq!(values.get(at).map(<[u8]>::len), Some(length), "{at}");
        }
    }
}
