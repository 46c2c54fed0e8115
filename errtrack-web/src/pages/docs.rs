//! The reference of the API as a page, made of what describes it.

mod kind;

use super::{
    page::Page,
    shell::{Layout, Shell, Viewer},
};
use askama::Template;
use axum::Extension;
use kind::Kind;
use serde_json::{Map, Value};
use std::sync::Arc;

/// What the page shows, made once.
#[derive(Debug)]
pub(super) struct Reference {
    /// Operations by subject.
    subjects: Vec<Subject>,
    types: Vec<Type>,
}

#[derive(Debug)]
struct Subject {
    name: String,
    operations: Vec<Operation>,
}

#[derive(Debug)]
struct Operation {
    id: String,
    method: String,
    path: String,
    summary: String,
    about: String,
    /// The permission that it needs.
    needs: Option<String>,
    parameters: Vec<Field>,
    takes: Option<Kind>,
    answers: Vec<Answer>,
}

/// A parameter, or a field of an object.
#[derive(Debug)]
struct Field {
    name: String,
    kind: Kind,
    note: &'static str,
    about: String,
}

#[derive(Debug)]
struct Answer {
    status: String,
    about: String,
    kind: Option<Kind>,
}

#[derive(Debug)]
struct Type {
    name: String,
    about: String,
    fields: Vec<Field>,
    /// What it is, where it has no fields.
    kind: Kind,
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "docs.html")]
pub(super) struct DocsPage {
    layout: Layout,
    document: String,
    reference: Arc<Reference>,
}

/// `GET /docs`
pub(super) async fn show(Viewer(shell): Viewer, Extension(reference): Extension<Arc<Reference>>) -> Page<DocsPage> {
    Page::new(DocsPage::new(&shell, reference))
}

impl DocsPage {
    fn new(shell: &Shell, reference: Arc<Reference>) -> Self {
        let mut layout = shell.layout("API");
        layout.area = "docs";
        Self { layout, document: shell.links.path("/openapi.json"), reference }
    }

    #[cfg(test)]
    pub(super) fn samples(shell: &Shell) -> Vec<Self> {
        let hostile = super::samples::HOSTILE;
        let schema = serde_json::json!({"properties": {hostile: {"type": "string", "description": hostile}}});
        let document = serde_json::json!({
            "paths": {"/api/x": {"get": {
                "operationId": "x", "tags": [hostile], "summary": hostile, "description": hostile,
                "parameters": [{"name": "n", "in": "query", "schema": {"$ref": "#/components/schemas/T"}}],
                "responses": {"200": {"description": hostile}},
            }}},
            "components": {"schemas": {"T": schema}},
        });
        vec![Self::new(shell, Arc::new(Reference::new(&document)))]
    }
}

impl Reference {
    /// Reads a description.
    pub(super) fn new(document: &Value) -> Self {
        let mut subjects: Vec<Subject> = Vec::new();
        for (path, item) in entries(&document["paths"]) {
            for (method, operation) in entries(item) {
                let name = text(operation.pointer("/tags/0").unwrap_or(&Value::Null));
                let operation = Operation::new(path, method, operation);
                match subjects.iter_mut().find(|subject| subject.name == name) {
                    Some(subject) => subject.operations.push(operation),
                    None => subjects.push(Subject { name, operations: vec![operation] }),
                }
            }
        }
        let types = entries(document.pointer("/components/schemas").unwrap_or(&Value::Null))
            .filter(|(name, _)| !kind::is_frame(name));
        Self { subjects, types: types.map(|(name, schema)| Type::new(name, schema)).collect() }
    }
}

impl Operation {
    fn new(path: &str, method: &str, about: &Value) -> Self {
        let parameters = about["parameters"].as_array().into_iter().flatten();
        let needs =
            about["security"].as_array().and_then(|all| all.iter().find_map(|way| way.pointer("/key/0")?.as_str()));
        Self {
            id: text(&about["operationId"]),
            method: method.to_uppercase(),
            path: path.to_owned(),
            summary: text(&about["summary"]),
            about: text(&about["description"]),
            needs: needs.map(str::to_owned),
            parameters: parameters.map(Field::parameter).collect(),
            takes: body(&about["requestBody"]),
            answers: entries(&about["responses"]).map(|(status, answer)| Answer::new(status, answer)).collect(),
        }
    }
}

impl Answer {
    fn new(status: &str, about: &Value) -> Self {
        Self { status: status.to_owned(), about: text(&about["description"]), kind: body(about) }
    }
}

impl Field {
    fn parameter(parameter: &Value) -> Self {
        let note = match (parameter["in"].as_str(), parameter["required"].as_bool()) {
            (Some("path"), _) => "in the path",
            (Some("header"), _) => "header",
            (_, Some(true)) => "needed",
            _ => "",
        };
        Self {
            name: text(&parameter["name"]),
            kind: Kind::of(&parameter["schema"]),
            note,
            about: text(&parameter["description"]),
        }
    }

    /// The fields of an object, those of what it includes too.
    fn all(schema: &Value) -> Vec<Self> {
        let mut fields: Vec<Self> = schema["allOf"].as_array().into_iter().flatten().flat_map(Self::all).collect();
        if let Some(name) = schema["$ref"].as_str() {
            let kind = Kind::of(schema);
            fields.push(Self { name: "…".into(), kind, note: "", about: format!("all of {}", kind::name(name)) });
        }
        let required = schema["required"].as_array();
        fields.extend(entries(&schema["properties"]).map(|(name, field)| Self {
            name: super::text::visible(name),
            kind: Kind::of(field),
            note: if required.is_some_and(|all| all.iter().any(|r| r == name)) { "" } else { "may be missing" },
            about: text(&field["description"]),
        }));
        fields
    }
}

impl Type {
    fn new(name: &str, schema: &Value) -> Self {
        let fields = Field::all(schema);
        Self { name: name.to_owned(), about: text(&schema["description"]), fields, kind: Kind::of(schema) }
    }
}

/// What a request or an answer holds.
fn body(of: &Value) -> Option<Kind> {
    let (media, content) = entries(&of["content"]).next()?;
    Some(if media == "application/json" { Kind::of(&content["schema"]) } else { Kind::text(media) })
}

fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

fn text(value: &Value) -> String {
    super::text::visible(value.as_str().unwrap_or_default())
}
