//! What every answer says to browsers.

use super::support::{KEY, TestApp};
use crate::Config;
use errtrack_core::TrustedProxies;

#[tokio::test]
async fn every_answer_has_the_security_headers() {
    let app = TestApp::new().await;
    for path in [
        "/login",
        "/issues",
        "/nowhere",
        "/assets/x/style.css",
        "/api/errors",
        "/api/errors/nonsense",
        "/api/nowhere",
        "/health",
        "/metrics",
        "/openapi.json",
        "/error-tracker/health",
        "/api/1/store/",
    ] {
        for key in [KEY, "wrong"] {
            let headers = app.ask("GET", path, key).await.headers;
            let of = |name: &str| headers.get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
            assert_eq!((&*of("x-content-type-options"), &*of("referrer-policy")), ("nosniff", "same-origin"), "{path}");
            let policy = of("content-security-policy");
            assert!(policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{path}");
            assert!(!policy.contains("unsafe"), "{path}: {policy}");
        }
    }
}

#[tokio::test]
async fn the_cookie_is_secure_where_a_trusted_proxy_is_asked_over_https() {
    for (proxies, proto, secure) in
        [("192.0.2.0/24", "https", true), ("192.0.2.0/24", "http", false), ("10.0.0.0/8", "https", false)]
    {
        let trusted_proxies = TrustedProxies::new([proxies]).unwrap();
        let app = TestApp::with(Config { trusted_proxies, ..Config::default() }).await;
        let answer =
            app.send("POST", "/logout", &[("x-forwarded-proto", proto), ("sec-fetch-site", "same-origin")], "").await;
        let cookie = answer.headers["set-cookie"].to_str().unwrap();
        assert!(cookie.contains("HttpOnly; SameSite=Lax"), "{cookie}");
        assert_eq!(cookie.contains("; Secure"), secure, "{proxies} {proto}: {cookie}");
    }
}

#[tokio::test]
async fn tries_to_sign_in_count_for_the_client_behind_the_proxy() {
    let trusted_proxies = TrustedProxies::new(["192.0.2.7"]).unwrap();
    let app = TestApp::with(Config { trusted_proxies, ..Config::default() }).await;
    let try_from = async |client: &str| {
        let headers = [
            ("x-forwarded-for", client),
            ("sec-fetch-site", "same-origin"),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        app.send("POST", "/login", &headers, "email=ana%40example.com&password=wrong").await.status.as_u16()
    };
    for _ in 0..5 {
        assert_eq!(try_from("203.0.113.9").await, 401);
    }
    assert_eq!(try_from("203.0.113.9").await, 429);
    assert_eq!(try_from("198.51.100.1, 203.0.113.9").await, 429, "what a client makes up changes nothing");
    assert_eq!(try_from("203.0.113.10").await, 401, "another client has tries of its own");
}
