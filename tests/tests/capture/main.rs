//! What goes wrong in a service, and what of it arrives: one suite, on axum, on actix-web and on tower without a framework,
//! over SQLite and over PostgreSQL. Each host serves the same shop (`shop.rs`) on a port of its own.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what a test cannot do without ends it"
)]

mod hosts;
mod shop;

use anyhow::{Context, Result};
use axum::http::{Method, Request};
use bytes::Bytes;
use errtrack::{Event, Level};
use errtrack_tests::{Answer, Client, Watched, until};
use hosts::{Host, Open};
use http_body_util::Full;
use std::sync::atomic::Ordering::Relaxed;
use tokio::{io::AsyncWriteExt, net::TcpStream};

/// Makes of each journey a test per host and database.
macro_rules! journeys {
    ($($journey:ident)*) => {
        mod axum_on { $crate::journeys!(@stores Axum $($journey)*); }
        mod actix_on { $crate::journeys!(@stores Actix $($journey)*); }
        mod tower_on { $crate::journeys!(@stores Tower $($journey)*); }
    };
    (@stores $host:ident $($journey:ident)*) => {
        $(
            mod $journey {
                #[tokio::test(flavor = "multi_thread")]
                async fn sqlite() -> anyhow::Result<()> {
                    crate::$journey(crate::Host::$host, crate::Watched::over(errtrack_tests::Database::sqlite()?).await?).await
                }
                #[tokio::test(flavor = "multi_thread")]
                async fn postgres() -> anyhow::Result<()> {
                    let Some(database) = errtrack_tests::Database::postgres()? else { return Ok(()) };
                    crate::$journey(crate::Host::$host, crate::Watched::over(database).await?).await
                }
            }
        )*
    };
}
use journeys;

journeys! {
    what_goes_well_leaves_nothing
    an_error_through_the_question_mark_arrives_with_its_chain
    a_panic_arrives_and_is_answered
    a_panic_before_there_is_a_future_arrives_too
    a_bare_500_arrives_as_a_message_on_its_route
    an_answer_by_hand_arrives_with_its_cause_and_status
    what_was_reported_by_hand_is_not_reported_again
    a_task_fails_in_the_scope_of_its_request
    a_task_panics_in_the_scope_of_its_request
    what_is_logged_arrives_with_its_spans
    joined_futures_are_in_the_scope_of_their_request
    scopes_are_kept_apart
    a_body_that_fails_after_its_head_arrives
    a_body_that_panics_arrives
    a_dropped_request_leaves_nothing
    two_layers_report_once
}

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn client(open: &Open) -> Client {
    Client::new(open.address).header("user-agent", "test/1").header("cookie", "session=1").header("traceparent", TRACE)
}

async fn ask(client: &mut Client, method: &str, path: &str) -> Result<Answer> {
    client.send(Method::from_bytes(method.as_bytes())?, path, "").await
}

/// Sends one request to the shop and takes the one event of it.
async fn event_of(host: Host, watched: &Watched, method: &str, path: &str, status: u16) -> Result<Event> {
    watched.tracker.install_panic_hook();
    let open = host.open(&watched.tracker);
    let mut client = client(&open);
    let answer = ask(&mut client, method, path).await?;
    assert_eq!(answer.status, status);
    assert!(!answer.text().contains("shelf"), "it says nothing about the inside");
    assert_eq!(client.get("/").await?.status, 200, "the service lives on");
    assert_eq!(client.connections(), 1, "and so does the connection");
    let event = watched.event().await;
    assert_request(&event, &open, method, path);
    Ok(event)
}

