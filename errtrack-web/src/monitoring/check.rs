//! One look at a service: does it answer?

use errtrack_outgoing::{AllowedTargets, Outgoing, OutgoingError, Question};
use std::{
    error::Error as _,
    fmt,
    str::FromStr,
    time::{Duration, Instant},
};

/// How long one look may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Bytes of an answer's body that are read; what is longer is no sign of trouble.
const MOST: usize = 4 << 10;
/// The longest name.
const LONGEST: usize = 100;

/// A service that is watched: `shop=https://shop.example.com/health`, `db=tcp://10.0.0.5:5432`.
///
/// Of `http` and `https`, an answer below 400 means that it is well; redirects are answers and are not followed. Of `tcp`, a
/// connection does. Without a feature `tls-…` the state of an `https` service is `unknown`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub(super) name: String,
    url: String,
    scheme: Scheme,
    host: String,
    port: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Web,
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
            "http" => (Scheme::Web, Some(80)),
            "https" => (Scheme::Web, Some(443)),
            "tcp" => (Scheme::Tcp, None),
            _ => return Err(InvalidTarget(WHAT)),
        };
        let cut = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, _) = rest.split_at_checked(cut).ok_or(InvalidTarget(WHAT))?;
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
        Ok(Self { name: name.to_owned(), url: url.to_owned(), scheme, host: host.to_owned(), port })
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
    pub(super) async fn check(&self, outgoing: &Outgoing) -> Result<Duration, Trouble> {
        let start = Instant::now();
        let status = match self.scheme {
            Scheme::Tcp => outgoing.reach(&self.host, self.port).await.map(|()| None),
            Scheme::Web => outgoing.send(Question::get(&self.url)).await.map(|answer| Some(answer.status)),
        };
        match status {
            Ok(Some(status)) if status >= 400 => Err(Trouble::Failed(format!("it answers {status}"))),
            Ok(_) => Ok(start.elapsed()),
            Err(OutgoingError::WithoutTls) => Err(Trouble::Unknown("https checks are not built into this program")),
            Err(OutgoingError::Broken(_)) => Err(Trouble::Failed("it does not answer in HTTP".into())),
            Err(error) => Err(Trouble::Failed(match error.source() {
                Some(cause) => format!("{error}: {cause}"),
                None => error.to_string(),
            })),
        }
    }
}

