//! Issues and events to show in tests: plain, full, as long as they get, and hostile.

use crate::{
    access::{Caller, Permissions},
    status::{Account, Measure, Status},
};
use errtrack_core::{
    Balance, Breadcrumb, Event, EventId, Exception, Fingerprint, Frame, Issue, IssueId, Level, Mark, Mechanism,
    Message, Project, ProjectId, Request, Sdk, SpoolStatus, Stacktrace, Timestamp, User,
    grouping::{Component, Grouping},
    store::{IssuePage, Retention, RetentionReport, StatusCounts, Storage, TableSize, TagTally},
};
use serde_json::json;
use std::time::Duration;
use uuid::Uuid;

/// Text that would do harm if it were not escaped or spelled out.
pub(super) const HOSTILE: &str = "\"><script>alert(1)</script>' onload=x {{ 7*7 }} \u{202e}gpj.exe\0 🐢 رمز \u{1b}[31m";

pub(super) fn now() -> Timestamp {
    "2026-11-20T22:41:07Z".parse().unwrap()
}

pub(super) fn caller() -> Caller {
    Caller::with(Permissions::ALL)
}

pub(super) fn project(slug: &str, id: i64) -> Project {
    let public_keys = vec!["7f2a91c07be29f3a61c07be29f3a61c0".to_owned()];
    Project { id: ProjectId(id), slug: slug.into(), name: slug.into(), platform: None, public_keys }
}

pub(super) fn issue(number: i64) -> Issue {
    let now = now();
    Issue {
        id: IssueId(number),
        uuid: Uuid::from_u128(u128::try_from(number).unwrap()),
        project: ProjectId(1),
        project_slug: "checkout-api".into(),
        number,
        fingerprint: Fingerprint([0xab; 16]),
        ty: "PoolTimedOut".into(),
        value: "pool timed out while waiting for an open connection".into(),
        culprit: "checkout_api::handlers::orders::pay".into(),
        level: Level::Error,
        status: errtrack_core::Status::Unresolved,
        condition: Some(errtrack_core::Condition::AfterRelease(HOSTILE.into())),
        regressed: true,
        source: Some("backend".into()),
        platform: Some("rust".into()),
        environment: Some("production".into()),
        first_release: Some("1.4.0".into()),
        last_release: Some("1.4.2".into()),
        first_seen: now.minus(Duration::from_secs(3 * 86_400)),
        last_seen: now.minus(Duration::from_secs(130)),
        count: 1_204,
        stored_count: 100,
        user_count: 318,
        last_event: EventId::default(),
        created_at: now,
        updated_at: now,
        resolved_at: None,
        assigned_to: Some("ana.maric@example.com".into()),
    }
}

pub(super) fn incident(number: i64, is_open: bool) -> errtrack_core::incident::Incident {
    use errtrack_core::incident::{Incident, IncidentStatus, NewIncident, Severity};
    let new = NewIncident {
        project: Some(ProjectId(1)),
        description: HOSTILE.into(),
        severity: Severity::High,
        status: if is_open { IncidentStatus::Identified } else { IncidentStatus::Resolved },
        assigned_to: Some(HOSTILE.into()),
        rule: is_open.then(Uuid::nil),
        channels: vec![HOSTILE.into()],
        at: now(),
        ..NewIncident::new(HOSTILE, HOSTILE)
    };
    Incident { row: number, ..new.incident() }
}

pub(super) fn frame(function: &str, file: &str, line: u32, in_app: bool) -> Frame {
    Frame {
        function: Some(function.into()),
        filename: Some(file.into()),
        lineno: Some(line),
        colno: Some(14),
        in_app: Some(in_app),
        ..Frame::default()
    }
}

