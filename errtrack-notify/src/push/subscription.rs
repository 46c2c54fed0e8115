//! A browser that a member lets be notified, as its page sends it.

use super::seal::{SECRET, is_point};
use base64::{
    Engine,
    alphabet::URL_SAFE,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use errtrack_core::{AllowedTargets, Timestamp, store::PushSubscription};
use http::Uri;
use std::net::IpAddr;
use uuid::Uuid;

/// Bytes of an endpoint. Those of browsers have some hundred.
const ENDPOINT: usize = 1_000;
/// Characters of a label.
const LABEL: usize = 100;

/// Browsers name their keys with padding or without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// What is wrong with a browser that is to be notified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {why}")]
pub struct InvalidBrowser {
    /// Which field: `endpoint`, `keys.p256dh`, `keys.auth`.
    pub field: &'static str,
    /// What would be right.
    pub why: &'static str,
}

/// A browser of a member, from what its `PushSubscription` says. The endpoint is a URL that whoever sends it may make up: what
/// is private is refused, by name or address here, and by the address that a name has whenever something is sent.
///
/// # Errors
/// The endpoint or a key cannot be right.
pub fn new(
    member: Uuid,
    endpoint: &str,
    key: &str,
    secret: &str,
    label: String,
    allowed: &AllowedTargets,
) -> Result<PushSubscription, InvalidBrowser> {
    let wrong = |field, why| InvalidBrowser { field, why };
    if endpoint.len() > ENDPOINT {
        return Err(wrong("endpoint", "must have at most 1000 bytes"));
    }
    let host = host(endpoint).ok_or_else(|| wrong("endpoint", "must be a URL like https://host/path"))?;
    let address: Option<IpAddr> = host.parse().ok();
    let is_here = host.eq_ignore_ascii_case("localhost").then_some(IpAddr::from([127, 0, 0, 1]));
    if address.or(is_here).is_some_and(|address| !allowed.allows(&host, address)) {
        return Err(wrong("endpoint", "its address is private, and not allowed"));
    }
    let key = BASE64.decode(key).ok().filter(|key| is_point(key));
    let key = key.ok_or_else(|| wrong("keys.p256dh", "must be a point on P-256, 65 bytes in base64url"))?;
    let secret = BASE64.decode(secret).ok().filter(|secret| secret.len() == SECRET);
    let secret = secret.ok_or_else(|| wrong("keys.auth", "must be 16 bytes in base64url"))?;
    Ok(PushSubscription {
        id: Uuid::now_v7(),
        member,
        endpoint: endpoint.to_owned(),
        key,
        secret,
        label,
        created_at: Timestamp::now(),
        delivered_at: None,
        failed_at: None,
        error: None,
    })
}

/// The host of a URL that a browser may have named.
fn host(endpoint: &str) -> Option<String> {
    let uri: Uri = endpoint.parse().ok().filter(|_| endpoint.is_ascii())?;
    let authority = uri.authority().filter(|authority| !authority.as_str().contains('@'))?;
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    (uri.scheme_str() == Some("https") && !host.is_empty()).then(|| host.to_owned())
}

/// What a browser is called, from what it says of itself (`User-Agent`).
///
/// # Example
/// ```
/// let agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
/// assert_eq!(errtrack_notify::push::label(agent), "Firefox on Linux");
/// assert_eq!(errtrack_notify::push::label("curl/8"), "curl/8");
/// assert_eq!(errtrack_notify::push::label(""), "A browser");
/// ```
#[must_use]
pub fn label(agent: &str) -> String {
    // Each names itself beside those that it wants to be taken for; so the order matters.
    const BROWSERS: [(&str, &str); 9] = [
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("SamsungBrowser/", "Samsung Internet"),
        ("Vivaldi/", "Vivaldi"),
        ("Firefox/", "Firefox"),
        ("FxiOS/", "Firefox"),
        ("HeadlessChrome/", "Chromium"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ];
    const SYSTEMS: [(&str, &str); 7] = [
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ];
    let of =
        |names: &[(&str, &'static str)]| names.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, name)| *name);
    match (of(&BROWSERS), of(&SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        (None, _) if agent.trim().is_empty() => "A browser".into(),
        (None, _) => crate::words::one_line(agent, LABEL),
    }
}
