//! The layer and how it is configured.

use crate::{Capture, EmptyAnswer};
use errtrack_core::{Tracker, TrustedProxies};
use http::{Extensions, HeaderName};
use std::{
    any::{Any, type_name},
    error::Error,
    fmt,
    marker::PhantomData,
    sync::Arc,
};
use tower_layer::Layer;

/// Layer that captures panics, errors and 5xx answers of the service inside it, and gives each request its scope.
///
/// A successful request costs COST and one allocation. See the [crate docs](crate) for what is reported. It is cheap to
/// clone, and keeps the tracker alive.
///
/// `P` makes the answer to a panic ([`answer_panics`](Self::answer_panics)); `R` says whether the service inside gets the
/// bodies of requests as they come, or such as are kept for events ([`request_bodies`](Self::request_bodies)).
#[derive(Debug, Clone)]
#[must_use]
pub struct CaptureLayer<P = EmptyAnswer, R = BodiesAsTheyCome> {
    tracker: Tracker,
    config: Option<Arc<Config>>,
    answer: P,
    bodies: PhantomData<R>,
}

/// Bodies of requests reach the service as they come.
#[derive(Debug, Clone, Copy)]
pub struct BodiesAsTheyCome;

/// Bodies of requests reach the service as [`RequestBody`](crate::RequestBody).
#[derive(Debug, Clone, Copy)]
pub struct BodiesKept;

/// Bytes of a request's body that are kept at most: as many as a text in an event may have.
const MOST_OF_A_BODY: usize = 64 << 10;

