//! Tickets are made once, whichever node is asked, and follow their issue.

use anyhow::{Context, Result, ensure};
use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse, Response},
    routing::any,
};
use errtrack::{
    SqlStore, Tracker,
    web::{self, Access, AllowedTargets, Config, Permissions},
};
use errtrack_tests::{Client, Database, on_both};
use hyper::Method;
use serde_json::{Value, json};
use std::{
    future::IntoFuture,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::net::TcpListener;

on_both!(
    a_ticket_is_made_once_and_follows_its_issue
    each_service_gets_what_it_documents
);

const KEY: &str = "root";

/// GitHub, GitLab and Jira in one: answers as each does, and counts what it made.
#[derive(Clone, Default)]
struct Services(Arc<AtomicU32>);

async fn take(State(services): State<Services>, uri: Uri, headers: HeaderMap, body: String) -> Response {
    let body: Value = serde_json::from_str(&body).unwrap_or_default();
    let is = |name: &str, value: &str| headers.get(name).is_some_and(|header| header == value);
    let number = || services.0.fetch_add(1, SeqCst) + 1;
    // Long enough for whoever comes second.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let answer = match uri.path() {
        "/repos/acme/shop/issues" if is("authorization", "Bearer t0ken") && body["title"].is_string() => {
            let number = number();
            json!({"number": number, "html_url": format!("https://github.com/acme/shop/issues/{number}")})
        }
        "/api/v4/projects/acme%2Fshop/issues" if is("private-token", "t0ken") && body["title"].is_string() => {
            let number = number();
            json!({"iid": number, "web_url": format!("https://gitlab.com/acme/shop/-/issues/{number}")})
        }
        "/rest/api/2/issue"
            if is("authorization", "Basic YUBiLmM6dDBrZW4=") && body["fields"]["summary"].is_string() =>
        {
            json!({"id": "1", "key": format!("SHOP-{}", number()), "self": "x"})
        }
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    (StatusCode::CREATED, Json(answer)).into_response()
}

/// A node on the database.
async fn node(database: &Database) -> Result<SocketAddr> {
    let tracker = Tracker::builder().store(SqlStore::open(&database.url).await?).build().await?;
    let access = Access::accounts().key(KEY, Permissions::ALL);
    let mut config = Config::default();
    config.allowed_targets = AllowedTargets::new(["127.0.0.1"])?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(axum::serve(listener, web::router_with::<()>(&tracker, access, config)).into_future());
    Ok(address)
}

async fn services() -> Result<(Services, String)> {
    let services = Services::default();
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let router = Router::new().fallback(any(take)).with_state(services.clone());
    tokio::spawn(axum::serve(listener, router).into_future());
    Ok((services, url))
}

async fn ask(node: SocketAddr, method: Method, path: &str, body: &Value) -> Result<(u16, Value)> {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let answer = Client::new(node).header("x-api-key", KEY).send(method, path, body).await?;
    let status = answer.status.as_u16();
    Ok((status, if status == 204 { Value::Null } else { answer.json() }))
}

async fn set_up(node: SocketAddr, url: &str) -> Result<()> {
    for (name, config) in [
        ("github", json!({"token": "t0ken", "repository": "acme/shop", "api_url": url})),
        ("gitlab", json!({"token": "t0ken", "project": "acme/shop", "url": url})),
        ("jira", json!({"token": "t0ken", "email": "a@b.c", "project": "SHOP", "url": url})),
    ] {
        let path = format!("/api/settings/integrations/{name}");
        let (status, answer) = ask(node, Method::PUT, &path, &json!({"config": config})).await?;
        ensure!(status == 200, "{name}: {answer}");
    }
    Ok(())
}

async fn report(node: SocketAddr, message: &str) -> Result<String> {
    let body = json!({"message": message, "source": "shop"});
    let (status, answer) = ask(node, Method::POST, "/api/errors", &body).await?;
    ensure!(status == 201, "{answer}");
    Ok(answer["data"]["short_id"].as_str().context("a name")?.to_owned())
}

async fn a_ticket_is_made_once_and_follows_its_issue(database: Database) -> Result<()> {
    let (one, other) = (node(&database).await?, node(&database).await?);
    let (made, url) = services().await?;
    set_up(one, &url).await?;
    let (first, second) = (report(one, "pool timed out").await?, report(one, "card declined").await?);
    let path = format!("/api/errors/{first}/tickets");
    let github = json!({"integration": "github"});
    let make = async |node: SocketAddr| ask(node, Method::POST, &path, &github).await;
    let (a, b, c) = tokio::join!(make(one), make(other), make(one));
    let mut statuses = [a?.0, b?.0, c?.0];
    statuses.sort_unstable();
    assert_eq!((statuses, made.0.load(SeqCst)), ([201, 409, 409], 1), "one of three, on two nodes");
    let list = async |node: SocketAddr, name: &str| {
        let (_, answer) = ask(node, Method::GET, &format!("/api/errors/{name}/tickets"), &Value::Null).await?;
        anyhow::Ok(answer["data"]["tickets"].as_array().context("a list")?.clone())
    };
    let tickets = list(other, &first).await?;
    assert_eq!((tickets.len(), &tickets[0]["key"]), (1, &json!("acme/shop#1")));

    let merged = json!({"ids": [first, second], "into": second});
    assert_eq!(ask(one, Method::POST, "/api/errors/merge", &merged).await?.0, 200);
    assert_eq!(list(other, &second).await?, tickets);
    let (status, answer) = ask(other, Method::POST, &format!("/api/errors/{second}/tickets"), &github).await?;
    let why = answer["error"].as_str().context("why")?.to_owned();
    assert!(status == 409 && why.ends_with("https://github.com/acme/shop/issues/1"), "{why}");
    assert_eq!(ask(other, Method::DELETE, &format!("/api/errors/{second}"), &Value::Null).await?.0, 204);
    assert_eq!(ask(one, Method::GET, &path, &Value::Null).await?.0, 404);
    // It begins anew.
    let again = report(one, "pool timed out").await?;
    assert_eq!(list(one, &again).await?, Vec::<Value>::new());
    Ok(())
}

async fn each_service_gets_what_it_documents(database: Database) -> Result<()> {
    let node = node(&database).await?;
    let (made, url) = services().await?;
    set_up(node, &url).await?;
    let name = report(node, "pool timed out").await?;
    let path = format!("/api/errors/{name}/tickets");
    let mut keys = Vec::new();
    for integration in ["github", "gitlab", "jira"] {
        let (status, answer) = ask(node, Method::POST, &path, &json!({"integration": integration})).await?;
        ensure!(status == 201, "{integration}: {answer}");
        keys.push(answer["data"]["key"].as_str().context("a key")?.to_owned());
    }
    assert_eq!((keys.join(" "), made.0.load(SeqCst)), ("acme/shop#1 acme/shop#2 SHOP-3".to_owned(), 3));
    let (_, shown) = ask(node, Method::GET, &format!("/api/errors/{name}"), &Value::Null).await?;
    let jira = &shown["data"]["tickets"][2];
    assert_eq!(jira["url"], format!("{url}/browse/SHOP-3"));
    let path = format!("{path}/{}", jira["id"].as_str().context("an id")?);
    assert_eq!(ask(node, Method::DELETE, &path, &Value::Null).await?.0, 204);
    let (_, shown) = ask(node, Method::GET, &format!("/api/errors/{name}"), &Value::Null).await?;
    assert_eq!(shown["data"]["tickets"].as_array().context("a list")?.len(), 2);
    Ok(())
}
