//! A name and a value, as tables and lists of facts show them.

use crate::pages::text::{self, Rich};
use errtrack_core::Map;
use serde_json::Value;

/// Characters of one value; the whole is in the API.
const LONGEST: usize = 4_000;
/// Rows of one table.
const MOST: usize = 200;

/// One row.
#[derive(Debug, Clone)]
pub(in crate::pages) struct Field {
    pub(in crate::pages) name: String,
    pub(in crate::pages) value: Rich,
    /// Several lines, to be shown as they stand.
    pub(in crate::pages) block: bool,
}

/// A table with a heading.
#[derive(Debug, Clone)]
pub(in crate::pages) struct Section {
    pub(in crate::pages) title: String,
    pub(in crate::pages) rows: Vec<Field>,
}

impl Field {
    pub(super) fn new(name: &str, value: &str) -> Self {
        Self::cut(name, value, LONGEST)
    }

    fn cut(name: &str, value: &str, most: usize) -> Self {
        let value = text::block(value, most);
        Self { name: text::line(name, 100), block: value.contains('\n'), value: text::rich(&value) }
    }

    fn of_json(name: &str, value: &Value) -> Self {
        Self::new(name, &written(value))
    }
}

/// The entries of a JSON object.
pub(super) fn of_map(map: &Map) -> Vec<Field> {
    map.iter().take(MOST).map(|(name, value)| Field::of_json(name, value)).collect()
}

/// The entries of a JSON object of which there are many on a page: variables.
pub(super) fn short_of_map(map: &Map) -> Vec<Field> {
    map.iter().take(MOST).map(|(name, value)| Field::cut(name, &written(value), 500)).collect()
}

/// The entries of a map of texts.
pub(super) fn of_texts<'a>(pairs: impl IntoIterator<Item = (&'a String, &'a String)>) -> Vec<Field> {
    pairs.into_iter().take(MOST).map(|(name, value)| Field::new(name, value)).collect()
}

/// JSON as a person reads it: text without quotes, what is short on one line.
pub(super) fn written(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(_) | Value::Object(_) => {
            let short = value.to_string();
            if short.len() <= 80 { short } else { serde_json::to_string_pretty(value).unwrap_or(short) }
        }
        value => value.to_string(),
    }
}
