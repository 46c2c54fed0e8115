//! What is said of limits: `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10), `Retry-After`.

use super::{Count, Policy, WINDOW};
use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::Response,
};
use std::{
    fmt::Write,
    sync::{Arc, Mutex, PoisonError},
};

const LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// What became of a request under one policy.
#[derive(Debug, Clone, Copy)]
pub(super) struct Verdict {
    policy: Policy,
    pub(super) most: u32,
    count: Count,
}

impl Verdict {
    pub(super) const fn new(policy: Policy, most: u32, count: Count) -> Self {
        Self { policy, most, count }
    }

    /// Whether the request is within the limit.
    pub(super) fn is_kept(&self) -> bool {
        self.count.used <= u64::from(self.most)
    }

    /// Seconds until there is room again, at least one.
    pub(super) fn seconds(&self) -> u64 {
        self.count.left.as_millis().div_ceil(1_000).try_into().unwrap_or(u64::MAX).max(1)
    }
}

/// The verdicts on a request, which travel with it.
#[derive(Debug, Clone, Default)]
pub(super) struct Verdicts(Arc<Mutex<Vec<Verdict>>>);

impl Verdicts {
    pub(super) fn has(&self, policy: Policy) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().any(|verdict| verdict.policy == policy)
    }

    pub(super) fn note(&self, verdict: Verdict) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(verdict);
    }

    fn write(&self, status: StatusCode, headers: &mut HeaderMap) {
        let verdicts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if verdicts.is_empty() {
            return;
        }
        let (mut limit, mut policy) = (String::new(), String::new());
        for verdict in verdicts.iter() {
            let (name, most, between) = (verdict.policy.name(), verdict.most, if limit.is_empty() { "" } else { ", " });
            let remaining = u64::from(most).saturating_sub(verdict.count.used);
            // Writing to a text cannot fail.
            let _ = write!(limit, "{between}\"{name}\";r={remaining};t={}", verdict.seconds());
            let _ = write!(policy, "{between}\"{name}\";q={most};w={}", WINDOW.as_secs());
        }
        for (name, text) in [(LIMIT, limit), (POLICY, policy)] {
            headers.extend(HeaderValue::from_str(&text).map(|value| (name, value)));
        }
        let wait = verdicts.iter().filter(|verdict| !verdict.is_kept()).map(Verdict::seconds).max();
        if let (StatusCode::TOO_MANY_REQUESTS, Some(seconds)) = (status, wait) {
            headers.entry(header::RETRY_AFTER).or_insert(seconds.into());
        }
    }
}

/// Puts the verdicts on the answer, as a layer around everything.
pub(crate) async fn tell(mut request: Request, next: Next) -> Response {
    let verdicts = Verdicts::default();
    request.extensions_mut().insert(verdicts.clone());
    let mut response = next.run(request).await;
    verdicts.write(response.status(), response.headers_mut());
    response
}
