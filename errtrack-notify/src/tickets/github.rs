//! Issues of GitHub: `POST /repos/{owner}/{repo}/issues` of its REST API, version 2022-11-28.

use super::{
    TicketDraft,
    answer::{Call, put},
    link::{is_number, parts},
    markdown,
    settings::{Given, is_name},
    text::{TITLE, Text},
};
use crate::{InvalidChannel, words::one_line};
use http::{HeaderName, header};
use serde_json::{Value, json};
use url::Url;

const PUBLIC_API: &str = "https://api.github.com";
const PUBLIC_SITE: &str = "https://github.com";
const VERSION: (HeaderName, &str) = (HeaderName::from_static("x-github-api-version"), "2022-11-28");

/// A repository.
pub(super) struct GitHub {
    api: String,
    /// `owner/name`.
    repository: String,
    token: String,
    labels: Vec<String>,
}

impl GitHub {
    pub(super) fn new(given: Given<'_>) -> Result<Self, InvalidChannel> {
        let is_repository = |text: &str| text.split_once('/').is_some_and(|(o, name)| is_name(o) && is_name(name));
        Ok(Self {
            api: given.url("api_url", PUBLIC_API)?,
            repository: given.plain("repository", "must be like acme/shop", is_repository)?,
            token: given.token()?,
            labels: given.labels(50, true)?,
        })
    }

    fn call(&self, path: &str, body: Option<Value>) -> Call {
        let headers = vec![
            (header::ACCEPT, "application/vnd.github+json".to_owned()),
            (header::AUTHORIZATION, format!("Bearer {}", self.token)),
            (VERSION.0, VERSION.1.to_owned()),
        ];
        Call { url: format!("{}/repos/{}{path}", self.api, self.repository), headers, body }
    }

    pub(super) fn look(&self) -> Call {
        self.call("", None)
    }

    /// Whether a repository takes issues.
    pub(super) fn judge(&self, repository: &Value) -> Result<(), String> {
        let repository_name = &self.repository;
        match (&repository["archived"], &repository["has_issues"]) {
            (Value::Bool(true), _) => Err(format!("{repository_name} is archived")),
            (_, Value::Bool(false)) => Err(format!("issues are switched off in {repository_name}")),
            (_, Value::Bool(true)) => Ok(()),
            _ => Err("answered, but not as GitHub does".to_owned()),
        }
    }

    /// Its title and how it is made. A title may have 256 characters, a body 65,536.
    pub(super) fn create(&self, draft: &TicketDraft) -> (String, Call) {
        let title = one_line(&draft.title, TITLE);
        let mut body = json!({"title": title, "body": markdown::body(&Text::of(draft))});
        if !self.labels.is_empty() {
            put(&mut body, "labels", json!(self.labels));
        }
        (title, self.call("/issues", Some(body)))
    }

    pub(super) fn made(&self, issue: &Value) -> Option<(String, String)> {
        let (number, url) = (issue["number"].as_u64()?, issue["html_url"].as_str()?);
        Some((format!("{}#{number}", self.repository), url.to_owned()))
    }

    pub(super) fn key_of(&self, url: &Url) -> Option<String> {
        let site = match self.api.as_str() {
            PUBLIC_API => PUBLIC_SITE,
            own => own.strip_suffix("/api/v3").unwrap_or(own),
        };
        let site = Url::parse(site).ok().filter(|site| site.origin() == url.origin())?;
        let own = parts(&site);
        match parts(url).strip_prefix(own.as_slice())? {
            [owner, name, "issues" | "pull", number] if is_number(number) => {
                let is_own = format!("{owner}/{name}").eq_ignore_ascii_case(&self.repository);
                is_own.then(|| format!("{}#{number}", self.repository))
            }
            _ => None,
        }
    }
}
