//! A push service, and the browsers behind it: takes messages over TLS, asks who sends them, and reads them as a browser does
//! (RFC 8030, 8291, 8292). Its cryptography is AWS's; the server's is another one.

use anyhow::{Context, Result, ensure};
use aws_lc_rs::{
    aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey, agree},
    hmac, rand,
    signature::{self, ECDSA_P256_SHA256_FIXED},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Incoming, header::HeaderMap, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex},
    time::{Instant, SystemTime, UNIX_EPOCH},
};
use tokio::net::TcpListener;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer},
};

/// A browser that can be notified.
#[derive(Debug)]
pub struct PushBrowser {
    /// Where its messages go.
    pub endpoint: String,
    /// Its public key in base64url.
    pub p256dh: String,
    /// The secret that it shares, in base64url.
    pub auth: String,
    private: PrivateKey,
    public: Vec<u8>,
    secret: [u8; 16],
}

/// A message that came, whatever was said to it.
#[derive(Debug, Clone)]
pub struct Pushed {
    /// The name of the browser.
    pub browser: String,
    /// What it says.
    pub message: Value,
    /// The headers that say how it is kept: `TTL`, `Urgency`, `Topic`.
    pub headers: [String; 3],
    /// The public key of who sent it.
    pub sender: String,
    /// The contact of who sent it.
    pub contact: Value,
    /// The status that it was answered with.
    pub status: u16,
    /// When it came.
    pub at: Instant,
}

/// The service. Clones are one.
#[derive(Debug, Clone)]
pub struct PushService {
    port: u16,
    certificate: Vec<u8>,
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    browsers: HashMap<String, Arc<PushBrowser>>,
    /// What is said first to the messages of a browser: statuses, and for how long to wait.
    says: HashMap<String, VecDeque<(u16, u64)>>,
    came: Vec<Pushed>,
    /// What was wrong with messages.
    wrong: Vec<String>,
}

impl PushService {
    /// Starts it on a port of `localhost`.
    ///
    /// # Errors
    /// There is no port, or no certificate.
    pub async fn start() -> Result<Self> {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).map_err(anyhow::Error::msg)?;
        let config = ServerConfig::builder_with_provider(ring::default_provider().into());
        let config = config.with_safe_default_protocol_versions()?.with_no_client_auth();
        let config = config.with_single_cert(vec![made.cert.der().clone()], key)?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let service = Self { port, certificate: made.cert.der().to_vec(), inner: Arc::default() };
        let running = service.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (service, acceptor) = (running.clone(), acceptor.clone());
                tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    let answer = service_fn(move |request| service.clone().take(request));
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
                });
            }
        });
        Ok(service)
    }

    /// The certificate that it shows (DER).
    #[must_use]
    pub fn certificate(&self) -> Vec<u8> {
        self.certificate.clone()
    }

    /// A new browser behind it.
    ///
    /// # Errors
    /// There is no randomness.
    pub fn browser(&self, name: &str) -> Result<Arc<PushBrowser>> {
        let private = PrivateKey::generate(&ECDH_P256)?;
        let public = private.compute_public_key()?.as_ref().to_vec();
        let mut secret = [0; 16];
        rand::fill(&mut secret)?;
        let browser = Arc::new(PushBrowser {
            endpoint: format!("https://localhost:{}/push/{name}", self.port),
            p256dh: URL_SAFE_NO_PAD.encode(&public),
            auth: URL_SAFE_NO_PAD.encode(secret),
            private,
            public,
            secret,
        });
        self.lock().browsers.insert(name.to_owned(), browser.clone());
        Ok(browser)
    }

    /// Answers the next message for a browser so, with `Retry-After`.
    pub fn says(&self, browser: &str, status: u16, retry_after: u64) {
        self.lock().says.entry(browser.to_owned()).or_default().push_back((status, retry_after));
    }

    /// What came, in its order.
    ///
    /// # Panics
    /// A message was not as it must be.
    #[must_use]
    pub fn came(&self) -> Vec<Pushed> {
        let inner = self.lock();
        assert!(inner.wrong.is_empty(), "{:?}", inner.wrong);
        inner.came.clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    async fn take(self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let name = parts.uri.path().trim_start_matches("/push/").to_owned();
        let mut inner = self.lock();
        let (status, retry_after) = inner.says.get_mut(&name).and_then(VecDeque::pop_front).unwrap_or((201, 0));
        let browser = inner.browsers.get(&name).cloned();
        let read = browser.context("no such browser").and_then(|browser| self.read(&browser, &parts.headers, &body));
        match read {
            Ok((message, sender, contact)) => {
                let headers = ["ttl", "urgency", "topic"].map(|name| text(&parts.headers, name).unwrap_or_default());
                let at = Instant::now();
                inner.came.push(Pushed { browser: name, message, headers, sender, contact, status, at });
            }
            Err(error) => inner.wrong.push(format!("{name}: {error:#}")),
        }
        drop(inner);
        let answer = Response::builder().status(status);
        let answer = if retry_after > 0 { answer.header("retry-after", retry_after) } else { answer };
        Ok(answer.body(Full::new(Bytes::from_static(b"<secret> of the service")))?)
    }

    /// What a message says, who sent it, and how to reach them.
    fn read(&self, browser: &PushBrowser, headers: &HeaderMap, body: &[u8]) -> Result<(Value, String, Value)> {
        ensure!(body.len() <= 4096, "{} bytes", body.len());
        ensure!(text(headers, "content-encoding")? == "aes128gcm");
        ensure!(text(headers, "ttl")?.parse::<u32>()? > 0);
        let (sender, claims) = sender(&text(headers, "authorization")?)?;
        ensure!(claims["aud"] == format!("https://localhost:{}", self.port), "{claims}");
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let until = claims["exp"].as_u64().context("exp")?;
        ensure!(until > now && until <= now + 24 * 3600, "{claims}");
        let message = serde_json::from_slice(&browser.open(body)?)?;
        Ok((message, sender, claims["sub"].clone()))
    }
}

