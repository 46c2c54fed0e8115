//! The issuer: what it says of itself, its keys, and the exchange of a code for an identity.

use super::{
    Begun, Oidc, Trouble, flow,
    token::{Claims, Expected, Identity, Person, Token},
};
use crate::links::Links;
use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use bytes::Bytes;
use errtrack_core::{AllowedTargets, Timestamp};
use errtrack_outgoing::{Outgoing, PublicKey, Question};
use http::{
    Uri,
    header::{ACCEPT, AUTHORIZATION},
};
use serde::{Deserialize, de::DeserializeOwned};
use std::{error::Error as _, fmt, net::IpAddr, sync::Arc, time::Duration};
use tokio::{
    sync::{Mutex, Semaphore},
    time::Instant,
};

/// How long a question may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Bytes of an answer that are read.
const MOST_BYTES: usize = 256 << 10;
/// For how long is kept what it says of itself.
const FRESH: Duration = Duration::from_secs(3_600);
/// Where no known key has signed a token, keys are read again at most so often: issuers change keys, and strangers make up
/// tokens.
const KEYS_AGAIN: Duration = Duration::from_secs(30);
/// After a failure it is left alone for so long.
const PAUSE: Duration = Duration::from_secs(2);
/// Codes that are exchanged at once.
const TURNS: usize = 8;
/// Keys of an issuer that are looked at.
const MOST_KEYS: usize = 50;

/// An issuer, with what is known of it.
pub(crate) struct Issuer {
    oidc: Oidc,
    outgoing: Outgoing,
    kept: Mutex<Kept>,
    turns: Semaphore,
}

#[derive(Default)]
struct Kept {
    document: Option<(Instant, Arc<Document>)>,
    keys: Option<(Instant, Arc<[Key]>)>,
    failed: Option<(Instant, String)>,
    keys_failed: Option<(Instant, String)>,
}

/// What it says of itself (OpenID Connect Discovery, 3).
#[derive(Debug, Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    userinfo_endpoint: Option<String>,
}

struct Key {
    id: Option<String>,
    public: PublicKey,
}

/// A key as it is written (RFC 7517, RFC 7518, 6).
#[derive(Deserialize)]
struct WrittenKey {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

#[derive(Deserialize)]
struct WrittenKeys {
    keys: Vec<serde_json::Value>,
}

/// What it gives for a code.
#[derive(Deserialize)]
struct Given {
    id_token: String,
    access_token: Option<String>,
}

#[derive(Deserialize)]
struct Told {
    sub: String,
    #[serde(flatten)]
    person: Person,
}

impl Issuer {
    pub(crate) fn new(oidc: &Oidc, allowed: &AllowedTargets) -> Self {
        // Whoever runs this server has named it, wherever it is.
        let allowed = allowed.clone().and_host(oidc.host());
        let outgoing = Outgoing::with(allowed, PATIENCE, MOST_BYTES);
        Self { oidc: oidc.clone(), outgoing, kept: Mutex::default(), turns: Semaphore::new(TURNS) }
    }

    /// What people know it by.
    pub(crate) fn host(&self) -> &str {
        self.oidc.host()
    }

    /// Where somebody signs in there.
    pub(crate) async fn door(&self, links: &Links, begun: &Begun) -> Result<String, Trouble> {
        let document = self.document().await?;
        let endpoint = &document.authorization_endpoint;
        let query = form(&[
            ("response_type", "code"),
            ("scope", "openid email profile"),
            ("client_id", &self.oidc.0.client_id),
            ("redirect_uri", &flow::callback(links)),
            ("state", &begun.state()),
            ("nonce", &begun.nonce()),
            ("code_challenge", &begun.challenge()),
            ("code_challenge_method", "S256"),
        ]);
        let joint = if endpoint.contains('?') { '&' } else { '?' };
        Ok(format!("{endpoint}{joint}{query}"))
    }

    /// Whether an answer that names its issuer (RFC 9207) names this one.
    pub(crate) fn is_named(&self, named: &str) -> bool {
        is_same(named, &self.oidc.0.issuer)
    }

