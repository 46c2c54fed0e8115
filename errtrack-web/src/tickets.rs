//! Tickets: issues of GitHub, GitLab and Jira, made of issues here and linked to them, for the API and the pages.

use crate::{
    access::{Caller, Deed},
    app::App,
    error::Error,
    integrations::{self, AnyKind, SetUp},
    triage,
};
use axum::http::StatusCode;
use errtrack_core::{
    Issue, Timestamp,
    notify::IssueFacts,
    store::{self, MAX_TICKETS, TicketAdded},
};
use errtrack_notify::{TicketDraft, TicketError, TicketLink, TicketService};
use serde::Serialize;
use std::time::Duration;
use utoipa::ToSchema;
use uuid::Uuid;

/// For how long the place of a ticket is kept that is being made; longer than it can take.
const LEASE: Duration = Duration::from_secs(120);
/// How long a service may take to make one.
const PATIENCE: Duration = if cfg!(test) { Duration::from_secs(1) } else { Duration::from_secs(20) };
/// How often it is tried to note what was made, and how long is waited between.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_secs(1);
/// Characters of a title, and of one that nobody has given.
pub(crate) const TITLE: usize = 255;
const OWN_TITLE: usize = 200;
/// Characters of what somebody adds.
pub(crate) const NOTE: usize = 5_000;
/// Frames that are told.
const FRAMES: usize = 10;

/// A ticket, ready to be shown.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Ticket {
    pub(crate) id: Uuid,
    /// The integration by which it was made, or that it belongs to; `null` for one of a service that is not set up here.
    pub(crate) integration: Option<String>,
    /// `github`, `gitlab`, `jira`, or `other`.
    pub(crate) kind: String,
    /// What it is called there.
    #[schema(example = "acme/shop#12")]
    pub(crate) key: String,
    pub(crate) url: String,
    /// The title that it was given; empty if that is not known.
    pub(crate) title: String,
    pub(crate) created_at: Timestamp,
    pub(crate) created_by: String,
}

/// An integration by which tickets are made.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = TicketIntegration)]
pub(crate) struct Way {
    pub(crate) name: String,
    #[schema(pattern = "^(github|gitlab|jira)$")]
    pub(crate) kind: &'static str,
    /// The repository or the project that they go to.
    #[schema(example = "acme/shop")]
    pub(crate) target: String,
}

/// What is wanted of a new ticket.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    /// By which integration it is made.
    pub(crate) integration: Option<String>,
    /// Or the address of one that is there.
    pub(crate) url: Option<String>,
    /// That of the issue unless given.
    pub(crate) title: Option<String>,
    /// What is added to what happened.
    pub(crate) note: Option<String>,
}

impl Ticket {
    /// `None` for one that is being made.
    fn new(ticket: store::Ticket) -> Option<Self> {
        Some(Self {
            id: ticket.id,
            integration: ticket.integration,
            kind: ticket.kind,
            key: ticket.key,
            url: ticket.url?,
            title: ticket.title,
            created_at: ticket.created_at,
            created_by: ticket.created_by,
        })
    }
}

/// The tickets of an issue, the oldest first.
pub(crate) async fn list(app: &App, issue: &Issue) -> Result<Vec<Ticket>, Error> {
    Ok(app.store().tickets(issue.id).await?.into_iter().filter_map(Ticket::new).collect())
}

/// By what tickets can be made, by name.
pub(crate) async fn ways(app: &App) -> Result<Vec<Way>, Error> {
    let way = |one: SetUp| match one.kind {
        AnyKind::Tickets(kind) => {
            let target = kind.target(&one.settings).to_owned();
            Some(Way { name: one.name, kind: kind.as_str(), target })
        }
        AnyKind::Channel(_) => None,
    };
    Ok(integrations::tickets::all(app).await?.into_iter().filter_map(way).collect())
}

/// The title of a ticket that nobody has given another.
pub(crate) fn title_of(facts: &IssueFacts) -> String {
    let title: Vec<&str> = facts.title.split_whitespace().collect();
    let title = title.join(" ");
    match title.chars().nth(OWN_TITLE) {
        _ if title.is_empty() => facts.short_id.clone(),
        None => title,
        Some(_) => title.chars().take(OWN_TITLE - 1).chain(['…']).collect(),
    }
}

