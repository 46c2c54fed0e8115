//! The caller: who sent a request, and with which permissions.

use super::{
    Guest, KEY_PREFIX, Kind, Permissions, Scope,
    secret::{derived_token, same, token_hash},
    session::session_token,
};
use crate::{app::App, error::Error, ingest::peer::Peer};
use axum::extract::FromRequestParts;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use errtrack_core::{ApiKey, Member, Role, TokenKind};
use http::{HeaderMap, header, request::Parts};
use std::net::IpAddr;

/// Somebody who may do something.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) permissions: Permissions,
    /// What it may see.
    pub(super) scope: Scope,
    /// The role, of who has one: keys have none.
    pub(crate) role: Option<Role>,
    /// What it is called: an address, the name of a key, what the host calls it.
    pub(crate) name: Option<String>,
    /// Where the request came from.
    pub(crate) address: Option<IpAddr>,
    /// The member, where one is signed in.
    pub(crate) member: Option<Member>,
}

impl Caller {
    /// Nobody, who may do nothing and sees nothing.
    pub(crate) const NOBODY: Self = Self {
        permissions: Permissions::NONE,
        scope: Scope::Only(Vec::new()),
        role: None,
        name: None,
        address: None,
        member: None,
    };

    pub(crate) fn with(permissions: Permissions) -> Self {
        Self { permissions, scope: Scope::All, ..Self::NOBODY }
    }

    /// Somebody whom no account stands for, and who may do everything.
    fn sovereign(name: &str) -> Self {
        Self { role: Some(Role::Owner), name: Some(name.to_owned()), ..Self::with(Permissions::ALL) }
    }

    fn of_key(key: ApiKey) -> Self {
        Self {
            permissions: key.permissions.as_slice().into(),
            scope: key.projects.into(),
            name: Some(format!("key {}", key.name)),
            ..Self::NOBODY
        }
    }

    /// Somebody who has signed in.
    pub(crate) fn of_member(member: Member) -> Self {
        Self {
            permissions: member.role.into(),
            scope: member.projects.clone().into(),
            role: Some(member.role),
            name: Some(member.email.clone()),
            address: None,
            member: Some(member),
        }
    }

    /// Finds out who sent a request; `None` if it is nobody known.
    pub(crate) async fn find(app: &App, parts: &Parts) -> Result<Option<Self>, Error> {
        let mut found = Self::identify(app, parts).await?;
        if let Some(caller) = &mut found {
            caller.address = Peer::of(app, parts).0;
        }
        Ok(found)
    }

    async fn identify(app: &App, parts: &Parts) -> Result<Option<Self>, Error> {
        match &app.access().kind {
            Kind::Open => Ok(Some(Self::sovereign("anybody"))),
            Kind::Host(host) => match host(parts) {
                Some(guest) => Self::guest(app, guest).await.map(Some),
                None => Ok(None),
            },
            Kind::Token(secret) => {
                let presented = presented(&parts.headers).iter().any(|sent| same(token_hash(sent), *secret));
                let cookie = session_token(&parts.headers)
                    .is_some_and(|token| same(token_hash(&token), token_hash(&derived_token(*secret))));
                Ok((presented || cookie).then(|| Self::sovereign("the secret")))
            }
            Kind::Accounts(accounts) => {
                for sent in presented(&parts.headers) {
                    let hash = token_hash(&sent);
                    if let Some((_, permissions)) = accounts.keys.iter().find(|(key, _)| same(*key, hash)) {
                        let name = Some("a key of the configuration".to_owned());
                        return Ok(Some(Self { name, ..Self::with(*permissions) }));
                    }
                    // Whatever else is sent as a token belongs to somebody else, and the store is not asked for it.
                    if sent.starts_with(KEY_PREFIX)
                        && let Some(key) = app.api_key(hash).await?
                    {
                        app.note_use(key.id);
                        return Ok(Some(Self::of_key(key)));
                    }
                }
                let Some(token) = session_token(&parts.headers) else { return Ok(None) };
                let member = app.store().token_member(TokenKind::Session, token_hash(&token)).await?;
                if let Some(member) = &member {
                    app.note_activity(member.id);
                }
                Ok(member.map(Self::of_member))
            }
        }
    }

    /// Somebody whom the host has let in.
    async fn guest(app: &App, guest: Guest) -> Result<Self, Error> {
        let mut caller = Self::with(guest.role.into());
        caller.role = Some(guest.role);
        caller.name = guest.name.or_else(|| Some(format!("a guest ({})", guest.role)));
        if let Some(slugs) = guest.projects {
            let projects = app.all_projects().await?;
            let own = projects.iter().filter(|project| slugs.contains(&project.slug));
            caller.scope = Scope::Only(own.map(|project| project.id).collect());
        }
        Ok(caller)
    }

    async fn require(parts: &Parts, app: &App, allowed: fn(&Self) -> bool, needed: &str) -> Result<Self, Error> {
        let caller = Self::find(app, parts).await?;
        let caller = caller
            .ok_or_else(|| Error::unauthorized("a valid API key is needed, as X-API-Key or as a bearer token"))?;
        if allowed(&caller) { Ok(caller) } else { Err(Error::forbidden(format!("this needs the permission {needed}"))) }
    }
}

/// The secrets that a request presents, however it does.
fn presented(headers: &HeaderMap) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(key) = headers.get("x-api-key").and_then(|v| v.to_str().ok()) {
        found.push(key.trim().to_owned());
    }
    if let Some((scheme, value)) =
        headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).and_then(|v| v.split_once(' '))
    {
        if scheme.eq_ignore_ascii_case("bearer") {
            found.push(value.trim().to_owned());
        } else if scheme.eq_ignore_ascii_case("basic")
            && let Ok(decoded) = BASE64_STANDARD.decode(value.trim())
            && let Ok(text) = String::from_utf8(decoded)
            && let Some((_, password)) = text.split_once(':')
        {
            found.push(password.to_owned());
        }
    }
    found.retain(|s| !s.is_empty());
    found
}

impl FromRequestParts<App> for Caller {
    type Rejection = Error;

    /// Anybody who is known, with whatever permission.
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        Self::require(parts, app, |_| true, "").await
    }
}

macro_rules! permission {
    ($(#[$doc:meta])* $name:ident(Caller), $allowed:expr, $needed:literal) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub(crate) struct $name(pub(crate) Caller);

        impl FromRequestParts<App> for $name {
            type Rejection = Error;

            async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
                Caller::require(parts, app, $allowed, $needed).await.map(Self)
            }
        }
    };
}

permission!(
    /// A caller who may report.
    Ingest(Caller), |caller| caller.permissions.ingest, "`ingest`"
);
permission!(
    /// A caller who may see.
    Read(Caller), |caller| caller.permissions.read, "`read`"
);
permission!(
    /// A caller who may change.
    Write(Caller), |caller| caller.permissions.write, "`write`"
);
permission!(
    /// A caller who may change settings of the projects that it may see.
    Admin(Caller), |caller| caller.permissions.admin, "`admin`"
);
permission!(
    /// A caller who may change what concerns everybody.
    AdminOfAll(Caller), Caller::is_admin_of_all, "`admin` for all projects"
);