/// A chain of two with frames of libraries, and everything else that an event can hold.
pub(super) fn event() -> Event {
    let mut begin = frame("checkout_api::db::Db::begin", "src/db/pool.rs", 88, true);
    begin.pre_context = ["    pub async fn begin(&self) -> sqlx::Result<Tx> {", ""].map(String::from).into();
    begin.context_line = Some("        let tx = self.pool.begin().await?;".into());
    begin.post_context = vec!["        Ok(Tx::new(tx, permit))".into()];
    begin.vars.insert("permit".into(), json!({ "waiting": 64, "password": "[Filtered: password]" }));
    let mut root = Exception::new("sqlx::Error::PoolTimedOut", "pool timed out while waiting for an open connection");
    root.stacktrace = Some(Stacktrace {
        frames: vec![
            begin.clone(),
            frame("sqlx_core::pool::inner::PoolInner<DB>::acquire", "pool/inner.rs", 250, false),
        ],
    });
    let mut outer = Exception::new("OrderError::Payment", "could not take payment for order 01JD3K9Q");
    outer.mechanism = Some(Mechanism::new("axum", true));
    outer.stacktrace = Some(Stacktrace {
        frames: vec![
            frame("hyper::proto::h1::dispatch::Dispatcher::poll_catch", "dispatch.rs", 160, false),
            frame("<axum::handler::Layered as tower::Service>::call", "mod.rs", 10, false),
            frame("checkout_api::handlers::orders::pay", "src/handlers/orders.rs", 214, true),
        ],
    });
    let at = now().minus(Duration::from_secs(130));
    let crumb = |before: u64, text: &str| Breadcrumb {
        timestamp: Some(at.minus(Duration::from_millis(before))),
        ..Breadcrumb::new(text).category("pool").level(Level::Warning).data("waiting", 64)
    };
    let mut http = Breadcrumb { timestamp: None, category: Some("http".into()), ..Breadcrumb::default() };
    http.data = json!({ "method": "POST", "url": "https://pay.example/charges", "status_code": 201 })
        .as_object()
        .unwrap()
        .clone();
    Event {
        timestamp: at,
        received_at: at,
        level: Level::Error,
        platform: Some("rust".into()),
        transaction: Some("POST /v1/orders/{id}/pay".into()),
        release: Some("1.4.2".into()),
        environment: Some("production".into()),
        server_name: Some("eu-1a-03".into()),
        exceptions: vec![root, outer],
        breadcrumbs: vec![http, crumb(5_310, "no idle connection"), crumb(840, "still waiting")],
        request: Some(Request {
            url: Some("https://shop.example.com/v1/orders/01JD3K9Q/pay".into()),
            method: Some("POST".into()),
            query_string: Some("retry=1".into()),
            headers: [("authorization".to_owned(), "[Filtered: bearer token]".to_owned())].into(),
            data: Some(json!({ "method": "card", "card_number": "[Filtered]" })),
            status: Some(500),
            duration_ms: Some(5_012.0),
            ..Request::default()
        }),
        user: Some(User::id("u_8841").email("[Filtered: e-mail address]")),
        tags: [("tenant".to_owned(), "nordlys".to_owned())].into(),
        contexts: json!({ "os": { "name": "Linux", "version": "6.6" }, "trace": { "trace_id": "4bf92f35" } })
            .as_object()
            .unwrap()
            .clone(),
        extra: json!({ "cart": [1, 2, 3] }).as_object().unwrap().clone(),
        modules: [("axum".to_owned(), "0.8.9".to_owned())].into(),
        sdk: Some(Sdk { name: "errtrack.rust".into(), version: "0.1.0".into() }),
        grouping: Some(Grouping {
            version: "errtrack:1".into(),
            by: "stack".into(),
            components: vec![Component {
                name: "frames".into(),
                values: vec!["db::Db::begin".into(), "orders::pay".into()],
            }],
            ..Grouping::default()
        }),
        filtered: vec![Mark { path: "request.headers.authorization".into(), what: "bearer token".into() }],
        truncated: vec![Mark { path: "breadcrumbs".into(), what: "kept 2 of 44".into() }],
        ..Event::default()
    }
}

