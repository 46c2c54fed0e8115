//! The request that was served, and the user whom it served.

use super::Map;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// An HTTP request, in plain data: core knows no HTTP crate, because the frameworks speak different versions of one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Request {
    /// The URL without its query.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The method.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// The query, without the question mark.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query_string: Option<String>,
    /// The headers; several of one name are joined by `, `.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// The cookies, where a client sends them apart from the headers.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub cookies: Value,
    /// The body: text or JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
    /// The server's environment of the request (`REMOTE_ADDR`, …).
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// The status that was answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// How long it took until it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<f64>,
}

/// The user for whom something went wrong.
///
/// # Example
/// ```
/// let user = errtrack_core::User::id("42").email("ana@example.com");
/// assert_eq!(user.key(), Some("42"));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct User {
    /// The host's id of the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The login name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The IP address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_address: Option<String>,
    /// Anything else.
    #[serde(flatten)]
    #[cfg_attr(feature = "openapi", schema(ignore))]
    pub other: Map,
}

impl User {
    /// A user known by an id.
    pub fn id(id: impl Into<String>) -> Self {
        Self { id: Some(id.into()), ..Self::default() }
    }

    /// Adds the e-mail address.
    #[must_use]
    pub fn email(mut self, email: impl Into<String>) -> Self {
        self.email = Some(email.into());
        self
    }

    /// Adds the login name.
    #[must_use]
    pub fn username(mut self, name: impl Into<String>) -> Self {
        self.username = Some(name.into());
        self
    }

    /// Adds the IP address.
    #[must_use]
    pub fn ip_address(mut self, address: impl Into<String>) -> Self {
        self.ip_address = Some(address.into());
        self
    }

    /// What tells users apart when they are counted: the first of id, e-mail, login name and address that is there.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        [&self.id, &self.email, &self.username, &self.ip_address]
            .into_iter()
            .find_map(|field| field.as_deref().filter(|s| !s.is_empty()))
    }
}
