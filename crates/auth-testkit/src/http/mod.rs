//! The HTTP conformance suite: what every web adapter has to show, over every store.
//!
//! An adapter says how a request reaches it, and opens a store; [`http_suite!`](crate::http_suite) makes a test of each
//! check, named after the requirement that it shows:
//!
//! ```ignore
//! mod on_memory {
//!     async fn open() -> Mount {
//!         Mount::new(Arc::new(MemoryStore::new()), |http| Arc::new(Axum(auth_axum::service(http))))
//!     }
//!
//!     auth_testkit::http_suite!(open);
//! }
//! ```
//!
//! Every reply of every check is held to what all replies have in common: see [`Call`].

mod alike;
mod call;
mod credentials;
mod document;
mod hasher;
mod masked;
mod snapshot;
mod table;
mod transcript;
mod world;

pub mod access_token;
pub mod account;
pub mod admin;
pub mod audit;
pub mod concealed;
pub mod cookies;
pub mod enumeration;
pub mod errors;
pub mod idempotency;
pub mod input;
pub mod one_time_tokens;
pub mod openapi;
pub mod origins;
pub mod pages;
pub mod passwords;
pub mod profiles;
pub mod queries;
pub mod refresh;
pub mod routes;
pub mod second_factors;
pub mod service;
pub mod sessions;
pub mod throttling;
pub mod two_step;
pub mod whole_flow;

use std::any::Any;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use auth_core::adapter::SystemEntropy;
use auth_core::port::{Entropy, Idempotency, SessionCache, Store};
use auth_http::AuthHttp;
use bytes::Bytes;
use http::{Request, Response};

use crate::SeededEntropy;
pub use alike::{Alike, Check, Subject};
pub use auth_http::Profile;
pub use call::{Call, Reply};
pub use credentials::{Cookies, Credentials, Tokens};
pub use hasher::{Behaviour, TestHasher};
use transcript::Transcript;
pub use world::{Options, Person, World};

/// A web adapter with the routes mounted, as far as a client can tell: no socket is needed.
#[async_trait]
pub trait Web: Send + Sync {
    /// Sends a request from `peer` and returns the reply.
    async fn send(&self, request: Request<Bytes>, peer: IpAddr) -> Response<Bytes>;
}

/// What an adapter brings to a check: a fresh store, and itself.
pub struct Mount {
    store: Arc<dyn Store>,
    cache: Option<Arc<dyn SessionCache>>,
    idempotency: Option<Arc<dyn Idempotency>>,
    web: fn(&AuthHttp) -> Arc<dyn Web>,
    profile: Profile,
    transcript: Option<Transcript>,
    worlds: AtomicU64,
    // Last, and so dropped last: the store lies in what it guards.
    _guard: Box<dyn Any + Send + Sync>,
}

impl Mount {
    /// `store` is empty, and the check's own: checks read the outbox, which is one queue for all. `web` mounts all
    /// routes, those at the root included, and answers whatever else is asked.
    pub fn new(store: Arc<dyn Store>, web: fn(&AuthHttp) -> Arc<dyn Web>) -> Self {
        Self {
            store,
            cache: None,
            idempotency: None,
            web,
            profile: Profile::tokens(),
            transcript: None,
            worlds: AtomicU64::new(0),
            _guard: Box::new(()),
        }
    }

    /// What is compared is drawn alike: rows of one moment are read in order of their ids. Each system of a check draws
    /// something else, as they share a store.
    fn entropy(&self) -> Arc<dyn Entropy> {
        if self.transcript.is_some() {
            Arc::new(SeededEntropy::new(self.worlds.fetch_add(1, Ordering::Relaxed)))
        } else {
            Arc::new(SystemEntropy)
        }
    }

    fn web(&self, http: &AuthHttp) -> Arc<dyn Web> {
        let web = (self.web)(http);
        match &self.transcript {
            Some(transcript) => transcript.of(web),
            None => web,
        }
    }

    /// The same, for a system that speaks another profile than `tokens`.
    #[must_use]
    pub fn speaking(self, profile: Profile) -> Self {
        Self { profile, ..self }
    }

