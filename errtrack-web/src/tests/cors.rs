//! Which other origins may do what from browsers.

use super::support::{Answer, KEY, TestApp};
use crate::{Config, Origins};
use serde_json::json;

const SHOP: &str = "https://shop.example.com";

fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    answer.headers.get(name).map(|value| value.to_str().unwrap())
}

async fn preflight(app: &TestApp, path: &str, method: &str, origin: &str) -> Answer {
    let headers = [
        ("origin", origin),
        ("access-control-request-method", method),
        ("access-control-request-headers", "x-api-key,content-type"),
    ];
    app.send("OPTIONS", path, &headers, "").await
}

fn for_shop() -> Config {
    let (ingest_origins, api_origins) = (Origins::These(vec![SHOP.into()]), vec![SHOP.into()]);
    Config { ingest_origins, api_origins, ..Config::default() }
}

#[tokio::test]
async fn anybody_may_report_and_nobody_else_may_read() {
    let app = TestApp::new().await;
    for path in
        ["/api/errors", "/api/v1/errors", "/api/v1/errors/batch", "/error-tracker/api/errors", "/api/1/envelope/"]
    {
        let answer = preflight(&app, path, "POST", SHOP).await;
        assert_eq!(answer.status, 204, "{path}");
        assert_eq!(header(&answer, "access-control-allow-origin"), Some("*"), "{path}");
        assert_eq!(header(&answer, "access-control-allow-methods"), Some("POST"), "{path}");
        assert_eq!(header(&answer, "access-control-allow-headers"), Some("x-api-key,content-type"), "{path}");
    }
    for (path, method) in [
        ("/api/errors", "GET"),
        ("/api/errors/X-1", "DELETE"),
        ("/api/errors/X-1/resolve", "PUT"),
        ("/error-tracker/api/errors", "GET"),
        ("/metrics", "GET"),
    ] {
        let answer = preflight(&app, path, method, SHOP).await;
        assert_eq!(header(&answer, "access-control-allow-origin"), None, "{method} {path}");
        assert!(!answer.status.is_success(), "{method} {path}");
        let answer = app.send(method, path, &[("origin", SHOP), ("x-api-key", KEY)], "").await;
        assert_eq!(header(&answer, "access-control-allow-origin"), None, "{method} {path}");
    }
}

#[tokio::test]
async fn a_listed_origin_may_use_the_whole_api_with_the_methods_it_has() {
    let app = TestApp::with(for_shop()).await;
    let error = json!({"message": "m", "source": "s"}).to_string();
    let keyed = [("origin", SHOP), ("x-api-key", KEY)];
    let made = app.send("POST", "/api/errors", &keyed, error).await;
    assert_eq!((made.status.as_u16(), header(&made, "access-control-allow-origin")), (201, Some(SHOP)));
    for (path, method, methods) in [
        ("/api/errors", "GET", vec!["GET", "POST"]),
        ("/api/errors", "POST", vec!["GET", "POST"]),
        ("/api/errors/X-1", "DELETE", vec!["DELETE", "GET"]),
        ("/api/errors/X-1/resolve", "PUT", vec!["PUT"]),
        ("/api/monitoring/balance", "GET", vec!["GET"]),
        ("/api/1/envelope/", "POST", vec!["POST"]),
    ] {
        let answer = preflight(&app, path, method, SHOP).await;
        assert_eq!(
            (answer.status.as_u16(), header(&answer, "access-control-allow-origin")),
            (204, Some(SHOP)),
            "{path}"
        );
        let mut allowed: Vec<&str> = header(&answer, "access-control-allow-methods").unwrap().split(", ").collect();
        allowed.sort_unstable();
        assert_eq!(allowed, methods, "{path}");
        assert_eq!(header(&answer, "access-control-allow-headers"), Some("x-api-key,content-type"));
    }
    let list = app.send("GET", "/api/errors", &keyed, "").await;
    assert_eq!((list.status.as_u16(), header(&list, "access-control-allow-origin")), (200, Some(SHOP)));
    assert_eq!(header(&list, "vary"), Some("origin"));
    let exposed = header(&list, "access-control-expose-headers").unwrap();
    assert!(["ratelimit", "ratelimit-policy", "retry-after"].iter().all(|name| exposed.contains(name)), "{exposed}");
    assert_eq!(header(&list, "access-control-allow-credentials"), None, "a cookie opens nothing across origins");
    // Also what goes wrong can be read.
    for (path, headers, status) in [("/api/errors", &keyed[..1], 401), ("/api/nothing", &keyed, 404)] {
        let answer = app.send("GET", path, headers, "").await;
        assert_eq!((answer.status.as_u16(), header(&answer, "access-control-allow-origin")), (status, Some(SHOP)));
    }
    // Pages are for people, on their own origin.
    let page = app.send("GET", "/issues", &keyed, "").await;
    assert_eq!((page.status.as_u16(), header(&page, "access-control-allow-origin")), (200, None));
}

#[tokio::test]
async fn an_origin_that_is_not_listed_may_nothing() {
    let app = TestApp::with(for_shop()).await;
    for origin in ["https://evil.example.com", "http://shop.example.com", "https://shop.example.com.evil.com", "null"] {
        for (path, method) in [("/api/errors", "POST"), ("/api/errors", "GET"), ("/api/1/envelope/", "POST")] {
            let answer = preflight(&app, path, method, origin).await;
            assert_eq!(header(&answer, "access-control-allow-origin"), None, "{origin} {method} {path}");
            assert_eq!(header(&answer, "vary"), Some("origin"), "what is kept for one origin is not for another");
        }
        let answer = app.send("GET", "/api/errors", &[("origin", origin), ("x-api-key", KEY)], "").await;
        assert_eq!((answer.status.as_u16(), header(&answer, "access-control-allow-origin")), (200, None), "{origin}");
    }
}