/// The page without an event, a bare one, the full one, the longest, the hostile.
pub(super) fn issue_pages() -> Vec<(Issue, Option<Event>)> {
    let mut resolved = issue(2);
    (resolved.status, resolved.regressed, resolved.assigned_to) = (errtrack_core::Status::Resolved, false, None);
    (resolved.ty, resolved.value, resolved.culprit) = Default::default();
    let bare = Event { message: Some(Message::new("")), ..Event::default() };
    vec![
        (resolved.clone(), None),
        (resolved, Some(bare)),
        (issue(1), Some(event())),
        with_text(&"x".repeat(5_000)),
        with_text(&format!("{HOSTILE}\n{HOSTILE}")),
    ]
}

/// An issue and an event in which every text is this one.
fn with_text(text: &str) -> (Issue, Option<Event>) {
    let mut issue = issue(3);
    let some = || Some(text.to_owned());
    (issue.ty, issue.value, issue.culprit) = (text.into(), text.into(), text.into());
    (issue.environment, issue.last_release, issue.first_release) = (some(), some(), some());
    issue.assigned_to = some();
    let pairs = || [(text.to_owned(), text.to_owned())];
    let map = || json!({ text: text, "list": [text], "[Filtered]": "[Filtered]" }).as_object().unwrap().clone();
    let frame = Frame {
        filename: some(),
        function: some(),
        module: some(),
        context_line: some(),
        pre_context: vec![text.into()],
        post_context: vec![text.into()],
        vars: map(),
        lineno: Some(1),
        ..Frame::default()
    };
    let mut exception = Exception::new(text, text);
    exception.mechanism = Some(Mechanism::new(text, false));
    exception.stacktrace = Some(Stacktrace { frames: vec![frame; 400] });
    let event = Event {
        level: Level::Fatal,
        platform: some(),
        source: some(),
        logger: some(),
        transaction: some(),
        server_name: some(),
        release: some(),
        dist: some(),
        environment: some(),
        original_timestamp: some(),
        message: Some(Message::new(text)),
        exceptions: vec![exception; 3],
        stack_trace: some(),
        breadcrumbs: vec![Breadcrumb {
            ty: some(),
            category: some(),
            message: some(),
            data: map(),
            ..Breadcrumb::default()
        }],
        request: Some(Request {
            url: some(),
            method: some(),
            query_string: some(),
            headers: pairs().into(),
            cookies: map().into(),
            data: Some(map().into()),
            env: pairs().into(),
            ..Request::default()
        }),
        user: Some(User { other: map(), ..User::id(text).email(text).username(text).ip_address(text) }),
        contexts: json!({ text: map(), "odd": text }).as_object().unwrap().clone(),
        extra: map(),
        modules: pairs().into(),
        sdk: Some(Sdk { name: text.into(), version: text.into() }),
        grouping: Some(Grouping {
            version: text.into(),
            by: text.into(),
            components: vec![Component { name: text.into(), values: vec![text.into()] }],
            rule: Some(text.into()),
            ..Grouping::default()
        }),
        filtered: vec![Mark { path: text.into(), what: text.into() }],
        truncated: vec![Mark { path: "breadcrumbs".into(), what: text.into() }],
        ..Event::default()
    };
    (issue, Some(event))
}

pub(super) fn issues() -> (IssuePage, StatusCounts, Vec<Vec<i64>>) {
    let mut issues: Vec<Issue> = issue_pages().into_iter().map(|(issue, _)| issue).collect();
    let mut fresh = issue(9);
    (fresh.regressed, fresh.level, fresh.first_seen) = (false, Level::Fatal, now());
    issues.push(fresh);
    let hours = vec![(0..24).collect(); issues.len()];
    let page = IssuePage { issues, total: 1_376, next: Some(errtrack_core::store::Cursor { key: 9, id: 3 }) };
    (page, StatusCounts { unresolved: 128, regressed: 3, resolved: 1_204, ignored: 44 }, hours)
}