    /// The same, where sessions are found in `cache`, if they are there.
    #[must_use]
    pub fn remembering(self, cache: Arc<dyn SessionCache>) -> Self {
        Self { cache: Some(cache), ..self }
    }

    /// The same, where replies to requests that name themselves are kept in `idempotency`.
    #[must_use]
    pub fn replying(self, idempotency: Arc<dyn Idempotency>) -> Self {
        Self { idempotency: Some(idempotency), ..self }
    }

    /// The same, holding on to `guard` until the check is over: a temporary folder, say.
    #[must_use]
    pub fn guarded(self, guard: impl Any + Send + Sync) -> Self {
        Self { _guard: Box::new(guard), ..self }
    }
}

impl fmt::Debug for Mount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mount").field("store", &self.store).finish_non_exhaustive()
    }
}

/// Makes a test of each check of the HTTP suite. `$open` is an `async fn() -> Mount` in the scope of the call, or one that
/// returns an `Option<Mount>`: `None` where this run leaves the store out; or one that returns two to be compared,
/// [`Alike`](crate::http::Alike).
///
/// What doesn't depend on how credentials travel is checked with the profile `tokens` and with `sessions`. After a colon come
/// the parts to be checked; without, it is all of them: the profiles `tokens`, `sessions`, `service` and `two_step`, and
/// `routes`, each profile's routes one by one. Frameworks know nothing of stores, and routes neither: where each framework has
/// every part on one store, they may share the profiles on another.
#[macro_export]
macro_rules! http_suite {
    ($open:ident) => {
        $crate::http_suite! { $open: tokens, sessions, service, two_step, routes }
    };
    ($open:ident: tokens) => {
        mod tokens {
            use super::$open;
            $crate::__http_checks_of_both! { $open tokens }
        }
        mod tokens_only {
            use super::$open;
            $crate::__http_checks! { $open tokens
                access_token: jw4_only_access_tokens_open_anything, jw4_bearer_is_read_strictly;
                audit: au1_every_event_leaves_its_entry;
                enumeration: en3_spellings_of_an_address_are_one_account, en7_an_existing_address_yields_nothing;
                errors: er1_every_problem_is_as_documented;
                idempotency: id1_one_effect_under_race, id1_the_first_reply_comes_again, id1_keys_are_a_clients_own,
                    id1_another_body_is_a_mismatch, id1_other_replies_free_the_key, id1_a_client_that_gave_up_comes_back, id1_a_reply_that_cannot_be_kept_is_given,
                    id1_malformed_keys_are_refused;
                input: in1_addresses_are_canonicalised;
                one_time_tokens: vt2_lifetimes, vt3_a_code_is_spent_once, vt5_tokens_are_good_for_one_thing,
                    vt5_codes_are_bound_to_their_account, vt8_looking_spends_nothing, df6_a_clock_set_back_revives_nothing;
                queries: flows_have_a_budget;
                refresh: rr1_refresh_tokens_expire, rr2_an_old_token_ends_its_session_only, rr2_the_leeway_forgives_the_last,
                    rr3_one_successor_under_race, rr3_resume_hands_out_the_same_successor, rr4_dies_with_its_session,
                    rr5_a_session_that_may_live_is_not_reported_dead;
                routes: vt5_no_token_opens_another_door;
                sessions: se4_idle_and_absolute_expiry;
                throttling: rl1_addresses_are_not_hearsay, rl1_proxies_vouch_for_one_entry, rl2_mail_is_rationed;
                whole_flow: by_code;
            }
        }
    };
    ($open:ident: sessions) => {
        mod sessions {
            use super::$open;
            $crate::__http_checks_of_both! { $open sessions }
        }
        mod sessions_only {
            use super::$open;
            $crate::__http_checks! { $open sessions
                audit: au1_concealed_registrations_leave_entries;
                concealed: en8_registering_and_signing_in_tells_nothing, en2_registering_is_the_same_work, en7_only_the_owner_is_told,
                    en8_a_click_confirms_its_own_registration, vt3_one_click_makes_the_account, vt2_a_registration_waits_a_day,
                    vt6_guesses_and_strangers_spare_the_owners_mail, id1_a_concealed_registration_happens_once;
                cookies: cs1_every_set_cookie, cs1_no_cookie_outlives_its_session, cs2_a_token_is_its_sessions, cs2_a_page_asks_for_its_token,
                    cs7_two_cookies_of_one_name_count_as_none, se1_a_secret_is_kept_as_digest, se2_a_new_secret_at_each_step,
                    se2_a_refusal_carries_the_new_secret, se3_an_unknown_secret_is_never_adopted, se4_a_browsers_session_expires,
                    rr5_signing_out_clears, by_browser, cs3_without_tokens_the_origin_decides;
                profiles: profiles_take_their_own_credentials, cs2_a_hosts_routes_take_any_credential,
                    cs1_what_cannot_work_is_not_served;
            }
        }
    };
    ($open:ident: service) => {
        mod service {
            use super::$open;
            $crate::__http_checks! { $open service
                openapi: every_route_is_described, in2_documented_fields_are_read;
                service: from_sign_up_to_logout_all, en1_replies_name_records_alike, mf4_a_second_call_takes_the_second_step,
                    vt5_codes_are_good_for_their_record, guests_only_routes, mf7_a_code_changes_the_password_and_no_more,
                    fields_have_their_own_names;
            }
        }
    };
    ($open:ident: two_step) => {
        mod two_step {
            use super::$open;
            $crate::__http_checks! { $open two_step
                account: mf7_what_cannot_be_undone_is_asked_again, vt9_an_account_moves_by_link_or_code;
                openapi: every_route_is_described, in2_documented_fields_are_read;
                sessions: se5_ends_count_on_the_next_request, se6_sessions_are_ones_own,
                    se8_a_change_of_password_carries_one_session_over;
                two_step: from_sign_up_to_logout_all, cs1_every_cookie_of_both_steps, rr3_rotation_in_cookies,
                    mf4_a_dead_challenge_is_taken_from_the_browser, cs3_no_other_site_takes_a_step,
                    jw4_each_cookie_is_good_for_one_thing;
            }
        }
    };
    ($open:ident: routes) => {
        mod routes {
            mod tokens {
                use super::super::$open;
                $crate::__http_checks_of_routes! { $open tokens, lt4_every_check_of_a_credential_is_throttled }
            }
            mod sessions {
                use super::super::$open;
                $crate::__http_checks_of_routes! { $open sessions, lt4_every_check_of_a_credential_is_throttled }
            }
            mod service {
                use super::super::$open;
                $crate::__http_checks_of_routes! { $open service }
            }
            mod two_step {
                use super::super::$open;
                $crate::__http_checks_of_routes! { $open two_step }
            }
        }
    };
    ($open:ident: $($part:ident),+) => {
        $($crate::http_suite! { $open: $part })+
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __http_checks_of_both {
    ($open:ident $profile:ident) => {
        $crate::__http_checks! { $open $profile
            account: mf7_what_cannot_be_undone_is_asked_again, lt4_reauthentication_is_throttled, vt9_an_account_moves_by_link_or_code,
                vt9_a_move_is_undone, vt9_a_squatter_stops_no_undo, vt9_a_link_confirms_its_own_address, en4_a_taken_address_is_not_told,
                vt5_a_move_is_bound_to_its_mail, vt8_moves_are_confirmed_by_their_pages, se5_a_deleted_account_is_gone,
                an_export_has_all_and_no_secret;
            admin: se5_administration_counts_at_once, rb3_nobody_grants_himself, rb3_the_last_admin_stays, users_come_by_page,
                au1_the_log_is_read_by_page, rb2_no_id_of_another_is_reachable;
            audit: au1_accounts_and_administration_leave_entries, au3_agents_are_escaped;
            enumeration: en1_sign_in_is_alike, en2_the_same_work_for_everybody, en1_requests_for_mail_are_alike, en1_wrong_codes_are_alike,
                en5_what_is_not_the_clients_to_say_is_ignored, en6_other_types_than_text_are_refused;
            errors: er1_refusals_of_the_signed_in_are_as_documented, er1_unknown_paths_and_methods, er1_bodies_that_are_not_taken, er1_a_panic_is_a_problem,
                df4_a_store_that_is_away_is_503, request_ids_are_kept_or_made;
            input: in2_what_stores_read_differently_is_refused, in3_deep_and_large_bodies_are_refused;
            one_time_tokens: vt3_a_link_is_spent_once, vt6_attempts_at_a_code_are_bounded, vt6_failures_count_over_codes,
                vt6_a_strangers_requests_spare_the_owners_link, vt7_a_reset_ends_everything;
            openapi: every_route_is_described, in2_documented_fields_are_read, in2_documented_parameters_are_read;
            origins: cs3_foreign_origins_change_nothing, cs5_listed_origins_may_read,
                em2_links_lead_to_the_frontend, cs3_an_app_has_no_origin, development_goes_by_loopbacks_names,
                sc5_development_defaults_answer_loopback_only;
            pages: vt8_a_link_is_confirmed_by_its_page, a_password_is_reset_by_its_page, cs3_pages_take_their_own_forms;
            passwords: pw4_any_characters_and_all_of_them, pw5_composed_and_decomposed_are_one,
                pw6_long_passwords_are_refused_unhashed, pw6_a_full_queue_is_503, pw7_weak_passwords_are_refused_everywhere,
                pw8_a_change_needs_the_current_password;
            queries: an_authenticated_request_is_one_query;
            second_factors: mf4_an_app_is_asked_for, mf4_a_mailed_code_is_asked_for, mf4_a_challenge_dies_of_five_attempts,
                mf3_twenty_failures_an_hour, mf4_a_challenge_grants_nothing_else, mf6_no_way_round, mf7_factors_want_a_fresh_session,
                a_new_device_is_told_of;
            sessions: se5_ends_count_on_the_next_request, se6_sessions_are_ones_own,
                se7_logging_out_everywhere_leaves_none_behind, se8_a_change_of_password_carries_one_session_over;
            throttling: lt1_account_and_address_count_apart, lt2_a_known_device_and_a_reset_let_the_owner_in,
                lt3_counted_before_verifying, lt5_throttled_right_and_wrong_are_alike, rl2_networks_and_exact_counts;
            whole_flow: by_link, profile_is_edited;
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __http_checks_of_routes {
    ($open:ident $profile:ident $(, $other:ident)*) => {
        $crate::__http_checks! { $open $profile
            routes: every_route_is_in_the_table, lt4_every_operation_is_throttled, rb1_guarded_operations_want_a_credential,
                rb1_routes_by_role $(, $other)*;
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __http_checks {
    ($open:ident $profile:ident $($module:ident: $($check:ident),+;)+) => {
        $(mod $module {
            $(#[test]
            fn $check() {
                $crate::block_on(async {
                    let (subject, profile) = (super::$open().await, $crate::http::Profile::$profile());
                    let check: $crate::http::Check =
                        (stringify!($check), |mount| ::std::boxed::Box::pin($crate::http::$module::$check(mount)));
                    $crate::http::Subject::run(subject, profile, check).await;
                });
            })+
        })+
    };
}

#[cfg(test)]
mod tests {
    // A check that is written but not listed would never run.
    #[test]
    fn every_check_is_listed() {
        let listed = include_str!("mod.rs");
        for source in [
            include_str!("access_token.rs"),
            include_str!("account.rs"),
            include_str!("admin.rs"),
            include_str!("audit.rs"),
            include_str!("concealed.rs"),
            include_str!("cookies.rs"),
            include_str!("enumeration.rs"),
            include_str!("errors.rs"),
            include_str!("idempotency.rs"),
            include_str!("input.rs"),
            include_str!("one_time_tokens.rs"),
            include_str!("openapi.rs"),
            include_str!("origins.rs"),
            include_str!("pages.rs"),
            include_str!("passwords.rs"),
            include_str!("profiles.rs"),
            include_str!("queries.rs"),
            include_str!("refresh.rs"),
            include_str!("routes.rs"),
            include_str!("second_factors.rs"),
            include_str!("service.rs"),
            include_str!("sessions.rs"),
            include_str!("throttling.rs"),
            include_str!("two_step.rs"),
            include_str!("whole_flow.rs"),
        ] {
            for check in source.lines().filter_map(|line| line.strip_prefix("pub async fn ")) {
                let name = check.split('(').next().unwrap_or_default();
                assert!(listed.contains(&format!(" {name}")), "{name} is not in http_suite!");
            }
        }
    }
}
