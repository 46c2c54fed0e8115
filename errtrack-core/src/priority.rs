//! How urgent the work of a thread is.

/// Lowers the priority of the thread that calls, and of those that it starts from then on, by a nice value of 10: where all
/// cores are busy, those that serve the host's callers go first, and get about nine tenths of a core that both want. Where
/// one is idle nothing changes. It cannot be taken back.
///
/// Linux alone has priorities of threads (setpriority(2)); elsewhere this does nothing.
pub fn lower_priority() {
    // 0 is the calling thread, not the process. A system that refuses leaves it as it was.
    #[cfg(target_os = "linux")]
    if let Ok(nice) = rustix::process::getpriority_process(None) {
        let _ = rustix::process::setpriority_process(None, nice.saturating_add(10).min(19));
    }
}
