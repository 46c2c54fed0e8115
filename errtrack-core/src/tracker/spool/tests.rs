use super::*;
use crate::{Event, Exception, Formula, Preparer, ProjectId};

fn batch(count: usize) -> Batch {
    let occurrence = |n: usize| {
        let mut event = Event::new();
        event.exceptions.push(Exception::new("Failure", format!("number {n}")));
        Preparer::default().prepare(ProjectId(1), event, Formula::Ours)
    };
    Batch::whole((0..count).map(occurrence).collect())
}

fn open(folder: &std::path::Path, writer: u128) -> Spool {
    let gauge = SpoolGauge::new(folder.to_owned(), 1 << 20);
    let mut spool = Spool::new(Arc::new(gauge), Uuid::from_u128(writer), (10, 1 << 20));
    spool.open().unwrap();
    spool
}

fn names(folder: &std::path::Path, ending: &str) -> usize {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|e| e == ending)).count()
}

#[test]
fn a_file_holds_no_more_than_a_batch_and_what_was_sent_stands_alone() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = open(folder.path(), 1);
    for number in [14, 18, 22, 26] {
        spool.append(&batch(4), number, false).unwrap();
    }
    spool.append(&batch(10), 10, true).unwrap();
    spool.append(&batch(1), 27, false).unwrap();
    assert_eq!(names(folder.path(), "spool"), 3);
    let taken: Vec<_> =
        std::iter::from_fn(|| spool.take(true)).map(|d| (d.id.1, d.number, d.batch.occurrences.len())).collect();
    assert_eq!(taken, [(1, 10, 10), (11, 18, 8), (19, 27, 9)]);
}

#[test]
fn what_waits_is_read_again_in_the_same_batches_by_the_next_process() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = open(folder.path(), 1);
    for number in [4, 8, 12] {
        first.append(&batch(4), number, false).unwrap();
    }
    let before = first.take(true).unwrap();
    assert!(!open(folder.path(), 2).has_adopted(), "while the first lives");
    drop(first);
    let mut second = open(folder.path(), 2);
    let again = second.take(false).unwrap();
    assert_eq!((again.id, again.number), (before.id, before.number));
    let rest = second.take(false).unwrap();
    assert_eq!((rest.id.0, rest.number), (Uuid::from_u128(1), 12));
    second.finish(again.id);
    assert_eq!(names(folder.path(), "lock"), 2);
    second.finish(rest.id);
    assert_eq!(names(folder.path(), "lock"), 1, "nothing is left of the first");
    second.close();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_few_damaged_files_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..7 {
        let mut spool = open(folder.path(), round + 1);
        spool.append(&batch(2), 2, false).unwrap();
        let id = spool.append(&batch(2), 4, false).unwrap();
        let path = spool.files[&id].path.clone();
        let mut bytes = fs::read(&path).unwrap();
        bytes.truncate(bytes.len() - 1);
        fs::write(&path, bytes).unwrap();
        let drained = spool.take(true).unwrap();
        assert_eq!((drained.number, drained.batch.occurrences.len()), (2, 2));
        spool.finish(drained.id);
        assert_eq!(spool.gauge.status().damaged, 1);
        spool.close();
    }
    assert_eq!((names(folder.path(), "damaged"), names(folder.path(), "spool")), (4, 0));
}

#[test]
fn a_file_without_its_header_is_known_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = open(folder.path(), 1);
    let id = first.append(&batch(2), 2, false).unwrap();
    let path = first.files[&id].path.clone();
    drop(first);
    let mut bytes = fs::read(&path).unwrap();
    bytes[20] ^= 1;
    fs::write(&path, bytes).unwrap();
    let mut second = open(folder.path(), 2);
    let drained = second.take(false).unwrap();
    assert_eq!((drained.id, drained.number), ((Uuid::from_u128(1), 1), 2));
}

#[test]
fn files_of_a_later_version_stay_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let (path, mut file) = folder::create(folder.path(), Uuid::from_u128(1), 1).unwrap();
    let mut header = record::header(Uuid::from_u128(1));
    header[12] = 9;
    let end = header.len() - 4;
    let sum = crc32fast::hash(&header[..end]).to_le_bytes();
    header[end..].copy_from_slice(&sum);
    file.write_all(&header).unwrap();
    drop(file);
    let spool = open(folder.path(), 2);
    assert!(!spool.has_adopted());
    spool.close();
    assert!(path.exists());
}

#[test]
fn what_does_not_fit_is_refused_and_leaves_no_trace() {
    let folder = tempfile::tempdir().unwrap();
    let gauge = Arc::new(SpoolGauge::new(folder.path().to_owned(), 3_000));
    let mut spool = Spool::new(gauge.clone(), Uuid::from_u128(1), (10, 1 << 20));
    spool.open().unwrap();
    let mut number = 0;
    while spool.append(&batch(1), number + 1, false).is_ok() {
        number += 1;
    }
    assert!(number > 0 && !gauge.has_room());
    let status = gauge.status();
    assert_eq!(status.occurrences, u64::try_from(number).unwrap());
    let drained = spool.take(true).unwrap();
    assert_eq!((drained.number, names(folder.path(), "spool")), (number, 1));
    spool.finish(drained.id);
    assert!(gauge.has_room());
    spool.append(&batch(1), number + 1, false).unwrap();
}
