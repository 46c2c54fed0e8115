//! Mail by SMTP.

use crate::{html, words::Words};
use async_trait::async_trait;
use errtrack_core::{
    AllowedTargets,
    notify::{Delivery, Notifier, NotifyError, OutboxEntry},
};
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{
        Mailbox, MultiPart,
        header::{HeaderName, HeaderValue},
    },
    transport::smtp::{Error, authentication::Credentials},
};
use std::time::Duration;
use url::Url;

/// How long a server may take for each step.
const PATIENCE: Duration = Duration::from_secs(15);

/// A server of mail, as a URL names it: `smtp://user:pass@host:port?tls=required`.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) host: String,
    pub(crate) port: u16,
    security: Security,
    credentials: Option<(String, String)>,
}

/// How a connection is made safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Security {
    /// Not at all.
    Plain,
    /// By STARTTLS, if the server can.
    Opportunistic,
    /// By STARTTLS, or not at all.
    Required,
    /// From the first byte on.
    Wrapper,
}

impl Server {
    /// Reads a URL in lettre's form; what is wrong with it, if it is none.
    pub(crate) fn read(url: &str) -> Result<Self, &'static str> {
        const FORM: &str = "must be like smtp://user:password@mail.example.com:587?tls=required";
        let url = Url::parse(url).map_err(|_| FORM)?;
        let tls = url.query_pairs().find(|(name, _)| name == "tls").map(|(_, value)| value.into_owned());
        let (security, port) = match (url.scheme(), tls.as_deref()) {
            ("smtps", None) => (Security::Wrapper, 465),
            ("smtp", None) => (Security::Plain, 25),
            ("smtp", Some("required")) => (Security::Required, 587),
            ("smtp", Some("opportunistic")) => (Security::Opportunistic, 587),
            ("smtp" | "smtps", Some(_)) => {
                return Err("must be without tls, or with `tls=required` or `tls=opportunistic` after smtp://");
            }
            _ => return Err(FORM),
        };
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(FORM)?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let decoded = |text: &str| {
            // A form decodes a plus to a space, which a password may have.
            let text = format!("x={}", text.replace('+', "%2B"));
            let pair = url::form_urlencoded::parse(text.as_bytes()).next();
            pair.map(|(_, value)| value.into_owned()).unwrap_or_default()
        };
        let password = url.password().map(&decoded).unwrap_or_default();
        let credentials = (!url.username().is_empty()).then(|| (decoded(url.username()), password));
        if security != Security::Plain && !cfg!(any(feature = "tls-ring", feature = "tls-aws-lc-rs")) {
            return Err("must be without TLS, which is not built into this program");
        }
        Ok(Self { host, port: url.port().unwrap_or(port), security, credentials })
    }
}

/// A channel that gives mails to a server.
pub(crate) struct SmtpChannel {
    pub(crate) name: String,
    pub(crate) server: Server,
    pub(crate) from: Mailbox,
    pub(crate) to: Vec<String>,
    pub(crate) dashboard: Option<String>,
    /// Where it may connect to; anywhere, if whoever started the program named the server.
    pub(crate) allowed: Option<AllowedTargets>,
    /// Certificates that are trusted beside those of the system.
    #[cfg(any(feature = "tls-ring", feature = "tls-aws-lc-rs"))]
    pub(crate) roots: Vec<lettre::transport::smtp::client::Certificate>,
}

#[async_trait]
impl Notifier for SmtpChannel {
    fn name(&self) -> &str {
        &self.name
    }

    async fn notify(&self, delivery: &Delivery<'_>) -> Result<(), NotifyError> {
        let message = self.message(delivery.entry)?;
        let transport = self.transport().await?;
        transport.send(message).await.map(drop).map_err(|error| refused(&error))
    }
}

