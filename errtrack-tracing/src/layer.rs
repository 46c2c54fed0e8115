//! The layer itself: where in `tracing` things are heard of, and where they go.

use crate::{
    convert,
    mapping::{EventFilter, Mapping, is_log},
    note::Note,
    visit::{Noting, Reporting},
};
use errtrack_core::{
    Capturing, Exception, ScopeHandle, Timestamp, Tracker, WeakTracker, adapter, inside, repeats_panic, tracker,
};
use std::sync::Arc;
use tracing_core::{
    Event, Kind, Metadata, Subscriber,
    field::FieldSet,
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    layer::{Context, Layer},
    registry::{LookupSpan, SpanRef},
};

/// Spans that one follows from, of those that are remembered.
const FOLLOWED: usize = 4;

/// Layer that turns errors into events, and what was logged before them into breadcrumbs; made by [`layer`](crate::layer).
///
/// By itself it disables nothing: it hears whatever the other layers want to be enabled, and takes what it needs. That is
/// for hosts that bring a filter of their own; all others want [`layer`](crate::layer).
#[derive(Debug, Clone)]
pub struct CaptureLayer {
    /// Weak: a global subscriber lives as long as the process, and would hold back the tracker's last flush. `None` for
    /// whichever tracker is the current one.
    tracker: Option<WeakTracker>,
    pub(crate) mapping: Arc<Mapping>,
}

/// The fields of a span, in its extensions.
struct SpanFields(Note);

/// The paths of the spans from which a span follows, in its extensions.
struct Followed(Vec<String>);

impl CaptureLayer {
    /// A layer that reports to a tracker.
    #[must_use]
    pub fn new(tracker: &Tracker) -> Self {
        Self { tracker: Some(tracker.downgrade()), mapping: Arc::default() }
    }

    /// A layer that reports to the tracker of the current scope, else to the one that was built last.
    #[must_use]
    pub fn current() -> Self {
        Self { tracker: None, mapping: Arc::default() }
    }

    fn tracker(&self) -> Option<Tracker> {
        self.tracker.as_ref().map_or_else(tracker, WeakTracker::upgrade)
    }

    fn leave(&self, note: Note) {
        let note = Arc::new(note);
        // Asked before it is given away: most breadcrumbs are left in a scope.
        let in_scope = ScopeHandle::with_current(|scope| scope.add_breadcrumb_source(note.clone())).is_some();
        if !in_scope && let Some(tracker) = self.tracker() {
            tracker.add_root_breadcrumb(note);
        }
    }

    fn report<S>(&self, note: &Note, exceptions: Vec<Exception>, event: &Event<'_>, context: &Context<'_, S>)
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let Some(tracker) = self.tracker() else { return };
        let spans = context.event_scope(event).and_then(|scope| {
            let spans: Vec<SpanRef<'_, S>> = scope.from_root().collect();
            let extensions: Vec<_> = spans.iter().map(SpanRef::extensions).collect();
            let notes = extensions.iter().map(|e| e.get::<SpanFields>().map(|fields| &fields.0));
            let followed = extensions.iter().filter_map(|e| e.get::<Followed>()).flat_map(|followed| &followed.0);
            convert::spans(spans.iter().map(SpanRef::name).zip(notes), followed)
        });
        tracker.capture(convert::event(note, exceptions, spans));
    }

    /// A record of the `log` crate: where it comes from stands in its fields, so these are read first.
    fn on_log<S>(&self, event: &Event<'_>, context: &Context<'_, S>)
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let metadata = event.metadata();
        let mut note = Note::new(metadata, Timestamp::now());
        event.record(&mut Noting(&mut note));
        let target = note.values().find(|(name, _)| *name == "log.target").map(|(_, value)| value);
        let target = target.as_ref().and_then(|value| value.as_str()).unwrap_or_default();
        let fields = FieldSet::new(&["log.target"], metadata.callsite());
        let own = Metadata::new(metadata.name(), target, *metadata.level(), None, None, None, fields, Kind::EVENT);
        match self.mapping.of(&own) {
            EventFilter::Ignore => {}
            EventFilter::Event if repeats_panic() => {}
            EventFilter::Event => self.report(&note, Vec::new(), event, context),
            EventFilter::Breadcrumb => self.leave(note),
        }
    }
}

impl<S> Layer<S> for CaptureLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if attributes.is_empty() || inside() || !self.mapping.wants_span(attributes.metadata()) {
            return;
        }
        let Some(span) = context.span(id) else { return };
        let Some(_capturing) = Capturing::begin() else { return };
        let mut note = Note::new(attributes.metadata(), Timestamp::default());
        attributes.record(&mut Noting(&mut note));
        if !note.is_empty() {
            // Not `insert`, which panics where a second layer of ours was there before.
            span.extensions_mut().replace(SpanFields(note));
        }
    }

    fn on_record(&self, id: &Id, record: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if inside() || !self.mapping.wants_span(span.metadata()) {
            return;
        }
        let Some(_capturing) = Capturing::begin() else { return };
        // Before the extensions are locked: a value's `Debug` is the host's code, and may log.
        let mut newer = Note::new(span.metadata(), Timestamp::default());
        record.record(&mut Noting(&mut newer));
        let mut extensions = span.extensions_mut();
        match extensions.get_mut() {
            Some(SpanFields(note)) => note.update(&newer),
            None => drop(extensions.replace(SpanFields(newer))),
        }
    }

    fn on_follows_from(&self, id: &Id, follows: &Id, context: Context<'_, S>) {
        let (Some(span), Some(followed)) = (context.span(id), context.span(follows)) else { return };
        if inside() || !self.mapping.wants_span(span.metadata()) {
            return;
        }
        let path: Vec<_> = followed.scope().from_root().map(|span| span.name()).collect();
        let path = path.join(":");
        let mut extensions = span.extensions_mut();
        match extensions.get_mut() {
            Some(Followed(paths)) if paths.len() < FOLLOWED && !paths.contains(&path) => paths.push(path),
            Some(_) => {}
            None => drop(extensions.replace(Followed(vec![path]))),
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let metadata = event.metadata();
        if inside() {
            return;
        }
        if metadata.target() == "log" && is_log(metadata) {
            if let Some(_capturing) = Capturing::begin() {
                self.on_log(event, &context);
            }
            return;
        }
        let becomes = self.mapping.of(metadata);
        if becomes == EventFilter::Ignore {
            return;
        }
        let Some(_capturing) = Capturing::begin() else { return };
        if becomes == EventFilter::Breadcrumb || is_echo(metadata) {
            let mut note = Note::new(metadata, Timestamp::now());
            event.record(&mut Noting(&mut note));
            self.leave(note);
        } else if !repeats_panic() {
            let mut note = Note::new(metadata, Timestamp::default());
            let mut visitor = Reporting::new(&mut note);
            event.record(&mut visitor);
            let exceptions = visitor.into_exceptions();
            self.report(&note, exceptions, event, &context);
        }
    }
}

/// Whether an error only repeats what a capturing layer sees better: tower-http logs every 5xx as an error, inside of it,
/// and actix-http every body that failed, outside of it.
fn is_echo(metadata: &Metadata<'_>) -> bool {
    let target = metadata.target();
    (target.starts_with("tower_http::trace") && ScopeHandle::with_current(|_| ()).is_some())
        || (target.starts_with("actix_http") && adapter::takes_echo())
}
