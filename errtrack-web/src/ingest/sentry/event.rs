//! An event of a Sentry SDK, read into ours.
//!
//! Every field is optional and may have any shape ([event payloads], and what older clients send): see the tests for all of
//! them.
//!
//! [event payloads]: https://develop.sentry.dev/sdk/data-model/event-payloads/

use super::{
    exception::{Many, says_something},
    lenient::{Notes, object, read},
    message::{self, AnyMessage},
    request::{fill_address, split_query},
    shapes::Texts,
};
use crate::ingest::json;
use errtrack_core::{Breadcrumb, Event, EventId, Exception, Level, Sdk, Stacktrace, Thread, Timestamp};
use serde_json::Value;
use std::{net::IpAddr, time::Duration};

/// Clocks that are off by less are believed.
const DRIFT: Duration = Duration::from_secs(60);

/// An event as it stands in a payload.
#[derive(Debug, Default)]
pub(crate) struct Payload {
    event: Event,
    id: Option<String>,
    kind: Option<String>,
    timestamp: Option<Timestamp>,
    level: Option<Level>,
    culprit: Option<String>,
    message: Option<AnyMessage>,
    entry: Option<AnyMessage>,
    exceptions: Many<Exception>,
    threads: Many<Thread>,
    breadcrumbs: Many<Breadcrumb>,
    stacktrace: Option<Stacktrace>,
    fingerprint: Option<Texts>,
    debug_meta: DebugMeta,
    sdk: Option<Client>,
}

object!(Payload {
    "event_id" => id,
    "type" => kind,
    "timestamp" => timestamp,
    "level" => level,
    "platform" => event.platform,
    "logger" => event.logger,
    "transaction" => event.transaction,
    "culprit" => culprit,
    "server_name" => event.server_name,
    "release" => event.release,
    "dist" => event.dist,
    "environment" => event.environment,
    "message" => message,
    "logentry" | "sentry.interfaces.Message" => entry,
    "exception" | "sentry.interfaces.Exception" => exceptions,
    "threads" => threads,
    "stacktrace" | "sentry.interfaces.Stacktrace" => stacktrace,
    "breadcrumbs" | "sentry.interfaces.Breadcrumbs" => breadcrumbs,
    "request" | "sentry.interfaces.Http" => event.request,
    "user" | "sentry.interfaces.User" => event.user,
    "tags" => event.tags,
    "contexts" | "sentry.interfaces.Contexts" => event.contexts,
    "extra" => event.extra,
    "modules" => event.modules,
    "fingerprint" => fingerprint,
    "debug_meta" => debug_meta,
    "sdk" => sdk,
});

object!(Breadcrumb {
    "timestamp" => timestamp,
    "type" => ty,
    "category" => category,
    "level" => level,
    "message" => message,
    "data" => data,
});

#[derive(Debug, Default)]
struct DebugMeta {
    images: Vec<Value>,
}

object!(DebugMeta {
    "images" => images,
});

impl super::lenient::Slot for DebugMeta {
    type Shape = Self;

    fn put(&mut self, value: Self) {
        *self = value;
    }
}

#[derive(Debug, Default)]
struct Client {
    name: Option<String>,
    version: Option<String>,
    settings: Option<Settings>,
}

object!(Client {
    "name" => name,
    "version" => version,
    "settings" => settings,
});

#[derive(Debug, Default)]
struct Settings {
    infer_ip: Option<String>,
}

object!(Settings {
    "infer_ip" => infer_ip,
});

/// What is known of an event beside its payload.
#[derive(Debug, Clone, Default)]
pub(crate) struct Circumstances {
    /// The id in the envelope's header.
    pub(crate) id: Option<EventId>,
    /// When the client sent it, by the client's clock.
    pub(crate) sent_at: Option<Timestamp>,
    /// Where it came from.
    pub(crate) peer: Option<IpAddr>,
    /// What the client calls itself when it authenticates: `raven-python/6.10.0`.
    pub(crate) client: Option<String>,
}

