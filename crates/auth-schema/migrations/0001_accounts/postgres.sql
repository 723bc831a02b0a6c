-- Accounts: users, their sessions and one-time tokens, outgoing mail, keys, and the audit log.
-- Times are microseconds since the Unix epoch, UTC. Digests, MACs and sealed values are made by the application.

create table auth_users (
    id                uuid primary key,
    email             text not null,
    -- The form that addresses are compared by, byte by byte; email is the owner's spelling.
    email_canonical   text collate "C" not null,
    email_verified_at bigint,
    password_hash     text,
    name              text,
    image_url         text,
    phone_number      text,
    locale            text,
    status            text not null,
    -- Sessions of an earlier epoch are dead.
    epoch             bigint not null,
    created_at        bigint not null,
    constraint auth_users_email_key unique (email_canonical),
    constraint auth_users_status_check check (status in ('active', 'suspended')),
    constraint auth_users_epoch_check check (epoch >= 0)
);

create table auth_roles (
    name text primary key
);

insert into auth_roles (name) values ('user'), ('admin');

create table auth_user_roles (
    user_id uuid not null references auth_users (id) on delete cascade,
    role    text not null references auth_roles (name),
    constraint auth_user_roles_pkey primary key (user_id, role)
);

create index auth_user_roles_role on auth_user_roles (role);

create table auth_sessions (
    id               uuid primary key,
    user_id          uuid not null references auth_users (id) on delete cascade,
    epoch            bigint not null,
    refresh_salt     bytea not null,
    refresh_counter  bigint not null,
    rotated_at       bigint not null,
    created_at       bigint not null,
    authenticated_at bigint not null,
    last_seen_at     bigint not null,
    idle_until       bigint not null,
    ends_at          bigint not null,
    -- The row outlives the session, so that earlier refresh tokens are recognised as stolen.
    kept_until       bigint not null,
    methods          text not null,
    device_id        uuid not null,
    ip               text,
    user_agent       text,
    closed_at        bigint,
    constraint auth_sessions_refresh_salt_check check (length(refresh_salt) = 16),
    constraint auth_sessions_refresh_counter_check check (refresh_counter >= 0)
);

create index auth_sessions_user on auth_sessions (user_id);
create index auth_sessions_kept_until on auth_sessions (kept_until);

create table auth_one_time_tokens (
    id              uuid primary key,
    user_id         uuid not null references auth_users (id) on delete cascade,
    purpose         text not null,
    email           text not null,
    email_canonical text collate "C" not null,
    link_digest     bytea not null,
    link_until      bigint not null,
    code_mac        bytea not null,
    code_until      bigint not null,
    attempts        bigint not null,
    -- Of the client that asked, under a key.
    requested_from  bytea not null,
    created_at      bigint not null,
    constraint auth_one_time_tokens_link_key unique (link_digest),
    constraint auth_one_time_tokens_link_check check (length(link_digest) = 32),
    constraint auth_one_time_tokens_code_check check (length(code_mac) = 40),
    constraint auth_one_time_tokens_attempts_check check (attempts >= 0)
);

create index auth_one_time_tokens_user on auth_one_time_tokens (user_id, purpose, created_at);
create index auth_one_time_tokens_link_until on auth_one_time_tokens (link_until);

-- Uses of what an account may do only so often, within the window that ends at ends_at.
create table auth_budgets (
    user_id        uuid not null references auth_users (id) on delete cascade,
    budget         text not null,
    window_seconds bigint not null,
    ends_at        bigint not null,
    used           bigint not null,
    constraint auth_budgets_pkey primary key (user_id, budget, window_seconds),
    constraint auth_budgets_used_check check (used >= 0)
);

create index auth_budgets_ends_at on auth_budgets (ends_at);

create table auth_mail_outbox (
    id         uuid primary key,
    recipient  text not null,
    recipient_canonical text not null,
    kind       text not null,
    -- Sealed; erased when the mail is sent or given up.
    body       bytea,
    state      text not null,
    created_at bigint not null,
    expires_at bigint not null,
    -- The end of the lease, of a leased mail: then it is due again.
    due_at     bigint not null,
    lease      uuid,
    attempts   bigint not null,
    reason     text,
    -- When it was sent or given up, at the latest.
    done_at    bigint,
    constraint auth_mail_outbox_state_check check (state in ('queued', 'sent', 'dead')),
    constraint auth_mail_outbox_body_check check ((state = 'queued') = (body is not null))
);

create index auth_mail_outbox_due_at on auth_mail_outbox (state, due_at);
create index auth_mail_outbox_expires_at on auth_mail_outbox (state, expires_at);
create index auth_mail_outbox_done_at on auth_mail_outbox (done_at);

create table auth_idempotency (
    key_digest    bytea primary key,
    fingerprint   bytea not null,
    claim         uuid not null,
    claimed_until bigint not null,
    expires_at    bigint not null,
    -- Sealed; null while the first request is under way.
    reply         bytea,
    constraint auth_idempotency_key_check check (length(key_digest) = 32),
    constraint auth_idempotency_fingerprint_check check (length(fingerprint) = 40)
);

create index auth_idempotency_expires_at on auth_idempotency (expires_at);

-- What one node at a time does.
create table auth_leases (
    name       text primary key,
    holder     uuid not null,
    held_until bigint not null
);

create table auth_signing_keys (
    number      bigint primary key,
    kid         text not null,
    public_key  bytea not null,
    -- Sealed.
    private_key bytea not null,
    created_at  bigint not null,
    constraint auth_signing_keys_public_check check (length(public_key) = 32)
);

create table auth_pepper_checks (
    key_id bytea primary key,
    mac    bytea not null,
    constraint auth_pepper_checks_key_check check (length(key_id) = 8),
    constraint auth_pepper_checks_mac_check check (length(mac) = 40)
);

-- No foreign keys: an entry outlives those it tells of.
create table auth_audit_events (
    id          uuid primary key,
    occurred_at bigint not null,
    kind        text not null,
    actor_id    uuid,
    subject_id  uuid,
    ip          text,
    user_agent  text,
    request_id  text,
    detail      text not null
);

create index auth_audit_events_occurred_at on auth_audit_events (occurred_at, id);
create index auth_audit_events_subject on auth_audit_events (subject_id, occurred_at, id);
