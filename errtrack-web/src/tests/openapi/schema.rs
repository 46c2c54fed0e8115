//! Checks values against the schemas of a description: as much of JSON Schema as the document uses, and one rule more: a field
//! that is not described is wrong.

use errtrack_core::Timestamp;
use http::HeaderMap;
use regex::Regex;
use serde_json::{Map, Value};

pub(super) struct Schemas<'a> {
    document: &'a Value,
}

/// An operation of the document.
pub(super) struct Operation<'a> {
    pub(super) name: String,
    /// In capitals.
    pub(super) method: String,
    path: &'a str,
    about: &'a Value,
}

impl Operation<'_> {
    /// That a path, with its query, is one of this operation and uses only what is described.
    pub(super) fn assert_is(&self, path: &str) {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let parts = |path: &str| path.split('/').map(str::to_owned).collect::<Vec<_>>();
        let (own, asked) = (parts(self.path), parts(path));
        let fits = own.iter().zip(&asked).all(|(own, asked)| own == asked || own.contains('{'));
        assert!(fits && own.len() == asked.len(), "{path} is not {}", self.path);
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let name = pair.split('=').next().unwrap();
            let known = self.about["parameters"].as_array().unwrap().iter().any(|p| p["name"] == name);
            assert!(known, "{} does not know {name}", self.name);
        }
    }
}

impl<'a> Schemas<'a> {
    pub(super) fn new(document: &'a Value) -> Self {
        Self { document }
    }