/// Reads an event; `None` if it is one of another kind, a transaction say.
pub(crate) fn parse(json: &[u8], about: &Circumstances) -> Result<Option<Event>, serde_json::Error> {
    let (payload, notes) = json::with_repair(json, |json| {
        let notes = Notes::default();
        Ok((read::<Payload>(json, &notes)?, notes))
    })?;
    let payload = payload.ok_or_else(|| serde::de::Error::custom("an event is a JSON object"))?;
    if payload.kind.as_deref().is_some_and(|kind| !matches!(kind, "error" | "event" | "default" | "generic")) {
        return Ok(None);
    }
    let mut event = payload.into_event(about, Timestamp::now());
    event.truncated = notes.into_marks();
    Ok(Some(event))
}

impl Payload {
    fn into_event(self, about: &Circumstances, now: Timestamp) -> Event {
        let Self { mut event, sdk, .. } = self;
        event.event_id = about.id.or_else(|| self.id?.parse().ok()).unwrap_or_default();
        event.received_at = now;
        (event.timestamp, event.original_timestamp) = corrected(self.timestamp, about.sent_at, now);
        event.level = self.level.unwrap_or_default();
        event.transaction = event.transaction.or(self.culprit);
        event.message = message::join(self.message, self.entry);
        event.exceptions = self.exceptions.0;
        event.exceptions.retain(says_something);
        event.threads = self.threads.0;
        event.breadcrumbs = self.breadcrumbs.0;
        event.fingerprint = self.fingerprint.map(|Texts(texts)| texts).unwrap_or_default();
        event.debug_images = self.debug_meta.images;
        event.tags.retain(|name, value| !name.is_empty() && !value.is_empty());
        event.modules.retain(|name, _| !name.is_empty());
        event.contexts.retain(|_, value| !value.is_null());
        event.environment.get_or_insert_with(|| "production".into());
        place(&mut event, self.stacktrace);
        if let Some(request) = &mut event.request {
            split_query(request);
        }
        let infer = sdk.as_ref().and_then(|s| s.settings.as_ref()).and_then(|s| s.infer_ip.as_deref());
        fill_address(&mut event.user, infer, about.peer);
        event.sdk = sdk.filter(|s| s.name.is_some()).map_or_else(
            || about.client.as_deref().map(from_client),
            |s| Some(Sdk { name: s.name.unwrap_or_default(), version: s.version.unwrap_or_default() }),
        );
        event
    }
}

/// Puts a stack that belongs to no exception (raven-js with a message) where it is looked for.
fn place(event: &mut Event, stack: Option<Stacktrace>) {
    let Some(stack) = stack.filter(|s| !s.frames.is_empty()) else { return };
    match event.exceptions.last_mut() {
        Some(exception) => {
            exception.stacktrace.get_or_insert(stack);
        }
        None if event.threads.is_empty() => {
            event.threads.push(Thread { current: Some(true), stacktrace: Some(stack), ..Thread::default() });
        }
        None => {}
    }
}

/// `name/version`, as clients call themselves.
fn from_client(client: &str) -> Sdk {
    let (name, version) = client.split_once('/').unwrap_or((client, ""));
    Sdk { name: name.to_owned(), version: version.to_owned() }
}

/// The time of an event by our clock, and as sent where that differs: the client says with `sent_at` what its clock shows.
fn corrected(sent: Option<Timestamp>, sent_at: Option<Timestamp>, now: Timestamp) -> (Timestamp, Option<String>) {
    let Some(time) = sent else { return (now, None) };
    let Some(sent_at) = sent_at else { return (time, None) };
    let drift = now.as_micros() - sent_at.as_micros();
    if drift.unsigned_abs() < u64::try_from(DRIFT.as_micros()).unwrap_or(u64::MAX) {
        return (time, None);
    }
    (Timestamp::from_micros(time.as_micros().saturating_add(drift)), Some(time.to_string()))
}

#[cfg(test)]
#[path = "event_tests.rs"]
mod tests;
