//! The suite on SQLite.

#![expect(clippy::unwrap_used, reason = "it is a test")]

use errtrack_store::SqliteStore;
use tempfile::TempDir;

async fn open_store() -> (SqliteStore, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("errors.db").to_str().unwrap()).await.unwrap();
    (store, folder)
}

errtrack_store::conformance!(open_store);