    pub(super) fn operations(&self) -> Vec<Operation<'a>> {
        let paths = self.document["paths"].as_object().unwrap();
        let operation = |path: &'a String, (method, about): (&'a String, &'a Value)| Operation {
            name: about["operationId"].as_str().unwrap().to_owned(),
            method: method.to_uppercase(),
            path,
            about,
        };
        paths
            .iter()
            .flat_map(|(path, item)| item.as_object().unwrap().iter().map(move |entry| operation(path, entry)))
            .collect()
    }

    /// That a body is what the operation takes.
    pub(super) fn check_body(&self, operation: &Operation<'_>, body: &Value) {
        let schema = &operation.about["requestBody"]["content"]["application/json"]["schema"];
        // A report may hold nonsense on purpose.
        let problem = if operation.name == "create_app_errors" { None } else { self.problem(schema, body) };
        assert_eq!(problem, None, "{} does not take {body}", operation.name);
    }

    /// That an answer is what the operation says.
    pub(super) fn check_answer(&self, operation: &Operation<'_>, status: u16, headers: &HeaderMap, body: &[u8]) {
        let name = &operation.name;
        let response = &operation.about["responses"][status.to_string()];
        assert!(response["description"].is_string(), "{name} does not know {status}");
        let Some(content) = response["content"].as_object() else {
            assert!(body.is_empty(), "{name} has no body for {status}");
            return;
        };
        let kind = headers["content-type"].to_str().unwrap();
        let (described, media) = content.iter().next().unwrap();
        assert!(kind.starts_with(described.as_str()), "{name}: {kind} is not {described}");
        if described == "application/json" {
            let value: Value = serde_json::from_slice(body).unwrap();
            assert_eq!(self.problem(&media["schema"], &value), None, "{name} {status}: {value}");
        }
    }

    /// What is wrong with a value, and where.
    pub(super) fn problem(&self, schema: &Value, value: &Value) -> Option<String> {
        if let Some(object) = value.as_object()
            && let Some(known) = self.names(schema, value)
            && let Some(other) = object.keys().find(|key| !known.contains(key))
        {
            return Some(format!("{other} is not described"));
        }
        self.mismatch(schema, value)
    }

    fn mismatch(&self, schema: &Value, value: &Value) -> Option<String> {
        let schema = self.resolve(schema);
        let Some(rules) = schema.as_object() else { return Some(format!("no schema: {schema}")) };
        let list = |name: &str| rules.get(name).and_then(Value::as_array);
        if let Some(all) = list("allOf")
            && let Some(problem) = all.iter().find_map(|part| self.mismatch(part, value))
        {
            return Some(problem);
        }
        for any in [list("oneOf"), list("anyOf")].into_iter().flatten() {
            let problems: Vec<_> = any.iter().map(|part| self.problem(part, value)).collect();
            if problems.iter().all(Option::is_some) {
                return Some(format!("none of {}: {problems:?}", any.len()));
            }
        }
        match rules.get("type") {
            Some(Value::String(ty)) if !is(ty, value) => return Some(format!("{value} is not {ty}")),
            Some(Value::Array(types)) if !types.iter().any(|ty| is(ty.as_str().unwrap(), value)) => {
                return Some(format!("{value} is not {types:?}"));
            }
            _ => {}
        }
        if list("enum").is_some_and(|all| !all.contains(value)) {
            return Some(format!("{value} is not one of {}", rules["enum"]));
        }
        match value {
            Value::String(text) => text_problem(rules, text),
            Value::Number(number) => number_problem(rules, number.as_f64().unwrap()),
            Value::Array(entries) => {
                let items = rules.get("items")?;
                let mut problems = entries.iter().enumerate();
                problems.find_map(|(at, entry)| Some(format!("[{at}] {}", self.problem(items, entry)?)))
            }
            Value::Object(fields) => self.field_problem(rules, fields),
            _ => None,
        }
    }

    fn field_problem(&self, rules: &Map<String, Value>, fields: &Map<String, Value>) -> Option<String> {
        let required = rules.get("required").and_then(Value::as_array).into_iter().flatten();
        if let Some(missing) = required.filter_map(Value::as_str).find(|name| !fields.contains_key(*name)) {
            return Some(format!("{missing} is missing"));
        }
        let properties = rules.get("properties").and_then(Value::as_object);
        fields.iter().find_map(|(name, value)| {
            let schema = properties.and_then(|p| p.get(name)).or_else(|| rules.get("additionalProperties"))?;
            Some(format!("{name}: {}", self.problem(schema, value)?))
        })
    }

    /// The names that an object may have; `None` if it may have any.
    fn names(&self, schema: &'a Value, value: &Value) -> Option<Vec<&'a String>> {
        let schema = self.resolve(schema);
        for any in ["oneOf", "anyOf"] {
            if let Some(parts) = schema[any].as_array() {
                let part = parts.iter().find(|part| self.problem(part, value).is_none())?;
                return self.names(part, value);
            }
        }
        if let Some(parts) = schema["allOf"].as_array() {
            let names: Option<Vec<_>> = parts.iter().map(|part| self.names(part, value)).collect();
            return Some(names?.into_iter().flatten().collect());
        }
        Some(schema["properties"].as_object()?.keys().collect())
    }

    fn resolve(&self, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str() {
            Some(name) => self.document.pointer(name.strip_prefix('#').unwrap()).unwrap_or_else(|| panic!("no {name}")),
            None => schema,
        }
    }
}

fn is(ty: &str, value: &Value) -> bool {
    match ty {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("what is {other}?"),
    }
}

fn text_problem(rules: &Map<String, Value>, text: &str) -> Option<String> {
    let fits = match rules.get("format").and_then(Value::as_str) {
        Some("date-time") => text.parse::<Timestamp>().is_ok(),
        Some("uuid") => uuid::Uuid::try_parse(text).is_ok(),
        _ => true,
    };
    let pattern = rules.get("pattern").and_then(Value::as_str);
    let longest = rules.get("maxLength").and_then(Value::as_u64).unwrap_or(u64::MAX);
    let matches = pattern.is_none_or(|pattern| Regex::new(pattern).unwrap().is_match(text));
    let short = (text.chars().count() as u64) <= longest;
    (!fits || !matches || !short).then(|| format!("{text:?} does not fit {rules:?}"))
}

fn number_problem(rules: &Map<String, Value>, number: f64) -> Option<String> {
    let bound = |name: &str| rules.get(name).and_then(Value::as_f64);
    let low = bound("minimum").is_some_and(|least| number < least);
    let high = bound("maximum").is_some_and(|most| number > most);
    (low || high).then(|| format!("{number} is out of bounds"))
}