/// What few hosts set; absent unless one does, so that a request does not count references for nothing.
#[derive(Default, Clone)]
pub(crate) struct Config {
    pub(crate) headers: Vec<HeaderName>,
    pub(crate) errors: Vec<Downcast>,
    pub(crate) causes: Vec<(HandedUp, &'static str)>,
    pub(crate) proxies: Option<TrustedProxies>,
    /// Bytes to be kept of a request's body.
    pub(crate) bodies: usize,
}

/// Sees an error of the service as the `Error` that it is.
pub(crate) type Downcast = for<'a> fn(&'a (dyn Any + 'static)) -> Option<&'a (dyn Error + 'static)>;

/// Finds an error in the extensions of a response.
pub(crate) type HandedUp = for<'a> fn(&'a Extensions) -> Option<&'a (dyn Error + 'static)>;

impl CaptureLayer {
    /// A layer that reports to a tracker.
    pub fn new(tracker: &Tracker) -> Self {
        Self { tracker: tracker.clone(), config: None, answer: EmptyAnswer, bodies: PhantomData }
    }
}

impl<P, R> CaptureLayer<P, R> {
    /// Puts further headers on events, beside those that are always taken: `accept`, `content-type`, `host`, `origin`,
    /// `referer`, `traceparent`, `user-agent` and `x-request-id`.
    ///
    /// A value that is marked as sensitive ([`HeaderValue::is_sensitive`](http::HeaderValue::is_sensitive)) is never
    /// taken, and secrets are filtered before anything is stored.
    ///
    /// # Example
    /// ```no_run
    /// # fn example(tracker: errtrack_core::Tracker) {
    /// use errtrack_tower::CaptureLayer;
    /// let layer = CaptureLayer::new(&tracker).headers(&[http::header::ACCEPT_LANGUAGE]);
    /// # }
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
    /// # fn example(tracker: errtrack_core::Tracker) {
    /// use errtrack_tower::CaptureLayer;
    /// let layer = CaptureLayer::new(&tracker).service_error::<std::io::Error>();
    /// # }
    /// ```
    pub fn service_error<E: Error + 'static>(mut self) -> Self {
        self.config_mut().errors.push(|error| error.downcast_ref::<E>().map(|e| e as &(dyn Error + 'static)));
        self
    }

    /// Says that handlers leave an error of type `E` in the extensions of an answer that failed, so that it is reported with
    /// its chain of sources, as a [`Cause`](crate::Cause) is.
    ///
    /// tonic does so with `tonic::Status`; many an axum app with an `Arc` of its own error.
    ///
    /// # Example
    /// ```no_run
    /// # fn example(tracker: errtrack_core::Tracker) {
    /// use errtrack_tower::CaptureLayer;
    /// use std::{io, sync::Arc};
    /// let layer = CaptureLayer::new(&tracker).response_error::<Arc<io::Error>>();
    /// # }
    /// ```
    pub fn response_error<E: Error + Send + Sync + 'static>(mut self) -> Self {
        let find: HandedUp = |extensions| extensions.get::<E>().map(|e| e as &(dyn Error + 'static));
        self.config_mut().causes.push((find, type_name::<E>()));
        self
    }

    /// Sets the proxies that are believed when they say for which client they ask; none unless set.
    ///
    /// Without them the client's address on events is that of the connection, behind a proxy the proxy's. Whose connection it
    /// is, axum's `ConnectInfo` says, or a [`PeerAddress`](crate::PeerAddress); where nobody knows, no header is believed.
    /// The address is filtered before anything is stored, unless
    /// [`Sanitizer::send_default_pii`](errtrack_core::sanitize::Sanitizer::send_default_pii) says otherwise.
    ///
    /// # Example
    /// ```no_run
    /// # fn example(tracker: errtrack_core::Tracker) -> Result<(), errtrack_core::InvalidNetwork> {
    /// use errtrack_core::TrustedProxies;
    /// use errtrack_tower::CaptureLayer;
    /// let layer = CaptureLayer::new(&tracker).trusted_proxies(TrustedProxies::new(["10.0.0.0/8", "fd00::/8"])?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn trusted_proxies(mut self, proxies: TrustedProxies) -> Self {
        self.config_mut().proxies = Some(proxies);
        self
    }

    /// Keeps the first `most` bytes, 64 KiB at most, of the bodies of requests, and puts them on what is captured; nothing is
    /// kept unless this is called.
    ///
    /// Of text, JSON and forms alone, and only what the handler reads, as it reads it: nothing is read ahead or waited for.
    /// What is captured before the body was read has none of it. Secrets are filtered before anything is stored, but a body
    /// holds what users wrote: think of it before you turn this on. Each request under way that has such a body costs two
    /// allocations and those bytes; with 0 bytes, only whether the client breaks off is looked at.
    ///
    /// The service inside gets the body as [`RequestBody`](crate::RequestBody); to axum and tonic any body will do.
    ///
    /// # Example
    /// ```no_run
    /// # fn example(tracker: errtrack_core::Tracker) {
    /// use errtrack_tower::CaptureLayer;
    /// let layer = CaptureLayer::new(&tracker).request_bodies(16 << 10);
    /// # }
    /// ```
    pub fn request_bodies(mut self, most: usize) -> CaptureLayer<P, BodiesKept> {
        self.config_mut().bodies = most.min(MOST_OF_A_BODY);
        CaptureLayer { tracker: self.tracker, config: self.config, answer: self.answer, bodies: PhantomData }
    }

    /// Sets the answer to a request that ended in a panic; unless set a 500 with an empty body, or gRPC's
    /// `INTERNAL`.
    ///
    /// # Example
    /// ```no_run
    /// # fn example(tracker: errtrack_core::Tracker) {
    /// use errtrack_tower::CaptureLayer;
    ///
    /// fn sorry() -> http::Response<String> {
    ///     let mut response = http::Response::new("We have been told.".to_owned());
    ///     *response.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
    ///     response
    /// }
    /// let layer = CaptureLayer::new(&tracker).answer_panics(sorry);
    /// # }
    /// ```
    pub fn answer_panics<Q>(self, answer: Q) -> CaptureLayer<Q, R> {
        CaptureLayer { tracker: self.tracker, config: self.config, answer, bodies: PhantomData }
    }

    fn config_mut(&mut self) -> &mut Config {
        Arc::make_mut(self.config.get_or_insert_default())
    }
}

impl<S, P: Clone, R> Layer<S> for CaptureLayer<P, R> {
    type Service = Capture<S, P, R>;

    fn layer(&self, inner: S) -> Self::Service {
        Capture::new(inner, self.tracker.clone(), self.config.clone(), self.answer.clone())
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("headers", &self.headers)
            .field("proxies", &self.proxies)
            .field("bodies", &self.bodies)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auto_traits() {
        fn all<T: Clone + Send + Sync + Unpin + 'static>() {}
        all::<CaptureLayer>();
        all::<CaptureLayer<EmptyAnswer, BodiesKept>>();
        all::<Capture<()>>();
        fn future<T: Send + Sync + 'static>() {}
        future::<crate::ResponseFuture<std::future::Ready<()>>>();
        future::<crate::CaptureBody<()>>();
        future::<crate::RequestBody<()>>();
    }
}
