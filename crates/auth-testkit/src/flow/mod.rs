//! The flows of the core, run on a store: what users do, under faults, over two nodes, by turned clocks.
//!
//! The store suite shows that a store keeps its word, the HTTP suite what clients see. This one shows what lies between:
//! that each flow is one commit, that nodes need nothing but the store to agree, and that mail leaves exactly when it
//! should.

pub mod accounts;
mod case;
pub mod cookies;
mod factor_case;
pub mod factors;
pub mod faults;
mod guarded;
pub mod hashes;
pub mod nodes;
pub mod outbox;
pub mod registration;
mod world;

pub use world::World;

/// Expands to one test per check of the flows. `$make` is an async function that makes a fresh, empty database and returns
/// two handles on it, as two processes would have, and whatever keeps the database alive: it is dropped after the check.
#[macro_export]
macro_rules! flow_suite {
    ($make:ident) => {
        mod faults {
            use super::$make;
            $crate::__flow_checks! { $make, faults,
                df1_every_change_of_every_flow df1_every_call_of_every_flow df1_lost_answers
                df7_dropped_at_every_await df6_clock_set_back
            }
        }
        mod nodes {
            use super::$make;
            $crate::__flow_checks! { $make, nodes,
                en3_one_user vt3_a_reset_happens_once vt6_five_attempts_at_a_code vt6_five_failures_an_hour
                rr3_one_successor rr3_resumed_successors_are_equal rr2_theft_shows_on_every_node lt2_a_renewed_device_keeps_its_budget lt2_a_reset_ends_device_budgets
                vt6_a_stranger_replaces_his_own vt6_a_refused_password_spends_nothing
                se7_everywhere_beats_sign_in_and_refresh id1_one_effect sc3_a_foreign_pepper_does_not_start
                jw5_nodes_share_one_signing_key
            }
        }
        mod hashes {
            use super::$make;
            $crate::__flow_checks! { $make, hashes,
                pw3_outdated_hashes_are_replaced pw3_a_rehash_loses_to_a_change pw6_a_full_queue_is_no_failure df4_an_outage_is_no_failure
                lt3_at_most_the_limit_is_compared
            }
        }
        mod accounts {
            use super::$make;
            $crate::__flow_checks! { $make, accounts,
                vt9_a_mail_proves_its_own_address en3_one_account_gets_an_address vt9_undoing_wins vt5_tokens_dont_move_along
                vt9_undoing_is_not_undone vt9_a_new_password_stops_a_move
                en4_a_taken_address_is_not_told rb3_an_administrator_stays rb3_authority_holds_when_it_happens
                se7_no_credential_survives_suspension_or_deletion attributes_are_all_kept
            }
        }
        mod factors {
            use super::$make;
            $crate::__flow_checks! { $make, factors,
                mf1_a_code_lets_one_in mf1_the_last_step_is_taken_too mf2_only_six_digits_are_a_code
                mf3_failures_count_over_challenges mf4_a_challenge_takes_five_attempts mf4_a_challenge_is_spent_once
                mf4_a_challenge_is_bound mf4_a_resent_code_renews_no_attempt mf5_a_recovery_code_lets_one_in
                mf5_one_factor_is_the_first mf6_a_reset_is_no_way_round mf7_switching_wants_a_fresh_session
                policy_decides_who_takes_a_second_step se2_factors_prove_again_who_one_is new_devices_are_told_of rl1_news_is_throttled
                mf6_a_role_comes_with_its_second_step mf7_an_operator_switches_off_what_was_lost off_is_off_for_enrolments
                sc4_a_used_secret_is_sealed_anew sc4_a_swapped_secret_gains_nothing au1_factors_leave_entries
            }
        }
        mod cookies {
            use super::$make;
            $crate::__flow_checks! { $make, cookies,
                se4_idle_and_absolute_ends se3_no_credential_is_adopted se2_a_change_of_roles_replaces_the_secret
                se2_reauthentication_replaces_the_credential se5_every_end_ends_a_browsers_session
                se5_a_cookie_is_always_checked cs2_tokens_are_the_sessions_own
            }
        }
        mod registration {
            use super::$make;
            $crate::__flow_checks! { $make, registration,
                en8_each_mail_confirms_its_own_password en8_registering_and_signing_in_tells_nothing
                en2_free_and_taken_cost_the_same en3_many_waiting_one_user vt6_five_attempts_at_a_waiting_code
                vt6_renewed_codes_share_a_budget en8_only_ones_own_registration_is_renewed
                vt6_a_stranger_takes_his_own_places vt2_a_waiting_registration_expires
                au1_concealed_registrations_are_recorded
            }
        }
        mod outbox {
            use super::$make;
            $crate::__flow_checks! { $make, outbox,
                df3_mail_survives_an_outage df3_a_hung_server_holds_up_no_request
                df3_a_hung_mail_holds_up_no_other df3_sending_holds_up_no_commit df3_a_panicking_mailer_loses_nothing
                refused_mail_is_buried expired_mail_is_not_sent two_workers_send_once sc4_a_swapped_recipient_gains_nothing
                housekeeping_is_done_by_one_node
            }
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __flow_checks {
    ($make:ident, $module:ident, $($check:ident)*) => {
        $(
            #[test]
            fn $check() {
                $crate::block_on(async {
                    let (handles, database) = $make().await;
                    let world = $crate::flow::World::start(handles).await;
                    $crate::flow::$module::$check(world).await;
                    drop(database);
                });
            }
        )*
    };
}
