//! Channels by which people are told: set up here or by the program, tried, and followed on every process.

use crate::{
    access::{Caller, Deed},
    app::App,
    error::Error,
    push,
};
use axum::http::StatusCode;
use errtrack_core::{
    StoreError, Timestamp, Tracker, WeakTracker,
    notify::{Delivery, Notification, Notifier, NotifyError, OutboxEntry, Trigger},
    store::{Change, Changes, Integration, OutboxItem, OutboxQuery, OutboxState},
};
use errtrack_notify::{Channel, Kind, Settings, Surroundings, Words};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};
use tokio::time::timeout;
use utoipa::ToSchema;
use uuid::Uuid;

/// How often what is set up is read again, should a change not have been heard of.
const AGAIN: Duration = Duration::from_secs(60);
/// The same when the database did not answer.
const SOON: Duration = Duration::from_secs(5);
/// How long a test may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Characters of a channel's name, and bytes of a setting.
const NAME: usize = 50;
const SETTING: usize = 20_000;
/// Channels that can be set up.
const MOST: usize = 100;

/// A channel, ready to be shown.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Integration)]
pub(crate) struct Shown {
    /// The name by which rules call it.
    pub(crate) name: String,
    /// `email`, `slack`, `discord`, `mattermost`, `telegram`, `webhook`, `sms`; `push` for members' browsers; `custom` for one
    /// of the program's own.
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    pub(crate) status: Health,
    /// Its settings; secrets are masked.
    pub(crate) config: BTreeMap<String, String>,
    /// When it was last tried; `null` if it never was.
    pub(crate) last_test: Option<Timestamp>,
    /// Why that failed, or why it cannot work.
    pub(crate) last_error: Option<String>,
    pub(crate) origin: Origin,
    /// Notifications that wait for it.
    pub(crate) waiting: u64,
    /// Notifications that it did not take.
    pub(crate) failed: u64,
}

/// How a channel is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = IntegrationStatus)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Health {
    /// The last test arrived.
    Connected,
    /// It is set up, and was never tried.
    Configured,
    /// The last test did not arrive, or it cannot work as it is set up.
    Failing,
}

impl Health {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::Configured => "configured",
            Self::Failing => "failing",
        }
    }
}

/// Who has set a channel up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = IntegrationOrigin)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Origin {
    /// Somebody, here.
    Dashboard,
    /// The program, by its configuration.
    Program,
}

/// What came of a test.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = IntegrationTest)]
pub(crate) struct Tested {
    pub(crate) name: String,
    /// Whether the message was taken.
    pub(crate) delivered: bool,
    /// Why it was not.
    pub(crate) error: Option<String>,
    pub(crate) tested_at: Timestamp,
}

/// A notification on its way, or at its end.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Delivery)]
pub(crate) struct Sending {
    pub(crate) key: Uuid,
    pub(crate) channel: String,
    /// To whom, if not to those of the channel.
    pub(crate) recipients: Vec<String>,
    pub(crate) state: OutboxState,
    pub(crate) trigger: Trigger,
    /// What it says, in one line.
    pub(crate) subject: String,
    pub(crate) attempts: u32,
    /// Why the last try failed.
    pub(crate) error: Option<String>,
    pub(crate) created_at: Timestamp,
    /// When it is tried next; `null` if it is not.
    pub(crate) next_at: Option<Timestamp>,
    /// When it arrived or was given up; `null` before.
    pub(crate) settled_at: Option<Timestamp>,
}

/// How a channel is kept.
#[derive(Serialize, Deserialize)]
struct Document {
    #[serde(rename = "type")]
    kind: String,
    settings: Settings,
}

/// A channel, and whether the program itself was told of it.
#[derive(Debug, Clone, PartialEq)]
struct Given {
    channel: Channel,
    by_program: bool,
}

/// Makes the channels of the program, and those that are set up here, now and whenever they change.
pub(crate) fn begin(app: &App) {
    let (given, surroundings) = (app.config().channels.clone(), surroundings(app));
    let tracker = app.tracker().clone();
    app.tracker().in_background("integrations", move |weak| {
        let mut known = BTreeMap::new();
        // Before the database is asked: it may be away.
        bring(&tracker, &mut known, wanted(&given, &[]), &surroundings);
        follow(weak, tracker.store().changes(), given, known, surroundings)
    });
}