impl PushBrowser {
    /// Decrypts a message.
    fn open(&self, body: &[u8]) -> Result<Vec<u8>> {
        let (salt, rest) = body.split_at_checked(16).context("a salt")?;
        let (size, rest) = rest.split_at_checked(4).context("the size of records")?;
        ensure!(u32::from_be_bytes(size.try_into()?) == 4096);
        let (length, rest) = rest.split_first().context("a key")?;
        let (peer, sealed) = rest.split_at_checked(usize::from(*length)).context("a whole key")?;
        let peer_key = UnparsedPublicKey::new(&ECDH_P256, peer);
        let secret = agree(&self.private, peer_key, anyhow::anyhow!("no key"), |secret| Ok(secret.to_vec()))?;
        let info = [&b"WebPush: info\0"[..], &self.public, peer].concat();
        let material = expand(&mac(&self.secret, &secret), &info);
        let pseudo_random = mac(salt, &material);
        let key = expand(&pseudo_random, b"Content-Encoding: aes128gcm\0");
        let nonce = expand(&pseudo_random, b"Content-Encoding: nonce\0");
        let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key[..16])?);
        let mut text = sealed.to_vec();
        let nonce = Nonce::try_assume_unique_for_key(&nonce[..12])?;
        let opened = key.open_in_place(nonce, Aad::empty(), &mut text)?;
        let end = opened.iter().rposition(|byte| *byte != 0).context("an end")?;
        ensure!(opened[end] == 2, "it is the last record");
        Ok(opened[..end].to_vec())
    }
}

fn mac(key: &[u8], text: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text).as_ref().to_vec()
}

/// The first block of HKDF's second step (RFC 5869).
fn expand(key: &[u8], info: &[u8]) -> Vec<u8> {
    mac(key, &[info, &[1]].concat())
}

/// Who a token says has sent a message, once it is known to be theirs; and what it claims.
fn sender(authorization: &str) -> Result<(String, Value)> {
    let (token, key) =
        authorization.strip_prefix("vapid t=").and_then(|rest| rest.split_once(", k=")).context("vapid")?;
    let (message, signature) = token.rsplit_once('.').context("a signature")?;
    let point = URL_SAFE_NO_PAD.decode(key)?;
    let signed = signature::UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &point)
        .verify(message.as_bytes(), &URL_SAFE_NO_PAD.decode(signature)?);
    ensure!(signed.is_ok(), "the signature is none");
    let (head, claims) = message.split_once('.').context("claims")?;
    let head: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(head)?)?;
    ensure!(head["alg"] == "ES256" && head["typ"] == "JWT", "{head}");
    Ok((key.to_owned(), serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims)?)?))
}

fn text(headers: &HeaderMap, name: &str) -> Result<String> {
    Ok(headers.get(name).with_context(|| format!("no {name}"))?.to_str()?.to_owned())
}
