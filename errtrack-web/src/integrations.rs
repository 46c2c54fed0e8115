//! Channels by which people are told, and services that take tickets: set up here or by the program, tried, and followed on
//! every process.

mod set_up;
pub(crate) mod tickets;

use crate::{
    access::{Caller, Deed},
    app::App,
    error::Error,
    push,
};
use axum::http::StatusCode;
use errtrack_core::{
    Timestamp, Tracker, WeakTracker,
    notify::{Notification, Notifier, NotifyError, OutboxEntry, Trigger, attempt},
    store::{Change, Changes, Integration, OutboxItem, OutboxQuery, OutboxState},
};
use errtrack_notify::{Channel, Settings, Surroundings, Words};
use serde::Serialize;
pub(crate) use set_up::{AnyKind, SetUp};
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
/// Characters of a name, and bytes of a setting.
const NAME: usize = 50;
const SETTING: usize = 20_000;
/// Integrations that can be set up.
const MOST: usize = 100;

/// An integration, ready to be shown.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Integration)]
pub(crate) struct Shown {
    /// The name by which rules call it.
    pub(crate) name: String,
    /// `email`, `slack`, `discord`, `mattermost`, `telegram`, `webhook`, `sms`; `push` for members' browsers; `custom` for one of
    /// the program's own; `github`, `gitlab`, `jira` for one that takes tickets, which no rule can call.
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
    /// Whether the message was taken; of one that takes tickets, whether it knows the token and where they go.
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
    let set_up = stored.iter().filter_map(SetUp::read).filter_map(SetUp::channel);
    let set_up = set_up.map(|channel| Given { channel, by_program: false });
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

/// What integrations need to know of the program.
pub(crate) fn surroundings(app: &App) -> Surroundings {
    let config = app.config();
    Surroundings {
        dashboard: config.dashboard_url.clone().or_else(|| config.public_url.clone()),
        allowed: config.allowed_targets.clone(),
        trusted_mail: false,
    }
}

/// Every integration, by name.
pub(crate) async fn list(app: &App) -> Result<Vec<Shown>, Error> {
    let stored = app.store().integrations().await?;
    let counts = app.store().outbox_counts().await?;
    let wanted = wanted(&app.config().channels, &stored);
    let kind_of = |name: &str| if name == push::CHANNEL { push::CHANNEL } else { "custom" };
    let of_host = app.tracker().notifiers().into_iter().filter(|name| !wanted.contains_key(name));
    let mut shown: Vec<Shown> = wanted.values().map(|given| set_up(app, given)).collect();
    let takes_tickets = |one: &SetUp| one.kind.takes_tickets();
    let for_tickets = stored.iter().filter_map(SetUp::read).filter(takes_tickets);
    shown.extend(for_tickets.map(|one| {
        let error = one.check(&surroundings(app)).err();
        let config = one.kind.masked(&one.settings);
        Shown::new(one.name, one.kind.as_str(), Origin::Dashboard, config, error.map(|error| error.to_string()))
    }));
    shown.extend(of_host.map(|name| Shown::new(name.clone(), kind_of(&name), Origin::Program, BTreeMap::new(), None)));
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
    let (channel, error) = (&given.channel, given.build(&surroundings(app)).err());
    let origin = if given.by_program { Origin::Program } else { Origin::Dashboard };
    let config = channel.kind.masked(&channel.settings);
    Shown::new(channel.name.clone(), channel.kind.as_str(), origin, config, error.map(|error| error.to_string()))
}

impl Shown {
    fn new(name: String, kind: &'static str, origin: Origin, config: Settings, last_error: Option<String>) -> Self {
        let status = Health::Configured;
        Self { name, kind, status, config, last_test: None, last_error, origin, waiting: 0, failed: 0 }
    }
}

/// Sets an integration up or changes it; answers it. Secrets that are left out, or given as they are shown, stay as they are.
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
    let before = stored.iter().find(|stored| stored.name == name).and_then(SetUp::read);
    let kind = match (kind, &before) {
        (None, Some(before)) => before.kind,
        (kind, _) => AnyKind::named(kind.unwrap_or(name)).map_err(|why| Error::bad_request(format!("type: {why}")))?,
    };
    if name == push::CHANNEL {
        return Err(Error::bad_request("name: push is the channel of members' browsers, which needs no settings"));
    }
    if kind.takes_tickets() && before.as_ref().is_none_or(|before| !before.kind.takes_tickets()) {
        tickets::check_name(app, name).await?;
    }
    let is_known = |name: &str| name == "smtp_server" || kind.fields().iter().any(|field| field.name == name);
    if let Some(unknown) = settings.keys().find(|name| !is_known(name)) {
        let names: Vec<&str> = kind.fields().iter().map(|field| field.name).collect();
        let message = format!("config.{unknown}: is no setting of {}; these are: {}", kind.as_str(), names.join(", "));
        return Err(Error::bad_request(message));
    }
    if let Some((name, _)) = settings.iter().find(|(_, value)| value.len() > SETTING) {
        return Err(Error::bad_request(format!("config.{name}: is longer than {SETTING} bytes")));
    }
    let is_new = before.is_none();
    let before = before.filter(|before| before.kind == kind);
    let settings = kind.merged(before.as_ref().map(|before| &before.settings), settings);
    let set_up = SetUp { name: name.to_owned(), kind, settings };
    set_up.check(&surroundings(app)).map_err(|error| match error.field {
        "type" => Error::bad_request(error.to_string()),
        _ => Error::bad_request(format!("config.{error}")),
    })?;
    if is_new && stored.iter().filter(|stored| stored.config.is_some()).count() >= MOST {
        return Err(Error::new(StatusCode::CONFLICT, format!("there are {MOST} integrations already")));
    }
    app.store().put_integration(name, Some(&set_up.document()?)).await?;
    caller.did(app, Deed::new("integration.set", name).details(kind.label())).await;
    find(app, name).await
}

/// Takes an integration away that was set up here.
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

/// Sends a message by a channel, or asks what takes tickets whether it would; answers what came of it.
pub(crate) async fn test(app: &App, caller: &Caller, name: &str) -> Result<Tested, Error> {
    let stored = app.store().integrations().await?;
    let tested_at = Timestamp::now();
    let service = stored.iter().filter(|stored| stored.name == name).filter_map(SetUp::read).next();
    let tried = match service.and_then(|one| one.service(&surroundings(app))) {
        Some(service) => tickets::ask(service).await,
        None => try_channel(app, caller, &stored, name, tested_at).await?.map_err(|error| error.message),
    };
    let error = tried.err().map(|error| error.chars().take(500).collect::<String>());
    app.store().note_test(name, tested_at, error.as_deref()).await?;
    let outcome = error.clone().unwrap_or_else(|| "it works".into());
    caller.did(app, Deed::new("integration.test", name).details(outcome)).await;
    Ok(Tested { name: name.to_owned(), delivered: error.is_none(), error, tested_at })
}

async fn try_channel(
    app: &App,
    caller: &Caller,
    stored: &[Integration],
    name: &str,
    at: Timestamp,
) -> Result<Result<(), NotifyError>, Error> {
    // As it is set up now, which the tracker may not have heard of yet.
    let notifier = match wanted(&app.config().channels, stored).get(name) {
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
    let note = Some(format!("Sent by {}", caller.who()));
    let notification = Notification { trigger: Trigger::Test, at, note, ..Notification::default() };
    Ok(match notifier {
        Ok(notifier) => send(notifier, to, notification).await,
        Err(error) => Err(error),
    })
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
    attempt(notifier, entry, 1).await
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