async fn follow(
    tracker: WeakTracker,
    mut changes: Changes,
    given: Vec<Channel>,
    mut known: BTreeMap<String, Given>,
    surroundings: Surroundings,
) {
    loop {
        let pause = {
            let Some(tracker) = tracker.upgrade() else { return };
            match tracker.store().integrations().await {
                Ok(stored) => {
                    bring(&tracker, &mut known, wanted(&given, &stored), &surroundings);
                    AGAIN
                }
                Err(_) => SOON,
            }
        };
        let changed = async {
            loop {
                match changes.next().await {
                    Some(Change::Settings | Change::Missed) => return true,
                    Some(_) => {}
                    None => return false,
                }
            }
        };
        if timeout(pause, changed).await == Ok(false) {
            return;
        }
    }
}

/// What there is to be: a channel that is set up here goes before one of the program's with the same name.
fn wanted(given: &[Channel], stored: &[Integration]) -> BTreeMap<String, Given> {
    let of_program = given.iter().map(|channel| Given { channel: channel.clone(), by_program: true });
    let set_up = stored.iter().filter_map(read).map(|channel| Given { channel, by_program: false });
    of_program.chain(set_up).map(|given| (given.channel.name.clone(), given)).collect()
}

/// Brings the tracker's channels in line; touches no other than those that it made.
fn bring(
    tracker: &Tracker,
    known: &mut BTreeMap<String, Given>,
    wanted: BTreeMap<String, Given>,
    surroundings: &Surroundings,
) {
    let gone: BTreeSet<&String> = known.keys().filter(|name| !wanted.contains_key(*name)).collect();
    for name in gone {
        let _ = tracker.remove_notifier(name);
    }
    for (name, given) in &wanted {
        if known.get(name) == Some(given) {
            continue;
        }
        match given.build(surroundings) {
            Ok(notifier) => tracker.set_notifier(notifier),
            Err(error) => {
                let _ = tracker.remove_notifier(name);
                tracing::warn!(target: "errtrack", "the channel {name} cannot be: {error}");
            }
        }
    }
    *known = wanted;
}

impl Given {
    fn build(&self, surroundings: &Surroundings) -> Result<Arc<dyn Notifier>, errtrack_notify::InvalidChannel> {
        self.channel.build(&Surroundings { trusted_mail: self.by_program, ..surroundings.clone() })
    }
}

pub(crate) fn surroundings(app: &App) -> Surroundings {
    let config = app.config();
    Surroundings {
        dashboard: config.dashboard_url.clone().or_else(|| config.public_url.clone()),
        allowed: config.allowed_targets.clone(),
        trusted_mail: false,
    }
}

/// A channel as it is kept; `None` if it is of a kind that only a later version knows.
fn read(integration: &Integration) -> Option<Channel> {
    let document: Document = serde_json::from_str(integration.config.as_deref()?).ok()?;
    let channel = Channel::new(&integration.name, document.kind.parse().ok()?);
    Some(Channel { settings: document.settings, ..channel })
}

/// Every channel, by name.
pub(crate) async fn list(app: &App) -> Result<Vec<Shown>, Error> {
    let stored = app.store().integrations().await?;
    let counts = app.store().outbox_counts().await?;
    let wanted = wanted(&app.config().channels, &stored);
    let kind_of = |name: &str| if name == push::CHANNEL { push::CHANNEL } else { "custom" };
    let of_host = app.tracker().notifiers().into_iter().filter(|name| !wanted.contains_key(name));
    let mut shown: Vec<Shown> = wanted.values().map(|given| set_up(app, given)).collect();
    shown.extend(of_host.map(|name| Shown {
        kind: kind_of(&name),
        name,
        status: Health::Configured,
        config: BTreeMap::new(),
        last_test: None,
        last_error: None,
        origin: Origin::Program,
        waiting: 0,
        failed: 0,
    }));
    for one in &mut shown {
        if let Some(stored) = stored.iter().find(|stored| stored.name == one.name) {
            one.last_test = stored.tested_at;
            one.last_error = one.last_error.take().or_else(|| stored.test_error.clone());
        }
        one.status = match (&one.last_error, one.last_test) {
            (Some(_), _) => Health::Failing,
            (None, Some(_)) => Health::Connected,
            (None, None) => Health::Configured,
        };
        if let Some(count) = counts.iter().find(|count| count.channel == one.name) {
            (one.waiting, one.failed) = (count.waiting, count.failed);
        }
    }
    shown.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(shown)
}

