//! Asking a service, and what its answers mean.

use super::{
    CreatedTicket, TicketDraft, TicketError, TicketKind, github::GitHub, gitlab::GitLab, jira::Jira, link::parsed,
    settings::Given,
};
use crate::{InvalidChannel, Settings, words::one_line};
use errtrack_core::{AllowedTargets, Timestamp};
use errtrack_outgoing::{Answer, Outgoing, OutgoingError, Question};
use http::HeaderName;
use serde_json::Value;
use std::{fmt, time::Duration};

/// How long one request may take, and bytes of an answer: it tells the ticket with all that is in it.
const PATIENCE: Duration = Duration::from_secs(20);
const ANSWER: usize = 1 << 20;
/// Characters of an answer that are kept to say what went wrong.
const SAID: usize = 300;

/// A request to a service.
pub(super) struct Call {
    pub(super) url: String,
    pub(super) headers: Vec<(HeaderName, String)>,
    /// What is posted; nothing is only read.
    pub(super) body: Option<Value>,
}

/// What a service takes and says.
enum Service {
    GitHub(GitHub),
    GitLab(GitLab),
    Jira(Jira),
}

/// A service, and how it is asked.
pub(super) struct Asked {
    service: Service,
    /// What must not be told.
    secrets: Vec<String>,
    allowed: AllowedTargets,
    outgoing: Outgoing,
}

impl Asked {
    pub(super) fn new(kind: TicketKind, settings: &Settings, allowed: AllowedTargets) -> Result<Self, InvalidChannel> {
        let given = Given::new(kind, settings)?;
        let mut secrets = vec![given.token()?];
        let service = match kind {
            TicketKind::GitHub => Service::GitHub(GitHub::new(given)?),
            TicketKind::GitLab => Service::GitLab(GitLab::new(given)?),
            TicketKind::Jira => {
                let jira = Jira::new(given)?;
                secrets.extend(jira.credentials().map(str::to_owned));
                Service::Jira(jira)
            }
        };
        let outgoing = Outgoing::with(allowed.clone(), PATIENCE, ANSWER);
        Ok(Self { service, secrets, allowed, outgoing })
    }

    pub(super) fn set_patience(&mut self, patience: Duration) {
        self.outgoing = Outgoing::with(self.allowed.clone(), patience, ANSWER);
    }

    pub(super) async fn check(&self) -> Result<(), TicketError> {
        match &self.service {
            Service::GitHub(github) => github.judge(&self.ask(github.look()).await?),
            Service::GitLab(gitlab) => gitlab.judge(&self.ask(gitlab.look()).await?),
            Service::Jira(jira) => {
                self.ask(jira.who()).await?;
                jira.judge(&self.ask(jira.look()).await?)
            }
        }
        .map_err(TicketError::new)
    }

    pub(super) async fn create(&self, draft: &TicketDraft) -> Result<CreatedTicket, TicketError> {
        let (title, call) = match &self.service {
            Service::GitHub(github) => github.create(draft),
            Service::GitLab(gitlab) => gitlab.create(draft),
            Service::Jira(jira) => jira.create(draft),
        };
        let answer = self.ask(call).await?;
        let made = match &self.service {
            Service::GitHub(github) => github.made(&answer),
            Service::GitLab(gitlab) => gitlab.made(&answer),
            Service::Jira(jira) => jira.made(&answer),
        };
        // It becomes a link on our pages.
        let made = made.and_then(|(key, url)| Some((one_line(&key, 200), String::from(parsed(&url)?))));
        let Some((key, url)) = made else {
            let message = "answered that it made one, but not which".to_owned();
            return Err(TicketError { is_uncertain: true, ..TicketError::new(message) });
        };
        Ok(CreatedTicket { key, url, title })
    }

    pub(super) fn key_of(&self, url: &str) -> Option<String> {
        let url = parsed(url)?;
        match &self.service {
            Service::GitHub(github) => github.key_of(&url),
            Service::GitLab(gitlab) => gitlab.key_of(&url),
            Service::Jira(jira) => jira.key_of(&url),
        }
    }

