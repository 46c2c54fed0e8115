//! The list of issues.

pub(super) mod bulk;
pub(super) mod list;
pub(super) mod row;

use list::IssuesPage;

use super::{
    failure::Failure,
    page::Page,
    query::{self, Misunderstood, Query},
    shell::{Shell, Viewer},
    start::{self, StartPage},
};
use crate::app::App;
use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use errtrack_core::{
    IssueId, Project, Timestamp,
    store::{IssuePage, IssueQuery, Sort, StatusCounts},
};
use serde::Deserialize;

/// Issues on one page.
const PAGE: u32 = 25;
/// Hours in the small chart of each.
const HOURS: u32 = 24;

/// The parameters of the list. What cannot be read counts as not given: a link from elsewhere still shows a list.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Params {
    /// The query.
    pub(super) q: Option<String>,
    pub(super) sort: Option<String>,
    /// The cursor of the page.
    pub(super) after: Option<String>,
    /// How many issues came before it; only for show.
    pub(super) from: Option<String>,
}

/// What the store said.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) page: IssuePage,
    pub(super) counts: StatusCounts,
    /// Events per hour of each issue of the page.
    pub(super) hours: Vec<Vec<i64>>,
}

/// What was asked, in the words of the page.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) text: String,
    /// Empty where it was not understood.
    pub(super) query: Query,
    pub(super) misunderstood: Option<Misunderstood>,
    pub(super) sort: Sort,
    pub(super) from: i64,
}

/// `GET /`
pub(super) async fn home(Viewer(shell): Viewer) -> Redirect {
    Redirect::to(&shell.links.path("/issues"))
}

/// `GET /issues`
pub(super) async fn list(
    State(app): State<App>,
    Viewer(shell): Viewer,
    axum::extract::Query(params): axum::extract::Query<Params>,
) -> Result<Response, Failure> {
    let (now, projects) = (Timestamp::now(), shell.caller().projects(&app).await?);
    let (asked, wanted) = ask(&params, &projects, now);
    let found = match &wanted {
        Some(wanted) => find(&app, &shell.caller().scope(wanted.clone()), now).await?,
        None => Found::default(),
    };
    if wanted.is_some() && found.counts.total() == 0 && !asked.query.filters() {
        let project = match asked.project(&projects) {
            Some(project) => project,
            None => start::first(&app, &shell, &projects)?,
        };
        return Ok(Page::new(StartPage::new(&shell, &projects, project, true)).into_response());
    }
    Ok(Page::new(IssuesPage::new(&shell, &projects, &asked, &found, now)).into_response())
}

/// Reads the parameters; without a query for the store if they were not understood.
fn ask(params: &Params, projects: &[Project], now: Timestamp) -> (Asked, Option<IssueQuery>) {
    let text = super::text::visible(params.q.as_deref().unwrap_or(query::DEFAULT).trim());
    let sort = params.sort.as_deref().and_then(|name| name.parse().ok()).unwrap_or_default();
    let from = params.from.as_deref().and_then(|n| n.parse::<u32>().ok()).map_or(0, i64::from);
    let mut asked = Asked { text, query: Query::default(), misunderstood: None, sort, from };
    let wanted = Query::parse(&asked.text).and_then(|query| {
        let wanted = query.to_store(projects, now);
        asked.query = query;
        wanted
    });
    match wanted {
        Ok(mut wanted) => {
            wanted.sort = sort;
            wanted.limit = PAGE;
            wanted.cursor = params.after.as_deref().and_then(|cursor| cursor.parse().ok());
            (asked, Some(wanted))
        }
        Err(misunderstood) => {
            asked.misunderstood = Some(misunderstood);
            (asked, None)
        }
    }
}

async fn find(app: &App, wanted: &IssueQuery, now: Timestamp) -> Result<Found, Failure> {
    let store = app.store();
    let page = store.issues(wanted).await?;
    let counts = store.status_counts(wanted).await?;
    let ids: Vec<IssueId> = page.issues.iter().map(|issue| issue.id).collect();
    let hours = if ids.is_empty() { Vec::new() } else { store.histograms(&ids, now, 1, HOURS).await? };
    Ok(Found { page, counts, hours })
}

impl Asked {
    /// The project that is asked for, if it is one.
    pub(super) fn project<'a>(&self, projects: &'a [Project]) -> Option<&'a Project> {
        let slug = self.query.get("project")?.to_lowercase();
        projects.iter().find(|project| project.slug == slug)
    }

    /// The same list for another query.
    pub(super) fn url(&self, shell: &Shell, text: &str) -> String {
        let sort = self.sort.as_str();
        let mut parameters = vec![("q", text)];
        if self.sort != Sort::default() {
            parameters.push(("sort", sort));
        }
        shell.links.path(super::text::url("/issues", &parameters))
    }
}
