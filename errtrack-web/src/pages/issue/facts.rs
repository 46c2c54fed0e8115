//! Facts beside the event: what it is, for whom, where it ran, and the contexts below it.

use super::field::{self, Field, Section};
use crate::pages::text;
use errtrack_core::{Event, User, store::StoredEvent};
use serde_json::Value;

/// The sections of the side column.
pub(super) fn of(stored: &StoredEvent) -> Vec<Section> {
    let event = &stored.event;
    let mut sections = vec![section("Event", about(stored))];
    if let Some(user) = &event.user {
        sections.push(section("User", of_user(user)));
    }
    sections.push(section("Runs on", runs_on(event)));
    sections.retain(|section| !section.rows.is_empty());
    sections
}

/// The named groups of facts, and what else came along.
pub(super) fn contexts(event: &Event) -> Vec<Section> {
    let mut sections: Vec<Section> = event
        .contexts
        .iter()
        .map(|(name, value)| match value {
            Value::Object(map) => section(name, field::of_map(map)),
            other => section(name, vec![Field::new("value", &field::written(other))]),
        })
        .collect();
    if !event.extra.is_empty() {
        sections.push(section("extra", field::of_map(&event.extra)));
    }
    sections.retain(|section| !section.rows.is_empty());
    sections
}

fn section(title: &str, rows: Vec<Field>) -> Section {
    Section { title: text::line(title, 80), rows }
}

fn known(rows: &[(&str, Option<&str>)]) -> Vec<Field> {
    rows.iter()
        .filter_map(|(name, value)| value.filter(|v| !v.is_empty()).map(|value| Field::new(name, value)))
        .collect()
}

fn about(stored: &StoredEvent) -> Vec<Field> {
    let event = &stored.event;
    let trace = event.contexts.get("trace").and_then(|trace| trace.get("trace_id")).and_then(Value::as_str);
    let mechanism = event.main_exception().and_then(|e| e.mechanism.as_ref()).map(|m| m.ty.as_str());
    let sdk = event.sdk.as_ref().map(|sdk| format!("{} {}", sdk.name, sdk.version));
    let late = event.received_at.as_seconds() - event.timestamp.as_seconds() > 60;
    let received = late.then(|| event.received_at.strftime("%-d %b %Y, %H:%M:%S"));
    known(&[
        ("Id", Some(&event.event_id.to_string())),
        ("Time", Some(&event.timestamp.strftime("%-d %b %Y, %H:%M:%S%.3f"))),
        ("Received", received.as_deref()),
        ("Time as sent", event.original_timestamp.as_deref()),
        ("Route", event.transaction.as_deref()),
        ("Logger", event.logger.as_deref()),
        ("Trace", trace),
        ("Caught by", mechanism),
        ("Source", event.source.as_deref()),
        ("Sent by", sdk.as_deref()),
    ])
}

fn of_user(user: &User) -> Vec<Field> {
    let mut rows = known(&[
        ("Id", user.id.as_deref()),
        ("Name", user.username.as_deref()),
        ("E-mail", user.email.as_deref()),
        ("Address", user.ip_address.as_deref()),
    ]);
    rows.extend(field::of_map(&user.other));
    rows
}

fn runs_on(event: &Event) -> Vec<Field> {
    let named = |context: &str| {
        let context = event.contexts.get(context)?;
        let part = |name: &str| context.get(name).and_then(Value::as_str).unwrap_or_default();
        let text = format!("{} {}", part("name"), part("version"));
        (!text.trim().is_empty()).then(|| text.trim().to_owned())
    };
    known(&[
        ("Release", event.release.as_deref()),
        ("Build", event.dist.as_deref()),
        ("Environment", event.environment.as_deref()),
        ("Server", event.server_name.as_deref()),
        ("Platform", event.platform.as_deref()),
        ("System", named("os").as_deref()),
        ("Runtime", named("runtime").as_deref()),
        ("Browser", named("browser").as_deref()),
        ("Device", named("device").as_deref()),
    ])
}
