//! Ownership: which member looks after what, by path, tag and the like.
//!
//! One rule a line: patterns, and then the addresses of the owners. The first line that applies to an event decides.
//!
//! ```text
//! # payments
//! path:src/billing/*  →  ann@example.com bob@example.com
//! tag:team=payments   →  ann@example.com
//! type:*Timeout route:"GET /orders/*"  jun@example.com
//! ```
//!
//! A pattern compares what a [rule](crate::rules) does, and in the same way: `type`, `message`, `path`, `function`, `module`,
//! `target`, `route`, `url`, `status`, `level`, `environment`, `release`, `tag:NAME=…`; a star stands for any text. All patterns
//! of a line must apply. What holds a space stands in quotes. The arrow, or `->`, may be left out.

use crate::{
    Event,
    rules::{Field, Rule, Rules},
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Bytes of the text.
const LARGEST: usize = 64 << 10;
/// Owners of one line.
const MOST_OWNERS: usize = 20;

/// Who owns what in a project.
///
/// # Example
/// ```
/// use errtrack_core::{Event, ownership::Ownership};
///
/// let ownership = Ownership::parse("tag:team=payments → ann@example.com")?;
/// let mut event = Event::new();
/// assert!(ownership.owners(&event).is_empty());
/// event.tags.insert("team".into(), "payments".into());
/// assert_eq!(ownership.owners(&event), ["ann@example.com"]);
/// let wrong = Ownership::parse("\npath:src/* ann").unwrap_err();
/// assert_eq!(wrong.to_string(), "line 2: `ann` is neither a pattern like `path:src/*` nor an address");
/// # Ok::<(), errtrack_core::ownership::InvalidOwnership>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Ownership {
    text: String,
    assigns: bool,
    rules: Rules,
    /// Those of each rule, and the number of its line.
    owners: Vec<(usize, Vec<String>)>,
}

/// As it is stored.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Document {
    text: String,
    assigns: bool,
}

/// Why the text of an ownership was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidOwnership {
    line: Option<usize>,
    what: String,
}

impl InvalidOwnership {
    /// Which line is wrong, from 1; `None` if it is the whole.
    #[must_use]
    pub const fn line(&self) -> Option<usize> {
        self.line
    }

    /// What is wrong with it.
    #[must_use]
    pub fn what(&self) -> &str {
        &self.what
    }
}

impl fmt::Display for InvalidOwnership {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.what),
            None => f.write_str(&self.what),
        }
    }
}

impl std::error::Error for InvalidOwnership {}

impl Ownership {
    /// Reads its text: at most 64 KiB, and what [`Rules::new`] takes.
    ///
    /// # Errors
    /// A line is wrong, or there is too much of it.
    pub fn parse(text: &str) -> Result<Self, InvalidOwnership> {
        let of_all = |what: String| InvalidOwnership { line: None, what };
        if text.len() > LARGEST {
            return Err(of_all(format!("it is larger than {} KiB", LARGEST >> 10)));
        }
        let (mut rules, mut owners) = (Vec::new(), Vec::<(usize, Vec<String>)>::new());
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (rule, own) = read(line).map_err(|what| InvalidOwnership { line: Some(number), what })?;
            rules.push(rule);
            owners.push((number, own));
        }
        let rules = Rules::new(rules).map_err(|error| InvalidOwnership {
            line: error.rule().and_then(|index| owners.get(index)).map(|(line, _)| *line),
            what: match error.part() {
                Some(part) => format!("the pattern of {part} {}", error.what()),
                None => format!("the patterns {}", error.what()),
            },
        })?;
        Ok(Self { text: text.to_owned(), assigns: false, rules, owners })
    }

    /// Whether a new issue is assigned to the first owner of its event; else owners are only shown.
    #[must_use]
    pub fn assign(mut self, assigns: bool) -> Self {
        self.assigns = assigns;
        self
    }

    /// Whether a new issue is assigned.
    #[must_use]
    pub const fn assigns(&self) -> bool {
        self.assigns
    }

    /// The text, as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether nobody owns anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The addresses of the owners of an event, in the order of the line that decides; none if no line applies.
    #[must_use]
    pub fn owners(&self, event: &Event) -> &[String] {
        let owners = self.rules.first(event).and_then(|index| self.owners.get(index));
        owners.map(|(_, owners)| owners.as_slice()).unwrap_or_default()
    }

    /// The owners of each line that names some, with the number of the line, from 1.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &[String])> {
        self.owners.iter().map(|(line, owners)| (*line, owners.as_slice()))
    }

    /// As it is stored.
    pub(crate) fn to_json(&self) -> String {
        let document = Document { text: self.text.clone(), assigns: self.assigns };
        serde_json::to_string(&document).unwrap_or_default()
    }

    /// What [`to_json`](Self::to_json) wrote; `None` for what a later version did.
    pub(crate) fn from_json(json: &str) -> Option<Self> {
        let document: Document = serde_json::from_str(json).ok()?;
        Some(Self::parse(&document.text).ok()?.assign(document.assigns))
    }
}

