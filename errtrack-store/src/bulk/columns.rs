//! Rows for PostgreSQL: an array per column.

use crate::plan::Group;
use std::borrow::Cow;

/// A text without NUL, which PostgreSQL refuses.
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { text.replace('\0', "\u{fffd}").into() } else { text.into() }
}

/// Columns of integers.
pub(super) fn integers<const N: usize>(rows: &[[i64; N]]) -> [Vec<i64>; N] {
    std::array::from_fn(|column| rows.iter().filter_map(|row| row.get(column).copied()).collect())
}

/// What an issue shows, and the counts that come with it: the part in which new and old issues are alike.
#[derive(Debug, Default)]
pub(super) struct Shown<'a> {
    pub(super) counts: Vec<i64>,
    pub(super) stored: Vec<i64>,
    pub(super) first_seen: Vec<i64>,
    pub(super) last_seen: Vec<i64>,
    pub(super) levels: Vec<i64>,
    pub(super) types: Vec<Cow<'a, str>>,
    pub(super) values: Vec<Cow<'a, str>>,
    pub(super) culprits: Vec<Cow<'a, str>>,
    pub(super) sources: Vec<Option<Cow<'a, str>>>,
    pub(super) platforms: Vec<Option<Cow<'a, str>>>,
    pub(super) environments: Vec<Option<Cow<'a, str>>>,
    pub(super) first_releases: Vec<Option<Cow<'a, str>>>,
    pub(super) last_releases: Vec<Option<Cow<'a, str>>>,
}

impl<'a> Shown<'a> {
    pub(super) fn push(&mut self, group: &Group<'a>) {
        let newest = group.newest;
        let (ty, value) = newest.title();
        self.counts.push(group.count);
        self.stored.push(group.stored);
        self.first_seen.push(group.first_seen.as_micros());
        self.last_seen.push(group.last_seen().as_micros());
        self.levels.push(newest.level().to_number());
        self.types.push(clean(ty));
        self.values.push(clean(value));
        self.culprits.push(clean(newest.culprit()));
        self.sources.push(newest.source().map(clean));
        self.platforms.push(newest.platform().map(clean));
        self.environments.push(newest.environment().map(clean));
        self.first_releases.push(group.first_release.map(clean));
        self.last_releases.push(group.last_release.map(|(_, release)| clean(release)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_columns() {
        assert_eq!(integers(&[[1, 2], [3, 4], [5, 6]]), [vec![1, 3, 5], vec![2, 4, 6]]);
        assert_eq!(integers::<2>(&[]), [Vec::<i64>::new(), Vec::new()]);
        assert_eq!((clean("a\0b").as_ref(), clean("ab").as_ref()), ("a\u{fffd}b", "ab"));
    }
}
