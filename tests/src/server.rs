//! The standalone example, built and run as its users run it.

use crate::Client;
use anyhow::{Context, Result, bail};
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    sync::OnceLock,
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    process::{Child, Command},
    time::timeout,
};

/// How long a server may take to start or to stop.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running standalone server. Killed when it is dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
    /// What it printed at its start.
    pub banner: String,
}

/// How a server ended.
#[derive(Debug)]
pub struct Exit {
    /// The exit code, if it was not killed.
    pub code: Option<i32>,
    /// What it wrote to standard error.
    pub errors: String,
}

impl Server {
    /// Starts a server in a folder, on a free port, with these variables and no others but, where they name no database,
    /// [`database_in`](crate::database_in) this folder, and no limits of requests where they name none. With a `PUBLIC_URL` they
    /// name the `PORT` too.
    ///
    /// # Errors
    /// It did not start; the error holds what it said.
    pub async fn start(folder: &Path, variables: &[(&str, &str)]) -> Result<Self> {
        let mut child = command(folder, variables)?.spawn()?;
        let output = child.stdout.take().context("standard output is a pipe")?;
        let mut lines = BufReader::new(output).lines();
        let mut banner = String::new();
        let address = timeout(PATIENCE, async {
            while let Some(line) = lines.next_line().await? {
                banner.push_str(&line);
                banner.push('\n');
                if line.trim_start().starts_with("Data ") {
                    break;
                }
            }
            // A public URL is printed in the place of the address; then the test has chosen a port.
            let port = variables.iter().find(|(name, _)| *name == "PORT").and_then(|(_, port)| port.parse().ok());
            if let Some(port) = port.filter(|port| *port != 0) {
                return Ok(SocketAddr::from(([127, 0, 0, 1], port)));
            }
            let listening = banner.lines().find_map(|l| l.trim().strip_prefix("Dashboard "));
            let url = listening.and_then(|u| u.trim().strip_prefix("http://")).unwrap_or_default();
            url.trim_end_matches('/').parse::<SocketAddr>().ok().context("no address")
        })
        .await;
        match address {
            Ok(Ok(address)) => {
                // Keep reading, so that a full pipe never stops the server.
                tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
                if let Some(mut errors) = child.stderr.take() {
                    tokio::spawn(async move { tokio::io::copy(&mut errors, &mut tokio::io::stderr()).await });
                }
                Ok(Self { child, address, banner })
            }
            _ => {
                let _ = child.start_kill();
                let mut errors = String::new();
                if let Some(mut pipe) = child.stderr.take() {
                    let _ = pipe.read_to_string(&mut errors).await;
                }
                bail!("the server did not start: {banner}{errors}")
            }
        }
    }

    /// Runs a server that is expected to end by itself.
    ///
    /// # Errors
    /// It did not end.
    pub async fn run(folder: &Path, variables: &[(&str, &str)]) -> Result<Exit> {
        let output = timeout(PATIENCE, command(folder, variables)?.output()).await??;
        Ok(Exit { code: output.status.code(), errors: String::from_utf8_lossy(&output.stderr).into_owned() })
    }

    /// A client of it that presents the development key.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::new(self.address).header("x-api-key", "test-api-key")
    }

    /// Kills it at once, as `kill -9` does.
    ///
    /// # Errors
    /// It had ended before.
    pub async fn kill(mut self) -> Result<()> {
        Ok(self.child.kill().await?)
    }

    /// Asks it to end, as `kill` does, and answers its exit code.
    ///
    /// # Errors
    /// It did not end in time.
    pub async fn terminate(mut self) -> Result<Option<i32>> {
        let id = self.child.id().context("it runs")?;
        Command::new("kill").arg(id.to_string()).status().await?;
        Ok(timeout(PATIENCE, self.child.wait()).await??.code())
    }

    /// The public key in the DSN that it printed.
    #[must_use]
    pub fn public_key(&self) -> Option<&str> {
        let dsn = self.banner.lines().find_map(|line| line.trim().strip_prefix("DSN "))?;
        dsn.trim().strip_prefix("http://")?.split('@').next()
    }

    /// The number of its process, while it runs.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Memory that it holds, in KiB; 0 where the system does not tell.
    #[must_use]
    pub fn memory(&self) -> u64 {
        let status = self.child.id().and_then(|id| std::fs::read_to_string(format!("/proc/{id}/status")).ok());
        let line = status.as_deref().and_then(|s| s.lines().find_map(|l| l.strip_prefix("VmRSS:")));
        line.and_then(|l| l.trim().trim_end_matches("kB").trim().parse().ok()).unwrap_or(0)
    }
}

fn command(folder: &Path, variables: &[(&str, &str)]) -> Result<Command> {
    let url = crate::database_in(folder)?;
    let postgres = Some(url)
        .filter(|url| url.starts_with("postgres:") && !variables.iter().any(|(name, _)| name.starts_with("DATABASE_")));
    let mut command = Command::new(example("standalone")?);
    // Tests send more than anybody should; what they promise of limits they say themselves.
    let unlimited = ["INGEST", "ANALYTICS", "API", "IP"].map(|name| (format!("RATE_LIMIT_{name}"), "0"));
    command
        .current_dir(folder)
        .env_clear()
        .env("PORT", "0")
        .envs(unlimited)
        .envs(postgres.map(|url| ("DATABASE_URL", url)))
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    Ok(command)
}

/// The path of an example, built in the profile of the test that asks.
///
/// # Errors
/// It cannot be built.
pub fn example(name: &str) -> Result<PathBuf> {
    static BUILT: OnceLock<Option<PathBuf>> = OnceLock::new();
    let built = BUILT.get_or_init(|| {
        let release = !cfg!(debug_assertions);
        // With the features of the whole workspace, as the tests are built: or every dependency would be built again.
        let arguments = ["--workspace", "--examples"].into_iter().chain(release.then_some("--release"));
        Some(build(arguments)?.join("examples"))
    });
    let folder = built.as_ref().context("the examples could not be built")?;
    Ok(folder.join(name))
}

/// The path of an example of errtrack-core, built so that a panic aborts it.
///
/// # Errors
/// It cannot be built.
pub fn aborting_example(name: &str) -> Result<PathBuf> {
    let profile = build(["--package", "errtrack-core", "--example", name, "--profile", "abort"]);
    let target = profile.as_deref().and_then(Path::parent).context("it could not be built")?;
    Ok(target.join("abort/examples").join(name))
}

/// Builds with cargo, and answers the folder of the profile of this test.
fn build<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Option<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = std::process::Command::new(cargo);
    let built = command.args(["build", "--quiet"]).args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).status();
    let own = std::env::current_exe().ok()?;
    // Tests lie in `deps`, beside `examples`; benchmarks lie one folder up.
    let profile = own.ancestors().find(|folder| folder.join("examples").is_dir())?;
    built.is_ok_and(|status| status.success()).then(|| profile.to_owned())
}
