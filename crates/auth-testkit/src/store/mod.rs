//! The conformance suite of stores: one file per aggregate, one function per guarantee.
//!
//! Each check is a plain function over `&Arc<dyn Store>` that panics where the store breaks the guarantee its
//! documentation states. [`store_suite!`](crate::store_suite) makes a test of each; a single one can be called by hand.
//!
//! Names begin with the requirement they show, where there is one (see the security requirements in the book).

pub mod addresses;
mod alone;
pub mod attributes;
pub mod audit;
pub mod budgets;
pub mod commit;
pub mod cookies;
pub mod dead_letters;
pub mod deletion;
pub mod directory;
pub mod factors;
pub mod housekeeping;
pub mod keys;
pub mod outbox;
pub mod pendings;
pub mod roles;
mod scene;
pub mod sessions;
pub mod tokens;
pub mod users;

use std::sync::Arc;

use auth_core::domain::{Account, Session, SessionId, SessionKey, Signed, Timestamp, UserId};
use auth_core::port::{AuditQuery, Change, CommitError, Rejected, Store};

/// Makes a test of every check that a store must pass, [those of idempotency](crate::idempotency_suite) included.
///
/// Takes the name of an `async fn() -> Arc<S>`, where `S` implements [`Store`] (`Arc<dyn Store>` will do), in the module
/// that calls it. Call it once per module; [the crate's page](crate) shows it at work.
#[macro_export]
macro_rules! store_suite {
    ($make:ident) => {
        mod users {
            $crate::__checks! { $make, Store, [store::users],
                created_is_found
                unknown_is_not_found
                roles_are_sorted
                en3_found_by_any_spelling
                en3_taken_address_rejects
                en3_register_race_has_one_winner
                en3_lookalikes_are_different_users
                in2_text_is_kept_exactly
                profile_is_edited_by_field
                email_is_verified_once
                vt5_other_address_is_not_verified
                password_is_set_in_its_epoch
                password_race_has_one_winner
                pw3_rehash_replaces_only_what_was_verified
                pw3_rehash_never_beats_a_change
                se5_suspending_begins_a_new_epoch
                se5_status_race_has_one_winner
                epochs_advance_one_by_one
                se7_all_epochs_advance
                times_are_kept_to_the_microsecond
            }
        }
        mod attributes {
            $crate::__checks! { $make, Store, [store::attributes],
                in2_fields_are_kept_exactly
                set_from_what_was_decided_about
                race_has_one_winner
            }
        }
        mod addresses {
            $crate::__checks! { $make, Store, [store::addresses],
                account_moves
                vt9_moves_from_the_decided_address_only
                vt9_who_proves_an_address_keeps_it
                en3_taken_address_rejects
                vt5_old_address_is_worth_nothing
                vt9_move_race_has_one_winner
                en3_address_race_has_one_winner
            }
        }
        mod directory {
            $crate::__checks! { $make, Store, [store::directory],
                paged_newest_first
                pages_stand_still_while_users_come_and_go
                search_takes_text_literally
                search_is_paged
            }
        }
        mod roles {
            $crate::__checks! { $make, Store, [store::roles],
                rb3_required_role_is_held
                granting_adds_one_role
                revoking_takes_one_role
                se2_version_race_counts_each_change
                rb3_last_admin_stays
                rb3_suspended_admins_do_not_count
                rb3_holders_are_counted_right
                rb3_two_admins_race_leaves_one
                rb3_many_admins_race_leaves_one
            }
        }
        mod deletion {
            $crate::__checks! { $make, Store, [store::deletion],
                everything_of_a_user_goes
                audit_entries_lose_the_person
                mail_of_who_is_gone_names_nobody
                se5_nothing_outlives_the_user
            }
        }
        mod pendings {
            $crate::__checks! { $make, Store, [store::pendings],
                kept_is_found
                expired_is_found
                listed_newest_first
                en8_each_keeps_its_own_password
                slot_is_taken_once
                slot_race_has_one_winner
                en3_lookalikes_have_their_own_slots
                vt6_claims_are_exact
                vt3_spend_race_has_one_winner
                vt7_dropping_takes_all_of_an_address
            }
        }
        mod sessions {
            $crate::__checks! { $make, Store, [store::sessions],
                opened_is_found
                in2_client_is_kept_exactly
                se7_opens_in_the_current_epoch_only
                dead_is_found
                se6_list_holds_one_users_sessions
                rotating_advances_the_counter
                rr4_only_the_current_token_rotates
                rr3_rotate_race_has_one_winner
                counters_are_unsigned
                se4_touch_moves_the_idle_deadline
                touch_never_turns_back
                touch_race_keeps_the_latest
                se6_closed_once_by_its_user
                a_devices_sessions_close_together
                dead_can_be_closed
                close_race_has_one_winner
                se7_nothing_survives_a_new_epoch
                se8_one_session_goes_on_after_a_change
            }
        }
        mod cookies {
            $crate::__checks! { $make, Store, [store::cookies],
                se1_found_by_its_secret
                dead_is_found_by_its_secret
                se2_new_secret_replaces_the_old
                se2_only_the_current_secret_rotates
                se2_rotate_race_has_one_winner
                used_and_ended_like_any_other
            }
        }
        mod tokens {
            $crate::__checks! { $make, Store, [store::tokens],
                issued_is_found
                expired_is_found
                vt5_issued_at_the_users_address
                vt9_mailed_elsewhere_is_issued
                either_link_or_code_may_be_missing
                challenges_are_kept_exactly
                renewed_code_keeps_its_attempts
                live_tokens_are_limited
                live_tokens_race_is_exact
                listed_newest_first
                trimming_keeps_the_newest
                trimming_counts_equals
                vt6_attempts_are_limited
                vt6_claim_race_is_exact
                vt3_spent_once
                vt3_spend_race_has_one_winner
                vt7_dropping_takes_all_of_a_purpose
                attempts_are_unsigned
            }
        }
        mod factors {
            $crate::__checks! { $make, Store, [store::factors],
                those_that_are_on_are_found
                set_from_what_was_decided_about
                set_race_has_one_winner
                enrolled_is_found
                enrolling_replaces_what_was_not_confirmed
                confirming_replaces_the_one_that_was_on
                mf1_confirm_race_has_one_winner
                mf1_a_time_step_is_spent_once
                mf1_only_ones_own_secret_that_is_on_is_spent
                sc4_resealed_from_what_was_opened
                dropping_takes_all_secrets_of_a_user
                mf5_a_recovery_code_is_spent_once
                mf5_new_codes_end_the_old
                mf5_another_users_code_is_never_spent
            }
        }
        mod budgets {
            $crate::__checks! { $make, Store, [store::budgets],
                vt6_limit_is_exact
                vt6_charge_race_is_exact
                window_ends_to_the_microsecond
                df6_clock_set_back_gives_nothing
                windows_count_apart
                budgets_count_apart
                vt6_addresses_count_apart
                forgiving_forgets_one_budget
            }
        }
        mod audit {
            $crate::__checks! { $make, Store, [store::audit],
                au1_recorded_is_found
                in2_fields_are_kept_exactly
                paged_newest_first
                all_subjects_in_one_order
                listed_by_subject_and_actor
                listed_by_every_combination
                needs_no_user
            }
        }
        mod keys {
            $crate::__checks! { $make, Store, [store::keys],
                jw5_added_is_found
                jw5_number_is_unique
                jw5_number_race_has_one_winner
                sc3_first_pepper_check_stays
                sc4_resealed_from_what_was_opened
                sc4_reseal_race_has_one_winner
                jw5_retired_keys_are_dropped
            }
        }
        mod outbox {
            $crate::__checks! { $make, Store, [store::outbox],
                enqueued_is_leased
                due_at_once
                leased_oldest_first
                leased_until_the_lease_ends
                df3_lease_race_has_one_winner
                df3_workers_share_without_overlap
                settled_is_over
                settled_late_is_settled
                lost_lease_changes_nothing
                postponed_comes_back
                buried_is_over
            }
        }
        mod dead_letters {
            $crate::__checks! { $make, Store, [store::dead_letters],
                mails_tell_how_far_they_got
                mails_are_listed_by_user_and_state
                retried_is_what_it_was
                only_dead_letters_are_retried
                expired_stays_dead
                df6_erased_stays_dead
                retry_race_has_one_winner
                backlog_counts_what_waits
            }
        }
        mod housekeeping {
            $crate::__checks! { $make, Store, [store::housekeeping],
                answers_a_ping
                sweeps_sessions_no_longer_kept
                sweeps_tokens_all_dead
                sweeps_registrations_all_dead
                sweeps_enrolments_that_expired
                sweeps_budgets_that_ended
                sweeps_replies_that_expired
                sweeps_mail_that_is_over
                sweeping_buries_expired_mail
                df3_sweeping_leaves_mail_to_its_worker
                sweeps_in_batches
                sweeping_leaves_the_rest
                lease_has_one_holder
                lease_ends_to_the_microsecond
                lease_race_has_one_winner
                lease_names_differ_by_case
            }
        }
        mod commit {
            $crate::__checks! { $make, Store, [store::commit],
                nothing_is_a_commit
                applies_in_order
                names_the_first_that_was_false
                au4_rejected_list_changes_nothing
                au4_df1_failed_change_undoes_all_before_it
                equal_ids_are_an_error
                takes_long_lists
                df7_dropped_caller_cuts_nothing_short
                df8_opposite_orders_do_not_deadlock
                df8_one_user_many_kinds_of_change
                se5_a_change_says_whose_copies_it_outdates
                errors_tell_no_secrets
                debug_tells_nothing
            }
        }
        mod idempotency {
            $crate::__idempotency_checks! { $make }
        }
    };
}

