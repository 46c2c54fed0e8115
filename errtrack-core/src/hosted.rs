//! Running the host's code in the middle of a capture.
//!
//! To capture an error is to call its `Display`, `Debug` and `source`, which somebody else wrote. They may panic, and they
//! may log or capture the very thing that is being captured. Neither may reach the program that only wanted to report.

use std::{
    any::Any,
    cell::Cell,
    mem::ManuallyDrop,
    panic::{AssertUnwindSafe, catch_unwind},
};

/// Captures within each other on one thread. One within another may be a real one; more are a loop.
const DEEPEST: u8 = 2;

thread_local! {
    static DEPTH: Cell<u8> = const { Cell::new(0) };
}

/// Says that this thread is capturing something, until it is dropped.
#[derive(Debug)]
pub struct Capturing(());

impl Capturing {
    /// `None` if this thread is capturing already, and again within that: an error whose `Display` reports itself.
    #[must_use]
    pub fn begin() -> Option<Self> {
        let begun = DEPTH.try_with(|depth| {
            let begins = depth.get() < DEEPEST;
            depth.set(depth.get() + u8::from(begins));
            begins
        });
        // Not `then_some`: one that is made is one that is dropped.
        begun.unwrap_or(false).then(|| Self(()))
    }
}

impl Drop for Capturing {
    fn drop(&mut self) {
        let _ = DEPTH.try_with(|depth| depth.set(depth.get().saturating_sub(1)));
    }
}

/// Runs code of the host; `None` if it panicked. The panic hook hears of that as of every panic.
pub fn hosted<T>(f: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(f)).map_err(discard).ok()
}

/// Lets go of what was thrown, which may panic in its turn while it is dropped.
pub fn discard(payload: Box<dyn Any + Send>) {
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        // No third try: what is leaked is a few bytes of a program that throws bombs.
        let _leaked = ManuallyDrop::new(again);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_that_panics_when_it_is_dropped_stays_within() {
        struct Bomb(u8);
        impl Drop for Bomb {
            fn drop(&mut self) {
                if self.0 > 0 {
                    std::panic::panic_any(Bomb(self.0 - 1));
                }
            }
        }
        assert_eq!(hosted(|| std::panic::panic_any(Bomb(3))), None::<()>);
        assert_eq!(hosted(|| 7), Some(7));
    }

    #[test]
    fn captures_within_captures_end() {
        fn nested() -> u32 {
            Capturing::begin().map_or(0, |_capturing| 1 + nested().max(nested()))
        }
        assert_eq!(nested(), u32::from(DEEPEST));
        assert_eq!(nested(), u32::from(DEEPEST), "and can begin again");
    }
}
