//! Headers: traces, proxies, and who reports. One a line.

use super::{bytes, text};
use crate::Target;
use errtrack_core::{TrustedProxies, fuzzing as core};
use errtrack_web::fuzzing as web;
use std::net::IpAddr;

pub(crate) const TARGET: Target = Target {
    name: "headers",
    run,
    seeds: |_| {
        bytes([
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\n10.0.0.0/8 ::1 2001:db8::/32\n203.0.113.9, 10.0.0.2\nfor=192.0.2.60;proto=http, for=\"[2001:db9:cafe::17]:4711\"\nSentry sentry_key=abc, sentry_version=7, sentry_client=x/1\nBasic YWJjOg==\n/api/1/store/?sentry_key=abc&sentry_client=x%2F1\nhttps://abc:secret@host:8080/prefix/42/",
            "cc-00000000000000000000000000000001-0000000000000001-00-what\n192.0.2.7 0.0.0.0/0\nunknown, 1.1.1.1:80\nFor=\"_hidden\"\nsentry_key=abc,sentry_secret=s\nSentry sentry_key=abc\n/?sentry_key=abc\nabc",
        ])
    },
};

fn run(data: &[u8]) {
    let text = text(data);
    let mut lines = text.split('\n');
    let mut next = || lines.next().unwrap_or_default();
    if let Some(trace) = core::trace(next()) {
        assert!(trace["trace_id"].as_str().is_some_and(|id| id.len() == 32));
    }
    let networks = next();
    let [x_forwarded_for, forwarded] = [next(), next()];
    if let Ok(proxies) = TrustedProxies::new(networks.split(' ')) {
        let peers: [IpAddr; 3] = [[10, 0, 0, 7].into(), [192, 0, 2, 7].into(), std::net::Ipv6Addr::LOCALHOST.into()];
        for peer in peers {
            let client = proxies.client(peer, [x_forwarded_for]);
            assert!(client == peer || proxies.trusts(peer), "only a proxy is believed");
            let client = proxies.clone().forwarded().client(peer, [forwarded, x_forwarded_for]);
            assert!(client == peer || proxies.trusts(peer), "only a proxy is believed");
        }
    }
    let [sentry, authorization, uri, dsn] = [next(), next(), next(), next()];
    let key = web::sender(sentry.as_bytes(), authorization.as_bytes(), uri, dsn);
    assert!(key.is_none_or(|key| !key.is_empty()));
}
