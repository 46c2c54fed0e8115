//! The shop of `examples/axum_app` and `examples/actix_app`, run as its users run it: its five failures arrive, and it lives
//! on.

use anyhow::{Context, Result};
use errtrack_tests::{Client, example};
use serde_json::Value;
use std::{collections::BTreeMap, net::SocketAddr, process::Stdio, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
    time::{sleep, timeout},
};

/// Path and answer; then, of the issue that it becomes, type and route.
const FAILURES: [(&str, u16, &str, &str); 5] = [
    ("/orders/7/split?guests=0", 500, "panic", "POST /orders/{id}/split"),
    ("/orders/7/pay", 500, "shop::PaymentError::Declined", "POST /orders/{id}/pay"),
    ("/parcels/X-99", 503, "core::num::error::ParseIntError", "POST /parcels/{id}"),
    ("/orders/7/invoice", 202, "std::io::Error::ConnectionRefused", "POST /orders/{id}/invoice"),
    ("/stock", 202, "core::num::error::ParseIntError", "POST /stock"),
];

#[tokio::test]
async fn on_axum() -> Result<()> {
    the_shop_fails_in_five_ways_and_lives_on("axum_app").await
}

#[tokio::test]
async fn on_actix() -> Result<()> {
    the_shop_fails_in_five_ways_and_lives_on("actix_app").await
}

async fn the_shop_fails_in_five_ways_and_lives_on(name: &str) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut shop = Command::new(example(name)?)
        .current_dir(folder.path())
        .env_clear()
        .env("PORT", "0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let mut lines = BufReader::new(shop.stdout.take().context("a pipe")?).lines();
    let line = timeout(Duration::from_secs(30), lines.next_line()).await??.context("it says where it is")?;
    let address: SocketAddr = line.trim_end_matches('/').rsplit_once("//").context("an address")?.1.parse()?;

    let mut client = Client::new(address);
    for (path, status, ..) in FAILURES {
        assert_eq!(client.post(path, "").await?.status, status, "{path}");
    }
    let events = events(&mut client).await?;
    for (path, _, ty, route) in FAILURES {
        let event = events.get(route).with_context(|| format!("{path}: no event on {route}; there are {events:#?}"))?;
        let told = event["exceptions"].as_array().and_then(|e| e.last()).and_then(|e| e["type"].as_str());
        assert_eq!(told.map(|told| told.trim_start_matches(&format!("{name}::"))), Some(ty), "{path}");
        let ours = |frame: &Value| frame["in_app"] == true && frame.to_string().contains("errtrack_");
        let frames =
            event["exceptions"].as_array().into_iter().flatten().flat_map(|e| e["stacktrace"]["frames"].as_array());
        assert_eq!(frames.flatten().filter(|frame| ours(frame)).count(), 0, "{path}: {event:#}");
        assert_eq!(event["release"], "shop@0.1.0", "{path}");
        assert_eq!(event["user"]["id"], "42", "{path}");
        assert_eq!(event["tags"]["plan"], "pro", "{path}");
        assert!(event["breadcrumbs"].as_array().is_some_and(|b| !b.is_empty()), "{path}: {event:#}");
    }
    assert_eq!(client.get("/").await?.status, 200, "the shop is open");
    Ok(())
}

/// The newest event of each issue by its route, when there are as many as there should be.
async fn events(client: &mut Client) -> Result<BTreeMap<String, Value>> {
    for _ in 0..1_000 {
        let page = client.get("/errors/api/errors").await?.json();
        let issues = page["data"]["errors"].as_array().cloned().unwrap_or_default();
        if issues.len() < FAILURES.len() {
            sleep(Duration::from_millis(10)).await;
            continue;
        }
        let mut events = BTreeMap::new();
        for issue in issues {
            let id = issue["short_id"].as_str().unwrap_or_default();
            let page = client.get(&format!("/errors/api/errors/{id}/events")).await?.json();
            let event = page["data"]["events"][0].clone();
            events.insert(event["transaction"].as_str().unwrap_or_default().to_owned(), event);
        }
        return Ok(events);
    }
    anyhow::bail!("the events did not all arrive")
}