fn set_up(app: &App, given: &Given) -> Shown {
    let channel = &given.channel;
    Shown {
        name: channel.name.clone(),
        kind: channel.kind.as_str(),
        status: Health::Configured,
        config: channel.kind.masked(&channel.settings),
        last_test: None,
        last_error: given.build(&surroundings(app)).err().map(|error| error.to_string()),
        origin: if given.by_program { Origin::Program } else { Origin::Dashboard },
        waiting: 0,
        failed: 0,
    }
}

/// Sets a channel up or changes it; answers it. Secrets that are left out, or given as they are shown, stay as they are.
pub(crate) async fn put(
    app: &App,
    caller: &Caller,
    name: &str,
    kind: Option<&str>,
    settings: &Settings,
) -> Result<Shown, Error> {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
    if name.is_empty() || name.len() > NAME || !name.chars().all(is_plain) {
        let message = format!("name: must be 1 to {NAME} small letters, digits, dashes and underscores");
        return Err(Error::bad_request(message));
    }
    let stored = app.store().integrations().await?;
    let before = stored.iter().find(|stored| stored.name == name).and_then(read);
    let kind: Kind = match (kind, &before) {
        (Some(kind), _) => kind.parse().map_err(|error| Error::bad_request(format!("type: {error}")))?,
        (None, Some(before)) => before.kind,
        (None, None) => name.parse().map_err(|error| Error::bad_request(format!("type: {error}")))?,
    };
    if name == push::CHANNEL {
        return Err(Error::bad_request("name: push is the channel of members' browsers, which needs no settings"));
    }
    let is_known = |name: &str| name == "smtp_server" || kind.fields().iter().any(|field| field.name == name);
    if let Some(unknown) = settings.keys().find(|name| !is_known(name)) {
        let names: Vec<&str> = kind.fields().iter().map(|field| field.name).collect();
        let message = format!("config.{unknown}: is no setting of {kind}; these are: {}", names.join(", "));
        return Err(Error::bad_request(message));
    }
    if let Some((name, _)) = settings.iter().find(|(_, value)| value.len() > SETTING) {
        return Err(Error::bad_request(format!("config.{name}: is longer than {SETTING} bytes")));
    }
    let is_new = before.is_none();
    let before = before.filter(|before| before.kind == kind);
    let settings = kind.merged(before.as_ref().map(|before| &before.settings), settings);
    let given = Given { channel: Channel { settings, ..Channel::new(name, kind) }, by_program: false };
    given.build(&surroundings(app)).map_err(|error| match error.field {
        "type" => Error::bad_request(error.to_string()),
        _ => Error::bad_request(format!("config.{error}")),
    })?;
    if is_new && stored.iter().filter(|stored| stored.config.is_some()).count() >= MOST {
        return Err(Error::new(StatusCode::CONFLICT, format!("there are {MOST} integrations already")));
    }
    let document = Document { kind: kind.as_str().into(), settings: given.channel.settings };
    let document = serde_json::to_string(&document).map_err(StoreError::other)?;
    app.store().put_integration(name, Some(&document)).await?;
    caller.did(app, Deed::new("integration.set", name).details(kind.label())).await;
    find(app, name).await
}

/// Takes a channel away that was set up here.
pub(crate) async fn delete(app: &App, caller: &Caller, name: &str) -> Result<(), Error> {
    if !app.store().put_integration(name, None).await? {
        find(app, name).await?;
        let message = "the program's configuration has it: it cannot be taken away here";
        return Err(Error::new(StatusCode::CONFLICT, message));
    }
    // This process hears of it as the others do; until then it would look like one of the program's own.
    if !app.config().channels.iter().any(|channel| channel.name == name) {
        let _ = app.tracker().remove_notifier(name);
    }
    caller.did(app, Deed::new("integration.delete", name)).await;
    Ok(())
}

