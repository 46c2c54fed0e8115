//! What the hosts have in common: a shop in which everything goes wrong, free of any framework.

use bytes::Bytes;
use errtrack::{Breadcrumb, ResultExt, User};
use futures_util::{Stream, StreamExt, stream};
use std::{
    error::Error,
    fmt, io,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};
use tokio::sync::Barrier;

/// What a test wants to know of the shop while it serves.
#[derive(Debug)]
pub(crate) struct Shop {
    /// A customer waits for what never comes.
    pub(crate) is_waited: AtomicBool,
    /// That customer has gone.
    pub(crate) is_left: AtomicBool,
    /// Where two customers meet, each with a name of their own.
    meeting: Barrier,
}

impl Default for Shop {
    fn default() -> Self {
        Self { is_waited: AtomicBool::default(), is_left: AtomicBool::default(), meeting: Barrier::new(2) }
    }
}

#[derive(Debug)]
pub(crate) struct OutOfStock {
    source: io::Error,
}

impl fmt::Display for OutOfStock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nothing left on the shelf")
    }
}

impl Error for OutOfStock {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}

pub(crate) fn out_of_stock() -> OutOfStock {
    OutOfStock { source: io::Error::other("shelf 7 is empty") }
}

pub(crate) fn sign_in() {
    errtrack::configure_scope(|scope| {
        scope.set_user(User::id("42"));
        scope.set_tag("plan", "pro");
    });
    errtrack::add_breadcrumb(Breadcrumb::new("cart opened").category("cart"));
}

/// Fails with an error that has a source.
pub(crate) async fn sell() -> Result<&'static str, OutOfStock> {
    sign_in();
    tokio::task::yield_now().await;
    Err(out_of_stock())
}

/// A bug, after a pause in which the task may have moved.
pub(crate) async fn jam() -> &'static str {
    sign_in();
    tokio::task::yield_now().await;
    panic!("the till is jammed")
}

/// Reports by hand.
pub(crate) async fn captured() -> Result<&'static str, OutOfStock> {
    sell().await.capture()
}

/// A task that fails in the scope of the request that asked for it; then one that panics.
pub(crate) async fn spawned() {
    sign_in();
    let failing = errtrack::spawn(async { Err::<(), _>(out_of_stock()).capture().is_ok() });
    assert!(!failing.await.unwrap_or(true));
}

pub(crate) async fn panicking_task() {
    sign_in();
    let task = errtrack::spawn(async { panic!("in the back room") });
    assert!(task.await.is_err());
}

/// Two futures that go on side by side in one request, and both fail.
pub(crate) async fn joined() {
    sign_in();
    let one = async {
        tokio::task::yield_now().await;
        errtrack::capture_error(&out_of_stock());
    };
    let other = async {
        tokio::task::yield_now().await;
        errtrack::capture_error(&fmt::Error);
    };
    tokio::join!(one, other);
}

/// A failure that is logged, in a span within a span.
#[tracing::instrument(fields(total = tracing::field::Empty))]
pub(crate) async fn logged(order: u32) {
    tracing::info!(items = 3, "cart opened");
    tokio::task::yield_now().await;
    tracing::Span::current().record("total", 12.5);
    charge("acme").await;
}

#[tracing::instrument]
async fn charge(provider: &str) {
    let error = io::Error::new(io::ErrorKind::ConnectionRefused, "the bank is closed");
    tracing::error!(error = &error as &dyn Error, tags.provider = provider, attempt = 3, "could not take payment");
}

/// A customer who is named, waits for another, and then fails under that name.
pub(crate) async fn meet(shop: &Shop, name: &str) {
    errtrack::configure_scope(|scope| scope.set_user(User::id(name)));
    shop.meeting.wait().await;
    tokio::task::yield_now().await;
    errtrack::capture_error(&out_of_stock());
}

/// Waits for ever, and notes when it is not waited for any more.
pub(crate) async fn wait(shop: &Shop) {
    struct Leaves<'a>(&'a AtomicBool);
    impl Drop for Leaves<'_> {
        fn drop(&mut self) {
            self.0.store(true, Relaxed);
        }
    }
    sign_in();
    let _leaves = Leaves(&shop.is_left);
    shop.is_waited.store(true, Relaxed);
    std::future::pending::<()>().await;
}

/// A receipt of which half is printed.
pub(crate) fn receipt() -> impl Stream<Item = Result<Bytes, OutOfStock>> + Send + Unpin + 'static {
    stream::iter([Ok(Bytes::from_static(b"one loaf, ")), Err(out_of_stock())])
}

/// A receipt whose printer breaks.
pub(crate) fn broken_receipt() -> impl Stream<Item = Result<Bytes, OutOfStock>> + Send + Unpin + 'static {
    stream::iter(0..2).map(|line| {
        assert!(line == 0, "out of paper");
        Ok(Bytes::from_static(b"one loaf, "))
    })
}
