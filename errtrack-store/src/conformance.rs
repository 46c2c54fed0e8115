//! The suite that every store must pass: each promise of the traits is one test, named for what it promises.
//!
//! It needs the feature `conformance` alone, and no SQL; `examples/custom_store` runs it on a store in memory. A crate with a
//! store of its own writes, in one of its test files:
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

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "these are tests, for the tests of other crates"
)]
#![expect(missing_docs, reason = "the names of the tests say what they test")]

pub mod accounts;
pub mod alerts;
pub mod aside;
pub mod copies;
pub mod credentials;
pub mod erasure;
pub mod events;
pub mod feed;
pub mod figures;
pub mod hostile;
pub mod incidents;
pub mod integrations;
pub mod issues;
pub mod keys;
mod kit;
pub mod listing;
pub mod merging;
pub mod nodes;
pub mod outbox;
pub mod projects;
pub mod push;
pub mod recording;
pub mod regrouping;
pub mod retention;
pub mod series;
pub mod settings;
pub mod tickets;
pub mod together;
pub mod triage;
pub mod trimming;
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
        $crate::conformance!(@part $open, triage: [
            what_is_ignored_until_a_count_is_open_again_when_it_is_there
            what_is_ignored_until_a_time_is_open_again_with_events_or_without
            what_is_resolved_in_the_next_release_comes_back_from_a_later_one
            releases_that_are_no_versions_are_ordered_as_they_came
            a_condition_is_that_of_the_whole_issue
            comments_stand_in_their_order_and_go_with_the_issue
        ]);
        $crate::conformance!(@part $open, tickets: [
            a_ticket_has_a_place_before_it_is_made
            a_place_is_free_again_when_its_time_is_over
            of_many_who_make_a_ticket_one_does
            a_ticket_is_linked_once_and_there_are_not_too_many
            tickets_follow_issues_that_are_merged_and_go_with_them
        ]);
        $crate::conformance!(@part $open, alerts: [
            rules_are_kept_and_go_with_their_project
            what_happens_to_issues_is_told_once
            milestones_are_those_of_the_whole_issue
            an_evaluation_is_written_whole_and_once
            an_evaluation_assigns_what_is_nobodys
            what_was_looked_at_is_kept_with_its_event
            what_was_looked_at_goes_after_some_days
            firings_page_from_new_to_old_and_go_with_their_rule
            minutes_and_hours_are_counted_by_environment_and_level
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
            a_project_is_made_with_all_it_has
            a_project_is_renamed_with_its_issues
            a_public_key_is_taken_away
        ]);
        $crate::conformance!(@part $open, settings: [
            a_setting_is_set_replaced_and_taken_away
            a_setting_goes_with_its_project
            changes_of_settings_are_told
        ]);
        $crate::conformance!(@part $open, accounts: [
            a_member_is_replaced_by_address
            a_member_is_added_once
            what_is_changed_about_a_member_is_all_that_changes
            the_last_owner_stays_whatever_many_do_at_once
            who_is_disabled_or_gone_has_no_tokens
            activity_is_noted_and_never_goes_back
            tokens_expire
            kinds_of_tokens_are_apart
            a_token_is_taken_once
            sessions_are_listed_and_ended_but_one
            a_second_factor_is_swapped_only_as_it_was
        ]);
        $crate::conformance!(@part $open, credentials: [
            a_key_is_kept_until_it_is_deleted
            the_use_of_a_key_is_noted_and_never_goes_back
            keys_that_come_and_go_are_told
            the_audit_log_is_read_by_pages_from_the_newest_on
            the_audit_log_is_bounded
        ]);
        $crate::conformance!(@part $open, upkeep: [
            deletion_is_complete
            numbers_of_deleted_issues_stay_gone
            pruning_spares_what_is_open_or_recent
            trimming_keeps_the_newest_and_the_counts
            a_store_says_how_large_it_is
            a_store_answers_until_it_is_closed
        ]);
        $crate::conformance!(@part $open, keys: [
            a_repeated_batch_that_was_committed_is_settled
            only_the_last_number_of_a_writer_matters
            numbers_of_writers_are_apart
            a_batch_that_was_not_committed_is_written_when_it_repeats
            a_batch_that_repeats_while_it_is_written_counts_once
        ]);
        $crate::conformance!(@part $open, aside: [
            what_is_set_aside_is_kept_with_its_reason
            at_most_a_thousand_events_are_set_aside
            an_event_is_set_aside_once
            what_is_set_aside_goes_with_its_user_and_its_project
        ]);
        $crate::conformance!(@part $open, together: [
            many_recorders_make_one_issue_of_a_fingerprint
            an_event_id_that_many_send_at_once_is_stored_once
            an_issue_that_many_hit_at_once_reopens_once
            many_who_delete_and_record_leave_nothing_half
            a_caller_that_stops_waiting_leaves_all_or_nothing
        ]);
        $crate::conformance!(@part $open, merging: [
            a_merged_issue_is_the_sum_of_its_groups
            every_name_of_a_merged_issue_leads_to_it
            an_unmerged_group_is_as_if_it_had_never_been_merged
            what_comes_after_a_merge_counts_for_its_group
            merged_issues_merge_again
            a_group_whose_name_the_issue_has_can_leave
            what_cannot_be_merged_is_refused_and_changes_nothing
            an_issue_has_a_bounded_number_of_groups
            what_people_decide_about_a_merged_issue_holds_for_each_group
            a_resolved_issue_opens_when_an_open_one_joins_it
            a_merged_issue_that_was_resolved_reopens_once
            many_values_of_a_tag_keep_their_total_in_a_merged_issue
            merging_is_told
        ]);
        $crate::conformance!(@part $open, regrouping: [
            events_are_let_go_by_group
            pins_outlast_merging_and_unmerging
            an_erased_user_is_gone_from_a_merged_issue_and_its_groups
            a_merged_issue_is_deleted_with_all_its_groups
            a_merged_issue_that_is_stale_goes_as_one
            random_merges_beside_recording_match_a_model
            many_who_merge_unmerge_and_record_lose_nothing
        ]);
        $crate::conformance!(@part $open, trimming: [
            trimming_keeps_a_spread_between_the_first_and_the_newest
            an_issue_that_is_trimmed_as_it_grows_keeps_a_spread
            pinned_events_survive_trimming
            what_is_gone_cannot_be_pinned
            pins_show_wherever_the_event_is_read
            counting_goes_on_while_events_are_let_go
        ]);
        $crate::conformance!(@part $open, retention: [
            a_project_may_keep_less_than_the_rules_say
            events_age_from_their_arrival_by_whole_days
            resolved_issues_age_from_when_they_were_last_seen_by_whole_days
            a_project_over_its_quota_keeps_its_newest_events
            a_full_disk_takes_the_oldest_events
            a_preview_says_what_would_go_and_changes_nothing
            the_last_run_of_retention_is_remembered
            counts_are_exact_whatever_goes
        ]);
        $crate::conformance!(@part $open, erasure: [
            the_events_of_a_user_are_read_page_by_page
            an_erased_user_is_gone_and_the_counts_stay
            a_user_without_an_id_is_erased_by_the_next_name
            a_user_of_many_events_is_erased
            a_deleted_project_is_gone_and_no_other
        ]);
        $crate::conformance!(@part $open, copies: [
            what_was_told_of_a_deleted_issue_goes_with_it
            what_was_told_of_an_erased_user_loses_its_text
        ]);
        $crate::conformance!(@part $open, figures: [
            events_are_counted_by_hour_environment_and_level
            days_and_all_of_time_add_up
            figures_are_told_apart_by_project_and_environment
            what_is_resolved_is_counted_once_with_the_time_it_took
            a_merged_issue_is_resolved_once
            what_happened_stays_when_issues_go
            a_project_that_is_gone_has_no_figures
            every_write_that_changes_figures_changes_their_version
            the_issues_with_the_most_events_come_first
            many_environments_keep_their_total
        ]);
        $crate::conformance!(@part $open, series: [
            a_point_is_written_and_replaced
            points_are_asked_for_by_project_width_and_time
            points_go_by_age_and_with_their_project
        ]);
        $crate::conformance!(@part $open, incidents: [
            an_incident_is_opened_with_all_it_has
            every_change_of_an_incident_is_told
            incidents_are_asked_for_by_what_they_are
            a_rule_has_one_open_incident
            a_rule_that_recovers_resolves_its_incident_if_wanted
            the_timeline_of_a_rule_that_fires_for_ever_is_bounded
            channels_are_told_of_what_people_do_about_the_status
            issues_are_linked_once_and_within_the_project
            links_follow_issues_that_are_merged_and_go_with_them
            an_incident_goes_with_its_timeline_and_with_its_project
        ]);
        $crate::conformance!(@part $open, nodes: [
            a_lease_has_one_holder
            a_lease_that_is_given_back_is_free
            a_lease_ends_by_itself
            an_extended_lease_lasts_longer
            of_many_who_ask_for_a_lease_one_gets_it
            balances_add_up
            a_project_that_is_gone_has_no_balance
        ]);
        $crate::conformance!(@part $open, outbox: [
            an_entry_is_kept_once_and_whole
            an_entry_is_leased_to_one_of_many_nodes
            entries_of_one_ordering_come_one_after_the_other
            a_lease_that_ended_is_handed_out_again
            what_is_not_due_waits_and_its_channel_is_not_named
            what_came_of_a_try_is_noted
            a_try_is_noted_by_whoever_has_the_lease_but_an_arrival_by_anyone
            what_was_given_up_is_tried_again_when_asked
            settled_entries_go_by_age
            entries_are_found_by_firing_state_and_channel
        ]);
        $crate::conformance!(@part $open, integrations: [
            a_channel_is_set_up_changed_and_taken_away
            what_came_of_trying_a_channel_is_noted
            changes_of_channels_are_told
        ]);
        $crate::conformance!(@part $open, push: [
            a_push_key_is_kept_once
            browsers_are_kept_up_to_a_number
            a_browser_that_comes_again_is_the_same
            what_came_of_a_push_is_noted
            browsers_go_with_their_member
            as_many_browsers_as_may_be_whoever_adds_them
        ]);
        $crate::conformance!(@part $open, feed: [
            a_listener_hears_of_a_change_or_that_it_missed_some
            what_happens_to_issues_is_told_once_it_can_be_read
            every_listener_hears_every_change
            changes_of_projects_are_told
            changes_of_accounts_are_told
            a_slow_listener_hears_that_it_missed_something
        ]);
        $crate::conformance!(@part $open, hostile: [
            hostile_reasons_are_kept
            hostile_names_of_leases_are_names
            hostile_users_are_found_and_erased
            hostile_names_of_members_are_kept
            hostile_questions_find_nothing
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