impl Caller {
    /// Makes a ticket of an issue that the caller has found, or links one.
    pub(crate) async fn add_ticket(&self, app: &App, issue: &Issue, wanted: Wanted) -> Result<Ticket, Error> {
        let text = |field: &str, text: Option<String>, most: usize| match text.as_deref().map(str::trim) {
            Some(text) if text.chars().count() > most => {
                Err(Error::bad_request(format!("{field}: must not be longer than {most} characters")))
            }
            text => Ok(text.filter(|text| !text.is_empty()).map(str::to_owned)),
        };
        let (title, note) = (text("title", wanted.title, TITLE)?, text("note", wanted.note, NOTE)?);
        match (wanted.integration, wanted.url) {
            (Some(name), None) => self.make_ticket(app, issue, &name, title, note).await,
            (None, Some(_)) if note.is_some() => {
                Err(Error::bad_request("note: is for a ticket that is made, not for one that is linked"))
            }
            (None, Some(url)) => self.link_ticket(app, issue, &url, title).await,
            (None, None) => Err(Error::bad_request("integration: is needed, or the `url` of a ticket that is there")),
            (Some(_), Some(_)) => Err(Error::bad_request("url: is for a ticket that is there, without `integration`")),
        }
    }

    /// Takes the link to a ticket away; the ticket stays.
    pub(crate) async fn remove_ticket(&self, app: &App, issue: &Issue, id: &str) -> Result<(), Error> {
        let id = Uuid::try_parse(id).map_err(|_| Error::bad_request("ticket_id: must be the UUID of a ticket"))?;
        let gone = || Error::not_found("ticket");
        let ticket = list(app, issue).await?.into_iter().find(|ticket| ticket.id == id).ok_or_else(gone)?;
        if !app.store().delete_ticket(issue.id, id).await? {
            return Err(gone());
        }
        let deed = Deed::new("ticket.unlink", issue.short_id()).details(ticket.url).of(issue.project);
        self.did(app, deed).await;
        Ok(())
    }

    async fn link_ticket(&self, app: &App, issue: &Issue, url: &str, title: Option<String>) -> Result<Ticket, Error> {
        let link = TicketLink::parse(url).map_err(|error| Error::bad_request(format!("url: {error}")))?;
        let surroundings = integrations::surroundings(app);
        let own = integrations::tickets::all(app).await?.into_iter().find_map(|one| {
            let key = one.service(&surroundings)?.ok()?.key_of(&link.url)?;
            Some((one.name, one.kind.as_str(), key))
        });
        let (integration, kind, key) = match own {
            Some((name, kind, key)) => (Some(name), kind, key),
            None => (None, link.kind, link.key),
        };
        let ticket = store::Ticket {
            key,
            url: Some(link.url),
            title: title.unwrap_or_default(),
            ..self.new_ticket(integration, kind)
        };
        add(app, issue, &ticket, Duration::ZERO).await?;
        self.has_added(app, issue, "ticket.link", ticket).await
    }

    async fn make_ticket(
        &self,
        app: &App,
        issue: &Issue,
        name: &str,
        title: Option<String>,
        note: Option<String>,
    ) -> Result<Ticket, Error> {
        let all = integrations::tickets::all(app).await?;
        let Some(one) = all.iter().find(|one| one.name == name.trim()) else {
            let names: Vec<&str> = all.iter().map(|one| one.name.as_str()).collect();
            let why = if names.is_empty() { "none does".to_owned() } else { format!("these do: {}", names.join(", ")) };
            return Err(Error::bad_request(format!("integration: none of that name takes tickets; {why}")));
        };
        let surroundings = integrations::surroundings(app);
        let service = match one.service(&surroundings) {
            Some(Ok(service)) => service.patience(PATIENCE),
            Some(Err(error)) => return Err(Error::bad_request(format!("integration: {name} cannot work: {error}"))),
            None => return Err(Error::bad_request(format!("integration: {name} takes no tickets"))),
        };
        let event = app.store().event(Some(&[issue.project]), issue.last_event.uuid()).await?;
        let facts = IssueFacts::of(issue);
        let facts = match &event {
            Some(stored) => facts.with_frames(&stored.event, FRAMES),
            None => facts,
        };
        let draft = TicketDraft {
            title: title.unwrap_or_else(|| title_of(&facts)),
            note: note.unwrap_or_default(),
            issue: facts,
            dashboard: surroundings.dashboard,
        };
        let ticket = self.new_ticket(Some(one.name.clone()), one.kind.as_str());
        add(app, issue, &ticket, LEASE).await?;
        // A task of its own: it must come to its end when the caller does not wait any more.
        let (caller, app, issue) = (self.clone(), app.clone(), issue.clone());
        let made = tokio::spawn(async move { caller.fill(&app, &issue, &service, &draft, ticket).await });
        made.await.unwrap_or_else(|_| Err(Error::new(StatusCode::INTERNAL_SERVER_ERROR, "the server failed")))
    }

