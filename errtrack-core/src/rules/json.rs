//! Rules as JSON: what is stored, and what the API takes and answers.
//!
//! Read by hand, so that an error says which rule and which part of it is wrong.

use super::{Action, InvalidRules, Rule, error::At, field::Field};
use serde_json::{Map, Value, json};

/// What a rule may hold.
const KEYS: [&str; 4] = ["name", "match", "action", "fingerprint"];

/// Reads `{"rules":[…]}`.
pub(super) fn read(document: &Value) -> Result<Vec<Rule>, InvalidRules> {
    let wrong = |what: &str| InvalidRules::of_all(what);
    let object = document.as_object().ok_or_else(|| wrong("must be an object"))?;
    if let Some(key) = object.keys().find(|key| *key != "rules") {
        return Err(InvalidRules::of_all(format!("knows no `{key}`")));
    }
    let rules = object.get("rules").and_then(Value::as_array).ok_or_else(|| wrong("must be a list"))?;
    rules.iter().enumerate().map(|(index, rule)| self::rule(index, rule)).collect()
}

fn rule(index: usize, value: &Value) -> Result<Rule, InvalidRules> {
    let wrong = |at: At, what: &str| InvalidRules::of_rule(index, at, what);
    let object = value.as_object().ok_or_else(|| wrong(At::Rule, "must be an object"))?;
    if let Some(key) = object.keys().find(|key| !KEYS.contains(&key.as_str())) {
        return Err(wrong(At::Rule, &format!("knows no `{key}`, but {}", KEYS.join(", "))));
    }
    let name = match object.get("name") {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(name)) => name.clone(),
        Some(_) => return Err(wrong(At::Name, "must be a text")),
    };
    let conditions = match object.get("match") {
        None => Vec::new(),
        Some(Value::Object(map)) => {
            map.iter().map(|(field, pattern)| condition(index, field, pattern)).collect::<Result<_, _>>()?
        }
        Some(_) => return Err(wrong(At::Match, "must be an object")),
    };
    let parts = match object.get("fingerprint") {
        None | Some(Value::Null) => None,
        Some(Value::Array(parts)) => {
            let part = |part: &Value| part.as_str().map(str::to_owned);
            let parts: Option<Vec<_>> = parts.iter().map(part).collect();
            Some(parts.ok_or_else(|| wrong(At::Fingerprint, "must be a list of texts"))?)
        }
        Some(_) => return Err(wrong(At::Fingerprint, "must be a list of texts")),
    };
    let action = match (object.get("action"), parts) {
        (Some(Value::String(action)), None) if action == "ignore" => Action::Ignore,
        (Some(Value::String(action)), Some(parts)) if action == "fingerprint" => Action::Fingerprint(parts),
        (None, Some(parts)) => Action::Fingerprint(parts),
        (Some(Value::String(action)), None) if action == "fingerprint" => {
            return Err(wrong(At::Fingerprint, "is needed"));
        }
        (Some(Value::String(action)), Some(_)) if action == "ignore" => {
            return Err(wrong(At::Fingerprint, "says nothing for what is ignored"));
        }
        _ => return Err(wrong(At::Action, "must be `ignore` or `fingerprint`")),
    };
    Ok(Rule { name, conditions, action })
}

fn condition(index: usize, field: &str, pattern: &Value) -> Result<(Field, String), InvalidRules> {
    let at = || At::Condition(field.to_owned());
    let Some(pattern) = pattern.as_str() else { return Err(InvalidRules::of_rule(index, at(), "must be a text")) };
    let field = field.parse::<Field>().map_err(|error| InvalidRules::of_rule(index, at(), error.to_string()))?;
    Ok((field, pattern.to_owned()))
}

/// Writes `{"rules":[…]}`.
pub(super) fn write<'a>(rules: impl Iterator<Item = &'a Rule>) -> Value {
    json!({ "rules": rules.map(to_json).collect::<Vec<_>>() })
}

/// One rule; what is not given is left out.
fn to_json(rule: &Rule) -> Value {
    let mut view = Map::new();
    if !rule.name.is_empty() {
        view.insert("name".into(), rule.name.as_str().into());
    }
    let conditions = rule.conditions.iter().map(|(field, pattern)| (field.to_string(), Value::from(pattern.as_str())));
    view.insert("match".into(), Value::Object(conditions.collect()));
    view.insert("action".into(), rule.action.as_str().into());
    if let Action::Fingerprint(parts) = &rule.action {
        view.insert("fingerprint".into(), json!(parts));
    }
    Value::Object(view)
}
