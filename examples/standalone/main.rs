//! The whole tracker as a server of its own: `cargo run --release --example standalone`.

mod config;

use axum::serve::ListenerExt;
use config::Config;
use errtrack::{
    SqlStore, Tracker,
    web::{self, Access, Accounts, Origins, Permissions},
};
use std::{
    error::Error,
    io::{self, IsTerminal, Write},
    net::SocketAddr,
    process::ExitCode,
    time::Duration,
};
use tokio::net::TcpListener;

/// Events are made on one thread and freed on another, which glibc's allocator is slow at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What may wait on the disk while the database is away.
const SPOOL_BYTES: u64 = 256 << 20;
/// How long requests may take to finish once the server is told to stop.
const LAST_REQUESTS: Duration = Duration::from_secs(10);

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "errtrack: {}", in_one_line(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let config = Config::load().map_err(|wrong| wrong.to_string())?;
    tracing_subscriber::fmt()
        .with_env_filter(format!("{},sqlx=warn", config.log_level))
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .init();

    let store = SqlStore::open(&config.database).await?;
    let tracker = Tracker::builder()
        .project("default")
        .environment(&config.environment)
        .retention(config.retention)
        .events_per_issue(config.events_per_issue)
        .spool(config.spool(), SPOOL_BYTES)
        .alert_emails(&config.alert_emails)
        .notifications_per_hour(config.notifications_per_hour)
        .store(store.clone())
        .build()
        .await?;

    let mut accounts = Access::accounts();
    for key in config.api_key.as_deref().into_iter().chain(config.development_key()) {
        accounts = accounts.key(key, Permissions::ALL);
    }
    let link = match &config.admin {
        Some(admin) => {
            Accounts::ensure_owner(&store, &admin.email, &admin.password).await?;
            None
        }
        None => Accounts::first_sign_in(&store).await?,
    };

    let address = SocketAddr::new(config.host, config.port);
    let listener = TcpListener::bind(address).await.map_err(|e| format!("cannot listen on {address}: {e}"))?;
    let address = listener.local_addr()?;
    let url = config.public_url.clone().unwrap_or_else(|| format!("http://{address}"));

    let mut web = web::Config::default();
    web.public_url = config.public_url.clone();
    web.max_body = config.max_body;
    web.ingest_origins = config.allowed_origins.clone();
    web.monitor = config.monitor.clone();
    web.allowed_targets = config.allowed_targets.clone();
    web.channels = config.channels.clone();
    web.dashboard_url = Some(url.clone());
    // It serves nothing else: its own requests are those that performance is about.
    web.count_own_requests = true;
    if let Origins::These(list) = &config.allowed_origins {
        web.api_origins = list.clone();
    }
    web.rate_limits = config.rate_limits;
    web.trusted_proxies = config.trusted_proxies.clone();
    web.redis = config.redis.clone();
    web.oidc = config.oidc.clone();
    let live = web.stop.clone();
    let router = web::router_with::<()>(&tracker, accounts, web);

    announce(&config, &url, tracker.project(), link.as_deref())?;
    let listener = listener.tap_io(|stream| {
        // An answer is one small write; waiting to fill a packet only delays it.
        let _ = stream.set_nodelay(true);
    });
    let (stop, mut stopping) = tokio::sync::watch::channel(());
    let server = axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>())
        .with_graceful_shutdown(async move { stopping.changed().await.unwrap_or(()) });
    let mut server = tokio::spawn(async move { server.await });
    tokio::select! {
        ended = &mut server => ended??,
        () = told_to_stop() => {
            let _ = stop.send(());
            live.stop();
            tracing::info!("stopping");
            // A client that never finishes does not hold the process.
            let _ = tokio::time::timeout(LAST_REQUESTS, &mut server).await;
        }
    }
    if !tracker.shutdown().await {
        tracing::error!("some events could be neither stored nor spooled in time");
    }
    errtrack::store::Upkeep::close(&store).await;
    Ok(())
}

/// Says where things are, on standard output.
fn announce(config: &Config, url: &str, project: &errtrack::Project, link: Option<&str>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let dsn = match url.split_once("://") {
        Some((scheme, rest)) => format!("{scheme}://{}@{rest}/{}", project.public_key(), project.id),
        None => String::new(),
    };
    writeln!(out, "errtrack {} is listening\n", env!("CARGO_PKG_VERSION"))?;
    writeln!(out, "  Dashboard  {url}/")?;
    match (&config.admin, link) {
        (Some(admin), _) => writeln!(out, "  Sign in    as {}, with ADMIN_PASSWORD", admin.email)?,
        (None, Some(token)) => writeln!(out, "  Sign in    {url}/login/{token} (works once, for a day)")?,
        (None, None) => writeln!(out, "  Sign in    with your e-mail address and password")?,
    }
    writeln!(out, "  DSN        {dsn}")?;
    if let Some(key) = config.development_key() {
        writeln!(out, "  API key    {key} (in development, on this machine only)")?;
    }
    writeln!(out, "  Data       {}\n", config.data())?;
    out.flush()
}

/// Returns at SIGTERM or Ctrl-C.
async fn told_to_stop() {
    let interrupted = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut terminated) => tokio::select! {
                _ = interrupted => {}
                _ = terminated.recv() => {}
            },
            Err(_) => drop(interrupted.await),
        }
    }
    #[cfg(not(unix))]
    drop(interrupted.await);
}

/// An error with those of its sources that say something more.
fn in_one_line(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let more = cause.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        source = cause.source();
    }
    text
}
