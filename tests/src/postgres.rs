//! PostgreSQL: a server of a test's own, that can be stopped, killed and made to hang, or a database on one that is there.

use crate::skip;
use anyhow::{Context, Result, ensure};
use std::{
    ffi::OsString,
    fs,
    io::{Read, Seek},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::atomic::{AtomicU32, Ordering::Relaxed},
};
use tempfile::TempDir;

/// The account that owns everything on a server of ours.
const OWNER: &str = "errtrack";

static DATABASES: AtomicU32 = AtomicU32::new(0);

/// A server with the durability that production has. Killed and deleted when it is dropped.
#[derive(Debug)]
pub struct Postgres {
    folder: TempDir,
    programs: PathBuf,
    port: u16,
}

impl Postgres {
    /// Starts a server; `None`, and a line on standard error, where PostgreSQL is not installed.
    ///
    /// # Errors
    /// It does not start, or it is not installed although `ERRTRACK_REQUIRE_SERVICES=1` asks for it.
    pub fn start() -> Result<Option<Self>> {
        let Some(programs) = programs() else {
            skip("a PostgreSQL server (initdb)")?;
            return Ok(None);
        };
        let folder = tempfile::tempdir()?;
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let server = Self { folder, programs, port };
        if is_root() {
            run(Command::new("chown").arg("postgres:postgres").arg(server.folder.path()))?;
        }
        let data = server.data();
        run(server.program("initdb").arg("-D").arg(&data).args([
            "-U",
            OWNER,
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
        ]))?;
        server.start_again()?;
        Ok(Some(server))
    }

    /// Starts it after it was stopped or killed, and waits until it answers.
    ///
    /// # Errors
    /// It does not start; the error holds its log.
    pub fn start_again(&self) -> Result<()> {
        let (data, log) = (self.data(), self.folder.path().join("log"));
        let socket = self.folder.path().display();
        let options = format!("-p {} -k {socket} -c listen_addresses=127.0.0.1 -c max_connections=200", self.port);
        let mut command = self.program("pg_ctl");
        command.arg("-D").arg(&data).arg("-l").arg(&log).args(["-w", "-t", "60", "-o", &options, "start"]);
        run(&mut command).with_context(|| fs::read_to_string(&log).unwrap_or_default())
    }

    /// Stops it, as an administrator would who does not wait for clients.
    ///
    /// # Errors
    /// It does not stop.
    pub fn stop(&self) -> Result<()> {
        run(self.program("pg_ctl").arg("-D").arg(self.data()).args(["-w", "-m", "fast", "stop"]))
    }

    /// Kills all its processes at once, as `kill -9` or a power cut would.
    ///
    /// # Errors
    /// It does not run.
    pub fn kill(&self) -> Result<()> {
        self.signal("KILL")?;
        // Its marks that it runs would keep it from starting again until somebody has reaped the process.
        let socket = self.folder.path().join(format!(".s.PGSQL.{}.lock", self.port));
        let _ = (fs::remove_file(self.data().join("postmaster.pid")), fs::remove_file(socket));
        Ok(())
    }

    /// Makes it hang: it keeps its connections and answers nobody.
    ///
    /// # Errors
    /// It does not run.
    pub fn pause(&self) -> Result<()> {
        self.signal("STOP")
    }

    /// Lets it go on.
    ///
    /// # Errors
    /// It does not run.
    pub fn resume(&self) -> Result<()> {
        self.signal("CONT")
    }

    /// The URL of a new, empty database on it.
    ///
    /// # Errors
    /// It does not answer.
    pub fn database(&self) -> Result<String> {
        new_database(&self.programs, &self.url("postgres"))
    }

    /// What a statement answers, as text.
    ///
    /// # Errors
    /// It fails.
    pub fn query(&self, url: &str, sql: &str) -> Result<String> {
        psql(&self.programs, url, sql)
    }

    /// The number of its main process.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        let text = fs::read_to_string(self.data().join("postmaster.pid")).ok()?;
        text.lines().next()?.trim().parse().ok()
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://{OWNER}@127.0.0.1:{}/{database}", self.port)
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn signal(&self, signal: &str) -> Result<()> {
        let main = self.id().context("PostgreSQL does not run")?;
        // Those that serve connections are its children.
        let children = fs::read_to_string(format!("/proc/{main}/task/{main}/children")).unwrap_or_default();
        run(Command::new("kill").arg(format!("-{signal}")).arg(main.to_string()))?;
        // One whose client has just left may be gone meanwhile.
        let mut command = Command::new("kill");
        command.arg(format!("-{signal}")).args(children.split_whitespace()).stderr(Stdio::null());
        command.status().map(drop).map_err(Into::into)
    }

    /// One of its programs, as the user that it must run as: it refuses to run as root.
    fn program(&self, name: &str) -> Command {
        let path = self.programs.join(name);
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(path);
            command
        } else {
            Command::new(path)
        };
        command.current_dir("/");
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let _ = self.resume();
        let _ = run(self.program("pg_ctl").arg("-D").arg(self.data()).args(["-m", "immediate", "stop"]));
    }
}

