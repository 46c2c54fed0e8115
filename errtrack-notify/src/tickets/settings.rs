//! Settings, read and checked.

use super::TicketKind;
use crate::{
    Field, InvalidChannel, Settings,
    channel::{checked_url, header_value},
};

/// Labels that one ticket may have.
const LABELS: usize = 20;

/// The settings of a service, none of those missing that it needs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Given<'a>(&'a Settings);

impl<'a> Given<'a> {
    pub(super) fn new(kind: TicketKind, settings: &'a Settings) -> Result<Self, InvalidChannel> {
        let given = Self(settings);
        let is_missing = |field: &&Field| field.required && given.get(field.name).is_none();
        match kind.fields().iter().find(is_missing) {
            Some(field) => Err(InvalidChannel::new(field.name, format!("is needed: {}", field.help))),
            None => Ok(given),
        }
    }

    /// A setting that has a value.
    pub(super) fn get(self, field: &str) -> Option<&'a str> {
        self.0.get(field).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    /// A setting that must be of these characters and not too long.
    pub(super) fn plain(
        self,
        field: &'static str,
        help: &str,
        is_right: impl Fn(&str) -> bool,
    ) -> Result<String, InvalidChannel> {
        let text = self.get(field).unwrap_or_default();
        let is_right = text.len() <= 200 && is_right(text);
        if is_right { Ok(text.to_owned()) } else { Err(InvalidChannel::new(field, help)) }
    }

    /// An address, without slashes at its end.
    pub(super) fn url(self, field: &'static str, default: &str) -> Result<String, InvalidChannel> {
        let url = checked_url(field, self.get(field).unwrap_or(default))?;
        if url.contains(['?', '#']) {
            return Err(InvalidChannel::new(field, "must have neither ? nor #"));
        }
        Ok(url.trim_end_matches('/').to_owned())
    }

    /// A secret that is sent as a header.
    pub(super) fn token(self) -> Result<String, InvalidChannel> {
        header_value("token", self.get("token").unwrap_or_default())
    }

    /// Labels, none longer than `most` characters.
    pub(super) fn labels(self, most: usize, may_have_spaces: bool) -> Result<Vec<String>, InvalidChannel> {
        let labels = self.get("labels").unwrap_or_default().split(',').map(str::trim);
        let labels: Vec<String> = labels.filter(|label| !label.is_empty()).map(str::to_owned).collect();
        let wrong = |why: String| Err(InvalidChannel::new("labels", why));
        if labels.len() > LABELS {
            return wrong(format!("must not be more than {LABELS}"));
        }
        if let Some(label) = labels.iter().find(|label| label.chars().count() > most) {
            return wrong(format!("`{label}` is longer than {most} characters"));
        }
        match labels.iter().find(|label| !may_have_spaces && label.contains(char::is_whitespace)) {
            Some(label) => wrong(format!("`{label}` has a space, which Jira takes in no label")),
            None => Ok(labels),
        }
    }
}

/// A name of a repository, or of a part of a project's path.
pub(super) fn is_name(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !text.is_empty() && text.chars().all(is_plain) && !matches!(text, "." | "..")
}
