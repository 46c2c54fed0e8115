//! What a value is, in a few words, with links to the types that have a name.

use serde_json::Value;

/// Words, some of which lead to a type.
#[derive(Debug)]
pub(super) struct Kind {
    pub(super) parts: Vec<Part>,
}

#[derive(Debug)]
pub(super) struct Part {
    pub(super) text: String,
    /// It is the name of a type.
    pub(super) is_type: bool,
}

/// What the frame of an answer is called, before the name of what it holds.
const FRAME: &str = "Frame_";

/// Whether a type is the frame of an answer, which is told once for all.
pub(super) fn is_frame(name: &str) -> bool {
    name.starts_with(FRAME)
}

/// The name that a reference ends with.
pub(super) fn name(reference: &str) -> &str {
    reference.rsplit('/').next().unwrap_or(reference)
}

impl Kind {
    /// Plain words.
    pub(super) fn text(text: &str) -> Self {
        Self { parts: vec![Part { text: text.to_owned(), is_type: false }] }
    }

    /// What a schema says.
    pub(super) fn of(schema: &Value) -> Self {
        let mut kind = Self { parts: Vec::new() };
        kind.add(schema);
        kind
    }

    fn word(&mut self, text: impl Into<String>) {
        self.parts.push(Part { text: text.into(), is_type: false });
    }

    fn add(&mut self, schema: &Value) {
        if let Some(reference) = schema["$ref"].as_str() {
            let name = name(reference);
            if let Some(held) = name.strip_prefix(FRAME) {
                self.word("{ data: ");
                self.parts.push(Part { text: held.to_owned(), is_type: true });
                self.word(", status }");
            } else {
                self.parts.push(Part { text: name.to_owned(), is_type: true });
            }
            return;
        }
        let choices = schema["oneOf"].as_array().or_else(|| schema["anyOf"].as_array());
        if let Some(choices) = choices {
            for (at, choice) in choices.iter().enumerate() {
                if at > 0 {
                    self.word(" or ");
                }
                self.add(choice);
            }
            return;
        }
        if let Some(words) = schema["enum"].as_array() {
            let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
            return self.word(words.join(", "));
        }
        match &schema["type"] {
            Value::Array(types) => {
                for (at, ty) in types.iter().filter_map(Value::as_str).enumerate() {
                    if at > 0 {
                        self.word(" or ");
                    }
                    self.plain(ty, schema);
                }
            }
            Value::String(ty) => self.plain(ty, schema),
            _ if schema["properties"].is_object() || schema["allOf"].is_array() => self.word("object"),
            _ => self.word("anything"),
        }
    }

    fn plain(&mut self, ty: &str, schema: &Value) {
        match (ty, schema["format"].as_str()) {
            ("array", _) => {
                self.word("list of ");
                self.add(&schema["items"]);
            }
            ("string", Some("date-time")) => self.word("time"),
            ("string", Some(format)) => self.word(format.to_uppercase()),
            ("object", _) if schema["additionalProperties"].is_object() => {
                self.word("object of ");
                self.add(&schema["additionalProperties"]);
            }
            ("string", None) => self.word("text"),
            (ty, _) => self.word(ty),
        }
    }
}
