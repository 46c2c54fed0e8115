//! A mail server that somebody else has written (npm's `smtp-server`), and what it was given.

use crate::skip;
use anyhow::{Context, Result, ensure};
use rcgen::generate_simple_self_signed;
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    time::timeout,
};

/// How long it may take to start, and a mail to arrive.
const PATIENCE: Duration = Duration::from_secs(60);

/// Who may sign in.
const USER: &str = "errtrack";
const PASSWORD: &str = "p@ss+w/%";

/// How a server is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// Without TLS, which it does not offer.
    Plain,
    /// With STARTTLS.
    StartTls,
    /// In TLS from the first byte on.
    Tls,
    /// With STARTTLS, and a certificate that nobody trusts.
    Stranger,
}

/// A mail as it came.
#[derive(Debug, Clone, Deserialize)]
pub struct Mail {
    /// By which server.
    pub way: Way,
    /// Whether it came over TLS.
    pub secure: bool,
    /// Who had signed in.
    pub user: Option<String>,
    /// The sender of the envelope.
    pub from: String,
    /// The recipients of the envelope.
    pub to: Vec<String>,
    /// Headers by their names in small letters, decoded.
    pub headers: Vec<(String, String)>,
    /// The types of all of it and of its parts.
    pub parts: Vec<String>,
    /// The subject.
    pub subject: String,
    /// The part in plain text.
    pub text: String,
    /// The part in HTML.
    pub html: String,
}

impl Mail {
    /// The first header of that name.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.trim())
    }
}

/// That somebody signed in, or tried to.
#[derive(Debug, Clone, Deserialize)]
pub struct Login {
    /// At which server.
    pub way: Way,
    /// Whether that was over TLS.
    pub secure: bool,
    /// Whether the password was right.
    pub ok: bool,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "event", rename_all = "lowercase")]
enum Said {
    Ports {
        #[serde(flatten)]
        ports: BTreeMap<Way, u16>,
    },
    Login(Login),
    Mail(Box<Mail>),
}

#[derive(Debug, Default)]
struct Kept {
    mails: Vec<Mail>,
    logins: Vec<Login>,
}

/// Mail servers on this machine, one for each [`Way`]. Killed when they are dropped.
#[derive(Debug)]
pub struct MailServer {
    ports: BTreeMap<Way, u16>,
    kept: Arc<Mutex<Kept>>,
    folder: TempDir,
    _child: Child,
}

impl MailServer {
    /// Starts them; `None`, and a line on standard error, where Node or its packages are missing.
    ///
    /// # Errors
    /// They do not start, or something is missing although `ERRTRACK_REQUIRE_SERVICES=1` asks for it.
    pub async fn start() -> Result<Option<Self>> {
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("browser");
        if !program.join("node_modules/smtp-server").exists() {
            skip("a mail server (npm ci --prefix tests/browser)")?;
            return Ok(None);
        }
        let folder = tempfile::tempdir()?;
        for name in ["trusted", "stranger"] {
            let made = generate_simple_self_signed(["localhost".to_owned()])?;
            fs::write(folder.path().join(format!("{name}.pem")), made.cert.pem())?;
            fs::write(folder.path().join(format!("{name}.key")), made.signing_key.serialize_pem())?;
        }
        let mut node = Command::new("node");
        node.arg("smtp.mjs").current_dir(&program).kill_on_drop(true).stdin(Stdio::piped()).stdout(Stdio::piped());
        node.env("FOLDER", folder.path()).env("MAIL_USER", USER).env("MAIL_PASSWORD", PASSWORD);
        let mut child = node.spawn()?;
        let mut lines = BufReader::new(child.stdout.take().context("standard output is a pipe")?).lines();
        let first = timeout(PATIENCE, lines.next_line()).await??.context("the mail server does not start")?;
        let Said::Ports { ports } = serde_json::from_str(&first)? else { anyhow::bail!("no ports: {first}") };
        let kept = Arc::default();
        tokio::spawn(listen(lines, Arc::clone(&kept)));
        Ok(Some(Self { ports, kept, folder, _child: child }))
    }

    /// Its address as a setting, with the right password: `smtp://…`.
    #[must_use]
    pub fn url(&self, way: Way) -> String {
        self.url_with(way, PASSWORD, if matches!(way, Way::StartTls | Way::Stranger) { "?tls=required" } else { "" })
    }

    /// The same with another password, and that at its end.
    #[must_use]
    pub fn url_with(&self, way: Way, password: &str, tls: &str) -> String {
        let password = password.replace('%', "%25").replace('@', "%40").replace('/', "%2F");
        let scheme = if way == Way::Tls { "smtps" } else { "smtp" };
        let port = self.ports.get(&way).copied().unwrap_or_default();
        format!("{scheme}://{USER}:{password}@localhost:{port}{tls}")
    }

    /// The file of the certificate that all but the stranger show, for `SSL_CERT_FILE`.
    #[must_use]
    pub fn certificate(&self) -> PathBuf {
        self.folder.path().join("trusted.pem")
    }

    /// What has arrived, in that order.
    #[must_use]
    pub fn mails(&self) -> Vec<Mail> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).mails.clone()
    }

    /// Who has signed in, or tried to.
    #[must_use]
    pub fn logins(&self) -> Vec<Login> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).logins.clone()
    }

    /// Waits for mails that are right, and answers them.
    ///
    /// # Errors
    /// Fewer have arrived within a minute.
    pub async fn wait_for(&self, what: &str, count: usize, is_right: impl Fn(&Mail) -> bool) -> Result<Vec<Mail>> {
        let start = Instant::now();
        loop {
            let mut found = self.mails();
            found.retain(&is_right);
            if found.len() >= count {
                return Ok(found);
            }
            let all: Vec<_> = self.mails().into_iter().map(|mail| (mail.to, mail.subject)).collect();
            ensure!(start.elapsed() < PATIENCE, "{} of {count} {what} have arrived; {all:#?}", found.len());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

async fn listen(mut lines: Lines<BufReader<ChildStdout>>, kept: Arc<Mutex<Kept>>) {
    while let Ok(Some(line)) = lines.next_line().await {
        let said = serde_json::from_str(&line);
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        match said {
            Ok(Said::Mail(mail)) => kept.mails.push(*mail),
            Ok(Said::Login(login)) => kept.logins.push(login),
            Ok(Said::Ports { .. }) => {}
            Err(error) => eprintln!("the mail server says {line}: {error}"),
        }
    }
}
