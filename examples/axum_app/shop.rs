//! Five handlers, each of which fails in its own way.

use axum::{
    Router,
    extract::{Path, Query},
    http::StatusCode,
    routing::post,
};
use errtrack::{Breadcrumb, ResultExt, axum::HandlerError, tower::Cause};
use serde::Deserialize;
use std::{error::Error, fmt, io, num::ParseIntError, time::Duration};

pub(crate) fn routes() -> Router {
    Router::new()
        .route("/orders/{id}/split", post(split_the_bill))
        .route("/orders/{id}/pay", post(pay))
        .route("/orders/{id}/invoice", post(send_invoice))
        .route("/parcels/{id}", post(track_parcel))
        .route("/stock", post(count_stock))
}

#[derive(Deserialize)]
struct Party {
    guests: u32,
}

/// A bug: with no guests it divides by zero, and panics. The layer answers a 500, and the shop stays open.
async fn split_the_bill(Path(order): Path<u32>, Query(party): Query<Party>) -> String {
    tracing::info!(order, guests = party.guests, "splitting the bill");
    let cents = 100 * order;
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
async fn pay(Path(order): Path<u32>) -> Result<String, HandlerError> {
    tracing::info!(order, "asking the bank");
    charge(order).await?;
    Ok("Paid. Thank you!".to_owned())
}

async fn charge(order: u32) -> Result<(), PaymentError> {
    let source = io::Error::new(io::ErrorKind::TimedOut, "bank.example did not answer within 5 s");
    Err(PaymentError::Declined { order, source })
}

/// A 5xx that the shop words itself: the error behind it goes up to the layer beside the answer.
async fn track_parcel(Path(parcel): Path<String>) -> Result<String, (StatusCode, Cause, &'static str)> {
    errtrack::add_breadcrumb(Breadcrumb::new("asking the carrier").category("parcels").data("parcel", &*parcel));
    let days: Result<u8, ParseIntError> = parcel.parse();
    match days {
        Ok(days) => Ok(format!("Arrives in {days} days.")),
        Err(error) => {
            Err((StatusCode::SERVICE_UNAVAILABLE, Cause::new(error), "The parcel service is not at its best today."))
        }
    }
}

/// A failure that does not fail the request: it is logged, within a span that says for which order.
#[tracing::instrument]
async fn send_invoice(Path(order): Path<u32>) -> (StatusCode, &'static str) {
    let error = io::Error::new(io::ErrorKind::ConnectionRefused, "mail.example:587 refused the connection");
    tracing::warn!(attempt = 1, "the mail server is slow");
    tracing::error!(error = &error as &dyn Error, tags.channel = "mail", "could not send the invoice");
    (StatusCode::ACCEPTED, "The invoice comes later.")
}

/// Work that outlives its request: `errtrack::spawn` keeps it in the scope of the request that asked for it.
async fn count_stock() -> (StatusCode, &'static str) {
    errtrack::spawn(async {
        tracing::info!("counting the shelves");
        tokio::time::sleep(Duration::from_millis(50)).await;
        let shelf = "seven".parse::<u8>().capture();
        tracing::info!(?shelf, "counted");
    });
    (StatusCode::ACCEPTED, "Counting has begun.")
}
