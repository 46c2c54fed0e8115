//! The suite that every store must pass, on this one.

use crate::store::MemoryStore;

/// A new, empty store; nothing else must live as long.
async fn open() -> (MemoryStore, ()) {
    (MemoryStore::default(), ())
}

errtrack_store::conformance!(open);
