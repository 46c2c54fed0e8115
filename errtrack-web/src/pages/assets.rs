//! Style sheet, script and icon: compiled in, served under a path that changes with their content.

use axum::{
    extract::Path,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

/// A file that pages refer to.
struct Asset {
    name: &'static str,
    content_type: &'static str,
    body: &'static str,
}

const ASSETS: [Asset; 4] = [
    Asset { name: "style.css", content_type: "text/css; charset=utf-8", body: include_str!("../../assets/style.css") },
    Asset { name: "app.js", content_type: "text/javascript; charset=utf-8", body: include_str!("../../assets/app.js") },
    Asset {
        name: "push.js",
        content_type: "text/javascript; charset=utf-8",
        body: include_str!("../../assets/push.js"),
    },
    Asset { name: "icon.svg", content_type: "image/svg+xml", body: include_str!("../../assets/icon.svg") },
];

/// Where the service worker is: always there, as browsers ask for it again and again.
pub(super) const WORKER: &str = "/push/worker.js";

/// One hash over all of them: they belong together.
static HASH: LazyLock<String> = LazyLock::new(|| {
    let digest = ASSETS.iter().fold(Sha256::new(), |hash, asset| hash.chain_update(asset.body)).finalize();
    digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
});

/// The path of an asset, to be given to `Links::path`.
pub(super) fn path(name: &str) -> String {
    format!("/assets/{}/{name}", *HASH)
}

/// `GET /assets/{hash}/{name}`
pub(super) async fn serve(Path((hash, name)): Path<(String, String)>) -> Response {
    let Some(asset) = ASSETS.iter().find(|asset| asset.name == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    // A page from before an update asks for an old hash. It gets what there is, but must not keep it under that name.
    let cache = if hash == *HASH { "public, max-age=31536000, immutable" } else { "no-cache" };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(asset.content_type)),
        (header::CACHE_CONTROL, HeaderValue::from_static(cache)),
    ];
    (headers, asset.body).into_response()
}

/// `GET /push/worker.js`: what shows notifications in members' browsers. It may look after `/push/` below the mount point, where
/// no page is.
pub(super) async fn worker() -> Response {
    let headers = [(header::CONTENT_TYPE, "text/javascript; charset=utf-8"), (header::CACHE_CONTROL, "no-cache")];
    (headers, include_str!("../../assets/worker.js")).into_response()
}
