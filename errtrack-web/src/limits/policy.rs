//! Which requests are limited how, and who is counted.

use crate::{
    RateLimits,
    access::Caller,
    ingest::{Peer, is_report},
};
use axum::http::{Method, request::Parts};
use errtrack_core::TokenHash;
use sha2::{Digest, Sha256};
use std::net::IpAddr;

/// What a limit is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Policy {
    /// Reports by a key.
    Ingest,
    /// Figures.
    Analytics,
    /// Everything else of the API.
    Api,
    /// Requests by an address.
    Address,
}

impl Policy {
    /// Its name in headers.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Analytics => "analytics",
            Self::Api => "api",
            Self::Address => "address",
        }
    }

    /// Requests a minute; 0 for no limit.
    pub(super) const fn rate(self, rates: &RateLimits) -> u32 {
        match self {
            Self::Ingest => rates.ingest,
            Self::Analytics => rates.analytics,
            Self::Api => rates.api,
            Self::Address => rates.address,
        }
    }

    /// That of a request by somebody with a key or a session.
    pub(super) fn of(parts: &Parts) -> Self {
        const FIGURES: [&str; 3] = ["/api/stats", "/api/analytics", "/api/monitoring"];
        let path = parts.uri.path();
        let below =
            |prefix: &&str| path.strip_prefix(*prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        if Self::is_report(parts) {
            Self::Ingest
        } else if FIGURES.iter().any(below) {
            Self::Analytics
        } else {
            Self::Api
        }
    }

    /// Whether a request brings events.
    pub(super) fn is_report(parts: &Parts) -> bool {
        is_report(&parts.method, parts.uri.path())
    }

    /// Whether a request is never limited: what watches a service must not fail because others ask too much.
    pub(super) fn is_free(parts: &Parts) -> bool {
        parts.method == Method::OPTIONS || parts.uri.path().trim_end_matches('/').ends_with("/health")
    }
}

/// Who is counted: a hash, so that neither keys nor addresses are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Subject([u8; 16]);

impl Subject {
    /// A caller: by its key, else by its account, else by its address; `None` if nothing is known of it.
    pub(super) fn of(caller: &Caller, Peer(address): Peer) -> Option<Self> {
        match (caller.key, &caller.member) {
            (Some(TokenHash(key)), _) => Some(Self::hash("key", &key)),
            (None, Some(member)) => Some(Self::hash("member", member.id.as_bytes())),
            (None, None) => match &caller.name {
                Some(name) => Some(Self::hash("guest", name.as_bytes())),
                None => address.map(Self::address),
            },
        }
    }

    pub(super) const fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(super) fn public_key(key: &str) -> Self {
        Self::hash("public key", key.as_bytes())
    }

    /// Whoever has an IPv6 address has a network of 64 bits at least.
    pub(super) fn address(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self::hash("address", &address.octets()),
            IpAddr::V6(address) => Self::hash("network", &(address.to_bits() >> 64).to_be_bytes()),
        }
    }

    fn hash(kind: &str, bytes: &[u8]) -> Self {
        let hash = Sha256::new().chain_update(kind).chain_update([0]).chain_update(bytes).finalize();
        Self(hash.first_chunk().copied().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    fn parts(method: &str, path: &str) -> Parts {
        Request::builder().method(method).uri(path).body(()).unwrap().into_parts().0
    }

    #[test]
    fn each_request_has_its_policy() {
        for (method, path, policy) in [
            ("POST", "/api/errors", Policy::Ingest),
            ("POST", "/api/v1/errors/batch", Policy::Ingest),
            ("POST", "/error-tracker/api/errors", Policy::Ingest),
            ("GET", "/api/1/store/?sentry_key=x", Policy::Ingest),
            ("GET", "/api/errors", Policy::Api),
            ("POST", "/api/errors/merge", Policy::Api),
            ("GET", "/api/statsx", Policy::Api),
            ("GET", "/api/stats", Policy::Analytics),
            ("GET", "/api/analytics/trends?period=day", Policy::Analytics),
            ("GET", "/api/monitoring/balance", Policy::Analytics),
        ] {
            assert_eq!(Policy::of(&parts(method, path)), policy, "{method} {path}");
        }
    }

    #[test]
    fn a_network_of_ipv6_is_one_subject() {
        let subject = |text: &str| Subject::address(text.parse().unwrap());
        assert_eq!(subject("2001:db8::1"), subject("2001:db8::ffff:1"));
        assert_ne!(subject("2001:db8::1"), subject("2001:db8:0:1::1"));
        assert_ne!(subject("192.0.2.1"), subject("192.0.2.2"));
    }
}
