//! Every route, on one screen.

use crate::{api, app::App, pages};
use axum::Router;

pub(crate) fn build<S: Clone + Send + Sync + 'static>(app: App) -> Router<S> {
    Router::new().merge(api::routes(&app)).merge(pages::routes(&app)).with_state(app)
}
