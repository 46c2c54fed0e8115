//! The layer and how it is configured.

use crate::{Capture, EmptyAnswer};
use errtrack_core::Tracker;
use http::HeaderName;
use std::{any::Any, error::Error, fmt, sync::Arc};
use tower_layer::Layer;

/// Layer that captures panics, errors and 5xx answers of the service inside it, and gives each request its scope.
///
/// A successful request costs about a tenth of a microsecond and one allocation. See the [crate docs](crate) for what is
/// reported. It is cheap to clone, and keeps the tracker alive.
#[derive(Debug, Clone)]
#[must_use]
pub struct CaptureLayer<P = EmptyAnswer> {
    tracker: Tracker,
    config: Option<Arc<Config>>,
    answer: P,
}

/// What few hosts set; absent unless one does, so that a request does not count references for nothing.
#[derive(Default, Clone)]
pub(crate) struct Config {
    pub(crate) headers: Vec<HeaderName>,
    pub(crate) errors: Vec<Downcast>,
}

/// Sees an error of the service as the `Error` that it is.
pub(crate) type Downcast = for<'a> fn(&'a (dyn Any + 'static)) -> Option<&'a (dyn Error + 'static)>;

impl CaptureLayer {
    /// A layer that reports to a tracker.
    pub fn new(tracker: &Tracker) -> Self {
        Self { tracker: tracker.clone(), config: None, answer: EmptyAnswer }
    }
}

impl<P> CaptureLayer<P> {
    /// Puts further headers on events, beside those that are always taken: `accept`, `content-type`, `host`, `origin`,
    /// `referer`, `traceparent`, `user-agent` and `x-request-id`.
    ///
    /// A value that is marked as sensitive ([`HeaderValue::is_sensitive`](http::HeaderValue::is_sensitive)) is never
    /// taken, and secrets are filtered before anything is stored.
    ///
    /// # Example
    /// ```no_run
    /// # let tracker: errtrack_core::Tracker = unimplemented!();
    /// use errtrack_tower::CaptureLayer;
    /// let layer = CaptureLayer::new(&tracker).headers(&[http::header::ACCEPT_LANGUAGE]);
    /// ```
    pub fn headers(mut self, names: &[HeaderName]) -> Self {
        self.config_mut().headers.extend_from_slice(names);
        self
    }

    /// Says that the service fails with errors of type `E`, so that their chain of sources is reported too.
    ///
    /// The layer asks of an error no more than `Display`, because the boxed errors of tower do not implement `Error`.
    /// Those are seen through; of any other type that is not named here only the type and what it displays arrive.
    ///
    /// # Example
    /// ```no_run
    /// # let tracker: errtrack_core::Tracker = unimplemented!();
    /// use errtrack_tower::CaptureLayer;
    /// let layer = CaptureLayer::new(&tracker).service_error::<std::io::Error>();
    /// ```
    pub fn service_error<E: Error + 'static>(mut self) -> Self {
        self.config_mut().errors.push(|error| error.downcast_ref::<E>().map(|e| e as &(dyn Error + 'static)));
        self
    }

    /// Sets the answer to a request that ended in a panic; a 500 with an empty body unless set.
    ///
    /// # Example
    /// ```no_run
    /// # let tracker: errtrack_core::Tracker = unimplemented!();
    /// use errtrack_tower::CaptureLayer;
    ///
    /// fn sorry() -> http::Response<String> {
    ///     let mut response = http::Response::new("We have been told.".to_owned());
    ///     *response.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
    ///     response
    /// }
    /// let layer = CaptureLayer::new(&tracker).answer_panics(sorry);
    /// ```
    pub fn answer_panics<Q>(self, answer: Q) -> CaptureLayer<Q> {
        CaptureLayer { tracker: self.tracker, config: self.config, answer }
    }

    fn config_mut(&mut self) -> &mut Config {
        Arc::make_mut(self.config.get_or_insert_default())
    }
}

impl<S, P: Clone> Layer<S> for CaptureLayer<P> {
    type Service = Capture<S, P>;

    fn layer(&self, inner: S) -> Self::Service {
        Capture::new(inner, self.tracker.clone(), self.config.clone(), self.answer.clone())
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config").field("headers", &self.headers).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auto_traits() {
        fn all<T: Clone + Send + Sync + Unpin + 'static>() {}
        all::<CaptureLayer>();
        all::<Capture<()>>();
        fn future<T: Send + Sync + 'static>() {}
        future::<crate::ResponseFuture<std::future::Ready<()>>>();
    }
}