    /// Makes the ticket for which there is a place.
    async fn fill(
        &self,
        app: &App,
        issue: &Issue,
        service: &TicketService,
        draft: &TicketDraft,
        place: store::Ticket,
    ) -> Result<Ticket, Error> {
        let made = match service.create(draft).await {
            Ok(made) => made,
            Err(error) => {
                // What may have been made keeps its place until that ends, so that nobody makes it twice.
                if !error.is_uncertain
                    && let Err(error) = app.store().delete_ticket(issue.id, place.id).await
                {
                    Error::from(error).log();
                }
                return Err(not_made(&place, &error));
            }
        };
        let ticket = store::Ticket {
            key: made.key,
            url: Some(made.url.clone()),
            title: made.title,
            created_at: Timestamp::now(),
            ..place
        };
        let but = |why: &str| Error::new(StatusCode::CONFLICT, format!("the ticket was made, but {why}: {}", made.url));
        let mut tries = 1;
        let is_noted = loop {
            match app.store().finish_ticket(&ticket).await {
                Ok(is_noted) => break is_noted,
                Err(error) if tries >= TRIES => {
                    Error::from(error).log();
                    return Err(but("could not be noted; link it"));
                }
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
            tries += 1;
        };
        if !is_noted {
            return Err(but("the issue is gone"));
        }
        self.has_added(app, issue, "ticket.create", ticket).await
    }

    fn new_ticket(&self, integration: Option<String>, kind: &str) -> store::Ticket {
        store::Ticket {
            id: Uuid::now_v7(),
            integration,
            kind: kind.to_owned(),
            key: String::new(),
            url: None,
            title: String::new(),
            created_at: Timestamp::now(),
            created_by: triage::author(self),
        }
    }

    async fn has_added(
        &self,
        app: &App,
        issue: &Issue,
        action: &'static str,
        ticket: store::Ticket,
    ) -> Result<Ticket, Error> {
        let ticket = Ticket::new(ticket).ok_or_else(|| Error::not_found("ticket"))?;
        let deed = Deed::new(action, issue.short_id()).details(format!("{} {}", ticket.key, ticket.url));
        self.did(app, deed.of(issue.project)).await;
        Ok(ticket)
    }
}

/// Gives an issue a ticket, or a place for one.
async fn add(app: &App, issue: &Issue, ticket: &store::Ticket, lease: Duration) -> Result<(), Error> {
    let refused = |message: String| Err(Error::new(StatusCode::CONFLICT, message));
    match app.store().add_ticket(issue.id, ticket, lease).await? {
        TicketAdded::Done => Ok(()),
        TicketAdded::Taken(other) => match &other.url {
            Some(url) => refused(format!("{} is linked already: {url}", other.key)),
            None => {
                let minutes = LEASE.as_secs() / 60;
                let by = &other.created_by;
                refused(format!("{by} is making one just now; if nothing comes of it, try again in {minutes} minutes"))
            }
        },
        TicketAdded::TooMany => refused(format!("{} has {MAX_TICKETS} tickets already", issue.short_id())),
        TicketAdded::Gone => Err(Error::not_found("error")),
    }
}

/// What a service did not do, as its answer: 504 if there was none in time, else 502.
fn not_made(place: &store::Ticket, error: &TicketError) -> Error {
    let status = if error.is_too_slow { StatusCode::GATEWAY_TIMEOUT } else { StatusCode::BAD_GATEWAY };
    let mut message = format!("{}: {}", place.integration.as_deref().unwrap_or(&place.kind), error.message);
    let mut wait = error.retry_after.map(|pause| pause.as_secs());
    if error.is_uncertain {
        message.push_str("; it may have been made all the same: look there, and link it if it was");
        wait = wait.or(Some(LEASE.as_secs()));
    }
    let mut answer = Error::new(status, message);
    answer.wait = wait;
    answer
}
