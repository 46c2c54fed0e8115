use super::*;
use std::{error::Error, net::Ipv4Addr};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
    task::JoinHandle,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer},
};

const PATIENCE: Duration = Duration::from_secs(10);

fn here() -> AllowedTargets {
    AllowedTargets::new(["127.0.0.1"]).unwrap()
}

async fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// Reads a request to the end of its body and answers it.
async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, answer: &str) -> String {
    let mut request = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&request);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length =
                head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                break;
            }
        }
        assert!(stream.read_buf(&mut request).await.unwrap() > 0, "the request ended early");
    }
    stream.write_all(answer.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    String::from_utf8(request).unwrap()
}

/// A server that answers one request and tells what it was.
async fn server(answer: &'static str) -> (u16, JoinHandle<String>) {
    let (listener, port) = listener().await;
    let served = tokio::spawn(async move { serve(listener.accept().await.unwrap().0, answer).await });
    (port, served)
}

#[tokio::test]
async fn a_request_arrives_as_it_is_meant_and_its_answer_is_read() {
    let (port, served) = server("HTTP/1.1 201 Created\r\nRetry-After: 7\r\nContent-Length: 2\r\n\r\nok").await;
    let url = format!("http://127.0.0.1:{port}/hooks/a?b=c#d");
    let question = Question::post(&url, "{}".into()).json().header(http::header::AUTHORIZATION, "Bearer x");
    let answer = Outgoing::new(here()).send(question).await.unwrap();
    assert_eq!((answer.status, &answer.body[..], answer.is_cut), (201, &b"ok"[..], false));
    assert_eq!(answer.retry_after(), Some(Duration::from_secs(7)));
    let request = served.await.unwrap().to_lowercase();
    assert!(request.starts_with("post /hooks/a?b=c http/1.1\r\n"), "{request}");
    for line in [
        &format!("host: 127.0.0.1:{port}"),
        "content-type: application/json",
        "authorization: bearer x",
        "content-length: 2",
    ] {
        assert!(request.contains(&format!("{line}\r\n")), "{line}: {request}");
    }
    assert!(request.contains("user-agent: errtrack/") && request.ends_with("\r\n\r\n{}"), "{request}");
}

#[tokio::test]
async fn redirects_are_answers() {
    let (port, _served) = server("HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\n\r\n").await;
    let answer = Outgoing::new(here()).send(Question::get(&format!("http://127.0.0.1:{port}"))).await.unwrap();
    assert_eq!(answer.status, 302);
}

#[tokio::test]
async fn what_is_private_is_not_connected_to() {
    let (listener, port) = listener().await;
    let outgoing = Outgoing::new(AllowedTargets::default());
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433"] {
        let error = outgoing.send(Question::get(&format!("http://{host}:{port}/"))).await.unwrap_err();
        assert!(matches!(error, OutgoingError::Private | OutgoingError::NotFound(_)), "{host}: {error:?}");
    }
    // Whoever connected would stand in the queue before this one.
    let ours = tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
    let (_, peer) = listener.accept().await.unwrap();
    assert_eq!(peer, ours.local_addr().unwrap());
}

#[tokio::test]
async fn a_long_answer_is_cut_and_a_slow_one_given_up() {
    let (port, _served) = server("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nhello, world").await;
    let small = Outgoing::with(here(), PATIENCE, 5);
    let answer = small.send(Question::get(&format!("http://127.0.0.1:{port}"))).await.unwrap();
    assert_eq!((answer.status, answer.is_cut, answer.body.len()), (200, true, 0));

    let (_silent, port) = listener().await;
    let hasty = Outgoing::with(here(), Duration::from_millis(50), 5);
    let error = hasty.send(Question::get(&format!("http://127.0.0.1:{port}"))).await.unwrap_err();
    assert!(matches!(error, OutgoingError::TooSlow(_)), "{error:?}");
}

#[tokio::test]
async fn what_goes_wrong_is_told_apart() {
    let outgoing = Outgoing::new(here());
    for url in ["", "shop", "ftp://a/", "http://", "http://user:secret@127.0.0.1/", "http://a b/"] {
        let error = outgoing.send(Question::get(url)).await.unwrap_err();
        assert!(matches!(error, OutgoingError::InvalidUrl), "{url}: {error:?}");
    }
    let wrong = Question::get("http://127.0.0.1/").header(http::header::AUTHORIZATION, "a\r\nb: c");
    assert!(matches!(outgoing.send(wrong).await.unwrap_err(), OutgoingError::InvalidUrl));

    let (gone, port) = listener().await;
    drop(gone);
    let error = outgoing.send(Question::get(&format!("http://127.0.0.1:{port}/"))).await.unwrap_err();
    assert!(matches!(error, OutgoingError::NotConnected(_)), "{error:?}");

    let (port, _served) = server("220 mail.example.com ready\r\n").await;
    let error = outgoing.send(Question::get(&format!("http://127.0.0.1:{port}/"))).await.unwrap_err();
    assert!(matches!(error, OutgoingError::Broken(_)), "{error:?}");
}

#[tokio::test]
async fn https_asks_only_whom_it_can_trust() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config =
        ServerConfig::builder_with_provider(ring::default_provider().into()).with_safe_default_protocol_versions();
    let config = config.unwrap().with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let (listener, port) = listener().await;
    let served = tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            if let Ok(stream) = acceptor.accept(stream).await {
                return serve(stream, "HTTP/1.1 204 No Content\r\n\r\n").await;
            }
        }
    });
    let url = format!("https://localhost:{port}/health");
    let allowed = AllowedTargets::new(["localhost"]).unwrap();
    let error = Outgoing::new(allowed.clone()).send(Question::get(&url)).await.unwrap_err();
    let cause = error.source().map(ToString::to_string).unwrap_or_default();
    assert!(matches!(error, OutgoingError::NotConnected(_)) && cause.contains("certificate"), "{error:?}");

    let outgoing = Outgoing::new(allowed).trusting([made.cert.der().to_vec()]);
    let answer = outgoing.send(Question::get(&url)).await.unwrap();
    assert_eq!(answer.status, 204);
    assert!(served.await.unwrap().starts_with("GET /health HTTP/1.1\r\n"));
}
