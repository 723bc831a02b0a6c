//! The tables of [`auth_schema`] as diesel knows them: names and types of columns, in the order of the migrations.

/// What differs from dialect to dialect.
pub(crate) mod sql_types {
    pub(crate) use super::super::dialect::IdType as Id;
}

diesel::table! {
    use diesel::sql_types::{BigInt, Nullable, Text};
    use super::sql_types::Id;

    auth_users (id) {
        id -> Id,
        email -> Text,
        email_canonical -> Text,
        email_verified_at -> Nullable<BigInt>,
        password_hash -> Nullable<Text>,
        name -> Nullable<Text>,
        image_url -> Nullable<Text>,
        phone_number -> Nullable<Text>,
        locale -> Nullable<Text>,
        status -> Text,
        epoch -> BigInt,
        roles_version -> BigInt,
        attributes -> Text,
        created_at -> BigInt,
        factors -> Text,
    }
}

diesel::table! {
    auth_epoch (id) {
        id -> BigInt,
        epoch -> BigInt,
    }
}

diesel::table! {
    auth_roles (name) {
        name -> Text,
        holders -> Nullable<BigInt>,
    }
}

diesel::table! {
    use diesel::sql_types::Text;
    use super::sql_types::Id;

    auth_user_roles (user_id, role) {
        user_id -> Id,
        role -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Nullable, Text};
    use super::sql_types::Id;

    auth_sessions (id) {
        id -> Id,
        user_id -> Id,
        epoch -> BigInt,
        roles_version -> BigInt,
        refresh_salt -> Nullable<Binary>,
        refresh_counter -> Nullable<BigInt>,
        rotated_at -> Nullable<BigInt>,
        secret_digest -> Nullable<Binary>,
        created_at -> BigInt,
        authenticated_at -> BigInt,
        last_seen_at -> BigInt,
        idle_until -> BigInt,
        ends_at -> BigInt,
        kept_until -> BigInt,
        methods -> Text,
        device_id -> Id,
        ip -> Nullable<Text>,
        user_agent -> Nullable<Text>,
        closed_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Nullable, Text};
    use super::sql_types::Id;

    auth_one_time_tokens (id) {
        id -> Id,
        user_id -> Id,
        purpose -> Text,
        email -> Text,
        email_canonical -> Text,
        account -> Nullable<Text>,
        account_canonical -> Nullable<Text>,
        link_digest -> Nullable<Binary>,
        link_until -> BigInt,
        code_mac -> Nullable<Binary>,
        code_until -> BigInt,
        attempts -> BigInt,
        requested_from -> Binary,
        created_at -> BigInt,
        epoch -> Nullable<BigInt>,
        device_id -> Nullable<Id>,
        methods -> Nullable<Text>,
        session_id -> Nullable<Id>,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Nullable};
    use super::sql_types::Id;

    auth_totp_secrets (id) {
        id -> Id,
        user_id -> Id,
        secret -> Binary,
        last_step -> Nullable<BigInt>,
        pending_until -> Nullable<BigInt>,
    }
}

diesel::table! {
    use diesel::sql_types::Binary;
    use super::sql_types::Id;

    auth_recovery_codes (user_id, code_mac) {
        user_id -> Id,
        code_mac -> Binary,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Nullable, Text};
    use super::sql_types::Id;

    auth_pending_registrations (id) {
        id -> Id,
        email -> Text,
        email_canonical -> Text,
        slot -> BigInt,
        password_hash -> Text,
        name -> Nullable<Text>,
        locale -> Nullable<Text>,
        attributes -> Text,
        link_digest -> Binary,
        link_until -> BigInt,
        code_mac -> Binary,
        code_until -> BigInt,
        attempts -> BigInt,
        requested_from -> Binary,
        created_at -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Text};
    use super::sql_types::Id;

    auth_budgets (subject, budget, window_seconds) {
        subject -> Id,
        budget -> Text,
        window_seconds -> BigInt,
        ends_at -> BigInt,
        used -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Nullable, Text};
    use super::sql_types::Id;

    auth_mail_outbox (id) {
        id -> Id,
        user_id -> Nullable<Id>,
        recipient -> Text,
        recipient_canonical -> Text,
        kind -> Text,
        body -> Nullable<Binary>,
        state -> Text,
        created_at -> BigInt,
        expires_at -> BigInt,
        due_at -> BigInt,
        lease -> Nullable<Id>,
        attempts -> BigInt,
        reason -> Nullable<Text>,
        done_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Nullable};
    use super::sql_types::Id;

    auth_idempotency (key_digest) {
        key_digest -> Binary,
        fingerprint -> Binary,
        claim -> Id,
        claimed_until -> BigInt,
        expires_at -> BigInt,
        reply -> Nullable<Binary>,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Text};
    use super::sql_types::Id;

    auth_leases (name) {
        name -> Text,
        holder -> Id,
        held_until -> BigInt,
    }
}

diesel::table! {
    auth_signing_keys (number) {
        number -> BigInt,
        kid -> Text,
        public_key -> Binary,
        private_key -> Binary,
        created_at -> BigInt,
    }
}

diesel::table! {
    auth_pepper_checks (key_id) {
        key_id -> Binary,
        mac -> Binary,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Nullable, Text};
    use super::sql_types::Id;

    auth_audit_events (id) {
        id -> Id,
        occurred_at -> BigInt,
        kind -> Text,
        actor_id -> Nullable<Id>,
        subject_id -> Nullable<Id>,
        ip -> Nullable<Text>,
        user_agent -> Nullable<Text>,
        request_id -> Nullable<Text>,
        detail -> Text,
    }
}

diesel::table! {
    auth_schema_version (version) {
        version -> BigInt,
        name -> Text,
    }
}

diesel::joinable!(auth_user_roles -> auth_users (user_id));
diesel::joinable!(auth_user_roles -> auth_roles (role));
diesel::joinable!(auth_sessions -> auth_users (user_id));
diesel::joinable!(auth_one_time_tokens -> auth_users (user_id));

diesel::allow_tables_to_appear_in_same_query!(
    auth_users,
    auth_epoch,
    auth_roles,
    auth_user_roles,
    auth_sessions,
    auth_one_time_tokens,
    auth_totp_secrets,
    auth_mail_outbox,
);
