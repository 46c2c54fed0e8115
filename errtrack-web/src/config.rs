//! What can be configured about the web side.

use crate::{access::Oidc, monitoring::Target};
use errtrack_core::{AllowedTargets, TrustedProxies};
use errtrack_notify::Channel;
use tokio::sync::watch;

/// The configuration of the router. [`Config::default`] fits a host that mounts it beside its own pages.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Config {
    /// The URL under which the mount point is reached from outside, without a slash at the end; used in links that leave
    /// the page: DSNs, mails. Taken from each request unless set.
    pub public_url: Option<String>,
    /// The URL that links in notifications begin with, as nobody asks for one; [`public_url`](Self::public_url) unless set,
    /// and without either there are no links.
    pub dashboard_url: Option<String>,
    /// Bytes of a body at the JSON report endpoints.
    pub max_body: usize,
    /// Bytes of an envelope as it comes over the wire.
    pub max_envelope: usize,
    /// Bytes of an envelope when it is unpacked.
    pub max_unpacked: usize,
    /// Origins that browsers may report from; all unless set.
    pub ingest_origins: Origins,
    /// Origins whose pages may use the whole API from browsers, with a key: `https://shop.example.com`. None but its own
    /// unless set.
    pub api_origins: Vec<String>,
    /// The proxies that are believed when they say for which client they ask; none unless set. The client's address is what
    /// limits and logs go by, so behind a proxy that is not named here all clients are one.
    pub trusted_proxies: TrustedProxies,
    /// Services that are watched; none unless set. Looked at twice a minute, by one of the processes on a database.
    pub monitor: Vec<Target>,
    /// What of these, and of channels, may be reached although it is private or this machine; nothing unless set.
    pub allowed_targets: AllowedTargets,
    /// Channels by which people are told, beside those that are set up on the page; none unless set. One that is set up on the
    /// page under the same name goes before.
    pub channels: Vec<Channel>,
    /// Whether this router's own requests count in the statistics of routes, beside those of a layer; for a server that does
    /// nothing else. Not unless set.
    pub count_own_requests: bool,
    /// How many requests are answered; see [`RateLimits`] for what is set unless you do.
    pub rate_limits: RateLimits,
    /// An issuer of identities that members may sign in with; none unless set. For
    /// [`Access::accounts`](crate::Access::accounts) alone.
    pub oidc: Option<Oidc>,
    /// A Redis server that the processes on one database share; none unless set.
    #[cfg(feature = "redis")]
    pub redis: Option<crate::Redis>,
    /// Clients of `/api/live` at once; 256 unless set. Each costs some 10 KiB; who comes later is answered with 503.
    pub live_clients: usize,
    /// Ends what does not end by itself, for a server that is to stop.
    pub stop: Stop,
}

/// Ends the answers that go on for ever (`/api/live`), so that a server that waits for its last requests can stop.
/// Clones are one: keep one, give one to [`Config::stop`].
///
/// # Example
/// ```
/// use errtrack_web::{Config, Stop};
///
/// let stop = Stop::default();
/// let mut config = Config::default();
/// config.stop = stop.clone();
/// // … serve the router; then, when the server is told to stop:
/// stop.stop();
/// ```
#[derive(Debug, Clone)]
pub struct Stop(watch::Sender<bool>);

impl Default for Stop {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Stop {
    /// Ends them, now and from now on.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }

    /// Waits until it is time.
    pub(crate) async fn stopped(&self) {
        // The sender is ours, so it cannot be gone.
        let _ = self.0.subscribe().wait_for(|stopped| *stopped).await;
    }
}

/// Requests a minute; 0 for as many as come.
///
/// A minute begins with the first request and ends sixty seconds later; then the next request begins another. What is more is
/// answered with 429 and says how long to wait; a report that is turned away so counts as [`limited`](errtrack_core::Balance::limited),
/// one for each request, as its body is not read. Every answer says in `RateLimit` how many are left. Pages that people
/// look at are not limited.
///
/// Counted within the process, or with Redis exactly over all that share it; here for at most some 30,000 keys and addresses in 4 MiB; beyond that those that asked
/// longest ago begin anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RateLimits {
    /// Reports by one key: an API key, or a project's public key. 1,000 unless set.
    pub ingest: u32,
    /// Requests of one key for figures: `/api/stats`, `/api/analytics/…`, `/api/monitoring/…`. 100 unless set.
    pub analytics: u32,
    /// Other requests of one key to the API. 500 unless set.
    pub api: u32,
    /// Requests of one address to `/error-tracker/…`, and its reports without a key. Of IPv6, a network of 64 bits counts as one
    /// address. Where the address is not known, nothing is limited. 100 unless set.
    pub address: u32,
}

impl RateLimits {
    /// No limits.
    pub const OFF: Self = Self { ingest: 0, analytics: 0, api: 0, address: 0 };
}

impl Default for RateLimits {
    fn default() -> Self {
        Self { ingest: 1_000, analytics: 100, api: 500, address: 100 }
    }
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
            dashboard_url: None,
            max_body: 256 << 10,
            max_envelope: 20 << 20,
            max_unpacked: 100 << 20,
            ingest_origins: Origins::Any,
            api_origins: Vec::new(),
            trusted_proxies: TrustedProxies::default(),
            rate_limits: RateLimits::default(),
            oidc: None,
            #[cfg(feature = "redis")]
            redis: None,
            live_clients: 256,
            stop: Stop::default(),
            monitor: Vec::new(),
            allowed_targets: AllowedTargets::default(),
            channels: Vec::new(),
            count_own_requests: false,
        }
    }
}
