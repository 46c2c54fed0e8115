//! Integrations: the channels by which people are told and what takes tickets, set up, tried, and what did not arrive.

use super::{
    failure::Failure,
    page::Page,
    shell::{AdminOfAll, Layout, Shell},
    text,
    time::When,
};
use crate::{
    app::App,
    error::Error,
    integrations::{self, AnyKind, Health, Origin, Sending, Shown},
};
use askama::Template;
use axum::{
    Form,
    extract::{Path, Query, State},
    response::{IntoResponse, Redirect, Response},
};
use errtrack_core::{
    Timestamp,
    store::{OutboxQuery, OutboxState},
};
use errtrack_notify::Settings;
use serde::Deserialize;

const PATH: &str = "/settings/integrations";
/// Deliveries that were given up, as many as are shown.
const FAILED: u32 = 20;

/// The page.
#[derive(Debug, Template)]
#[template(path = "integrations.html")]
pub(super) struct IntegrationsPage {
    layout: Layout,
    action: String,
    channels: Vec<Row>,
    /// Forms for a new one, one of each kind.
    kinds: Vec<NewForm>,
    failed: Vec<FailedRow>,
    problem: Option<String>,
    /// What came of the test that was just made, and whether it is well.
    tested: Option<(bool, String)>,
}

/// A channel, ready to be shown.
#[derive(Debug)]
struct Row {
    name: String,
    label: String,
    status: &'static str,
    is_failing: bool,
    is_of_program: bool,
    takes_tickets: bool,
    last_test: Option<When>,
    last_error: Option<String>,
    waiting: u64,
    failed: u64,
    url: String,
    /// What can be changed; empty where nothing can be.
    fields: Vec<Input>,
    kind: &'static str,
}

/// A form for a new channel.
#[derive(Debug)]
struct NewForm {
    kind: &'static str,
    label: &'static str,
    takes_tickets: bool,
    /// What the field of its name says.
    name: String,
    is_built_in: bool,
    /// Somebody has just tried.
    is_open: bool,
    fields: Vec<Input>,
}

/// A field of a form.
#[derive(Debug)]
struct Input {
    id: String,
    name: &'static str,
    label: &'static str,
    help: &'static str,
    value: String,
    /// What is there, where it is not shown.
    placeholder: String,
    is_required: bool,
    is_secret: bool,
    is_long: bool,
}

/// A notification that did not arrive.
#[derive(Debug)]
struct FailedRow {
    subject: String,
    channel: String,
    recipients: String,
    error: String,
    attempts: u32,
    when: When,
    retry_url: String,
}

/// What was typed, where it was wrong.
struct Draft<'a> {
    name: &'a str,
    kind: &'a str,
    settings: &'a Settings,
}

/// `?tested=slack`
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Tested {
    tested: String,
}

/// `GET /settings/integrations`
pub(super) async fn show(
    State(app): State<App>,
    AdminOfAll(shell): AdminOfAll,
    Query(Tested { tested }): Query<Tested>,
) -> Result<Page<IntegrationsPage>, Failure> {
    let mut page = IntegrationsPage::read(&app, &shell, None).await?;
    page.tested = page.channels.iter().find(|row| row.name == tested).map(|row| match &row.last_error {
        Some(error) if row.takes_tickets => (false, format!("{} takes no tickets: {error}", row.name)),
        None if row.takes_tickets => (true, format!("{} takes tickets.", row.name)),
        Some(error) => (false, format!("The test of {} did not arrive: {error}", row.name)),
        None => (true, format!("The test of {} arrived.", row.name)),
    });
    Ok(Page::new(page))
}

