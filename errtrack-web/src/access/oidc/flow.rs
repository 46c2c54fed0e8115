//! A sign-in that has begun: what the browser keeps of it until it comes back.
//!
//! One random secret is in a cookie that scripts cannot read. State, nonce and the verifier of PKCE (RFC 7636) are each made
//! from it one way, so none of them tells another, nothing is kept here, and any process on the database can end what another
//! began.

use crate::{
    access::{random_token, same, token_hash},
    links::Links,
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use errtrack_core::StoreError;
use http::{HeaderMap, header};
use sha2::{Digest, Sha256};
use std::{fmt, time::Duration};

const COOKIE: &str = "errtrack_oidc";
/// For how long somebody may be at the issuer's.
const LIVES: Duration = Duration::from_secs(10 * 60);
/// Bytes of the path to go on to that are kept; a cookie holds some 4 KB.
const LONGEST_NEXT: usize = 2_000;

/// What the cookie holds.
pub(crate) struct Begun {
    secret: String,
    /// Where to go afterwards: as the browser says, and so to be looked at again.
    pub(crate) next: Option<String>,
}

impl fmt::Debug for Begun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Begun").field("next", &self.next).finish_non_exhaustive()
    }
}

/// Begins a sign-in.
pub(crate) fn begin(next: Option<&str>) -> Result<Begun, StoreError> {
    let next = next.filter(|next| next.len() <= LONGEST_NEXT);
    Ok(Begun { secret: random_token()?, next: next.map(str::to_owned) })
}

/// The sign-in that a browser has begun, if this is its answer.
pub(crate) fn begun(headers: &HeaderMap, state: &str) -> Option<Begun> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let (_, value) = pairs.find(|(name, _)| *name == COOKIE)?;
    let (secret, next) = value.split_once('.').unwrap_or((value, ""));
    let is_ours = secret.len() == 64 && secret.bytes().all(|b| b.is_ascii_hexdigit()) && next.len() < 2 * LONGEST_NEXT;
    let next = BASE64_URL_SAFE_NO_PAD.decode(next).ok().and_then(|next| String::from_utf8(next).ok());
    let begun = Begun { secret: secret.to_owned(), next: next.filter(|next| !next.is_empty()) };
    (is_ours && same(token_hash(state), token_hash(&begun.state()))).then_some(begun)
}

/// The `Set-Cookie` line that forgets it: it is good for one try.
pub(crate) fn forget(links: &Links) -> String {
    cookie(links, "", Duration::ZERO)
}

/// Where the issuer sends somebody back to.
pub(crate) fn callback(links: &Links) -> String {
    links.public("/login/oidc/callback")
}

impl Begun {
    pub(super) fn state(&self) -> String {
        self.made("state")
    }

    pub(super) fn nonce(&self) -> String {
        self.made("nonce")
    }

    pub(super) fn verifier(&self) -> String {
        self.made("verifier")
    }

    pub(super) fn challenge(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(self.verifier()))
    }

    /// The `Set-Cookie` line.
    pub(crate) fn cookie(&self, links: &Links) -> String {
        let next = BASE64_URL_SAFE_NO_PAD.encode(self.next.as_deref().unwrap_or_default());
        cookie(links, &format!("{}.{next}", self.secret), LIVES)
    }

    fn made(&self, what: &str) -> String {
        let hash = Sha256::new().chain_update(format!("errtrack {what} ")).chain_update(&self.secret).finalize();
        hash.iter().map(|b| format!("{b:02x}")).collect()
    }
}

/// `Lax`, as somebody comes back by a link from another site.
fn cookie(links: &Links, value: &str, lives: Duration) -> String {
    let (path, seconds) = (links.path("/login/oidc"), lives.as_secs());
    let secure = if links.is_https() { "; Secure" } else { "" };
    format!("{COOKIE}={value}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(cookie: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::COOKIE, cookie.split(';').next().unwrap().parse().unwrap())])
    }

    #[test]
    fn it_is_the_browser_that_began_which_ends_it() {
        let links = Links::sample("/errors", "https://shop.example/errors");
        let (here, elsewhere) = (begin(Some("/issues?q=a")).unwrap(), begin(None).unwrap());
        let cookie = here.cookie(&links);
        assert!(cookie.ends_with("; Path=/errors/login/oidc; Max-Age=600; HttpOnly; SameSite=Lax; Secure"), "{cookie}");
        let again = begun(&headers(&cookie), &here.state()).unwrap();
        assert_eq!(
            (again.next.as_deref(), again.nonce(), again.verifier()),
            (Some("/issues?q=a"), here.nonce(), here.verifier())
        );
        assert!(begun(&headers(&cookie), &elsewhere.state()).is_none());
        assert!(begun(&headers(&elsewhere.cookie(&links)), &here.state()).is_none());
        assert!(begun(&HeaderMap::new(), &here.state()).is_none());
        assert!(begun(&headers(&forget(&links)), &here.state()).is_none());
        for told in [here.state(), here.nonce(), here.challenge()] {
            assert!(!cookie.contains(&told) && told != here.verifier());
        }
        assert_eq!(begin(Some(&"/".repeat(5_000))).unwrap().next, None);
    }
}