/// What every event of a request knows.
fn assert_request(event: &Event, open: &Open, method: &str, path: &str) {
    assert_eq!(event.release.as_deref(), Some("shop@1.4.0"));
    assert_eq!(event.environment.as_deref(), Some("test"));
    let seen = event.request.as_ref().unwrap();
    let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
    assert_eq!(seen.method.as_deref(), Some(method));
    assert_eq!(seen.url.as_deref(), Some(&*format!("http://{}{path}", open.address)));
    assert_eq!(seen.query_string.as_deref(), query);
    assert_eq!(seen.headers.get("user-agent").map(String::as_str), Some("test/1"));
    assert!(!seen.headers.contains_key("cookie"));
    assert!(seen.duration_ms.is_some());
    assert_eq!(event.contexts["trace"]["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
}

fn assert_signed_in(event: &Event) {
    assert_eq!(event.user.as_ref().and_then(|user| user.id.as_deref()), Some("42"));
    assert_eq!(event.tags["plan"], "pro");
    assert_eq!(event.breadcrumbs[0].message.as_deref(), Some("cart opened"));
}

fn assert_out_of_stock(event: &Event) {
    let mut values: Vec<_> = event.exceptions.iter().filter_map(|e| e.value.as_deref()).collect();
    // axum wraps the errors of bodies in some of its own, which say the same.
    values.dedup();
    assert_eq!(values, ["shelf 7 is empty", "nothing left on the shelf"]);
    let types: Vec<_> = event.exceptions.iter().filter_map(|e| e.ty.as_deref()).collect();
    assert!(types.iter().any(|ty| ty.ends_with("OutOfStock")), "{types:?}");
}

async fn what_goes_well_leaves_nothing(host: Host, watched: Watched) -> Result<()> {
    let open = host.open(&watched.tracker);
    let mut client = client(&open);
    assert_eq!(client.get("/").await?.text(), "welcome");
    assert_eq!(client.get("/teapot").await?.status, 418);
    assert_eq!(client.get("/nowhere").await?.status, 404);
    assert!(watched.events().await.is_empty());
    Ok(())
}

async fn an_error_through_the_question_mark_arrives_with_its_chain(host: Host, watched: Watched) -> Result<()> {
    let event = event_of(host, &watched, "POST", "/orders/7/question-mark?page=2", 500).await?;
    assert_out_of_stock(&event);
    assert_eq!(event.level, Level::Error);
    assert_eq!(event.transaction.as_deref(), Some("POST /orders/{id}/question-mark"));
    assert_signed_in(&event);
    if host != Host::Tower {
        // The `?` itself is known only to an error type of ours.
        let place = event.contexts["captured_at"]["file"].as_str().unwrap();
        assert!(place.contains("capture/hosts/"), "{place}");
        // An address is somebody's own, so the sanitizer takes it, but it was there.
        assert!(event.request.unwrap().env.contains_key("REMOTE_ADDR"));
    }
    Ok(())
}

async fn a_panic_arrives_and_is_answered(host: Host, watched: Watched) -> Result<()> {
    let event = event_of(host, &watched, "GET", "/orders/7/panic", 500).await?;
    assert_eq!(event.title(), ("panic", "the till is jammed"));
    assert_eq!(event.level, Level::Fatal);
    assert!(!event.handled());
    assert_eq!(event.transaction.as_deref(), Some("GET /orders/{id}/panic"));
    let place = event.contexts["captured_at"]["file"].as_str().unwrap();
    assert!(place.ends_with("shop.rs"), "{place}");
    assert_signed_in(&event);
    Ok(())
}

async fn a_panic_before_there_is_a_future_arrives_too(host: Host, watched: Watched) -> Result<()> {
    let event = event_of(host, &watched, "GET", "/early", 500).await?;
    assert_eq!(event.title(), ("panic", "no future"));
    assert_eq!(event.transaction.as_deref(), Some("GET /early"));
    Ok(())
}

async fn a_bare_500_arrives_as_a_message_on_its_route(host: Host, watched: Watched) -> Result<()> {
    let event = event_of(host, &watched, "GET", "/bare/7", 500).await?;
    assert_eq!(event.title(), ("", "500 Internal Server Error on GET /bare/{id}"));
    assert_eq!(event.request.unwrap().status, Some(500));
    Ok(())
}

async fn an_answer_by_hand_arrives_with_its_cause_and_status(host: Host, watched: Watched) -> Result<()> {
    let event = event_of(host, &watched, "GET", "/cause", 502).await?;
    assert_out_of_stock(&event);
    assert_eq!(event.request.as_ref().unwrap().status, Some(502));
    let place = event.contexts["captured_at"]["file"].as_str().unwrap();
    assert!(place.contains("capture/hosts/"), "{place}");
    assert_signed_in(&event);
    Ok(())
}

async fn what_was_reported_by_hand_is_not_reported_again(host: Host, watched: Watched) -> Result<()> {
    assert_out_of_stock(&event_of(host, &watched, "GET", "/captured", 500).await?);
    // Nor where the same error goes further up after that.
    let open = host.open(&watched.tracker);
    assert_eq!(client(&open).get("/passed-on").await?.status, 500);
    let events = watched.events().await;
    assert_eq!(events.len(), 2);
    assert_eq!(events[1].transaction.as_deref(), Some("GET /passed-on"));
    Ok(())
}

async fn a_task_fails_in_the_scope_of_its_request(host: Host, watched: Watched) -> Result<()> {
    let event = event_of(host, &watched, "GET", "/spawned", 500).await?;
    assert_out_of_stock(&event);
    assert_eq!(event.transaction.as_deref(), Some("GET /spawned"));
    assert_signed_in(&event);
    Ok(())
}

async fn a_task_panics_in_the_scope_of_its_request(host: Host, watched: Watched) -> Result<()> {
    let event = event_of(host, &watched, "GET", "/panicking-task", 500).await?;
    assert_eq!(event.title(), ("panic", "in the back room"));
    assert_eq!(event.transaction.as_deref(), Some("GET /panicking-task"));
    assert_signed_in(&event);
    Ok(())
}

async fn what_is_logged_arrives_with_its_spans(host: Host, watched: Watched) -> Result<()> {
    let event = event_of(host, &watched, "GET", "/orders/7/logged", 500).await?;
    assert_eq!(event.title().1, "the bank is closed");
    assert_eq!(event.message.as_ref().unwrap().text, "could not take payment");
    assert_eq!(event.transaction.as_deref(), Some("GET /orders/{id}/logged"));
    assert_eq!(event.tags["provider"], "acme");
    assert_eq!(event.extra["attempt"], 3);
    assert_eq!(event.contexts["tracing"]["spans"], serde_json::json!(["logged", "charge"]));
    assert_eq!(event.contexts["tracing"]["fields"]["total"], 12.5);
    let crumbs: Vec<_> = event.breadcrumbs.iter().map(|b| b.message.as_deref().unwrap()).collect();
    assert_eq!(crumbs, ["cart opened"]);
    Ok(())
}

async fn joined_futures_are_in_the_scope_of_their_request(host: Host, watched: Watched) -> Result<()> {
    let open = host.open(&watched.tracker);
    assert_eq!(client(&open).get("/joined").await?.status, 500);
    let events = watched.events().await;
    assert_eq!(events.len(), 2, "the 500 itself is not reported again");
    for event in &events {
        assert_request(event, &open, "GET", "/joined");
        assert_signed_in(event);
    }
    Ok(())
}

/// Two requests at once, on one thread, each keep their own user; the next one has none.
async fn scopes_are_kept_apart(host: Host, watched: Watched) -> Result<()> {
    let open = host.open(&watched.tracker);
    let (mut ana, mut ben) = (client(&open), client(&open));
    let (one, other) = tokio::join!(ana.get("/meet/ana"), ben.get("/meet/ben"));
    assert_eq!((one?.status.as_u16(), other?.status.as_u16()), (500, 500));
    assert_eq!(ana.get("/bare/7").await?.status, 500);
    let events = watched.events().await;
    assert_eq!(events.len(), 3);
    for event in events {
        let user = event.user.and_then(|user| user.id);
        let url = event.request.and_then(|request| request.url).unwrap();
        match user {
            Some(name) => assert!(url.ends_with(&format!("/meet/{name}")), "{name} at {url}"),
            None => assert!(url.ends_with("/bare/7"), "nobody at {url}"),
        }
    }
    Ok(())
}

async fn a_body_that_fails_after_its_head_arrives(host: Host, watched: Watched) -> Result<()> {
    let open = host.open(&watched.tracker);
    let mut client = client(&open);
    assert!(client.get("/receipt").await.is_err(), "the client sees that it has not got all");
    assert_eq!(client.get("/").await?.status, 200);
    let event = watched.event().await;
    assert_out_of_stock(&event);
    assert_request(&event, &open, "GET", "/receipt");
    assert_eq!(event.transaction.as_deref(), Some("GET /receipt"));
    assert_eq!(event.request.unwrap().status, Some(200));
    Ok(())
}

async fn a_body_that_panics_arrives(host: Host, watched: Watched) -> Result<()> {
    let open = host.open(&watched.tracker);
    let mut client = client(&open);
    assert!(client.get("/broken-receipt").await.is_err(), "the client sees that it has not got all");
    assert_eq!(client.get("/").await?.status, 200, "the service lives on");
    let event = watched.event().await;
    assert_eq!(event.title(), ("panic", "out of paper"));
    assert_request(&event, &open, "GET", "/broken-receipt");
    Ok(())
}

async fn a_dropped_request_leaves_nothing(host: Host, watched: Watched) -> Result<()> {
    let open = host.open(&watched.tracker);
    let mut stream = TcpStream::connect(open.address).await?;
    stream.write_all(b"GET /wait HTTP/1.1\r\nhost: shop.example\r\n\r\n").await?;
    until("the request is served", || open.shop.is_waited.load(Relaxed)).await;
    drop(stream);
    until("the request is dropped", || open.shop.is_left.load(Relaxed)).await;
    assert!(watched.events().await.is_empty());
    // The next request is served in a scope of its own.
    assert_eq!(client(&open).get("/bare/7").await?.status, 500);
    assert_eq!(watched.event().await.user, None);
    Ok(())
}

async fn two_layers_report_once(host: Host, watched: Watched) -> Result<()> {
    let open = host.open_with(&watched.tracker, true);
    let mut client = client(&open);
    let mut reported = 0;
    let seen = async || -> Vec<_> { watched.events().await.iter().map(|event| event.title().1.to_owned()).collect() };
    for path in ["/orders/7/panic", "/early", "/bare/7", "/cause", "/captured", "/passed-on", "/orders/7/logged"] {
        assert!(client.get(path).await?.status.is_server_error(), "{path}");
        reported += 1;
        let seen = seen().await;
        assert_eq!(seen.len(), reported, "{path}: {seen:#?}");
    }
    for path in ["/receipt", "/broken-receipt"] {
        assert!(client.get(path).await.is_err(), "{path}");
        reported += 1;
        let seen = seen().await;
        assert_eq!(seen.len(), reported, "{path}: {seen:#?}");
    }
    Ok(())
}

/// On actix-web an error says itself what it answers.
#[tokio::test(flavor = "multi_thread")]
async fn a_response_error_of_actix_arrives_with_its_chain() -> Result<()> {
    let watched = Watched::start().await;
    let open = Host::Actix.open(&watched.tracker);
    let request = Request::post("/orders/7/response-error").header("host", "shop.example");
    let answer = Client::new(open.address).send_request(request.body(Full::new(Bytes::new()))?).await?;
    assert_eq!(answer.status, 500);
    let event = watched.event().await;
    assert_out_of_stock(&event);
    assert_eq!(event.exceptions[1].ty.as_deref(), Some("capture::shop::OutOfStock"));
    assert_eq!(event.transaction.as_deref(), Some("POST /orders/{id}/response-error"));
    assert_eq!(event.request.context("a request")?.status, Some(500));
    assert_eq!(event.user.and_then(|user| user.id).as_deref(), Some("42"));
    Ok(())
}
