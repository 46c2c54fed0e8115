//! The suite that every store must pass: each promise of the traits is one test, named for what it promises.
//!
//! A crate with a store of its own writes, in one of its test files:
//!
//! ```
//! # use errtrack_store::SqliteStore as MyStore;
//! /// A new, empty store, and whatever must live as long.
//! async fn open_store() -> (MyStore, tempfile::TempDir) {
//!     let folder = tempfile::tempdir().unwrap();
//!     let store = MyStore::open(folder.path().join("errors.db").to_str().unwrap()).await.unwrap();
//!     (store, folder)
//! }
//!
//! errtrack_store::conformance!(open_store);
//! ```

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "these are tests, for the tests of other crates")]
#![expect(missing_docs, reason = "the names of the tests say what they test")]

pub mod accounts;
pub mod events;
pub mod issues;
mod kit;
pub mod listing;
pub mod projects;
pub mod recording;
pub mod upkeep;

/// Runs a test to its end.
pub fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
}

/// Makes a test of each promise. Takes the name of an `async fn` that answers a new, empty store and something that must
/// live as long as it does; or `None`, if what it takes is missing and the tests are to be skipped.
#[macro_export]
macro_rules! conformance {
    ($open:path) => {
        $crate::conformance!(@part $open, recording: [
            the_first_event_makes_an_issue
            outcomes_come_in_the_order_of_the_batch
            an_event_id_is_stored_once
            an_event_id_is_stored_once_within_a_batch
            projects_do_not_share_event_ids_or_issues
            what_is_only_counted_is_not_kept
            a_resolved_issue_reopens_once
            an_ignored_issue_stays_ignored
            numbers_have_no_gaps_when_many_write_at_once
            a_late_event_leaves_the_title_alone
            each_user_counts_once
            hostile_text_comes_back_whole
            an_empty_batch_is_nothing
            a_batch_for_no_project_writes_nothing
        ]);
        $crate::conformance!(@part $open, listing: [
            every_filter_narrows
            every_order_pages_to_the_end
            cursors_stand_still_when_events_arrive
            words_are_text_and_not_patterns
            counts_by_status_cover_every_status
            no_projects_means_no_issues
        ]);
        $crate::conformance!(@part $open, issues: [
            an_issue_has_three_names
            resolving_is_dated_and_undone
            an_issue_is_assigned_and_released
            histograms_are_filled_with_zeros
            wide_buckets_add_up
            tags_are_tallied_exactly
            many_values_of_a_tag_keep_the_total
            values_of_a_tag_stay_within_their_projects
        ]);
        $crate::conformance!(@part $open, events: [
            an_event_is_found_by_both_ids
            an_event_is_hidden_from_other_projects
            events_page_from_new_to_old
            positions_link_the_neighbours
        ]);
        $crate::conformance!(@part $open, projects: [
            a_project_is_made_once
            public_keys_belong_to_one_project
        ]);
        $crate::conformance!(@part $open, accounts: [
            a_member_is_replaced_by_address
            tokens_expire
            kinds_of_tokens_are_apart
            a_token_is_taken_once
        ]);
        $crate::conformance!(@part $open, upkeep: [
            deletion_is_complete
            numbers_of_deleted_issues_stay_gone
            pruning_spares_what_is_open_or_recent
            trimming_keeps_the_newest_and_the_counts
            a_store_answers_until_it_is_closed
        ]);
    };
    (@part $open:path, $part:ident: [$($test:ident)*]) => {
        mod $part {
            use super::*;
            $(
                #[test]
                fn $test() {
                    $crate::conformance::run(async {
                        // None says that there is nothing to open it on, and the test is skipped.
                        let opened: Option<(_, _)> = $open().await.into();
                        let Some((store, guard)) = opened else { return };
                        $crate::conformance::$part::$test(&store).await;
                        drop(store);
                        drop(guard);
                    });
                }
            )*
        }
    };
}
