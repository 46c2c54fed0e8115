//! Light, dark, or as the system has it: a cookie, and an attribute that the server sets.

use super::{next, shell::Shell};
use axum::{
    Form,
    http::{HeaderMap, header},
    response::{AppendHeaders, IntoResponse, Redirect},
};
use serde::Deserialize;

const COOKIE: &str = "errtrack_theme";
/// A year.
const LIVES: u32 = 31_536_000;

/// The form of the account menu.
#[derive(Debug, Deserialize)]
pub(super) struct Choice {
    theme: String,
    next: Option<String>,
}

/// The theme that a browser has chosen, if it is not the system's.
pub(super) fn chosen(headers: &HeaderMap) -> Option<&'static str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    known(pairs.find(|(name, _)| *name == COOKIE)?.1)
}

fn known(name: &str) -> Option<&'static str> {
    ["light", "dark"].into_iter().find(|theme| *theme == name)
}

/// `POST /theme`
pub(super) async fn choose(shell: Shell, Form(choice): Form<Choice>) -> impl IntoResponse {
    let (value, lives) = known(&choice.theme).map_or(("", 0), |theme| (theme, LIVES));
    let path = shell.links.cookie_path();
    let secure = if shell.links.is_https() { "; Secure" } else { "" };
    let cookie = format!("{COOKIE}={value}; Path={path}; Max-Age={lives}; HttpOnly; SameSite=Lax{secure}");
    let back = next::safe(choice.next.as_deref()).map_or_else(|| shell.links.home(), |next| shell.links.path(next));
    (AppendHeaders([(header::SET_COOKIE, cookie)]), Redirect::to(&back))
}
