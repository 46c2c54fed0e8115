//! Releases: which of two is the later.

use std::cmp::Ordering;

/// Compares two releases by their versions, where both are versions of the same package: `shop@1.10.0` is later than
/// `shop@1.9.2`, and `2.0.0` than `2.0.0-rc.1`. `None` if they say nothing about their order, as hashes of commits do.
///
/// # Example
/// ```
/// use errtrack_core::release_order;
/// use std::cmp::Ordering;
///
/// assert_eq!(release_order("shop@1.10.0", "shop@1.9.2"), Some(Ordering::Greater));
/// assert_eq!(release_order("1.0", "f3a91c2"), None);
/// ```
#[must_use]
pub fn release_order(a: &str, b: &str) -> Option<Ordering> {
    if a == b {
        return Some(Ordering::Equal);
    }
    let ((of_a, a), (of_b, b)) = (parts(a), parts(b));
    if of_a != of_b {
        return None;
    }
    Some(Version::read(a)?.cmp(&Version::read(b)?))
}

/// The package, if it is named, and the version.
fn parts(release: &str) -> (&str, &str) {
    release.rsplit_once('@').unwrap_or(("", release))
}

/// A version as in [semver.org](https://semver.org), with one to four numbers, the missing ones being 0.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Version<'a> {
    numbers: [u64; 4],
    /// A version comes after its own pre-releases.
    is_final: bool,
    before: Vec<Identifier<'a>>,
}

/// A part of a pre-release; numbers come before words.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Identifier<'a> {
    Number(u64),
    Word(&'a str),
}

impl<'a> Version<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let text = text.split_once('+').map_or(text, |(version, _)| version);
        let (core, before) = text.split_once('-').map_or((text, None), |(core, before)| (core, Some(before)));
        let mut numbers = [0; 4];
        let mut places = numbers.iter_mut();
        for part in core.split('.') {
            if part.is_empty() || !part.bytes().all(|b| b.is_ascii_digit()) {
                return None;
            }
            *places.next()? = part.parse().ok()?;
        }
        let identifier = |part: &'a str| match part.parse() {
            Ok(number) => Identifier::Number(number),
            Err(_) => Identifier::Word(part),
        };
        let is_final = before.is_none();
        Some(Self {
            numbers,
            is_final,
            before: before.into_iter().flat_map(|b| b.split('.')).map(identifier).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_as_they_say() {
        let order = [
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-beta",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0-rc.1",
            "v1.0.0",
            "1.0.1+build.7",
            "1.2",
            "1.10.0",
            "2",
            "2.0.0.1",
            "20261121",
        ];
        for (at, a) in order.iter().enumerate() {
            for (other, b) in order.iter().enumerate() {
                assert_eq!(release_order(a, b), Some(at.cmp(&other)), "{a} and {b}");
            }
        }
        assert_eq!(release_order("1.0", "1.0.0"), Some(Ordering::Equal));
    }

    #[test]
    fn what_is_no_version_of_the_same_package_has_no_order() {
        for (a, b) in [("shop@1.0", "blog@2.0"), ("1.0", "shop@2.0"), ("f3a91c2", "1.0"), ("1..2", "1.2"), ("", "1")] {
            assert_eq!(release_order(a, b), None, "{a} and {b}");
        }
        assert_eq!(release_order("f3a91c2", "f3a91c2"), Some(Ordering::Equal));
    }
}
