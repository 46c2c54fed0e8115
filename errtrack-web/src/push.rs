//! Browsers that members let be notified: there, added, taken away, tried.

use crate::{
    access::{Caller, Deed},
    app::App,
    error::Error,
    integrations,
};
use axum::http::StatusCode;
use errtrack_core::{
    Member, Timestamp,
    notify::{Notification, Trigger},
    store::PushSubscription,
};
use errtrack_notify::push::{self, PushChannel, PushKey};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use utoipa::ToSchema;
use uuid::Uuid;

/// The name of the channel.
pub(crate) const CHANNEL: &str = "push";
/// Browsers that a member can have.
pub(crate) const MOST: u32 = 10;

/// A browser, ready to be shown. Where its messages go is not: whoever knows that can send some.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = PushSubscription)]
pub(crate) struct Browser {
    pub(crate) id: Uuid,
    /// What it is called.
    #[schema(example = "Firefox on Linux")]
    pub(crate) label: String,
    /// The SHA-256 of its endpoint in hexadecimal, by which a browser knows itself.
    pub(crate) endpoint_hash: String,
    /// Since when.
    pub(crate) created_at: Timestamp,
    /// When its push service last took a message.
    pub(crate) last_delivered: Option<Timestamp>,
    /// When it last took none; `null` once it took another one.
    pub(crate) last_failed: Option<Timestamp>,
    /// Why not.
    pub(crate) last_error: Option<String>,
}

/// What came of a test.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = PushTest)]
pub(crate) struct Tested {
    pub(crate) id: Uuid,
    /// Whether the push service took the message.
    pub(crate) delivered: bool,
    /// Why it did not.
    pub(crate) error: Option<String>,
    pub(crate) tested_at: Timestamp,
}

/// A browser as its page sends it.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) endpoint: String,
    pub(crate) key: String,
    pub(crate) secret: String,
    /// What the browser says of itself.
    pub(crate) agent: String,
}

impl From<PushSubscription> for Browser {
    fn from(kept: PushSubscription) -> Self {
        let hash = Sha256::digest(&kept.endpoint);
        Self {
            id: kept.id,
            label: kept.label,
            endpoint_hash: hash.iter().map(|byte| format!("{byte:02x}")).collect(),
            created_at: kept.created_at,
            last_delivered: kept.delivered_at,
            last_failed: kept.failed_at,
            last_error: kept.error,
        }
    }
}

/// Adds the channel, where it can be; it needs no settings.
pub(crate) fn begin(app: &App) {
    if why_not(app).is_none() && app.tracker().notifier(CHANNEL).is_none() {
        let store = app.tracker().store().clone();
        app.tracker().set_notifier(Arc::new(PushChannel::new(store, &integrations::surroundings(app))));
    }
}

/// Why no browser can be notified, if none can.
pub(crate) fn why_not(app: &App) -> Option<&'static str> {
    let config = app.config();
    let url = config.public_url.as_deref().or(config.dashboard_url.as_deref()).unwrap_or_default();
    let here = ["http://localhost", "http://127.0.0.1", "http://[::1]"];
    let is_here = here
        .iter()
        .any(|here| url.strip_prefix(here).is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/'])));
    match () {
        () if !app.access().has_members() => Some("members are not kept here: the program decides who is let in"),
        () if !PushChannel::BUILT_IN => Some("this program was built without TLS"),
        () if !url.starts_with("https://") && !is_here => Some("the public URL (PUBLIC_URL) must begin with https://"),
        () => None,
    }
}

/// The member who asks; a key has no browser.
pub(crate) fn member<'a>(app: &App, caller: &'a Caller) -> Result<&'a Member, Error> {
    app.access().needs_members("browsers")?;
    let why = "this is for members who have signed in: an API key has no browser";
    caller.member.as_ref().ok_or_else(|| Error::forbidden(why))
}

/// The public key of this installation, which a browser asks for; `None` where none can be notified.
pub(crate) async fn public_key(app: &App) -> Result<Option<String>, Error> {
    match why_not(app) {
        Some(_) => Ok(None),
        None => Ok(Some(PushKey::of(app.store()).await?.public())),
    }
}

/// The browsers of a member, in the order in which they came.
pub(crate) async fn list(app: &App, member: &Member) -> Result<Vec<Browser>, Error> {
    Ok(app.store().push_subscriptions(member.id).await?.into_iter().map(Browser::from).collect())
}

/// Adds a browser, or takes new keys of one that is there. Answers it, and whether it is new.
pub(crate) async fn add(app: &App, caller: &Caller, member: &Member, sent: Sent) -> Result<(Browser, bool), Error> {
    if let Some(why) = why_not(app) {
        return Err(Error::new(StatusCode::CONFLICT, why));
    }
    let Sent { endpoint, key, secret, agent } = sent;
    let allowed = &app.config().allowed_targets;
    let new = push::new_subscription(member.id, &endpoint, &key, &secret, push::label(&agent), allowed);
    let new = new.map_err(|error| Error::bad_request(error.to_string()))?;
    let kept = app.store().put_push_subscription(&new, MOST).await?;
    let full = || Error::new(StatusCode::CONFLICT, format!("there are {MOST} browsers already: take one away first"));
    let kept = kept.ok_or_else(full)?;
    let is_new = kept.id == new.id;
    if is_new {
        caller.did(app, Deed::new("push.add", &kept.label)).await;
    }
    Ok((kept.into(), is_new))
}

/// Takes a browser away.
pub(crate) async fn remove(app: &App, caller: &Caller, member: &Member, id: &str) -> Result<(), Error> {
    let browser = find(app, member, id).await?;
    if !app.store().remove_push_subscription(member.id, browser.id).await? {
        return Err(Error::not_found("browser"));
    }
    caller.did(app, Deed::new("push.remove", browser.label)).await;
    Ok(())
}

/// Sends a message to a browser, and answers what came of it.
pub(crate) async fn test(app: &App, caller: &Caller, member: &Member, id: &str) -> Result<Tested, Error> {
    let browser = find(app, member, id).await?;
    let missing = || Error::new(StatusCode::CONFLICT, why_not(app).unwrap_or("the channel is not there"));
    let notifier = app.tracker().notifier(CHANNEL).ok_or_else(missing)?;
    let tested_at = Timestamp::now();
    let notification = Notification { trigger: Trigger::Test, at: tested_at, ..Notification::default() };
    let to = PushChannel::to_browser(&member.email, browser.id);
    let error = integrations::send(notifier, to, notification).await.err().map(|error| error.message);
    let outcome = error.clone().unwrap_or_else(|| "it was taken".into());
    caller.did(app, Deed::new("push.test", browser.label).details(outcome)).await;
    Ok(Tested { id: browser.id, delivered: error.is_none(), error, tested_at })
}

async fn find(app: &App, member: &Member, id: &str) -> Result<Browser, Error> {
    let id = Uuid::try_parse(id).map_err(|_| Error::bad_request("id: must be a UUID"))?;
    let found = list(app, member).await?.into_iter().find(|browser| browser.id == id);
    found.ok_or_else(|| Error::not_found("browser"))
}
