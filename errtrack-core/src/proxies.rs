//! Whose word is taken for the address of a client.
//!
//! Behind a proxy every connection comes from the proxy, which says in a header for whom. A header can be sent by anybody, so
//! it counts only as far as it was written by machines that the host trusts: from the right, each proxy's word on the one
//! before it, up to the first address that is no trusted proxy's. That is the client.

use std::{fmt, net::IpAddr, str::FromStr};

/// The proxies that are believed, by their networks, and the header that they write.
///
/// # Example
/// ```
/// use errtrack_core::TrustedProxies;
///
/// # fn main() -> Result<(), errtrack_core::InvalidNetwork> {
/// let proxies = TrustedProxies::new(["10.0.0.0/8", "::1"])?;
/// let peer = [10, 0, 0, 7].into();
/// // The client made up the first address; the proxy saw the second.
/// let client = proxies.client(peer, ["198.51.100.1, 203.0.113.9"]);
/// assert_eq!(client.to_string(), "203.0.113.9");
/// // Who is no trusted proxy is the client, whatever it says.
/// assert_eq!(proxies.client(client, ["198.51.100.1"]), client);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies {
    networks: Vec<Network>,
    forwarded: bool,
}

impl TrustedProxies {
    /// Proxies whose addresses are in these networks: `10.0.0.0/8`, `2001:db8::/32`, or single addresses.
    ///
    /// They are taken to write `X-Forwarded-For`, see [`forwarded`](Self::forwarded).
    ///
    /// # Errors
    /// One of them is no network.
    pub fn new<I: IntoIterator<Item: AsRef<str>>>(networks: I) -> Result<Self, InvalidNetwork> {
        let networks = networks.into_iter().map(|network| network.as_ref().parse()).collect::<Result<_, _>>()?;
        Ok(Self { networks, forwarded: false })
    }

    /// The proxies write `Forwarded` (RFC 7239) instead of `X-Forwarded-For`.
    ///
    /// Only one of the two is read, as a proxy that writes the one lets through what clients put into the other.
    #[must_use]
    pub fn forwarded(mut self) -> Self {
        self.forwarded = true;
        self
    }

    /// The header that they write, in lower case.
    #[must_use]
    pub const fn header(&self) -> &'static str {
        if self.forwarded { "forwarded" } else { "x-forwarded-for" }
    }

    /// Whether an address is that of a trusted proxy.
    #[must_use]
    pub fn trusts(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(address))
    }

    /// The address of the client: that of the `peer` who is connected, unless it is a trusted proxy; then the rightmost one
    /// in the header that is none. `lines` are the values of the header, in order.
    ///
    /// Where a proxy does not say for whom it asks (`unknown`, `_hidden`, nonsense), the client is not known, and the address
    /// is that proxy's.
    #[must_use]
    pub fn client<'a, I>(&self, peer: IpAddr, lines: I) -> IpAddr
    where
        I: IntoIterator<Item = &'a str, IntoIter: DoubleEndedIterator>,
    {
        let mut client = peer.to_canonical();
        if !self.trusts(client) {
            return client;
        }
        // Split from the right at every comma, also within quotes: what stands to the left of what a trusted proxy wrote
        // must not be able to change its meaning, by a quote without an end.
        let said = lines.into_iter().rev().flat_map(|line| line.rsplit(',')).map(str::trim).filter(|s| !s.is_empty());
        for element in said {
            let node = if self.forwarded { forwarded_for(element) } else { Some(element) };
            match node.and_then(address) {
                Some(address) => client = address,
                None => return client,
            }
            if !self.trusts(client) {
                return client;
            }
        }
        client
    }
}

/// The node in `for=` of an element of `Forwarded`.
fn forwarded_for(element: &str) -> Option<&str> {
    element.split(';').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then(|| value.trim().trim_matches('"'))
    })
}

/// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80`.
fn address(node: &str) -> Option<IpAddr> {
    let bare = match node.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?.0,
        None => node.split_once(':').filter(|(_, port)| !port.contains(':')).map_or(node, |(address, _)| address),
    };
    bare.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

/// A network in the notation of CIDR (RFC 4632): an address and how many of its bits count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Network {
    address: IpAddr,
    prefix: u32,
}

