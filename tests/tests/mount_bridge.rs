//! What passes between actix-web and a router of axum: bodies as they come, both ways, and everything of HTTP that a
//! translation may lose.

use anyhow::{Context, Result, ensure};
use axum::{
    Router,
    body::{Body, Bytes},
    extract::{ConnectInfo, DefaultBodyLimit, Extension, OriginalUri, State},
    http::{HeaderMap, StatusCode, header},
    response::{AppendHeaders, IntoResponse},
    routing::{get, post},
};
use errtrack::actix::mount;
use errtrack_tests::{ActixServer, Client, Watched, until};
use futures_util::stream;
use hyper::Method;
use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::{Notify, broadcast},
    time::timeout,
};

const PATIENCE: Duration = Duration::from_secs(20);

/// What the router tells the test, and the other way round.
struct Stage {
    complete: AtomicU32,
    broken: AtomicU32,
    is_live_over: AtomicBool,
    news: broadcast::Sender<&'static str>,
    go_on: Notify,
    held: Mutex<Option<Body>>,
}

fn stage() -> Arc<Stage> {
    Arc::new(Stage {
        complete: AtomicU32::new(0),
        broken: AtomicU32::new(0),
        is_live_over: AtomicBool::new(false),
        news: broadcast::channel(16).0,
        go_on: Notify::new(),
        held: Mutex::new(None),
    })
}

