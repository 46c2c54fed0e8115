//! What happened before the event, with the event itself as the last entry.

use super::{super::issues::row::level_name, field};
use crate::pages::{
    text::{self, Rich},
    time,
};
use errtrack_core::{Breadcrumb, Event, Level};
use serde_json::Value;

/// Entries that are shown; an SDK keeps 100.
const MOST: usize = 200;

/// One entry.
#[derive(Debug)]
pub(in crate::pages) struct Crumb {
    /// `−5.31 s`; empty where the time is not known.
    pub(in crate::pages) offset: String,
    pub(in crate::pages) level: &'static str,
    pub(in crate::pages) level_name: &'static str,
    pub(in crate::pages) category: String,
    pub(in crate::pages) text: Rich,
    /// Fields, as `key=value`.
    pub(in crate::pages) data: Rich,
    pub(in crate::pages) is_event: bool,
}

/// The entries, oldest first.
pub(super) fn view(event: &Event) -> Vec<Crumb> {
    let skipped = event.breadcrumbs.len().saturating_sub(MOST);
    let mut crumbs: Vec<Crumb> = event.breadcrumbs.iter().skip(skipped).map(|crumb| of(crumb, event)).collect();
    let (ty, value) = event.title();
    crumbs.push(Crumb {
        offset: "0".into(),
        level: event.level.as_str(),
        level_name: level_name(event.level),
        category: "this event".into(),
        text: text::rich(&text::line(if ty.is_empty() { value } else { ty }, 300)),
        data: Rich::new(),
        is_event: true,
    });
    crumbs
}

fn of(crumb: &Breadcrumb, event: &Event) -> Crumb {
    let level = crumb.level.unwrap_or(Level::Info);
    let category = crumb.category.as_deref().or(crumb.ty.as_deref()).unwrap_or("default");
    let (text, data) = parts(crumb);
    Crumb {
        offset: crumb.timestamp.map(|at| time::offset(at, event.timestamp)).unwrap_or_default(),
        level: level.as_str(),
        level_name: level_name(level),
        category: text::line(category, 60),
        text: text::rich(&text::block(&text, 1_000)),
        data: text::rich(&text::block(&data, 2_000)),
        is_event: false,
    }
}

/// One entry in a few words, for the strip of answers.
pub(super) fn summary(crumb: &Breadcrumb) -> String {
    let (text, data) = parts(crumb);
    text::line(if text.is_empty() { &data } else { &text }, 60)
}

/// The message, and the fields that it does not say already.
fn parts(crumb: &Breadcrumb) -> (String, String) {
    let get = |name: &str| crumb.data.get(name).map(field::written);
    let message = crumb.message.clone().unwrap_or_default();
    let mut said: Vec<&str> = Vec::new();
    let text = match (get("method"), get("url")) {
        // The requests that SDKs note have no message; method, URL and status are one.
        (method, Some(url)) if message.is_empty() => {
            said.extend(["method", "url", "status_code"]);
            let status = get("status_code").map(|status| format!(", {status}")).unwrap_or_default();
            format!("{} {url}{status}", method.unwrap_or_else(|| "GET".into()))
        }
        _ => match (get("from"), get("to")) {
            (Some(from), Some(to)) if message.is_empty() => {
                said.extend(["from", "to"]);
                format!("{from} → {to}")
            }
            _ => message,
        },
    };
    let rest = crumb.data.iter().filter(|(name, value)| !said.contains(&name.as_str()) && !is_noise(name, value));
    let data: Vec<String> = rest.map(|(name, value)| format!("{name}={}", field::written(value))).collect();
    (text, data.join(" "))
}

/// Fields that SDKs add and nobody reads here.
fn is_noise(name: &str, value: &Value) -> bool {
    value.is_null() || name.starts_with("__") || (name == "logger" && value == "console")
}