/// What looks at services.
pub(super) fn outgoing(allowed: AllowedTargets) -> Outgoing {
    Outgoing::with(allowed, PATIENCE, MOST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use tokio::{
        io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
        net::TcpListener,
        task::JoinHandle,
    };
    use tokio_rustls::{
        TlsAcceptor,
        rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer},
    };

    #[test]
    fn targets_are_names_and_urls() {
        let target: Target = " shop = http://shop.example.com/health?x=1 ".parse().unwrap();
        assert_eq!((target.name.as_str(), target.host.as_str(), target.port), ("shop", "shop.example.com", 80));
        assert_eq!(target.shown_url(), "http://shop.example.com/health");
        let target: Target = "db=tcp://[::1]:5432".parse().unwrap();
        assert_eq!((target.host.as_str(), target.port), ("::1", 5432));
        assert!("q=http://h?x".parse::<Target>().is_ok());
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

    async fn listener() -> (TcpListener, u16) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        (listener, port)
    }

    /// Answers a request and tells what it was.
    async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, answer: &str) -> String {
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            assert!(stream.read_buf(&mut request).await.unwrap() > 0, "the request ended early");
        }
        stream.write_all(answer.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        String::from_utf8(request).unwrap()
    }

    /// A server that answers the first who asks.
    async fn serving(answer: &'static str) -> (u16, JoinHandle<String>) {
        let (listener, port) = listener().await;
        (port, tokio::spawn(async move { serve(listener.accept().await.unwrap().0, answer).await }))
    }

    async fn check(url: &str, allowed: &[&str]) -> Result<(), Trouble> {
        check_by(url, &outgoing(AllowedTargets::new(allowed).unwrap())).await
    }

    async fn check_by(url: &str, outgoing: &Outgoing) -> Result<(), Trouble> {
        let target: Target = format!("x={url}").parse().unwrap();
        target.check(outgoing).await.map(drop)
    }

    #[tokio::test]
    async fn an_answer_below_400_is_well_and_redirects_are_not_followed() {
        for (answer, trouble) in [
            ("HTTP/1.1 200 OK\r\n\r\n", None),
            // Whoever followed it would be told that the address is private.
            ("HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\n\r\n", None),
            ("HTTP/1.1 503 Service Unavailable\r\n\r\n", Some("it answers 503")),
            ("220 mail ready\r\n", Some("it does not answer in HTTP")),
        ] {
            let (port, served) = serving(answer).await;
            let result = check(&format!("http://localhost:{port}/health?deep=1"), &["127.0.0.1", "::1"]).await;
            let expected = trouble.map_or(Ok(()), |why| Err(Trouble::Failed(why.to_owned())));
            assert_eq!(result, expected, "{answer}");
            let request = served.await.unwrap();
            assert!(request.starts_with("GET /health?deep=1 HTTP/1.1\r\n"), "{request}");
        }
    }

    #[tokio::test]
    async fn https_is_well_only_where_the_certificate_is_trusted() {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(ring::default_provider().into());
        let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        let config = config.with_single_cert(vec![made.cert.der().clone()], key).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let (listener, port) = listener().await;
        tokio::spawn(async move {
            let mut answers = ["HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 500 Broken\r\n\r\n"].into_iter();
            loop {
                if let Ok(stream) = acceptor.accept(listener.accept().await.unwrap().0).await {
                    serve(stream, answers.next().unwrap()).await;
                }
            }
        });
        let url = format!("https://localhost:{port}/health");
        let Err(Trouble::Failed(why)) = check(&url, &["localhost"]).await else { panic!("it was trusted") };
        assert!(why.starts_with("no connection: ") && why.contains("certificate"), "{why}");
        let outgoing = outgoing(AllowedTargets::new(["localhost"]).unwrap()).trusting([made.cert.der().to_vec()]);
        assert_eq!(check_by(&url, &outgoing).await, Ok(()));
        assert_eq!(check_by(&url, &outgoing).await, Err(Trouble::Failed("it answers 500".into())));
    }

    #[tokio::test]
    async fn who_does_not_answer_is_not_well() {
        let (_silent, port) = listener().await;
        let hasty = Outgoing::with(AllowedTargets::new(["127.0.0.1"]).unwrap(), Duration::from_millis(50), MOST);
        let result = check_by(&format!("http://127.0.0.1:{port}/"), &hasty).await;
        assert!(matches!(&result, Err(Trouble::Failed(why)) if why.starts_with("no answer within")), "{result:?}");
    }

    #[tokio::test]
    async fn a_port_that_takes_connections_is_well() {
        let (listener, port) = listener().await;
        assert_eq!(check(&format!("tcp://127.0.0.1:{port}"), &["127.0.0.0/8"]).await, Ok(()));
        drop(listener);
        assert!(check(&format!("tcp://127.0.0.1:{port}"), &["127.0.0.0/8"]).await.is_err());
    }

    #[tokio::test]
    async fn what_is_private_is_not_reached_unless_it_is_allowed() {
        let (_listener, port) = listener().await;
        for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"] {
            let Err(Trouble::Failed(why)) = check(&format!("http://{host}:{port}/"), &[]).await else {
                panic!("{host} was reached");
            };
            assert!(why.contains("ALLOWED_TARGETS"), "{host}: {why}");
        }
        assert_eq!(check(&format!("tcp://localhost:{port}"), &["LOCALHOST"]).await, Ok(()));
    }
}
