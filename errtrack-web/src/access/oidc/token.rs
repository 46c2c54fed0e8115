//! An ID token: who somebody is, by the word of an issuer (OpenID Connect Core, 3.1.3.7).

use crate::access::{same, token_hash};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use errtrack_core::Timestamp;
use errtrack_outgoing::PublicKey;
use serde::Deserialize;

/// Seconds by which clocks may differ.
const SKEW: f64 = 120.0;
/// Seconds after which a token is not the one that was just made.
const OLDEST: f64 = 15.0 * 60.0;

/// Somebody whom the issuer knows.
#[derive(Debug, PartialEq)]
pub(super) struct Identity {
    /// Verified by the issuer.
    pub(super) email: String,
    pub(super) name: Option<String>,
}

/// What a token must say.
#[derive(Debug)]
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) client_id: &'a str,
    pub(super) nonce: &'a str,
    pub(super) now: Timestamp,
}

/// A token in its parts, whose signature is not yet looked at.
#[derive(Debug)]
pub(super) struct Token<'a> {
    pub(super) header: Header,
    signed: &'a str,
    signature: Vec<u8>,
    payload: Vec<u8>,
}

/// How it is signed.
#[derive(Debug, Deserialize)]
pub(super) struct Header {
    pub(super) alg: String,
    pub(super) kid: Option<String>,
    #[serde(default)]
    crit: Option<Vec<String>>,
}

/// What it says.
#[derive(Debug, Deserialize)]
pub(super) struct Claims {
    iss: String,
    pub(super) sub: String,
    aud: Audience,
    azp: Option<String>,
    exp: f64,
    iat: f64,
    nonce: Option<String>,
    #[serde(flatten)]
    pub(super) person: Person,
}

/// What it says of the person; the endpoint for that says it in the same words.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Person {
    pub(super) email: Option<String>,
    email_verified: Option<Flag>,
    name: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// Some issuers write it as text.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Flag {
    Is(bool),
    Said(String),
}

impl<'a> Token<'a> {
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let (signed, signature) = text.rsplit_once('.')?;
        let (header, payload) = signed.split_once('.')?;
        let bytes = |part| BASE64_URL_SAFE_NO_PAD.decode(part).ok();
        let header: Header = serde_json::from_slice(&bytes(header)?).ok()?;
        Some(Self { header, signed, signature: bytes(signature)?, payload: bytes(payload)? })
    }

    /// What it says, if one of these keys has signed it.
    pub(super) fn claims<'k>(&self, keys: impl IntoIterator<Item = &'k PublicKey>) -> Result<Claims, &'static str> {
        if self.header.crit.is_some() {
            return Err("its header asks for what is not known here");
        }
        let mut keys = keys.into_iter().filter(|key| match self.header.alg.as_str() {
            "RS256" => matches!(key, PublicKey::Rsa { .. }),
            "ES256" => matches!(key, PublicKey::P256 { .. }),
            _ => false,
        });
        if !keys.any(|key| key.has_signed(self.signed.as_bytes(), &self.signature)) {
            return Err("no key of the issuer has signed it");
        }
        serde_json::from_slice(&self.payload).map_err(|_| "it lacks iss, sub, aud, exp or iat")
    }
}

