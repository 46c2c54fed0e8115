//! Which share of the events is kept.

use crate::{Event, EventId, Level, rules::Glob};

/// The rates that are set.
#[derive(Debug, Default)]
pub(crate) struct Sampling {
    all: Option<f64>,
    levels: Vec<(Level, f64)>,
    types: Vec<(Glob, f64)>,
}

impl Sampling {
    pub(super) fn all(&mut self, rate: f64) {
        self.all = Some(rate);
    }

    pub(super) fn of_level(&mut self, level: Level, rate: f64) {
        self.levels.retain(|(other, _)| *other != level);
        self.levels.push((level, rate));
    }

    pub(super) fn of_type(&mut self, ty: impl Into<String>, rate: f64) {
        self.types.push((Glob::new(ty.into()), rate));
    }

    /// Whether an event goes into the queue. Types are not known yet on the thread of the host; where they decide, it does.
    pub(super) fn keeps_captured(&self, id: EventId, level: Level) -> bool {
        !self.types.is_empty() || is_in(id, self.rate_of(level))
    }

    /// Whether an event that went through the queue goes on.
    pub(super) fn keeps_completed(&self, event: &Event) -> bool {
        if self.types.is_empty() {
            return true;
        }
        let of_type = self.types.iter().find(|(ty, _)| {
            event.exceptions.iter().filter_map(|exception| exception.ty.as_deref()).any(|name| ty.matches(name))
        });
        is_in(event.event_id, of_type.map_or_else(|| self.rate_of(event.level), |(_, rate)| Some(*rate)))
    }

    fn rate_of(&self, level: Level) -> Option<f64> {
        self.levels.iter().find(|(other, _)| *other == level).map(|(_, rate)| *rate).or(self.all)
    }
}

/// Whether an event is in the sample; decided by its id, so that it is the same wherever it is asked.
#[expect(clippy::cast_precision_loss, reason = "a sample rate has no 53 bits")]
fn is_in(id: EventId, rate: Option<f64>) -> bool {
    rate.is_none_or(|rate| rate >= 1.0 || (id.uuid().as_u64_pair().1 << 2) as f64 / (u64::MAX as f64) < rate)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Exception;

    fn kept(sampling: &Sampling, event: impl Fn() -> Event) -> usize {
        let keeps =
            |event: &Event| sampling.keeps_captured(event.event_id, event.level) && sampling.keeps_completed(event);
        (0..1000)
            .filter(|_| {
                let event = Event { event_id: EventId::random(), ..event() };
                keeps(&event)
            })
            .count()
    }

    fn of(level: Level, ty: &str) -> Event {
        Event { level, exceptions: vec![Exception::new(ty, "")], ..Event::default() }
    }

    #[test]
    fn a_type_goes_before_a_level_and_a_level_before_all() {
        let mut sampling = Sampling::default();
        assert_eq!(kept(&sampling, || of(Level::Error, "a::B")), 1000);
        sampling.all(0.0);
        sampling.of_level(Level::Fatal, 1.0);
        sampling.of_level(Level::Warning, 0.0);
        sampling.of_level(Level::Warning, 0.5);
        assert_eq!(kept(&sampling, || of(Level::Error, "a::B")), 0);
        assert_eq!(kept(&sampling, || of(Level::Fatal, "a::B")), 1000);
        assert!((350..650).contains(&kept(&sampling, || of(Level::Warning, "a::B"))));
        sampling.of_type("*::Noise", 0.0);
        sampling.of_type("a::*", 1.0);
        assert_eq!(kept(&sampling, || of(Level::Fatal, "a::Noise")), 0);
        assert_eq!(kept(&sampling, || of(Level::Error, "a::B")), 1000);
        assert_eq!(kept(&sampling, || of(Level::Error, "c::D")), 0);
        assert_eq!(kept(&sampling, || of(Level::Fatal, "c::D")), 1000);
    }

    #[test]
    fn a_rate_that_is_no_share_keeps_all_or_nothing() {
        let mut sampling = Sampling::default();
        for (rate, expected) in [(2.0, 1000), (1.0, 1000), (-1.0, 0), (f64::NAN, 0)] {
            sampling.all(rate);
            assert_eq!(kept(&sampling, || of(Level::Error, "a")), expected, "{rate}");
        }
    }
}
