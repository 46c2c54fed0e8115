//! The fingerprint that a rule gives: texts with variables.

use super::field::Field;
use crate::{Event, grouping::is_default};

/// Parts that one fingerprint may have.
const MOST: usize = 20;
/// Characters of one part.
const LONGEST: usize = 500;
/// Characters that a part may have once its variables stand for something.
const LONGEST_VALUE: usize = 1_000;

/// A fingerprint whose variables were found.
#[derive(Debug, Clone)]
pub(super) struct Parts(Vec<Part>);

#[derive(Debug, Clone)]
enum Part {
    /// What would decide without the rule.
    Default,
    Pieces(Vec<Piece>),
}

#[derive(Debug, Clone)]
enum Piece {
    Text(String),
    Of(Field),
}

impl Parts {
    /// Reads the parts; the error says what is wrong with them.
    pub(super) fn parse(parts: &[String]) -> Result<Self, String> {
        if parts.iter().all(|part| part.trim().is_empty()) {
            return Err("needs at least one part".into());
        }
        if parts.len() > MOST {
            return Err(format!("has more than {MOST} parts"));
        }
        parts.iter().map(|part| self::part(part)).collect::<Result<_, _>>().map(Self)
    }

    /// Whether it stands for what would decide without the rule, and for nothing else.
    pub(super) fn is_default(&self) -> bool {
        self.0.iter().all(|part| matches!(part, Part::Default))
    }

    /// The parts for an event; `{{ default }}` stays as it is.
    pub(super) fn of(&self, event: &Event) -> Vec<String> {
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Of(field) => field.value(event),
        };
        let part = |part: &Part| match part {
            Part::Default => "{{ default }}".to_owned(),
            Part::Pieces(pieces) => {
                let text: String = pieces.iter().map(piece).collect();
                match text.char_indices().nth(LONGEST_VALUE) {
                    Some((end, _)) => text.get(..end).unwrap_or_default().to_owned(),
                    None => text,
                }
            }
        };
        self.0.iter().map(part).collect()
    }
}

fn part(text: &str) -> Result<Part, String> {
    if text.chars().count() > LONGEST {
        return Err(format!("has a part longer than {LONGEST} characters"));
    }
    if is_default(text) {
        return Ok(Part::Default);
    }
    let (mut pieces, mut rest) = (Vec::new(), text);
    while let Some((before, behind)) = rest.split_once("{{") {
        let Some((name, after)) = behind.split_once("}}") else {
            return Err(format!("`{text}` opens a variable and does not close it"));
        };
        if !before.is_empty() {
            pieces.push(Piece::Text(before.to_owned()));
        }
        pieces.push(Piece::Of(variable(name.trim())?));
        rest = after;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest.to_owned()));
    }
    Ok(Part::Pieces(pieces))
}

fn variable(name: &str) -> Result<Field, String> {
    if name == "default" {
        return Err("`{{ default }}` must be a part of its own".into());
    }
    name.parse().map_err(|error| format!("`{{{{ {name} }}}}` {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Exception, Frame, Stacktrace};

    fn of(parts: &[&str], event: &Event) -> Vec<String> {
        Parts::parse(&parts.iter().map(|part| (*part).to_owned()).collect::<Vec<_>>()).unwrap().of(event)
    }

    #[test]
    fn variables_stand_for_what_the_event_has() {
        let mut event = Event::new();
        let mut exception = Exception::new("sqlx::Error", "order 4711 timed out");
        let frame = Frame {
            function: Some("shop::pay::<T>::take::h0123456789abcdef".into()),
            filename: Some("src/pay.rs".into()),
            in_app: Some(true),
            ..Frame::default()
        };
        exception.stacktrace = Some(Stacktrace { frames: vec![frame] });
        event.exceptions.push(exception);
        event.platform = Some("rust".into());
        event.tags.insert("plan".into(), "pro".into());
        assert_eq!(of(&["db", "{{ type }}"], &event), ["db", "sqlx::Error"]);
        assert_eq!(of(&["{{tags.plan}}-{{ level }}!", "{{ logger }}"], &event), ["pro-error!", ""]);
        assert_eq!(of(&["{{ default }}", "x"], &event), ["{{ default }}", "x"]);
        let message = of(&["{{ message }}"], &event);
        assert!(!message[0].contains("4711") && message[0].contains("timed out"), "{message:?}");
        assert_eq!(of(&["{{ function }} in {{ path }}"], &event), ["shop::pay::take in pay.rs"]);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let wrong = |part: &str| Parts::parse(&[part.to_owned()]).unwrap_err();
        assert!(wrong(" ").contains("at least one part"));
        assert!(wrong("{{ tipe }}").contains("`{{ tipe }}` is none of type, message"), "{}", wrong("{{ tipe }}"));
        assert!(wrong("a {{ type").contains("does not close it"));
        assert!(wrong("a {{ default }}").contains("a part of its own"));
        assert!(wrong(&"x".repeat(501)).contains("longer than 500"));
        assert!(Parts::parse(&vec!["x".to_owned(); 21]).unwrap_err().contains("more than 20"));
        assert!(Parts::parse(&[]).is_err());
    }
}
