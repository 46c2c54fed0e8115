//! One look at a service: does it answer?

use errtrack_core::AllowedTargets;
use std::{
    fmt,
    net::SocketAddr,
    str::FromStr,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, lookup_host},
    time::timeout,
};

/// How long one look may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Bytes of an answer that are read: the line with its status.
const LINE: usize = 256;
/// The longest name.
const LONGEST: usize = 100;

/// A service that is watched: `shop=https://shop.example.com/health`, `db=tcp://10.0.0.5:5432`.
///
/// Of `http`, an answer below 400 means that it is well; redirects are answers and are not followed. Of `tcp`, a connection
/// does. `https` is not built in: the state of such a service is `unknown`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub(super) name: String,
    url: String,
    scheme: Scheme,
    host: String,
    port: u16,
    path: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Http,
    Https,
    Tcp,
}

/// The error of a target that is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidTarget(&'static str);

impl fmt::Display for InvalidTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for InvalidTarget {}

/// Why a service is not known to be well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// It was looked for, and did not answer as it should.
    Failed(String),
    /// It cannot be looked for.
    Unknown(&'static str),
}

impl FromStr for Target {
    type Err = InvalidTarget;

    fn from_str(text: &str) -> Result<Self, InvalidTarget> {
        let (name, url) = text.split_once('=').ok_or(InvalidTarget("name=url"))?;
        let (name, url) = (name.trim(), url.trim());
        if name.is_empty() || name.len() > LONGEST || name.chars().any(char::is_control) {
            return Err(InvalidTarget("a name of 1 to 100 bytes before the ="));
        }
        const WHAT: &str = "name=url with a url like http://host/path, https://host/path or tcp://host:port";
        let (scheme, rest) = url.split_once("://").ok_or(InvalidTarget(WHAT))?;
        let (scheme, port) = match scheme {
            "http" => (Scheme::Http, Some(80)),
            "https" => (Scheme::Https, Some(443)),
            "tcp" => (Scheme::Tcp, None),
            _ => return Err(InvalidTarget(WHAT)),
        };
        let cut = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(cut).ok_or(InvalidTarget(WHAT))?;
        let path = path.split('#').next().unwrap_or_default();
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        // What stands before an @ is a password, which is for nobody to see here.
        if authority.contains('@') || url.chars().any(|c| c.is_control() || c == ' ') {
            return Err(InvalidTarget("a url without a user and blanks"));
        }
        let (host, given) = match authority.strip_prefix('[') {
            Some(rest) => {
                let (host, port) = rest.split_once(']').ok_or(InvalidTarget(WHAT))?;
                (host, if port.is_empty() { None } else { Some(port.strip_prefix(':').ok_or(InvalidTarget(WHAT))?) })
            }
            None => authority.rsplit_once(':').map_or((authority, None), |(host, port)| (host, Some(port))),
        };
        let port = match given {
            Some(port) => port.parse().ok().filter(|port| *port > 0),
            None => port,
        };
        if host.is_empty() {
            return Err(InvalidTarget(WHAT));
        }
        let port = port.ok_or(InvalidTarget("a url with a port from 1 to 65535"))?;
        Ok(Self { name: name.to_owned(), url: url.to_owned(), scheme, host: host.to_owned(), port, path })
    }
}

impl Target {
    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it is, without what may be secret in a query.
    pub(super) fn shown_url(&self) -> &str {
        self.url.split(['?', '#']).next().unwrap_or_default()
    }

    /// Looks; answers how long it took.
    pub(super) async fn check(&self, allowed: &AllowedTargets) -> Result<Duration, Trouble> {
        if self.scheme == Scheme::Https {
            return Err(Trouble::Unknown("https checks are not built into this program"));
        }
        let start = Instant::now();
        match timeout(PATIENCE, self.ask(allowed)).await {
            Ok(Ok(())) => Ok(start.elapsed()),
            Ok(Err(why)) => Err(Trouble::Failed(why)),
            Err(_) => Err(Trouble::Failed(format!("no answer within {} s", PATIENCE.as_secs()))),
        }
    }

