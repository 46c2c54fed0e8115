//! One's own account: name, password, second factor, sessions.

use super::{
    failure::Failure,
    login::{self, Throttle},
    page::Page,
    qr::Qr,
    shell::{Layout, Shell, Viewer},
    text,
    time::When,
};
use crate::{
    access::{self, Deed, Secret, second, session_token, token_hash},
    app::App,
    error::Error,
};
use askama::Template;
use axum::{
    Extension, Form,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Redirect, Response},
};
use errtrack_core::{Member, MemberChange, Timestamp, Token, TokenHash, TokenKind};
use serde::Deserialize;
use std::{sync::Arc, time::Instant};

/// The page.
#[derive(Debug, Template)]
#[template(path = "account.html")]
pub(super) struct AccountPage {
    layout: Layout,
    here: String,
    browsers: String,
    email: String,
    name: String,
    role: &'static str,
    notice: Option<&'static str>,
    problem: Option<String>,
    /// Recovery codes that are left; `None` without a second factor.
    codes_left: Option<usize>,
    /// A second factor that is being set up.
    setup: Option<Setup>,
    /// Recovery codes that were just made, for the only time.
    codes: Vec<String>,
    sessions: Vec<Session>,
}

/// What an authenticator app needs.
#[derive(Debug)]
struct Setup {
    secret: String,
    /// The same in groups, for people.
    spelled: String,
    url: String,
    picture: Option<Qr>,
}

/// A session, ready to be shown.
#[derive(Debug)]
struct Session {
    agent: String,
    address: String,
    since: When,
    is_this: bool,
    /// Names it in the form; of no use as a token.
    id: String,
}

/// What the forms send.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Change {
    name: String,
    old: String,
    password: String,
    again: String,
    secret: String,
    code: String,
    session: String,
}

/// What the page shows beside what is stored.
#[derive(Debug, Default)]
struct Showing {
    notice: Option<&'static str>,
    problem: Option<String>,
    setup: Option<Secret>,
    codes: Vec<String>,
}

impl Showing {
    fn notice(notice: &'static str) -> Self {
        Self { notice: Some(notice), ..Self::default() }
    }

    fn problem(problem: impl Into<String>) -> Self {
        Self { problem: Some(problem.into()), ..Self::default() }
    }
}

/// The member who looks, and its session.
fn own<'a>(shell: &'a Shell, headers: &HeaderMap) -> Result<(&'a Member, Option<TokenHash>), Failure> {
    let member = shell.caller().member.as_ref().ok_or_else(|| Error::not_found("account"))?;
    Ok((member, session_token(headers).map(|token| token_hash(&token))))
}

/// `GET /settings/account`
pub(super) async fn show(
    State(app): State<App>,
    Viewer(shell): Viewer,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let (member, session) = own(&shell, &headers)?;
    page(&app, &shell, member, session, StatusCode::OK, Showing::default()).await
}

