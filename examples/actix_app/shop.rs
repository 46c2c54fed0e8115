//! Five handlers, each of which fails in its own way.

use actix_web::{
    HttpResponse,
    http::StatusCode,
    web::{Path, Query, ServiceConfig, post},
};
use errtrack::{
    Breadcrumb, ResultExt,
    actix::{Cause, HandlerError},
};
use serde::Deserialize;
use std::{error::Error, fmt, io, time::Duration};

pub(crate) fn routes(app: &mut ServiceConfig) {
    app.route("/orders/{id}/split", post().to(split_the_bill))
        .route("/orders/{id}/pay", post().to(pay))
        .route("/orders/{id}/invoice", post().to(send_invoice))
        .route("/parcels/{id}", post().to(track_parcel))
        .route("/stock", post().to(count_stock));
}

#[derive(Deserialize)]
struct Party {
    guests: u32,
}

/// A bug: with no guests it divides by zero, and panics. The middleware answers a 500, and the shop stays open.
async fn split_the_bill(order: Path<u32>, party: Query<Party>) -> String {
    tracing::info!(%order, guests = party.guests, "splitting the bill");
    let cents = 100 * *order;
    format!("{} cents each", cents / party.guests)
}

#[derive(Debug)]
enum PaymentError {
    Declined { order: u32, source: io::Error },
}

impl fmt::Display for PaymentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Declined { order, .. } = self;
        write!(f, "could not take payment for order {order}")
    }
}

impl Error for PaymentError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let Self::Declined { source, .. } = self;
        Some(source)
    }
}

/// An error that is nobody's to handle: `?` reports it and answers a 500 that says nothing about the inside.
async fn pay(order: Path<u32>) -> Result<String, HandlerError> {
    tracing::info!(%order, "asking the bank");
    charge(*order).await?;
    Ok("Paid. Thank you!".to_owned())
}

async fn charge(order: u32) -> Result<(), PaymentError> {
    let source = io::Error::new(io::ErrorKind::TimedOut, "bank.example did not answer within 5 s");
    Err(PaymentError::Declined { order, source })
}

/// A 5xx that the shop words itself: the error behind it goes up to the middleware beside the answer.
async fn track_parcel(parcel: Path<String>) -> HttpResponse {
    errtrack::add_breadcrumb(Breadcrumb::new("asking the carrier").category("parcels").data("parcel", &**parcel));
    match parcel.parse::<u8>() {
        Ok(days) => HttpResponse::Ok().body(format!("Arrives in {days} days.")),
        Err(error) => {
            let mut response = HttpResponse::ServiceUnavailable().body("The parcel service is not at its best today.");
            response.extensions_mut().insert(Cause::new(error));
            response
        }
    }
}

/// A failure that does not fail the request: it is logged, within a span that says for which order.
#[tracing::instrument]
async fn send_invoice(order: Path<u32>) -> (&'static str, StatusCode) {
    let error = io::Error::new(io::ErrorKind::ConnectionRefused, "mail.example:587 refused the connection");
    tracing::warn!(attempt = 1, "the mail server is slow");
    tracing::error!(error = &error as &dyn Error, tags.channel = "mail", "could not send the invoice");
    ("The invoice comes later.", StatusCode::ACCEPTED)
}

/// Work that outlives its request: `errtrack::spawn` keeps it in the scope of the request that asked for it.
async fn count_stock() -> (&'static str, StatusCode) {
    errtrack::spawn(async {
        tracing::info!("counting the shelves");
        tokio::time::sleep(Duration::from_millis(50)).await;
        let shelf = "seven".parse::<u8>().capture();
        tracing::info!(?shelf, "counted");
    });
    ("Counting has begun.", StatusCode::ACCEPTED)
}
