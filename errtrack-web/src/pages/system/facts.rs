//! How the parts are doing, in short.

use crate::{
    pages::{text, time},
    status::{Measure, Status},
};
use errtrack_core::{SpoolStatus, store::Storage};
use std::time::Duration;

/// One short answer.
#[derive(Debug, Default)]
pub(in crate::pages) struct Answer {
    pub(in crate::pages) name: &'static str,
    pub(in crate::pages) value: String,
    pub(in crate::pages) class: &'static str,
    pub(in crate::pages) note: String,
}

/// The strip of answers, the most pressing first.
pub(super) fn answers(status: &Status, is_admin: bool) -> Vec<Answer> {
    let mut answers = vec![reports(status), queue(status), spool(status, is_admin), database(status)];
    answers.extend(status.is_redis_away.map(redis));
    if let Some(Measure { storage, .. }) = &status.storage {
        answers.push(size(storage));
        if let Some(free) = storage.free_disk {
            answers.push(disk(free));
        }
    }
    answers
}

fn reports(status: &Status) -> Answer {
    let (value, class, note) = match (status.takes_reports, status.is_away, status.spool.is_some()) {
        (false, ..) => ("Refused", "error", "clients are told to try again"),
        (true, true, true) => ("Kept on disk", "warning", "until the database is back"),
        (true, true, false) => ("Wait", "warning", "for the database"),
        (true, false, _) => ("Taken", "", "and stored at once"),
    };
    Answer { name: "Reports", value: value.into(), class, note: note.into() }
}

fn queue(status: &Status) -> Answer {
    let depth = text::count(u64::try_from(status.queue).unwrap_or(u64::MAX));
    Answer { name: "Queue", value: depth, note: "wait in memory".into(), ..Answer::default() }
}

fn spool(status: &Status, is_admin: bool) -> Answer {
    let name = "Spool";
    let Some(spool) = &status.spool else {
        let note = "no folder is set for it".into();
        return Answer { name, value: "None".into(), note, ..Answer::default() };
    };
    let SpoolStatus { occurrences, bytes, most_bytes, since, damaged, folder, .. } = spool;
    let mut notes = vec![format!("{} of {}", text::bytes(*bytes), text::bytes(*most_bytes))];
    if let Some(since) = since.filter(|_| *occurrences > 0) {
        notes.push(format!("for {}", time::span((status.now.as_seconds() - since.as_seconds()).max(0))));
    }
    if *damaged > 0 {
        notes.push(format!("{} could not be read back", text::count(*damaged)));
    }
    if is_admin {
        notes.push(format!("in {}", text::line(&folder.to_string_lossy(), 200)));
    }
    Answer {
        name,
        value: if *occurrences == 0 { "Empty".into() } else { text::count(*occurrences) },
        class: if *damaged > 0 { "error" } else { "" },
        note: notes.join(", "),
    }
}

fn database(status: &Status) -> Answer {
    let backend = status.storage.as_ref().map_or("Database", |measure| name_of(&measure.storage.backend));
    let (value, class, note) = match status.ping {
        Some(ping) if !status.is_away => (backend.to_owned(), "", format!("answers in {}", short(ping))),
        Some(_) => (backend.to_owned(), "warning", "answers, but does not take what is written".into()),
        None => ("Away".into(), "error", format!("{backend} does not answer")),
    };
    Answer { name: "Database", value: text::line(&value, 40), class, note: text::line(&note, 100) }
}

fn redis(is_away: bool) -> Answer {
    let (value, class, note) = if is_away {
        ("Away", "warning", "limits are counted and answers kept within each process until it is back")
    } else {
        ("Answers", "", "shares limits and kept answers between processes")
    };
    Answer { name: "Redis", value: value.into(), class, note: note.into() }
}

fn size(storage: &Storage) -> Answer {
    let note = match storage.reusable_bytes {
        0 => "all of it in use".into(),
        free => format!("{} of it free to be used again", text::bytes(free)),
    };
    Answer { name: "Size", value: text::bytes(storage.bytes), note, ..Answer::default() }
}

fn disk(free: u64) -> Answer {
    Answer { name: "Free disk", value: text::bytes(free), note: "where the database is".into(), ..Answer::default() }
}

/// A backend by the name that people know.
fn name_of(backend: &str) -> &str {
    match backend {
        "sqlite" => "SQLite",
        "postgres" => "PostgreSQL",
        other => other,
    }
}

/// A short time: `0.3 ms`, `120 ms`, `2.1 s`.
fn short(time: Duration) -> String {
    let micros = time.as_micros();
    match micros {
        ..100_000 => format!("{}.{} ms", micros / 1_000, micros % 1_000 / 100),
        100_000..1_000_000 => format!("{} ms", micros / 1_000),
        _ => format!("{}.{} s", micros / 1_000_000, micros % 1_000_000 / 100_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_times() {
        let of = |micros| short(Duration::from_micros(micros));
        assert_eq!(
            [of(0), of(320), of(12_340), of(120_000), of(2_150_000)],
            ["0.0 ms", "0.3 ms", "12.3 ms", "120 ms", "2.1 s"]
        );
    }
}
