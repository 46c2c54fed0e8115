//! Every route, on one screen.

use crate::{api, app::App, limits, pages};
use axum::{Router, middleware};

pub(crate) fn build<S: Clone + Send + Sync + 'static>(app: App) -> Router<S> {
    let (api, document) = api::routes(&app);
    let routes = Router::new().merge(api).merge(pages::routes(&app, &document));
    routes.layer(middleware::from_fn(limits::tell)).with_state(app)
}
