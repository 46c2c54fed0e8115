use super::*;
use crate::{Event, Exception, Formula, Preparer, ProjectId};
use proptest::prelude::*;

fn occurrence(text: &str) -> Occurrence {
    let mut event = Event::new();
    event.exceptions.push(Exception::new("Failure", text));
    event.release = Some("shop@1.4.0".into());
    event.tags.insert("plan".into(), "pro".into());
    Preparer::default().prepare(ProjectId(7), event, Formula::Ours).standing_for(3)
}

/// A file of some records, and where each of them ends.
fn file(records: usize) -> (Vec<u8>, Vec<usize>) {
    let mut bytes = header(Uuid::from_u128(42));
    let mut ends = Vec::new();
    let mut number = 0;
    for record in 0..records {
        let occurrences = (0..=record % 3).map(|n| occurrence(&format!("record {record}, {n}"))).collect();
        let batch = Batch { occurrences, counted_only: vec![record % 2 == 1], key: None };
        number += i64::try_from(batch.occurrences.len()).unwrap();
        bytes.extend(encode(&batch, number, Timestamp::from_micros(number)).unwrap());
        ends.push(bytes.len());
    }
    (bytes, ends)
}

fn numbers(contents: &Contents) -> Vec<i64> {
    contents.batches.iter().map(|(number, _)| *number).collect()
}

#[test]
fn what_is_written_is_read_back() {
    let occurrences = vec![occurrence("first"), occurrence("second")];
    let batch = Batch { occurrences, counted_only: vec![false, true], key: None };
    let mut bytes = header(Uuid::from_u128(42));
    bytes.extend(encode(&batch, 9, Timestamp::from_micros(5)).unwrap());
    assert_eq!(read_header(&bytes), Header::Good(Uuid::from_u128(42)));
    assert_eq!(summary(&bytes), Summary { occurrences: 2, since: Some(Timestamp::from_micros(5)) });
    let contents = decode(&bytes);
    assert_eq!((contents.lost_records, contents.lost_bytes), (0, 0));
    let [(number, read)] = &contents.batches[..] else { panic!("one record") };
    assert_eq!((*number, &read.counted_only[..]), (9, &[false, true][..]));
    let [(whole, counted), (first, second)] = [&read.occurrences, &batch.occurrences].map(|o| (&o[0], &o[1]));
    assert_eq!(format!("{whole:?}"), format!("{first:?}"), "every part of it");
    assert_eq!((counted.payload().len(), counted.fingerprint()), (0, second.fingerprint()));
    assert_eq!((counted.times(), counted.dimensions()), (3, second.dimensions()));
}

#[test]
fn a_later_version_is_told_apart_from_damage() {
    let mut bytes = header(Uuid::nil());
    bytes[12] = 2;
    assert_eq!(read_header(&bytes), Header::Damaged);
    let sum = crc32fast::hash(&bytes[..HEADER - 4]).to_le_bytes();
    bytes[HEADER - 4..].copy_from_slice(&sum);
    assert_eq!(read_header(&bytes), Header::Unknown(2));
    assert_eq!(read_header(b"errt"), Header::Damaged);
}

#[test]
fn a_flipped_bit_anywhere_loses_its_record_alone() {
    let (bytes, ends) = file(3);
    let all = numbers(&decode(&bytes));
    for place in 0..bytes.len() {
        let mut bytes = bytes.clone();
        bytes[place] ^= 1 << (place % 8);
        let contents = decode(&bytes);
        if place < HEADER {
            assert_eq!((numbers(&contents), read_header(&bytes)), (all.clone(), Header::Damaged), "{place}");
            continue;
        }
        let hit = ends.iter().position(|end| place < *end).unwrap();
        let expected: Vec<_> = (0..3).filter(|record| *record != hit).map(|record| all[record]).collect();
        assert_eq!((numbers(&contents), contents.lost_records), (expected, 1), "{place}");
    }
}

#[test]
fn a_file_cut_anywhere_loses_what_is_behind_the_cut() {
    let (bytes, ends) = file(3);
    let all = numbers(&decode(&bytes));
    for length in 0..bytes.len() {
        let contents = decode(&bytes[..length]);
        let whole = ends.iter().filter(|end| **end <= length).count();
        assert_eq!(numbers(&contents), all[..whole], "{length}");
        let torn = length > HEADER && !ends.contains(&length);
        assert_eq!(contents.lost_records, u64::from(torn), "{length}");
    }
}

proptest! {
    #[test]
    fn whatever_happens_to_a_file_records_it_spared_are_read(
        records in 1_usize..8,
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in proptest::option::of(any::<prop::sample::Index>()),
    ) {
        let (mut bytes, ends) = file(records);
        let all = numbers(&decode(&bytes));
        let mut spared = vec![true; records];
        for (place, value) in damage {
            let place = place.index(bytes.len());
            if bytes[place] != value {
                bytes[place] = value;
                if let Some(hit) = ends.iter().position(|end| (HEADER..*end).contains(&place)) {
                    spared[hit] = false;
                }
            }
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
            for (end, spared) in ends.iter().zip(&mut spared) {
                *spared &= *end <= bytes.len();
            }
        }
        let read = numbers(&decode(&bytes));
        for (number, spared) in all.iter().zip(spared) {
            // One that was hit twice may be as it was.
            prop_assert!(!spared || read.contains(number), "{number} of {read:?}");
        }
        prop_assert!(read.is_sorted());
        summary(&bytes);
    }

    #[test]
    fn bytes_that_are_no_file_are_read_without_harm(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let contents = decode(&bytes);
        prop_assert!(contents.batches.is_empty());
        read_header(&bytes);
    }
}
