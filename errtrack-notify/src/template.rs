//! Templates for the body of a webhook.
//!
//! `{{ path }}` is replaced by what stands there in the webhook's own body (`{{ subject }}`, `{{ notification.issue.title }}`):
//! a text without its quotes, escaped as within a JSON string; anything else as JSON; nothing where there is none. In
//! `{{ json path }}` a text keeps its quotes.

use serde_json::Value;

/// Bytes of a template.
const MOST: usize = 16 << 10;

/// A template that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Value { path: Vec<String>, quoted: bool },
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// What is wrong with it, for people: braces that are not closed, an empty name, too long, or that what it makes is no JSON.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        if text.len() > MOST {
            return Err(format!("longer than {MOST} bytes"));
        }
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let (inside, after) = after.split_once("}}").ok_or("`{{` without `}}`")?;
            let inside = inside.trim();
            let (inside, quoted) = inside.strip_prefix("json ").map_or((inside, false), |path| (path.trim(), true));
            let is_name = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            let path: Vec<String> = inside.split('.').map(str::to_owned).collect();
            if !path.iter().all(|name| is_name(name)) {
                return Err(format!("`{{{{ {inside} }}}}` is no name like `notification.issue.title`"));
            }
            pieces.push(Piece::Text(before.to_owned()));
            pieces.push(Piece::Value { path, quoted });
            rest = after;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        let template = Self(pieces);
        if serde_json::from_str::<Value>(&template.fill(&Value::Null)).is_err()
            && serde_json::from_str::<Value>(&template.fill(&sample(&template))).is_err()
        {
            return Err("what it makes is no JSON".into());
        }
        Ok(template)
    }

    /// Fills it in.
    #[must_use]
    pub(crate) fn fill(&self, body: &Value) -> String {
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(piece) => text.push_str(piece),
                Piece::Value { path, quoted } => {
                    let found = path.iter().try_fold(body, |at, name| match at {
                        Value::Array(list) => list.get(name.parse::<usize>().ok()?),
                        at => at.get(name),
                    });
                    match found {
                        None | Some(Value::Null) if *quoted => text.push_str("null"),
                        None | Some(Value::Null) => {}
                        Some(value @ Value::String(_)) if !quoted => {
                            let json = value.to_string();
                            let within = json.strip_prefix('"').and_then(|json| json.strip_suffix('"'));
                            text.push_str(within.unwrap_or_default());
                        }
                        Some(value) => text.push_str(&value.to_string()),
                    }
                }
            }
        }
        text
    }
}

/// A body in which each of the template's names is a number, for where one stands without quotes.
fn sample(template: &Template) -> Value {
    let mut body = Value::Null;
    for piece in &template.0 {
        if let Piece::Value { path, .. } = piece {
            put(&mut body, path);
        }
    }
    body
}

fn put(at: &mut Value, path: &[String]) {
    match path.split_first() {
        Some((name, rest)) => {
            let mut within = at.get_mut(name).map_or(Value::Null, Value::take);
            put(&mut within, rest);
            if !at.is_object() {
                *at = Value::Object(serde_json::Map::new());
            }
            if let Some(object) = at.as_object_mut() {
                object.insert(name.clone(), within);
            }
        }
        None if at.is_null() => *at = 1.into(),
        None => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn filled(template: &str, body: &Value) -> String {
        Template::read(template).unwrap().fill(body)
    }

    #[test]
    fn what_is_filled_in_cannot_leave_its_string() {
        let body = json!({"subject": "a\",\"admin\":true,\"b\":\"\n{{ url }}", "n": 7, "list": ["x"]});
        let text = filled(
            r#"{"text":"Error: {{ subject }}!","n":{{n}},"raw":{{ json subject }},"one":"{{ list.0 }}"}"#,
            &body,
        );
        let read: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read["text"], format!("Error: {}!", body["subject"].as_str().unwrap()));
        assert_eq!((&read["n"], &read["raw"], &read["one"]), (&json!(7), &body["subject"], &json!("x")));
        assert_eq!(read.as_object().unwrap().len(), 4);
    }

    #[test]
    fn what_is_not_there_is_nothing() {
        let text = filled(r#"{"a":"{{ no.such.thing }}","b":{{ json no }}}"#, &json!({"subject": "x"}));
        assert_eq!(text, r#"{"a":"","b":null}"#);
    }

    #[test]
    fn a_template_that_is_none_is_refused_with_the_reason() {
        for (template, why) in [
            ("{\"a\":\"{{ subject\"}", "without"),
            ("{\"a\":\"{{ }}\"}", "`{{  }}` is no name like `notification.issue.title`"),
            ("{\"a\":\"{{ a-b }}\"}", "`{{ a-b }}` is no name like `notification.issue.title`"),
            ("{\"a\":{{ subject }}", "what it makes is no JSON"),
            ("hello {{ subject }}", "what it makes is no JSON"),
        ] {
            assert!(Template::read(template).unwrap_err().contains(why), "{template}");
        }
        assert!(Template::read(&"x".repeat(20_000)).is_err());
    }
}