    /// Asks, and answers what was answered: JSON, as far as it is that.
    async fn ask(&self, call: Call) -> Result<Value, TicketError> {
        let writes = call.body.is_some();
        let question = match call.body {
            Some(body) => Question::post(&call.url, body.to_string().into()).json(),
            None => Question::get(&call.url),
        };
        let question =
            call.headers.iter().fold(question, |question, (name, value)| question.header(name.clone(), value));
        let answer = self.outgoing.send(question).await.map_err(|error| unanswered(&error, writes))?;
        let message = match answer.status {
            200..300 => return Ok(serde_json::from_slice(&answer.body).unwrap_or_default()),
            status @ 300..400 => format!("answered {status}: redirects are not followed; has it another name now?"),
            status => format!("answered {status}{}", self.said(&answer)),
        };
        // Whoever stands before the service does not know what it did.
        let is_uncertain = writes && matches!(answer.status, 502 | 504);
        Err(TicketError { is_uncertain, retry_after: pause(&answer), ..TicketError::new(message) })
    }

    /// What an answer says, in a line, without secrets.
    fn said(&self, answer: &Answer) -> String {
        let text = match serde_json::from_slice::<Value>(&answer.body) {
            Ok(json) => {
                let mut parts = Vec::new();
                for name in ["message", "error", "error_description", "errorMessages", "errors"] {
                    tell(name, json.get(name).unwrap_or(&Value::Null), true, &mut parts);
                }
                parts.join("; ")
            }
            Err(_) => String::from_utf8_lossy(&answer.body).into_owned(),
        };
        // Before it is cut: half of one would stay.
        let text = self.secrets.iter().fold(text, |text, secret| text.replace(secret.as_str(), "****"));
        let text = one_line(&text, SAID);
        // A page of HTML says nothing in a line.
        if text.is_empty() || text.starts_with('<') { String::new() } else { format!(": {text}") }
    }
}

impl fmt::Debug for Asked {
    /// Without secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asked").finish_non_exhaustive()
    }
}

impl TicketError {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), is_too_slow: false, is_uncertain: false, retry_after: None }
    }
}

/// Puts one more field into an object.
pub(super) fn put(object: &mut Value, name: &str, value: Value) {
    if let Value::Object(object) = object {
        object.insert(name.into(), value);
    }
}

/// Gathers the texts of an answer; those within something with its name before them.
fn tell(name: &str, value: &Value, is_top: bool, parts: &mut Vec<String>) {
    match value {
        Value::String(text) if is_top => parts.push(text.clone()),
        Value::String(text) => parts.push(format!("{name}: {text}")),
        Value::Array(list) => list.iter().for_each(|value| tell(name, value, is_top, parts)),
        Value::Object(object) => object.iter().for_each(|(name, value)| tell(name, value, false, parts)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// What went wrong before there was an answer.
fn unanswered(error: &OutgoingError, writes: bool) -> TicketError {
    let why = std::error::Error::source(error).map(|source| format!(": {source}")).unwrap_or_default();
    let is_too_slow = matches!(error, OutgoingError::TooSlow(_));
    let is_uncertain = writes && (is_too_slow || matches!(error, OutgoingError::Broken(_)));
    TicketError { is_too_slow, is_uncertain, ..TicketError::new(format!("{error}{why}")) }
}

/// For how long a service wants to be left alone: by `Retry-After`, or as GitHub says that nothing is left of its limit.
fn pause(answer: &Answer) -> Option<Duration> {
    let number = |name: &str| answer.headers.get(name)?.to_str().ok()?.trim().parse::<i64>().ok();
    let is_over = matches!(answer.status, 403 | 429) && number("x-ratelimit-remaining") == Some(0);
    let until_reset = || {
        let seconds = number("x-ratelimit-reset")?.saturating_sub(Timestamp::now().as_seconds());
        Some(Duration::from_secs(u64::try_from(seconds).unwrap_or_default().max(1)))
    };
    answer.retry_after().or_else(|| is_over.then(until_reset).flatten())
}
