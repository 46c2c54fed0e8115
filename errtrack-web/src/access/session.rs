//! Sessions: a random token in a cookie, of which the store knows the hash.

use super::{
    Access, Kind, random_token,
    secret::{derived_token, same},
    token_hash, verify_password,
};
use crate::{app::App, error::Error, links::Links};
use errtrack_core::{Timestamp, TokenKind};
use http::{HeaderMap, header};
use std::time::Duration;

/// The cookie of a signed-in browser.
const COOKIE: &str = "errtrack_session";
/// For how long a session lasts.
const LIVES: Duration = Duration::from_secs(30 * 86_400);

/// How somebody signs in.
#[derive(Debug)]
pub(crate) enum Credentials<'a> {
    /// By e-mail and password.
    Password { email: &'a str, password: &'a str },
    /// By the token of a one-time link.
    Link(&'a str),
}

/// Checks the credentials and makes a session; `None` if they are wrong. Answers the cookie to set.
pub(crate) async fn sign_in(app: &App, links: &Links, credentials: Credentials<'_>) -> Result<Option<String>, Error> {
    match (&app.access().kind, credentials) {
        (Kind::Accounts(_), Credentials::Password { email, password }) => {
            let member = app.store().member_by_email(&email.trim().to_lowercase()).await?;
            let hash = member.as_ref().and_then(|m| m.password_hash.clone());
            let password = password.to_owned();
            // argon2 takes its time on purpose; not on a thread that serves requests.
            let verified = tokio::task::spawn_blocking(move || verify_password(&password, hash.as_deref())).await;
            match member {
                Some(member) if verified.unwrap_or(false) => start(app, links, member.id).await.map(Some),
                _ => Ok(None),
            }
        }
        (Kind::Accounts(_), Credentials::Link(token)) => {
            let hash = token_hash(token);
            let Some(member) = app.store().token_member(TokenKind::SignInLink, hash).await? else { return Ok(None) };
            if !app.store().take_token(TokenKind::SignInLink, hash).await? {
                return Ok(None);
            }
            start(app, links, member.id).await.map(Some)
        }
        // There is no member that a session could belong to: the cookie carries what only the secret can be made into.
        (Kind::Token(secret), Credentials::Password { password, .. }) => {
            let right = same(*secret, token_hash(password));
            Ok(right.then(|| cookie(links, &derived_token(*secret), LIVES)))
        }
        _ => Ok(None),
    }
}

/// Ends the session of a request. Answers the cookie that clears it.
pub(crate) async fn sign_out(app: &App, links: &Links, headers: &HeaderMap) -> Result<String, Error> {
    if let (true, Some(token)) = (app.access().has_members(), session_token(headers)) {
        app.store().take_token(TokenKind::Session, token_hash(&token)).await?;
    }
    Ok(cookie(links, "", Duration::ZERO))
}

async fn start(app: &App, links: &Links, member: uuid::Uuid) -> Result<String, Error> {
    let token = random_token()?;
    app.store().put_token(TokenKind::Session, token_hash(&token), member, Timestamp::now().plus(LIVES)).await?;
    Ok(cookie(links, &token, LIVES))
}

/// The `Set-Cookie` line. Values are hexadecimal, so nothing needs quoting.
fn cookie(links: &Links, value: &str, lives: Duration) -> String {
    let (path, seconds) = (links.cookie_path(), lives.as_secs());
    let secure = if links.is_https() { "; Secure" } else { "" };
    format!("{COOKIE}={value}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}")
}

/// The session token that a browser sent.
pub(super) fn session_token(headers: &HeaderMap) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, value)| *name == COOKIE && !value.is_empty())
        .map(|(_, value)| value.to_owned())
}

impl Access {
    /// Whether a sign-in page makes sense, and of which kind.
    pub(crate) fn asks_for_email(&self) -> bool {
        matches!(self.kind, Kind::Accounts(_))
    }
}
