//! SIGTERM, for programs that do not care for it themselves.

use crate::Tracker;
use signal_hook::{consts::SIGTERM, iterator::Signals, low_level::emulate_default_handler};
use std::{io, thread};

impl Tracker {
    /// Makes what was captured durable when the process is told to end (SIGTERM), and then lets it end as it would have
    /// without: killed by that signal. What the store does not take at once goes to the
    /// [spool](crate::TrackerBuilder::spool), if there is one. Holds up the end for 5 seconds at most.
    ///
    /// For programs that do nothing about SIGTERM themselves. One with a graceful shutdown of its own does not need it, and
    /// must not use it: the process would end before that shutdown is done. There [`shutdown`](Self::shutdown), or dropping
    /// the last handle, does the same. SIGINT is left alone.
    ///
    /// Call it once, for one tracker. It does not keep the tracker alive. Only on Unix.
    ///
    /// # Errors
    /// The system has no handler or no thread to give.
    pub fn install_sigterm_hook(&self) -> io::Result<()> {
        let mut signals = Signals::new([SIGTERM])?;
        let tracker = self.downgrade();
        thread::Builder::new().name("errtrack-sigterm".into()).spawn(move || {
            if let Some(signal) = signals.forever().next() {
                if let Some(tracker) = tracker.upgrade() {
                    tracker.shutdown_blocking();
                }
                let _ = emulate_default_handler(signal);
            }
        })?;
        Ok(())
    }
}
