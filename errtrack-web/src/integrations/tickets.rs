//! What takes tickets among the integrations. It is no channel, so nothing that is to be told may name it.

use super::SetUp;
use crate::{app::App, error::Error};
use axum::http::StatusCode;
use errtrack_notify::{InvalidChannel, TicketService};
use std::time::Duration;

/// How long a service may take to answer a test; Jira is asked twice.
const PATIENCE: Duration = Duration::from_secs(15);

/// The services that take tickets, by name.
pub(crate) async fn all(app: &App) -> Result<Vec<SetUp>, Error> {
    let stored = app.store().integrations().await?;
    Ok(stored.iter().filter_map(SetUp::read).filter(|one| one.kind.takes_tickets()).collect())
}

/// Checks the names of channels, given in that field, that are to be told of something: what takes tickets tells nobody.
pub(crate) async fn check_channels(app: &App, field: &str, names: &[String]) -> Result<(), Error> {
    if names.is_empty() {
        return Ok(());
    }
    match all(app).await?.iter().find(|one| names.contains(&one.name)) {
        Some(one) => Err(Error::bad_request(format!("{field}: {} takes tickets, and is no channel", one.name))),
        None => Ok(()),
    }
}

/// Whether a name is free for what takes tickets: rules that name a channel must not come to name that.
pub(super) async fn check_name(app: &App, name: &str) -> Result<(), Error> {
    if app.config().channels.iter().any(|channel| channel.name == name) || app.tracker().notifier(name).is_some() {
        return Err(Error::new(StatusCode::CONFLICT, format!("name: there is a channel {name}; take another name")));
    }
    let rules = app.store().alert_rules().await?;
    match rules.iter().find(|rule| rule.notifications.iter().any(|channel| channel == name)) {
        Some(rule) => {
            let message = format!("name: the alert rule `{}` tells people by {name}; take another name", rule.name);
            Err(Error::new(StatusCode::CONFLICT, message))
        }
        None => Ok(()),
    }
}

/// Asks whether a service knows the token, and has what tickets go to.
pub(super) async fn ask(service: Result<TicketService, InvalidChannel>) -> Result<(), String> {
    let service = service.map_err(|error| error.to_string())?;
    service.patience(PATIENCE).check().await.map_err(|error| error.message)
}