/// `POST /settings/integrations`: `name`, `type` and the settings of that kind. A secret that is left empty stays as it is.
pub(super) async fn put(
    State(app): State<App>,
    AdminOfAll(shell): AdminOfAll,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let of = |name: &str| fields.iter().rev().find(|(n, _)| n == name).map_or("", |(_, value)| value.trim());
    let (name, kind) = (of("name").to_owned(), of("type").to_owned());
    let known = AnyKind::named(&kind).map(AnyKind::fields).unwrap_or_default();
    let typed = known.iter().filter(|field| !field.secret || !of(field.name).is_empty());
    let settings: Settings = typed.map(|field| (field.name.to_owned(), of(field.name).to_owned())).collect();
    match integrations::put(&app, shell.caller(), &name, Some(&kind), &settings).await {
        Ok(_) => Ok(Redirect::to(&shell.links.path(PATH)).into_response()),
        Err(Error { status, message, .. }) if status.is_client_error() => {
            let draft = Draft { name: &name, kind: &kind, settings: &settings };
            let mut page = IntegrationsPage::read(&app, &shell, Some(&draft)).await?;
            let message = message.strip_prefix("config.").unwrap_or(&message);
            page.problem = Some(text::line(&text::sentence(message), 300));
            Ok(Page::with_status(status, page).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /settings/integrations/{name}/test` and `…/delete`
pub(super) async fn step(
    State(app): State<App>,
    AdminOfAll(shell): AdminOfAll,
    Path((name, step)): Path<(String, String)>,
) -> Result<Redirect, Failure> {
    let path = match step.as_str() {
        "test" => {
            let tested = integrations::test(&app, shell.caller(), &name).await?;
            text::url(PATH, &[("tested", &tested.name)])
        }
        "delete" => {
            integrations::delete(&app, shell.caller(), &name).await?;
            PATH.to_owned()
        }
        _ => return Err(Error::not_found("page").into()),
    };
    Ok(Redirect::to(&shell.links.path(path)))
}

/// `POST /settings/deliveries/{key}/retry`
pub(super) async fn retry(
    State(app): State<App>,
    AdminOfAll(shell): AdminOfAll,
    Path(key): Path<String>,
) -> Result<Redirect, Failure> {
    integrations::retry(&app, shell.caller(), &key).await?;
    Ok(Redirect::to(&shell.links.path(PATH)))
}

impl IntegrationsPage {
    async fn read(app: &App, shell: &Shell, draft: Option<&Draft<'_>>) -> Result<Self, Failure> {
        let query = OutboxQuery { state: Some(OutboxState::Failed), limit: FAILED, ..OutboxQuery::default() };
        let (channels, failed) = (integrations::list(app).await?, integrations::deliveries(app, &query).await?);
        Ok(Self::new(shell, &channels, &failed, draft, Timestamp::now()))
    }

    fn new(shell: &Shell, channels: &[Shown], failed: &[Sending], draft: Option<&Draft<'_>>, now: Timestamp) -> Self {
        let mut layout = shell.layout("Integrations");
        layout.area = "integrations";
        let new_form = |kind: AnyKind| {
            let draft = draft.filter(|draft| draft.kind == kind.as_str());
            let nothing = Settings::new();
            let settings = draft.map_or(&nothing, |draft| draft.settings);
            let is_taken = channels.iter().any(|one| one.name == kind.as_str());
            let name = if is_taken { format!("{}-2", kind.as_str()) } else { kind.as_str().to_owned() };
            NewForm {
                kind: kind.as_str(),
                label: kind.label(),
                takes_tickets: kind.takes_tickets(),
                name: draft.map_or(name, |draft| text::line(draft.name, 50)),
                is_built_in: kind.is_built_in(),
                is_open: draft.is_some(),
                fields: inputs(kind, &format!("new-{}", kind.as_str()), settings, false),
            }
        };
        let retry_url = |key: uuid::Uuid| shell.links.path(format!("/settings/deliveries/{key}/retry"));
        let failed_row = |one: &Sending| FailedRow {
            subject: text::line(&one.subject, 200),
            channel: text::line(&one.channel, 50),
            recipients: text::line(&one.recipients.join(", "), 200),
            error: text::line(one.error.as_deref().unwrap_or_default(), 500),
            attempts: one.attempts,
            when: When::new(one.settled_at.unwrap_or(one.created_at), now),
            retry_url: retry_url(one.key),
        };
        Self {
            layout,
            action: shell.links.path(PATH),
            channels: channels.iter().map(|one| Row::new(shell, one, now)).collect(),
            kinds: AnyKind::all().map(new_form).collect(),
            failed: failed.iter().map(failed_row).collect(),
            problem: None,
            tested: None,
        }
    }

    #[cfg(test)]
    pub(super) fn samples(shell: &Shell) -> Vec<Self> {
        use super::samples::{HOSTILE, now};
        let shown = |name: &str, kind: &'static str, status, origin, error: Option<&str>| Shown {
            name: name.into(),
            kind,
            status,
            config: [("webhook_url", "https://hooks.slack.com/****"), ("channel", HOSTILE), ("from_email", HOSTILE)]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            last_test: error.map(|_| now()),
            last_error: error.map(str::to_owned),
            origin,
            waiting: 2,
            failed: 3,
        };
        let channels = [
            shown("email", "email", Health::Connected, Origin::Program, None),
            shown("slack", "slack", Health::Failing, Origin::Dashboard, Some(HOSTILE)),
            shown(HOSTILE, "custom", Health::Configured, Origin::Program, None),
            shown("tracker", "github", Health::Connected, Origin::Dashboard, None),
        ];
        let failed = Sending {
            key: uuid::Uuid::nil(),
            channel: HOSTILE.into(),
            recipients: vec![HOSTILE.into()],
            state: OutboxState::Failed,
            trigger: errtrack_core::notify::Trigger::NewIssue,
            subject: HOSTILE.into(),
            attempts: 10,
            error: Some(HOSTILE.into()),
            created_at: now(),
            next_at: None,
            settled_at: Some(now()),
        };
        let settings = Settings::from([("url".to_owned(), HOSTILE.to_owned()), ("template".into(), HOSTILE.into())]);
        let draft = Draft { name: HOSTILE, kind: "webhook", settings: &settings };
        let mut wrong = Self::new(shell, &channels, &[failed], Some(&draft), now());
        wrong.problem = Some(text::line(HOSTILE, 300));
        wrong.tested = Some((false, text::line(HOSTILE, 300)));
        vec![Self::new(shell, &[], &[], None, now()), wrong]
    }
}

impl Row {
    fn new(shell: &Shell, one: &Shown, now: Timestamp) -> Self {
        let kind = AnyKind::named(one.kind).ok();
        let is_of_program = one.origin == Origin::Program;
        let name = text::line(&one.name, 50);
        let fields = kind.filter(|_| !is_of_program).map(|kind| inputs(kind, &name, &one.config, true));
        Self {
            label: match (kind, one.kind) {
                (Some(kind), _) => kind.label().to_owned(),
                (None, crate::push::CHANNEL) => "Browsers of members".to_owned(),
                (None, _) => "of the program".to_owned(),
            },
            status: one.status.as_str(),
            is_failing: one.status == Health::Failing,
            is_of_program,
            takes_tickets: kind.is_some_and(AnyKind::takes_tickets),
            last_test: one.last_test.map(|at| When::new(at, now)),
            last_error: one.last_error.as_deref().map(|error| text::line(error, 300)),
            waiting: one.waiting,
            failed: one.failed,
            url: shell.links.path(format!("{PATH}/{}", text::path_part(&one.name))),
            fields: fields.unwrap_or_default(),
            kind: one.kind,
            name,
        }
    }
}

/// The fields of a kind. What is secret and set is not shown.
fn inputs(kind: AnyKind, id: &str, settings: &Settings, is_set: bool) -> Vec<Input> {
    let value = |name: &str| settings.get(name).map(|value| text::line(value, 20_000)).unwrap_or_default();
    let input = |field: &errtrack_notify::Field| {
        let (value, placeholder) = match field.secret {
            // Of what somebody has just typed nothing is masked.
            true => (String::new(), if is_set { value(field.name) } else { String::new() }),
            false if field.long => {
                (text::block(settings.get(field.name).map_or("", |value| value), 16_000), String::new())
            }
            false => (value(field.name), String::new()),
        };
        Input {
            id: format!("{id}-{}", field.name),
            name: field.name,
            label: field.label,
            help: field.help,
            is_required: field.required && !(is_set && field.secret),
            is_secret: field.secret,
            is_long: field.long,
            value,
            placeholder,
        }
    };
    kind.fields().iter().map(input).collect()
}
