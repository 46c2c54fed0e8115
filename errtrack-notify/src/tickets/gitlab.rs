//! Issues of GitLab: `POST /projects/{id}/issues` of its REST API, version 4.

use super::{
    TicketDraft,
    answer::{Call, put},
    link::{is_number, parts},
    markdown,
    settings::{Given, is_name},
    text::{TITLE, Text},
};
use crate::{InvalidChannel, words::one_line};
use http::HeaderName;
use serde_json::{Value, json};
use url::Url;

const PUBLIC: &str = "https://gitlab.com";
const TOKEN: HeaderName = HeaderName::from_static("private-token");

/// A project.
pub(super) struct GitLab {
    url: String,
    /// Its number, or its path.
    project: String,
    token: String,
    labels: Vec<String>,
}

impl GitLab {
    pub(super) fn new(given: Given<'_>) -> Result<Self, InvalidChannel> {
        let is_path = |text: &str| text.contains('/') && text.split('/').all(is_name);
        let help = "must be like acme/shop, or the project's number";
        Ok(Self {
            url: given.url("url", PUBLIC)?,
            project: given.plain("project", help, |text| is_number(text) || is_path(text))?,
            token: given.token()?,
            labels: given.labels(255, true)?,
        })
    }

    fn call(&self, path: &str, body: Option<Value>) -> Call {
        let project = self.project.replace('/', "%2F");
        let url = format!("{}/api/v4/projects/{project}{path}", self.url);
        Call { url, headers: vec![(TOKEN, self.token.clone())], body }
    }

    pub(super) fn look(&self) -> Call {
        self.call("", None)
    }

    /// Whether a project takes issues.
    pub(super) fn judge(&self, project: &Value) -> Result<(), String> {
        let name = &self.project;
        if !project["id"].is_number() {
            return Err("answered, but not as GitLab does".to_owned());
        }
        if project["archived"] == true {
            return Err(format!("{name} is archived"));
        }
        if project["issues_access_level"] == "disabled" || project["issues_enabled"] == false {
            return Err(format!("issues are switched off in {name}"));
        }
        Ok(())
    }

    /// Its title and how it is made. A title may have 255 characters, a description 1,048,576.
    pub(super) fn create(&self, draft: &TicketDraft) -> (String, Call) {
        let title = one_line(&without_references(&draft.title), TITLE);
        let mut body = json!({"title": title, "description": markdown::body(&Text::of(draft))});
        if !self.labels.is_empty() {
            put(&mut body, "labels", self.labels.join(",").into());
        }
        (title, self.call("/issues", Some(body)))
    }

    pub(super) fn made(&self, issue: &Value) -> Option<(String, String)> {
        let (number, url) = (issue["iid"].as_u64()?, issue["web_url"].as_str()?);
        let key = issue.pointer("/references/full").and_then(Value::as_str).map(str::to_owned);
        Some((key.unwrap_or_else(|| format!("{}#{number}", self.project)), url.to_owned()))
    }

    /// Only where the project is set by its path: a number stands in no address.
    pub(super) fn key_of(&self, url: &Url) -> Option<String> {
        let site = Url::parse(&self.url).ok().filter(|site| site.origin() == url.origin())?;
        let own = parts(&site);
        match parts(url).strip_prefix(own.as_slice())? {
            [project @ .., "-", "issues" | "work_items", number] if is_number(number) => {
                let is_own = project.join("/").eq_ignore_ascii_case(&self.project);
                is_own.then(|| format!("{}#{number}", self.project))
            }
            _ => None,
        }
    }
}

/// GitLab finds mentions and references in titles too, where there is no code to put them into: a joiner that nobody sees
/// stands after what would begin one.
fn without_references(title: &str) -> String {
    const JOINER: char = '\u{2060}';
    let mut safe = String::with_capacity(title.len());
    let mut rest = title.chars().peekable();
    while let Some(c) = rest.next() {
        safe.push(c);
        let is_sign = matches!(c, '@' | '#' | '!' | '%' | '~' | '$' | '&' | '^' | '+' | '[' | '*');
        let begins = rest.peek().is_some_and(|next| next.is_alphanumeric() || matches!(next, '"' | '_' | '\''));
        if (is_sign && begins) || (c == ':' && rest.peek() == Some(&'/')) {
            safe.push(JOINER);
        }
    }
    safe
}
