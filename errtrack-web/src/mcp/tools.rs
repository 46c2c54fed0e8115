//! The tools: what agents can ask for and do.

use super::{Fault, INVALID_PARAMS, Session};
use crate::{
    api::{
        errors::{list, markdown},
        event::View,
        item::Item,
        params::Params,
    },
    error::Error,
    triage::{self, Decision},
};
use errtrack_core::store::{Cursor, StoredEvent};
use serde_json::{Map, Value, json};

/// Entries of a list, and how many there are unless asked otherwise.
const MOST: u32 = 50;
const USUAL: u32 = 20;
/// Characters of one event.
const LONGEST: usize = 60_000;

/// Every tool, as the protocol describes it.
pub(super) fn list() -> Value {
    let id = json!({ "type": "string", "description": "UUID or short id, such as MY-APP-42" });
    let limit = json!({ "type": "integer", "minimum": 1, "maximum": MOST, "description": "20 unless given" });
    let cursor = json!({ "type": "string", "description": "The next_cursor of the page before" });
    let filters = || {
        json!({
            "project": { "type": "string", "description": "Slug of a project" },
            "status": { "type": "string", "enum": ["unresolved", "resolved", "ignored"] },
            "level": { "type": "string", "enum": ["fatal", "error", "warning", "info", "debug"] },
            "environment": { "type": "string" },
            "release": { "type": "string" },
            "since": { "type": "string", "format": "date-time", "description": "Last seen at or after" },
            "sort": { "type": "string", "enum": ["last_seen", "first_seen", "count", "users"] },
            "limit": limit,
            "cursor": cursor,
        })
    };
    let mut search = filters();
    if let Some(search) = search.as_object_mut() {
        let query = json!({ "type": "string", "description": "Words that stand in type, message or culprit" });
        search.insert("query".into(), query);
    }
    let events = json!({ "id": id, "limit": limit, "cursor": cursor });
    let event = json!({ "event_id": { "type": "string", "description": "32 hexadecimal digits" } });
    let resolve = json!({
        "id": id,
        "in_release": {
            "type": "string",
            "description": "next, or a release: it is open again when it comes from a later one, or from that one on",
        },
    });
    let tool = |name: &str, title: &str, about: &str, properties: Value, required: &[&str], reads: bool| {
        json!({
            "name": name,
            "title": title,
            "description": about,
            "inputSchema": { "type": "object", "properties": properties, "required": required },
            "annotations": { "title": title, "readOnlyHint": reads, "destructiveHint": false, "openWorldHint": false },
        })
    };
    json!([
        tool("list_issues", "List issues", "Lists issues, the last seen first.", filters(), &[], true),
        tool("search_issues", "Search issues", "Finds issues by words.", search, &["query"], true),
        tool(
            "get_issue",
            "Read an issue",
            "Tells an issue as Markdown: figures, stack, source, what happened before, the request.",
            json!({ "id": id }),
            &["id"],
            true
        ),
        tool(
            "list_events",
            "List events",
            "Lists the kept events of an issue, the newest first.",
            events,
            &["id"],
            true
        ),
        tool(
            "get_event",
            "Read an event",
            "Tells all that is known of one event, as JSON.",
            event,
            &["event_id"],
            true
        ),
        tool("resolve_issue", "Resolve an issue", "Marks an issue as resolved.", resolve, &["id"], false),
    ])
}

/// What a tool answers: as text, and as data if it is that.
enum Output {
    Text(String),
    Data(Value),
}

