//! The middleware and how it is configured.

use crate::{CaptureBody, CaptureService};
use actix_web::{
    Error, HttpResponse, ResponseError,
    body::MessageBody,
    dev::{Service, ServiceRequest, ServiceResponse, Transform},
    http::header::HeaderName,
};
use errtrack_core::{Tracker, TrustedProxies};
use std::{
    error::Error as StdError,
    fmt,
    future::{Ready, ready},
    sync::Arc,
};

/// Middleware that captures panics, errors and 5xx answers of what it wraps, and gives each request its scope.
///
/// Wrap the whole app in it, or a scope, a resource, a route of it: what stands inside is watched. A successful request
/// costs some tenths of a microsecond. See the [crate docs](crate) for what is reported. It is cheap to clone, and keeps the
/// tracker alive.
///
/// # Example
/// ```no_run
/// # fn example(tracker: errtrack_core::Tracker) {
/// use actix_web::App;
/// use errtrack_actix::Capture;
///
/// let app = App::new().wrap(Capture::new(&tracker));
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Capture {
    tracker: Tracker,
    config: Option<Arc<Config>>,
}

/// What few hosts set; absent unless one does, so that a request does not count references for nothing.
#[derive(Default, Clone)]
pub(crate) struct Config {
    pub(crate) headers: Vec<HeaderName>,
    pub(crate) errors: Vec<Downcast>,
    pub(crate) answer: Option<Answer>,
    pub(crate) proxies: Option<TrustedProxies>,
}

/// Sees an error as the `Error` that it is, and tells the path of its type.
pub(crate) type Downcast = for<'a> fn(&'a Error) -> Option<(&'a (dyn StdError + 'static), &'static str)>;

/// Makes the answer to a request that ended in a panic.
pub(crate) type Answer = Arc<dyn Fn() -> HttpResponse + Send + Sync>;

impl Capture {
    /// A middleware that reports to a tracker.
    pub fn new(tracker: &Tracker) -> Self {
        Self { tracker: tracker.clone(), config: None }
    }

    /// Puts further headers on events, beside those that are always taken: `accept`, `content-type`, `host`, `origin`,
    /// `referer`, `traceparent`, `user-agent` and `x-request-id`.
    ///
    /// A value that is marked as sensitive is never taken, and secrets are filtered before anything is stored.
    ///
    /// # Example
    /// ```no_run
    /// # fn example(tracker: errtrack_core::Tracker) {
    /// use actix_web::http::header;
    /// use errtrack_actix::Capture;
    /// let capture = Capture::new(&tracker).headers(&[header::ACCEPT_LANGUAGE]);
    /// # }
    /// ```
    pub fn headers(mut self, names: &[HeaderName]) -> Self {
        self.config_mut().headers.extend_from_slice(names);
        self
    }

    /// Says that handlers return errors of type `E`, so that their type and chain of sources are reported too.
    ///
    /// actix-web hands a middleware no more of an error than what `ResponseError` knows, which is `Debug` and `Display`.
    /// `Box<dyn Error>`, `std::io::Error` and [`HandlerError`](crate::HandlerError) are seen through without being named.
    ///
    /// # Example
    /// ```no_run
    /// # fn example(tracker: errtrack_core::Tracker) {
    /// # #[derive(Debug)]
    /// # struct ShopError;
    /// # impl std::fmt::Display for ShopError {
    /// #     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str("closed") }
    /// # }
    /// # impl std::error::Error for ShopError {}
    /// # impl actix_web::ResponseError for ShopError {}
    /// use errtrack_actix::Capture;
    /// let capture = Capture::new(&tracker).response_error::<ShopError>();
    /// # }
    /// ```
    pub fn response_error<E: ResponseError + StdError + 'static>(mut self) -> Self {
        self.config_mut().errors.push(|error| {
            let error = error.as_error::<E>()?;
            Some((error as &(dyn StdError + 'static), std::any::type_name::<E>()))
        });
        self
    }

    /// Sets the proxies that are believed when they say for which client they ask; none unless set.
    ///
    /// Without them the client's address on events is that of the connection, behind a proxy the proxy's. Where nobody knows
    /// it, as on a Unix socket, no header is believed. The address is filtered before anything is stored, unless
    /// [`Sanitizer::send_default_pii`](errtrack_core::sanitize::Sanitizer::send_default_pii) says otherwise.
    ///
    /// # Example
    /// ```no_run
    /// # fn example(tracker: errtrack_core::Tracker) -> Result<(), errtrack_core::InvalidNetwork> {
    /// use errtrack_actix::Capture;
    /// use errtrack_core::TrustedProxies;
    /// let capture = Capture::new(&tracker).trusted_proxies(TrustedProxies::new(["10.0.0.0/8", "fd00::/8"])?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn trusted_proxies(mut self, proxies: TrustedProxies) -> Self {
        self.config_mut().proxies = Some(proxies);
        self
    }

    /// Sets the answer to a request that ended in a panic; a 500 with an empty body unless set.
    ///
    /// # Example
    /// ```no_run
    /// # fn example(tracker: errtrack_core::Tracker) {
    /// use actix_web::HttpResponse;
    /// use errtrack_actix::Capture;
    /// let capture = Capture::new(&tracker)
    ///     .answer_panics(|| HttpResponse::InternalServerError().body("We have been told."));
    /// # }
    /// ```
    pub fn answer_panics(mut self, answer: impl Fn() -> HttpResponse + Send + Sync + 'static) -> Self {
        self.config_mut().answer = Some(Arc::new(answer));
        self
    }

    fn config_mut(&mut self) -> &mut Config {
        Arc::make_mut(self.config.get_or_insert_default())
    }
}

impl<S, B> Transform<S, ServiceRequest> for Capture
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    type Response = ServiceResponse<CaptureBody<B>>;
    type Error = Error;
    type Transform = CaptureService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(CaptureService::new(service, self.tracker.clone(), self.config.clone())))
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config").field("headers", &self.headers).field("proxies", &self.proxies).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auto_traits() {
        // The factory of an `HttpServer` is sent to each worker.
        fn all<T: Clone + Send + Sync + Unpin + 'static>() {}
        all::<Capture>();
    }
}
