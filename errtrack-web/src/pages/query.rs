//! The query of the issue list: terms like `is:unresolved level:error release:1.4 "timed out"`.
//!
//! The text is the truth: chips, tabs and menus are links to the same text with a term more or less.

mod lex;

use errtrack_core::{Level, Project, Status, Timestamp, store::IssueQuery};
use std::time::Duration;

pub(super) use lex::quote;

/// What is asked for where nothing is said.
pub(super) const DEFAULT: &str = "is:unresolved";
/// Terms in one query; each costs a condition in the store.
const MOST_TERMS: usize = 20;
/// Characters of a query.
const LONGEST: usize = 2_000;

/// One term.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Term {
    /// What stands before the colon; empty for a word.
    pub(super) key: String,
    /// The rest, without quotes.
    pub(super) value: String,
    /// The term as it was written.
    pub(super) text: String,
}

/// A query taken apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Query {
    pub(super) terms: Vec<Term>,
}

/// Which term was not understood, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Misunderstood {
    pub(super) term: String,
    pub(super) hint: String,
}

impl Misunderstood {
    fn new(term: &str, hint: impl Into<String>) -> Self {
        Self { term: term.to_owned(), hint: hint.into() }
    }
}

impl Query {
    pub(super) fn parse(text: &str) -> Result<Self, Misunderstood> {
        if text.chars().count() > LONGEST {
            return Err(Misunderstood::new("the query", format!("is longer than {LONGEST} characters")));
        }
        let terms = lex::terms(text)?;
        match terms.get(MOST_TERMS) {
            Some(extra) => {
                Err(Misunderstood::new(&extra.text, format!("is one too many: {MOST_TERMS} terms are the most")))
            }
            None => Ok(Self { terms }),
        }
    }

    /// The text of the query without the term at an index.
    pub(super) fn without(&self, index: usize) -> String {
        join(self.terms.iter().enumerate().filter(|(i, _)| *i != index).map(|(_, term)| term.text.as_str()))
    }

    /// The text of the query with another value of a key, or none.
    pub(super) fn with(&self, key: &str, value: Option<&str>) -> String {
        let term = value.map(|value| format!("{key}:{}", quote(value)));
        let others = self.terms.iter().filter(|term| term.key != key).map(|term| term.text.as_str());
        join(term.as_deref().into_iter().chain(others))
    }

    /// The value of the first term with that key.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.terms.iter().find(|term| term.key == key).map(|term| term.value.as_str())
    }

    /// Whether it narrows the list by more than status and project.
    pub(super) fn filters(&self) -> bool {
        self.terms.iter().any(|term| term.key != "is" && term.key != "project")
    }

    /// The query in the words of the store.
    pub(super) fn to_store(&self, projects: &[Project], now: Timestamp) -> Result<IssueQuery, Misunderstood> {
        let mut query = IssueQuery::default();
        let mut said = Vec::new();
        for term in &self.terms {
            let wrong = |hint: &str| Misunderstood::new(&term.text, hint);
            let once = ["is", "source", "since", "until"].contains(&term.key.as_str());
            if once && said.contains(&&term.key) {
                return Err(wrong(&format!("comes after another `{}:`; one of them can hold", term.key)));
            }
            said.push(&term.key);
            match term.key.as_str() {
                "" => query.words.push(term.value.clone()),
                "is" if term.value == "regressed" => {
                    (query.status, query.regressed) = (Some(Status::Unresolved), true);
                }
                "is" => {
                    let hint = "is no status: try is:unresolved, is:regressed, is:resolved or is:ignored";
                    query.status = Some(status(&term.value).ok_or_else(|| wrong(hint))?);
                }
                "level" => query.levels.push(term.value.parse::<Level>().map_err(|_| {
                    wrong("is no level: try level:fatal, level:error, level:warning, level:info or level:debug")
                })?),
                "source" => query.source = Some(term.value.clone()),
                "project" => {
                    let project = projects.iter().find(|p| p.slug == term.value.to_lowercase());
                    let slugs = || projects.iter().map(|p| p.slug.as_str()).take(8).collect::<Vec<_>>().join(", ");
                    let project = project.ok_or_else(|| wrong(&format!("is no project: there is {}", slugs())))?;
                    query.projects.get_or_insert_default().push(project.id);
                }
                "since" => query.since = Some(moment(&term.value, now).ok_or_else(|| wrong(MOMENT))?),
                "until" => query.until = Some(moment(&term.value, now).ok_or_else(|| wrong(MOMENT))?),
                key => query.tags.push((tag(key).to_owned(), term.value.clone())),
            }
        }
        Ok(query)
    }
}

