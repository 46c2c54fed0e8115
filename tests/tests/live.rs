//! What happens is told over a WebSocket where the host can upgrade, as Server-Sent Events elsewhere.

use anyhow::{Context, Result, ensure};
use errtrack::{
    SqlStore, Tracker,
    web::{self, Access},
};
use errtrack_tests::{ActixServer, Client, Server, database_in};
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};

const PATIENCE: Duration = Duration::from_secs(30);

async fn tracker(folder: &tempfile::TempDir) -> Result<Tracker> {
    let store = SqlStore::open(&database_in(folder.path())?).await?;
    Ok(Tracker::builder().store(store).build().await?)
}

/// A connection that asks for `/errors/api/live`.
async fn ask(address: SocketAddr, more: &str) -> Result<TcpStream> {
    ask_at(address, "/errors/api/live", "secret", more).await
}

async fn ask_at(address: SocketAddr, path: &str, key: &str, more: &str) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(address).await?;
    let head = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nX-API-Key: {key}\r\n{more}\r\n");
    stream.write_all(head.as_bytes()).await?;
    Ok(stream)
}

fn upgrade(more: &str) -> String {
    let key = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    format!("Connection: Upgrade\r\nUpgrade: websocket\r\n{key}{more}")
}

/// Reads until a text has come.
async fn until(stream: &mut TcpStream, text: &str) -> Result<String> {
    let mut read = Vec::new();
    while !String::from_utf8_lossy(&read).contains(text) {
        let count = timeout(PATIENCE, stream.read_buf(&mut read)).await.context(text.to_owned())??;
        ensure!(count > 0, "it ended after {}", String::from_utf8_lossy(&read));
    }
    Ok(String::from_utf8_lossy(&read).into_owned())
}

async fn report(address: SocketAddr) -> Result<()> {
    let mut client = Client::new(address).header("x-api-key", "secret");
    let answer = client.post("/errors/api/errors", r#"{"message":"live","source":"backend"}"#).await?;
    ensure!(answer.status == 201, "{}", answer.text());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_web_socket_is_told_what_happens() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let tracker = tracker(&folder).await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let mut config = web::Config::default();
    config.stop = web::Stop::default();
    let stop = config.stop.clone();
    let router = axum::Router::new().nest("/errors", web::router_with(&tracker, Access::token("secret"), config));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let mut socket = ask(address, &upgrade("")).await?;
    let head = until(&mut socket, "\r\n\r\n").await?;
    ensure!(head.starts_with("HTTP/1.1 101") && head.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{head}");
    report(address).await?;
    let told = until(&mut socket, "\"data\":{\"project\":1").await?;
    ensure!(told.contains("\"id\":\"") && told.contains("\"event\":\"new\""), "{told}");
    // A page of another origin would come with the cookies of whoever looks at it.
    for (origin, status) in [(format!("http://{address}"), "101"), ("http://evil.example".to_owned(), "403")] {
        let mut socket = ask(address, &upgrade(&format!("Origin: {origin}\r\n"))).await?;
        let head = until(&mut socket, "\r\n").await?;
        ensure!(head.starts_with(&format!("HTTP/1.1 {status}")), "{origin}: {head}");
    }
    stop.stop();
    let mut rest = Vec::new();
    timeout(PATIENCE, socket.read_to_end(&mut rest)).await.context("it ends with the server")??;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn on_actix_the_same_is_told_as_server_sent_events() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let tracker = tracker(&folder).await?;
    let router = web::router(&tracker, Access::token("secret"));
    let server = ActixServer::start(&tracker, move |app| {
        app.service(errtrack::actix::mount("/errors", router.clone()));
    });
    // The host cannot upgrade, so whoever asks for it is told in the other way.
    let mut socket = ask(server.address, &upgrade("")).await?;
    let head = until(&mut socket, "\r\n").await?;
    ensure!(head.starts_with("HTTP/1.1 200"), "{head}");
    let mut stream = ask(server.address, "").await?;
    let head = until(&mut stream, "id: ").await?;
    ensure!(head.contains("text/event-stream"), "{head}");
    report(server.address).await?;
    until(&mut stream, "event: new").await?;
    drop((socket, stream));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_told_to_stop_does_not_wait_for_who_listens() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let server = Server::start(folder.path(), &[]).await?;
    let mut stream = ask_at(server.address, "/api/live", "test-api-key", "").await?;
    let head = until(&mut stream, "id: ").await?;
    ensure!(head.contains("text/event-stream"), "{head}");
    let mut socket = ask_at(server.address, "/api/live", "test-api-key", &upgrade("")).await?;
    until(&mut socket, "\r\n\r\n").await?;
    let start = Instant::now();
    ensure!(server.terminate().await? == Some(0), "it ends well");
    // Requests that do not end are given ten.
    ensure!(start.elapsed() < Duration::from_secs(6), "it took {:?}", start.elapsed());
    for stream in [&mut stream, &mut socket] {
        timeout(PATIENCE, stream.read_to_end(&mut Vec::new())).await.context("it ends with the server")??;
    }
    Ok(())
}
