//! Signing in with an issuer of identities, as a browser does: there, and back.

mod issuer;

use crate::{Access, Accounts, Config, Oidc, RateLimits, Role, router_with};
use axum::{
    Router,
    body::{Body, to_bytes},
};
use errtrack_core::{
    Member, MemberChange, MemberStatus, Tracker,
    store::{AccountStore, AuditStore},
};
use errtrack_store::SqliteStore;
use http::{Request, StatusCode};
use issuer::{CLIENT, TestIssuer};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};
use tower::ServiceExt;

/// A router under a prefix with an issuer, and a browser.
struct Visit {
    router: Router,
    mount: &'static str,
    issuer: TestIssuer,
    store: SqliteStore,
    jar: BTreeMap<String, String>,
    _tracker: Tracker,
    _folder: tempfile::TempDir,
}

struct Answer {
    status: StatusCode,
    location: String,
    text: String,
    cookies: Vec<String>,
}

impl Visit {
    async fn new() -> Self {
        Self::at("/ops/errors").await
    }

    async fn at(mount: &'static str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(folder.path().join("errors.db").to_str().unwrap()).await.unwrap();
        Accounts::ensure_owner(&store, "ana@example.com", "correct horse").await.unwrap();
        let tracker = Tracker::builder().store(store.clone()).build().await.unwrap();
        let issuer = TestIssuer::start().await;
        let oidc = Some(Oidc::new(&format!("{}/", issuer.url), CLIENT.0, CLIENT.1).unwrap());
        let config = Config { oidc, rate_limits: RateLimits::OFF, ..Config::default() };
        let router = router_with::<()>(&tracker, Access::accounts(), config);
        let router = if mount.is_empty() { router } else { Router::new().nest_service(mount, router) };
        Self { router, mount, issuer, store, jar: BTreeMap::new(), _tracker: tracker, _folder: folder }
    }

    async fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, "").await
    }

    async fn send(&mut self, method: &str, path: &str, form: &str) -> Answer {
        let jar: Vec<_> = self.jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = Request::builder().method(method).uri(format!("{}{path}", self.mount));
        let request = request.header("host", "shop.example").header("cookie", jar.join("; "));
        let request = request.header("sec-fetch-site", "same-origin").header("accept", "text/html");
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let request = request.body(Body::from(form.to_owned())).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let text = |value: &http::HeaderValue| value.to_str().unwrap().to_owned();
        let cookies: Vec<String> = parts.headers.get_all("set-cookie").iter().map(text).collect();
        for cookie in &cookies {
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            self.jar.insert(name.to_owned(), value.to_owned());
        }
        let location = parts.headers.get("location").map(text).unwrap_or_default();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        Answer { status: parts.status, location, text: String::from_utf8_lossy(&body).into_owned(), cookies }
    }

    /// To the issuer: what it is asked.
    async fn there(&mut self, path: &str) -> HashMap<String, String> {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        let door = format!("{}/authorize?realm=a&", self.issuer.url);
        let query = answer.location.strip_prefix(&door).unwrap_or_else(|| panic!("{}", answer.location));
        let uri = format!("http://a/?{query}").parse().unwrap();
        axum::extract::Query::<HashMap<String, String>>::try_from_uri(&uri).unwrap().0
    }

    async fn back(&mut self, state: &str, code: &str) -> Answer {
        self.get(&format!("/login/oidc/callback?code={code}&state={state}")).await
    }

    /// There and back, where the issuer says something else than usual.
    async fn sign_in(&mut self, change: &Value) -> Answer {
        let query = self.there("/login/oidc").await;
        let code = self.issuer.sign_in(&query, change);
        self.back(&query["state"], &code).await
    }

    async fn is_in(&mut self) -> bool {
        self.get("/issues").await.status == 200
    }

    /// What happened, the last thing first.
    async fn log(&self) -> Vec<String> {
        let entries = self.store.audit_log(None, 100).await.unwrap();
        entries.into_iter().map(|e| format!("{} {} {}", e.who, e.action, e.details)).collect()
    }

    #[track_caller]
    fn refused(&self, answer: &Answer, status: u16, why: &str) {
        assert_eq!(answer.status, status, "{}", answer.text);
        assert!(answer.text.contains(why), "{why}: {}", answer.text);
        assert!(!self.jar.contains_key("errtrack_session"), "there is a session");
    }
}

