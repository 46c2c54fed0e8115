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

fn write(path: &str, name: &mut String) {
    for segment in path.split('/').skip(1).take(DEEPEST) {
        name.push('/');
        name.push_str(if varies(segment) { "{id}" } else { segment });
    }
    if name.is_empty() {
        name.push('/');
    }
}

fn varies(segment: &str) -> bool {
    let digits = segment.bytes().filter(u8::is_ascii_digit).count();
    let hex = segment.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    segment.len() > LONGEST || (digits > 0 && digits == segment.len()) || (hex && digits > 0 && segment.len() >= 16)
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
    fn the_root_is_a_route_too() {
        assert_eq!(generalize("/"), "/");
        assert_eq!(generalize("*"), "/");
        with_name("/a/7", |name| assert_eq!(name, "/a/{id}"));
        with_name("/", |name| assert_eq!(name, "/", "nothing stays from the one before"));
    }
}
