//! The one page of the shop.

use axum::response::Html;

/// The page; `asks` is whether the dashboard wants a secret.
pub(crate) fn index(asks: bool) -> Html<String> {
    let access = if asks {
        "It asks for the secret that <code>DASHBOARD_SECRET</code> was set to."
    } else {
        "It is open, because this shop listens on this machine only; set <code>DASHBOARD_SECRET</code> and it asks for that."
    };
    Html(include_str!("index.html").replace("{access}", access))
}
