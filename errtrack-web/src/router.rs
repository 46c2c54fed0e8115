//! Every route, on one screen.

use crate::{api, app::App, monitoring, pages};
use axum::{Router, middleware};

pub(crate) fn build<S: Clone + Send + Sync + 'static>(app: App) -> Router<S> {
    let (api, document) = api::routes(&app);
    monitoring::begin(&app);
    let routes = Router::new().merge(api).merge(pages::routes(&app, &document));
    routes.layer(middleware::from_fn_with_state(app.clone(), monitoring::count)).with_state(app)
}
