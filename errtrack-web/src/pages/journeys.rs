//! The pages through the router, as a browser asks for them.

mod accounts;
mod alerts;
mod incidents;
mod integrations;
mod merging;
mod privacy;
mod projects;
mod rules;
mod system;
mod tickets;
mod triage;

use crate::{Access, Accounts, Config, Role, access, router_with, tests::away::AwayStore};
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode},
};
use errtrack_core::{Event, Exception, Formula, Report, Store, Tracker};
use errtrack_store::SqliteStore;
use tower::ServiceExt;

const MOUNT: &str = "/ops/errors";

/// A host with the router at a prefix, and a browser that keeps one cookie.
struct Browser {
    app: Router,
    tracker: Tracker,
    cookie: Option<String>,
    _folder: tempfile::TempDir,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl Browser {
    async fn with(access: impl Into<Access>) -> Self {
        Self::with_store(access).await.0
    }

    /// With a spool, and a database that can be taken away.
    async fn with_store(access: impl Into<Access>) -> (Self, AwayStore) {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(folder.path().join("errors.db").to_str().unwrap()).await.unwrap();
        Accounts::ensure_owner(&store, "ana@example.com", "correct horse").await.unwrap();
        let store = AwayStore::new(store);
        let builder = Tracker::builder().project("shop").spool(folder.path().join("spool"), 1 << 20);
        let tracker = builder.store(store.clone()).build().await.unwrap();
        let app = Router::new().nest_service(MOUNT, router_with::<()>(&tracker, access, Config::default()));
        (Self { app, tracker, cookie: None, _folder: folder }, store)
    }

    async fn signed_in() -> Self {
        let mut browser = Self::with(Access::accounts()).await;
        let answer = browser.post("/login", "email=Ana%40example.com&password=correct+horse").await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
        browser
    }

    fn store(&self) -> &dyn Store {
        self.tracker.store().as_ref()
    }

    async fn report(&self, ty: &str) {
        let mut event = Event::new();
        event.exceptions.push(Exception::new(ty, "it broke"));
        let report = Report { project: self.tracker.project().id, event, formula: Formula::Ours };
        self.tracker.ingest(report).await.unwrap();
    }

    async fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, &[("accept", "text/html")], "").await
    }

    async fn post(&mut self, path: &str, form: &str) -> Answer {
        self.send("POST", path, &[("sec-fetch-site", "same-origin")], form).await
    }

    async fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut request =
            Request::builder().method(method).uri(format!("{MOUNT}{path}")).header("host", "shop.example");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if method == "POST" {
            request = request.header("content-type", "application/x-www-form-urlencoded");
        }
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        let response = self.app.clone().oneshot(request.body(Body::from(body.to_owned())).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        if let Some(cookie) = parts.headers.get("set-cookie") {
            self.cookie = cookie.to_str().unwrap().split(';').next().map(str::to_owned);
        }
        let text = String::from_utf8(to_bytes(body, usize::MAX).await.unwrap().into()).unwrap();
        Answer { status: parts.status, headers: parts.headers, text }
    }
}

