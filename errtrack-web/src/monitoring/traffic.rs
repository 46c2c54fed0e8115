//! The requests of this router.

use crate::app::App;
use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::Response,
};
use errtrack_core::StatusClass;
use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Instant,
};

/// Requests that were answered, and those under way.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    begun: AtomicU64,
    ended: AtomicU64,
}

impl Traffic {
    /// Requests that have begun since the start.
    pub(super) fn begun(&self) -> u64 {
        self.begun.load(Relaxed)
    }

    /// Requests under way.
    pub(super) fn under_way(&self) -> u64 {
        let ended = self.ended.load(Relaxed);
        self.begun().saturating_sub(ended)
    }
}

/// Over when the request is, also when whoever sent it went away.
struct Open<'a>(&'a Traffic);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Relaxed);
    }
}

/// Counts a request; where the host wants it, by its route too.
pub(crate) async fn count(State(app): State<App>, request: Request, next: Next) -> Response {
    app.traffic().begun.fetch_add(1, Relaxed);
    let _open = Open(app.traffic());
    if !app.config().count_own_requests {
        return next.run(request).await;
    }
    let start = Instant::now();
    let method = request.method().clone();
    let path = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    let route = path.as_ref().map_or("(none)", MatchedPath::as_str);
    let class = StatusClass::of(response.status().as_u16());
    app.tracker().routes().record(method.as_str(), route, class, start.elapsed());
    response
}
