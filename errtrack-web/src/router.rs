//! Every route, on one screen.

use crate::{api, app::App, pages};
use axum::Router;

pub(crate) fn build<S: Clone + Send + Sync + 'static>(app: App) -> Router<S> {
    let (api, document) = api::routes(&app);
    Router::new().merge(api).merge(pages::routes(&app, &document)).with_state(app)
}