#[tokio::test]
async fn a_member_comes_in_and_goes_on_to_where_it_wanted() {
    for mount in ["", "/ops/errors"] {
        let mut visit = Visit::at(mount).await;
        let page = visit.get("/login?next=/issues?q%3Dis:resolved").await;
        let link = format!("href=\"{mount}/login/oidc?next=/issues%3Fq%3Dis:resolved\"");
        assert!(page.text.contains(&link) && page.text.contains("Sign in with 127.0.0.1"), "{}", page.text);
        let query = visit.there("/login/oidc?next=/issues%3Fq%3Dis:resolved").await;
        assert_eq!(query["redirect_uri"], format!("http://shop.example{mount}/login/oidc/callback"));
        let code = visit.issuer.sign_in(&query, &json!({}));
        let answer = visit.back(&query["state"], &code).await;
        assert_eq!((answer.status.as_u16(), &*answer.location), (303, &*format!("{mount}/issues?q=is:resolved")));
        let path = if mount.is_empty() { "/" } else { mount };
        assert!(
            answer.cookies.iter().any(|c| c.starts_with("errtrack_session=") && c.contains(&format!("; Path={path};")))
        );
        assert!(answer.cookies.iter().any(|c| c.starts_with("errtrack_oidc=; ") && c.contains("; Max-Age=0;")));
        assert!(visit.is_in().await);
        assert_eq!(visit.log().await, ["ana@example.com session.start by OpenID Connect"]);
        // What went over the browser is of no use again, also to who has seen all of it.
        visit.jar.remove("errtrack_session");
        let again = visit.back(&query["state"], &code).await;
        visit.refused(&again, 400, "did not begin in this browser");
    }
}

#[tokio::test]
async fn a_sign_in_ends_where_it_began() {
    let mut visit = Visit::new().await;
    let query = visit.there("/login/oidc").await;
    let code = visit.issuer.sign_in(&query, &json!({}));
    let own = visit.jar.clone();
    for (jar, state) in
        [(BTreeMap::new(), query["state"].clone()), (own.clone(), query["nonce"].clone()), (own.clone(), String::new())]
    {
        visit.jar = jar;
        let answer = visit.back(&state, &code).await;
        visit.refused(&answer, 400, "did not begin in this browser");
    }
    // Of another sign-in of another browser.
    visit.jar.clear();
    visit.there("/login/oidc").await;
    let answer = visit.back(&query["state"], &code).await;
    visit.refused(&answer, 400, "did not begin in this browser");
    // A code of somebody else, brought into a sign-in of one's own: it was not asked for with this verifier.
    let mine = visit.there("/login/oidc").await;
    let answer = visit.back(&mine["state"], &code).await;
    visit.refused(&answer, 401, "cannot be relied on");
    assert!(visit.log().await.is_empty());
}

#[tokio::test]
async fn what_the_issuer_says_must_be_right_in_every_part() {
    let now = errtrack_core::Timestamp::now().as_seconds();
    for (wrong, status, why) in [
        (json!({"nonce": "of another"}), 401, "cannot be relied on"),
        (json!({"aud": "another"}), 401, "cannot be relied on"),
        (json!({"azp": "another"}), 401, "cannot be relied on"),
        (json!({"iss": "https://accounts.example.com"}), 401, "cannot be relied on"),
        (json!({"exp": now - 600}), 401, "cannot be relied on"),
        (json!({"iat": now - 3_600}), 401, "cannot be relied on"),
        (json!({"email_verified": false}), 403, "has not verified"),
        (json!({"email_verified": null}), 403, "has not verified"),
        (json!({"email": "\u{212a}im@example.com"}), 403, "is no member here"),
        (json!({"email": "mallory@example.com"}), 403, "mallory@example.com is no member here"),
    ] {
        let mut visit = Visit::new().await;
        visit.store.add_member(&Member::new("kim@example.com", Role::Owner)).await.unwrap();
        let answer = visit.sign_in(&wrong).await;
        visit.refused(&answer, status, why);
        assert_eq!(visit.store.member_count().await.unwrap(), 2, "{wrong}");
        assert!(visit.log().await.is_empty(), "{wrong}");
    }
}

#[tokio::test]
async fn somebody_invited_becomes_a_member_and_somebody_disabled_does_not() {
    let mut visit = Visit::new().await;
    let invited = Member { status: MemberStatus::Invited, ..Member::new("jun@example.com", Role::Viewer) };
    visit.store.add_member(&invited).await.unwrap();
    let answer = visit.sign_in(&json!({"email": "Jun@example.com", "name": "Jun Park"})).await;
    assert_eq!((answer.status.as_u16(), &*answer.location), (303, "/ops/errors"), "{}", answer.text);
    assert!(visit.is_in().await);
    let jun = visit.store.member_by_email("jun@example.com").await.unwrap().unwrap();
    assert_eq!((jun.status, &*jun.name, jun.role), (MemberStatus::Active, "Jun Park", Role::Viewer));
    let joined = ["session.start by OpenID Connect", "member.join by OpenID Connect"]
        .map(|deed| format!("jun@example.com {deed}"));
    assert_eq!(visit.log().await, joined);

    let change = MemberChange { status: Some(MemberStatus::Disabled), ..MemberChange::default() };
    visit.store.change_member(jun.id, &change).await.unwrap();
    assert!(!visit.is_in().await);
    visit.jar.clear();
    let answer = visit.sign_in(&json!({"email": "jun@example.com"})).await;
    visit.refused(&answer, 403, "jun@example.com is no member here");
    assert_eq!(visit.log().await[0], "jun@example.com session.fail by OpenID Connect");
}

