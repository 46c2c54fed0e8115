//! Work that goes on elsewhere, and takes its scope along.

use crate::ScopeHandle;

/// Spawns a task that runs in the scope of the current one, as [`tokio::spawn`] does not.
///
/// A panic in it is reported with that scope by the panic hook, and reaches the `JoinHandle` as always. For a scope of its
/// own, that begins with what the current one holds: `tokio::spawn(future.in_scope())`, see [`ScopeExt`](crate::ScopeExt).
///
/// # Panics
/// As [`tokio::spawn`], outside of a runtime.
pub fn spawn<F>(future: F) -> tokio::task::JoinHandle<F::Output>
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    match ScopeHandle::current() {
        Some(scope) => tokio::spawn(scope.enter(future)),
        None => tokio::spawn(future),
    }
}

/// Runs work that blocks on a thread for it, in the scope of the current task, as [`tokio::task::spawn_blocking`] does not.
///
/// # Panics
/// As [`tokio::task::spawn_blocking`], outside of a runtime.
pub fn spawn_blocking<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> tokio::task::JoinHandle<T> {
    tokio::task::spawn_blocking(carry(f))
}

/// Lets a closure run in the scope that is current here, wherever it is called: for threads and pools of threads.
///
/// # Example
/// ```
/// let thread = std::thread::spawn(errtrack_core::carry(|| {
///     // What is captured here is captured in the scope of who spawned the thread.
/// }));
/// # thread.join().unwrap();
/// ```
pub fn carry<T, F: FnOnce() -> T>(f: F) -> impl FnOnce() -> T + use<T, F> {
    let scope = ScopeHandle::current();
    move || match scope {
        Some(scope) => scope.sync(f),
        None => f(),
    }
}
