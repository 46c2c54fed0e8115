//! Sentry's endpoints: where the key may stand, how bodies may be packed, what is answered.

use super::support::{Answer, PUBLIC_KEY, TestApp};
use crate::{Config, Origins};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use flate2::{
    Compression,
    write::{DeflateEncoder, GzEncoder, ZlibEncoder},
};
use serde_json::{Value, json};
use std::io::Write;

const ID: &str = "cd0617fe63c446e3afda00b640b4562a";

fn payload() -> Value {
    json!({"event_id": ID, "message": "hello", "platform": "python", "user": {"ip_address": "{{auto}}"}})
}

fn envelope(header: &Value, payloads: &[Value]) -> String {
    let items = payloads.iter().map(|p| format!("{{\"type\":\"event\"}}\n{p}\n")).collect::<String>();
    format!("{header}\n{items}")
}

async fn event(app: &TestApp, id: &str) -> Value {
    let answer = app.get(&format!("/api/events/{id}")).await;
    assert_eq!(answer.status, 200, "{id}");
    answer.data()
}

#[track_caller]
fn refused(answer: &Answer, status: u16) -> String {
    assert_eq!(answer.status.as_u16(), status, "{:?}", answer.body);
    assert_eq!(answer.headers["access-control-allow-origin"], "*");
    answer.json()["detail"].as_str().expect("a text").to_owned()
}

#[tokio::test]
async fn an_envelope_is_answered_with_its_id_when_it_is_stored() {
    let app = TestApp::new().await;
    let answer = app.envelope(envelope(&json!({"event_id": ID}), &[payload()])).await;
    assert_eq!((answer.status.as_u16(), answer.json()), (200, json!({"id": ID})));
    for (name, value) in [
        ("access-control-allow-origin", "*"),
        (
            "access-control-expose-headers",
            "x-sentry-error, x-sentry-rate-limits, retry-after, ratelimit, ratelimit-policy",
        ),
        ("cross-origin-resource-policy", "cross-origin"),
    ] {
        assert_eq!(answer.headers[name], value);
    }
    let event = event(&app, ID).await;
    assert_eq!((&event["message"], &event["user"]["ip_address"]), (&"hello".into(), &"192.0.2.7".into()));
    let again = app.envelope(envelope(&json!({"event_id": ID}), &[payload()])).await;
    assert_eq!((again.status.as_u16(), again.json()), (200, json!({"id": ID})));
    assert_eq!(app.get("/api/errors").await.data()["errors"][0]["count"], 1, "stored once");
}

#[tokio::test]
async fn the_key_is_taken_wherever_it_stands() {
    let app = TestApp::new().await;
    let header = format!("Sentry sentry_version=7, sentry_key={PUBLIC_KEY}, sentry_client=raven-x/1");
    let query = format!("?sentry_key={PUBLIC_KEY}&sentry_version=7");
    let basic = format!("Basic {}", BASE64_STANDARD.encode(format!("{PUBLIC_KEY}:")));
    let dsn = json!({"dsn": format!("https://{PUBLIC_KEY}@sentry.example/1")});
    let send = async |path: String, headers: &[(&str, &str)], header: &Value| {
        let body = envelope(header, &[json!({"message": "m"})]);
        app.send("POST", &path, headers, body).await
    };
    let place = || "/api/1/envelope/".to_owned();
    for answer in [
        send(place(), &[("x-sentry-auth", &header)], &json!({})).await,
        send(place() + &query, &[], &json!({})).await,
        send(place() + &query, &[("x-sentry-auth", &header)], &json!({})).await,
        send(place(), &[("authorization", &header)], &json!({})).await,
        send(place(), &[("authorization", &basic)], &json!({})).await,
        send(place(), &[], &dsn).await,
        send("/api/1/envelope".to_owned() + &query, &[], &dsn).await,
    ] {
        assert_eq!(answer.status, 200, "{:?}", answer.body);
        assert_eq!(answer.json()["id"].as_str().unwrap().len(), 32);
    }
    let missing = send(place(), &[], &json!({})).await;
    assert_eq!(refused(&missing, 401), "missing authorization information");
    assert_eq!(missing.json(), json!({"detail": "missing authorization information"}));
    assert_eq!(refused(&send(place() + "?sentry_key=0000", &[], &json!({})).await, 403), "unknown key");
    let elsewhere = send("/api/2/envelope/".to_owned() + &query, &[], &json!({})).await;
    assert_eq!(refused(&elsewhere, 403), "the key belongs to another project");
    let other = json!({"dsn": format!("https://{PUBLIC_KEY}@sentry.example/2")});
    assert_eq!(refused(&send(place() + &query, &[], &other).await, 403), "the dsn names another project than the path");
    let other = json!({"dsn": "https://ffff@sentry.example/1"});
    assert_eq!(refused(&send(place() + &query, &[], &other).await, 401), "two different keys were sent");
    assert_eq!(
        refused(&send("/api/app/envelope/".to_owned() + &query, &[], &json!({})).await, 404),
        "a project is a number"
    );
}

