//! What is left of things that were to be told about issues that are deleted, or whose text is erased.

use super::state::{GATHERED, Gathered};
use crate::notify::{DigestLine, Notification};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Issues of whose text nothing is to be kept.
///
/// # Example
/// ```
/// use errtrack_core::{
///     alert::{Forgotten, Left},
///     notify::{IssueFacts, Notification},
/// };
///
/// let id = uuid::Uuid::new_v4();
/// let facts = IssueFacts { id: id.to_string(), title: "ann@example.com".into(), ..IssueFacts::default() };
/// let told = serde_json::to_string(&Notification { issue: Some(facts), ..Notification::default() })?;
/// let deleted = Forgotten::new([(id, "SHOP-1".to_owned())], true);
/// assert_eq!(deleted.in_notification(&told), Left::Nothing);
/// let Left::Less(less) = Forgotten::new([(id, "SHOP-1".to_owned())], false).in_notification(&told) else { panic!() };
/// assert!(less.contains("SHOP-1") && !less.contains("ann"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Forgotten {
    /// Names by UUID.
    issues: BTreeMap<String, String>,
    /// The paths of their pages.
    paths: BTreeSet<String>,
    gone: bool,
}

/// What is left of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Left {
    /// All of it: it says nothing of these issues.
    Same,
    /// This.
    Less(String),
    /// Nothing that is worth telling.
    Nothing,
}

impl Forgotten {
    /// Issues by UUID and name (`MY-APP-42`). With `gone` nothing is told of them; else what is told has their names alone.
    pub fn new(issues: impl IntoIterator<Item = (Uuid, String)>, gone: bool) -> Self {
        let issues: BTreeMap<_, _> = issues.into_iter().map(|(id, name)| (id.to_string(), name)).collect();
        let paths = issues.values().map(|name| format!("issues/{name}")).collect();
        Self { issues, paths, gone }
    }

    /// The UUIDs, as notifications have them.
    pub fn uuids(&self) -> impl Iterator<Item = &str> {
        self.issues.keys().map(String::as_str)
    }

    /// A notification that has not arrived, as JSON. What cannot be read stays.
    #[must_use]
    pub fn in_notification(&self, json: &str) -> Left {
        let Ok(mut told) = serde_json::from_str::<Notification>(json) else { return Left::Same };
        if told.issue.is_some() {
            return self.issue(&mut told).map_or(Left::Same, |left| left.map_or(Left::Nothing, |()| less(&told)));
        }
        let (is_changed, removed) = self.lines(&mut told.digest);
        told.digest_total = told.digest_total.saturating_sub(removed);
        match is_changed {
            false => Left::Same,
            true if told.digest_total == 0 => Left::Nothing,
            true => less(&told),
        }
    }

    /// An entry of the [state](crate::store::AlertState) of alert rules.
    #[must_use]
    pub fn in_state(&self, name: &str, json: &str) -> Left {
        if !name.starts_with(GATHERED) {
            return Left::Same;
        }
        let Ok(mut gathered) = serde_json::from_str::<Gathered>(json) else { return Left::Same };
        let (is_changed, removed) = self.lines(&mut gathered.lines);
        gathered.total = gathered.total.saturating_sub(removed);
        let of_one = gathered.one.as_mut().and_then(|(_, told)| self.issue(told));
        if of_one == Some(None) {
            gathered.one = None;
        }
        match is_changed || of_one.is_some() {
            false => Left::Same,
            true if gathered.total == 0 => Left::Nothing,
            true => less(&gathered),
        }
    }

    /// `None` if it is about none of these; `Some(None)` if it is not to be told.
    fn issue(&self, told: &mut Notification) -> Option<Option<()>> {
        let facts = told.issue.as_mut()?;
        let name = self.issues.get(&facts.id)?;
        if self.gone {
            return Some(None);
        }
        facts.title.clone_from(name);
        facts.culprit.clear();
        Some(Some(()))
    }

    /// Whether lines have changed, and how many went.
    fn lines(&self, lines: &mut Vec<DigestLine>) -> (bool, u64) {
        let before = lines.len();
        if self.gone {
            lines.retain(|line| !self.paths.contains(&line.path));
            let removed = before - lines.len();
            return (removed > 0, removed as u64);
        }
        let mut is_changed = false;
        for line in lines.iter_mut().filter(|line| self.paths.contains(&line.path)) {
            line.title = line.short_id.clone().unwrap_or_default();
            is_changed = true;
        }
        (is_changed, 0)
    }
}

fn less(document: &impl serde::Serialize) -> Left {
    serde_json::to_string(document).map_or(Left::Nothing, Left::Less)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(number: i64) -> DigestLine {
        let name = format!("SHOP-{number}");
        DigestLine {
            title: format!("secret {number}"),
            path: format!("issues/{name}"),
            short_id: Some(name),
            ..DigestLine::default()
        }
    }

    fn forget(numbers: &[i64], gone: bool) -> Forgotten {
        Forgotten::new(numbers.iter().map(|n| (Uuid::from_u128(n.unsigned_abs().into()), format!("SHOP-{n}"))), gone)
    }

    #[test]
    fn digests_lose_lines_or_their_text() {
        let digest = Notification { digest: vec![line(1), line(2)], digest_total: 2, ..Notification::default() };
        let json = serde_json::to_string(&digest).unwrap();
        let left = |numbers: &[i64], gone| match forget(numbers, gone).in_notification(&json) {
            Left::Less(json) => serde_json::from_str::<Notification>(&json).unwrap(),
            other => panic!("{other:?}"),
        };
        let one = left(&[1], true);
        assert_eq!((one.digest_total, one.digest), (1, vec![line(2)]));
        let blank = left(&[2], false);
        assert_eq!((blank.digest_total, blank.digest[1].title.as_str()), (2, "SHOP-2"));
        assert_eq!(forget(&[1, 2], true).in_notification(&json), Left::Nothing);
        assert_eq!(forget(&[12], true).in_notification(&json), Left::Same);
        assert_eq!(forget(&[1], true).in_notification("{"), Left::Same);
    }

    #[test]
    fn what_is_gathered_is_forgotten_as_well() {
        let one = Notification {
            issue: Some(crate::notify::IssueFacts {
                id: Uuid::from_u128(1).to_string(),
                title: "secret 1".into(),
                ..Default::default()
            }),
            ..Notification::default()
        };
        let gathered =
            Gathered { total: 1, lines: vec![line(1)], one: Some((Uuid::nil(), one)), ..Gathered::default() };
        let json = serde_json::to_string(&gathered).unwrap();
        assert_eq!(forget(&[1], true).in_state("gathered:quiet:x:email", &json), Left::Nothing);
        assert_eq!(forget(&[1], true).in_state("channel:email", &json), Left::Same);
        let Left::Less(less) = forget(&[1], false).in_state("gathered:quiet:x:email", &json) else { panic!("less") };
        assert!(!less.contains("secret") && less.contains("SHOP-1"), "{less}");
    }
}