#[tokio::test]
async fn without_a_session_the_way_leads_through_the_sign_in_page_and_back() {
    let mut browser = Browser::with(Access::accounts()).await;
    let answer = browser.get("/issues?q=is:resolved+a%26b").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(answer.header("location"), "/ops/errors/login?next=/issues%3Fq%3Dis:resolved%2Ba%2526b");
    let form = "email=ana%40example.com&password=correct+horse&next=%2Fissues%3Fq%3Dis:resolved";
    let answer = browser.post("/login", form).await;
    assert_eq!(answer.header("location"), "/ops/errors/issues?q=is:resolved");
    assert!(answer.header("set-cookie").contains("; Path=/ops/errors; "), "{}", answer.header("set-cookie"));
    let answer = browser.post("/login", "email=ana%40example.com&password=correct+horse&next=//evil.example").await;
    assert_eq!(answer.header("location"), "/ops/errors");
    browser.post("/logout", "").await;
    assert_eq!(browser.get("/issues").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_wrong_password_keeps_the_address_and_ends_in_a_pause() {
    let mut browser = Browser::with(Access::accounts()).await;
    for _ in 0..5 {
        let answer = browser.post("/login", "email=ana%40example.com&password=wrong").await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert!(answer.text.contains("ana@example.com") && answer.text.contains("do not match"));
    }
    let answer = browser.post("/login", "email=ana%40example.com&password=correct+horse").await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(!answer.header("retry-after").is_empty());
}

#[tokio::test]
async fn forms_from_other_sites_change_nothing() {
    let mut browser = Browser::signed_in().await;
    browser.report("Broken").await;
    for headers in [[("sec-fetch-site", "cross-site")], [("origin", "https://evil.example")]] {
        let answer = browser.send("POST", "/issues/SHOP-1/delete", &headers, "").await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        assert!(answer.text.contains("another site"));
    }
    assert!(browser.get("/issues").await.text.contains("Broken"));
}

#[tokio::test]
async fn pages_carry_the_policy_and_assets_are_kept() {
    let mut browser = Browser::signed_in().await;
    let page = browser.get("/issues").await;
    assert!(
        page.header("content-security-policy").starts_with("default-src 'none'; script-src 'self'; style-src 'self'")
    );
    assert_eq!(page.header("cache-control"), "no-store");
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    assert_eq!(page.header("referrer-policy"), "same-origin");
    let at = page.text.find("/ops/errors/assets/").unwrap();
    let css = page.text.get(at..).unwrap().split('"').next().unwrap().to_owned();
    let answer = browser.get(css.strip_prefix(MOUNT).unwrap()).await;
    assert!(answer.header("cache-control").contains("immutable"));
    let stale = browser.get("/assets/000000000000/style.css").await;
    assert_eq!((stale.status, stale.header("cache-control")), (StatusCode::OK, "no-cache"));
    assert_eq!(browser.get("/assets/000000000000/../x").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn every_link_stays_within_the_mount_point() {
    let mut browser = Browser::signed_in().await;
    browser.report("Broken").await;
    let paths =
        ["/issues", "/issues?q=nothing-like-it", "/issues/SHOP-1", "/start", "/issues/SHOP-9", "/issues?q=is:x"];
    for path in paths.into_iter().chain(["/settings/system", "/settings/system?preview=1"]) {
        let page = browser.get(path).await;
        for attribute in [" href=\"", " src=\"", " action=\""] {
            for link in page.text.split(attribute).skip(1).map(|rest| rest.split('"').next().unwrap()) {
                assert!(link.starts_with(MOUNT) || link.starts_with('#'), "{path}: {link}");
            }
        }
    }
}

#[tokio::test]
async fn an_issue_is_resolved_ignored_reopened_assigned_and_deleted() {
    let mut browser = Browser::signed_in().await;
    browser.report("Broken").await;
    let answer = browser.post("/issues/shop-1/resolve", "next=%2Fissues%3Fq%3Dx").await;
    assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, "/ops/errors/issues?q=x"));
    assert!(browser.get("/issues?q=is:resolved").await.text.contains("Broken"));
    assert!(!browser.get("/issues").await.text.contains("Broken"));
    let answer = browser.post("/issues/SHOP-1/ignore", "").await;
    assert_eq!(answer.header("location"), "/ops/errors/issues/SHOP-1");
    assert!(browser.get("/issues?q=is:ignored").await.text.contains("Broken"));
    browser.post("/issues/SHOP-1/unresolve", "").await;
    browser.post("/issues/SHOP-1/assign", "to=me").await;
    assert!(browser.get("/issues/SHOP-1?event=00000000000000000000000000000000").await.text.contains("assigned to"));
    let issue = browser.store().issue(&"SHOP-1".parse().unwrap()).await.unwrap().unwrap();
    let ids = format!("id={}&id={}&status=resolved", issue.uuid, issue.uuid);
    assert_eq!(browser.post("/issues/bulk", &ids).await.status, StatusCode::SEE_OTHER);
    assert!(browser.get("/issues?q=is:resolved").await.text.contains("Broken"));
    browser.post("/issues/SHOP-1/delete", "").await;
    assert_eq!(browser.get("/issues/SHOP-1").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_one_time_link_shows_a_button_and_works_once() {
    let mut browser = Browser::with(Access::accounts()).await;
    let member = browser.store().member_by_email("ana@example.com").await.unwrap().unwrap();
    let lasts = std::time::Duration::from_secs(60);
    let (kind, hash) = (errtrack_core::TokenKind::SignInLink, access::token_hash("t0ken"));
    browser.store().put_token(&errtrack_core::Token::new(kind, hash, member.id, lasts)).await.unwrap();
    assert_eq!(browser.get("/login/t0ken").await.status, StatusCode::OK);
    assert_eq!(browser.post("/login/t0ken", "").await.status, StatusCode::SEE_OTHER);
    assert_eq!(browser.get("/issues").await.status, StatusCode::OK);
    assert_eq!(browser.post("/login/t0ken", "").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_secret_opens_the_pages_in_every_way() {
    let mut browser = Browser::with(Access::token("s3cret")).await;
    assert_eq!(browser.get("/issues").await.status, StatusCode::SEE_OTHER);
    for header in [("authorization", "Bearer s3cret"), ("authorization", "Basic eDpzM2NyZXQ="), ("x-api-key", "s3cret")]
    {
        assert_eq!(browser.send("GET", "/issues", &[header], "").await.status, StatusCode::OK, "{header:?}");
    }
    assert!(!browser.get("/login").await.text.contains(">E-mail<"));
    assert_eq!(browser.post("/login", "email=x&password=wrong").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(browser.post("/login", "email=x%40y&password=s3cret").await.status, StatusCode::SEE_OTHER);
    assert_eq!(browser.get("/issues").await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_host_decides_and_is_never_asked_to_sign_in_here() {
    let mut viewer =
        Browser::with(Access::host(|parts| parts.headers.contains_key("x-user").then_some(Role::Viewer))).await;
    let answer = viewer.get("/issues").await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(answer.header("content-type").starts_with("text/html"));
    viewer.report("Broken").await;
    let page = viewer.send("GET", "/issues/SHOP-1", &[("x-user", "1")], "").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(!page.text.contains("Resolve</button>"), "what a viewer may not do is not shown");
    let headers = [("x-user", "1"), ("sec-fetch-site", "same-origin")];
    assert_eq!(viewer.send("POST", "/issues/SHOP-1/resolve", &headers, "").await.status, StatusCode::FORBIDDEN);
    let mut open = Browser::with(Access::insecure_open()).await;
    assert_eq!(open.get("/issues").await.status, StatusCode::OK);
    assert_eq!(open.get("/login").await.header("location"), "/ops/errors");
}

#[tokio::test]
async fn an_empty_project_teaches_and_tests_itself() {
    let mut browser = Browser::signed_in().await;
    let page = browser.get("/issues").await.text;
    let key = browser.tracker.project().public_key().to_owned();
    assert!(page.contains(&format!("http://{key}@shop.example/ops/errors/1")), "the DSN");
    assert_eq!(browser.post("/start/test", "project=shop").await.status, StatusCode::SEE_OTHER);
    assert!(browser.get("/issues").await.text.contains("TestEvent"));
}

#[tokio::test]
async fn the_theme_is_set_by_the_server() {
    let mut browser = Browser::with(Access::insecure_open()).await;
    let answer = browser.post("/theme", "theme=dark&next=%2Fstart").await;
    assert_eq!(answer.header("location"), "/ops/errors/start");
    assert!(browser.get("/issues").await.text.contains("data-theme=\"dark\""));
    browser.post("/theme", "theme=%22%3E&next=%2Fstart").await;
    assert!(!browser.get("/issues").await.text.contains("data-theme"));
}

#[tokio::test]
async fn errors_are_pages_for_browsers() {
    let mut browser = Browser::signed_in().await;
    for (path, status) in [("/issues/SHOP-9", 404), ("/issues/x", 404), ("/nowhere", 404), ("/start?project=x", 404)] {
        let answer = browser.get(path).await;
        assert_eq!(answer.status, status, "{path}");
        assert!(answer.text.starts_with("<!doctype html>"), "{path}: {}", answer.text);
    }
    assert_eq!(browser.get("/issues/bulk").await.status, StatusCode::METHOD_NOT_ALLOWED);
    let answer = browser.post("/issues/bulk", "id=x&status=resolved").await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    let answer = browser.post("/issues/bulk", &"id=x&".repeat(20_000)).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(answer.text.starts_with("<!doctype html>"));
}