/// Commits, and expects it to go through.
pub(crate) async fn done(store: &Arc<dyn Store>, changes: &[Change]) {
    if let Err(error) = store.commit(changes).await {
        panic!("{error:?} on {changes:?}");
    }
}

/// Commits, and expects a precondition to be false.
pub(crate) async fn rejected(store: &Arc<dyn Store>, changes: &[Change]) -> Rejected {
    match store.commit(changes).await {
        Err(CommitError::Rejected(why)) => why,
        outcome => panic!("a rejection expected, not {outcome:?}, on {changes:?}"),
    }
}

/// The user of that id, who must exist.
pub(crate) async fn account(store: &Arc<dyn Store>, user: UserId) -> Account {
    store.find_user(user).await.unwrap().expect("the user")
}

/// The session of that id.
pub(crate) async fn found_session(store: &Arc<dyn Store>, id: SessionId) -> Option<Signed> {
    store.find_session(&SessionKey::Id(id)).await.unwrap()
}

/// The user's sessions that live at `now`.
pub(crate) async fn live_sessions(store: &Arc<dyn Store>, user: UserId, now: Timestamp) -> Vec<Session> {
    let (user, mut sessions) = (account(store, user).await.user, store.sessions_of(user).await.unwrap());
    sessions.retain(|session| session.is_live(&user, now));
    sessions
}

/// Asks for the newest entries by or about `user`.
pub(crate) fn about(user: UserId, limit: u32) -> AuditQuery {
    AuditQuery { user: Some(user), limit, ..AuditQuery::default() }
}
