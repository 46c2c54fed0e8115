//! Who this installation is, for push services (RFC 8292): a key pair that is made once, and a token for each of them.

use super::primitives::{Refused, new_signing_key, public_of, sign};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use errtrack_core::{Store, StoreError, Timestamp};
use http::Uri;
use serde::Serialize;
use std::{fmt, time::Duration};

/// How long a token is good for; a day is the most that is allowed.
const GOOD_FOR: Duration = Duration::from_secs(12 * 3600);

/// The key by which push services know this installation. Browsers take messages from whoever has it, and from nobody else.
#[derive(Clone, PartialEq, Eq)]
pub struct PushKey {
    /// PKCS #8.
    private: Vec<u8>,
    public: Vec<u8>,
}

/// What a token says.
#[derive(Serialize)]
struct Claims<'a> {
    aud: String,
    exp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<&'a str>,
}

impl PushKey {
    /// The key that the store keeps; it is made if there is none yet, and of several who make one the first one's stays.
    ///
    /// # Errors
    /// The store fails, holds something else, or no TLS is built in.
    pub async fn of(store: &dyn Store) -> Result<Self, StoreError> {
        let refused = |Refused| StoreError::other("no key for web push can be made: it needs a feature `tls-…`");
        let kept = match store.push_key().await? {
            Some(kept) => kept,
            None => {
                let new = new_signing_key().map_err(refused)?;
                store.ensure_push_key(&URL_SAFE_NO_PAD.encode(new)).await?
            }
        };
        Self::read(&kept).ok_or_else(|| StoreError::corrupt("the key for web push is none"))
    }

    fn read(kept: &str) -> Option<Self> {
        let private = URL_SAFE_NO_PAD.decode(kept).ok()?;
        let public = public_of(&private).ok()?;
        Some(Self { private, public })
    }

    /// The public half, as browsers take it (`applicationServerKey`): base64url.
    #[must_use]
    pub fn public(&self) -> String {
        URL_SAFE_NO_PAD.encode(&self.public)
    }

    /// The header `Authorization` for a request to that endpoint. `contact` is where people of the service find us.
    pub(super) fn authorization(
        &self,
        endpoint: &str,
        contact: Option<&str>,
        now: Timestamp,
    ) -> Result<String, Refused> {
        let endpoint: Uri = endpoint.parse().map_err(|_| Refused)?;
        let (Some(scheme), Some(authority)) = (endpoint.scheme_str(), endpoint.authority()) else {
            return Err(Refused);
        };
        let exp = now.plus(GOOD_FOR).as_micros() / 1_000_000;
        let claims = Claims { aud: format!("{scheme}://{authority}"), exp, sub: contact };
        let claims = serde_json::to_vec(&claims).map_err(|_| Refused)?;
        let head = URL_SAFE_NO_PAD.encode(br#"{"typ":"JWT","alg":"ES256"}"#);
        let message = format!("{head}.{}", URL_SAFE_NO_PAD.encode(claims));
        let signature = URL_SAFE_NO_PAD.encode(sign(&self.private, message.as_bytes())?);
        Ok(format!("vapid t={message}.{signature}, k={}", self.public()))
    }
}

impl fmt::Debug for PushKey {
    /// The public half alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PushKey").field("public", &self.public()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use errtrack_outgoing::PublicKey;
    use serde_json::{Value, json};

    fn key() -> PushKey {
        PushKey::read(&URL_SAFE_NO_PAD.encode(new_signing_key().unwrap())).unwrap()
    }

    #[test]
    fn a_token_is_for_one_service_and_a_day_at_most() {
        let (key, now) = (key(), Timestamp::from_micros(1_790_000_000_500_000));
        let contact = "https://errors.example.com";
        let header = key.authorization("https://push.example.com:8443/a/b?c", Some(contact), now).unwrap();
        let (token, public) = header.strip_prefix("vapid t=").unwrap().split_once(", k=").unwrap();
        let parts: Vec<_> = token.split('.').collect();
        let json = |at: usize| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(parts[at]).unwrap()).unwrap();
        assert_eq!(json(0), json!({"typ": "JWT", "alg": "ES256"}));
        let until = 1_790_000_000 + 12 * 3600;
        assert_eq!(json(1), json!({"aud": "https://push.example.com:8443", "exp": until, "sub": contact}));
        let point = URL_SAFE_NO_PAD.decode(public).unwrap();
        assert_eq!((public, point.len(), point[0]), (key.public().as_str(), 65, 4));
        let signer = PublicKey::P256 { x: point[1..33].to_vec(), y: point[33..].to_vec() };
        let message = format!("{}.{}", parts[0], parts[1]);
        assert!(signer.has_signed(message.as_bytes(), &URL_SAFE_NO_PAD.decode(parts[2]).unwrap()));
    }

    #[test]
    fn nobody_is_shown_the_private_half() {
        let key = key();
        let shown = format!("{key:?}");
        assert!(shown.contains(&key.public()) && shown.len() < 130, "{shown}");
    }

    #[test]
    fn what_is_no_key_is_not_taken_for_one() {
        for wrong in ["", "AAAA", "ä", &URL_SAFE_NO_PAD.encode([0; 138])] {
            assert_eq!(PushKey::read(wrong), None);
        }
    }
}