    async fn ask(&self, allowed: &AllowedTargets) -> Result<(), String> {
        let found = lookup_host((self.host.as_str(), self.port)).await;
        let found = found.map_err(|error| format!("the host is not found: {error}"))?;
        // The address that was looked at is the one that is connected to.
        let open: Vec<SocketAddr> = found.filter(|address| allowed.allows(&self.host, address.ip())).collect();
        if open.is_empty() {
            return Err("its address is private: ALLOWED_TARGETS does not name it".to_owned());
        }
        let connecting = TcpStream::connect(open.as_slice()).await;
        let mut stream = connecting.map_err(|error| format!("no connection: {error}"))?;
        if self.scheme == Scheme::Tcp {
            return Ok(());
        }
        let broke = |error| format!("the connection broke: {error}");
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let port = if self.port == 80 { String::new() } else { format!(":{}", self.port) };
        let request = format!(
            "GET {} HTTP/1.1\r\nHost: {host}{port}\r\nUser-Agent: errtrack/{}\r\nAccept: */*\r\nConnection: close\r\n\r\n",
            self.path,
            env!("CARGO_PKG_VERSION")
        );
        stream.write_all(request.as_bytes()).await.map_err(broke)?;
        let mut line = Vec::with_capacity(LINE);
        while line.len() < LINE && !line.contains(&b'\n') {
            if stream.read_buf(&mut line).await.map_err(broke)? == 0 {
                break;
            }
        }
        match status(&line) {
            Some(status) if status < 400 => Ok(()),
            Some(status) => Err(format!("it answers {status}")),
            None => Err("it does not answer in HTTP".to_owned()),
        }
    }
}

/// The status in the first line of an answer.
fn status(answer: &[u8]) -> Option<u16> {
    let line = answer.split(|byte| matches!(byte, b'\r' | b'\n')).next()?;
    let (version, rest) = std::str::from_utf8(line).ok()?.split_once(' ')?;
    let status = rest.split(' ').next()?.parse().ok().filter(|status| (100..600).contains(status))?;
    version.starts_with("HTTP/1.").then_some(status)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    #[test]
    fn targets_are_names_and_urls() {
        let target: Target = " shop = http://shop.example.com/health?x=1 ".parse().unwrap();
        assert_eq!((target.name.as_str(), target.host.as_str(), target.port), ("shop", "shop.example.com", 80));
        assert_eq!((target.path.as_str(), target.shown_url()), ("/health?x=1", "http://shop.example.com/health"));
        let target: Target = "db=tcp://[::1]:5432".parse().unwrap();
        assert_eq!((target.host.as_str(), target.port), ("::1", 5432));
        assert_eq!("q=http://h?x".parse::<Target>().unwrap().path, "/?x");
        for wrong in [
            "",
            "shop",
            "=http://h",
            "a=ftp://h",
            "a=http://",
            "a=tcp://h",
            "a=http://h:0",
            "a=http://h:99999",
            "a=http://u:p@h/",
            "a=http://h/\r\nX: y",
            "a=http://[::1",
            "a=http://h:x",
        ] {
            assert!(wrong.parse::<Target>().is_err(), "{wrong}");
        }
    }

    /// A server that answers the first who asks.
    async fn serving(answer: &'static str) -> (u16, tokio::task::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let served = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 1024];
            let length = stream.read(&mut request).await.unwrap();
            stream.write_all(answer.as_bytes()).await.unwrap();
            String::from_utf8_lossy(&request[..length]).into_owned()
        });
        (port, served)
    }

    async fn check(url: &str, allowed: &[&str]) -> Result<(), Trouble> {
        let target: Target = format!("x={url}").parse().unwrap();
        target.check(&AllowedTargets::new(allowed).unwrap()).await.map(drop)
    }

    #[tokio::test]
    async fn an_answer_below_400_is_well() {
        for (answer, well) in [
            ("HTTP/1.1 200 OK\r\n\r\n", true),
            ("HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\n\r\n", true),
            ("HTTP/1.1 503 Service Unavailable\r\n\r\n", false),
            ("220 mail ready\r\n", false),
        ] {
            let (port, served) = serving(answer).await;
            let result = check(&format!("http://localhost:{port}/health?deep=1"), &["127.0.0.1", "::1"]).await;
            assert_eq!(result.is_ok(), well, "{answer}: {result:?}");
            let request = served.await.unwrap();
            assert!(request.starts_with("GET /health?deep=1 HTTP/1.1\r\nHost: localhost"), "{request}");
        }
    }

    #[tokio::test]
    async fn a_port_that_takes_connections_is_well() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        assert_eq!(check(&format!("tcp://127.0.0.1:{port}"), &["127.0.0.0/8"]).await, Ok(()));
        drop(listener);
        assert!(check(&format!("tcp://127.0.0.1:{port}"), &["127.0.0.0/8"]).await.is_err());
    }

    #[tokio::test]
    async fn what_is_private_is_not_reached_unless_it_is_allowed() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"] {
            let Err(Trouble::Failed(why)) = check(&format!("http://{host}:{port}/"), &[]).await else {
                panic!("{host} was reached");
            };
            assert!(why.contains("ALLOWED_TARGETS"), "{host}: {why}");
        }
        let reached = timeout(Duration::from_millis(50), listener.accept()).await;
        assert!(reached.is_err(), "nobody connected");
        assert_eq!(check(&format!("tcp://localhost:{port}"), &["LOCALHOST"]).await, Ok(()));
        assert!(matches!(check("https://example.com/", &[]).await, Err(Trouble::Unknown(_))));
    }
}
