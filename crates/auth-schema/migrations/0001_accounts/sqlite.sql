-- Accounts: users, their roles, sessions and one-time tokens, registrations that wait, outgoing mail, keys, and the audit
-- log.
-- Times are microseconds since the Unix epoch, UTC. Digests, MACs and sealed values are made by the application.

create table auth_users (
    id                blob primary key,
    email             text not null,
    -- The form that addresses are compared by, byte by byte; email is the owner's spelling.
    email_canonical   text not null,
    email_verified_at integer,
    password_hash     text,
    name              text,
    image_url         text,
    phone_number      text,
    locale            text,
    status            text not null,
    -- Sessions of an earlier epoch are dead. The user's epoch is this and auth_epoch's, so it may begin below zero.
    epoch             integer not null,
    -- Counts the changes of roles.
    roles_version     integer not null,
    -- The application's own fields: a JSON object, in the one spelling that the store writes.
    attributes        text not null,
    created_at        integer not null,
    constraint auth_users_email_key unique (email_canonical),
    constraint auth_users_status_check check (status in ('active', 'suspended')),
    constraint auth_users_roles_version_check check (roles_version >= 0)
) strict;

-- One row, which every user's epoch has in it: a step ends every session there is, however many users there are.
create table auth_epoch (
    id    integer primary key,
    epoch integer not null,
    constraint auth_epoch_id_check check (id = 1)
) strict;

insert into auth_epoch (id, epoch) values (1, 0);

create table auth_roles (
    name    text primary key,
    -- Of a role that somebody must hold: how many active users do. Of all others: null.
    holders integer,
    constraint auth_roles_holders_check check (holders >= 0)
) strict, without rowid;

insert into auth_roles (name, holders) values ('user', null), ('admin', 0);

create table auth_user_roles (
    user_id blob not null references auth_users (id) on delete cascade,
    role    text not null references auth_roles (name),
    constraint auth_user_roles_pkey primary key (user_id, role)
) strict, without rowid;

create index auth_user_roles_role on auth_user_roles (role);

create table auth_sessions (
    id               blob primary key,
    user_id          blob not null references auth_users (id) on delete cascade,
    epoch            integer not null,
    -- The user's, when the credential was handed out.
    roles_version    integer not null,
    -- The credential: the state of a refresh token, or the digest of a browser's secret.
    refresh_salt     blob,
    refresh_counter  integer,
    rotated_at       integer,
    secret_digest    blob,
    created_at       integer not null,
    authenticated_at integer not null,
    last_seen_at     integer not null,
    idle_until       integer not null,
    ends_at          integer not null,
    -- The row outlives the session, so that earlier refresh tokens are recognised as stolen.
    kept_until       integer not null,
    methods          text not null,
    device_id        blob not null,
    ip               text,
    user_agent       text,
    closed_at        integer,
    constraint auth_sessions_secret_key unique (secret_digest),
    constraint auth_sessions_secret_check check (length(secret_digest) = 32),
    constraint auth_sessions_refresh_salt_check check (length(refresh_salt) = 16),
    constraint auth_sessions_refresh_counter_check check (refresh_counter >= 0),
    constraint auth_sessions_credential_check check (
        (refresh_salt is null) = (secret_digest is not null)
        and (refresh_counter is null) = (secret_digest is not null)
        and (rotated_at is null) = (secret_digest is not null))
) strict;

create index auth_sessions_user on auth_sessions (user_id);
create index auth_sessions_kept_until on auth_sessions (kept_until);

create table auth_one_time_tokens (
    id              blob primary key,
    user_id         blob not null references auth_users (id) on delete cascade,
    purpose         text not null,
    -- Where it was mailed to.
    email           text not null,
    email_canonical text not null,
    -- The address that the user must still have; null: whichever they have.
    account         text,
    account_canonical text,
    link_digest     blob,
    link_until      integer not null,
    code_mac        blob,
    code_until      integer not null,
    attempts        integer not null,
    -- Of the client that asked, under a key.
    requested_from  blob not null,
    created_at      integer not null,
    constraint auth_one_time_tokens_link_key unique (link_digest),
    constraint auth_one_time_tokens_link_check check (length(link_digest) = 32),
    constraint auth_one_time_tokens_code_check check (length(code_mac) = 40),
    constraint auth_one_time_tokens_account_check check ((account is null) = (account_canonical is null)),
    constraint auth_one_time_tokens_attempts_check check (attempts >= 0)
) strict;

create index auth_one_time_tokens_user on auth_one_time_tokens (user_id, purpose, created_at);
create index auth_one_time_tokens_link_until on auth_one_time_tokens (link_until);