/// Sends a message by a channel, and answers what came of it.
pub(crate) async fn test(app: &App, caller: &Caller, name: &str) -> Result<Tested, Error> {
    let stored = app.store().integrations().await?;
    // As it is set up now, which the tracker may not have heard of yet.
    let notifier = match wanted(&app.config().channels, &stored).get(name) {
        Some(given) => given.build(&surroundings(app)).map_err(|error| NotifyError::permanent(error.to_string())),
        None => app.tracker().notifier(name).map(Ok).ok_or_else(|| Error::not_found("integration"))?,
    };
    // A test is for whoever makes it, where the channel tells each member apart.
    let to = match &caller.member {
        Some(member) if name == push::CHANNEL => vec![member.email.clone()],
        None if name == push::CHANNEL => {
            return Err(Error::bad_request("name: push is tried by members, who have browsers"));
        }
        _ => Vec::new(),
    };
    let tested_at = Timestamp::now();
    let notification = Notification {
        trigger: Trigger::Test,
        at: tested_at,
        note: Some(format!("Sent by {}", caller.who())),
        ..Notification::default()
    };
    let tried = match notifier {
        Ok(notifier) => send(notifier, to, notification).await,
        Err(error) => Err(error),
    };
    let error = tried.err().map(|error| error.message.chars().take(500).collect::<String>());
    app.store().note_test(name, tested_at, error.as_deref()).await?;
    let outcome = error.clone().unwrap_or_else(|| "it arrived".into());
    caller.did(app, Deed::new("integration.test", name).details(outcome)).await;
    Ok(Tested { name: name.to_owned(), delivered: error.is_none(), error, tested_at })
}

/// Mails something to somebody, past the outbox. Answers whether that arrived, `None` where mail is not set up.
pub(crate) async fn mail(app: &App, to: &str, notification: Notification) -> Option<bool> {
    let sent = send(app.tracker().notifier("email")?, vec![to.to_owned()], notification).await;
    if let Err(error) = &sent {
        tracing::warn!(target: "errtrack", "a mail to {to} did not arrive: {}", error.message);
    }
    Some(sent.is_ok())
}

pub(crate) async fn send(
    notifier: Arc<dyn Notifier>,
    recipients: Vec<String>,
    notification: Notification,
) -> Result<(), NotifyError> {
    let entry = OutboxEntry {
        key: Uuid::now_v7(),
        channel: notifier.name().to_owned(),
        recipients,
        ordering: String::new(),
        firing: None,
        due_at: notification.at,
        notification,
    };
    // A task of its own: it may be the host's code, and panic.
    let mut task = tokio::spawn(async move { notifier.notify(&Delivery::new(&entry)).await });
    match timeout(PATIENCE, &mut task).await {
        Ok(Ok(tried)) => tried,
        Ok(Err(_)) => Err(NotifyError::new("the channel panicked")),
        Err(_) => {
            task.abort();
            Err(NotifyError::new(format!("no answer within {} s", PATIENCE.as_secs())))
        }
    }
}

/// Notifications on their way or at their end, the newest first.
pub(crate) async fn deliveries(app: &App, query: &OutboxQuery) -> Result<Vec<Sending>, Error> {
    Ok(app.store().outbox(query).await?.into_iter().map(Sending::new).collect())
}

/// Lets a notification that was given up be tried again.
pub(crate) async fn retry(app: &App, caller: &Caller, key: &str) -> Result<(), Error> {
    let key = Uuid::try_parse(key).map_err(|_| Error::bad_request("key: must be a UUID"))?;
    if !app.store().retry_outbox(key, Timestamp::now()).await? {
        return Err(Error::not_found("failed delivery"));
    }
    app.tracker().wake_delivery();
    caller.did(app, Deed::new("delivery.retry", key.to_string())).await;
    Ok(())
}

async fn find(app: &App, name: &str) -> Result<Shown, Error> {
    let found = list(app).await?.into_iter().find(|one| one.name == name);
    found.ok_or_else(|| Error::not_found("integration"))
}

impl Sending {
    fn new(item: OutboxItem) -> Self {
        let is_waiting = item.state == OutboxState::Waiting;
        Self {
            key: item.entry.key,
            subject: Words::of(&item.entry.notification, None).subject,
            trigger: item.entry.notification.trigger,
            channel: item.entry.channel,
            recipients: item.entry.recipients,
            state: item.state,
            attempts: item.attempts,
            error: item.error,
            created_at: item.made_at,
            next_at: is_waiting.then_some(item.next_at),
            settled_at: item.settled_at,
        }
    }
}