#[tokio::test]
async fn the_second_factor_of_a_member_is_asked_for_all_the_same() {
    let mut visit = Visit::new().await;
    visit.sign_in(&json!({})).await;
    let page = visit.send("POST", "/settings/account/setup", "").await.text;
    let text = page.split("name=\"secret\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let code = |steps: i64| {
        let now = errtrack_core::Timestamp::now().as_seconds();
        crate::access::Secret::parse(text).unwrap().code_at(now + 30 * steps)
    };
    let confirm = format!("secret={text}&code={}", code(0));
    assert_eq!(visit.send("POST", "/settings/account/confirm", &confirm).await.status, 200);
    visit.jar.clear();

    let query = visit.there("/login/oidc?next=/overview").await;
    let issued = visit.issuer.sign_in(&query, &json!({}));
    let page = visit.back(&query["state"], &issued).await;
    visit.refused(&page, 200, "action=\"/ops/errors/login/code\"");
    assert!(!visit.is_in().await);
    let token = page.text.split("name=\"token\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let form = format!("token={token}&code={}&next=/overview", code(1));
    let answer = visit.send("POST", "/login/code", &form).await;
    assert_eq!((answer.status.as_u16(), &*answer.location), (303, "/ops/errors/overview"), "{}", answer.text);
    assert!(visit.is_in().await);
}

#[tokio::test]
async fn an_issuer_that_is_away_lets_nobody_in_and_passwords_go_on_to_work() {
    let mut visit = Visit::new().await;
    visit.issuer.fail(Some(StatusCode::SERVICE_UNAVAILABLE));
    let answer = visit.get("/login/oidc").await;
    visit.refused(&answer, 502, "127.0.0.1 does not answer as it should");
    assert!(answer.cookies.is_empty());
    let answer = visit.send("POST", "/login", "email=ana%40example.com&password=correct+horse").await;
    assert_eq!(answer.status, 303);
    visit.jar.clear();

    // Who fails once is not asked at once again.
    let asked = visit.issuer.asked();
    let answer = visit.get("/login/oidc").await;
    visit.refused(&answer, 502, "does not answer");
    assert_eq!(visit.issuer.asked(), asked);
}

#[tokio::test]
async fn an_issuer_that_goes_away_meanwhile_leaves_nothing_half_written() {
    let mut visit = Visit::new().await;
    let invited = Member { status: MemberStatus::Invited, ..Member::new("jun@example.com", Role::Viewer) };
    visit.store.add_member(&invited).await.unwrap();
    let query = visit.there("/login/oidc").await;
    let code = visit.issuer.sign_in(&query, &json!({"email": "jun@example.com"}));
    visit.issuer.fail(Some(StatusCode::INTERNAL_SERVER_ERROR));
    let answer = visit.back(&query["state"], &code).await;
    visit.refused(&answer, 502, "does not answer as it should");
    let jun = visit.store.member_by_email("jun@example.com").await.unwrap().unwrap();
    assert_eq!(jun.status, MemberStatus::Invited);
    assert!(visit.log().await.is_empty());
}

#[tokio::test]
async fn who_is_turned_away_there_is_told_so_here() {
    let mut visit = Visit::new().await;
    let query = visit.there("/login/oidc").await;
    let path = format!("/login/oidc/callback?error=access_denied&state={}", query["state"]);
    let answer = visit.get(&path).await;
    visit.refused(&answer, 401, "did not sign you in (access_denied)");
    let query = visit.there("/login/oidc").await;
    let code = visit.issuer.sign_in(&query, &json!({}));
    let state = &query["state"];
    let answer = visit.get(&format!("/login/oidc/callback?code={code}&state={state}&iss=https://evil.example")).await;
    visit.refused(&answer, 401, "cannot be relied on");
}

#[tokio::test]
async fn the_way_back_never_leads_elsewhere() {
    for next in ["//evil.example", "https://evil.example", "/%5Cevil.example", "/..%2F..%2Fadmin"] {
        let mut visit = Visit::new().await;
        let query = visit.there(&format!("/login/oidc?next={next}")).await;
        let code = visit.issuer.sign_in(&query, &json!({}));
        let answer = visit.back(&query["state"], &code).await;
        assert_eq!((answer.status.as_u16(), &*answer.location), (303, "/ops/errors"), "{next}");
    }
    // Also where somebody has written it into the cookie.
    use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
    let mut visit = Visit::new().await;
    let query = visit.there("/login/oidc").await;
    let code = visit.issuer.sign_in(&query, &json!({}));
    let cookie = visit.jar.get_mut("errtrack_oidc").unwrap();
    cookie.push_str(&BASE64_URL_SAFE_NO_PAD.encode("//evil.example"));
    let answer = visit.back(&query["state"], &code).await;
    assert_eq!((answer.status.as_u16(), &*answer.location), (303, "/ops/errors"));
}

#[tokio::test]
async fn what_the_issuer_says_of_itself_is_kept_and_unknown_keys_are_not_asked_for_again_and_again() {
    let mut visit = Visit::new().await;
    for _ in 0..3 {
        assert_eq!(visit.sign_in(&json!({})).await.status, 303);
        visit.jar.clear();
    }
    assert_eq!(visit.issuer.asked(), (1, 1));
    // It was read just now, so a key that nobody has heard of is not looked for again and again.
    visit.issuer.change_key("two");
    for _ in 0..2 {
        let answer = visit.sign_in(&json!({})).await;
        visit.refused(&answer, 401, "cannot be relied on");
    }
    assert_eq!(visit.issuer.asked(), (1, 1));
}

/// Turns the clock of this runtime.
async fn pass(seconds: u64) {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(seconds)).await;
    tokio::time::resume();
}

