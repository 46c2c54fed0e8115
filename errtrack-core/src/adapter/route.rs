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
    if is_name(path) {
        return f(path);
    }
    let mut name = ROOM.try_with(Cell::take).unwrap_or_default();
    name.clear();
    write(path, &mut name);
    f(&name);
    // A thread at its end has no room to give it back to.
    let _ = ROOM.try_with(|room| room.set(name));
}

/// Whether a path is a name as it stands; `false` for some that are, too.
fn is_name(path: &str) -> bool {
    let bytes = path.as_bytes();
    let slashes = bytes.iter().filter(|byte| **byte == b'/').count();
    let digits = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
    bytes.first() == Some(&b'/') && digits == 0 && slashes <= DEEPEST && bytes.len() <= LONGEST
}

/// One pass over the bytes: this is on the way of requests.
fn write(path: &str, name: &mut String) {
    let bytes = path.as_bytes();
    let mut at = bytes.iter().position(|byte| *byte == b'/').unwrap_or(bytes.len());
    let mut left = DEEPEST;
    while left > 0 && at < bytes.len() {
        let start = at + 1;
        let (mut digits, mut is_hex) = (0, true);
        at = start;
        while let Some(byte) = bytes.get(at).filter(|byte| **byte != b'/') {
            digits += usize::from(byte.is_ascii_digit());
            is_hex &= byte.is_ascii_hexdigit() || *byte == b'-';
            at += 1;
        }
        let length = at - start;
        let varies = length > LONGEST || digits > 0 && (digits == length || is_hex && length >= 16);
        name.push('/');
        name.push_str(if varies { "{id}" } else { path.get(start..at).unwrap_or_default() });
        left -= 1;
    }
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
        for path in [
            "/",
            "/orders",
            "/orders/",
            "//",
            "/shop.v1.Orders/Create",
            "/é",
            "*",
            "",
            "/7",
            "/a/b/c/d/e/f/g/h/i/j/k/l/m",
        ] {
            with_name(path, |name| assert_eq!(name, generalize(path)));
        }
        assert_eq!(generalize("/orders/"), "/orders/");
        assert_eq!(generalize(&"/a".repeat(20)), "/a".repeat(DEEPEST));
        assert_eq!(generalize(&format!("/{}/x", "a".repeat(41))), "/{id}/x");
    }

    #[test]
    fn the_root_is_a_route_too() {
        assert_eq!(generalize("/"), "/");
        assert_eq!(generalize("*"), "/");
        with_name("/a/7", |name| assert_eq!(name, "/a/{id}"));
        with_name("/", |name| assert_eq!(name, "/", "nothing stays from the one before"));
    }
}
