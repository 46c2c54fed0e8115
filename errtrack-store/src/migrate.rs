//! The migrations, kept in the library and run when a store is opened.

use sqlx::{
    Connection, SqlSafeStr, SqliteConnection,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
};

/// The migrations of SQLite: version, name, text.
const SQLITE: &[(i64, &str, &str)] = &[
    (1, "initial", include_str!("../migrations/sqlite/0001_initial.sql")),
    (2, "many nodes", include_str!("../migrations/sqlite/0002_many_nodes.sql")),
];

/// Brings a SQLite database up to date. Several may do so at once.
pub(crate) async fn sqlite(connection: &mut SqliteConnection) -> Result<(), MigrateError> {
    // The first statement takes the write lock, so that one that comes second sees what the first has done.
    let mut tx = connection.begin_with("BEGIN IMMEDIATE").await?;
    migrator(SQLITE).run(&mut *tx).await?;
    tx.commit().await?;
    Ok(())
}

fn migrator(migrations: &'static [(i64, &'static str, &'static str)]) -> Migrator {
    let migrations = migrations.iter().map(|&(version, name, sql)| {
        Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    });
    let mut migrator = Migrator::with_migrations(migrations.collect());
    // The host may keep migrations of its own in the same database.
    migrator.dangerous_set_table_name("errtrack_migrations");
    migrator
}
