//! The same over a WebSocket.

use super::{Told, full};
use crate::{access::Caller, app::App, error::Error, links::Links, live::Client};
use axum::{
    extract::{
        FromRequestParts,
        ws::{Message, WebSocket, WebSocketUpgrade},
    },
    http::{StatusCode, header, request::Parts},
    response::Response,
};
use std::time::Duration;
use tokio::time::timeout;

/// How long a client may take to read a message.
const PATIENCE: Duration = Duration::from_secs(30);
/// Bytes of what a client may say: nothing but that it is there.
const LARGEST: usize = 1 << 10;

pub(super) fn is_asked_for(parts: &Parts) -> bool {
    let upgrade = parts.headers.get(header::UPGRADE).and_then(|value| value.to_str().ok());
    upgrade.is_some_and(|upgrade| upgrade.eq_ignore_ascii_case("websocket"))
}

pub(super) async fn open(app: App, caller: Caller, mut parts: Parts, last: Option<&str>) -> Result<Response, Error> {
    let Ok(links) = Links::from_request_parts(&mut parts, &app).await;
    // Browsers send cookies with it from wherever, and no CORS stands in the way.
    if let Some(origin) = parts.headers.get(header::ORIGIN).map(|origin| origin.to_str().unwrap_or("null"))
        && !links.is_own(origin)
        && !app.config().api_origins.iter().any(|listed| listed.trim_end_matches('/') == origin)
    {
        return Err(Error::forbidden("pages of that origin may not listen"));
    }
    let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, &app).await;
    let upgrade = upgrade.map_err(|rejected| match rejected.status() {
        // HTTP/1.0, or a host that does not hand its connections over.
        StatusCode::UPGRADE_REQUIRED => Error::new(
            StatusCode::UPGRADE_REQUIRED,
            "connections cannot be upgraded here; Server-Sent Events can be had",
        ),
        _ => Error::bad_request(rejected.body_text()),
    })?;
    let client = Client::enter(&app, parts, caller, last).ok_or_else(full)?;
    let upgrade = upgrade.max_message_size(LARGEST).max_frame_size(LARGEST);
    Ok(upgrade.on_upgrade(|socket| tell(socket, client)))
}

/// Tells what happens until either side has enough.
async fn tell(mut socket: WebSocket, mut client: Client) {
    loop {
        let told = tokio::select! {
            told = client.next() => told,
            heard = socket.recv() => match heard {
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => continue,
            },
        };
        let message = match told {
            Some(told) => message(&told),
            None => Message::Close(None),
        };
        let is_last = matches!(message, Message::Close(_));
        let sent = timeout(PATIENCE, socket.send(message)).await;
        if is_last || !matches!(sent, Ok(Ok(()))) {
            return;
        }
    }
}

fn message(told: &Told) -> Message {
    match &told.event {
        // Names and ids hold nothing that JSON would write otherwise.
        Some((kind, data)) => {
            Message::Text(format!(r#"{{"id":"{}","event":"{}","data":{data}}}"#, told.id, kind.name()).into())
        }
        None => Message::Ping(told.id.clone().into()),
    }
}