impl Claims {
    /// Whether it is from whom, for whom and of the time that it must be.
    pub(super) fn check(&self, expected: &Expected<'_>) -> Result<(), &'static str> {
        if self.iss != expected.issuer {
            return Err("it is from another issuer");
        }
        let is_for_us = match &self.aud {
            Audience::One(client) => client == expected.client_id,
            Audience::Several(clients) => clients.iter().any(|client| client == expected.client_id),
        };
        if !is_for_us {
            return Err("it is for another client");
        }
        let has_others = matches!(&self.aud, Audience::Several(clients) if clients.len() > 1);
        match &self.azp {
            Some(party) if party != expected.client_id => return Err("it was given to another client"),
            None if has_others => return Err("it is for several clients, and does not say which it was given to"),
            _ => {}
        }
        #[expect(clippy::cast_precision_loss, reason = "seconds since 1970")]
        let now = expected.now.as_seconds() as f64;
        if now >= self.exp + SKEW {
            return Err("it has expired");
        }
        if self.iat > now + SKEW || self.iat < now - OLDEST {
            return Err("it was not made just now");
        }
        let nonce = self.nonce.as_deref().unwrap_or_default();
        if !same(token_hash(nonce), token_hash(expected.nonce)) {
            return Err("it answers another sign-in");
        }
        Ok(())
    }
}

impl Person {
    /// Who it is, if the issuer has verified the address.
    pub(super) fn verified(self) -> Option<Identity> {
        let is_verified = match &self.email_verified {
            Some(Flag::Is(is)) => *is,
            Some(Flag::Said(text)) => text == "true",
            None => false,
        };
        let email = self.email.filter(|email| is_verified && email.contains('@') && email.len() <= 254)?;
        let name = self.name.filter(|name| name.chars().count() <= 100 && !name.chars().any(char::is_control));
        Some(Identity { email, name })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn claims(change: &Value) -> Claims {
        let mut claims = json!({
            "iss": "https://id.example", "sub": "1", "aud": "errtrack", "exp": 2_000, "iat": 1_000, "nonce": "n",
            "email": "ana@example.com", "email_verified": true,
        });
        for (name, value) in change.as_object().unwrap() {
            claims[name] = value.clone();
        }
        serde_json::from_value(claims).unwrap()
    }

    #[test]
    fn each_claim_must_be_right() {
        let now = Timestamp::from_micros(1_100 * 1_000_000);
        let expected = Expected { issuer: "https://id.example", client_id: "errtrack", nonce: "n", now };
        for right in [
            json!({}),
            json!({"aud": ["errtrack"]}),
            json!({"aud": ["other", "errtrack"], "azp": "errtrack"}),
            json!({"exp": 1_000.5, "iat": 1_200}),
            json!({"more": {"than": ["is", "known"]}}),
        ] {
            assert_eq!(claims(&right).check(&expected), Ok(()), "{right}");
        }
        for (wrong, why) in [
            (json!({"iss": "https://id.example/"}), "it is from another issuer"),
            (json!({"aud": "other"}), "it is for another client"),
            (json!({"aud": []}), "it is for another client"),
            (json!({"azp": "other"}), "it was given to another client"),
            (
                json!({"aud": ["other", "errtrack"]}),
                "it is for several clients, and does not say which it was given to",
            ),
            (json!({"exp": 900}), "it has expired"),
            (json!({"iat": 100}), "it was not made just now"),
            (json!({"iat": 2_000}), "it was not made just now"),
            (json!({"nonce": "m"}), "it answers another sign-in"),
            (json!({"nonce": null}), "it answers another sign-in"),
        ] {
            assert_eq!(claims(&wrong).check(&expected), Err(why), "{wrong}");
        }
    }

    #[test]
    fn only_a_verified_address_is_somebody() {
        for (said, is) in [(json!(true), true), (json!("true"), true), (json!(false), false), (json!("no"), false)] {
            assert_eq!(claims(&json!({"email_verified": said})).person.verified().is_some(), is, "{said}");
        }
        for nobody in [json!({"email_verified": null}), json!({"email": null}), json!({"email": "ana"})] {
            assert_eq!(claims(&nobody).person.verified(), None, "{nobody}");
        }
    }

    #[test]
    fn what_is_no_token_or_is_not_signed_is_refused() {
        for wrong in ["", "a", "a.b", "a.b.c", "....", "e30.e30.", "bnVsbA.e30.e30"] {
            assert!(Token::parse(wrong).is_none_or(|token| token.claims([]).is_err()), "{wrong}");
        }
        let encoded = |value: Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let key = PublicKey::P256 { x: vec![1; 32], y: vec![1; 32] };
        for alg in ["none", "HS256", "ES256", "RS256"] {
            let text = format!("{}.{}.", encoded(json!({"alg": alg})), encoded(json!({})));
            let token = Token::parse(&text).unwrap();
            assert_eq!(token.claims([&key]).unwrap_err(), "no key of the issuer has signed it", "{alg}");
        }
    }
}