    /// Who has signed in there.
    pub(super) async fn identity(
        &self,
        begun: &Begun,
        code: &str,
        callback: &str,
        now: Timestamp,
    ) -> Result<Identity, Trouble> {
        let _turn = self.turns.try_acquire().map_err(|_| Trouble::Busy)?;
        let document = self.document().await?;
        let given = self.exchange(&document, begun, code, callback).await?;
        let token = Token::parse(&given.id_token).ok_or(Trouble::Wrong("it is no token"))?;
        let claims = self.claims(&document, &token).await?;
        let nonce = begun.nonce();
        let expected = Expected { issuer: &document.issuer, client_id: &self.oidc.0.client_id, nonce: &nonce, now };
        claims.check(&expected).map_err(Trouble::Wrong)?;
        let mut person = claims.person;
        if let (None, Some(endpoint), Some(token)) = (&person.email, &document.userinfo_endpoint, &given.access_token) {
            let question = Question::get(endpoint).header(AUTHORIZATION, &format!("Bearer {token}"));
            let told: Told = self.ask(question).await?;
            if told.sub != claims.sub {
                return Err(Trouble::Wrong("it is of somebody else than what is told of the person"));
            }
            person = told.person;
        }
        person.verified().ok_or(Trouble::Unverified)
    }

    async fn exchange(&self, document: &Document, begun: &Begun, code: &str, callback: &str) -> Result<Given, Trouble> {
        let settings = &self.oidc.0;
        let body = form(&[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", callback),
            ("code_verifier", &begun.verifier()),
        ]);
        // RFC 6749, 2.3.1: each of them as in a form, then both as in HTTP Basic.
        let (id, secret) = (encoded(&settings.client_id), encoded(&settings.client_secret));
        let basic = format!("Basic {}", BASE64_STANDARD.encode(format!("{id}:{secret}")));
        let question = Question::post(&document.token_endpoint, Bytes::from(body)).form().header(AUTHORIZATION, &basic);
        self.ask(question).await
    }

    /// What it says of itself.
    async fn document(&self) -> Result<Arc<Document>, Trouble> {
        let mut kept = self.kept.lock().await;
        if let Some((_, document)) = kept.document.as_ref().filter(|(at, _)| at.elapsed() < FRESH) {
            return Ok(document.clone());
        }
        // Who waited for a failure is not to fail as slowly once more.
        if let Some((_, why)) = kept.failed.as_ref().filter(|(at, _)| at.elapsed() < PAUSE) {
            return Err(Trouble::Away(why.clone()));
        }
        match self.read_document().await {
            Ok(document) => {
                let document = Arc::new(document);
                (kept.document, kept.failed) = (Some((Instant::now(), document.clone())), None);
                Ok(document)
            }
            Err(Trouble::Away(why)) => {
                kept.failed = Some((Instant::now(), why.clone()));
                Err(Trouble::Away(why))
            }
            Err(trouble) => Err(trouble),
        }
    }

    async fn read_document(&self) -> Result<Document, Trouble> {
        let issuer = &self.oidc.0.issuer;
        let url = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let document: Document = self.ask(Question::get(&url)).await?;
        if !is_same(&document.issuer, issuer) {
            return Err(Trouble::Away("it calls itself by another name than OIDC_ISSUER".to_owned()));
        }
        let (door, rest) = (&document.authorization_endpoint, [&document.token_endpoint, &document.jwks_uri]);
        let all = rest.into_iter().chain([door]).chain(&document.userinfo_endpoint);
        if all.into_iter().any(|endpoint| host_of(endpoint).is_none() || endpoint.contains('#')) {
            return Err(Trouble::Away("an endpoint of it is no URL of https".to_owned()));
        }
        Ok(document)
    }

    /// What a token says, if a key of the issuer has signed it. A new key may have the name of an old one, or none.
    async fn claims(&self, document: &Document, token: &Token<'_>) -> Result<Claims, Trouble> {
        let name = &token.header.kid;
        let wanted = |key: &&Key| name.is_none() || key.id.is_none() || key.id == *name;
        let says = |keys: &[Key]| token.claims(keys.iter().filter(wanted).map(|key| &key.public));
        if let Ok(claims) = says(&self.keys(document, FRESH).await?) {
            return Ok(claims);
        }
        says(&self.keys(document, KEYS_AGAIN).await?).map_err(Trouble::Wrong)
    }

