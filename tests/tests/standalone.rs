//! The standalone server as its user meets it: what it prints, how it refuses, how it stops.

use anyhow::Result;
use errtrack_tests::{Client, Server};

#[tokio::test]
async fn it_says_where_everything_is() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let server = Server::start(folder.path(), &[]).await?;
    let banner = &server.banner;
    assert!(banner.contains(&format!("Dashboard  http://{}/", server.address)), "{banner}");
    assert!(banner.contains("/login/"), "a one-time link: {banner}");
    assert!(banner.contains(&format!("@{}/1", server.address)), "a DSN: {banner}");
    assert!(banner.contains("test-api-key"), "{banner}");
    let health = Client::new(server.address).get("/health").await?;
    assert_eq!(health.json()["status"], "ok");
    assert!(folder.path().join("data/errtrack.db").exists());
    Ok(())
}

#[tokio::test]
async fn the_development_key_is_not_valid_in_production() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let variables = [("ENVIRONMENT", "production"), ("API_KEY", "my-own-key")];
    let server = Server::start(folder.path(), &variables).await?;
    assert_eq!(server.client().get("/api/errors").await?.status, 401);
    let mut own = Client::new(server.address).header("authorization", "Bearer my-own-key");
    assert_eq!(own.get("/api/errors").await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn a_wrong_value_stops_the_start_with_one_line() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let exit = Server::run(folder.path(), &[("LOG_LEVEL", "loud")]).await?;
    assert_eq!(exit.code, Some(1));
    assert_eq!(exit.errors, "errtrack: LOG_LEVEL=loud: must be one of error, warn, info, debug\n");
    Ok(())
}

#[tokio::test]
async fn a_file_of_variables_is_read() -> Result<()> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join(".env"), "DATABASE_PATH=elsewhere.db\nAPI_KEY=from-file\n")?;
    let server = Server::start(folder.path(), &[]).await?;
    let mut client = Client::new(server.address).header("x-api-key", "from-file");
    assert_eq!(client.get("/api/errors").await?.status, 200);
    assert!(folder.path().join("elsewhere.db").exists());
    Ok(())
}

#[tokio::test]
async fn what_it_cannot_do_is_said_in_one_line() -> Result<()> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("notes.db"), "no database, whatever its name says".repeat(100))?;
    for (url, says) in [
        ("sqlite://notes.db", "database"),
        ("postgres://u:hunter2@127.0.0.1:1/x", "cannot reach PostgreSQL at 127.0.0.1:1"),
    ] {
        let exit = Server::run(folder.path(), &[("DATABASE_URL", url)]).await?;
        assert_eq!(exit.code, Some(1));
        assert_eq!(exit.errors.lines().count(), 1, "{}", exit.errors);
        assert!(exit.errors.contains(says) && !exit.errors.contains("hunter2"), "{}", exit.errors);
    }
    let taken = std::net::TcpListener::bind("127.0.0.1:0")?;
    let port = taken.local_addr()?.port().to_string();
    let exit = Server::run(folder.path(), &[("PORT", &port)]).await?;
    assert!(exit.errors.contains("cannot listen"), "{}", exit.errors);
    Ok(())
}

#[tokio::test]
async fn it_stops_with_code_0_when_asked_to_and_keeps_everything() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let server = Server::start(folder.path(), &[]).await?;
    let body = r#"{"message":"the last one","source":"backend"}"#;
    assert_eq!(server.client().post("/api/errors", body).await?.status, 201);
    assert_eq!(server.terminate().await?, Some(0));
    let server = Server::start(folder.path(), &[]).await?;
    let page = server.client().get("/api/errors").await?.json();
    assert_eq!(page["data"]["total"], 1, "{page}");
    Ok(())
}
