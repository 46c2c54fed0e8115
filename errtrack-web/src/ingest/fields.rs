//! The fields of a JSON report, each checked; what is wrong is told by name.

use super::json;
use errtrack_core::{Event, Level, Map, Mark, Timestamp, event::UnknownLevel};
use serde_json::Value;
use std::{collections::BTreeMap, fmt};

/// The fields that have not been taken yet.
#[derive(Debug, Default)]
pub(crate) struct Fields(Map);

impl From<Map> for Fields {
    fn from(map: Map) -> Self {
        Self(map)
    }
}

/// A field that is not what it has to be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    field: String,
    why: String,
}

impl Wrong {
    pub(crate) fn new(field: &str, why: impl Into<String>) -> Self {
        Self { field: field.to_owned(), why: why.into() }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.why)
    }
}

type Result<T> = std::result::Result<T, Wrong>;

impl Fields {
    /// Reads a body; the error is a sentence.
    pub(crate) fn parse(body: &[u8]) -> std::result::Result<Self, String> {
        json::object(body).map(Self)
    }

    pub(crate) fn from_value(value: Value) -> Option<Self> {
        if let Value::Object(map) = value { Some(Self(map)) } else { None }
    }

    /// Anything; absent if null.
    pub(crate) fn any(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name).filter(|value| !value.is_null())
    }

    /// Whether it is there, and null.
    pub(crate) fn is_null(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(Value::is_null)
    }

    /// A text.
    pub(crate) fn text(&mut self, name: &str) -> Result<Option<String>> {
        match self.any(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Wrong::new(name, "must be a string")),
        }
    }

    /// A text that must be there and say something.
    pub(crate) fn required(&mut self, name: &str) -> Result<String> {
        match self.text(name)? {
            None => Err(Wrong::new(name, "is required")),
            Some(text) if text.trim().is_empty() => Err(Wrong::new(name, "must not be empty")),
            Some(text) => Ok(text),
        }
    }

    /// A text of at most so many characters.
    pub(crate) fn short(&mut self, name: &str, most: usize) -> Result<Option<String>> {
        let text = self.text(name)?;
        text.map(|text| within(name, text, most)).transpose()
    }

    /// A text that must be there, of at most so many characters.
    pub(crate) fn required_short(&mut self, name: &str, most: usize) -> Result<String> {
        within(name, self.required(name)?, most)
    }

    /// A name: a text, or a number as ids often are.
    pub(crate) fn name(&mut self, name: &str) -> Result<Option<String>> {
        match self.any(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text).filter(|t| !t.is_empty())),
            Some(Value::Number(number)) => Ok(Some(number.to_string())),
            Some(_) => Err(Wrong::new(name, "must be a string")),
        }
    }

    /// Whether it is there, `null` too.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// A whole number.
    pub(crate) fn number(&mut self, name: &str) -> Result<Option<i64>> {
        let number =
            self.any(name).map(|value| value.as_i64().ok_or_else(|| Wrong::new(name, "must be a whole number")));
        number.transpose()
    }

    /// A list of texts, which must be there.
    pub(crate) fn texts_of(&mut self, name: &str) -> Result<Vec<String>> {
        let wrong = || Wrong::new(name, "must be a list of texts");
        let Some(Value::Array(list)) = self.any(name) else { return Err(wrong()) };
        list.into_iter().map(|value| if let Value::String(text) = value { Ok(text) } else { Err(wrong()) }).collect()
    }

    /// An object.
    pub(crate) fn object(&mut self, name: &str) -> Result<Map> {
        match self.any(name) {
            None => Ok(Map::new()),
            Some(Value::Object(map)) => Ok(map),
            Some(_) => Err(Wrong::new(name, "must be an object")),
        }
    }

    /// An object of plain values.
    pub(crate) fn texts(&mut self, name: &str) -> Result<BTreeMap<String, String>> {
        let plain = |(key, value)| match value {
            Value::String(text) => Ok(Some((key, text))),
            Value::Number(_) | Value::Bool(_) => Ok(Some((key, value.to_string()))),
            Value::Null => Ok(None),
            _ => Err(Wrong::new(name, format!("the value of `{key}` must be a string"))),
        };
        self.object(name)?.into_iter().filter_map(|entry| plain(entry).transpose()).collect()
    }

    /// A text or a list of texts.
    pub(crate) fn list(&mut self, name: &str) -> Result<Vec<String>> {
        let wrong = || Wrong::new(name, "must be a string or a list of strings");
        match self.any(name) {
            None => Ok(Vec::new()),
            Some(Value::String(text)) => Ok(vec![text]),
            Some(Value::Array(list)) => list
                .into_iter()
                .map(|entry| if let Value::String(text) = entry { Ok(text) } else { Err(wrong()) })
                .collect(),
            Some(_) => Err(wrong()),
        }
    }

    /// One of some words.
    pub(crate) fn one_of(&mut self, name: &str, words: &[&str]) -> Result<Option<String>> {
        match self.text(name)? {
            Some(text) if !words.contains(&text.as_str()) => {
                Err(Wrong::new(name, format!("must be one of {}", words.join(", "))))
            }
            text => Ok(text),
        }
    }

    /// A level by any of its names.
    pub(crate) fn level(&mut self, name: &str) -> Result<Option<Level>> {
        let text = self.text(name)?;
        text.map(|text| text.parse().map_err(|e: UnknownLevel| Wrong::new(name, e.to_string()))).transpose()
    }

    /// A time as in RFC 3339, or in seconds since 1970.
    pub(crate) fn time(&mut self, name: &str) -> Result<Option<Timestamp>> {
        let wrong = || Wrong::new(name, "must be a time as in RFC 3339, like 2026-11-20T22:41:07Z");
        match self.any(name) {
            None => Ok(None),
            Some(Value::String(text)) => text.trim().parse().map(Some).map_err(|_| wrong()),
            Some(Value::Number(number)) => {
                number.as_f64().and_then(Timestamp::from_seconds).map(Some).ok_or_else(wrong)
            }
            Some(_) => Err(wrong()),
        }
    }
}

