//! How a layer is told what becomes of what.

use crate::{
    filter::CaptureFilter,
    layer::CaptureLayer,
    mapping::{EventFilter, Mapping},
};
use std::sync::Arc;
use tracing_core::{LevelFilter, Metadata};
use tracing_subscriber::filter::Filtered;

/// Says what becomes of what, for a layer that is not yet part of a subscriber.
///
/// # Example
/// ```no_run
/// # fn example(tracker: errtrack_core::Tracker) {
/// use errtrack_tracing::LayerExt;
/// use tracing::{Level, level_filters::LevelFilter};
/// use tracing_subscriber::prelude::*;
///
/// tracing_subscriber::registry()
///     .with(
///         errtrack_tracing::layer(&tracker)
///             .events_at(Level::WARN)            // WARN and ERROR
///             .breadcrumbs_at(Level::DEBUG)      // what is no event, down to DEBUG; `LevelFilter::OFF` for none
///             .ignore_target("hyper"),           // and everything below it
///     )
///     .init();
/// # }
/// ```
pub trait LayerExt: Sized {
    /// Changes what becomes of what.
    #[doc(hidden)]
    #[must_use]
    fn mapped(self, change: impl Fn(&mut Mapping)) -> Self;

    /// Makes events of what is logged at this level or a worse one; `ERROR` unless set.
    #[must_use]
    fn events_at(self, level: impl Into<LevelFilter>) -> Self {
        let level = level.into();
        self.mapped(|mapping| mapping.events = level)
    }

    /// Makes breadcrumbs of what is logged at this level or a worse one, and becomes no event; `INFO` unless set.
    #[must_use]
    fn breadcrumbs_at(self, level: impl Into<LevelFilter>) -> Self {
        let level = level.into();
        self.mapped(|mapping| mapping.breadcrumbs = level)
    }

    /// Makes nothing of what a target logs, and the modules below it: `hyper` stands for `hyper::client` too, not for
    /// `hyper_util`. May be called several times.
    #[must_use]
    fn ignore_target(self, target: impl Into<String>) -> Self {
        let target = target.into();
        self.mapped(|mapping| mapping.ignored.push(target.clone()))
    }

    /// Lets a function decide, in place of the levels. It is asked about each place in the source that logs when that is first met, and about each
    /// record of the `log` crate; what errtrack itself logs and [ignored targets](Self::ignore_target) never come to it.
    ///
    /// # Example
    /// ```no_run
    /// # fn example(tracker: errtrack_core::Tracker) {
    /// use errtrack_tracing::{EventFilter, LayerExt};
    /// use tracing::Level;
    ///
    /// # let _: tracing_subscriber::filter::Filtered<_, _, tracing_subscriber::Registry> =
    /// errtrack_tracing::layer(&tracker).event_filter(|metadata| match *metadata.level() {
    ///     Level::ERROR => EventFilter::Event,
    ///     Level::WARN if metadata.target().starts_with("billing") => EventFilter::Event,
    ///     Level::WARN | Level::INFO => EventFilter::Breadcrumb,
    ///     _ => EventFilter::Ignore,
    /// });
    /// # }
    /// ```
    #[must_use]
    fn event_filter(self, decide: impl Fn(&Metadata<'_>) -> EventFilter + Send + Sync + 'static) -> Self {
        let decide = Arc::new(decide);
        self.mapped(|mapping| mapping.decide_by(decide.clone()))
    }
}

impl LayerExt for CaptureLayer {
    fn mapped(mut self, change: impl Fn(&mut Mapping)) -> Self {
        change(Arc::make_mut(&mut self.mapping));
        self
    }
}

impl<S> LayerExt for Filtered<CaptureLayer, CaptureFilter, S> {
    fn mapped(mut self, change: impl Fn(&mut Mapping)) -> Self {
        let mapping = Arc::make_mut(&mut self.filter_mut().mapping);
        change(mapping);
        // One of both, so that a function is asked once for both.
        let shared = self.filter().mapping.clone();
        self.inner_mut().mapping = shared;
        self
    }
}
