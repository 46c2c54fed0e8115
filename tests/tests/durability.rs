//! A 2xx is durable: whatever was answered so is there after `kill -9`.

use anyhow::Result;
use errtrack_tests::{Server, until};
use serde_json::json;
use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

/// How often the server is killed.
const ROUNDS: usize = 10;
/// How many clients report at once.
const CLIENTS: usize = 8;
/// How many reports are accepted before the server is killed; the kill falls in between whatever comes next.
const ACCEPTED: u64 = 150;

#[tokio::test(flavor = "multi_thread")]
async fn every_report_that_was_accepted_survives_kill_9() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut expected: BTreeSet<String> = BTreeSet::new();
    for round in 0..ROUNDS {
        let server = Server::start(folder.path(), &[]).await?;
        let accepted = Arc::new(Mutex::new(Vec::new()));
        let count = Arc::new(AtomicU64::new(0));
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| {
                let mut client = server.client();
                let (accepted, count) = (accepted.clone(), count.clone());
                tokio::spawn(async move {
                    for n in 0.. {
                        // Names that are no numbers to grouping: each is an issue of its own.
                        let name = format!("Kind{}", word(round * 1_000_000 + number * 100_000 + n));
                        let body = json!({ "message": "lost?", "type": name, "source": "backend" }).to_string();
                        match client.post("/api/errors", body).await {
                            Ok(answer) if answer.status.is_success() => {
                                accepted.lock().unwrap().push(name);
                                count.fetch_add(1, Relaxed);
                            }
                            Ok(answer) => panic!("{}: {}", answer.status, answer.text()),
                            Err(_) => break,
                        }
                    }
                })
            })
            .collect();
        until("enough reports are accepted", || count.load(Relaxed) >= ACCEPTED).await;
        server.kill().await?;
        for client in clients {
            client.await?;
        }
        expected.extend(accepted.lock().unwrap().drain(..));
    }
    let server = Server::start(folder.path(), &[]).await?;
    let stored = types(&server).await?;
    let lost: Vec<_> = expected.difference(&stored).collect();
    assert!(lost.is_empty(), "{} of {} were lost: {lost:?}", lost.len(), expected.len());
    println!("killed {ROUNDS} times, {} reports accepted, all there", expected.len());
    Ok(())
}

/// The types of all issues.
async fn types(server: &Server) -> Result<BTreeSet<String>> {
    let mut client = server.client();
    let mut types = BTreeSet::new();
    let mut cursor = String::new();
    loop {
        let page = client.get(&format!("/api/errors?limit=100{cursor}")).await?.json();
        let issues = page["data"]["errors"].as_array().cloned().unwrap_or_default();
        types.extend(issues.iter().filter_map(|i| i["type"].as_str()).map(str::to_owned));
        match page["data"]["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(types),
        }
    }
}

/// A number in letters.
fn word(mut number: usize) -> String {
    let mut letters = String::new();
    loop {
        letters.push(char::from(b'a' + u8::try_from(number % 26).unwrap()));
        number /= 26;
        if number == 0 {
            return letters;
        }
    }
}