/// Reads a line.
fn read(line: &str) -> Result<(Rule, Vec<String>), String> {
    let (mut rule, mut patterns, mut owners) = (Rule::new(), 0, Vec::new());
    for word in words(line)? {
        if word == "→" || word == "->" {
            continue;
        }
        if let Some((field, pattern)) = pattern(&word)? {
            if !owners.is_empty() {
                return Err(format!("the pattern `{word}` stands behind an owner"));
            }
            rule = rule.when(field, pattern);
            patterns += 1;
        } else if is_address(&word) {
            let owner = word.to_lowercase();
            if !owners.contains(&owner) {
                owners.push(owner);
            }
        } else {
            return Err(format!("`{word}` is neither a pattern like `path:src/*` nor an address"));
        }
    }
    if patterns == 0 {
        return Err("has no pattern".into());
    }
    if owners.is_empty() {
        return Err("has no owner".into());
    }
    if owners.len() > MOST_OWNERS {
        return Err(format!("has more than {MOST_OWNERS} owners"));
    }
    Ok((rule.ignore(), owners))
}

/// `path:src/*`, `tag:team=payments`.
fn pattern(word: &str) -> Result<Option<(Field, String)>, String> {
    let Some((name, pattern)) = word.split_once(':') else { return Ok(None) };
    let (field, pattern) = if name == "tag" {
        let pair = pattern.split_once('=').filter(|(tag, _)| !tag.is_empty());
        let (tag, value) = pair.ok_or_else(|| format!("`{word}` must be like `tag:team=payments`"))?;
        (Field::Tag(tag.to_owned()), value)
    } else {
        let field = name.parse().map_err(|error| format!("`{name}`: {error}"))?;
        (field, pattern)
    };
    if pattern.is_empty() { Err(format!("`{word}` has no pattern")) } else { Ok(Some((field, pattern.to_owned()))) }
}

fn is_address(word: &str) -> bool {
    let parts = word.split_once('@');
    parts.is_some_and(|(name, host)| !name.is_empty() && !host.is_empty() && !host.contains('@')) && word.len() <= 200
}

/// The words of a line; a quote holds spaces together.
fn words(line: &str) -> Result<Vec<String>, String> {
    let (mut words, mut word, mut quoted, mut begun) = (Vec::new(), String::new(), false, false);
    for c in line.chars() {
        match c {
            '"' => (quoted, begun) = (!quoted, true),
            c if c.is_whitespace() && !quoted => {
                if begun {
                    words.push(std::mem::take(&mut word));
                }
                begun = false;
            }
            c => {
                word.push(c);
                begun = true;
            }
        }
    }
    if quoted {
        return Err("has a quote that does not end".into());
    }
    if begun {
        words.push(word);
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Exception, Frame, Stacktrace};

    fn at(path: &str, tags: &[(&str, &str)]) -> Event {
        let mut event = Event::new();
        let mut exception = Exception::new("Timeout", "slow");
        let frame = Frame { filename: Some(path.into()), ..Frame::default() };
        exception.stacktrace = Some(Stacktrace { frames: vec![frame] });
        event.exceptions.push(exception);
        event.tags = tags.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        event
    }

    #[test]
    fn the_first_line_that_applies_decides() {
        let text = "# who\n\npath:src/billing/*  →  Ann@example.com bob@example.com ann@example.com\n\
                    tag:team=payments -> ann@example.com\n\
                    type:Time* path:\"src/my orders/*\" jun@example.com\n";
        let ownership = Ownership::parse(text).unwrap();
        assert_eq!(ownership.owners(&at("src/billing/pay.rs", &[])), ["ann@example.com", "bob@example.com"]);
        assert_eq!(ownership.owners(&at("src/x.rs", &[("team", "payments")])), ["ann@example.com"]);
        assert_eq!(ownership.owners(&at("src/my orders/x.rs", &[])), ["jun@example.com"]);
        assert!(ownership.owners(&at("src/x.rs", &[("team", "other")])).is_empty());
        assert_eq!(ownership.text(), text);
        assert!(Ownership::parse("  \n# nobody").unwrap().is_empty());
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, error) in [
            ("path:src/* → ", "line 1: has no owner"),
            ("\nann@example.com", "line 2: has no pattern"),
            ("a:b ann@example.com", "line 1: `a`: "),
            ("tag:team ann@example.com", "line 1: `tag:team` must be like `tag:team=payments`"),
            ("path: ann@example.com", "line 1: `path:` has no pattern"),
            ("path:\"a ann@example.com", "line 1: has a quote that does not end"),
            ("path:a ann@example.com path:b", "line 1: the pattern `path:b` stands behind an owner"),
            ("path:a b@example.com\n#\nmessage:re:( ann@example.com", "line 3: the pattern of message "),
            ("path:a @", "line 1: `@` is neither"),
        ] {
            let told = Ownership::parse(text).unwrap_err().to_string();
            assert!(told.starts_with(error), "{text}: {told}");
        }
        let many = "path:a b@example.com\n".repeat(201);
        assert_eq!(Ownership::parse(&many).unwrap_err().line(), None);
        assert!(Ownership::parse(&"#".repeat(LARGEST + 1)).is_err());
    }

    #[test]
    fn what_is_stored_is_read_back() {
        let ownership = Ownership::parse("level:error ann@example.com").unwrap().assign(true);
        let read = Ownership::from_json(&ownership.to_json()).unwrap();
        assert_eq!((read.text(), read.assigns()), (ownership.text(), true));
        assert!(Ownership::from_json("[").is_none());
    }
}
