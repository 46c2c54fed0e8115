//! Access: who asks, and what they may do.
//!
//! A router cannot be built without deciding this: [`Access`] has no default.

mod audit;
mod caller;
mod guest;
mod keys;
mod members;
pub(crate) mod oidc;
mod permissions;
mod scope;
pub(crate) mod second;
mod secret;
mod session;
mod totp;

pub(crate) use audit::Deed;
pub(crate) use caller::{Admin, AdminOfAll, Caller, Ingest, Read, Write};
pub use guest::Guest;
pub(crate) use keys::{KEY_PREFIX, NewKey};
pub(crate) use members::{Invitation, Invited, check_and_hash, reset_password, set_password, take_up};
pub use oidc::{InvalidOidc, Oidc};
pub use permissions::Permissions;
pub(crate) use scope::Scope;
pub(crate) use secret::{hash_password, random_token, same, token_hash, verify_password};
pub(crate) use session::{Credentials, SignedIn, Visitor, half_way, session_token, sign_in, sign_out, verify};
pub(crate) use totp::Secret;

use crate::error::Error;
use errtrack_core::{Member, MemberChange, MemberStatus, Role, Store, StoreError, Token, TokenHash, TokenKind};
use http::{StatusCode, request::Parts};
use std::{fmt, sync::Arc, time::Duration};

/// For how long a one-time sign-in link works.
const LINK_LIVES: Duration = Duration::from_secs(24 * 3600);

/// Who may see and change what. Closed until opened: each way in is named here.
#[derive(Clone)]
pub struct Access {
    kind: Kind,
}

type HostFn = Arc<dyn Fn(&Parts) -> Option<Guest> + Send + Sync>;

#[derive(Clone)]
enum Kind {
    Accounts(Accounts),
    Host(HostFn),
    Token(TokenHash),
    Open,
}

/// Members with passwords and sessions, and API keys; made by [`Access::accounts`].
#[derive(Debug, Clone, Default)]
pub struct Accounts {
    keys: Vec<(TokenHash, Permissions)>,
}

impl Access {
    /// Own members, sessions and keys, kept in the store.
    #[must_use]
    pub fn accounts() -> Accounts {
        Accounts::default()
    }

    /// The host's own login decides: `f` looks at each request and answers the [`Role`] of whoever sent it, or a [`Guest`],
    /// which can also say which projects; `None` lets nobody in. It is called for every request, so it should be quick.
    ///
    /// # Example
    /// ```
    /// use errtrack_web::{Access, Guest, Role};
    ///
    /// #[derive(Clone)]
    /// struct Staff { name: String, team: String }
    ///
    /// // The host's middleware has put `Staff` there.
    /// let access = Access::host(|request| {
    ///     let staff = request.extensions.get::<Staff>()?;
    ///     Some(Guest::new(Role::Developer).named(&staff.name).projects([&staff.team]))
    /// });
    /// # drop(access);
    /// ```
    pub fn host<G: Into<Guest>>(f: impl Fn(&Parts) -> Option<G> + Send + Sync + 'static) -> Self {
        Self { kind: Kind::Host(Arc::new(move |parts| f(parts).map(Into::into))) }
    }

    /// One secret opens everything. It is taken as bearer token, as `X-API-Key`, as the password of HTTP Basic, or on the
    /// sign-in page.
    pub fn token(secret: impl AsRef<str>) -> Self {
        Self { kind: Kind::Token(token_hash(secret.as_ref())) }
    }

    /// Everybody may do everything. For a machine that nobody else can reach.
    #[must_use]
    pub fn insecure_open() -> Self {
        Self { kind: Kind::Open }
    }

    /// Whether there is something to sign in to.
    pub(crate) fn has_sign_in(&self) -> bool {
        matches!(self.kind, Kind::Accounts(_) | Kind::Token(_))
    }

    /// A 404 where members and keys are not ours.
    pub(crate) fn needs_members(&self, what: &str) -> Result<(), Error> {
        if self.has_members() {
            return Ok(());
        }
        Err(Error::new(StatusCode::NOT_FOUND, format!("{what} are not kept here: the program decides who is let in")))
    }

    /// Whether members sign in with e-mail and password, not with one token for all.
    pub(crate) fn has_members(&self) -> bool {
        matches!(self.kind, Kind::Accounts(_))
    }
}

impl Accounts {
    /// Adds a key that is valid from the start. Only its hash is kept.
    #[must_use]
    pub fn key(mut self, secret: &str, permissions: Permissions) -> Self {
        self.keys.push((token_hash(secret), permissions));
        self
    }

    /// Makes the owner's account; the one with that address becomes an active owner with this password, if it is none, and
    /// keeps its name and second factor. An argon2id hash or two: some 50 ms each.
    ///
    /// # Errors
    /// The store fails, or the system has no randomness to give.
    pub async fn ensure_owner(store: &dyn Store, email: &str, password: &str) -> Result<(), StoreError> {
        let known = store.member_by_email(&email.trim().to_lowercase()).await?;
        let before = known.as_ref().and_then(|member| member.password_hash.clone());
        let password = password.to_owned();
        let hash = tokio::task::spawn_blocking(move || match verify_password(&password, before.as_deref()) {
            true => Ok(None),
            false => hash_password(&password).map(Some),
        });
        let hash = hash.await.map_err(StoreError::other)??;
        match known {
            Some(member) if member.is_active_owner() && hash.is_none() => Ok(()),
            Some(member) => {
                let change = MemberChange {
                    role: Some(Role::Owner),
                    status: Some(MemberStatus::Active),
                    projects: Some(None),
                    password_hash: hash,
                    ..MemberChange::default()
                };
                store.change_member(member.id, &change).await.map(drop)
            }
            None => store.put_member(&owner(email, hash)).await.map(drop),
        }
    }

    /// Makes a one-time sign-in token for an owner without a password, if there is no member yet. It belongs at the end of
    /// `…/login/`, and works for a day.
    ///
    /// # Errors
    /// The store fails, or the system has no randomness to give.
    pub async fn first_sign_in(store: &dyn Store) -> Result<Option<String>, StoreError> {
        const FIRST: &str = "owner@localhost";
        let unclaimed = match store.member_by_email(FIRST).await? {
            Some(member) => member.password_hash.is_none() && store.member_count().await? == 1,
            None => store.member_count().await? == 0,
        };
        if !unclaimed {
            return Ok(None);
        }
        let member = store.put_member(&owner(FIRST, None)).await?;
        let token = random_token()?;
        store.put_token(&Token::new(TokenKind::SignInLink, token_hash(&token), member.id, LINK_LIVES)).await?;
        Ok(Some(token))
    }
}

fn owner(email: &str, password_hash: Option<String>) -> Member {
    Member { name: "Owner".into(), password_hash, ..Member::new(email, Role::Owner) }
}

impl From<Accounts> for Access {
    fn from(accounts: Accounts) -> Self {
        Self { kind: Kind::Accounts(accounts) }
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            Kind::Accounts(_) => "Access::accounts",
            Kind::Host(_) => "Access::host",
            Kind::Token(_) => "Access::token",
            Kind::Open => "Access::insecure_open",
        })
    }
}
