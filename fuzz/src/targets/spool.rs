//! Files of the spool, whole, torn and damaged.

use crate::Target;
use errtrack_core::{Event, Exception, Formula, Message, Occurrence, Preparer, ProjectId, fuzzing};
use std::sync::LazyLock;

pub(crate) const TARGET: Target = Target {
    name: "spool",
    run,
    seeds: |_| vec![fuzzing::spool_file(OCCURRENCES.clone()), b"\0\x20\xff\x01\x04\x30\x07".to_vec(), vec![1, 0, 0, 1]],
};

static OCCURRENCES: LazyLock<Vec<Occurrence>> = LazyLock::new(|| {
    let mut failed = Event::default();
    failed.exceptions.push(Exception::new("Timeout", "order 4711 timed out"));
    let said = Event { message: Some(Message::new("é > \u{1f600}")), ..Event::default() };
    let prepare = |event: Event| Preparer::default().prepare(ProjectId(1), event, Formula::Ours);
    vec![prepare(failed), prepare(said)]
});

fn run(data: &[u8]) {
    // Anything at all.
    let _ = fuzzing::read_spool_file(data);
    // A good file, of which some bytes are others: each is a place, two bytes of it, and what is turned over there.
    let good = fuzzing::spool_file(OCCURRENCES.clone());
    let mut file = good.clone();
    for change in data.chunks_exact(3).take(8) {
        let place = usize::from(u16::from_le_bytes([change[0], change[1]])) % file.len();
        file[place] ^= change[2];
    }
    let (occurrences, said, lost) = fuzzing::read_spool_file(&file);
    assert!(occurrences.len() as u64 <= said, "a record that can be read was counted");
    if file == good {
        assert_eq!((occurrences.len(), said, lost), (2, 2, 0));
    }
    for (read, written) in occurrences.iter().zip(OCCURRENCES.iter()) {
        assert_eq!(read.payload(), written.payload(), "what is damaged is not read");
    }
    // Torn off somewhere.
    let end = data.first().map_or(0, |first| usize::from(*first) * good.len() / 256);
    assert!(fuzzing::read_spool_file(&good[..end]).0.len() <= 2);
}