#[tokio::test]
async fn a_key_that_the_issuer_has_changed_is_picked_up_whatever_it_is_called() {
    let mut visit = Visit::new().await;
    assert_eq!(visit.sign_in(&json!({})).await.status, 303);
    for (name, asked) in [("two", 2), ("two", 3), ("three", 4)] {
        pass(31).await;
        visit.issuer.change_key(name);
        visit.jar.clear();
        let answer = visit.sign_in(&json!({})).await;
        assert_eq!((answer.status.as_u16(), visit.issuer.asked().1), (303, asked), "{name}: {}", answer.text);
    }
    // What was read of it meanwhile was enough.
    assert_eq!(visit.issuer.asked().0, 1);
}

#[tokio::test]
async fn tokens_that_are_made_up_ask_for_keys_at_most_twice_a_minute() {
    let mut visit = Visit::new().await;
    assert_eq!(visit.sign_in(&json!({})).await.status, 303);
    visit.jar.clear();
    visit.issuer.forge(true);
    for asked in [1, 2] {
        for _ in 0..2 {
            let answer = visit.sign_in(&json!({})).await;
            visit.refused(&answer, 401, "cannot be relied on");
            assert_eq!(visit.issuer.asked(), (1, asked));
        }
        pass(31).await;
    }
    // Who is known comes in all the while.
    visit.issuer.forge(false);
    assert_eq!(visit.sign_in(&json!({})).await.status, 303);
    assert_eq!(visit.issuer.asked(), (1, 2));
}

#[tokio::test]
async fn keys_that_cannot_be_read_are_not_asked_for_again_at_once() {
    let mut visit = Visit::new().await;
    visit.issuer.fail_keys(Some(StatusCode::SERVICE_UNAVAILABLE));
    for _ in 0..3 {
        let answer = visit.sign_in(&json!({})).await;
        visit.refused(&answer, 502, "does not answer as it should");
    }
    assert_eq!(visit.issuer.asked(), (1, 1));
    visit.issuer.fail_keys(None);
    pass(3).await;
    assert_eq!(visit.sign_in(&json!({})).await.status, 303);
    assert_eq!(visit.issuer.asked(), (1, 2));
}

#[tokio::test]
async fn a_short_token_is_completed_by_what_is_told_of_the_same_person() {
    let short = json!({"email": null, "email_verified": null});
    for (told, status) in [
        (json!({"sub": "248289761001", "email": "ana@example.com", "email_verified": true}), 303),
        (json!({"sub": "248289761001", "email": "ana@example.com"}), 403),
        (json!({"sub": "of another", "email": "ana@example.com", "email_verified": true}), 401),
    ] {
        let mut visit = Visit::new().await;
        visit.issuer.tell_of_the_person(told.clone());
        let answer = visit.sign_in(&short).await;
        assert_eq!(answer.status, status, "{told}: {}", answer.text);
    }
}

#[tokio::test]
async fn codes_that_are_made_up_end_in_a_pause() {
    let mut visit = Visit::new().await;
    for _ in 0..5 {
        let query = visit.there("/login/oidc").await;
        let answer = visit.back(&query["state"], "made-up").await;
        visit.refused(&answer, 401, "cannot be relied on");
    }
    let query = visit.there("/login/oidc").await;
    let answer = visit.back(&query["state"], "made-up").await;
    visit.refused(&answer, 429, "Too many tries");
}
