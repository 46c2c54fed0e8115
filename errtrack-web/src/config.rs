//! What can be configured about the web side.

use crate::monitoring::Target;
use errtrack_core::AllowedTargets;
use errtrack_core::TrustedProxies;

/// The configuration of the router. [`Config::default`] fits a host that mounts it beside its own pages.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Config {
    /// The URL under which the mount point is reached from outside, without a slash at the end; used in links that leave
    /// the page: DSNs, mails. Taken from each request unless set.
    pub public_url: Option<String>,
    /// Bytes of a body at the JSON report endpoints.
    pub max_body: usize,
    /// Bytes of an envelope as it comes over the wire.
    pub max_envelope: usize,
    /// Bytes of an envelope when it is unpacked.
    pub max_unpacked: usize,
    /// Origins that browsers may report from.
    pub ingest_origins: Origins,
    /// Services that are watched; none unless set. Looked at twice a minute, by one of the processes on a database.
    pub monitor: Vec<Target>,
    /// What of these may be reached although it is private or this machine; nothing unless set.
    pub allowed_targets: AllowedTargets,
    /// Whether this router's own requests count in the statistics of routes, beside those of a layer; for a server that does
    /// nothing else. Not unless set.
    pub count_own_requests: bool,
    /// The proxies that are believed when they say for which client they ask; none unless set. The client's address is what
    /// limits and logs go by, so behind a proxy that is not named here all clients are one.
    pub trusted_proxies: TrustedProxies,
}

/// Origins that CORS lets in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origins {
    /// All of them.
    Any,
    /// These: `https://shop.example.com`.
    These(Vec<String>),
}

impl Default for Config {
    fn default() -> Self {
        Self {
            public_url: None,
            max_body: 256 << 10,
            max_envelope: 20 << 20,
            max_unpacked: 100 << 20,
            ingest_origins: Origins::Any,
            monitor: Vec::new(),
            allowed_targets: AllowedTargets::default(),
            count_own_requests: false,
            trusted_proxies: TrustedProxies::default(),
        }
    }
}
