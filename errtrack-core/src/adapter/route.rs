//! A route's name where the router's own is not known: the path, with what varies taken out.
//!
//! The name of a route is counted by and searched for; a name per order number would be of no use for either.

use std::cell::Cell;

/// Segments that are kept; a deeper path is no route.
const DEEPEST: usize = 12;
/// Bytes of a segment that are kept as they are; longer ones are keys.
const LONGEST: usize = 40;

/// The name under which requests count that no route answered.
pub(super) const NONE: &str = "(none)";

thread_local! {
    /// Room for a name, so that none is allocated where requests are counted.
    static ROOM: Cell<String> = const { Cell::new(String::new()) };
}

/// The path with numbers, ids and keys replaced by `{id}`.
pub(super) fn generalize(path: &str) -> String {
    let mut name = String::with_capacity(path.len());
    write(path, &mut name);
    name
}

/// Calls `f` with what [`generalize`] makes of a path. No allocation once a thread has seen a path of that length.
pub(super) fn with_name(path: &str, f: impl FnOnce(&str)) {
    let mut name = ROOM.try_with(Cell::take).unwrap_or_default();
    name.clear();
    write(path, &mut name);
    f(&name);
    // A thread at its end has no room to give it back to.
    let _ = ROOM.try_with(|room| room.set(name));
}

/// What a byte of a path is, in bits.
const SLASH: u8 = 1;
const DIGIT: u8 = 2;
/// Neither a hexadecimal digit nor a hyphen.
const WORD: u8 = 4;

const fn class(byte: u8) -> u8 {
    match byte {
        b'/' => SLASH,
        b'0'..=b'9' => DIGIT,
        b'a'..=b'f' | b'A'..=b'F' | b'-' => 0,
        _ => WORD,
    }
}

/// One pass over the bytes, and one copy of each run of segments that stay: this is on the way of requests.
fn write(path: &str, name: &mut String) {
    let bytes = path.as_bytes();
    let begin = bytes.iter().position(|byte| *byte == b'/').unwrap_or(bytes.len());
    // What is read but not written yet begins at `kept`, a segment at `start`.
    let (mut kept, mut start, mut at, mut left) = (begin, begin + 1, begin + 1, DEEPEST);
    let (mut seen, mut digits) = (0, 0);
    while left > 0 && at <= bytes.len() {
        let class = bytes.get(at).map_or(SLASH, |byte| class(*byte));
        if class == SLASH {
            let length = at - start;
            if length > LONGEST || digits > 0 && (digits == length || seen & WORD == 0 && length >= 16) {
                name.push_str(path.get(kept..start).unwrap_or_default());
                name.push_str("{id}");
                kept = at;
            }
            left -= 1;
            (seen, digits, start) = (0, 0, at + 1);
        } else {
            seen |= class;
            digits += usize::from(class == DIGIT);
        }
        at += 1;
    }
    name.push_str(path.get(kept..at.saturating_sub(1)).unwrap_or_default());
    if name.is_empty() {
        name.push('/');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_varies_is_taken_out() {
        assert_eq!(generalize("/orders/7"), "/orders/{id}");
        assert_eq!(generalize("/v1/users/67e55044-10b1-426f-9247-bb680e5fe0c8/mail"), "/v1/users/{id}/mail");
        assert_eq!(generalize("/files/0af7651916cd43dd8448eb211c80319c"), "/files/{id}");
        assert_eq!(generalize("/shop.v1.Orders/Create"), "/shop.v1.Orders/Create");
    }

    #[test]
    fn names_that_stand_as_they_are_come_out_as_they_are() {
        for path in ["/", "/orders", "/orders/", "//", "/shop.v1.Orders/Create", "/é", "/a/b/c/d/e/f/g/h/i/j/k/l"] {
            assert_eq!(generalize(path), path);
        }
        assert_eq!(generalize(&"/a".repeat(20)), "/a".repeat(DEEPEST));
        assert_eq!(generalize(&format!("/{}/x", "a".repeat(41))), "/{id}/x");
        assert_eq!(generalize("/7/8/a"), "/{id}/{id}/a");
    }

    #[test]
    fn the_root_is_a_route_too() {
        assert_eq!(generalize("/"), "/");
        assert_eq!(generalize("*"), "/");
        with_name("/a/7", |name| assert_eq!(name, "/a/{id}"));
        with_name("/", |name| assert_eq!(name, "/", "nothing stays from the one before"));
    }
}
