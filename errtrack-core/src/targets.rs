//! Where this process may connect to on somebody's word: checks of services, webhooks.
//!
//! Who can name a URL could otherwise look into the network that the process stands in. So addresses that do not belong to the
//! public internet are closed, unless they are allowed by name or network.

use crate::proxies::{InvalidNetwork, Network};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Hosts and networks that may be reached although they are private or this machine.
///
/// # Example
/// ```
/// use errtrack_core::AllowedTargets;
///
/// # fn main() -> Result<(), errtrack_core::InvalidNetwork> {
/// let allowed = AllowedTargets::new(["10.1.0.0/16", "billing.internal"])?;
/// assert!(allowed.allows("example.com", [93, 184, 215, 14].into()));
/// assert!(allowed.allows("example.com", [10, 1, 2, 3].into()));
/// assert!(allowed.allows("Billing.internal", [10, 9, 9, 9].into()));
/// assert!(!allowed.allows("example.com", [127, 0, 0, 1].into()));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowedTargets {
    hosts: Vec<String>,
    networks: Vec<Network>,
}

impl AllowedTargets {
    /// Hosts (`billing.internal`), addresses (`127.0.0.1`) and networks (`10.1.0.0/16`).
    ///
    /// # Errors
    /// One of them is a network that is none.
    pub fn new<I: IntoIterator<Item: AsRef<str>>>(targets: I) -> Result<Self, InvalidNetwork> {
        let mut allowed = Self::default();
        for target in targets {
            let target = target.as_ref().trim();
            match target.parse() {
                Ok(network) => allowed.networks.push(network),
                // What holds a slash or a colon is no name of a host.
                Err(invalid) if target.is_empty() || target.contains(['/', ':']) => return Err(invalid),
                Err(_) => allowed.hosts.push(target.to_lowercase()),
            }
        }
        Ok(allowed)
    }

    /// The same, and this host besides, whatever its addresses are.
    #[must_use]
    pub fn and_host(mut self, host: &str) -> Self {
        self.hosts.push(host.to_lowercase());
        self
    }

    /// Whether an address may be connected to that a host was found to have. To be asked of the very address that is then
    /// connected to: a name may be found at another one the next time.
    #[must_use]
    pub fn allows(&self, host: &str, address: IpAddr) -> bool {
        is_public(address)
            || self.hosts.iter().any(|allowed| allowed.eq_ignore_ascii_case(host))
            || self.networks.iter().any(|network| network.contains(address))
    }
}

/// Whether an address belongs to the public internet.
fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

const fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(a == 0
        || a >= 240
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation()
        // Of carriers (RFC 6598), of protocols (RFC 6890), for measuring (RFC 2544).
        || (a == 100 && b & 0xc0 == 64)
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && b & 0xfe == 18))
}

const fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, d, .., g, h] = address.segments();
    // What holds an address of IPv4 leads there: NAT64 (RFC 6052), 6to4 (RFC 3056).
    if a == 0x64 && b == 0xff9b && c == 0 && d == 0 {
        let (g, h) = (g.to_be_bytes(), h.to_be_bytes());
        return is_public_v4(Ipv4Addr::new(g[0], g[1], h[0], h[1]));
    }
    if a == 0x2002 {
        let (b, c) = (b.to_be_bytes(), c.to_be_bytes());
        return is_public_v4(Ipv4Addr::new(b[0], b[1], c[0], c[1]));
    }
    // All that is given to hosts begins so; of that, not what is for documents, Teredo and the like.
    a & 0xe000 == 0x2000 && !(a == 0x2001 && (b < 0x0200 || b == 0xdb8)) && !(a == 0x3fff && b < 0x1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_public_internet_is_open() {
        let none = AllowedTargets::default();
        for open in ["1.1.1.1", "93.184.215.14", "172.32.0.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]
        {
            assert!(none.allows("h", open.parse().unwrap()), "{open}");
        }
        for closed in [
            "0.0.0.0",
            "10.0.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "192.0.0.1",
            "192.168.1.1",
            "198.18.0.1",
            "203.0.113.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "fc00::1",
            "fe80::1",
            "ff02::1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001:db8::1",
            "2001::1",
        ] {
            assert!(!none.allows("h", closed.parse().unwrap()), "{closed}");
        }
    }

    #[test]
    fn what_is_allowed_is_named() {
        let allowed = AllowedTargets::new(["127.0.0.1", "fc00::/7", "Db.internal"]).unwrap();
        assert!(allowed.allows("x", [127, 0, 0, 1].into()) && !allowed.allows("x", [127, 0, 0, 2].into()));
        assert!(allowed.allows("x", "fd00::1".parse().unwrap()) && allowed.allows("db.INTERNAL", [10, 0, 0, 1].into()));
        for wrong in ["", "10.0.0.0/33", "http://h", "h:80"] {
            assert!(AllowedTargets::new([wrong]).is_err(), "{wrong}");
        }
    }
}