const MOMENT: &str = "is no time: try an age like 24h, 7d or 2w, or a date like 2026-11-20";

fn join<'a>(terms: impl Iterator<Item = &'a str>) -> String {
    terms.collect::<Vec<_>>().join(" ")
}

fn status(value: &str) -> Option<Status> {
    value.parse().ok().or(matches!(value, "open" | "new").then_some(Status::Unresolved))
}

/// The tag that a short key stands for.
fn tag(key: &str) -> &str {
    match key {
        "env" => "environment",
        "server" => "server_name",
        "route" => "transaction",
        key => key,
    }
}

/// An age (`24h`, `7d`, `2w`), a date, or a time.
fn moment(value: &str, now: Timestamp) -> Option<Timestamp> {
    if let Some((number, unit)) = value.char_indices().last().and_then(|(at, _)| value.split_at_checked(at)) {
        let seconds = match unit {
            "m" => 60,
            "h" => 3_600,
            "d" => 86_400,
            "w" => 604_800,
            _ => 0,
        };
        if let (true, Ok(number)) = (seconds > 0, number.parse::<u32>()) {
            return Some(now.minus(Duration::from_secs(u64::from(number) * seconds)));
        }
    }
    value.parse().or_else(|_| format!("{value}T00:00:00Z").parse()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use errtrack_core::ProjectId;

    fn shop() -> Vec<Project> {
        let (slug, name, public_keys) = ("shop".into(), "Shop".into(), vec![]);
        vec![Project { id: ProjectId(7), slug, name, platform: None, public_keys }]
    }

    fn ask(text: &str) -> Result<IssueQuery, Misunderstood> {
        Query::parse(text)?.to_store(&shop(), Timestamp::from_micros(1_795_218_780_000_000))
    }

    #[test]
    fn terms_become_conditions() {
        let query =
            ask(r#"is:resolved level:error level:fatal env:production project:shop source:backend user:"u 1" pool "timed out""#)
                .unwrap();
        assert_eq!(query.status, Some(Status::Resolved));
        assert_eq!(query.levels, [Level::Error, Level::Fatal]);
        assert_eq!(query.projects, Some(vec![ProjectId(7)]));
        assert_eq!(query.source.as_deref(), Some("backend"));
        let tags = [("environment".to_owned(), "production".to_owned()), ("user".into(), "u 1".into())];
        assert_eq!(query.tags, tags);
        assert_eq!(query.words, ["pool", "timed out"]);
    }

    #[test]
    fn regressed_ones_are_open() {
        let query = ask("is:regressed").unwrap();
        assert_eq!((query.status, query.regressed), (Some(Status::Unresolved), true));
    }

    #[test]
    fn moments_are_ages_dates_and_times() {
        assert_eq!(ask("since:24h").unwrap().since.unwrap().to_string(), "2026-11-19T23:53:00Z");
        assert_eq!(ask("until:2026-11-01").unwrap().until.unwrap().to_string(), "2026-11-01T00:00:00Z");
    }

    #[test]
    fn wrong_terms_are_named_with_what_would_be_right() {
        let wrong = |text: &str| {
            let Misunderstood { term, hint } = ask(text).unwrap_err();
            format!("{term} {hint}")
        };
        let all = ["is:opne", "level:bad", "project:shpo", "since:soon", "is:resolved is:ignored", "a \"b", "env:"];
        insta::assert_snapshot!(all.map(wrong).join("\n"), @r#"
        is:opne is no status: try is:unresolved, is:regressed, is:resolved or is:ignored
        level:bad is no level: try level:fatal, level:error, level:warning, level:info or level:debug
        project:shpo is no project: there is shop
        since:soon is no time: try an age like 24h, 7d or 2w, or a date like 2026-11-20
        is:ignored comes after another `is:`; one of them can hold
        "b has no closing quote
        env: needs a value after the colon
        "#);
        assert!(ask(&"a ".repeat(21)).is_err());
        assert!(ask(&"a".repeat(2_001)).is_err());
    }

    #[test]
    fn terms_are_taken_out_and_replaced() {
        let query = Query::parse(r#"is:unresolved env:"a b" x"#).unwrap();
        assert_eq!(query.without(1), "is:unresolved x");
        assert_eq!(query.with("is", Some("resolved")), r#"is:resolved env:"a b" x"#);
        assert_eq!(query.with("is", None), r#"env:"a b" x"#);
    }
}
