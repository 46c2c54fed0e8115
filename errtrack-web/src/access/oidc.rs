//! Sign-in by OpenID Connect: an issuer of identities says whose e-mail address somebody has, and the member with that address
//! is let in.
//!
//! The authorization code flow with PKCE. What is remembered of a sign-in that has begun is in a cookie of the browser
//! (`flow.rs`), so any process can end it; what the issuer says of itself is kept for an hour (`issuer.rs`); what it says of
//! somebody is believed when all of it is right (`token.rs`).

mod flow;
mod issuer;
mod token;

pub(crate) use flow::{Begun, begin, begun, forget};
pub(crate) use issuer::Issuer;

use super::{Deed, SignedIn, Visitor, members, session};
use crate::{app::App, error::Error, links::Links};
use errtrack_core::{MemberStatus, Timestamp};
use errtrack_outgoing::Outgoing;
use std::{fmt, sync::Arc};
use token::Identity;

/// An issuer of identities that members may sign in with, beside their passwords.
///
/// Who is let in is decided here, by the e-mail address that the issuer has verified: a member who has it signs in, with the
/// second factor that the member has set up here; somebody invited becomes a member by it; nobody else gets an account. So
/// name an issuer only if you trust what it says of every address. The address to register there as the one to return to is
/// the public URL followed by `/login/oidc/callback`.
///
/// Needs a feature `tls-ring` or `tls-aws-lc-rs`, and [`Access::accounts`](crate::Access::accounts).
///
/// # Example
/// ```
/// use errtrack_web::{Config, Oidc};
///
/// let mut config = Config::default();
/// config.public_url = Some("https://errors.example.com".into());
/// config.oidc = Oidc::new("https://accounts.example.com", "errtrack", "secret").ok();
/// ```
#[derive(Clone)]
pub struct Oidc(Arc<Settings>);

struct Settings {
    issuer: String,
    /// The host of the issuer.
    host: String,
    client_id: String,
    client_secret: String,
}

/// The error of an issuer that cannot be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidOidc {
    /// The URL of the issuer is none.
    #[error("the issuer must be a URL like https://accounts.example.com; http is for this machine alone")]
    Issuer,
    /// The id of the client is empty.
    #[error("the client's id is empty")]
    ClientId,
    /// The secret of the client is empty.
    #[error("the client's secret is empty")]
    ClientSecret,
    /// There is no TLS to ask it with.
    #[error("https is not built into this program")]
    WithoutTls,
}

impl Oidc {
    /// An issuer by the URL that it calls itself, and what this program is called there.
    ///
    /// # Errors
    /// The URL is none of `https` (or of `http` on this machine), something is empty, or TLS is not built in.
    pub fn new(issuer: &str, client_id: &str, client_secret: &str) -> Result<Self, InvalidOidc> {
        if client_id.is_empty() {
            return Err(InvalidOidc::ClientId);
        }
        if client_secret.is_empty() {
            return Err(InvalidOidc::ClientSecret);
        }
        if !Outgoing::speaks_https() {
            return Err(InvalidOidc::WithoutTls);
        }
        let host = issuer::host_of(issuer).filter(|_| !issuer.contains(['?', '#'])).ok_or(InvalidOidc::Issuer)?;
        let (issuer, client_id, client_secret) = (issuer.to_owned(), client_id.to_owned(), client_secret.to_owned());
        Ok(Self(Arc::new(Settings { issuer, host, client_id, client_secret })))
    }

    /// The host of the issuer, which people know it by.
    pub(crate) fn host(&self) -> &str {
        &self.0.host
    }
}

impl fmt::Debug for Oidc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Oidc")
            .field("issuer", &self.0.issuer)
            .field("client_id", &self.0.client_id)
            .finish_non_exhaustive()
    }
}

/// Why nobody was let in.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The issuer does not answer, or not as it should.
    Away(String),
    /// Too many sign in at once.
    Busy,
    /// What it says of somebody is not to be believed.
    Wrong(&'static str),
    /// It has not verified that the address belongs to whoever signs in.
    Unverified,
    /// No member has that address.
    Stranger(String),
    /// Our own failure.
    Failed(Error),
}

impl<E: Into<Error>> From<E> for Trouble {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// Ends a sign-in that has begun: exchanges the code for an identity, and lets the member in whom it belongs to.
pub(crate) async fn end(
    app: &App,
    issuer: &Issuer,
    links: &Links,
    visitor: &Visitor,
    begun: &Begun,
    code: &str,
) -> Result<SignedIn, Trouble> {
    let identity = issuer.identity(begun, code, &flow::callback(links), Timestamp::now()).await?;
    admit(app, links, visitor, &identity).await
}

async fn admit(app: &App, links: &Links, visitor: &Visitor, identity: &Identity) -> Result<SignedIn, Trouble> {
    // Letters beyond ASCII stay as they are: some of them (the sign of Kelvin) would become letters of somebody else's address.
    let email = identity.email.trim().to_ascii_lowercase();
    let stranger = || Trouble::Stranger(email.clone());
    // Of strangers nothing is written to the audit log: there are as many as the issuer has accounts.
    let mut member = app.store().member_by_email(&email).await?.ok_or_else(stranger)?;
    match member.status {
        MemberStatus::Active => {}
        MemberStatus::Disabled => {
            Deed::new("session.fail", "").details(HOW).by(app, &member.email, visitor.address).await;
            return Err(stranger());
        }
        MemberStatus::Invited => {
            let name = identity.name.as_deref().unwrap_or_default();
            member = members::join(app, &member, name).await?.ok_or_else(stranger)?;
            Deed::new("member.join", "").details(HOW).by(app, &member.email, visitor.address).await;
        }
    }
    Ok(session::admit(app, links, visitor, &member, HOW).await?)
}

/// What the audit log calls this way in.
const HOW: &str = "by OpenID Connect";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_named_by_https_or_on_this_machine() {
        for (right, host) in [
            ("https://accounts.example.com", "accounts.example.com"),
            ("https://id.example.com:8443/realms/a/", "id.example.com"),
            ("http://127.0.0.1:9000", "127.0.0.1"),
            ("http://localhost/realms/a", "localhost"),
            ("http://[::1]:9000", "::1"),
        ] {
            assert_eq!(Oidc::new(right, "a", "b").unwrap().host(), host);
        }
        for wrong in [
            "",
            "accounts.example.com",
            "ftp://accounts.example.com",
            "http://accounts.example.com",
            "http://127.0.0.1.example.com",
            "https://",
            "https://user:secret@accounts.example.com",
            "https://accounts.example.com/?a=b",
            "https://accounts.example.com/#a",
            "https://accounts .example.com",
        ] {
            assert_eq!(Oidc::new(wrong, "a", "b").err(), Some(InvalidOidc::Issuer), "{wrong}");
        }
        assert_eq!(Oidc::new("https://a.example", "", "b").err(), Some(InvalidOidc::ClientId));
        assert_eq!(Oidc::new("https://a.example", "a", "").err(), Some(InvalidOidc::ClientSecret));
        let shown = format!("{:?}", Oidc::new("https://a.example", "a", "hunter2").unwrap());
        assert!(shown.contains("a.example") && !shown.contains("hunter2"), "{shown}");
    }
}
