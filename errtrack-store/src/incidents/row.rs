//! Incidents and their entries as SQL gives and takes them.

use crate::{link::Value, tag::stored};
use errtrack_core::{
    ProjectId, Timestamp,
    incident::{Incident, IncidentEntry},
};
use sqlx::Error;
use std::str::FromStr;

/// A row of [`columns`](crate::sql::incident).
pub(super) fn incident(row: [Option<String>; 15]) -> Result<Incident, Error> {
    let [
        id,
        uuid,
        project,
        title,
        description,
        severity,
        status,
        assigned_to,
        rule,
        firings,
        channels,
        opened_by,
        created_at,
        updated_at,
        resolved_at,
    ] = row;
    Ok(Incident {
        id: parsed(uuid.as_deref())?,
        row: parsed(id.as_deref())?,
        project: project.as_deref().map(number).transpose()?.map(ProjectId),
        title: title.unwrap_or_default(),
        description: description.unwrap_or_default(),
        severity: parsed(severity.as_deref())?,
        status: parsed(status.as_deref())?,
        assigned_to,
        rule: rule.as_deref().map(|rule| parsed(Some(rule))).transpose()?,
        firings: parsed(firings.as_deref())?,
        channels: serde_json::from_str(&channels.unwrap_or_default()).map_err(|error| Error::Decode(error.into()))?,
        opened_by: opened_by.unwrap_or_default(),
        created_at: time(created_at.as_deref())?,
        updated_at: time(updated_at.as_deref())?,
        resolved_at: resolved_at.as_deref().map(|at| time(Some(at))).transpose()?,
    })
}

/// A row of [`TIMELINE`](crate::sql::incident::TIMELINE).
pub(super) fn entry(row: [Option<String>; 8]) -> Result<IncidentEntry, Error> {
    let [id, at, by, kind, from, to, text, firing] = row;
    Ok(IncidentEntry {
        id: parsed(id.as_deref())?,
        at: time(at.as_deref())?,
        by: by.unwrap_or_default(),
        kind: parsed(kind.as_deref())?,
        from,
        to,
        text: text.unwrap_or_default(),
        firing: firing.as_deref().map(|firing| parsed(Some(firing))).transpose()?,
    })
}

/// What [`ADD`](crate::sql::incident::ADD) takes.
pub(super) fn values(incident: &Incident) -> Vec<Value> {
    vec![
        Value::Text(incident.id.to_string()),
        incident.project.map_or(Value::NoNumber, |project| Value::Number(project.0)),
        text(&incident.title),
        text(&incident.description),
        text(incident.severity.as_str()),
        text(incident.status.as_str()),
        incident.assigned_to.as_deref().map_or(Value::NoText, text),
        incident.rule.map_or(Value::NoText, |rule| Value::Text(rule.to_string())),
        Value::Number(incident.firings),
        channels(incident),
        text(&incident.opened_by),
        Value::Number(incident.created_at.as_micros()),
        Value::Number(incident.updated_at.as_micros()),
        incident.resolved_at.map_or(Value::NoNumber, |at| Value::Number(at.as_micros())),
    ]
}

/// What [`CHANGE`](crate::sql::incident::CHANGE) takes.
pub(super) fn changed(incident: &Incident) -> Vec<Value> {
    vec![
        Value::Number(incident.row),
        text(&incident.title),
        text(&incident.description),
        text(incident.severity.as_str()),
        text(incident.status.as_str()),
        incident.assigned_to.as_deref().map_or(Value::NoText, text),
        Value::Number(incident.firings),
        channels(incident),
        Value::Number(incident.updated_at.as_micros()),
        incident.resolved_at.map_or(Value::NoNumber, |at| Value::Number(at.as_micros())),
    ]
}

/// A number that SQL gave as text.
pub(super) fn number(text: &str) -> Result<i64, Error> {
    parsed(Some(text))
}

fn channels(incident: &Incident) -> Value {
    text(&serde_json::Value::from(incident.channels.as_slice()).to_string())
}

fn text(text: &str) -> Value {
    Value::Text(stored(text))
}

fn time(text: Option<&str>) -> Result<Timestamp, Error> {
    Ok(Timestamp::from_micros(parsed(text)?))
}

fn parsed<T: FromStr<Err: std::error::Error + Send + Sync + 'static>>(text: Option<&str>) -> Result<T, Error> {
    text.unwrap_or_default().parse().map_err(|error| Error::Decode(Box::new(error)))
}