type Pack<'a> = &'a dyn Fn(&[u8]) -> Vec<u8>;

#[tokio::test]
async fn bodies_are_unpacked_whatever_their_type_says() {
    let app = TestApp::new().await;
    let text = |n: usize| {
        let id = format!("{n:032x}");
        (id.clone(), envelope(&json!({"event_id": id}), &[json!({"message": "m"})]).into_bytes())
    };
    let gzip = |bytes: &[u8]| {
        let mut e = GzEncoder::new(Vec::new(), Compression::fast());
        e.write_all(bytes).unwrap();
        e.finish().unwrap()
    };
    let zlib = |bytes: &[u8]| {
        let mut e = ZlibEncoder::new(Vec::new(), Compression::fast());
        e.write_all(bytes).unwrap();
        e.finish().unwrap()
    };
    let raw = |bytes: &[u8]| {
        let mut e = DeflateEncoder::new(Vec::new(), Compression::fast());
        e.write_all(bytes).unwrap();
        e.finish().unwrap()
    };
    let pack: [(&str, Pack<'_>); 6] = [
        ("gzip", &gzip),
        ("deflate", &zlib),
        ("deflate", &raw),
        ("zstd", &|b| zstd::encode_all(b, 3).unwrap()),
        ("identity", &<[u8]>::to_vec),
        ("", &<[u8]>::to_vec),
    ];
    let path = format!("/api/1/envelope/?sentry_key={PUBLIC_KEY}");
    for (n, (encoding, pack)) in pack.iter().enumerate() {
        let (id, body) = text(n + 1);
        let headers = [("content-encoding", *encoding), ("content-type", "text/html")];
        let answer = app.send("POST", &path, &headers, pack(&body)).await;
        assert_eq!((answer.status.as_u16(), answer.json()), (200, json!({"id": id})), "{encoding}");
        event(&app, &id).await;
    }
    let broken = app.send("POST", &path, &[("content-encoding", "gzip")], "no gzip").await;
    assert_eq!(refused(&broken, 400), "the body could not be read");
}

#[tokio::test]
async fn too_much_is_refused_while_it_is_unpacked() {
    let config = Config { max_envelope: 100_000, max_unpacked: 1_000_000, ..Config::default() };
    let app = TestApp::with(config).await;
    let path = format!("/api/1/envelope/?sentry_key={PUBLIC_KEY}");
    let long = app.send("POST", &path, &[], vec![b' '; 100_001]).await;
    assert_eq!(refused(&long, 413), "the request is too large");
    assert_eq!(long.json()["causes"], json!(["the body is longer than 100000 bytes"]));
    let bomb = zstd::encode_all(&*vec![b' '; 50_000_000], 3).unwrap();
    let bomb = app.send("POST", &path, &[("content-encoding", "zstd")], bomb).await;
    assert_eq!(refused(&bomb, 413), "the request is too large");
    assert_eq!(bomb.json()["causes"], json!(["the body is longer than 1000000 bytes"]));

    // Beyond what is read at once, below the limits.
    let body = envelope(&json!({"event_id": ID}), &[json!({"message": "m", "extra": {"x": "y".repeat(900_000)}})]);
    let body = zstd::encode_all(body.as_bytes(), 3).unwrap();
    let answer = app.send("POST", &path, &[("content-encoding", "zstd")], body).await;
    assert_eq!((answer.status.as_u16(), answer.json()), (200, json!({"id": ID})));
    assert_eq!(event(&app, ID).await["message"], "m");
}

#[tokio::test]
async fn items_that_are_no_events_are_skipped() {
    let app = TestApp::new().await;
    let answer = app.envelope("{}\n{\"type\":\"session\"}\n{\"sid\":1}\n{\"type\":\"new\",\"length\":3}\n\n\n\n").await;
    assert_eq!((answer.status.as_u16(), answer.json()), (200, json!({})));
    assert_eq!(app.envelope("{}").await.json(), json!({}));
    let transaction = app.envelope(envelope(&json!({"event_id": ID}), &[json!({"type": "transaction"})])).await;
    assert_eq!(transaction.json(), json!({"id": ID}));
    let mixed = format!(
        "{{\"event_id\":\"{ID}\"}}\n{{\"type\":\"client_report\"}}\nnonsense\n{{\"type\":\"event\"}}\n{}",
        payload()
    );
    assert_eq!(app.envelope(mixed).await.json(), json!({"id": ID}));
    event(&app, ID).await;
    assert_eq!(app.get("/api/errors").await.data()["total"], 1);
}

#[tokio::test]
async fn several_events_of_one_envelope_are_all_stored() {
    let app = TestApp::new().await;
    let events: Vec<_> =
        (1..=600).map(|n| json!({"event_id": format!("{n:032x}"), "message": format!("{n}")})).collect();
    let answer = app.envelope(envelope(&json!({}), &events)).await;
    assert_eq!(answer.json(), json!({"id": format!("{:032x}", 1)}));
    for n in [1, 256, 257, 600] {
        assert_eq!(event(&app, &format!("{n:032x}")).await["message"], n.to_string());
    }
}

#[tokio::test]
async fn what_is_wrong_is_told() {
    let app = TestApp::new().await;
    for (body, cause) in [
        ("", "the body is empty"),
        ("no", "the first line is not a JSON object"),
        ("{}\nno\n", "the header of item 1 is not a JSON object"),
        ("{}\n{\"type\":\"event\",\"length\":50}\n{}", "item 1 is announced with 50 bytes, and 2 are left"),
    ] {
        let answer = app.envelope(body).await;
        assert_eq!(refused(&answer, 400), "invalid envelope");
        assert_eq!(answer.json()["causes"], json!([cause]));
    }
    let answer = app.envelope("{}\n{\"type\":\"event\"}\n{\"message\":\n").await;
    assert_eq!(refused(&answer, 400), "invalid event");
    assert_eq!(app.get("/api/errors").await.data()["total"], 0);
}

#[tokio::test]
async fn preflights_are_answered() {
    let app = TestApp::new().await;
    let path = format!("/api/1/envelope/?sentry_key={PUBLIC_KEY}");
    let asked = [("origin", "http://a.example"), ("access-control-request-headers", "x-mine, sentry-trace")];
    let answer = app.send("OPTIONS", &path, &asked, "").await;
    assert_eq!(answer.status, 204);
    for (name, value) in [
        ("access-control-allow-origin", "*"),
        ("access-control-allow-methods", "POST"),
        ("access-control-allow-headers", "x-mine, sentry-trace"),
        ("access-control-max-age", "3600"),
    ] {
        assert_eq!(answer.headers[name], value);
    }
    let usual = app.send("OPTIONS", "/api/1/store/", &[], "").await;
    assert!(usual.headers["access-control-allow-headers"].to_str().unwrap().contains("x-sentry-auth"));

    let ingest_origins = Origins::These(vec!["https://shop.example".into()]);
    let config = Config { ingest_origins, ..Config::default() };
    let app = TestApp::with(config).await;
    for (origin, allowed) in [("https://shop.example", true), ("https://other.example", false)] {
        let answer = app.send("OPTIONS", &path, &[("origin", origin)], "").await;
        assert_eq!(
            answer.headers.get("access-control-allow-origin").map(|v| v.to_str().unwrap()),
            allowed.then_some(origin)
        );
        assert_eq!(answer.headers["vary"], "origin");
    }
}

#[tokio::test]
async fn store_requests_in_all_their_wrappings() {
    let app = TestApp::new().await;
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
    zlib.write_all(json!({"event_id": format!("{:032x}", 2)}).to_string().as_bytes()).unwrap();
    let wrapped = BASE64_STANDARD.encode(zlib.finish().unwrap());
    let auth = format!("Sentry sentry_version=5, sentry_client=raven-node/2.6.4, sentry_key={PUBLIC_KEY}");
    let bodies = [
        (json!({"event_id": format!("{:032x}", 1)}).to_string(), "/api/1/store/", ""),
        (wrapped, "/api/1/store", "application/octet-stream"),
        (BASE64_STANDARD.encode(json!({"event_id": format!("{:032x}", 3)}).to_string()), "/api/store/", ""),
        (
            envelope(&json!({}), &[json!({"event_id": format!("{:032x}", 4)})]),
            "/api/1/store/",
            "application/x-sentry-envelope",
        ),
    ];
    for (n, (body, path, content_type)) in bodies.into_iter().enumerate() {
        let id = format!("{:032x}", n + 1);
        let headers = [("x-sentry-auth", auth.as_str()), ("content-type", content_type)];
        let answer = app.send("POST", path, &headers, body).await;
        assert_eq!((answer.status.as_u16(), answer.json()), (200, json!({"id": id})));
        assert_eq!(event(&app, &id).await["sdk"], json!({"name": "raven-node", "version": "2.6.4"}));
    }
    let data = json!({"event_id": ID}).to_string().replace('"', "%22");
    let answer = app.send("GET", &format!("/api/1/store/?sentry_key={PUBLIC_KEY}&sentry_data={data}"), &[], "").await;
    assert_eq!((answer.status.as_u16(), &answer.headers["content-type"]), (200, &"image/gif".parse().unwrap()));
    event(&app, ID).await;
    let path = format!("/api/1/store/?sentry_key={PUBLIC_KEY}");
    assert_eq!(refused(&app.send("POST", &path, &[], "[]").await, 400), "invalid event");
    assert_eq!(refused(&app.send("POST", "/api/1/store/", &[], "{}").await, 401), "missing authorization information");
}

#[tokio::test]
async fn lone_surrogates_and_nul_cost_nothing_but_themselves() {
    let app = TestApp::new().await;
    let body = format!(
        "{{}}\n{{\"type\":\"event\"}}\n{{\"event_id\":\"{ID}\",\"message\":\"a \\ud83d b \\u0000 c\",\"extra\":{{\"n\":NaN}}}}"
    );
    assert_eq!(app.envelope(body).await.status, 200);
    assert_eq!(event(&app, ID).await["message"], "a \u{fffd} b \u{fffd} c");
}