    /// Its keys, no older than that.
    async fn keys(&self, document: &Document, age: Duration) -> Result<Arc<[Key]>, Trouble> {
        let mut kept = self.kept.lock().await;
        if let Some((_, keys)) = kept.keys.as_ref().filter(|(at, _)| at.elapsed() < age) {
            return Ok(keys.clone());
        }
        if let Some((_, why)) = kept.keys_failed.as_ref().filter(|(at, _)| at.elapsed() < PAUSE) {
            return Err(Trouble::Away(why.clone()));
        }
        let written: WrittenKeys = match self.ask(Question::get(&document.jwks_uri)).await {
            Ok(written) => written,
            Err(trouble) => {
                if let Trouble::Away(why) = &trouble {
                    kept.keys_failed = Some((Instant::now(), why.clone()));
                }
                return Err(trouble);
            }
        };
        // Keys of other kinds stand beside those that we know.
        let written = written.keys.into_iter().filter_map(|key| serde_json::from_value(key).ok());
        let keys: Arc<[Key]> = written.filter_map(WrittenKey::read).take(MOST_KEYS).collect();
        (kept.keys, kept.keys_failed) = (Some((Instant::now(), keys.clone())), None);
        Ok(keys)
    }

    async fn ask<T: DeserializeOwned>(&self, question: Question<'_>) -> Result<T, Trouble> {
        let answer = self.outgoing.send(question.header(ACCEPT, "application/json")).await;
        let answer = answer.map_err(|error| {
            Trouble::Away(error.source().map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}")))
        })?;
        match answer.status {
            _ if answer.is_cut => Err(Trouble::Away("its answer is too long".to_owned())),
            // What is wrong with it is not told: it may hold tokens.
            200 => serde_json::from_slice(&answer.body)
                .map_err(|_| Trouble::Away("its answer is not what it should be".to_owned())),
            // A code that is used up, or was made up.
            400 if says(&answer.body, "invalid_grant") => Err(Trouble::Wrong("the code is not good any more")),
            status => Err(Trouble::Away(format!("it answers {status}"))),
        }
    }
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Issuer").field(&self.oidc).finish()
    }
}

impl WrittenKey {
    fn read(self) -> Option<Key> {
        let bytes = |text: Option<String>| BASE64_URL_SAFE_NO_PAD.decode(text?).ok();
        let public = match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", _) => PublicKey::Rsa { modulus: bytes(self.n)?, exponent: bytes(self.e)? },
            ("EC", Some("P-256")) => PublicKey::P256 { x: bytes(self.x)?, y: bytes(self.y)? },
            _ => return None,
        };
        self.purpose.is_none_or(|purpose| purpose == "sig").then_some(Key { id: self.kid, public })
    }
}

/// Whether an answer is that error (RFC 6749, 5.2).
fn says(body: &[u8], error: &str) -> bool {
    serde_json::from_slice::<serde_json::Value>(body)
        .is_ok_and(|answer| answer.get("error").is_some_and(|said| said == error))
}

/// People write the slash at the end or leave it out; the issuer itself always says it the same way.
fn is_same(one: &str, other: &str) -> bool {
    one.trim_end_matches('/') == other.trim_end_matches('/')
}

/// The host of a URL that may be asked: of https, or of http on this machine.
pub(super) fn host_of(url: &str) -> Option<String> {
    let uri: Uri = url.parse().ok()?;
    let authority = uri.authority().filter(|authority| !authority.as_str().contains('@'))?;
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    let is_here = host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback());
    let may = match uri.scheme_str() {
        Some("https") => true,
        Some("http") => is_here,
        _ => false,
    };
    (may && !host.is_empty()).then(|| host.to_owned())
}

fn form(pairs: &[(&str, &str)]) -> String {
    let pairs = pairs.iter().map(|(name, value)| format!("{name}={}", encoded(value)));
    pairs.collect::<Vec<_>>().join("&")
}

/// Percent-encodes what is not unreserved in RFC 3986.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