/// A database for one test: a SQLite file or a database in PostgreSQL, gone when it is dropped.
#[derive(Debug)]
pub struct Database {
    /// `sqlite://…` or `postgres://…`.
    pub url: String,
    /// A folder that lives as long.
    pub folder: TempDir,
    /// To drop it: where the programs are, and the server's own database.
    server: Option<(PathBuf, String)>,
}

impl Database {
    /// A SQLite file.
    ///
    /// # Errors
    /// There is no room for a folder.
    pub fn sqlite() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        Ok(Self { url: format!("sqlite://{}", folder.path().join("errors.db").display()), folder, server: None })
    }

    /// An empty database on the server that `ERRTRACK_TEST_POSTGRES` names; `None`, and a line on standard error, where
    /// there is none.
    ///
    /// # Errors
    /// The server does not answer, or there is none although `ERRTRACK_REQUIRE_SERVICES=1` asks for it.
    pub fn postgres() -> Result<Option<Self>> {
        let (Ok(server), Some(programs)) = (std::env::var("ERRTRACK_TEST_POSTGRES"), programs()) else {
            skip("PostgreSQL (ERRTRACK_TEST_POSTGRES)")?;
            return Ok(None);
        };
        let url = new_database(&programs, &server)?;
        Ok(Some(Self { url, folder: tempfile::tempdir()?, server: Some((programs, server)) }))
    }

    /// What a statement answers in PostgreSQL, as text.
    ///
    /// # Errors
    /// It fails, or this is no PostgreSQL.
    pub fn query(&self, sql: &str) -> Result<String> {
        let (programs, _) = self.server.as_ref().context("only PostgreSQL is asked")?;
        psql(programs, &self.url, sql)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Some((programs, server)) = &self.server {
            let name = self.url.rsplit('/').next().and_then(|name| name.split('?').next()).unwrap_or_default();
            let _ = psql(programs, server, &format!("DROP DATABASE IF EXISTS \"{name}\" WITH (FORCE)"));
        }
    }
}

/// Where the journeys of a folder keep their events: in a SQLite file in it or, with `ERRTRACK_TEST_DATABASE=postgres`, in a
/// database of their own on the server that `ERRTRACK_TEST_POSTGRES` names. The same folder answers the same place.
///
/// # Errors
/// The server does not answer.
pub fn database_in(folder: &Path) -> Result<String> {
    if std::env::var_os("ERRTRACK_TEST_DATABASE").is_none_or(|name| name != "postgres") {
        return Ok(format!("sqlite://{}", folder.join("data/errtrack.db").display()));
    }
    let note = folder.join("database-url");
    if let Ok(url) = fs::read_to_string(&note) {
        return Ok(url);
    }
    let server = std::env::var("ERRTRACK_TEST_POSTGRES").context("ERRTRACK_TEST_POSTGRES is not set")?;
    let url = new_database(&programs().context("PostgreSQL's programs are not here")?, &server)?;
    fs::write(note, &url)?;
    Ok(url)
}

fn new_database(programs: &Path, server: &str) -> Result<String> {
    let number = DATABASES.fetch_add(1, Relaxed);
    let name = format!("errtrack_{}_{number}", std::process::id());
    psql(programs, server, &format!("CREATE DATABASE {name}"))?;
    let (before, query) = server.split_once('?').map_or((server, None), |(before, query)| (before, Some(query)));
    let (authority, _) = before.rsplit_once('/').context("the URL of the server names a database")?;
    Ok(query.map_or_else(|| format!("{authority}/{name}"), |query| format!("{authority}/{name}?{query}")))
}

fn psql(programs: &Path, url: &str, sql: &str) -> Result<String> {
    let output = Command::new(programs.join("psql"))
        .args(["-qAtX", "-v", "ON_ERROR_STOP=1", "-c", sql, url])
        .stdin(Stdio::null())
        .output()?;
    ensure!(output.status.success(), "psql: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

/// Where PostgreSQL's programs are: in `PGBIN`, in Debian's folders (the newest), or in `PATH`.
fn programs() -> Option<PathBuf> {
    let given = std::env::var_os("PGBIN").map(PathBuf::from);
    let mut debian: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .map(|versions| versions.flatten().map(|version| version.path().join("bin")).collect())
        .unwrap_or_default();
    debian.sort();
    let path: OsString = std::env::var_os("PATH").unwrap_or_default();
    let all = given.into_iter().chain(debian.into_iter().rev()).chain(std::env::split_paths(&path));
    all.into_iter().find(|folder| folder.join("initdb").is_file())
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0)
}

fn run(command: &mut Command) -> Result<()> {
    // Not to pipes: pg_ctl leaves a server behind that would keep them open.
    let said = tempfile::tempfile()?;
    let status = command.stdin(Stdio::null()).stdout(said.try_clone()?).stderr(said.try_clone()?).status()?;
    let mut text = String::new();
    (&said).rewind()?;
    (&said).read_to_string(&mut text)?;
    ensure!(status.success(), "{command:?} failed with {status}: {text}");
    Ok(())
}
