//! Signing in with an issuer of identities: there, and back.

use super::{CodePage, LoginPage, SignIn, Target, Throttle, enter, set_cookie, wait};
use crate::{
    access::{
        SignedIn, Visitor,
        oidc::{self, Issuer, Trouble},
    },
    app::App,
    error::Error,
    pages::{failure::Failure, next, page::Page, shell::Shell, text},
};
use axum::{
    Extension,
    extract::{Query, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use std::{sync::Arc, time::Instant};

/// What the issuer sends along with somebody.
#[derive(Debug, Deserialize)]
pub(in crate::pages) struct Answered {
    code: Option<String>,
    state: Option<String>,
    error: Option<String>,
    iss: Option<String>,
}

/// `GET /login/oidc`. A link and no form: a page may not send forms to other sites, nor be led there by one.
pub(in crate::pages) async fn begin(
    State(app): State<App>,
    shell: Shell,
    Query(target): Query<Target>,
) -> Result<Response, Failure> {
    let issuer = issuer(&app)?;
    let begun = oidc::begin(next::safe(target.next.as_deref()))?;
    Ok(match issuer.door(&shell.links, &begun).await {
        Ok(door) => (set_cookie(begun.cookie(&shell.links)), Redirect::to(&door)).into_response(),
        Err(trouble) => refuse(&app, &shell, issuer, target.next.as_deref(), trouble)?,
    })
}

/// `GET /login/oidc/callback`
pub(in crate::pages) async fn end(
    State(app): State<App>,
    shell: Shell,
    Extension(throttle): Extension<Arc<Throttle>>,
    visitor: Visitor,
    headers: HeaderMap,
    Query(answered): Query<Answered>,
) -> Result<Response, Failure> {
    let issuer = issuer(&app)?;
    let Some(begun) = oidc::begun(&headers, answered.state.as_deref().unwrap_or_default()) else {
        let problem = "This sign-in did not begin in this browser, or took longer than ten minutes. Try again.";
        return Ok(sign_in_page(&app, &shell, None, StatusCode::BAD_REQUEST, problem));
    };
    let mut response = answer(&app, &shell, issuer, &throttle, &visitor, &begun, answered).await?;
    if let Ok(cookie) = HeaderValue::from_str(&oidc::forget(&shell.links)) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

async fn answer(
    app: &App,
    shell: &Shell,
    issuer: &Issuer,
    throttle: &Throttle,
    visitor: &Visitor,
    begun: &oidc::Begun,
    answered: Answered,
) -> Result<Response, Failure> {
    let next = begun.next.as_deref();
    if answered.iss.is_some_and(|named| !issuer.is_named(&named)) {
        return refuse(app, shell, issuer, next, Trouble::Wrong("another issuer has answered"));
    }
    let Some(code) = answered.code.filter(|_| answered.error.is_none()) else {
        let why = text::line(answered.error.as_deref().unwrap_or("no code came back"), 60);
        let problem = format!("{} did not sign you in ({why}).", issuer.host());
        return Ok(sign_in_page(app, shell, next, StatusCode::UNAUTHORIZED, &problem));
    };
    // Each costs the issuer a question, and somebody who makes up all of it can ask for many. Successes do not count.
    let about = visitor.address.map_or_else(String::new, |address| address.to_string());
    let attempt = match throttle.begin(visitor.address, &format!("codes from {about}"), Instant::now()) {
        Ok(attempt) => attempt,
        Err(pause) => {
            let form = SignIn { next: begun.next.clone(), ..SignIn::default() };
            return Ok(wait(pause, |problem| LoginPage::new(app, shell, &form, Some(problem))));
        }
    };
    match oidc::end(app, issuer, &shell.links, visitor, begun, &code).await {
        Ok(signed_in) => {
            throttle.succeeded(&attempt);
            Ok(match signed_in {
                SignedIn::Done(cookie) => enter(shell, cookie, next),
                SignedIn::Half(token) => Page::new(CodePage::new(shell, &token, next, None)).into_response(),
                SignedIn::Refused => refuse(app, shell, issuer, next, Trouble::Unverified)?,
            })
        }
        Err(trouble) => {
            // That the issuer is away, or somebody is no member, is nobody's guess at a code.
            if matches!(trouble, Trouble::Away(_) | Trouble::Busy | Trouble::Stranger(_) | Trouble::Unverified) {
                throttle.succeeded(&attempt);
            }
            refuse(app, shell, issuer, next, trouble)
        }
    }
}

fn issuer(app: &App) -> Result<&Issuer, Failure> {
    app.issuer().ok_or_else(|| Error::not_found("issuer").into())
}

/// Says why nobody was let in. What is wrong with the issuer is for whoever runs the server, and so in the log.
fn refuse(
    app: &App,
    shell: &Shell,
    issuer: &Issuer,
    next: Option<&str>,
    trouble: Trouble,
) -> Result<Response, Failure> {
    let host = issuer.host();
    let (status, problem) = match trouble {
        Trouble::Away(why) => {
            tracing::warn!(target: "errtrack", "sign-in by OpenID Connect: {host} is away: {why}");
            let problem = format!("{host} does not answer as it should. Try again in a moment, or use your password.");
            (StatusCode::BAD_GATEWAY, problem)
        }
        Trouble::Busy => {
            (StatusCode::SERVICE_UNAVAILABLE, "Too many people sign in at once. Try again in a moment.".to_owned())
        }
        Trouble::Wrong(why) => {
            tracing::warn!(target: "errtrack", "sign-in by OpenID Connect: what {host} gave is refused: {why}");
            (StatusCode::UNAUTHORIZED, format!("What {host} says of you cannot be relied on. Try again."))
        }
        Trouble::Unverified => {
            let problem = format!("{host} has not verified your e-mail address, so it does not say who you are here.");
            (StatusCode::FORBIDDEN, problem)
        }
        Trouble::Stranger(email) => {
            let problem = format!("{email} is no member here. Ask whoever runs this server for an invitation.");
            (StatusCode::FORBIDDEN, problem)
        }
        Trouble::Failed(error) => return Err(error.into()),
    };
    Ok(sign_in_page(app, shell, next, status, &problem))
}

fn sign_in_page(app: &App, shell: &Shell, next: Option<&str>, status: StatusCode, problem: &str) -> Response {
    let form = SignIn { next: next.map(str::to_owned), ..SignIn::default() };
    Page::with_status(status, LoginPage::new(app, shell, &form, Some(problem.to_owned()))).into_response()
}