/// `POST /settings/account/{step}`: `name`, `password`, `setup`, `confirm`, `drop-factor`, `end`, `end-others`.
pub(super) async fn step(
    State(app): State<App>,
    Viewer(shell): Viewer,
    Extension(throttle): Extension<Arc<Throttle>>,
    Path(step): Path<String>,
    headers: HeaderMap,
    Form(form): Form<Change>,
) -> Result<Response, Failure> {
    let (member, session) = own(&shell, &headers)?;
    let caller = shell.caller();
    // Whoever found an open browser must not guess on.
    let guarded = matches!(step.as_str(), "password" | "drop-factor");
    let attempt = if guarded {
        match throttle.begin(caller.address, &format!("account of {}", member.email), Instant::now()) {
            Ok(attempt) => Some(attempt),
            Err(pause) => {
                let view = AccountPage::new(&shell, member, None, &[], session, Showing::default(), Timestamp::now());
                return Ok(login::wait(pause, |problem| AccountPage { problem: Some(problem), ..view }));
            }
        }
    } else {
        None
    };
    let (status, showing) = match step.as_str() {
        "name" => rename(&app, member, &form).await?,
        "password" => change_password(&app, &shell, member, session, &form).await?,
        "setup" => (StatusCode::OK, Showing { setup: Some(Secret::random()?), ..Showing::default() }),
        "confirm" => confirm(&app, &shell, member, &form).await?,
        "drop-factor" if second::take_away(&app, member, &form.code).await? => {
            caller.did(&app, Deed::new("member.drop_second_factor", &member.email)).await;
            (StatusCode::OK, Showing::notice("The second factor is gone."))
        }
        "drop-factor" => (StatusCode::BAD_REQUEST, Showing::problem("That code is wrong, or was used before.")),
        "end" | "end-others" => {
            end_sessions(&app, member, session, (step == "end").then_some(&form.session)).await?;
            caller.did(&app, Deed::new("session.end", &member.email)).await;
            (StatusCode::OK, Showing::default())
        }
        _ => return Err(Error::not_found("page").into()),
    };
    if status.is_success() {
        if let Some(attempt) = &attempt {
            throttle.succeeded(attempt);
        }
        // What can be shown again is, by its own address.
        if showing.setup.is_none() && showing.codes.is_empty() && showing.notice.is_none() {
            return Ok(Redirect::to(&shell.links.path("/settings/account")).into_response());
        }
    }
    page(&app, &shell, member, session, status, showing).await
}

type Outcome = Result<(StatusCode, Showing), Failure>;

async fn rename(app: &App, member: &Member, form: &Change) -> Outcome {
    let name = form.name.trim();
    if name.chars().count() > 100 {
        return Ok((StatusCode::BAD_REQUEST, Showing::problem("The name must have at most 100 characters.")));
    }
    let change = MemberChange { name: Some(name.to_owned()), ..MemberChange::default() };
    app.store().change_member(member.id, &change).await?;
    Ok((StatusCode::OK, Showing::default()))
}

async fn change_password(
    app: &App,
    shell: &Shell,
    member: &Member,
    session: Option<TokenHash>,
    form: &Change,
) -> Outcome {
    if form.password != form.again {
        return Ok((StatusCode::BAD_REQUEST, Showing::problem("The two new passwords differ.")));
    }
    // Who came in by a link has none yet.
    if member.password_hash.is_some() && !access::verify(&form.old, member.password_hash.clone()).await {
        return Ok((StatusCode::BAD_REQUEST, Showing::problem("The old password is wrong.")));
    }
    let hash = match access::check_and_hash(&form.password).await {
        Ok(hash) => hash,
        Err(error) if error.status == StatusCode::BAD_REQUEST => {
            return Ok((StatusCode::BAD_REQUEST, Showing::problem(text::sentence(&error.message))));
        }
        Err(error) => return Err(error.into()),
    };
    access::set_password(app, member, hash, session).await?;
    shell.caller().did(app, Deed::new("member.change_password", "")).await;
    Ok((StatusCode::OK, Showing::notice("The password is changed, and all other sessions are over.")))
}

async fn confirm(app: &App, shell: &Shell, member: &Member, form: &Change) -> Outcome {
    let wrong = || Error::bad_request("the secret of this form is none");
    let secret = Secret::parse(&form.secret).ok_or_else(wrong)?;
    match second::set_up(app, member, &secret, &form.code).await? {
        Some(codes) => {
            shell.caller().did(app, Deed::new("member.add_second_factor", "")).await;
            let notice = Some("From now on, signing in asks for a code.");
            Ok((StatusCode::OK, Showing { codes, notice, ..Showing::default() }))
        }
        None => {
            let problem = Some("That code is wrong. Is the clock of your device right?".into());
            Ok((StatusCode::BAD_REQUEST, Showing { setup: Some(secret), problem, ..Showing::default() }))
        }
    }
}