#[derive(Clone)]
struct Staff(&'static str);

fn router(stage: Arc<Stage>) -> Router {
    async fn read(
        State(stage): State<Arc<Stage>>,
        body: Result<Bytes, axum::extract::rejection::BytesRejection>,
    ) -> String {
        match body {
            Ok(body) => {
                stage.complete.fetch_add(1, Relaxed);
                body.len().to_string()
            }
            Err(error) => {
                stage.broken.fetch_add(1, Relaxed);
                error.to_string()
            }
        }
    }
    async fn live(State(stage): State<Arc<Stage>>) -> impl IntoResponse {
        struct Over(Arc<Stage>);
        impl Drop for Over {
            fn drop(&mut self) {
                self.0.is_live_over.store(true, Relaxed);
            }
        }
        let listening = (stage.news.subscribe(), Over(stage));
        let news = stream::unfold(listening, async |(mut news, over)| {
            let text = news.recv().await.ok()?;
            Some((Ok::<_, io::Error>(Bytes::from(format!("data: {text}\n\n"))), (news, over)))
        });
        ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(news))
    }
    async fn hold(State(stage): State<Arc<Stage>>, body: Body) -> &'static str {
        *stage.held.lock().expect("a lock") = Some(body);
        stage.go_on.notified().await;
        "let go"
    }
    async fn place(
        OriginalUri(uri): OriginalUri,
        ConnectInfo(peer): ConnectInfo<SocketAddr>,
        staff: Option<Extension<Staff>>,
        headers: HeaderMap,
    ) -> String {
        let staff = staff.map_or("nobody", |Extension(Staff(name))| name);
        let forwarded: Vec<_> = headers.get_all("x-step").iter().filter_map(|v| v.to_str().ok()).collect();
        format!("{uri} {} {staff} {}", peer.ip(), forwarded.join("+"))
    }
    let cookies = || async { AppendHeaders([(header::SET_COOKIE, "a=1"), (header::SET_COOKIE, "b=2")]) };
    Router::new()
        .route("/", get(async || "home"))
        .route("/read", post(read).layer(DefaultBodyLimit::max(100_000)))
        .route("/echo", post(async |body: Body| body))
        .route("/unread", post(async || "not for me"))
        .route("/hold", post(hold))
        .route("/text", get(async || "hello"))
        .route("/nothing", get(async || StatusCode::NO_CONTENT))
        .route("/cookies", get(cookies))
        .route("/live", get(live))
        .route("/place", get(place))
        .route("/fails", get(async || StatusCode::SERVICE_UNAVAILABLE))
        .route("/panics", get(async || -> &'static str { panic!("in the router") }))
        .route(
            "/broken",
            get(async || Body::from_stream(stream::iter([Ok(Bytes::from("half")), Err(io::Error::other("gone"))]))),
        )
        .with_state(stage)
}

async fn start() -> (ActixServer, Arc<Stage>, Watched) {
    let (stage, watched) = (stage(), Watched::start().await);
    let router = router(stage.clone());
    let server = ActixServer::start(&watched.tracker, move |app| {
        app.service(mount("/errors", router.clone()).forward::<Staff>());
    });
    (server, stage, watched)
}

/// A connection that is spoken to by hand.
struct Wire {
    stream: TcpStream,
    heard: String,
}

impl Wire {
    async fn open(server: &ActixServer) -> Result<Self> {
        Ok(Self { stream: TcpStream::connect(server.address).await?, heard: String::new() })
    }

    async fn say(&mut self, text: &str) -> Result<()> {
        Ok(self.stream.write_all(text.as_bytes()).await?)
    }

    /// Reads until it has heard this, and forgets what came until then.
    async fn hear(&mut self, text: &str) -> Result<String> {
        let reading = async {
            loop {
                if let Some(at) = self.heard.find(text) {
                    let rest = self.heard.split_off(at + text.len());
                    return Ok(std::mem::replace(&mut self.heard, rest));
                }
                let mut buffer = [0; 4096];
                let read = self.stream.read(&mut buffer).await?;
                ensure!(read > 0, "waiting for {text:?} the connection ended after {:?}", self.heard);
                self.heard.push_str(&String::from_utf8_lossy(&buffer[..read]));
            }
        };
        timeout(PATIENCE, reading).await.with_context(|| format!("waited for {text:?}"))?
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_passes_both_ways_as_it_comes() -> Result<()> {
    let (server, ..) = start().await;
    let mut wire = Wire::open(&server).await?;
    wire.say("POST /errors/echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n").await?;
    for text in ["one", "two"] {
        // The next part is sent only when this one has come back.
        wire.say(&format!("3\r\n{text}\r\n")).await?;
        wire.hear(text).await?;
    }
    wire.say("0\r\n\r\n").await?;
    wire.hear("0\r\n\r\n").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_body_arrives_whole() -> Result<()> {
    let (server, ..) = start().await;
    let body: Vec<u8> = (0..3_000_000_u32).map(|n| n.to_le_bytes()[usize::from(n % 3 == 0)]).collect();
    let answer = Client::new(server.address).post("/errors/echo", body.clone()).await?;
    assert_eq!(answer.status, 200);
    assert!(answer.body == body);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_asks_first_is_told_to_go_on() -> Result<()> {
    let (server, ..) = start().await;
    let mut wire = Wire::open(&server).await?;
    wire.say("POST /errors/read HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\nexpect: 100-continue\r\n\r\n").await?;
    wire.hear("100 Continue\r\n\r\n").await?;
    wire.say("hello").await?;
    wire.hear("200 OK").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_breaks_off_is_not_taken_for_a_whole_one() -> Result<()> {
    let (server, stage, _watched) = start().await;
    for head in ["content-length: 9\r\n\r\nhalf", "transfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n"] {
        let mut wire = Wire::open(&server).await?;
        let before = stage.broken.load(Relaxed);
        wire.say(&format!("POST /errors/read HTTP/1.1\r\nhost: a\r\n{head}")).await?;
        wire.stream.shutdown().await?;
        until("the router has seen it", || stage.broken.load(Relaxed) > before).await;
    }
    assert_eq!(stage.complete.load(Relaxed), 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_too_large_or_unwanted_still_gets_its_answer() -> Result<()> {
    let (server, stage, _watched) = start().await;
    let mut client = Client::new(server.address);
    let answer = client.post("/errors/read", vec![b'x'; 90_000]).await?;
    assert_eq!(answer.text(), "90000");
    assert_eq!(client.post("/errors/read", "short").await?.text(), "5");
    assert_eq!(client.connections(), 1, "a body that was read leaves the connection as it was");
    let answer = client.post("/errors/read", vec![b'x'; 200_000]).await?;
    assert!(answer.text().contains("length limit"), "{}", answer.text());
    assert_eq!(stage.broken.load(Relaxed), 1);
    // A connection on which a body was left unread is closed, sooner or later.
    let answer = Client::new(server.address).post("/errors/unread", vec![b'x'; 200_000]).await?;
    assert_eq!(answer.text(), "not for me");
    assert_eq!(Client::new(server.address).get("/errors/text").await?.text(), "hello");
    Ok(())
}

/// While the router does not read, what a client may send is bounded by what the sockets hold.
#[tokio::test(flavor = "multi_thread")]
async fn a_body_waits_for_its_reader() -> Result<()> {
    let (server, stage, _watched) = start().await;
    let mut wire = Wire::open(&server).await?;
    wire.say("POST /errors/hold HTTP/1.1\r\nhost: a\r\ncontent-length: 268435456\r\n\r\n").await?;
    let (block, mut sent) = (vec![b'x'; 1 << 20], 0);
    while let Ok(written) = timeout(Duration::from_secs(1), wire.stream.write(&block)).await {
        sent += written?;
        ensure!(sent < 64 << 20, "it takes more than anybody reads");
    }
    assert!(stage.held.lock().expect("a lock").is_some());
    stage.go_on.notify_one();
    wire.hear("let go").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_stream_passes_unbuffered_and_ends_with_its_listener() -> Result<()> {
    let (server, stage, _watched) = start().await;
    let mut wire = Wire::open(&server).await?;
    wire.say("GET /errors/live HTTP/1.1\r\nhost: a\r\n\r\n").await?;
    let head = wire.hear("\r\n\r\n").await?;
    assert!(head.to_lowercase().contains("text/event-stream"), "{head}");
    for news in ["first", "second"] {
        stage.news.send(news)?;
        wire.hear(&format!("data: {news}\n\n")).await?;
    }
    assert!(!stage.is_live_over.load(Relaxed));
    drop(wire);
    until("the stream is let go", || {
        let _ = stage.news.send("anybody there?");
        stage.is_live_over.load(Relaxed)
    })
    .await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn head_no_content_and_repeated_headers_pass() -> Result<()> {
    let (server, ..) = start().await;
    let mut client = Client::new(server.address);
    let head = client.send(Method::HEAD, "/errors/text", "").await?;
    assert_eq!((head.status.as_u16(), head.body.len()), (200, 0));
    assert_eq!(head.headers[header::CONTENT_LENGTH], "5", "the length of what it does not carry");
    let nothing = client.get("/errors/nothing").await?;
    assert_eq!(nothing.status, 204);
    assert!(!nothing.headers.contains_key(header::CONTENT_LENGTH));
    let cookies = client.get("/errors/cookies").await?;
    assert_eq!(cookies.headers.get_all(header::SET_COOKIE).iter().collect::<Vec<_>>(), ["a=1", "b=2"]);
    assert_eq!(client.connections(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_router_knows_where_it_is_and_who_asks() -> Result<()> {
    let stage = stage();
    let watched = Watched::start().await;
    let router = router(stage);
    let server = ActixServer::start(&watched.tracker, move |app| {
        use actix_web::{HttpMessage, dev::Service};
        let staff = actix_web::web::scope("/staff")
            .wrap_fn(|request, service| {
                request.extensions_mut().insert(Staff("ana"));
                service.call(request)
            })
            .service(mount("/errors", router.clone()).forward::<Staff>());
        app.service(staff)
            .service(actix_web::web::scope("/tenants/{tenant}").service(mount("/errors", router.clone())))
            .service(mount("/errors/", router.clone()));
    });
    let mut client = Client::new(server.address).header("x-step", "one").header("x-step", "two");
    for (path, answer) in [
        ("/errors/place?a=b%20c", "/errors/place?a=b%20c 127.0.0.1 nobody one+two"),
        ("/staff/errors/place", "/staff/errors/place 127.0.0.1 ana one+two"),
        ("/tenants/7/errors/place", "/tenants/7/errors/place 127.0.0.1 nobody one+two"),
        ("/tenants/8/errors/place", "/tenants/8/errors/place 127.0.0.1 nobody one+two"),
        ("/errors", "home"),
        ("/errors/", "home"),
        ("/staff/errors/", "home"),
    ] {
        assert_eq!(client.get(path).await?.text(), answer, "{path}");
    }
    assert_eq!(client.get("/errors/nowhere").await?.status, 404);
    // What would mean something in a route is no prefix.
    for odd in ["/tenants/*x/errors", "/tenants/%7Bx%7D/errors", "/tenants/:x/errors/place"] {
        assert_eq!(client.get(odd).await?.status, 400, "{odd}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_in_the_router_is_not_reported_to_itself() -> Result<()> {
    let (server, _stage, watched) = start().await;
    let mut client = Client::new(server.address);
    assert_eq!(client.get("/errors/fails").await?.status, 503);
    assert_eq!(client.get("/errors/panics").await?.status, 500);
    assert!(client.get("/errors/broken").await.is_err(), "the client sees that it has not got all");
    assert_eq!(client.get("/errors/text").await?.text(), "hello", "the worker lives on");
    assert!(watched.events().await.is_empty());
    Ok(())
}
