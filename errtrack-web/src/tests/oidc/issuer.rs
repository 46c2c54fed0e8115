//! A small issuer of identities, on this machine.

use axum::{
    Form, Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::{get, post},
};
use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use errtrack_core::Timestamp;
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};
use tokio::net::TcpListener;

/// What it is called here, and its secret: with what must be encoded in both.
pub(super) const CLIENT: (&str, &str) = ("errtrack:web", "s3cr+t/&");

#[derive(Clone)]
pub(super) struct TestIssuer {
    pub(super) url: String,
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    key: EcdsaKeyPair,
    /// What its key is called; there is another one in its list.
    kid: String,
    /// What was promised for each code.
    codes: HashMap<String, Promise>,
    userinfo: Value,
    /// What signs tokens in the place of its key, though no list of it says so.
    forger: Option<EcdsaKeyPair>,
    /// Every endpoint answers this.
    failure: Option<StatusCode>,
    /// The list of its keys alone does.
    keys_failure: Option<StatusCode>,
    /// How often it was asked for what it says of itself, and for its keys.
    asked: (usize, usize),
}

struct Promise {
    challenge: String,
    redirect: String,
    claims: Value,
}

fn new_key() -> EcdsaKeyPair {
    let random = SystemRandom::new();
    let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random).unwrap()
}

impl TestIssuer {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let inner = Inner {
            key: new_key(),
            kid: "one".to_owned(),
            codes: HashMap::new(),
            userinfo: Value::Null,
            forger: None,
            failure: None,
            keys_failure: None,
            asked: (0, 0),
        };
        let issuer = Self { url, inner: Arc::new(Mutex::new(inner)) };
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(document))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .route("/userinfo", get(userinfo))
            .with_state(issuer.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        issuer
    }

    /// Signs somebody in who was sent with that query, and answers the code; `change` is what the token says otherwise.
    pub(super) fn sign_in(&self, query: &HashMap<String, String>, change: &Value) -> String {
        assert_eq!((&*query["response_type"], &*query["code_challenge_method"]), ("code", "S256"));
        assert_eq!((&*query["client_id"], &*query["scope"]), (CLIENT.0, "openid email profile"));
        let now = Timestamp::now().as_seconds();
        let mut claims = json!({
            "iss": self.url, "sub": "248289761001", "aud": CLIENT.0, "exp": now + 300, "iat": now, "nonce": query["nonce"],
            "email": "Ana@example.com", "email_verified": true, "name": "Ana",
        });
        for (name, value) in change.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let mut inner = self.inner.lock().unwrap();
        let code = format!("code-{}", inner.codes.len());
        let (challenge, redirect) = (query["code_challenge"].clone(), query["redirect_uri"].clone());
        inner.codes.insert(code.clone(), Promise { challenge, redirect, claims });
        code
    }

    pub(super) fn fail(&self, with: Option<StatusCode>) {
        self.inner.lock().unwrap().failure = with;
    }

    pub(super) fn tell_of_the_person(&self, userinfo: Value) {
        self.inner.lock().unwrap().userinfo = userinfo;
    }

    /// Signs with another key from now on, and says so.
    pub(super) fn change_key(&self, kid: &str) {
        let mut inner = self.inner.lock().unwrap();
        (inner.key, inner.kid) = (new_key(), kid.to_owned());
    }

    /// Tokens are signed by somebody else from now on, or no longer.
    pub(super) fn forge(&self, is_forged: bool) {
        self.inner.lock().unwrap().forger = is_forged.then(new_key);
    }

    /// What its list of keys answers.
    pub(super) fn fail_keys(&self, with: Option<StatusCode>) {
        self.inner.lock().unwrap().keys_failure = with;
    }

    pub(super) fn asked(&self) -> (usize, usize) {
        self.inner.lock().unwrap().asked
    }
}

fn up(inner: &Inner) -> Result<(), StatusCode> {
    inner.failure.map_or(Ok(()), Err)
}

async fn document(State(issuer): State<TestIssuer>) -> Result<Json<Value>, StatusCode> {
    let mut inner = issuer.inner.lock().unwrap();
    inner.asked.0 += 1;
    up(&inner)?;
    let url = &issuer.url;
    Ok(Json(json!({
        "issuer": url,
        "authorization_endpoint": format!("{url}/authorize?realm=a"),
        "token_endpoint": format!("{url}/token"),
        "jwks_uri": format!("{url}/keys"),
        "userinfo_endpoint": format!("{url}/userinfo"),
        "response_types_supported": ["code"],
    })))
}

async fn keys(State(issuer): State<TestIssuer>) -> Result<Json<Value>, StatusCode> {
    let mut inner = issuer.inner.lock().unwrap();
    inner.asked.1 += 1;
    up(&inner)?;
    inner.keys_failure.map_or(Ok(()), Err)?;
    let point = &inner.key.public_key().as_ref()[1..];
    let part = |bytes| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    Ok(Json(json!({"keys": [
        {"kty": "OKP", "crv": "Ed25519", "kid": "zero", "x": "AA"},
        {"kty": "EC", "crv": "P-256", "kid": inner.kid, "use": "sig", "x": part(&point[..32]), "y": part(&point[32..])},
    ]})))
}

async fn token(
    State(issuer): State<TestIssuer>,
    headers: HeaderMap,
    Form(form): Form<HashMap<String, String>>,
) -> Result<Json<Value>, (StatusCode, Json<Value>)> {
    let mut inner = issuer.inner.lock().unwrap();
    let refused = |status, error| (status, Json(json!({"error": error})));
    up(&inner).map_err(|status| refused(status, "down"))?;
    let basic = BASE64_STANDARD.encode("errtrack%3Aweb:s3cr%2Bt%2F%26");
    if headers["authorization"] != format!("Basic {basic}") || form["grant_type"] != "authorization_code" {
        return Err(refused(StatusCode::UNAUTHORIZED, "invalid_client"));
    }
    let promise = inner.codes.remove(&form["code"]);
    let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(&form["code_verifier"]));
    let promise = promise.filter(|promise| promise.challenge == challenge && promise.redirect == form["redirect_uri"]);
    let promise = promise.ok_or_else(|| refused(StatusCode::BAD_REQUEST, "invalid_grant"))?;
    let encoded = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", encoded(&json!({"alg": "ES256", "kid": inner.kid})), encoded(&promise.claims));
    let signature = inner.forger.as_ref().unwrap_or(&inner.key).sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
    let id_token = format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature));
    Ok(Json(json!({"access_token": "for-the-person", "token_type": "Bearer", "id_token": id_token})))
}

async fn userinfo(State(issuer): State<TestIssuer>, headers: HeaderMap) -> Result<Json<Value>, StatusCode> {
    let inner = issuer.inner.lock().unwrap();
    up(&inner)?;
    if headers["authorization"] != "Bearer for-the-person" {
        return Err(StatusCode::UNAUTHORIZED);
    }
    Ok(Json(inner.userinfo.clone()))
}
