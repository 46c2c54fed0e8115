//! Batches that are written again.

use super::kit::{by_user, counts, event, issue_of, kept_as_told, outcomes, project, query};
use errtrack_core::{
    Event, EventId, Formula, IssueId, Preparer, Project, ProjectId, Store,
    store::{
        Batch, BatchKey,
        Outcome::{New, Seen, Settled},
        Retention,
    },
};
use uuid::Uuid;

/// Events without ids of their own, so that nothing but the key tells that they come again; the last only counts.
fn keyed(project: &Project, types: &[&str], key: BatchKey) -> Batch {
    let prepare = |ty: &&str| {
        let event = Event { event_id: EventId::default(), ..by_user(ty, "ana") };
        Preparer::default().prepare(project.id, event, Formula::Ours)
    };
    let mut counted_only = vec![false; types.len()];
    counted_only[types.len() - 1] = true;
    Batch { occurrences: types.iter().map(prepare).collect(), counted_only, key: Some(key) }
}

fn repeat(writer: Uuid, number: i64) -> BatchKey {
    BatchKey { writer, number, repeats: true }
}

pub async fn a_repeated_batch_that_was_committed_is_settled(store: &impl Store) {
    let shop = project(store).await;
    let writer = Uuid::new_v4();
    // The first attempt may have been the first or one that only seemed to repeat.
    for (number, repeats) in [(1, false), (4, true)] {
        let key = BatchKey { writer, number, repeats };
        let mut batch = keyed(&shop, &[&format!("A{number}"), "B", &format!("A{number}")], key);
        let recorded = store.record(&batch).await.unwrap();
        assert_eq!(outcomes(&recorded)[0], New, "no earlier attempt was committed");
        assert_eq!(outcomes(&recorded)[2], Seen);
        let before = counts(store, recorded[0].issue).await;
        // Marks of writers that are not long gone survive upkeep.
        store.retain(&Retention::default()).await.unwrap();
        batch.key = Some(repeat(writer, number));
        for _ in 0..2 {
            let again = store.record(&batch).await.unwrap();
            assert_eq!(outcomes(&again), [Settled; 3]);
            assert!(again.iter().all(|recorded| recorded.issue == IssueId(0)));
            assert_eq!(counts(store, recorded[0].issue).await, before);
        }
        let issue = issue_of(store, &recorded[0]).await;
        assert_eq!((issue.count, issue.stored_count, issue.user_count), (2, 1, 1));
        kept_as_told(store, issue.id).await;
    }
}

pub async fn only_the_last_number_of_a_writer_matters(store: &impl Store) {
    let shop = project(store).await;
    let writer = Uuid::new_v4();
    let mut written = Vec::new();
    for number in [1, 4, 4, 1, 3, 5] {
        let recorded = store.record(&keyed(&shop, &["A"], repeat(writer, number))).await.unwrap();
        if outcomes(&recorded) != [Settled] {
            written.push(number);
        }
    }
    assert_eq!(written, [1, 4, 5]);
    assert_eq!(store.issues(&query()).await.unwrap().issues[0].count, 3);
}

pub async fn numbers_of_writers_are_apart(store: &impl Store) {
    let shop = project(store).await;
    for (writer, outcome) in [(Uuid::new_v4(), New), (Uuid::new_v4(), Seen)] {
        let recorded = store.record(&keyed(&shop, &["A"], repeat(writer, 7))).await.unwrap();
        assert_eq!(outcomes(&recorded), [outcome]);
    }
    // Nor does a batch that no other can repeat.
    let mut batch = keyed(&shop, &["A"], repeat(Uuid::new_v4(), 1));
    batch.key = None;
    assert_eq!(outcomes(&store.record(&batch).await.unwrap()), [Seen]);
}

pub async fn a_batch_that_was_not_committed_is_written_when_it_repeats(store: &impl Store) {
    let shop = project(store).await;
    let key = repeat(Uuid::new_v4(), 1);
    let mut refused = keyed(&shop, &["A", "B"], key);
    refused.occurrences.push(Preparer::default().prepare(ProjectId(99), event("A"), Formula::Ours));
    store.record(&refused).await.unwrap_err();
    refused.occurrences.truncate(2);
    assert_eq!(outcomes(&store.record(&refused).await.unwrap()), [New, New]);
    assert_eq!(outcomes(&store.record(&refused).await.unwrap()), [Settled; 2]);
}

pub async fn a_batch_that_repeats_while_it_is_written_counts_once(store: &impl Store) {
    let shop = project(store).await;
    for number in 1..=5 {
        let batch = keyed(&shop, &["A", "A"], repeat(Uuid::from_u128(1), number));
        let (a, b, c) = tokio::join!(store.record(&batch), store.record(&batch), store.record(&batch));
        let written = [a, b, c].into_iter().filter(|recorded| outcomes(recorded.as_ref().unwrap()) != [Settled; 2]);
        assert_eq!(written.count(), 1);
        assert_eq!(store.issues(&query()).await.unwrap().issues[0].count, 2 * number);
    }
}
