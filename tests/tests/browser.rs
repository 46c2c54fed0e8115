//! The dashboard as a person meets it, in Chromium: sign in, see what broke, read the stack, resolve it.

use anyhow::{Context, Result, ensure};
use axum::Router;
use errtrack::{
    EventId, SqliteStore, Timestamp, Tracker,
    web::{Access, Accounts, AllowedTargets, Config},
};
use errtrack_tests::{Client, Server, database_in};
use serde_json::{Value, json};
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::{net::TcpListener, process::Command, time::timeout};

const EMAIL: &str = "ana@example.com";
const PASSWORD: &str = "correct horse battery staple";
/// The mount point: a prefix, so that a link that forgets it is found.
const MOUNT: &str = "/errors";
const PATIENCE: Duration = Duration::from_secs(180);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_standalone_server_works_in_a_browser() -> Result<()> {
    let Some(browser) = Browser::find("the_standalone_server_works_in_a_browser")? else { return Ok(()) };
    let data = tempfile::tempdir()?;
    let variables = [("ADMIN_EMAIL", EMAIL), ("ADMIN_PASSWORD", PASSWORD), ("ALLOWED_TARGETS", "127.0.0.1")];
    let server = Server::start(data.path(), &variables).await?;
    let key = server.public_key().context("a DSN in the banner")?;
    browser.journey(server.address, "", "DEFAULT", key, data.path()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dashboard_under_a_prefix_works_in_a_browser() -> Result<()> {
    let Some(browser) = Browser::find("a_dashboard_under_a_prefix_works_in_a_browser")? else { return Ok(()) };
    let data = tempfile::tempdir()?;
    let (tracker, address) = serve(data.path()).await?;
    browser.journey(address, MOUNT, "CHECKOUT-API", tracker.project().public_key(), data.path()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_is_notified() -> Result<()> {
    let Some(browser) = Browser::find("a_browser_is_notified")? else { return Ok(()) };
    let data = tempfile::tempdir()?;
    let (_tracker, address) = serve(data.path()).await?;
    browser.run("push", address, MOUNT, "CHECKOUT-API", &screenshots(data.path())?).await
}

/// What drives Chromium.
struct Browser {
    folder: PathBuf,
}

impl Browser {
    /// Finds it; `None`, with a word to whoever reads the output, where something is missing and may be.
    fn find(test: &str) -> Result<Option<Self>> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("browser");
        let missing = missing(&folder);
        if missing.is_empty() {
            return Ok(Some(Self { folder }));
        }
        ensure!(std::env::var_os("ERRTRACK_REQUIRE_SERVICES").is_none(), "needs {}", missing.join(", "));
        println!("skipped {test}: needs {}", missing.join(", "));
        Ok(None)
    }

    /// Goes through the dashboard: first without events, then with some.
    async fn journey(&self, address: SocketAddr, mount: &str, project: &str, key: &str, data: &Path) -> Result<()> {
        let screenshots = screenshots(data)?;
        self.run("empty", address, mount, project, &screenshots).await?;
        report(&format!("{mount}/api/1/envelope/?sentry_key={key}"), address, &self.folder).await?;
        self.run("full", address, mount, project, &screenshots).await?;
        self.run("alerting", address, mount, project, &screenshots).await
    }

    /// Goes through one part.
    async fn run(&self, part: &str, address: SocketAddr, mount: &str, project: &str, screenshots: &Path) -> Result<()> {
        let mut node = Command::new("node");
        node.arg("run.mjs").arg(part).current_dir(&self.folder).kill_on_drop(true);
        node.env("BASE", format!("http://{address}{mount}")).env("PROJECT", project);
        node.env("EMAIL", EMAIL).env("PASSWORD", PASSWORD).env("CHROMIUM", chromium());
        node.env("SCREENSHOTS", screenshots);
        let status = timeout(PATIENCE, node.status()).await.context("the browser took too long")??;
        ensure!(status.success(), "the browser's part `{part}` failed; what it saw stands above");
        Ok(())
    }
}

/// What this test needs and this machine does not have.
fn missing(folder: &Path) -> Vec<&'static str> {
    let runs = |program: &Path| {
        let output = std::process::Command::new(program).arg("--version").output();
        output.is_ok_and(|output| output.status.success())
    };
    let mut missing = Vec::new();
    if !runs(Path::new("node")) {
        missing.push("Node.js");
    }
    if !chromium().exists() {
        missing.push("Chromium (CHROMIUM=/path/to/it)");
    }
    if !folder.join("node_modules/playwright-core").exists() {
        missing.push("node packages (npm ci --prefix tests/browser)");
    }
    missing
}

/// Where screenshots go.
fn screenshots(data: &Path) -> Result<PathBuf> {
    let screenshots = std::env::var_os("SCREENSHOTS").map_or_else(|| data.join("screenshots"), PathBuf::from);
    std::fs::create_dir_all(&screenshots)?;
    Ok(screenshots)
}

fn chromium() -> PathBuf {
    std::env::var_os("CHROMIUM").map_or_else(|| "/usr/bin/chromium".into(), PathBuf::from)
}

/// A host with the dashboard mounted, on a free port.
async fn serve(folder: &Path) -> Result<(Tracker, SocketAddr)> {
    let store = SqliteStore::open(&database_in(folder)?).await?;
    Accounts::ensure_owner(&store, EMAIL, PASSWORD).await?;
    let tracker = Tracker::builder().project("checkout-api").store(store).build().await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let mut config = Config::default();
    config.allowed_targets = AllowedTargets::new(["127.0.0.1"])?;
    config.public_url = Some(format!("http://{address}{MOUNT}"));
    let pages = errtrack::web::router_with::<()>(&tracker, Access::accounts(), config);
    let app: Router = Router::new().nest_service(MOUNT, pages);
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok((tracker, address))
}

/// Sends the events of `events.json` as an SDK does, each several times over some hours up to now.
async fn report(path: &str, address: SocketAddr, folder: &Path) -> Result<()> {
    let text = std::fs::read_to_string(folder.join("events.json"))?;
    let kinds: Vec<Value> = serde_json::from_str(&text)?;
    let now = Timestamp::now();
    let mut events = Vec::new();
    for (kind, n) in kinds.iter().zip(1..) {
        let times = kind["times"].as_u64().context("times")?;
        let minutes = kind["over_hours"].as_u64().context("over_hours")? * 60;
        for i in 0..times {
            let share = if kind["rising"] == true { (i * i, times * times) } else { (i, times) };
            let back = minutes * share.0 / share.1 + (i * 37 + n * 11) % 23;
            let at = now.minus(Duration::from_secs(60 * back + n));
            events.push((at, event(kind, i, at)));
        }
    }
    // The oldest first, as they would come.
    events.sort_by_key(|(at, _)| *at);
    let mut client = Client::new(address);
    for (_, event) in events {
        let envelope = format!("{{}}\n{{\"type\":\"event\"}}\n{event}\n");
        let answer = client.post(path, envelope).await?;
        ensure!(answer.status.is_success(), "{}: {}", answer.status, answer.text());
    }
    Ok(())
}

/// One of the events of a kind: another user, server and release each time.
fn event(kind: &Value, i: u64, at: Timestamp) -> Value {
    let one_of = |name: &str| {
        let list = kind.get(name).and_then(Value::as_array).filter(|list| !list.is_empty())?;
        list.get(usize::try_from(i).ok()? % list.len()).cloned()
    };
    let mut event = kind.get("event").and_then(Value::as_object).cloned().unwrap_or_default();
    event.insert("event_id".into(), json!(EventId::random()));
    event.insert("timestamp".into(), json!(at));
    event.insert("server_name".into(), json!(one_of("servers")));
    event.insert("release".into(), json!(one_of("releases")));
    let users = kind.get("users").and_then(Value::as_u64).unwrap_or(0);
    if users > 0 && i > 0 {
        event.insert("user".into(), json!({ "id": format!("u_{}", 8_000 + i % users) }));
    }
    let mut event = Value::Object(event);
    let crumbs = event.pointer_mut("/breadcrumbs/values").and_then(Value::as_array_mut);
    for crumb in crumbs.into_iter().flatten().filter_map(Value::as_object_mut) {
        let before = crumb.remove("before_ms").and_then(|ms| ms.as_u64()).unwrap_or(0);
        crumb.insert("timestamp".into(), json!(at.minus(Duration::from_millis(before))));
    }
    event
}
