//! Queries of the issue list.

use super::{bytes, text};
use crate::Target;

pub(crate) const TARGET: Target = Target {
    name: "queries",
    run: |data| errtrack_web::fuzzing::query(&text(data)),
    seeds: |_| {
        bytes([
            r#"is:resolved level:error level:fatal env:production project:shop source:backend user:"u 1" pool "timed out""#,
            r"is:regressed since:24h until:2026-11-01 release:1.4 std::io::Error https://x.example",
            r#"Tenant:"a \"b\"" is:open since:2w server:web-1 route:"GET /x" -a: "\\""#,
        ])
    },
};