impl Network {
    /// An IPv4 address that is written as IPv6 is an IPv4 address.
    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(ours), IpAddr::V4(other)) => {
                (ours.to_bits() ^ other.to_bits()).checked_shr(32 - self.prefix).unwrap_or_default() == 0
            }
            (IpAddr::V6(ours), IpAddr::V6(other)) => {
                (ours.to_bits() ^ other.to_bits()).checked_shr(128 - self.prefix).unwrap_or_default() == 0
            }
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = InvalidNetwork;

    fn from_str(text: &str) -> Result<Self, InvalidNetwork> {
        let invalid = || InvalidNetwork(text.to_owned());
        let (address, prefix) = match text.trim().split_once('/') {
            Some((address, prefix)) => (address, Some(prefix.parse::<u32>().map_err(|_| invalid())?)),
            None => (text.trim(), None),
        };
        let address: IpAddr = address.parse().map_err(|_| invalid())?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.unwrap_or(bits);
        if prefix > bits {
            return Err(invalid());
        }
        Ok(Self { address, prefix })
    }
}

/// The error of a network that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct InvalidNetwork(String);

impl fmt::Display for InvalidNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is neither an address nor a network like 10.0.0.0/8", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(proxies: &TrustedProxies, peer: &str, lines: &[&str]) -> String {
        proxies.client(peer.parse().unwrap(), lines.iter().copied()).to_string()
    }

    #[test]
    fn networks_hold_what_they_say() {
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.1"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.8"),
            ("192.0.2.128/25", "192.0.2.200", "192.0.2.100"),
            ("2001:db8::/32", "2001:db8:1::1", "2001:db9::1"),
            ("::1", "::1", "127.0.0.1"),
            ("10.0.0.0/8", "::ffff:10.1.2.3", "::ffff:11.1.2.3"),
        ] {
            let network: Network = network.parse().unwrap();
            assert!(network.contains(inside.parse().unwrap()), "{network:?} {inside}");
            assert!(!network.contains(outside.parse().unwrap()), "{network:?} {outside}");
        }
        let (all4, all6): (Network, Network) = ("0.0.0.0/0".parse().unwrap(), "::/0".parse().unwrap());
        assert!(all4.contains([255, 1, 2, 3].into()) && all6.contains("fe80::1".parse().unwrap()));
        assert!(!all4.contains("fe80::1".parse().unwrap()));
        for wrong in ["", "10.0.0.0/33", "10.0.0/8", "::/129", "10.0.0.0/-1", "10.0.0.0/", "proxy"] {
            assert!(TrustedProxies::new([wrong]).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn nothing_is_trusted_unless_set() {
        assert_eq!(client(&TrustedProxies::default(), "127.0.0.1", &["203.0.113.9"]), "127.0.0.1");
    }

    #[test]
    fn the_client_is_the_rightmost_that_is_no_proxy() {
        let proxies = TrustedProxies::new(["10.0.0.0/8", "2001:db8::/32"]).unwrap();
        for (peer, lines, expected) in [
            ("203.0.113.9", &["198.51.100.1"][..], "203.0.113.9"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["203.0.113.9"], "203.0.113.9"),
            ("::ffff:10.0.0.1", &["203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", &["1.1.1.1, 203.0.113.9, 10.0.0.2"], "203.0.113.9"),
            ("10.0.0.1", &["1.1.1.1", "203.0.113.9", "10.0.0.2"], "203.0.113.9"),
            ("10.0.0.1", &["203.0.113.9:1234, [2001:db8::7]:443"], "203.0.113.9"),
            ("10.0.0.1", &["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
            ("10.0.0.1", &["203.0.113.9, unknown, 10.0.0.2"], "10.0.0.2"),
            ("10.0.0.1", &["203.0.113.9,, ,"], "203.0.113.9"),
            ("10.0.0.1", &["for=203.0.113.9"], "10.0.0.1"),
        ] {
            assert_eq!(client(&proxies, peer, lines), expected, "{peer} {lines:?}");
        }
    }

    #[test]
    fn forwarded_is_read_as_rfc_7239_says() {
        let proxies = TrustedProxies::new(["10.0.0.0/8", "2001:db8::/32"]).unwrap().forwarded();
        for (line, expected) in [
            ("for=192.0.2.43", "192.0.2.43"),
            ("For=\"[2001:db9:cafe::17]:4711\"", "2001:db9:cafe::17"),
            ("for=192.0.2.60;proto=http;by=203.0.113.43", "192.0.2.60"),
            ("proto=https;for=192.0.2.43, for=10.9.9.9", "192.0.2.43"),
            ("for=1.1.1.1, for=_hidden", "10.0.0.1"),
            ("for=1.1.1.1, proto=https", "10.0.0.1"),
            ("for=\"1.1.1.1, for=192.0.2.43", "192.0.2.43"),
        ] {
            assert_eq!(client(&proxies, "10.0.0.1", &[line]), expected, "{line}");
        }
    }
}
