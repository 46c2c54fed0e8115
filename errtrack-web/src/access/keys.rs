//! API keys: made, shown once, revoked.

use super::{Caller, Deed, random_token, token_hash};
use crate::{app::App, error::Error};
use axum::http::StatusCode;
use errtrack_core::{ApiKey, Permission, ProjectId, Timestamp};
use uuid::Uuid;

/// What every key that is made here begins with: the store is asked for no other.
pub(crate) const KEY_PREFIX: &str = "sk_live_";
/// Keys that there can be: every one is looked through for each request that brings one.
const MOST: usize = 1_000;

/// A key to be made.
#[derive(Debug)]
pub(crate) struct NewKey {
    pub(crate) name: String,
    pub(crate) permissions: Vec<Permission>,
    /// The projects that it opens; `None` means all.
    pub(crate) projects: Option<Vec<ProjectId>>,
    pub(crate) expires_at: Option<Timestamp>,
}

impl Caller {
    /// Every key, the oldest first.
    pub(crate) async fn api_keys(&self, app: &App) -> Result<Vec<ApiKey>, Error> {
        app.access().needs_members("API keys")?;
        Ok(app.store().api_keys().await?)
    }

    /// Makes a key, and answers it with its secret, which nobody can read again.
    pub(crate) async fn make_api_key(&self, app: &App, new: NewKey) -> Result<(ApiKey, String), Error> {
        app.access().needs_members("API keys")?;
        let name = new.name.trim();
        if name.is_empty() || name.chars().count() > 100 {
            return Err(Error::bad_request("name: must have from 1 to 100 characters"));
        }
        if new.permissions.is_empty() {
            return Err(Error::bad_request("permissions: at least one is needed"));
        }
        if new.projects.as_ref().is_some_and(Vec::is_empty) {
            return Err(Error::bad_request("projects: at least one is needed, or none of them for all"));
        }
        if new.expires_at.is_some_and(|at| at <= Timestamp::now()) {
            return Err(Error::bad_request("expires_at: must be in the future"));
        }
        if app.store().api_keys().await?.len() >= MOST {
            return Err(Error::new(StatusCode::CONFLICT, format!("there are {MOST} keys already; delete some first")));
        }
        let secret = format!("{KEY_PREFIX}{}", random_token()?);
        let mut permissions = new.permissions;
        permissions.sort_unstable();
        permissions.dedup();
        let key = ApiKey {
            id: Uuid::now_v7(),
            hash: token_hash(&secret),
            name: name.to_owned(),
            preview: format!("sk_****{}", secret.get(secret.len().saturating_sub(4)..).unwrap_or_default()),
            permissions,
            projects: new.projects,
            expires_at: new.expires_at,
            last_used: None,
            created_at: Timestamp::now(),
            created_by: self.who().to_owned(),
        };
        app.store().add_api_key(&key).await?;
        let names: Vec<&str> = key.permissions.iter().map(|permission| permission.as_str()).collect();
        self.did(app, Deed::new("key.create", &key.name).details(format!("{} {}", key.preview, names.join(", "))))
            .await;
        Ok((key, secret))
    }

    /// Revokes a key: it opens nothing from now on, on any process.
    pub(crate) async fn revoke_api_key(&self, app: &App, id: &str) -> Result<(), Error> {
        app.access().needs_members("API keys")?;
        let id = Uuid::try_parse(id).map_err(|_| Error::bad_request("id: must be a UUID"))?;
        let key = app.store().api_keys().await?.into_iter().find(|key| key.id == id);
        if !app.store().delete_api_key(id).await? {
            return Err(Error::not_found("API key"));
        }
        if let Some(key) = key {
            self.did(app, Deed::new("key.revoke", &key.name).details(key.preview)).await;
        }
        Ok(())
    }
}
