//! Several nodes on one database: none is special, any may die.

use anyhow::{Context, Result, ensure};
use errtrack::{
    Event, Exception, Rule, Rules, SqlStore, Tracker,
    web::{self, Access, Permissions},
};
use errtrack_tests::{Client, Database, Load, Server, on_both};
use hyper::Method;
use std::{
    future::IntoFuture,
    time::{Duration, Instant},
};
use tokio::net::TcpListener;

/// How many clients report at once.
const CLIENTS: usize = 16;
/// Fewer than a batch holds, so that every batch of every node meets the same issues.
const KINDS: usize = 40;

on_both!(
    eight_start_at_once_on_an_empty_database
    a_rule_that_is_set_on_one_node_holds_on_the_other
    what_is_revoked_on_one_node_opens_nothing_on_the_other
);

async fn eight_start_at_once_on_an_empty_database(database: Database) -> Result<()> {
    let folder = database.folder.path();
    let variables = [("DATABASE_URL", database.url.as_str())];
    let servers = futures_util::future::join_all((0..8).map(|_| Server::start(folder, &variables))).await;
    let servers = servers.into_iter().collect::<Result<Vec<_>>>()?;
    let keys: Vec<_> = servers.iter().map(|server| server.public_key().unwrap_or_default()).collect();
    ensure!(keys.iter().all(|key| *key == keys[0] && !key.is_empty()), "one project, one key: {keys:?}");
    for server in &servers {
        let body = r#"{"message":"at once","source":"backend"}"#;
        assert_eq!(server.client().post("/api/errors", body).await?.status, 201);
    }
    let page = servers[0].client().get("/api/errors").await?.json();
    assert_eq!((page["data"]["total"].as_i64(), page["data"]["errors"][0]["count"].as_i64()), (Some(1), Some(8)));
    Ok(())
}

async fn a_rule_that_is_set_on_one_node_holds_on_the_other(database: Database) -> Result<()> {
    let node = async || anyhow::Ok(Tracker::builder().store(SqlStore::open(&database.url).await?).build().await?);
    let (one, other) = (node().await?, node().await?);
    let capture = async || {
        let mut event = Event::new();
        event.exceptions.push(Exception::new("Noise", "no answer"));
        other.capture(event);
        ensure!(other.flush(Duration::from_secs(20)).await, "it is written");
        Ok(other.balance())
    };
    assert_eq!((capture().await?.stored, other.balance().ignored), (1, 0));
    let project = one.project().id;
    assert!(one.set_rules(project, &Rules::new(vec![Rule::new().ty("Noise")])?).await?);
    let start = Instant::now();
    while capture().await?.ignored == 0 {
        ensure!(start.elapsed() < Duration::from_secs(30), "the other never heard of the rule");
    }
    assert_eq!(other.rules(project).await?.len(), 1);
    let stored = other.balance().stored;
    assert!(one.set_rules(project, &Rules::default()).await?);
    while capture().await?.stored == stored {
        ensure!(start.elapsed() < Duration::from_secs(60), "the other never heard of its end");
    }
    Ok(())
}

/// A key is kept at hand, and the store tells when it is revoked; a session is looked up for each request.
async fn what_is_revoked_on_one_node_opens_nothing_on_the_other(database: Database) -> Result<()> {
    const KEYS: &str = "/api/settings/api-keys";
    let node = async || {
        let tracker = Tracker::builder().store(SqlStore::open(&database.url).await?).build().await?;
        let access = Access::accounts().key("root", Permissions::ALL);
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        tokio::spawn(axum::serve(listener, web::router::<()>(&tracker, access)).into_future());
        anyhow::Ok(address)
    };
    let (one, other) = (node().await?, node().await?);
    let root = async |method: Method, path: &str, body: String| {
        Client::new(one).header("x-api-key", "root").send(method, path, body).await
    };
    let made = root(Method::POST, KEYS, r#"{"name":"k","permissions":["read"]}"#.into()).await?.json();
    let secret = made["data"]["api_key"].as_str().context("a key")?.to_owned();
    let mut client = Client::new(other).header("x-api-key", &secret);
    assert_eq!(client.get("/api/errors").await?.status, 200, "a new key opens at once");
    let path = format!("{KEYS}/{}", made["data"]["id"].as_str().context("an id")?);
    assert_eq!(root(Method::DELETE, &path, String::new()).await?.status, 204);
    let revoked = Instant::now();
    while client.get("/api/errors").await?.status != 401 {
        // Two handles on one file do not tell each other; then a copy gets old.
        let most = if database.url.starts_with("postgres") { 2 } else { 7 };
        ensure!(revoked.elapsed() < Duration::from_secs(most), "the key still opens after {:?}", revoked.elapsed());
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_of_which_one_dies_count_exactly() -> Result<()> {
    nodes_of_which_one_dies(2).await
}

#[tokio::test(flavor = "multi_thread")]
async fn four_nodes_of_which_one_dies_count_exactly() -> Result<()> {
    nodes_of_which_one_dies(4).await
}

async fn nodes_of_which_one_dies(count: usize) -> Result<()> {
    let Some(database) = Database::postgres()? else { return Ok(()) };
    let folder = database.folder.path();
    let variables = [("DATABASE_URL", database.url.as_str()), ("EVENTS_PER_ISSUE", "1000000")];
    let nodes = futures_util::future::join_all((0..count).map(|_| Server::start(folder, &variables))).await;
    let mut nodes = nodes.into_iter().collect::<Result<Vec<_>>>()?;
    let addresses = nodes.iter().map(|node| node.address).collect();
    let load = Load::start(addresses, nodes[0].public_key().context("a DSN")?, CLIENTS, KINDS);
    load.more(1500).await;
    // It stays in the list: clients find out by themselves that it is gone.
    nodes.pop().context("a node")?.kill().await?;
    load.more(1500).await;
    let acknowledged = load.stop().await?;
    for node in &nodes {
        acknowledged.check(node).await?;
    }
    println!("{count} nodes, one killed: {} counted exactly, {} retried", acknowledged.ids.len(), acknowledged.retried);
    Ok(())
}