impl Session<'_> {
    /// Calls a tool. What is wrong with what it was asked for is its answer, so that an agent can do better.
    pub(super) async fn call(&self, name: &str, arguments: &Value) -> Result<Value, Fault> {
        let empty = Map::new();
        let arguments = match arguments {
            Value::Null => &empty,
            Value::Object(arguments) => arguments,
            _ => return Err(Fault::new(INVALID_PARAMS, "arguments: must be an object")),
        };
        let output = match name {
            "list_issues" => self.issues(arguments, None).await,
            "search_issues" => match text(arguments, "query") {
                Ok(query) => self.issues(arguments, Some(query)).await,
                Err(error) => Err(error),
            },
            "get_issue" => self.issue(arguments).await,
            "list_events" => self.events(arguments).await,
            "get_event" => self.event(arguments).await,
            "resolve_issue" => self.resolve(arguments).await,
            other => return Err(Fault::new(INVALID_PARAMS, format!("there is no tool {other}"))),
        };
        Ok(match output {
            Ok(Output::Text(text)) => json!({ "content": [{ "type": "text", "text": text }], "isError": false }),
            Ok(Output::Data(data)) => json!({
                "content": [{ "type": "text", "text": data.to_string() }],
                "structuredContent": data,
                "isError": false,
            }),
            Err(error) => {
                error.log();
                json!({ "content": [{ "type": "text", "text": error.message }], "isError": true })
            }
        })
    }

    async fn issues(&self, arguments: &Map<String, Value>, words: Option<&str>) -> Result<Output, Error> {
        const KNOWN: [&str; 8] = ["project", "status", "level", "environment", "release", "since", "sort", "cursor"];
        let mut given = vec![("limit".to_owned(), limit(arguments)?.to_string())];
        for name in KNOWN {
            if arguments.get(name).is_some_and(|value| !value.is_null()) {
                given.push((name.to_owned(), text(arguments, name)?.to_owned()));
            }
        }
        given.extend(words.map(|words| ("search".to_owned(), words.to_owned())));
        let query = list::query(self.app, self.caller, &Params::new(given)).await?;
        let page = self.app.store().issues(&query).await?;
        let issues: Vec<Item<'_>> = page.issues.iter().map(Item::new).collect();
        let next = page.next.map(|cursor| cursor.to_string());
        Ok(Output::Data(json!({ "issues": issues, "total": page.total, "next_cursor": next })))
    }

    async fn issue(&self, arguments: &Map<String, Value>) -> Result<Output, Error> {
        let issue = self.caller.find_issue(self.app, text(arguments, "id")?).await?;
        markdown::text(self.app, &issue, self.links).await.map(Output::Text)
    }

    async fn events(&self, arguments: &Map<String, Value>) -> Result<Output, Error> {
        let issue = self.caller.find_issue(self.app, text(arguments, "id")?).await?;
        let cursor: Option<Cursor> = match arguments.get("cursor") {
            None | Some(Value::Null) => None,
            Some(_) => {
                let wrong = |_| Error::bad_request("cursor: must be a next_cursor that was answered");
                Some(text(arguments, "cursor")?.parse().map_err(wrong)?)
            }
        };
        let page = self.app.store().events(issue.id, cursor.as_ref(), limit(arguments)?).await?;
        let short = |stored: &StoredEvent| {
            let event = &stored.event;
            let (ty, value) = event.title();
            json!({
                "event_id": event.event_id,
                "timestamp": event.timestamp,
                "level": event.level,
                "type": ty,
                "message": value.chars().take(500).collect::<String>(),
                "release": event.release,
                "environment": event.environment,
                "transaction": event.transaction,
            })
        };
        let events: Vec<Value> = page.events.iter().map(short).collect();
        let next = page.next.map(|cursor| cursor.to_string());
        Ok(Output::Data(json!({ "issue": issue.short_id(), "events": events, "next_cursor": next })))
    }

    async fn event(&self, arguments: &Map<String, Value>) -> Result<Output, Error> {
        let stored = self.caller.find_event(self.app, text(arguments, "event_id")?).await?;
        let whole = json!(View::new(&stored));
        let written = whole.to_string();
        if written.chars().count() <= LONGEST {
            return Ok(Output::Data(whole));
        }
        let cut: String = written.chars().take(LONGEST).collect();
        Ok(Output::Text(format!("{cut}\n[cut: the event is longer than {LONGEST} characters]")))
    }

    async fn resolve(&self, arguments: &Map<String, Value>) -> Result<Output, Error> {
        if !self.caller.permissions.write {
            return Err(Error::forbidden("this needs the permission `write`"));
        }
        let release = match arguments.get("in_release") {
            None | Some(Value::Null) => None,
            Some(_) => Some(text(arguments, "in_release")?),
        };
        let issue = self.caller.find_issue(self.app, text(arguments, "id")?).await?;
        let (name, decision) = (issue.short_id(), Decision::resolved(release));
        if triage::decide(self.app, &[issue], &decision).await? == 0 {
            return Err(Error::not_found("error"));
        }
        Ok(Output::Data(json!({ "id": name, "status": decision.status() })))
    }
}

/// An argument that is a text.
fn text<'a>(arguments: &'a Map<String, Value>, name: &str) -> Result<&'a str, Error> {
    match arguments.get(name) {
        None | Some(Value::Null) => Err(Error::bad_request(format!("{name}: is required"))),
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(Error::bad_request(format!("{name}: must be a text"))),
    }
}

/// How many entries a page has.
fn limit(arguments: &Map<String, Value>) -> Result<u32, Error> {
    match arguments.get("limit") {
        None | Some(Value::Null) => Ok(USUAL),
        Some(value) => {
            let limit = value.as_u64().and_then(|limit| u32::try_from(limit).ok());
            let wrong = || Error::bad_request(format!("limit: must be a number from 1 to {MOST}"));
            limit.filter(|limit| (1..=MOST).contains(limit)).ok_or_else(wrong)
        }
    }
}