-- What somebody registered with, whose address is yet to be proved.
create table auth_pending_registrations (
    id              blob primary key,
    email           text not null,
    email_canonical text not null,
    -- Each address has few places: of racing registrations one gets a place.
    slot            integer not null,
    password_hash   text not null,
    name            text,
    locale          text,
    attributes      text not null,
    link_digest     blob not null,
    link_until      integer not null,
    code_mac        blob not null,
    code_until      integer not null,
    attempts        integer not null,
    -- Of the client that registered, under a key.
    requested_from  blob not null,
    created_at      integer not null,
    constraint auth_pending_registrations_slot_key unique (email_canonical, slot),
    constraint auth_pending_registrations_link_key unique (link_digest),
    constraint auth_pending_registrations_link_check check (length(link_digest) = 32),
    constraint auth_pending_registrations_code_check check (length(code_mac) = 40),
    constraint auth_pending_registrations_attempts_check check (attempts >= 0)
) strict;

create index auth_pending_registrations_link_until on auth_pending_registrations (link_until);

-- Uses of what somebody may do only so often, within the window that ends at ends_at.
create table auth_budgets (
    -- A user's id, or made from the digest of an address without an account.
    subject        blob not null,
    budget         text not null,
    window_seconds integer not null,
    ends_at        integer not null,
    used           integer not null,
    constraint auth_budgets_pkey primary key (subject, budget, window_seconds),
    constraint auth_budgets_used_check check (used >= 0)
) strict, without rowid;

create index auth_budgets_ends_at on auth_budgets (ends_at);

create table auth_mail_outbox (
    id         blob primary key,
    -- Whose account it is about; null where there is none.
    user_id    blob references auth_users (id) on delete cascade,
    recipient  text not null,
    recipient_canonical text not null,
    kind       text not null,
    -- Sealed; erased when the mail is sent or expires. Until then, what was given up can be retried.
    body       blob,
    state      text not null,
    created_at integer not null,
    expires_at integer not null,
    -- The end of the lease, of a leased mail: then it is due again.
    due_at     integer not null,
    lease      blob,
    attempts   integer not null,
    reason     text,
    -- When it was sent or given up, at the latest.
    done_at    integer,
    constraint auth_mail_outbox_state_check check (state in ('queued', 'sent', 'dead')),
    constraint auth_mail_outbox_body_check check (state = 'dead' or (state = 'queued') = (body is not null))
) strict;

create index auth_mail_outbox_due_at on auth_mail_outbox (state, due_at);
create index auth_mail_outbox_expires_at on auth_mail_outbox (state, expires_at);
create index auth_mail_outbox_done_at on auth_mail_outbox (done_at);
create index auth_mail_outbox_user on auth_mail_outbox (user_id, id);

create table auth_idempotency (
    key_digest    blob primary key,
    fingerprint   blob not null,
    claim         blob not null,
    claimed_until integer not null,
    expires_at    integer not null,
    -- Sealed; null while the first request is under way.
    reply         blob,
    constraint auth_idempotency_key_check check (length(key_digest) = 32),
    constraint auth_idempotency_fingerprint_check check (length(fingerprint) = 40)
) strict;

create index auth_idempotency_expires_at on auth_idempotency (expires_at);

-- What one node at a time does.
create table auth_leases (
    name       text primary key,
    holder     blob not null,
    held_until integer not null
) strict, without rowid;

create table auth_signing_keys (
    number      integer primary key,
    kid         text not null,
    public_key  blob not null,
    -- Sealed.
    private_key blob not null,
    created_at  integer not null,
    constraint auth_signing_keys_public_check check (length(public_key) = 32)
) strict;

create table auth_pepper_checks (
    key_id blob primary key,
    mac    blob not null,
    constraint auth_pepper_checks_key_check check (length(key_id) = 8),
    constraint auth_pepper_checks_mac_check check (length(mac) = 40)
) strict, without rowid;

-- No foreign keys: an entry outlives those it tells of.
create table auth_audit_events (
    id          blob primary key,
    occurred_at integer not null,
    kind        text not null,
    actor_id    blob,
    subject_id  blob,
    ip          text,
    user_agent  text,
    request_id  text,
    detail      text not null
) strict;

create index auth_audit_events_occurred_at on auth_audit_events (occurred_at, id);
create index auth_audit_events_subject on auth_audit_events (subject_id, occurred_at, id);
create index auth_audit_events_actor on auth_audit_events (actor_id, occurred_at, id);
create index auth_audit_events_kind on auth_audit_events (kind, occurred_at, id);
