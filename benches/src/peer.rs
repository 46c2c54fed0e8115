//! The peer: sentry, set up as its documentation says, with a transport that lets everything go. Only the host's side is
//! measured.

use http::{Request, Response};
use sentry_backtrace::{AttachStacktraceIntegration, ProcessStacktraceIntegration};
use sentry_core::{Client, ClientOptions, Envelope, Hub, Transport};
use std::{convert::Infallible, sync::Arc};
use tower::{Service, ServiceBuilder};

/// Takes envelopes and lets them go.
struct Nowhere;

impl Transport for Nowhere {
    fn send_envelope(&self, envelope: Envelope) {
        drop(envelope);
    }
}

/// Makes sentry the client of this thread's hub, with or without stacks.
pub fn start(stacks: bool) {
    let mut options = ClientOptions::default();
    options.dsn = "http://key@127.0.0.1:1/1".parse().ok();
    options.transport = Some(Arc::new(|_: &ClientOptions| -> Arc<dyn Transport> { Arc::new(Nowhere) }));
    options.attach_stacktrace = stacks;
    options.integrations = vec![Arc::new(AttachStacktraceIntegration), Arc::new(ProcessStacktraceIntegration)];
    Hub::current().bind_client(Some(Arc::new(Client::from(options))));
    Hub::main().bind_client(Hub::current().client());
}

/// A service inside the two layers that sentry-tower needs, in the order that it needs.
pub fn layered<S>(inner: S) -> impl Service<Request<String>, Response = Response<String>, Error = Infallible>
where
    S: Service<Request<String>, Response = Response<String>, Error = Infallible>,
{
    ServiceBuilder::new()
        .layer(sentry_tower::NewSentryLayer::<Request<String>>::new_from_top())
        .layer(sentry_tower::SentryHttpLayer::new())
        .service(inner)
}
