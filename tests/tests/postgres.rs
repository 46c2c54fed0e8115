//! The PostgreSQL servers of the tests can be broken as the tests need it.

use anyhow::Result;
use errtrack_tests::Postgres;

#[test]
fn a_server_is_stopped_killed_and_started_again() -> Result<()> {
    let Some(server) = Postgres::start()? else { return Ok(()) };
    let url = server.database()?;
    server.query(&url, "CREATE TABLE t (n INT); INSERT INTO t VALUES (1)")?;
    server.stop()?;
    assert!(server.query(&url, "SELECT 1").is_err());
    server.start_again()?;
    server.query(&url, "INSERT INTO t VALUES (2)")?;
    server.kill()?;
    server.start_again()?;
    assert_eq!(server.query(&url, "SELECT COUNT(*) FROM t")?.trim(), "2");
    server.pause()?;
    server.resume()?;
    assert_eq!(server.query(&url, "SELECT 1")?.trim(), "1");
    Ok(())
}
