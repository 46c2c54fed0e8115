//! One's own browsers: which of them are notified.

use super::{
    assets,
    failure::Failure,
    page::Page,
    shell::{Layout, Shell, Viewer},
    text,
    time::When,
};
use crate::{
    app::App,
    error::Error,
    push::{self, Browser, MOST},
};
use askama::Template;
use axum::{
    extract::{Path, Query, State},
    response::Redirect,
};
use errtrack_core::{Member, Timestamp};
use serde::Deserialize;

const PATH: &str = "/settings/browsers";

/// The page.
#[derive(Debug, Template)]
#[template(path = "browsers.html")]
pub(super) struct BrowsersPage {
    layout: Layout,
    account: String,
    /// What the script needs; `None` where no browser can be notified.
    setup: Option<Setup>,
    why_not: Option<String>,
    browsers: Vec<Row>,
    most: u32,
    /// What came of a test that was just made, and whether it is well.
    tested: Option<(bool, String)>,
}

/// What the script needs.
#[derive(Debug)]
struct Setup {
    script: String,
    worker: String,
    api: String,
    key: String,
}

/// A browser, ready to be shown.
#[derive(Debug)]
struct Row {
    id: String,
    label: String,
    hash: String,
    since: When,
    delivered: Option<When>,
    failed: Option<When>,
    error: String,
    url: String,
}

/// `?tested=…`
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Tested {
    tested: String,
}

fn own(shell: &Shell) -> Result<&Member, Failure> {
    Ok(shell.caller().member.as_ref().ok_or_else(|| Error::not_found("account"))?)
}

/// `GET /settings/browsers`
pub(super) async fn show(
    State(app): State<App>,
    Viewer(shell): Viewer,
    Query(Tested { tested }): Query<Tested>,
) -> Result<Page<BrowsersPage>, Failure> {
    let browsers = push::list(&app, own(&shell)?).await?;
    let key = push::public_key(&app).await?;
    Ok(Page::new(BrowsersPage::new(&shell, &browsers, key, push::why_not(&app), &tested, Timestamp::now())))
}

/// `POST /settings/browsers/{id}/{step}`: `remove`, `test`.
pub(super) async fn step(
    State(app): State<App>,
    Viewer(shell): Viewer,
    Path((id, step)): Path<(String, String)>,
) -> Result<Redirect, Failure> {
    let member = own(&shell)?;
    let to = match step.as_str() {
        "remove" => {
            push::remove(&app, shell.caller(), member, &id).await?;
            PATH.to_owned()
        }
        "test" => {
            push::test(&app, shell.caller(), member, &id).await?;
            text::url(PATH, &[("tested", &id)])
        }
        _ => return Err(Error::not_found("page").into()),
    };
    Ok(Redirect::to(&shell.links.path(to)))
}

impl BrowsersPage {
    fn new(
        shell: &Shell,
        browsers: &[Browser],
        key: Option<String>,
        why_not: Option<&str>,
        tested: &str,
        now: Timestamp,
    ) -> Self {
        let mut layout = shell.layout("Browsers");
        layout.area = "account";
        let setup = key.map(|key| Setup {
            script: shell.links.path(assets::path("push.js")),
            worker: shell.links.path(assets::WORKER),
            api: shell.links.path("/api/push/subscriptions"),
            key,
        });
        let tested =
            (!tested.is_empty()).then(|| match browsers.iter().find(|browser| browser.id.to_string() == tested) {
                Some(Browser { label, last_error: Some(error), .. }) => {
                    (false, text::line(&format!("The message for {label} was not taken: {error}"), 400))
                }
                Some(Browser { label, .. }) => {
                    (true, text::line(&format!("The message for {label} was taken. It shows in a moment."), 400))
                }
                None => (false, "That browser is gone, and was taken off the list.".into()),
            });
        Self {
            layout,
            account: shell.links.path("/settings/account"),
            setup,
            why_not: why_not.map(text::sentence),
            browsers: browsers.iter().map(|browser| Row::new(shell, browser, now)).collect(),
            most: MOST,
            tested,
        }
    }

    #[cfg(test)]
    pub(super) fn samples(shell: &Shell) -> Vec<Self> {
        use super::samples;
        let now = samples::now();
        let browser = |n: u128, label: &str, error: Option<&str>| Browser {
            id: uuid::Uuid::from_u128(n),
            label: label.into(),
            endpoint_hash: "ab".repeat(32),
            created_at: now,
            last_delivered: error.is_none().then_some(now),
            last_failed: error.map(|_| now),
            last_error: error.map(str::to_owned),
        };
        let browsers = [browser(1, "Firefox on Linux", None), browser(2, samples::HOSTILE, Some(samples::HOSTILE))];
        let tested = browsers[1].id.to_string();
        vec![
            Self::new(shell, &browsers, Some("BP4z9KsN6nGRTbVYI_c7VJ".into()), None, &tested, now),
            Self::new(shell, &[], None, Some("the public URL must begin with https://"), "", now),
        ]
    }
}

impl Row {
    fn new(shell: &Shell, browser: &Browser, now: Timestamp) -> Self {
        Self {
            id: browser.id.to_string(),
            label: text::line(&browser.label, 100),
            hash: browser.endpoint_hash.clone(),
            since: When::new(browser.created_at, now),
            delivered: browser.last_delivered.map(|at| When::new(at, now)),
            failed: browser.last_failed.map(|at| When::new(at, now)),
            error: text::line(browser.last_error.as_deref().unwrap_or_default(), 300),
            url: shell.links.path(format_args!("{PATH}/{}", browser.id)),
        }
    }
}
