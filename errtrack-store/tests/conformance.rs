//! The suite on each backend.

#![expect(clippy::unwrap_used, reason = "it is a test")]

#[cfg(feature = "postgres")]
mod server;

#[cfg(feature = "sqlite")]
mod sqlite {
    use errtrack_store::SqliteStore;
    use tempfile::TempDir;

    async fn open_store() -> (SqliteStore, TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(folder.path().join("errors.db").to_str().unwrap()).await.unwrap();
        (store, folder)
    }

    errtrack_store::conformance!(open_store);
}

#[cfg(feature = "postgres")]
mod postgres {
    use errtrack_store::PostgresStore;

    async fn open_store() -> Option<(PostgresStore, ())> {
        let url = super::server::postgres()?;
        Some((PostgresStore::connect(&url).await.unwrap(), ()))
    }

    errtrack_store::conformance!(open_store);
}
