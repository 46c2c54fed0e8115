//! Mounts an axum router, above all that of errtrack-web, in an actix app.
//!
//! actix-web speaks `http` 0.2 and axum `http` 1, so a request is made anew on its way in and a response on its way out.
//! Bodies are streamed, both ways, as they come. The router runs on the worker that took the request.

mod request;
mod response;

use crate::cause::Unwatched;
use actix_web::{
    Error, HttpMessage, HttpRequest, HttpResponse,
    dev::{AppService, HttpServiceFactory, ResourceDef, Service, ServiceFactory, ServiceRequest, ServiceResponse},
};
use axum::{Router, body::Body};
use std::{
    cell::RefCell,
    convert::Infallible,
    fmt,
    future::{Ready, poll_fn, ready},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
};
use tower_service::Service as _;

/// Serves an axum router, such as that of errtrack-web, under a path of an actix app, in which it may stand anywhere: in
/// the app itself or in a scope.
///
/// It answers at the path with and without a slash at its end, and its links follow it. What fails in it is not reported to
/// itself, also where a [`Capture`](crate::Capture) wraps the whole app.
///
/// The factory of an `HttpServer` runs once per worker: make the router outside of it and mount clones, so that all workers
/// share what it keeps.
///
/// # Example
/// ```no_run
/// # fn example(tracker: errtrack_core::Tracker) {
/// use actix_web::{App, HttpServer};
/// use errtrack_actix::{Capture, mount};
/// use errtrack_web::Access;
///
/// let pages = errtrack_web::router(&tracker, Access::token("secret"));
/// HttpServer::new(move || {
///     App::new()
///         .wrap(Capture::new(&tracker))
///         .service(mount("/errors", pages.clone()))
/// });
/// # }
/// ```
pub fn mount(path: &str, router: Router) -> Mount {
    let path = path.trim_matches('/');
    let path = if path.is_empty() { String::new() } else { format!("/{path}") };
    Mount { path, router, forward: Arc::default() }
}

/// A mounted router; made by [`mount`].
#[derive(Clone)]
#[must_use]
pub struct Mount {
    path: String,
    router: Router,
    forward: Arc<Vec<Forward>>,
}

/// Copies a value from the extensions of actix's request to those of axum's.
type Forward = fn(&HttpRequest, &mut http::Extensions);

impl Mount {
    /// Hands the router what the host's own middleware has put into the extensions of the request: so `Access::host` can
    /// ask who is signed in.
    ///
    /// # Example
    /// ```no_run
    /// # fn example(tracker: errtrack_core::Tracker) -> errtrack_actix::Mount {
    /// use errtrack_web::{Access, Role};
    ///
    /// #[derive(Clone)]
    /// struct Staff;
    ///
    /// let access = Access::host(|request| request.extensions.get::<Staff>().map(|_| Role::Admin));
    /// errtrack_actix::mount("/errors", errtrack_web::router(&tracker, access)).forward::<Staff>()
    /// # }
    /// ```
    pub fn forward<T: Clone + Send + Sync + 'static>(mut self) -> Self {
        Arc::make_mut(&mut self.forward).push(|from, to| {
            if let Some(value) = from.extensions().get::<T>() {
                to.insert(value.clone());
            }
        });
        self
    }
}

impl HttpServiceFactory for Mount {
    fn register(self, config: &mut AppService) {
        let place =
            if config.is_root() { ResourceDef::root_prefix(&self.path) } else { ResourceDef::prefix(&self.path) };
        config.register_service(place, None, self, None);
    }
}

impl ServiceFactory<ServiceRequest> for Mount {
    type Response = ServiceResponse;
    type Error = Error;
    type Config = ();
    type Service = MountService;
    type InitError = ();
    type Future = Ready<Result<MountService, ()>>;

    fn new_service(&self, (): ()) -> Self::Future {
        ready(Ok(MountService {
            router: self.router.clone(),
            forward: self.forward.clone(),
            nested: RefCell::default(),
        }))
    }
}

/// What serves a mounted router on one worker.
pub struct MountService {
    router: Router,
    forward: Arc<Vec<Forward>>,
    /// The router below the prefix at which it was last asked for: there is but one unless a scope around it varies.
    nested: RefCell<Option<(String, Router)>>,
}

impl Service<ServiceRequest> for MountService {
    type Response = ServiceResponse;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<ServiceResponse, Error>>>>;

    fn poll_ready(&self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let router = self.below(prefix(&request));
        let (request, payload) = request.into_parts();
        let converted = request::convert(&request, payload);
        let forward = self.forward.clone();
        Box::pin(async move {
            let (Some(mut converted), Some(router)) = (converted, router) else {
                return Ok(ServiceResponse::new(request, HttpResponse::BadRequest().finish()));
            };
            for forward in forward.iter() {
                forward(&request, converted.extensions_mut());
            }
            let mut response = match answer(router, converted).await {
                Some(response) => response::convert(response),
                None => HttpResponse::InternalServerError().finish(),
            };
            response.extensions_mut().insert(Unwatched);
            Ok(ServiceResponse::new(request, response))
        })
    }
}

impl MountService {
    /// The router as axum itself nests it, so that it knows its prefix; nothing for a prefix that cannot be one.
    fn below(&self, prefix: &str) -> Option<Router> {
        let mut nested = self.nested.borrow_mut();
        if let Some((known, router)) = &*nested
            && known == prefix
        {
            return Some(router.clone());
        }
        let router = match prefix {
            "" => self.router.clone(),
            // Anything else may mean something in a route of axum, which panics if it means nothing.
            _ if prefix.split('/').skip(1).all(is_plain) => Router::new().nest_service(prefix, self.router.clone()),
            _ => return None,
        };
        *nested = Some((prefix.to_owned(), router.clone()));
        Some(router)
    }
}

/// The part of the path that has led here, through the app's scopes, without a slash at its end.
fn prefix(request: &ServiceRequest) -> &str {
    let (path, rest) = (request.path(), request.match_info().unprocessed());
    path.strip_suffix(rest).unwrap_or(path).trim_end_matches('/')
}

fn is_plain(segment: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~' | b'@' | b'+');
    !segment.is_empty() && segment.bytes().all(plain)
}

/// What the router answers; nothing if it panics.
async fn answer(mut router: Router, request: http::Request<Body>) -> Option<http::Response<Body>> {
    let future = catch_unwind(AssertUnwindSafe(|| router.call(request))).ok()?;
    let mut future = pin!(future);
    poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
        Ok(polled) => polled.map(|answered: Result<_, Infallible>| answered.ok()),
        Err(_) => Poll::Ready(None),
    })
    .await
}

impl fmt::Debug for Mount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mount").field("path", &self.path).finish_non_exhaustive()
    }
}

impl fmt::Debug for MountService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MountService").finish_non_exhaustive()
    }
}
