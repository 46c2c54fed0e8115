//! Signing in and out.

pub(super) mod oidc;
mod throttle;

pub(super) use throttle::Throttle;

use super::{
    failure::Failure,
    next,
    page::Page,
    shell::{Layout, Shell},
    text, time,
};
use crate::{
    access::{self, Caller, Credentials, SignedIn, Visitor},
    app::App,
};
use askama::Template;
use axum::{
    Extension, Form,
    extract::{Path, Query, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{AppendHeaders, IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// The sign-in page.
#[derive(Debug, Template)]
#[template(path = "login.html")]
pub(super) struct LoginPage {
    layout: Layout,
    action: String,
    /// Whether members have accounts here; else one secret opens everything.
    asks_for_email: bool,
    email: String,
    next: String,
    /// An issuer of identities, where one is named.
    issuer: Option<Door>,
    problem: Option<String>,
}

/// Another way in.
#[derive(Debug)]
struct Door {
    name: String,
    url: String,
}

/// The page of a one-time link.
#[derive(Debug, Template)]
#[template(path = "link.html")]
pub(super) struct LinkPage {
    layout: Layout,
    action: String,
    login: String,
    problem: Option<String>,
}

/// The page that asks for the second factor.
#[derive(Debug, Template)]
#[template(path = "code.html")]
pub(super) struct CodePage {
    layout: Layout,
    action: String,
    token: String,
    next: String,
    login: String,
    problem: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Target {
    next: Option<String>,
}

/// What the sign-in form sends.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct SignIn {
    email: String,
    password: String,
    next: Option<String>,
}

/// `GET /login`
pub(super) async fn show(
    State(app): State<App>,
    shell: Shell,
    Query(target): Query<Target>,
    request: Request,
) -> Result<Response, Failure> {
    let (parts, _) = request.into_parts();
    if !app.access().has_sign_in() || Caller::find(&app, &parts).await?.is_some() {
        return Ok(Redirect::to(&target_of(&shell, target.next.as_deref())).into_response());
    }
    let form = SignIn { next: target.next, ..SignIn::default() };
    Ok(Page::new(LoginPage::new(&app, &shell, &form, None)).into_response())
}

/// `POST /login`
pub(super) async fn sign_in(
    State(app): State<App>,
    shell: Shell,
    Extension(throttle): Extension<Arc<Throttle>>,
    visitor: Visitor,
    Form(form): Form<SignIn>,
) -> Result<Response, Failure> {
    let attempt = match throttle.begin(visitor.address, &form.email, Instant::now()) {
        Ok(attempt) => attempt,
        Err(pause) => return Ok(wait(pause, |problem| LoginPage::new(&app, &shell, &form, Some(problem)))),
    };
    let credentials = Credentials::Password { email: &form.email, password: &form.password };
    let signed_in = access::sign_in(&app, &shell.links, &visitor, credentials).await?;
    if !matches!(signed_in, SignedIn::Refused) {
        throttle.succeeded(&attempt);
    }
    Ok(match signed_in {
        SignedIn::Done(cookie) => enter(&shell, cookie, form.next.as_deref()),
        SignedIn::Half(token) => Page::new(CodePage::new(&shell, &token, form.next.as_deref(), None)).into_response(),
        SignedIn::Refused => {
            let what = if app.access().has_members() {
                "That e-mail and password do not match."
            } else {
                "That is not the secret."
            };
            let page = LoginPage::new(&app, &shell, &form, Some(format!("{what} {}", attempt.left())));
            Page::with_status(StatusCode::UNAUTHORIZED, page).into_response()
        }
    })
}

/// What the form for a code sends.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Code {
    token: String,
    code: String,
    next: Option<String>,
}

/// `POST /login/code`: the second factor.
pub(super) async fn sign_in_with_code(
    State(app): State<App>,
    shell: Shell,
    Extension(throttle): Extension<Arc<Throttle>>,
    visitor: Visitor,
    Form(form): Form<Code>,
) -> Result<Response, Failure> {
    let page = |problem| CodePage::new(&shell, &form.token, form.next.as_deref(), Some(problem));
    let Some(member) = access::half_way(&app, &form.token).await? else {
        let page = LoginPage::new(&app, &shell, &SignIn::default(), Some("That took too long. Sign in again.".into()));
        return Ok(Page::with_status(StatusCode::UNAUTHORIZED, page).into_response());
    };
    // Codes are guessed apart from passwords: whoever guesses has the password.
    let attempt = match throttle.begin(visitor.address, &format!("code of {}", member.email), Instant::now()) {
        Ok(attempt) => attempt,
        Err(pause) => return Ok(wait(pause, page)),
    };
    let credentials = Credentials::Code { token: &form.token, code: &form.code };
    match access::sign_in(&app, &shell.links, &visitor, credentials).await? {
        SignedIn::Done(cookie) => {
            throttle.succeeded(&attempt);
            Ok(enter(&shell, cookie, form.next.as_deref()))
        }
        SignedIn::Half(_) | SignedIn::Refused => {
            let page = page(format!("That code is wrong, or was used before. {}", attempt.left()));
            Ok(Page::with_status(StatusCode::UNAUTHORIZED, page).into_response())
        }
    }
}

/// Signed in: on to where somebody wanted to go.
fn enter(shell: &Shell, cookie: String, next: Option<&str>) -> Response {
    (set_cookie(cookie), Redirect::to(&target_of(shell, next))).into_response()
}

/// Too many tries.
pub(super) fn wait<T: Template>(pause: Duration, page: impl FnOnce(String) -> T) -> Response {
    let seconds = i64::try_from(pause.as_secs()).unwrap_or(i64::MAX).max(1);
    let page = page(format!("Too many tries. Wait {} and try again.", time::span(seconds)));
    let mut response = Page::with_status(StatusCode::TOO_MANY_REQUESTS, page).into_response();
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}

/// `GET /login/{token}`: only shows a button, because mail scanners follow links.
pub(super) async fn show_link(State(app): State<App>, shell: Shell, Path(token): Path<String>) -> Response {
    if !app.access().has_members() {
        return StatusCode::NOT_FOUND.into_response();
    }
    Page::new(LinkPage::new(&shell, &token, None)).into_response()
}

/// `POST /login/{token}`
pub(super) async fn follow_link(
    State(app): State<App>,
    shell: Shell,
    visitor: Visitor,
    Path(token): Path<String>,
) -> Result<Response, Failure> {
    match access::sign_in(&app, &shell.links, &visitor, Credentials::Link(&token)).await? {
        SignedIn::Done(cookie) => Ok(enter(&shell, cookie, None)),
        SignedIn::Half(token) => Ok(Page::new(CodePage::new(&shell, &token, None, None)).into_response()),
        SignedIn::Refused => {
            let problem = "This link has been used already, or is more than a day old.";
            let page = LinkPage::new(&shell, &token, Some(problem.into()));
            Ok(Page::with_status(StatusCode::UNAUTHORIZED, page).into_response())
        }
    }
}

/// `POST /logout`
pub(super) async fn sign_out(State(app): State<App>, shell: Shell, headers: HeaderMap) -> Result<Response, Failure> {
    let cookie = access::sign_out(&app, &shell.links, &headers).await?;
    let after = if app.access().has_sign_in() { shell.links.path("/login") } else { shell.links.home() };
    Ok((set_cookie(cookie), Redirect::to(&after)).into_response())
}

fn set_cookie(cookie: String) -> impl axum::response::IntoResponseParts {
    AppendHeaders([(header::SET_COOKIE, cookie)])
}

fn target_of(shell: &Shell, next: Option<&str>) -> String {
    next::safe(next).map_or_else(|| shell.links.home(), |next| shell.links.path(next))
}

impl LoginPage {
    fn new(app: &App, shell: &Shell, form: &SignIn, problem: Option<String>) -> Self {
        let next = next::safe(form.next.as_deref()).unwrap_or_default();
        let door = app.issuer().map(|issuer| Door::new(shell, issuer.host(), next));
        let email = text::line(&form.email, 200);
        Self { issuer: door, ..Self::view(shell, app.access().asks_for_email(), email, next.to_owned(), problem) }
    }

    fn view(shell: &Shell, asks_for_email: bool, email: String, next: String, problem: Option<String>) -> Self {
        let problem = problem.map(|problem| text::line(&problem, 200));
        let action = shell.links.path("/login");
        Self { layout: shell.layout("Sign in"), action, asks_for_email, email, next, issuer: None, problem }
    }

    #[cfg(test)]
    pub(super) fn samples(shell: &Shell) -> Vec<Self> {
        let hostile = super::samples::HOSTILE.to_owned();
        vec![
            Self::view(shell, true, String::new(), String::new(), None),
            Self::view(shell, false, String::new(), "/issues?q=a&b".into(), Some("That is not the secret.".into())),
            Self::view(shell, true, "a".repeat(200), "/".repeat(4_000), Some("Too many tries.".into())),
            Self {
                issuer: Some(Door::new(shell, &hostile, &hostile)),
                ..Self::view(shell, true, text::line(&hostile, 200), String::new(), Some(hostile.clone()))
            },
        ]
    }
}

impl Door {
    fn new(shell: &Shell, host: &str, next: &str) -> Self {
        let path = shell.links.path("/login/oidc");
        let url = if next.is_empty() { path } else { text::url(&path, &[("next", next)]) };
        Self { name: text::line(host, 60), url }
    }
}

impl LinkPage {
    fn new(shell: &Shell, token: &str, problem: Option<String>) -> Self {
        let action = shell.links.path(format!("/login/{}", text::path_part(token)));
        Self { layout: shell.layout("Sign in"), action, login: shell.links.path("/login"), problem }
    }

    #[cfg(test)]
    pub(super) fn samples(shell: &Shell) -> Vec<Self> {
        vec![Self::new(shell, "0a1b", None), Self::new(shell, super::samples::HOSTILE, Some("Used already.".into()))]
    }
}

impl CodePage {
    fn new(shell: &Shell, token: &str, next: Option<&str>, problem: Option<String>) -> Self {
        Self {
            layout: shell.layout("Sign in"),
            action: shell.links.path("/login/code"),
            token: text::line(token, 100),
            next: next::safe(next).unwrap_or_default().to_owned(),
            login: shell.links.path("/login"),
            problem: problem.map(|problem| text::line(&problem, 200)),
        }
    }

    #[cfg(test)]
    pub(super) fn samples(shell: &Shell) -> Vec<Self> {
        let hostile = super::samples::HOSTILE;
        vec![Self::new(shell, "0a1b", None, None), Self::new(shell, hostile, Some("/issues"), Some(hostile.into()))]
    }
}
