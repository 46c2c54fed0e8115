//! Every statement can be prepared.

use super::{
    Sql, account, alert, analytics, audit, copies, erase, event, incident, integration, issue, key, merge, node,
    outbox, preview, project, push, retain, set_aside, setting, storage, ticket, triage, upkeep,
};

fn shared() -> Vec<Sql> {
    [
        account::EVERY,
        alert::EVERY,
        analytics::EVERY,
        audit::EVERY,
        copies::EVERY,
        erase::EVERY,
        event::EVERY,
        integration::EVERY,
        incident::EVERY,
        issue::EVERY,
        key::EVERY,
        merge::EVERY,
        node::EVERY,
        outbox::EVERY,
        preview::EVERY,
        project::EVERY,
        push::EVERY,
        retain::EVERY,
        set_aside::EVERY,
        setting::EVERY,
        storage::EVERY,
        ticket::EVERY,
        triage::EVERY,
        upkeep::EVERY,
    ]
    .concat()
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn sqlite_prepares_every_statement() {
    use super::{bulk, write};

    use errtrack_core::store::Upkeep;
    use sqlx::{Executor, SqlitePool};

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("errors.db");
    crate::SqlStore::open(path.to_str().unwrap()).await.unwrap().close().await;
    let pool = SqlitePool::connect(path.to_str().unwrap()).await.unwrap();
    let all = shared().into_iter().map(|sql| sql.sqlite);
    for sql in all.chain(bulk::EVERY.iter().copied()).chain(write::WRITE).chain([storage::PAGES]) {
        let prepared = pool.prepare(sqlx::SqlSafeStr::into_sql_str(sql)).await;
        assert!(prepared.is_ok(), "{sql}\n{:?}", prepared.err());
    }
}

#[cfg(feature = "postgres")]
#[tokio::test]
async fn postgres_prepares_every_statement() {
    use super::postgres;
    use errtrack_core::store::Upkeep;
    use sqlx::{Connection, Executor, PgConnection};

    let Ok(server) = std::env::var("ERRTRACK_TEST_POSTGRES") else {
        let says = "skipped: postgres_prepares_every_statement needs PostgreSQL (ERRTRACK_TEST_POSTGRES)";
        assert_ne!(std::env::var("ERRTRACK_REQUIRE_SERVICES").as_deref(), Ok("1"), "{says}");
        let _ = std::io::Write::write_all(&mut std::io::stderr(), says.as_bytes());
        return;
    };
    let separator = if server.contains('?') { '&' } else { '?' };
    let schema = format!("t_{}", uuid::Uuid::new_v4().simple());
    crate::SqlStore::open(&format!("{server}{separator}schema={schema}")).await.unwrap().close().await;
    let mut connection = PgConnection::connect(&server).await.unwrap();
    connection.execute(sqlx::AssertSqlSafe(format!("SET search_path TO {schema}"))).await.unwrap();
    let all = shared().into_iter().map(|sql| sql.postgres);
    for sql in all.chain(postgres::EVERY.iter().copied()) {
        let prepared = connection.prepare(sqlx::SqlSafeStr::into_sql_str(sql)).await;
        assert!(prepared.is_ok(), "{sql}\n{:?}", prepared.err());
    }
}