pub(super) fn status() -> Status {
    let balance = Balance { captured: 48_210, stored: 41_902, coalesced: 4_880, limited: 92, ..Balance::default() };
    let account =
        |id, slug: &str, balance| Account { project: ProjectId(id), slug: slug.into(), name: slug.into(), balance };
    let table = |name: &str, rows, bytes| TableSize { name: name.into(), rows, bytes };
    let storage = Storage {
        backend: "postgres".into(),
        tables: (1..12)
            .map(|n| table("errtrack_event", Some(41_902 / n), 301_000_000 / n))
            .chain([table(HOSTILE, None, 0)])
            .collect(),
        bytes: 412_000_000,
        reusable_bytes: 3_000_000,
        free_disk: Some(53_000_000_000),
    };
    Status {
        is_redis_away: None,
        now: now(),
        started: now().minus(Duration::from_secs(86_400)),
        node: Uuid::nil(),
        projects: vec![
            account(1, "checkout-api", balance),
            account(2, HOSTILE, Balance { captured: 1, stored: 2, ..balance }),
            account(3, "quiet", Balance::default()),
        ],
        total: balance,
        is_complete: true,
        queue: 12,
        takes_reports: true,
        spool: Some(SpoolStatus {
            folder: HOSTILE.into(),
            occurrences: 1_204,
            bytes: 1_200_000,
            most_bytes: 256_000_000,
            since: Some(now()),
            drained: 7,
            damaged: 2,
        }),
        is_away: false,
        ping: Some(Duration::from_micros(320)),
        storage: Some(Measure { at: now(), storage: storage.into(), good_for: Duration::ZERO }),
        rules: Retention::default(),
        last_retention: Some(RetentionReport {
            at: now(),
            took_ms: 1_200,
            old_events: 9,
            ..RetentionReport::default()
        }),
        trouble: Some((now(), HOSTILE.into())),
    }
}

pub(super) fn hours() -> Vec<i64> {
    (0..336).map(|hour| hour % 7).collect()
}

pub(super) fn comments() -> Vec<errtrack_core::store::Comment> {
    vec![errtrack_core::store::Comment { id: 1, author: HOSTILE.into(), at: now(), text: HOSTILE.into() }]
}

pub(super) fn tags() -> Vec<TagTally> {
    let values = vec![("nordlys".to_owned(), 71), (HOSTILE.to_owned(), 22), (String::new(), 1)];
    vec![TagTally { key: "tenant".into(), total: 100, values }]
}

