//! The texts of SQL, grouped by what they are about. `$1` and dull types, so that one text serves every database.

pub(crate) mod account;
pub(crate) mod bulk;
mod cells;
pub(crate) mod erase;
pub(crate) mod event;
pub(crate) mod issue;
pub(crate) mod node;
pub(crate) mod preview;
pub(crate) mod project;
pub(crate) mod retain;
pub(crate) mod set_aside;
pub(crate) mod storage;
pub(crate) mod upkeep;
pub(crate) mod write;

#[cfg(test)]
mod tests {
    use super::{
        account, bulk, erase, event, issue, node, preview, project, retain, set_aside, storage, upkeep, write,
    };
    use crate::SqlStore;
    use errtrack_core::store::Upkeep;
    use sqlx::{AssertSqlSafe, Executor, SqlSafeStr, SqlitePool};

    #[tokio::test]
    async fn every_statement_can_be_prepared() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("errors.db");
        SqlStore::open(path.to_str().unwrap()).await.unwrap().close().await;
        let pool = SqlitePool::connect(path.to_str().unwrap()).await.unwrap();
        let lists = [
            account::EVERY,
            bulk::EVERY,
            &write::WRITE,
            erase::EVERY,
            issue::EVERY,
            node::EVERY,
            preview::EVERY,
            project::EVERY,
            retain::EVERY,
            set_aside::EVERY,
            storage::EVERY,
            upkeep::EVERY,
        ];
        let mut all: Vec<String> = lists.concat().into_iter().map(str::to_owned).collect();
        all.extend([issue::BY_UUID, issue::BY_ID, issue::BY_NUMBER].map(|end| [issue::COLUMNS, end].concat()));
        let ends = [event::BY_ID, event::BY_CLIENT_ID, event::NEWEST, event::NEWEST_AFTER];
        all.extend(ends.map(|end| [event::COLUMNS, end].concat()));
        all.extend([event::POSITION, event::PIN].map(str::to_owned));
        for sql in all {
            let prepared = pool.prepare(AssertSqlSafe(sql.clone()).into_sql_str()).await;
            assert!(prepared.is_ok(), "{sql}\n{:?}", prepared.err());
        }
    }
}
