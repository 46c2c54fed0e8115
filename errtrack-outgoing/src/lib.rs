//! The requests that errtrack makes itself: to webhooks and chat services, to services that are watched, to an issuer of
//! identities.
//!
//! Where they go was written down by somebody who may not be allowed everything. So an address that is not public is reached
//! only if [`AllowedTargets`] has it, and it is the very address that was looked at which is connected to; redirects are
//! answers and are not followed; an answer has a bound in bytes, and all of it a bound in time.

mod connect;
mod send;
mod signature;
#[cfg(test)]
mod tests;
mod tls;

pub use errtrack_core::AllowedTargets;
pub use send::{Answer, Question};
pub use signature::PublicKey;

use std::{fmt, sync::Arc, time::Duration};
use tls::Tls;
use tokio::io::{AsyncRead, AsyncWrite};

/// Makes requests. Cheap to clone.
///
/// # Example
/// ```no_run
/// # async fn example() -> Result<(), errtrack_outgoing::OutgoingError> {
/// use errtrack_outgoing::{AllowedTargets, Outgoing, Question};
///
/// let outgoing = Outgoing::new(AllowedTargets::default());
/// let question = Question::post("https://hooks.example.com/T1", r#"{"text":"broken"}"#.into()).json();
/// let answer = outgoing.send(question).await?;
/// assert_eq!(answer.status, 200);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Outgoing {
    inner: Arc<Inner>,
}

struct Inner {
    allowed: AllowedTargets,
    tls: Tls,
    patience: Duration,
    most_bytes: usize,
}

impl Outgoing {
    /// Requests that may go to the public internet, and to what is allowed besides. They have ten seconds, and 64 KiB of an
    /// answer are read.
    #[must_use]
    pub fn new(allowed: AllowedTargets) -> Self {
        Self::with(allowed, Duration::from_secs(10), 64 << 10)
    }

    /// The same with other bounds: for all of a request, and for the body of an answer.
    #[must_use]
    pub fn with(allowed: AllowedTargets, patience: Duration, most_bytes: usize) -> Self {
        Self { inner: Arc::new(Inner { allowed, tls: Tls::system(), patience, most_bytes }) }
    }

    /// The same, but with these certificates (DER) alone trusted to vouch for servers, instead of those of the system. What is
    /// no certificate is left out.
    #[must_use]
    pub fn trusting(self, certificates: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let Inner { allowed, patience, most_bytes, .. } = &*self.inner;
        let tls = Tls::trusting(certificates);
        Self { inner: Arc::new(Inner { allowed: allowed.clone(), tls, patience: *patience, most_bytes: *most_bytes }) }
    }

    /// Whether `https` is built in.
    #[must_use]
    pub const fn speaks_https() -> bool {
        cfg!(any(feature = "tls-ring", feature = "tls-aws-lc-rs"))
    }

    /// Asks, and answers what the other side says, whatever its status.
    ///
    /// # Errors
    /// There was no answer: see [`OutgoingError`].
    pub async fn send(&self, question: Question<'_>) -> Result<Answer, OutgoingError> {
        let inner = &self.inner;
        let sent = send::send(&inner.allowed, &inner.tls, inner.most_bytes, question);
        tokio::time::timeout(inner.patience, sent).await.unwrap_or(Err(OutgoingError::TooSlow(inner.patience)))
    }

    /// Whether somebody takes a connection there.
    ///
    /// # Errors
    /// Nobody does: see [`OutgoingError`].
    pub async fn reach(&self, host: &str, port: u16) -> Result<(), OutgoingError> {
        let inner = &self.inner;
        let connected = connect::connect(&inner.allowed, host, port);
        let connected = tokio::time::timeout(inner.patience, connected).await;
        connected.unwrap_or(Err(OutgoingError::TooSlow(inner.patience))).map(drop)
    }

    /// A connection that is encrypted, for what is not HTTP.
    ///
    /// # Errors
    /// There is none: see [`OutgoingError`].
    pub async fn secure(
        &self,
        host: &str,
        port: u16,
    ) -> Result<impl AsyncRead + AsyncWrite + Send + Unpin + use<>, OutgoingError> {
        let inner = self.inner.clone();
        let connected = async {
            let stream = connect::connect(&inner.allowed, host, port).await?;
            inner.tls.secure(stream, host).await
        };
        tokio::time::timeout(inner.patience, connected).await.unwrap_or(Err(OutgoingError::TooSlow(inner.patience)))
    }
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing").field("allowed", &self.inner.allowed).finish_non_exhaustive()
    }
}

/// Why there was no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OutgoingError {
    /// The URL is none of `http` or `https`, or a header is none.
    #[error("the URL must be like https://host/path")]
    InvalidUrl,
    /// `https`, and no TLS is built in.
    #[error("https is not built into this program")]
    WithoutTls,
    /// The host has no address.
    #[error("the host is not found")]
    NotFound(#[source] std::io::Error),
    /// Every address of the host is private, and none is allowed.
    #[error("its address is private: ALLOWED_TARGETS does not name it")]
    Private,
    /// Nobody took the connection, or its certificate is not trusted.
    #[error("no connection")]
    NotConnected(#[source] std::io::Error),
    /// The connection broke, or what came is no HTTP.
    #[error("the connection broke")]
    Broken(#[source] hyper::Error),
    /// It took too long.
    #[error("no answer within {} s", .0.as_secs())]
    TooSlow(Duration),
}