/// Everything that holds for every page.
#[test]
fn every_sample_renders_and_is_harmless() {
    use super::{
        docs, dress::ErrorPage, issue::IssuePage, issues::list::IssuesPage, login, monitoring, overview, performance,
        privacy, projects, rules, shell::Shell, start::StartPage, system::SystemPage,
    };
    use askama::Template;
    let shell = Shell::sample(caller());
    let mut pages: Vec<(&str, String)> = Vec::new();
    pages.extend(login::LoginPage::samples(&shell).iter().map(|p| ("login", p.render().unwrap())));
    pages.extend(login::CodePage::samples(&shell).iter().map(|p| ("code", p.render().unwrap())));
    pages.extend(login::LinkPage::samples(&shell).iter().map(|p| ("link", p.render().unwrap())));
    pages.extend(IssuesPage::samples(&shell).iter().map(|p| ("issues", p.render().unwrap())));
    pages.extend(IssuePage::samples(&shell).iter().map(|p| ("issue", p.render().unwrap())));
    pages.extend(StartPage::samples(&shell).iter().map(|p| ("start", p.render().unwrap())));
    pages.extend(rules::RulesPage::samples(&shell).iter().map(|p| ("rules", p.render().unwrap())));
    pages.extend(privacy::PrivacyPage::samples(&shell).iter().map(|p| ("privacy", p.render().unwrap())));
    pages.extend(super::alerts::AlertsPage::samples(&shell).iter().map(|p| ("alerts", p.render().unwrap())));
    pages.extend(super::alerts::EditPage::samples(&shell).iter().map(|p| ("alert", p.render().unwrap())));
    pages.extend(super::keys::KeysPage::samples(&shell).iter().map(|p| ("keys", p.render().unwrap())));
    let integrations = super::integrations::IntegrationsPage::samples(&shell);
    pages.extend(integrations.iter().map(|p| ("integrations", p.render().unwrap())));
    pages.extend(super::team::TeamPage::samples(&shell).iter().map(|p| ("team", p.render().unwrap())));
    pages.extend(super::audit::AuditPage::samples(&shell).iter().map(|p| ("audit", p.render().unwrap())));
    pages.extend(super::browsers::BrowsersPage::samples(&shell).iter().map(|p| ("browsers", p.render().unwrap())));
    pages.extend(super::account::AccountPage::samples(&shell).iter().map(|p| ("account", p.render().unwrap())));
    pages.extend(super::welcome::WelcomePage::samples(&shell).iter().map(|p| ("welcome", p.render().unwrap())));
    pages.extend(docs::DocsPage::samples(&shell).iter().map(|p| ("docs", p.render().unwrap())));
    pages.extend(projects::ProjectsPage::samples(&shell).iter().map(|p| ("projects", p.render().unwrap())));
    pages.extend(overview::OverviewPage::samples(&shell).iter().map(|p| ("overview", p.render().unwrap())));
    pages.extend(performance::PerformancePage::samples(&shell).iter().map(|p| ("performance", p.render().unwrap())));
    pages.extend(super::incidents::IncidentsPage::samples(&shell).iter().map(|p| ("incidents", p.render().unwrap())));
    pages.extend(super::ownership::OwnershipPage::samples(&shell).iter().map(|p| ("ownership", p.render().unwrap())));
    pages.extend(super::incident::IncidentPage::samples(&shell).iter().map(|p| ("incident", p.render().unwrap())));
    pages.extend(monitoring::MonitoringPage::samples(&shell).iter().map(|p| ("monitoring", p.render().unwrap())));
    pages.extend(SystemPage::samples(&shell).iter().map(|p| ("system", p.render().unwrap())));
    let error = ErrorPage::new(&shell, http::StatusCode::NOT_FOUND, HOSTILE);
    pages.push(("error", error.render().unwrap()));
    for (name, html) in &pages {
        for forbidden in ["<script>", " style=\"", "onclick=", "\u{202e}", "\0", "\u{1b}", "javascript:"] {
            let found =
                html.replace("{{ 7*7 }}", "").find(forbidden).map(|at| html.get(at.saturating_sub(80)..at + 40));
            assert_eq!(found, None, "{name} holds {forbidden:?}");
        }
        assert!(html.len() < 3_000_000, "{name} has {} bytes", html.len());
        check_ids(name, html);
    }
}

/// Ids are unique, and what is referred to is there.
fn check_ids(name: &str, html: &str) {
    let attribute = |attribute: &str| -> Vec<String> {
        let before = format!(" {attribute}=\"");
        let parts = html.split(&before).skip(1);
        parts.filter_map(|rest| rest.split_once('"').map(|(value, _)| value.to_owned())).collect()
    };
    let ids = attribute("id");
    let mut unique = ids.clone();
    unique.sort();
    unique.dedup();
    assert_eq!(unique.len(), ids.len(), "{name} has ids twice: {ids:?}");
    for reference in ["aria-labelledby", "aria-describedby", "data-copy", "data-dialog", "form", "for"] {
        for id in attribute(reference) {
            assert!(ids.contains(&id), "{name}: {reference} refers to {id}");
        }
    }
    for href in attribute("href").iter().filter_map(|href| href.strip_prefix('#')) {
        assert!(ids.iter().any(|id| id == href), "{name} links to #{href}");
    }
}
