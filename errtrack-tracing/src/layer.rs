//! The layer itself: where in `tracing` things are heard of, and where they go.

use crate::{
    convert,
    filter::is_ours,
    note::Note,
    visit::{Noting, Reporting},
};
use errtrack_core::{ScopeHandle, Timestamp, Tracker, WeakTracker, adapter, inside};
use std::sync::Arc;
use tracing_core::{
    Event, Level, Metadata, Subscriber,
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    layer::{Context, Layer},
    registry::{LookupSpan, SpanRef},
};

/// Layer that turns errors into events, and what was logged before them into breadcrumbs; made by [`layer`](crate::layer).
///
/// By itself it filters nothing: it hears whatever the other layers want to be enabled, and takes what it needs. That is
/// for hosts that bring a filter of their own; all others want [`layer`](crate::layer).
#[derive(Debug, Clone)]
pub struct CaptureLayer {
    /// Weak: a global subscriber lives as long as the process, and would hold back the tracker's last flush.
    tracker: WeakTracker,
}

/// The fields of a span, in its extensions.
struct SpanFields(Note);

impl CaptureLayer {
    /// A layer that reports to a tracker.
    #[must_use]
    pub fn new(tracker: &Tracker) -> Self {
        Self { tracker: tracker.downgrade() }
    }

    fn leave(&self, event: &Event<'_>) {
        let mut note = Note::new(event.metadata(), Timestamp::now());
        event.record(&mut Noting(&mut note));
        let mut source = Some(Arc::new(note));
        let mut add = |scope: &mut errtrack_core::Scope| {
            if let Some(source) = source.take() {
                scope.add_breadcrumb_source(source);
            }
        };
        if ScopeHandle::with_current(|scope| scope.configure(&mut add)).is_none()
            && let Some(tracker) = self.tracker.upgrade()
        {
            tracker.configure_root(add);
        }
    }

    fn report<S>(&self, event: &Event<'_>, context: &Context<'_, S>)
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let Some(tracker) = self.tracker.upgrade() else { return };
        let mut note = Note::new(event.metadata(), Timestamp::default());
        let mut visitor = Reporting { note: &mut note, exceptions: Vec::new() };
        event.record(&mut visitor);
        let exceptions = visitor.exceptions;
        if note.values().any(|(name, value)| name == "log.target" && value.as_str().is_some_and(is_ours)) {
            return;
        }
        let spans = context.event_scope(event).and_then(|scope| {
            let spans: Vec<SpanRef<'_, S>> = scope.from_root().collect();
            let extensions: Vec<_> = spans.iter().map(SpanRef::extensions).collect();
            let notes = extensions.iter().map(|e| e.get::<SpanFields>().map(|fields| &fields.0));
            convert::spans(spans.iter().map(SpanRef::name).zip(notes))
        });
        tracker.capture(convert::event(&note, exceptions, spans));
    }
}

impl<S> Layer<S> for CaptureLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if attributes.is_empty() || is_left_out(attributes.metadata()) {
            return;
        }
        let Some(span) = context.span(id) else { return };
        let mut note = Note::new(attributes.metadata(), Timestamp::default());
        attributes.record(&mut Noting(&mut note));
        if !note.is_empty() {
            // Not `insert`, which panics where a second layer of ours was there before.
            span.extensions_mut().replace(SpanFields(note));
        }
    }

    fn on_record(&self, id: &Id, record: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if is_left_out(span.metadata()) {
            return;
        }
        // Before the extensions are locked: a value's `Debug` is the host's code, and may log.
        let mut newer = Note::new(span.metadata(), Timestamp::default());
        record.record(&mut Noting(&mut newer));
        let mut extensions = span.extensions_mut();
        match extensions.get_mut() {
            Some(SpanFields(note)) => note.update(&newer),
            None => drop(extensions.replace(SpanFields(newer))),
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let metadata = event.metadata();
        if *metadata.level() > Level::INFO || is_left_out(metadata) {
            return;
        }
        if *metadata.level() == Level::ERROR && !is_echo(metadata) {
            self.report(event, &context);
        } else {
            self.leave(event);
        }
    }
}

/// What errtrack itself does, and whatever its database driver logs meanwhile.
fn is_left_out(metadata: &Metadata<'_>) -> bool {
    inside() || is_ours(metadata.target())
}

/// Whether an error only repeats what a capturing layer sees better: tower-http logs every 5xx as an error, inside of it,
/// and actix-http every body that failed, outside of it.
fn is_echo(metadata: &Metadata<'_>) -> bool {
    let target = metadata.target();
    (target.starts_with("tower_http::trace") && ScopeHandle::with_current(|_| ()).is_some())
        || (target.starts_with("actix_http") && adapter::takes_echo())
}
