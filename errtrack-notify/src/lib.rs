//! The channels by which errtrack tells people: mail, chat, webhooks, text messages, browsers.
//!
//! A [`Channel`] is how one is set up: a name, a [`Kind`] and settings. [`Channel::build`] makes a
//! [`Notifier`](errtrack_core::notify::Notifier) of it, which a tracker delivers by. What is told is put into words in one
//! place ([`Words`]); each channel only dresses them.
//!
//! | kind | feature | what it speaks |
//! |---|---|---|
//! | `email` | `email` | SMTP, plain or over TLS; or Postmark's API |
//! | `slack`, `discord`, `mattermost`, `telegram` | `webhook` | the webhook of each, Telegram's Bot API |
//! | `webhook` | `webhook` | JSON, signed, or the user's template |
//! | `sms` | `webhook` | a form, as Twilio's `Messages` takes it |
//!
//! `push::PushChannel` (feature `push`) tells members by their browsers. It has no settings, so it is no kind.
//!
//! TLS needs `tls-ring` or `tls-aws-lc-rs` besides.
//!
//! Beside them stand the services that take tickets ([`TicketService`]), which tell nobody.
//!
//! Every notification carries its key (`Idempotency-Key`, in mails as `Message-ID`), the same at each try.
//! Answers of 2xx are an arrival; 408, 425, 429 (with `Retry-After`) and 5xx, and a connection that broke, are tried again;
//! others are not. Redirects are not followed, and what is private is not reached unless it is allowed.

mod channel;
#[cfg(feature = "webhook")]
mod chat;
mod html;
#[cfg(any(feature = "email", feature = "push", feature = "webhook"))]
mod http;
mod kind;
#[cfg(feature = "email")]
mod postmark;
#[cfg(feature = "push")]
pub mod push;
#[cfg(feature = "webhook")]
mod sms;
#[cfg(feature = "email")]
mod smtp;
#[cfg(feature = "webhook")]
mod template;
#[cfg(test)]
mod tests;
mod tickets;
#[cfg(feature = "webhook")]
mod webhook;
mod words;

pub use channel::{Channel, InvalidChannel, Settings, Surroundings};
pub use html::mail as html_mail;
pub use kind::{Field, Kind, UnknownKind};
pub use tickets::{
    CreatedTicket, InvalidTicketLink, TicketDraft, TicketError, TicketKind, TicketLink, TicketService,
    UnknownTicketKind,
};
#[cfg(feature = "webhook")]
pub use webhook::{Body as WebhookBody, sign};
pub use words::{Link, Tone, Words};

#[cfg(feature = "webhook")]
use ::http::HeaderName;

#[cfg(feature = "webhook")]
const SIGNATURE: HeaderName = HeaderName::from_static("x-errtrack-signature");
#[cfg(feature = "webhook")]
const EVENT: HeaderName = HeaderName::from_static("x-errtrack-event");
#[cfg(feature = "webhook")]
const DELIVERY: HeaderName = HeaderName::from_static("x-errtrack-delivery");
#[cfg(feature = "webhook")]
const IDEMPOTENCY: HeaderName = HeaderName::from_static("idempotency-key");
#[cfg(any(feature = "push", feature = "webhook"))]
const AUTHORIZATION: ::http::HeaderName = ::http::header::AUTHORIZATION;
#[cfg(feature = "email")]
const ACCEPT: ::http::HeaderName = ::http::header::ACCEPT;
#[cfg(feature = "email")]
const POSTMARK_TOKEN: ::http::HeaderName = ::http::HeaderName::from_static("x-postmark-server-token");

/// A request that names its notification, the same at each try.
#[cfg(feature = "webhook")]
fn keyed<'a>(
    question: errtrack_outgoing::Question<'a>,
    delivery: &errtrack_core::notify::Delivery<'_>,
) -> errtrack_outgoing::Question<'a> {
    let key = delivery.entry.key.to_string();
    question.header(IDEMPOTENCY, &key).header(DELIVERY, &key)
}