fn within(name: &str, text: String, most: usize) -> Result<String> {
    if text.len() > most && text.chars().count() > most {
        return Err(Wrong::new(name, format!("must not be longer than {most} characters")));
    }
    Ok(text)
}

/// Cuts a text to so many characters, and marks on the event that it did.
pub(crate) fn cut(event: &mut Event, path: &str, text: &mut String, most: usize) {
    if text.len() <= most {
        return;
    }
    let Some((at, _)) = text.char_indices().nth(most) else { return };
    let all = text.chars().count();
    text.truncate(at);
    event.truncated.push(Mark { path: path.to_owned(), what: format!("kept {most} of {all} characters") });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_told_by_name() {
        let mut fields =
            Fields::parse(br#"{"a": 1, "b": " ", "c": [1], "d": "x", "e": {"k": []}, "f": "soon"}"#).unwrap();
        assert_eq!(fields.text("a").unwrap_err().to_string(), "a: must be a string");
        assert_eq!(fields.required("b").unwrap_err().to_string(), "b: must not be empty");
        assert_eq!(fields.required("z").unwrap_err().to_string(), "z: is required");
        assert_eq!(fields.list("c").unwrap_err().to_string(), "c: must be a string or a list of strings");
        assert_eq!(fields.object("d").unwrap_err().to_string(), "d: must be an object");
        assert_eq!(fields.texts("e").unwrap_err().to_string(), "e: the value of `k` must be a string");
        assert!(fields.time("f").is_err());
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        let (mut event, mut text) = (Event::default(), "äöü".to_owned());
        cut(&mut event, "message", &mut text, 2);
        assert_eq!((text.as_str(), event.truncated[0].what.as_str()), ("äö", "kept 2 of 3 characters"));
    }
}
