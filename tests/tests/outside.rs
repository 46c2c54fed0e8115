//! Two programs of somebody else (`tests/outside`), each a package of its own with errtrack as its dependency: they are
//! built, fail, show what they caught, and end.

use anyhow::{Context, Result, ensure};
use errtrack_tests::{Client, Database};
use serde_json::Value;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::{sleep, timeout},
};

const PATIENCE: Duration = Duration::from_secs(60);

mod axum_host {
    errtrack_tests::on_both! { catches_shows_and_ends }

    async fn catches_shows_and_ends(database: errtrack_tests::Database) -> anyhow::Result<()> {
        super::journey("axum_host", database).await
    }
}

mod actix_host {
    errtrack_tests::on_both! { catches_shows_and_ends }

    async fn catches_shows_and_ends(database: errtrack_tests::Database) -> anyhow::Result<()> {
        super::journey("actix_host", database).await
    }
}

async fn journey(name: &'static str, database: Database) -> Result<()> {
    let program = tokio::task::spawn_blocking(|| build(name)).await??;
    let (mut host, address) = start(&program, &database).await?;
    let mut client = Client::new(address).header("x-api-key", "a long secret");
    assert_eq!(client.get("/orders/7").await?.text(), "order 7");
    for failing in ["/orders/seven", "/panic"] {
        let answer = client.get(failing).await?;
        assert_eq!((answer.status.as_u16(), answer.text().contains("digit")), (500, false), "{failing}");
    }

    let issues = issues(&mut client, 2).await?;
    let issue_of = |route: &str| {
        let of_route = |issue: &&Value| issue.to_string().contains(route);
        issues.iter().find(of_route).with_context(|| format!("no issue on {route} in {issues:#?}"))
    };
    let parsing = newest_event(&mut client, issue_of("ParseIntError")?).await?;
    assert_eq!(parsing["transaction"], "GET /orders/{id}");
    assert_eq!(parsing["release"], format!("{name}@1.0.0"));
    assert_eq!(parsing["user"]["id"], "42");
    assert_eq!(parsing["breadcrumbs"][0]["message"], "looking for an order");
    let panic = newest_event(&mut client, issue_of("out of order")?).await?;
    assert_eq!(panic["transaction"], "GET /panic");
    assert!(Client::new(address).get("/errors/api/errors").await?.status == 401, "the secret is asked for");

    // Caught just before the end, stored before the end.
    assert_eq!(client.get("/orders/eight").await?.status, 500);
    let id = host.id().context("it runs")?;
    Command::new("kill").arg(id.to_string()).status().await?;
    let ended = timeout(PATIENCE, host.wait()).await??;
    assert!(ended.success(), "it ends cleanly: {ended}");
    let (_host, address) = start(&program, &database).await?;
    let mut client = Client::new(address).header("x-api-key", "a long secret");
    let found = self::issues(&mut client, 2).await?;
    let counts: Vec<_> = found.iter().filter_map(|issue| issue["count"].as_i64()).collect();
    assert_eq!(counts.iter().sum::<i64>(), 3, "{found:#?}");
    Ok(())
}

async fn start(program: &Path, database: &Database) -> Result<(Child, SocketAddr)> {
    let mut host = Command::new(program)
        .env_clear()
        .env("DATABASE_URL", &database.url)
        .current_dir(database.folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let mut lines = BufReader::new(host.stdout.take().context("a pipe")?).lines();
    let line = timeout(PATIENCE, lines.next_line()).await??.context("it says where it listens")?;
    let address = line.strip_prefix("listening on ").context("an address")?.parse()?;
    Ok((host, address))
}

/// The issues, once there are as many.
async fn issues(client: &mut Client, expected: usize) -> Result<Vec<Value>> {
    for _ in 0..2_000 {
        let page = client.get("/errors/api/errors").await?.json();
        let issues = page["data"]["errors"].as_array().cloned().unwrap_or_default();
        if issues.len() >= expected {
            assert_eq!(issues.len(), expected, "{issues:#?}");
            return Ok(issues);
        }
        sleep(Duration::from_millis(10)).await;
    }
    anyhow::bail!("the issues did not all arrive")
}

async fn newest_event(client: &mut Client, issue: &Value) -> Result<Value> {
    let id = issue["short_id"].as_str().context("an id")?;
    let page = client.get(&format!("/errors/api/errors/{id}/events")).await?.json();
    Ok(page["data"]["events"][0].clone())
}

/// Builds a program, with the versions that the workspace was built with, into the target folder of this test.
fn build(name: &str) -> Result<PathBuf> {
    // One after the other: cargo would wait for itself anyway.
    static BUILDING: Mutex<()> = Mutex::new(());
    let _one = BUILDING.lock().unwrap_or_else(PoisonError::into_inner);
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tests.join("outside").join(name);
    let own = std::env::current_exe()?;
    let target = own.ancestors().find(|folder| folder.join("CACHEDIR.TAG").is_file()).context("a target folder")?;
    // It begins with the workspace's, and cargo strikes what it does not need. What both need is at hand: no network.
    std::fs::copy(tests.join("../Cargo.lock"), folder.join("Cargo.lock"))?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = std::process::Command::new(cargo)
        .args(["build", "--quiet", "--offline", "--target-dir"])
        .arg(target)
        .current_dir(&folder)
        .output()?;
    ensure!(built.status.success(), "{name}: {}", String::from_utf8_lossy(&built.stderr));
    Ok(target.join("debug").join(name))
}
