//! The shop on actix-web.

use super::{Plan, log_to};
use crate::shop::{self, OutOfStock, Shop, out_of_stock};
use actix_web::{
    App, HttpResponse, HttpServer, ResponseError,
    http::StatusCode,
    middleware::Condition,
    rt::System,
    web::{self, Data},
};
use errtrack::actix::{Capture, Cause, HandlerError};
use std::{
    cell::RefCell,
    future::{Ready, ready},
    net::SocketAddr,
    sync::mpsc,
};
use tokio::sync::oneshot;

/// The usual way of an actix-web app: an error says itself what it answers.
impl ResponseError for OutOfStock {}

thread_local! {
    static LOG: RefCell<Option<tracing::subscriber::DefaultGuard>> = const { RefCell::new(None) };
}

pub(super) fn serve(plan: Plan, tell: &mpsc::Sender<SocketAddr>, closed: oneshot::Receiver<()>) {
    let server = HttpServer::new(move || {
        // The factory runs on the thread of the worker.
        LOG.set(Some(log_to(&plan.tracker)));
        App::new()
            .wrap(Capture::new(&plan.tracker).response_error::<OutOfStock>())
            .wrap(Condition::new(plan.is_doubled, Capture::new(&plan.tracker).response_error::<OutOfStock>()))
            .app_data(Data::from(plan.shop.clone()))
            .configure(routes)
    });
    System::new().block_on(async {
        let server = server
            .workers(1)
            .disable_signals()
            // Or whoever hangs up is taken for one who only listens from then on.
            .h1_allow_half_closed(false)
            .bind("127.0.0.1:0")
            .expect("a free port");
        tell.send(server.addrs()[0]).expect("the test waits");
        let serving = server.run();
        let handle = serving.handle();
        actix_web::rt::spawn(async move {
            let _ = closed.await;
            handle.stop(false).await;
        });
        serving.await.expect("it serves");
    });
}

fn routes(app: &mut web::ServiceConfig) {
    async fn question_mark(_: web::Path<u32>) -> Result<&'static str, HandlerError> {
        Ok(shop::sell().await?)
    }
    async fn response_error() -> Result<&'static str, OutOfStock> {
        shop::sell().await
    }
    fn early() -> Ready<&'static str> {
        if std::env::args().count() > 0 {
            panic!("no future");
        }
        ready("")
    }
    async fn cause() -> HttpResponse {
        shop::sign_in();
        let mut response = HttpResponse::BadGateway().body("try again later");
        response.extensions_mut().insert(Cause::new(out_of_stock()));
        response
    }
    async fn captured() -> HttpResponse {
        match shop::captured().await {
            Ok(sold) => HttpResponse::Ok().body(sold),
            Err(_) => failed(),
        }
    }
    async fn passed_on() -> Result<&'static str, OutOfStock> {
        shop::captured().await
    }
    async fn spawned() -> HttpResponse {
        shop::spawned().await;
        failed()
    }
    async fn panicking_task() -> HttpResponse {
        shop::panicking_task().await;
        failed()
    }
    async fn logged(order: web::Path<u32>) -> HttpResponse {
        shop::logged(*order).await;
        failed()
    }
    async fn joined() -> HttpResponse {
        shop::joined().await;
        failed()
    }
    async fn meet(shop: Data<Shop>, name: web::Path<String>) -> HttpResponse {
        shop::meet(&shop, &name).await;
        failed()
    }
    async fn wait(shop: Data<Shop>) -> HttpResponse {
        shop::wait(&shop).await;
        HttpResponse::Ok().finish()
    }
    app.route("/", web::get().to(async || "welcome"))
        .route("/orders/{id}/question-mark", web::post().to(question_mark))
        .route("/orders/{id}/response-error", web::post().to(response_error))
        .route("/orders/{id}/panic", web::get().to(async |_: web::Path<u32>| shop::jam().await))
        .route("/early", web::get().to(early))
        .route("/bare/{id}", web::get().to(async || failed()))
        .route("/cause", web::get().to(cause))
        .route("/captured", web::get().to(captured))
        .route("/passed-on", web::get().to(passed_on))
        .route("/spawned", web::get().to(spawned))
        .route("/panicking-task", web::get().to(panicking_task))
        .route("/orders/{id}/logged", web::get().to(logged))
        .route("/joined", web::get().to(joined))
        .route("/meet/{name}", web::get().to(meet))
        .route("/wait", web::get().to(wait))
        .route("/receipt", web::get().to(async || HttpResponse::Ok().streaming(shop::receipt())))
        .route("/broken-receipt", web::get().to(async || HttpResponse::Ok().streaming(shop::broken_receipt())))
        .route("/teapot", web::get().to(async || HttpResponse::new(StatusCode::IM_A_TEAPOT)));
}

fn failed() -> HttpResponse {
    HttpResponse::InternalServerError().finish()
}
