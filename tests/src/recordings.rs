//! Real requests of unmodified SDKs, byte for byte, with what their events hold.
//!
//! The fixture is one zstd stream of entries: a line of JSON (see [`Recording`]; `length` is that of the body), the body as it
//! went over the wire but for the framing of chunks, a line feed.

use crate::{Server, database_in};
use anyhow::{Context, Result, ensure};
use errtrack::{
    SqlStore,
    store::{ProjectStore, Upkeep},
};
use serde::Deserialize;
use serde_json::Value;
use std::{net::SocketAddr, path::Path};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// A recorded request.
#[derive(Debug, Deserialize)]
pub struct Recording {
    /// SDK and case: `browser-sentry-11/attachment-02`.
    pub name: String,
    method: String,
    /// The path without the query.
    pub path: String,
    query: String,
    /// In their order, spelling and number.
    headers: Vec<(String, String)>,
    /// The sizes of the chunks, where the body was sent in chunks.
    chunks: Option<Vec<usize>>,
    length: usize,
    #[serde(skip)]
    body: Vec<u8>,
    /// What its event holds.
    pub expect: Value,
}

/// The public key of the recorded DSN.
const PUBLIC_KEY: &str = "a1b2c3d4e5f60718293a4b5c6d7e8f90";

/// The standalone server, on a database in which the first project has the key of the recordings.
///
/// # Errors
/// The database or the server does not answer.
pub async fn serve_recordings(folder: &Path) -> Result<Server> {
    let store = SqlStore::open(&database_in(folder)?).await?;
    let project = store.ensure_project("default").await?;
    ensure!(store.add_public_key(project.id, PUBLIC_KEY).await?, "the key is new");
    store.close().await;
    Server::start(folder, &[]).await
}

/// Every recording of the repository.
///
/// # Errors
/// The fixture is not what it should be.
pub fn recordings() -> Result<Vec<Recording>> {
    let packed = include_bytes!("../fixtures/recordings.zst");
    let unpacked = zstd::decode_all(packed.as_slice())?;
    let mut rest = unpacked.as_slice();
    let mut recordings = Vec::new();
    while !rest.is_empty() {
        let end = rest.iter().position(|&b| b == b'\n').context("an entry begins with a line")?;
        let (line, after) = rest.split_at_checked(end).context("the line is there")?;
        let mut recording: Recording = serde_json::from_slice(line)?;
        let after = after.strip_prefix(b"\n").context("the line ends")?;
        let (body, after) = after.split_at_checked(recording.length).context("a whole body")?;
        recording.body = body.to_vec();
        recordings.push(recording);
        rest = after.strip_prefix(b"\n").context("the entry ends")?;
    }
    Ok(recordings)
}

impl Recording {
    /// Sends it over a connection of its own to another host and path, and answers status and body.
    ///
    /// Written by hand: no HTTP library keeps order and spelling of headers and the sizes of chunks.
    ///
    /// # Errors
    /// The connection fails, or what is answered is not HTTP.
    pub async fn send(&self, to: SocketAddr, path: &str) -> Result<(u16, Value)> {
        let query = if self.query.is_empty() { String::new() } else { format!("?{}", self.query) };
        let mut head = format!("{} {path}{query} HTTP/1.1\r\n", self.method);
        for (name, value) in &self.headers {
            let value = if name.eq_ignore_ascii_case("host") { &to.to_string() } else { value };
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        let mut stream = TcpStream::connect(to).await?;
        stream.write_all(head.as_bytes()).await?;
        match &self.chunks {
            None => stream.write_all(&self.body).await?,
            Some(sizes) => {
                let mut rest = self.body.as_slice();
                for &size in sizes {
                    let (chunk, after) = rest.split_at_checked(size).context("the chunks are the body")?;
                    rest = after;
                    stream.write_all(format!("{size:x}\r\n").as_bytes()).await?;
                    stream.write_all(chunk).await?;
                    stream.write_all(b"\r\n").await?;
                }
                ensure!(rest.is_empty(), "the chunks are the whole body");
                stream.write_all(b"0\r\n\r\n").await?;
            }
        }
        answer(&mut stream).await
    }
}

/// Reads an answer with a `Content-Length`.
async fn answer(stream: &mut TcpStream) -> Result<(u16, Value)> {
    let mut bytes = Vec::new();
    loop {
        let read = stream.read_buf(&mut bytes).await?;
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).context("a status")?;
            let head = head.to_ascii_lowercase();
            let length: usize =
                head.lines().find_map(|l| l.strip_prefix("content-length: ")).context("a length")?.parse()?;
            if body.len() >= length {
                return Ok((status, serde_json::from_str(body)?));
            }
        }
        ensure!(read > 0, "the connection ended within an answer: {text}");
    }
}
