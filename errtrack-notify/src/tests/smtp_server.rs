//! A mail server (RFC 5321) that keeps what it is given: plain, with STARTTLS, or in TLS from the first byte on.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    net::TcpListener,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer},
};

/// A mail as it came.
#[derive(Debug, Clone, Default)]
pub(super) struct Mail {
    pub(super) from: String,
    pub(super) to: Vec<String>,
    /// Whether it came by TLS.
    pub(super) secure: bool,
    /// What `AUTH PLAIN` said, in base64.
    pub(super) login: Option<String>,
    pub(super) data: String,
}

impl Mail {
    /// A header, unfolded.
    pub(super) fn header(&self, name: &str) -> Option<String> {
        let head = self.data.split("\r\n\r\n").next().unwrap().replace("\r\n ", " ");
        let start = format!("{name}: ").to_lowercase();
        head.lines()
            .find(|line| line.to_lowercase().starts_with(&start))
            .map(|line| line.get(start.len()..).unwrap().to_owned())
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Safety {
    Plain,
    StartTls,
    Tls,
}

#[derive(Clone)]
pub(super) struct SmtpServer {
    pub(super) port: u16,
    /// The certificate that it shows, as PEM.
    pub(super) certificate: String,
    safety: Safety,
    acceptor: TlsAcceptor,
    mails: Arc<Mutex<Vec<Mail>>>,
    /// What it says to the next recipients, in the place of 250.
    refusals: Arc<Mutex<VecDeque<&'static str>>>,
}

impl SmtpServer {
    pub(super) async fn start(safety: Safety) -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(ring::default_provider().into());
        let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        let config = config.with_single_cert(vec![made.cert.der().clone()], key).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            port: listener.local_addr().unwrap().port(),
            certificate: made.cert.pem(),
            safety,
            acceptor: TlsAcceptor::from(Arc::new(config)),
            mails: Arc::default(),
            refusals: Arc::default(),
        };
        let running = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let server = running.clone();
                tokio::spawn(async move {
                    match server.safety {
                        Safety::Tls => {
                            let Ok(stream) = server.acceptor.accept(stream).await else { return };
                            server.serve(stream, true, true).await;
                        }
                        _ => {
                            let Some(stream) = server.serve(stream, false, true).await else { return };
                            let Ok(stream) = server.acceptor.accept(stream).await else { return };
                            server.serve(stream, true, false).await;
                        }
                    }
                });
            }
        });
        server
    }

    pub(super) fn refuse(&self, answers: &[&'static str]) {
        self.refusals.lock().unwrap().extend(answers);
    }

    pub(super) fn mails(&self) -> Vec<Mail> {
        self.mails.lock().unwrap().clone()
    }

    /// Talks until the other side is done; answers the stream when it is to become TLS.
    async fn serve<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: S, secure: bool, greets: bool) -> Option<S> {
        let mut stream = BufReader::new(stream);
        if greets {
            stream.write_all(b"220 mail.example.com ready\r\n").await.ok()?;
        }
        let mut mail = Mail { secure, ..Mail::default() };
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await.ok()? == 0 {
                return None;
            }
            let line = line.trim_end().to_owned();
            let verb = line.split([' ', ':']).next().unwrap().to_uppercase();
            let answer = match verb.as_str() {
                "EHLO" if self.safety == Safety::StartTls && !secure => {
                    "250-mail.example.com\r\n250-AUTH PLAIN\r\n250 STARTTLS".to_owned()
                }
                "EHLO" => "250-mail.example.com\r\n250 AUTH PLAIN".to_owned(),
                "STARTTLS" if self.safety == Safety::StartTls => {
                    stream.write_all(b"220 go ahead\r\n").await.ok()?;
                    return Some(stream.into_inner());
                }
                "AUTH" => {
                    mail.login = line.split(' ').nth(2).map(str::to_owned);
                    "235 welcome".to_owned()
                }
                "MAIL" => {
                    mail.from = address(&line);
                    "250 fine".to_owned()
                }
                "RCPT" => match self.refusals.lock().unwrap().pop_front() {
                    Some(refusal) => refusal.to_owned(),
                    None => {
                        mail.to.push(address(&line));
                        "250 fine".to_owned()
                    }
                },
                "DATA" => {
                    stream.write_all(b"354 go on\r\n").await.ok()?;
                    loop {
                        let mut line = String::new();
                        stream.read_line(&mut line).await.ok()?;
                        if line == ".\r\n" {
                            break;
                        }
                        mail.data += line.strip_prefix('.').unwrap_or(&line);
                    }
                    self.mails.lock().unwrap().push(mail.clone());
                    "250 kept".to_owned()
                }
                "QUIT" => {
                    stream.write_all(b"221 bye\r\n").await.ok()?;
                    return None;
                }
                _ => "250 fine".to_owned(),
            };
            stream.write_all(format!("{answer}\r\n").as_bytes()).await.ok()?;
        }
    }
}

fn address(line: &str) -> String {
    line.split(['<', '>']).nth(1).unwrap_or_default().to_owned()
}
