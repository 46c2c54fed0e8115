//! What the layer wants to see.

use crate::mapping::{EventFilter, Mapping};
use std::sync::Arc;
use tracing_core::{Interest, LevelFilter, Metadata};
use tracing_subscriber::layer::{Context, Filter};

/// The filter of the layer: what becomes an event or a breadcrumb, and the spans around it; nothing that errtrack itself logs.
///
/// It holds for the layer alone; what it refuses still reaches other layers. What a callsite gets is decided once, when it is
/// first met: where nobody else wants it, it costs nothing from then on.
#[derive(Debug, Clone, Default)]
pub struct CaptureFilter {
    pub(crate) mapping: Arc<Mapping>,
}

impl CaptureFilter {
    fn wants(&self, metadata: &Metadata<'_>) -> bool {
        if metadata.is_span() {
            self.mapping.wants_span(metadata)
        } else {
            self.mapping.of(metadata) != EventFilter::Ignore
        }
    }
}

impl<S> Filter<S> for CaptureFilter {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        self.wants(metadata)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.wants(metadata) { Interest::always() } else { Interest::never() }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.mapping.most_verbose())
    }
}
