//! A client with one connection, which it opens again when it was lost.

use anyhow::{Context, Result};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Method, Request, StatusCode, client::conn::http1, header::HeaderMap};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::net::SocketAddr;
use tokio::net::TcpStream;

/// A client of one server.
#[derive(Debug)]
pub struct Client {
    address: SocketAddr,
    sender: Option<http1::SendRequest<Full<Bytes>>>,
    headers: Vec<(String, String)>,
    connections: usize,
}

/// What a server answered.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// The body as JSON; `null` if it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Client {
    /// A client that sends no headers of its own but `Host`.
    #[must_use]
    pub fn new(address: SocketAddr) -> Self {
        Self { address, sender: None, headers: Vec::new(), connections: 0 }
    }

    /// Sends this header with every request.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// How many connections it has opened so far.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.connections
    }

    /// Sends `GET`.
    ///
    /// # Errors
    /// The connection fails.
    pub async fn get(&mut self, path: &str) -> Result<Answer> {
        self.send(Method::GET, path, "").await
    }

    /// Sends `POST` with a body.
    ///
    /// # Errors
    /// The connection fails.
    pub async fn post(&mut self, path: &str, body: impl Into<Bytes>) -> Result<Answer> {
        self.send(Method::POST, path, body).await
    }

    /// Sends a request.
    ///
    /// # Errors
    /// The connection fails.
    pub async fn send(&mut self, method: Method, path: &str, body: impl Into<Bytes>) -> Result<Answer> {
        let mut request = Request::builder().method(method).uri(path).header("host", self.address.to_string());
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        self.send_request(request.body(Full::new(body.into()))?).await
    }

    /// Sends a request as it is.
    ///
    /// # Errors
    /// The connection fails.
    pub async fn send_request(&mut self, request: Request<Full<Bytes>>) -> Result<Answer> {
        let usable = self.sender.as_ref().is_some_and(|sender| !sender.is_closed());
        if !usable {
            self.sender = Some(self.connect().await?);
            self.connections += 1;
        }
        let sender = self.sender.as_mut().context("there is a connection")?;
        sender.ready().await?;
        let response = sender.send_request(request).await;
        let (parts, body) = match response {
            Ok(response) => response.into_parts(),
            Err(error) => {
                self.sender = None;
                return Err(error.into());
            }
        };
        let body = match body.collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) => {
                self.sender = None;
                return Err(error.into());
            }
        };
        Ok(Answer { status: parts.status, headers: parts.headers, body })
    }

    async fn connect(&self) -> Result<http1::SendRequest<Full<Bytes>>> {
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(sender)
    }
}
