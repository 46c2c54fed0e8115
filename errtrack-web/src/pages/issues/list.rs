//! The list, ready to be shown.

use super::{
    super::{
        query::{self, Misunderstood},
        shell::{Choice, Layout, Shell},
        text,
    },
    Asked, Found,
    row::Row,
};
use askama::Template;
use errtrack_core::{Project, Timestamp, store::Sort};

/// The page.
#[derive(Debug, Template)]
#[template(path = "issues.html")]
pub(in super::super) struct IssuesPage {
    layout: Layout,
    query: String,
    sort: &'static str,
    chips: Vec<Chip>,
    misunderstood: Option<Misunderstood>,
    tabs: Vec<Choice>,
    sort_name: &'static str,
    sorts: Vec<Choice>,
    rows: Vec<Row>,
    /// `1–25 of 128`.
    range: String,
    first: Option<String>,
    older: Option<String>,
    /// Where to go when a filter hides everything.
    everything: String,
    default_list: String,
    /// The number of the project that is chosen, for the script that hears of new issues.
    project: Option<i64>,
    can_write: bool,
    bulk_url: String,
    merge_url: String,
    show_resolve: bool,
    show_ignore: bool,
    show_reopen: bool,
}

/// A term of the query, which a click takes out.
#[derive(Debug)]
struct Chip {
    key: String,
    value: String,
    url: String,
}

impl IssuesPage {
    pub(super) fn new(shell: &Shell, projects: &[Project], asked: &Asked, found: &Found, now: Timestamp) -> Self {
        let chosen = asked.project(projects);
        let project_url = |project: Option<&Project>| {
            asked.url(shell, &asked.query.with("project", project.map(|project| project.slug.as_str())))
        };
        let title = chosen.map_or_else(|| "Issues".into(), |p| format!("Issues · {}", super::super::shell::name(p)));
        let rows = found.page.issues.iter().enumerate();
        let rows: Vec<Row> =
            rows.map(|(i, issue)| Row::new(shell, issue, found.hours.get(i).map_or(&[], Vec::as_slice), now)).collect();
        let is = asked.query.get("is");
        Self {
            layout: shell.layout(title).with_projects(projects, chosen, project_url),
            query: asked.text.clone(),
            sort: asked.sort.as_str(),
            chips: chips(shell, asked),
            misunderstood: asked.misunderstood.clone(),
            tabs: tabs(shell, asked, found),
            sort_name: sort_name(asked.sort),
            sorts: sorts(shell, asked),
            range: range(asked, found),
            first: (asked.from > 0).then(|| asked.url(shell, &asked.text)),
            older: older(shell, asked, found),
            everything: asked.url(shell, ""),
            default_list: shell.links.path("/issues"),
            project: chosen.map(|project| project.id.0),
            can_write: shell.may_write(),
            bulk_url: shell.links.path("/issues/bulk"),
            merge_url: shell.links.path("/issues/merge"),
            show_resolve: is != Some("resolved"),
            show_ignore: is != Some("ignored"),
            show_reopen: matches!(is, None | Some("resolved" | "ignored")),
            rows,
        }
    }
}

fn chips(shell: &Shell, asked: &Asked) -> Vec<Chip> {
    let chip = |(i, term): (usize, &query::Term)| Chip {
        key: term.key.clone(),
        value: text::line(&term.value, 60),
        url: asked.url(shell, &asked.query.without(i)),
    };
    asked.query.terms.iter().enumerate().map(chip).collect()
}

fn tabs(shell: &Shell, asked: &Asked, found: &Found) -> Vec<Choice> {
    let counts = &found.counts;
    let tab = |label: &str, is: Option<&str>, count| Choice {
        label: label.to_owned(),
        url: asked.url(shell, &asked.query.with("is", is)),
        current: asked.query.get("is") == is,
        note: text::number(count),
    };
    vec![
        tab("Unresolved", Some("unresolved"), counts.unresolved),
        tab("Regressed", Some("regressed"), counts.regressed),
        tab("Resolved", Some("resolved"), counts.resolved),
        tab("Ignored", Some("ignored"), counts.ignored),
        tab("All", None, counts.total()),
    ]
}

fn sorts(shell: &Shell, asked: &Asked) -> Vec<Choice> {
    let choice = |sort: Sort| Choice {
        label: sort_name(sort).to_owned(),
        url: shell.links.path(text::url("/issues", &[("q", &asked.text), ("sort", sort.as_str())])),
        current: asked.sort == sort,
        note: String::new(),
    };
    Sort::ALL.into_iter().map(choice).collect()
}

fn sort_name(sort: Sort) -> &'static str {
    match sort {
        Sort::LastSeen => "Last seen",
        Sort::FirstSeen => "First seen",
        Sort::Count => "Events",
        Sort::Users => "Users",
    }
}

fn range(asked: &Asked, found: &Found) -> String {
    let shown = i64::try_from(found.page.issues.len()).unwrap_or(0);
    if shown == 0 {
        return String::new();
    }
    let (first, last) = (asked.from.saturating_add(1), asked.from.saturating_add(shown));
    format!("{}–{} of {}", text::number(first), text::number(last), text::number(found.page.total.max(last)))
}

fn older(shell: &Shell, asked: &Asked, found: &Found) -> Option<String> {
    let after = found.page.next?.to_string();
    let shown = i64::try_from(found.page.issues.len()).unwrap_or(0);
    let from = asked.from.saturating_add(shown).to_string();
    let parameters = [("q", asked.text.as_str()), ("sort", asked.sort.as_str()), ("after", &after), ("from", &from)];
    Some(shell.links.path(text::url("/issues", &parameters)))
}

#[cfg(test)]
impl IssuesPage {
    pub(in super::super) fn samples(shell: &Shell) -> Vec<Self> {
        use super::{super::samples, Params};
        let now = samples::now();
        let projects = [samples::project("checkout-api", 1), samples::project("ledger-worker", 2)];
        let made = |q: &str, page, counts, hours| {
            let params = Params { q: Some(q.into()), from: Some("25".into()), ..Params::default() };
            let (asked, _) = super::ask(&params, &projects, now);
            Self::new(shell, &projects, &asked, &Found { page, counts, hours }, now)
        };
        let (page, counts, hours) = samples::issues();
        vec![
            made("is:unresolved tenant:nordlys", Default::default(), Default::default(), Vec::new()),
            made("is:opne \"timed out", Default::default(), Default::default(), Vec::new()),
            made("is:unresolved env:production \"timed out\"", page.clone(), counts, hours.clone()),
            made("", page.clone(), counts, hours.clone()),
            made(samples::HOSTILE, page, counts, hours),
        ]
    }
}
