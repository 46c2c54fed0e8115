//! Issues of Jira: `POST /rest/api/2/issue`.
//!
//! Version 2 of the API, whose texts are wiki markup, is what Cloud and Data Center have in common: Data Center has no
//! version 3, and Cloud keeps version 2. All that comes from an event stands between two `{noformat}`, where nothing is markup.

use super::{
    TicketDraft,
    answer::{Call, put},
    link::{is_jira_key, parts},
    settings::Given,
    text::{TITLE, Text},
};
use crate::{InvalidChannel, words::one_line};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::header;
use serde_json::{Value, json};
use std::fmt::Write;
use url::Url;

/// Characters of a description.
const DESCRIPTION: usize = 32_767;

/// A project.
pub(super) struct Jira {
    url: String,
    /// Its key.
    project: String,
    issue_type: String,
    /// The value of `Authorization`.
    authorization: String,
    labels: Vec<String>,
}

impl Jira {
    pub(super) fn new(given: Given<'_>) -> Result<Self, InvalidChannel> {
        let is_key = |text: &str| {
            text.starts_with(|c: char| c.is_ascii_uppercase())
                && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
        };
        let token = given.token()?;
        let authorization = match given.get("email") {
            // The API token of an account of Cloud.
            Some(email) if email.contains('@') && !email.contains(':') => {
                format!("Basic {}", STANDARD.encode(format!("{email}:{token}")))
            }
            Some(_) => return Err(InvalidChannel::new("email", "must be an address like ana@example.com")),
            // A personal access token of Data Center.
            None => format!("Bearer {token}"),
        };
        let issue_type = match given.get("issue_type") {
            Some(name) if name.chars().count() > 60 => {
                return Err(InvalidChannel::new("issue_type", "must not be longer than 60 characters"));
            }
            name => name.unwrap_or("Bug").to_owned(),
        };
        Ok(Self {
            url: given.url("url", "")?,
            project: given.plain("project", "must be a key like SHOP", is_key)?,
            issue_type,
            authorization,
            labels: given.labels(255, false)?,
        })
    }

    /// What stands in the header besides the name of the scheme.
    pub(super) fn credentials(&self) -> Option<&str> {
        self.authorization.split_once(' ').map(|(_, credentials)| credentials)
    }

    fn call(&self, path: &str, body: Option<Value>) -> Call {
        let accept = (header::ACCEPT, "application/json".to_owned());
        let headers = vec![accept, (header::AUTHORIZATION, self.authorization.clone())];
        Call { url: format!("{}/rest/api/2/{path}", self.url), headers, body }
    }

    /// Whose the token is: of a project that everybody may see Jira tells with any.
    pub(super) fn who(&self) -> Call {
        self.call("myself", None)
    }

    pub(super) fn look(&self) -> Call {
        self.call(&format!("project/{}", self.project), None)
    }

    /// Whether a project has the type of issue.
    pub(super) fn judge(&self, project: &Value) -> Result<(), String> {
        if !project["key"].is_string() {
            return Err("answered, but not as Jira does".to_owned());
        }
        let types = project["issueTypes"].as_array().map(Vec::as_slice).unwrap_or_default();
        let names: Vec<&str> =
            types.iter().filter(|ty| ty["subtask"] != true).filter_map(|ty| ty["name"].as_str()).collect();
        if types.is_empty() || names.iter().any(|name| name.eq_ignore_ascii_case(&self.issue_type)) {
            return Ok(());
        }
        let names = one_line(&names.join(", "), 200);
        Err(format!("{} has no issues of the type {}; these are: {names}", self.project, self.issue_type))
    }

    /// Its title and how it is made. A summary may have 255 characters, a description 32,767.
    pub(super) fn create(&self, draft: &TicketDraft) -> (String, Call) {
        let title = one_line(&draft.title, TITLE);
        let mut fields = json!({
            "project": {"key": self.project},
            "issuetype": {"name": self.issue_type},
            "summary": title,
            "description": description(&Text::of(draft)),
        });
        if !self.labels.is_empty() {
            put(&mut fields, "labels", json!(self.labels));
        }
        (title, self.call("issue", Some(json!({"fields": fields}))))
    }

    pub(super) fn made(&self, issue: &Value) -> Option<(String, String)> {
        let key = issue["key"].as_str().filter(|key| is_jira_key(key))?;
        Some((key.to_owned(), format!("{}/browse/{key}", self.url)))
    }

    pub(super) fn key_of(&self, url: &Url) -> Option<String> {
        let site = Url::parse(&self.url).ok().filter(|site| site.origin() == url.origin())?;
        let own = parts(&site);
        match parts(url).strip_prefix(own.as_slice())? {
            ["browse", key] if is_jira_key(key) => {
                let is_own = key.rsplit_once('-').is_some_and(|(project, _)| project == self.project);
                is_own.then(|| (*key).to_owned())
            }
            _ => None,
        }
    }
}

/// All of it in wiki markup. What somebody adds stands last, so that what it leaves open reaches nothing.
fn description(text: &Text) -> String {
    let mut body = String::from("{noformat}\n");
    let mut line = |text: &str| {
        let _ = writeln!(body, "{}", without_end(text));
    };
    line(&text.error);
    line("");
    for (name, value) in &text.facts {
        line(&format!("{name}: {value}"));
    }
    if !text.frames.is_empty() {
        line("");
    }
    for frame in &text.frames {
        line(&format!("at {frame}"));
    }
    body.push_str("{noformat}\n");
    if let Some((name, url)) = &text.link {
        let name: String = name.chars().filter(|c| !"[]{}|\\^~".contains(*c)).collect();
        let _ = write!(body, "\n[{name} in errtrack|{url}]\n");
    }
    if !text.note.is_empty() {
        let _ = write!(body, "\n{}\n", text.note);
    }
    // Only a note can be too long.
    body.chars().take(DESCRIPTION).collect()
}

/// A text in which no `{noformat}` ends what it stands in.
fn without_end(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for part in text.split_inclusive('{') {
        let ends = safe.ends_with('{') && part.trim_start().to_ascii_lowercase().starts_with("noformat");
        if ends {
            safe.push(' ');
        }
        safe.push_str(part);
    }
    safe
}
