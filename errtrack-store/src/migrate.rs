//! The migrations, kept in the library and run when a store is opened.

use sqlx::{
    Connection, SqlSafeStr,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
};

/// Migrations: version, name, text.
type Migrations = &'static [(i64, &'static str, &'static str)];

#[cfg(feature = "sqlite")]
const SQLITE: Migrations = &[
    (1, "initial", include_str!("../migrations/sqlite/0001_initial.sql")),
    (2, "many nodes", include_str!("../migrations/sqlite/0002_many_nodes.sql")),
    (3, "settings", include_str!("../migrations/sqlite/0003_settings.sql")),
    (4, "merging", include_str!("../migrations/sqlite/0004_merging.sql")),
    (5, "access", include_str!("../migrations/sqlite/0005_access.sql")),
    (6, "analytics", include_str!("../migrations/sqlite/0006_analytics.sql")),
    (7, "triage", include_str!("../migrations/sqlite/0007_triage.sql")),
    (8, "outbox", include_str!("../migrations/sqlite/0008_outbox.sql")),
    (9, "alerts", include_str!("../migrations/sqlite/0009_alerts.sql")),
    (10, "incidents", include_str!("../migrations/sqlite/0010_incidents.sql")),
    (11, "tickets", include_str!("../migrations/sqlite/0011_tickets.sql")),
    (12, "push", include_str!("../migrations/sqlite/0012_push.sql")),
    (13, "past signals", include_str!("../migrations/sqlite/0013_past_signals.sql")),
];
#[cfg(feature = "postgres")]
const POSTGRES: Migrations = &[
    (1, "initial", include_str!("../migrations/postgres/0001_initial.sql")),
    (2, "settings", include_str!("../migrations/postgres/0002_settings.sql")),
    (3, "merging", include_str!("../migrations/postgres/0003_merging.sql")),
    (4, "access", include_str!("../migrations/postgres/0004_access.sql")),
    (5, "analytics", include_str!("../migrations/postgres/0005_analytics.sql")),
    (6, "triage", include_str!("../migrations/postgres/0006_triage.sql")),
    (7, "outbox", include_str!("../migrations/postgres/0007_outbox.sql")),
    (8, "alerts", include_str!("../migrations/postgres/0008_alerts.sql")),
    (9, "incidents", include_str!("../migrations/postgres/0009_incidents.sql")),
    (10, "tickets", include_str!("../migrations/postgres/0010_tickets.sql")),
    (11, "push", include_str!("../migrations/postgres/0011_push.sql")),
    (12, "past signals", include_str!("../migrations/postgres/0012_past_signals.sql")),
];

/// Brings a SQLite database up to date. Several may do so at once.
#[cfg(feature = "sqlite")]
pub(crate) async fn sqlite(connection: &mut sqlx::SqliteConnection) -> Result<(), MigrateError> {
    // The first statement takes the write lock, so that one that comes second sees what the first has done.
    let mut tx = connection.begin_with("BEGIN IMMEDIATE").await?;
    // `run` makes a future that cannot be spawned; this is its body.
    migrator(SQLITE).run_direct(None, &mut *tx, false).await?;
    tx.commit().await?;
    Ok(())
}

/// Brings a PostgreSQL database up to date, and makes the schema if there is none of that name. Several may do so at once.
#[cfg(feature = "postgres")]
pub(crate) async fn postgres(connection: &mut sqlx::PgConnection, schema: Option<&str>) -> Result<(), MigrateError> {
    use crate::{postgres::TABLES, sql::postgres as sql};
    use sqlx::{AssertSqlSafe, Executor};

    let mut tx = connection.begin_with("BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0").await?;
    sqlx::query(sql::LOCK_TABLES).bind(TABLES).execute(&mut *tx).await?;
    if let Some(schema) = schema {
        // To make one takes a right that whoever uses it need not have.
        let there = sqlx::query(sql::SCHEMA).bind(schema).fetch_optional(&mut *tx).await?;
        if there.is_none() {
            tx.execute(AssertSqlSafe(format!("CREATE SCHEMA \"{schema}\""))).await?;
        }
    }
    let mut migrator = migrator(POSTGRES);
    // The driver's own lock is one for all who use it in the same database.
    migrator.set_locking(false);
    migrator.run_direct(None, &mut *tx, false).await?;
    tx.commit().await?;
    Ok(())
}

fn migrator(migrations: Migrations) -> Migrator {
    let migrations = migrations.iter().map(|&(version, name, sql)| {
        Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    });
    let mut migrator = Migrator::with_migrations(migrations.collect());
    // The host may keep migrations of its own in the same database.
    migrator.dangerous_set_table_name("errtrack_migrations");
    migrator
}