impl SmtpChannel {
    fn message(&self, entry: &OutboxEntry) -> Result<Message, NotifyError> {
        let words = Words::of(&entry.notification, self.dashboard.as_deref());
        let to = if entry.recipients.is_empty() { &self.to } else { &entry.recipients };
        let domain = self.from.email.domain();
        let mut message = Message::builder()
            .from(self.from.clone())
            .subject(words.subject.clone())
            .message_id(Some(format!("<{}@{domain}>", entry.key.simple())));
        for to in to {
            let to: Mailbox = to.parse().map_err(|_| NotifyError::permanent(format!("`{to}` is no address")))?;
            message = message.to(to);
        }
        // So that programs show what is about one issue together.
        if let Some(issue) = entry.notification.issue.as_ref().filter(|issue| is_plain(&issue.id)) {
            let issue = format!("<issue-{}@{domain}>", issue.id);
            message = message.in_reply_to(issue.clone()).references(issue);
        }
        let body = MultiPart::alternative_plain_html(words.plain(), html::mail(&words));
        let built = message.multipart(body);
        let mut built = built.map_err(|error| NotifyError::permanent(format!("the mail cannot be made: {error}")))?;
        // No answering machine answers this (RFC 3834).
        for (name, value) in
            [("Auto-Submitted", "auto-generated".to_owned()), ("X-Errtrack-Delivery", entry.key.to_string())]
        {
            if let Ok(name) = HeaderName::new_from_ascii(name.into()) {
                built.headers_mut().insert_raw(HeaderValue::new(name, value));
            }
        }
        Ok(built)
    }

    async fn transport(&self) -> Result<AsyncSmtpTransport<Tokio1Executor>, NotifyError> {
        let server = &self.server;
        let address = match &self.allowed {
            Some(allowed) => address(allowed, &server.host, server.port).await?,
            None => server.host.clone(),
        };
        let builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(address).port(server.port);
        let mut builder = self.secured(builder)?.timeout(Some(PATIENCE));
        if let Some((user, password)) = &server.credentials {
            builder = builder.credentials(Credentials::new(user.clone(), password.clone()));
        }
        Ok(builder.build())
    }

    #[cfg(any(feature = "tls-ring", feature = "tls-aws-lc-rs"))]
    fn secured(
        &self,
        builder: lettre::transport::smtp::AsyncSmtpTransportBuilder,
    ) -> Result<lettre::transport::smtp::AsyncSmtpTransportBuilder, NotifyError> {
        use lettre::transport::smtp::client::{Tls, TlsParameters};
        if self.server.security == Security::Plain {
            return Ok(builder);
        }
        let parameters = TlsParameters::builder(self.server.host.clone());
        let parameters = self.roots.iter().cloned().fold(parameters, |all, root| all.add_root_certificate(root));
        let parameters = parameters.build_rustls().map_err(|error| refused(&error))?;
        Ok(builder.tls(match self.server.security {
            Security::Plain => Tls::None,
            Security::Opportunistic => Tls::Opportunistic(parameters),
            Security::Required => Tls::Required(parameters),
            Security::Wrapper => Tls::Wrapper(parameters),
        }))
    }

    #[cfg(not(any(feature = "tls-ring", feature = "tls-aws-lc-rs")))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "as where TLS is built in")]
    fn secured(
        &self,
        builder: lettre::transport::smtp::AsyncSmtpTransportBuilder,
    ) -> Result<lettre::transport::smtp::AsyncSmtpTransportBuilder, NotifyError> {
        Ok(builder)
    }
}

/// An address of a host that may be connected to. The very address is connected to: a name may lead elsewhere the next time.
async fn address(allowed: &AllowedTargets, host: &str, port: u16) -> Result<String, NotifyError> {
    let found = tokio::net::lookup_host((host, port)).await;
    let mut found = found.map_err(|error| NotifyError::new(format!("the host is not found: {error}")))?;
    let open = found.find(|address| allowed.allows(host, address.ip()));
    let open =
        open.ok_or_else(|| NotifyError::permanent("its address is private: ALLOWED_TARGETS does not name it"))?;
    Ok(open.ip().to_string())
}

/// What the server, or the way to it, said. 4xx and a broken connection may be well another time.
fn refused(error: &Error) -> NotifyError {
    let why = std::error::Error::source(error).map(|source| format!(": {source}")).unwrap_or_default();
    let text = format!("{error}{why}");
    NotifyError { permanent: error.is_permanent(), ..NotifyError::new(text) }
}

fn is_plain(id: &str) -> bool {
    !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{} {:?}", self.host, self.port, self.security)
    }
}

impl std::fmt::Debug for SmtpChannel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SmtpChannel").field("name", &self.name).field("server", &self.server).finish_non_exhaustive()
    }
}
