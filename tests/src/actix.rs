//! An actix-web server on a thread of its own.

use actix_web::{App, HttpServer, rt::System, web::ServiceConfig};
use errtrack::{Tracker, actix::Capture};
use std::{
    net::SocketAddr,
    sync::mpsc,
    thread::{self, JoinHandle},
};
use tokio::sync::oneshot;

/// An app that is served on a free port, by one worker. It ends when this is dropped.
#[derive(Debug)]
pub struct ActixServer {
    /// Where it listens.
    pub address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl ActixServer {
    /// Serves an app that captures what fails.
    ///
    /// # Panics
    /// There is no free port.
    #[expect(clippy::expect_used, reason = "for tests alone")]
    pub fn start(tracker: &Tracker, configure: impl Fn(&mut ServiceConfig) + Clone + Send + 'static) -> Self {
        let tracker = tracker.clone();
        let (stop, stopped) = oneshot::channel::<()>();
        let (tell, address) = mpsc::channel();
        let thread = thread::spawn(move || {
            System::new().block_on(async {
                let app = move || App::new().wrap(Capture::new(&tracker)).configure(configure.clone());
                let server =
                    HttpServer::new(app).workers(1).disable_signals().bind("127.0.0.1:0").expect("a free port");
                tell.send(server.addrs().first().copied().expect("it listens")).expect("somebody waits");
                let serving = server.run();
                let handle = serving.handle();
                actix_web::rt::spawn(async move {
                    let _ = stopped.await;
                    handle.stop(false).await;
                });
                serving.await.expect("it serves");
            });
        });
        let address = address.recv().expect("it listens");
        Self { address, stop: Some(stop), thread: Some(thread) }
    }
}

impl Drop for ActixServer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(ended.is_ok() || thread::panicking(), "the server lives on, whatever fails in it");
        }
    }
}
