//! A Redis server of a test's own, that can be stopped and made to hang.

use crate::skip;
use anyhow::{Result, bail};
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// A server that keeps nothing. Killed when it is dropped.
#[derive(Debug)]
pub struct Redis {
    folder: TempDir,
    address: SocketAddr,
    /// Where it listens with TLS, and its certificate (DER).
    secure: Option<(u16, Vec<u8>)>,
    child: Option<Child>,
}

impl Redis {
    /// Starts a server; `None`, and a line on standard error, where Redis is not installed.
    ///
    /// # Errors
    /// It does not start, or it is not installed although `ERRTRACK_REQUIRE_SERVICES=1` asks for it.
    pub fn start() -> Result<Option<Self>> {
        if Command::new("redis-server").arg("--version").stdout(Stdio::null()).status().is_err() {
            skip("a Redis server (redis-server)")?;
            return Ok(None);
        }
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let mut server = Self { folder: tempfile::tempdir()?, address, secure: None, child: None };
        server.start_again()?;
        Ok(Some(server))
    }

    /// The same, which also listens with TLS, by a certificate for `localhost` that nobody else has vouched for.
    ///
    /// # Errors
    /// As [`Redis::start`]; or it cannot do TLS.
    pub fn start_secure() -> Result<Option<Self>> {
        let Some(mut server) = Self::start()? else { return Ok(None) };
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
        std::fs::write(server.folder.path().join("cert.pem"), made.cert.pem())?;
        std::fs::write(server.folder.path().join("key.pem"), made.signing_key.serialize_pem())?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        server.secure = Some((port, made.cert.der().to_vec()));
        server.stop();
        server.start_again()?;
        Ok(Some(server))
    }

    /// Starts it after it was stopped, empty, and waits until it answers.
    ///
    /// # Errors
    /// It does not start.
    pub fn start_again(&mut self) -> Result<()> {
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--port", &self.address.port().to_string()]);
        command.args(["--save", "", "--appendonly", "no", "--dir"]).arg(self.folder.path()).stdout(Stdio::null());
        if let Some((port, _)) = &self.secure {
            command.args(["--tls-port", &port.to_string(), "--tls-auth-clients", "no"]);
            command.arg("--tls-cert-file").arg(self.folder.path().join("cert.pem"));
            command.arg("--tls-key-file").arg(self.folder.path().join("key.pem"));
            command.arg("--tls-ca-cert-file").arg(self.folder.path().join("cert.pem"));
        }
        self.child = Some(command.spawn()?);
        let start = Instant::now();
        while self.ask("PING").is_none_or(|answer| !answer.starts_with("+PONG")) {
            if start.elapsed() > Duration::from_secs(20) {
                bail!("redis-server does not answer");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// Kills it.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = (child.kill(), child.wait());
        }
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

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://{}/0", self.address)
    }

    /// Where it is with TLS, and the certificate (DER) to be trusted.
    ///
    /// # Errors
    /// It is one without.
    pub fn secure_url(&self) -> Result<(String, Vec<u8>)> {
        let Some((port, certificate)) = &self.secure else { bail!("it listens without TLS") };
        Ok((format!("rediss://localhost:{port}/0"), certificate.clone()))
    }

    /// What it answers to a command of one line, as it stands on the wire; `None` if it does not.
    #[must_use]
    pub fn ask(&self, command: &str) -> Option<String> {
        let mut stream = TcpStream::connect(self.address).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
        stream.write_all(format!("{command}\r\nQUIT\r\n").as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    }

    fn signal(&self, signal: &str) -> Result<()> {
        let Some(child) = &self.child else { bail!("Redis does not run") };
        let status = Command::new("kill").arg(format!("-{signal}")).arg(child.id().to_string()).status()?;
        anyhow::ensure!(status.success(), "it cannot be signalled");
        Ok(())
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.stop();
    }
}
