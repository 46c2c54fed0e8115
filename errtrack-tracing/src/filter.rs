//! What the layer wants to see.

use tracing_core::{Interest, Level, LevelFilter, Metadata};
use tracing_subscriber::layer::{Context, Filter};

/// The filter of the layer: events and spans of level `INFO` and worse, but nothing that errtrack itself logs.
///
/// It holds for the layer alone; what it refuses still reaches other layers.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct CaptureFilter;

impl<S> Filter<S> for CaptureFilter {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        wants(metadata)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if wants(metadata) { Interest::always() } else { Interest::never() }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::INFO)
    }
}

fn wants(metadata: &Metadata<'_>) -> bool {
    *metadata.level() <= Level::INFO && !is_ours(metadata.target())
}

/// Whether a target belongs to errtrack: one of its crates, not one of a user's whose name begins alike.
pub(crate) fn is_ours(target: &str) -> bool {
    let Some(rest) = target.strip_prefix("errtrack") else { return false };
    let end = rest.find("::").unwrap_or(rest.len());
    matches!(rest.get(..end), Some("" | "_core" | "_store" | "_notify" | "_tower" | "_actix" | "_tracing" | "_web"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_targets_are_known_by_the_whole_name() {
        for ours in ["errtrack", "errtrack::web", "errtrack_core", "errtrack_store::sqlite::writer"] {
            assert!(is_ours(ours), "{ours}");
        }
        for other in
            ["errtracker", "errtrack_demo", "errtrack_demo::core", "errtrack_corex", "my::errtrack", "shop", ""]
        {
            assert!(!is_ours(other), "{other}");
        }
    }
}
