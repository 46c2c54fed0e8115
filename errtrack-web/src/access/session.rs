//! Sessions: a random token in a cookie, of which the store knows the hash.

use super::{
    Access, Deed, Kind, random_token, second,
    secret::{derived_token, same},
    token_hash, verify_password,
};
use crate::{app::App, error::Error, ingest::peer::Peer, links::Links};
use axum::extract::FromRequestParts;
use errtrack_core::{Member, MemberStatus, Token, TokenKind};
use http::{HeaderMap, header, request::Parts};
use std::{convert::Infallible, net::IpAddr, time::Duration};
use tokio::sync::Semaphore;

/// The cookie of a signed-in browser.
const COOKIE: &str = "errtrack_session";
/// For how long a session lasts.
const LIVES: Duration = Duration::from_secs(30 * 86_400);

/// For how long the second factor may be asked for after the password.
const HALF_LIVES: Duration = Duration::from_secs(10 * 60);

/// How somebody signs in.
#[derive(Debug)]
pub(crate) enum Credentials<'a> {
    /// By e-mail and password.
    Password { email: &'a str, password: &'a str },
    /// By the token of a one-time link.
    Link(&'a str),
    /// By a code, after one of the above: the token that was answered.
    Code { token: &'a str, code: &'a str },
}

/// What came of it.
#[derive(Debug)]
pub(crate) enum SignedIn {
    /// The credentials are wrong.
    Refused,
    /// A code is asked for; with the token to be sent along.
    Half(String),
    /// The cookie to set.
    Done(String),
}

/// Who is at the other end of a sign-in.
#[derive(Debug)]
pub(crate) struct Visitor {
    pub(crate) address: Option<IpAddr>,
    /// What the browser calls itself.
    agent: String,
}

impl Visitor {
    fn about(&self) -> String {
        let address = self.address.map(|address| address.to_string());
        format!("{}\n{}", address.unwrap_or_default(), self.agent)
    }
}

impl FromRequestParts<App> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let agent = parts.headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
        Ok(Self { address: Peer::of(app, parts).0, agent: agent.chars().take(300).collect() })
    }
}

/// Checks the credentials and makes a session.
pub(crate) async fn sign_in(
    app: &App,
    links: &Links,
    visitor: &Visitor,
    credentials: Credentials<'_>,
) -> Result<SignedIn, Error> {
    let half = matches!(credentials, Credentials::Code { .. });
    let (member, is_right) = match (&app.access().kind, credentials) {
        (Kind::Accounts(_), Credentials::Password { email, password }) => {
            let member = app.store().member_by_email(&email.trim().to_lowercase()).await?;
            let member = member.filter(|member| member.status == MemberStatus::Active);
            let hash = member.as_ref().and_then(|m| m.password_hash.clone());
            let is_right = verify(password, hash).await;
            (member, is_right)
        }
        (Kind::Accounts(_), Credentials::Link(token)) => {
            let hash = token_hash(token);
            let member = app.store().token_member(TokenKind::SignInLink, hash).await?;
            let is_right = member.is_some() && app.store().take_token(TokenKind::SignInLink, hash).await?;
            (member, is_right)
        }
        (Kind::Accounts(_), Credentials::Code { token, code }) => {
            let hash = token_hash(token);
            let member = app.store().token_member(TokenKind::HalfSignIn, hash).await?;
            let is_right = match &member {
                Some(member) => second::use_code(app, member, code).await?,
                None => false,
            };
            // Of several that send the same code at once, one gets in.
            let is_right = is_right && app.store().take_token(TokenKind::HalfSignIn, hash).await?;
            (member, is_right)
        }
        // There is no member that a session could belong to: the cookie carries what only the secret can be made into.
        (Kind::Token(secret), Credentials::Password { password, .. }) => {
            let right = same(*secret, token_hash(password));
            let deed = Deed::new(if right { "session.start" } else { "session.fail" }, "");
            deed.by(app, "the secret", visitor.address).await;
            let done = || SignedIn::Done(cookie(links, &derived_token(*secret), LIVES));
            return Ok(if right { done() } else { SignedIn::Refused });
        }
        _ => (None, false),
    };
    // Tries at nobody are not written down: a stranger could wash the log out with them.
    let Some(member) = member else { return Ok(SignedIn::Refused) };
    if !is_right {
        Deed::new("session.fail", "").by(app, &member.email, visitor.address).await;
        return Ok(SignedIn::Refused);
    }
    if half {
        return start(app, links, visitor, &member, "").await.map(SignedIn::Done);
    }
    admit(app, links, visitor, &member, "").await
}

/// Lets a member in who has shown who it is, in whatever way: at once, or after the second factor.
pub(super) async fn admit(
    app: &App,
    links: &Links,
    visitor: &Visitor,
    member: &Member,
    how: &'static str,
) -> Result<SignedIn, Error> {
    if !member.has_second_factor {
        return start(app, links, visitor, member, how).await.map(SignedIn::Done);
    }
    let token = random_token()?;
    app.store().put_token(&Token::new(TokenKind::HalfSignIn, token_hash(&token), member.id, HALF_LIVES)).await?;
    Ok(SignedIn::Half(token))
}

/// Whether that is the password of a member. argon2 takes its time on purpose: not on a thread that serves requests, and not
/// for many at once.
pub(crate) async fn verify(password: &str, hash: Option<String>) -> bool {
    static TURNS: Semaphore = Semaphore::const_new(4);
    let Ok(_turn) = TURNS.acquire().await else { return false };
    let password = password.to_owned();
    let verified = tokio::task::spawn_blocking(move || verify_password(&password, hash.as_deref())).await;
    verified.unwrap_or(false)
}

/// The member who is half-way in by that token.
pub(crate) async fn half_way(app: &App, token: &str) -> Result<Option<Member>, Error> {
    Ok(app.store().token_member(TokenKind::HalfSignIn, token_hash(token)).await?)
}

/// Ends the session of a request. Answers the cookie that clears it.
pub(crate) async fn sign_out(app: &App, links: &Links, headers: &HeaderMap) -> Result<String, Error> {
    if let (true, Some(token)) = (app.access().has_members(), session_token(headers)) {
        app.store().take_token(TokenKind::Session, token_hash(&token)).await?;
    }
    Ok(cookie(links, "", Duration::ZERO))
}

/// Makes a session for a member who has shown who it is. Answers the cookie to set.
async fn start(
    app: &App,
    links: &Links,
    visitor: &Visitor,
    member: &Member,
    how: &'static str,
) -> Result<String, Error> {
    let token = random_token()?;
    let session = Token::new(TokenKind::Session, token_hash(&token), member.id, LIVES);
    app.store().put_token(&Token { about: visitor.about(), ..session }).await?;
    Deed::new("session.start", "").details(how).by(app, &member.email, visitor.address).await;
    app.note_activity(member.id);
    Ok(cookie(links, &token, LIVES))
}

/// The `Set-Cookie` line. Values are hexadecimal, so nothing needs quoting.
fn cookie(links: &Links, value: &str, lives: Duration) -> String {
    let (path, seconds) = (links.cookie_path(), lives.as_secs());
    let secure = if links.is_https() { "; Secure" } else { "" };
    format!("{COOKIE}={value}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}")
}

/// The session token that a browser sent.
pub(crate) fn session_token(headers: &HeaderMap) -> Option<String> {
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