/// Ends the session of that id, or all but the present one.
async fn end_sessions(app: &App, member: &Member, own: Option<TokenHash>, id: Option<&String>) -> Result<(), Failure> {
    match id {
        Some(id) => {
            let sessions = app.store().tokens(TokenKind::Session, member.id).await?;
            if let Some(session) = sessions.iter().find(|session| short(session.hash) == *id) {
                app.store().take_token(TokenKind::Session, session.hash).await?;
            }
        }
        None => {
            app.store().end_tokens(TokenKind::Session, member.id, own).await?;
        }
    }
    Ok(())
}

/// The beginning of a hash.
fn short(hash: TokenHash) -> String {
    hash.0.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

async fn page(
    app: &App,
    shell: &Shell,
    member: &Member,
    session: Option<TokenHash>,
    status: StatusCode,
    showing: Showing,
) -> Result<Response, Failure> {
    let member = app.store().member(member.id).await?.ok_or_else(|| Error::not_found("account"))?;
    let codes_left = second::codes_left(app, &member).await?;
    let sessions = app.store().tokens(TokenKind::Session, member.id).await?;
    let view = AccountPage::new(shell, &member, codes_left, &sessions, session, showing, Timestamp::now());
    Ok(Page::with_status(status, view).into_response())
}

impl AccountPage {
    fn new(
        shell: &Shell,
        member: &Member,
        codes_left: Option<usize>,
        sessions: &[Token],
        own: Option<TokenHash>,
        showing: Showing,
        now: Timestamp,
    ) -> Self {
        let mut layout = shell.layout("Account");
        layout.area = "account";
        Self {
            layout,
            here: shell.links.path("/settings/account"),
            browsers: shell.links.path("/settings/browsers"),
            email: text::line(&member.email, 254),
            name: text::line(&member.name, 100),
            role: member.role.as_str(),
            notice: showing.notice,
            problem: showing.problem.map(|problem| text::line(&problem, 300)),
            codes_left,
            setup: showing.setup.map(|secret| Setup::new(&secret, &member.email)),
            codes: showing.codes,
            sessions: sessions.iter().map(|session| Session::new(session, own, now)).collect(),
        }
    }

    #[cfg(test)]
    pub(super) fn samples(shell: &Shell) -> Vec<Self> {
        use super::samples;
        let now = samples::now();
        let member = Member { name: samples::HOSTILE.into(), ..Member::new("ana@example.com", crate::Role::Owner) };
        let session = |n: u8, about: &str| Token {
            about: about.into(),
            created_at: now,
            ..Token::new(TokenKind::Session, TokenHash([n; 32]), member.id, std::time::Duration::from_secs(60))
        };
        let sessions = [session(1, "203.0.113.9\nMozilla/5.0 (X11; Linux x86_64)"), session(2, samples::HOSTILE)];
        let page = |left, showing| Self::new(shell, &member, left, &sessions, Some(TokenHash([1; 32])), showing, now);
        let codes = vec!["abcd-efgh-ijkl-mnop".into(); 10];
        vec![
            page(None, Showing::default()),
            page(None, Showing { setup: Secret::random().ok(), ..Showing::problem(samples::HOSTILE) }),
            page(Some(9), Showing { codes, ..Showing::notice("From now on, signing in asks for a code.") }),
        ]
    }
}

impl Setup {
    fn new(secret: &Secret, email: &str) -> Self {
        let secret_text = secret.text();
        let groups: Vec<_> = secret_text.as_bytes().chunks(4).map(String::from_utf8_lossy).collect();
        let url = secret.url(email);
        Self { spelled: groups.join(" "), picture: Qr::new(&url), url, secret: secret_text }
    }
}

impl Session {
    fn new(session: &Token, own: Option<TokenHash>, now: Timestamp) -> Self {
        let (address, agent) = session.about.split_once('\n').unwrap_or(("", &session.about));
        let agent = text::line(agent, 200);
        Self {
            agent: if agent.is_empty() { "A browser that says nothing of itself".into() } else { agent },
            address: text::line(address, 60),
            since: When::new(session.created_at, now),
            is_this: own == Some(session.hash),
            id: short(session.hash),
        }
    }
}
