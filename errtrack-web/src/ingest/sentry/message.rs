//! The message of an event: a text, or a template with parameters.

use super::lenient::{At, Object, Shape, fill};
use errtrack_core::Message;
use serde::de::MapAccess;
use serde_json::Value;

/// `message`, `logentry` or `sentry.interfaces.Message`.
#[derive(Debug, Default)]
pub(super) struct LogEntry {
    message: Option<String>,
    formatted: Option<String>,
    params: Value,
}

impl LogEntry {
    fn field<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A, at: &At<'_>) -> Result<bool, A::Error> {
        let at = &at.field(name);
        match name {
            "message" => fill(&mut self.message, map, at)?,
            "formatted" => fill(&mut self.formatted, map, at)?,
            "params" => fill(&mut self.params, map, at)?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// [`LogEntry`] in all of its forms.
#[derive(Debug, Default)]
pub(super) struct AnyMessage(LogEntry);

impl Shape for AnyMessage {
    /// `false` is how some clients of PHP say that there is none.
    fn bool(_: &At<'_>, _: bool) -> Option<Self> {
        None
    }

    fn int(_: &At<'_>, value: i64) -> Option<Self> {
        Some(Self(LogEntry { formatted: Some(value.to_string()), ..LogEntry::default() }))
    }

    fn text(_: &At<'_>, value: &str) -> Option<Self> {
        Some(Self(LogEntry { formatted: Some(value.to_owned()), ..LogEntry::default() }))
    }

    fn object<'de, A: MapAccess<'de>>(at: &At<'_>, map: A) -> Result<Option<Self>, A::Error> {
        Ok(Fields::object(at, map)?.map(|Fields(entry)| Self(entry)))
    }
}

#[derive(Default)]
struct Fields(LogEntry);

impl Object for Fields {
    fn field<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A, at: &At<'_>) -> Result<bool, A::Error> {
        self.0.field(name, map, at)
    }
}

/// Makes one message of the two fields in which a client may have put it.
pub(super) fn join(message: Option<AnyMessage>, entry: Option<AnyMessage>) -> Option<Message> {
    let AnyMessage(message) = message.unwrap_or_default();
    let AnyMessage(entry) = entry.unwrap_or_default();
    let template = entry.message.or(message.message);
    let formatted = entry.formatted.or(message.formatted);
    let params = if entry.params.is_null() { message.params } else { entry.params };
    let text = match (formatted, &template) {
        (Some(formatted), _) => formatted,
        (None, Some(template)) => interpolate(template, &params),
        (None, None) => return None,
    };
    if text.is_empty() {
        return None;
    }
    let template = template.filter(|t| *t != text);
    Some(Message { text, template, params })
}

/// Fills parameters into `%s`, `%(name)s`, `{}`, `{0}` and `{name}`. What has no parameter stays as it is.
fn interpolate(template: &str, params: &Value) -> String {
    let is_empty = params.as_array().is_none_or(Vec::is_empty) && params.as_object().is_none_or(|o| o.is_empty());
    if is_empty {
        return template.to_owned();
    }
    let mut text = String::with_capacity(template.len() + 32);
    let (mut rest, mut next) = (template, 0);
    while let Some(at) = rest.find(['%', '{']) {
        let (before, from) = rest.split_at(at);
        text.push_str(before);
        let (length, value) = placeholder(from, params, &mut next);
        match value {
            Some(value) => text.push_str(&value),
            None => text.extend(from.get(..length)),
        }
        rest = from.get(length..).unwrap_or_default();
    }
    text.push_str(rest);
    text
}

/// The placeholder that a text starts with: how long it is, and what stands for it.
fn placeholder(text: &str, params: &Value, next: &mut usize) -> (usize, Option<String>) {
    if text.starts_with("%%") {
        return (2, Some("%".into()));
    }
    if let Some(named) = text.strip_prefix("%(")
        && let Some((name, after)) = named.split_once(')')
        && after.starts_with(conversion)
    {
        return (name.len() + 4, param(params, name));
    }
    if text.strip_prefix('%').is_some_and(|after| after.starts_with(conversion)) {
        *next += 1;
        return (2, param(params, &(*next - 1).to_string()));
    }
    if let Some((name, _)) = text.strip_prefix('{').and_then(|inner| inner.split_once('}'))
        && name.len() <= 64
        && name.chars().all(|c| c.is_alphanumeric() || c == '_')
    {
        if name.is_empty() {
            *next += 1;
            return (2, param(params, &(*next - 1).to_string()));
        }
        return (name.len() + 2, param(params, name));
    }
    (1, None)
}

fn conversion(c: char) -> bool {
    "sdifrxXgGeEuoc".contains(c)
}

fn param(params: &Value, name: &str) -> Option<String> {
    let value = match params {
        Value::Array(list) => list.get(name.parse::<usize>().ok()?)?,
        Value::Object(map) => map.get(name)?,
        _ => return None,
    };
    Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn parameters_are_filled_in() {
        let cases = [
            ("Hello %s, %d%%", json!(["Ana", 3]), "Hello Ana, 3%"),
            ("%(who)s left", json!({"who": "Ana"}), "Ana left"),
            ("{} and {}", json!(["a", "b"]), "a and b"),
            ("{1} and {who} {", json!(["a", "b"]), "b and {who} {"),
            ("100% of %s", json!(["it"]), "100% of it"),
            ("nothing %s", json!([]), "nothing %s"),
            ("é%", json!(["x"]), "é%"),
        ];
        for (template, params, text) in cases {
            assert_eq!(interpolate(template, &params), text);
        }
    }
}
