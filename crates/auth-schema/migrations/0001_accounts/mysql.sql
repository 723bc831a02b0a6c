-- Accounts: users, their roles, sessions and one-time tokens, registrations that wait, outgoing mail, keys, and the audit
-- log.
-- Texts compare byte by byte, whatever the server's collation is. Canonical addresses are bytes to the server as well: all
-- collations that both MySQL and MariaDB have take no notice of spaces at the end.
-- Times are microseconds since the Unix epoch, UTC. Digests, MACs and sealed values are made by the application.

create table auth_users (
    id                binary(16) primary key,
    email             varchar(254) not null,
    -- The form that addresses are compared by, byte by byte; email is the owner's spelling.
    email_canonical   varbinary(254) not null,
    email_verified_at bigint,
    password_hash     text,
    name              text,
    image_url         text,
    phone_number      text,
    locale            text,
    status            varchar(64) not null,
    -- Sessions of an earlier epoch are dead. The user's epoch is this and auth_epoch's, so it may begin below zero.
    epoch             bigint not null,
    -- Counts the changes of roles.
    roles_version     bigint not null,
    -- The application's own fields: a JSON object, in the one spelling that the store writes.
    attributes        text not null,
    created_at        bigint not null,
    constraint auth_users_email_key unique (email_canonical),
    constraint auth_users_status_check check (status in ('active', 'suspended')),
    constraint auth_users_roles_version_check check (roles_version >= 0)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_bin;

-- One row, which every user's epoch has in it: a step ends every session there is, however many users there are.
create table auth_epoch (
    id    bigint primary key,
    epoch bigint not null,
    constraint auth_epoch_id_check check (id = 1)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_bin;

insert into auth_epoch (id, epoch) values (1, 0);

create table auth_roles (
    name    varchar(64) primary key,
    -- Of a role that somebody must hold: how many active users do. Of all others: null.
    holders bigint,
    constraint auth_roles_holders_check check (holders >= 0)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_bin;

insert into auth_roles (name, holders) values ('user', null), ('admin', 0);

create table auth_user_roles (
    user_id binary(16) not null,
    role    varchar(64) not null,
    constraint auth_user_roles_pkey primary key (user_id, role),
    constraint auth_user_roles_user_fkey foreign key (user_id) references auth_users (id) on delete cascade,
    constraint auth_user_roles_role_fkey foreign key (role) references auth_roles (name)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_bin;

create index auth_user_roles_role on auth_user_roles (role);

create table auth_sessions (
    id               binary(16) primary key,
    user_id          binary(16) not null,
    epoch            bigint not null,
    -- The user's, when the credential was handed out.
    roles_version    bigint not null,
    -- The credential: the state of a refresh token, or the digest of a browser's secret.
    refresh_salt     varbinary(16),
    refresh_counter  bigint,
    rotated_at       bigint,
    secret_digest    varbinary(32),
    created_at       bigint not null,
    authenticated_at bigint not null,
    last_seen_at     bigint not null,
    idle_until       bigint not null,
    ends_at          bigint not null,
    -- The row outlives the session, so that earlier refresh tokens are recognised as stolen.
    kept_until       bigint not null,
    methods          text not null,
    device_id        binary(16) not null,
    ip               varchar(45),
    user_agent       text,
    closed_at        bigint,
    constraint auth_sessions_secret_key unique (secret_digest),
    constraint auth_sessions_secret_check check (length(secret_digest) = 32),
    constraint auth_sessions_refresh_salt_check check (length(refresh_salt) = 16),
    constraint auth_sessions_refresh_counter_check check (refresh_counter >= 0),
    constraint auth_sessions_credential_check check (
        (refresh_salt is null) = (secret_digest is not null)
        and (refresh_counter is null) = (secret_digest is not null)
        and (rotated_at is null) = (secret_digest is not null)),
    constraint auth_sessions_user_fkey foreign key (user_id) references auth_users (id) on delete cascade
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_bin;

create index auth_sessions_user on auth_sessions (user_id);
create index auth_sessions_kept_until on auth_sessions (kept_until);

create table auth_one_time_tokens (
    id              binary(16) primary key,
    user_id         binary(16) not null,
    purpose         varchar(64) not null,
    -- Where it was mailed to.
    email           varchar(254) not null,
    email_canonical varbinary(254) not null,
    -- The address that the user must still have; null: whichever they have.
    account         varchar(254),
    account_canonical varbinary(254),
    link_digest     varbinary(32),
    link_until      bigint not null,
    code_mac        varbinary(40),
    code_until      bigint not null,
    attempts        bigint not null,
    -- Of the client that asked, under a key.
    requested_from  varbinary(32) not null,
    created_at      bigint not null,
    constraint auth_one_time_tokens_link_key unique (link_digest),
    constraint auth_one_time_tokens_link_check check (length(link_digest) = 32),
    constraint auth_one_time_tokens_code_check check (length(code_mac) = 40),
    constraint auth_one_time_tokens_account_check check ((account is null) = (account_canonical is null)),
    constraint auth_one_time_tokens_attempts_check check (attempts >= 0),
    constraint auth_one_time_tokens_user_fkey foreign key (user_id) references auth_users (id) on delete cascade
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_bin;

create index auth_one_time_tokens_user on auth_one_time_tokens (user_id, purpose, created_at);
create index auth_one_time_tokens_link_until on auth_one_time_tokens (link_until);

-- What somebody registered with, whose address is yet to be proved.
create table auth_pending_registrations (
    id              binary(16) primary key,
    email           varchar(254) not null,
    email_canonical varbinary(254) not null,
    -- Each address has few places: of racing registrations one gets a place.
    slot            bigint not null,
    password_hash   text not null,
    name            text,
    locale          text,
    attributes      text not null,
    link_digest     varbinary(32) not null,
    link_until      bigint not null,
    code_mac        varbinary(40) not null,
    code_until      bigint not null,
    attempts        bigint not null,
    -- Of the client that registered, under a key.
    requested_from  varbinary(32) not null,
    created_at      bigint not null,
    constraint auth_pending_registrations_slot_key unique (email_canonical, slot),
    constraint auth_pending_registrations_link_key unique (link_digest),
    constraint auth_pending_registrations_link_check check (length(link_digest) = 32),
    constraint auth_pending_registrations_code_check check (length(code_mac) = 40),
    constraint auth_pending_registrations_attempts_check check (attempts >= 0)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_bin;

create index auth_pending_registrations_link_until on auth_pending_registrations (link_until);

-- Uses of what somebody may do only so often, within the window that ends at ends_at.
create table auth_budgets (
    -- A user's id, or made from the digest of an address without an account.
    subject        binary(16) not null,
    budget         varchar(64) not null,
    window_seconds bigint not null,
    ends_at        bigint not null,
    used           bigint not null,
    constraint auth_budgets_pkey primary key (subject, budget, window_seconds),
    constraint auth_budgets_used_check check (used >= 0)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_bin;

create index auth_budgets_ends_at on auth_budgets (ends_at);

create table auth_mail_outbox (
    id         binary(16) primary key,
    -- Whose account it is about; null where there is none.
    user_id    binary(16),
    recipient  varchar(254) not null,
    recipient_canonical varbinary(254) not null,
    kind       varchar(64) not null,
    -- Sealed; erased when the mail is sent or expires. Until then, what was given up can be retried.
    body       mediumblob,
    state      varchar(64) not null,
    created_at bigint not null,
    expires_at bigint not null,
    -- The end of the lease, of a leased mail: then it is due again.
    due_at     bigint not null,
    lease      binary(16),
    attempts   bigint not null,
    reason     text,
    -- When it was sent or given up, at the latest.
    done_at    bigint,
    constraint auth_mail_outbox_state_check check (state in ('queued', 'sent', 'dead')),
    constraint auth_mail_outbox_body_check check (state = 'dead' or (state = 'queued') = (body is not null)),
    constraint auth_mail_outbox_user_fkey foreign key (user_id) references auth_users (id) on delete cascade
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_bin;

create index auth_mail_outbox_due_at on auth_mail_outbox (state, due_at);
create index auth_mail_outbox_expires_at on auth_mail_outbox (state, expires_at);
create index auth_mail_outbox_done_at on auth_mail_outbox (done_at);
create index auth_mail_outbox_user on auth_mail_outbox (user_id, id);

create table auth_idempotency (
    key_digest    varbinary(32) primary key,
    fingerprint   varbinary(40) not null,
    claim         binary(16) not null,
    claimed_until bigint not null,
    expires_at    bigint not null,
    -- Sealed; null while the first request is under way.
    reply         mediumblob,
    constraint auth_idempotency_key_check check (length(key_digest) = 32),
    constraint auth_idempotency_fingerprint_check check (length(fingerprint) = 40)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_bin;

create index auth_idempotency_expires_at on auth_idempotency (expires_at);

-- What one node at a time does.
create table auth_leases (
    name       varchar(64) primary key,
    holder     binary(16) not null,
    held_until bigint not null
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_bin;

create table auth_signing_keys (
    number      bigint primary key,
    kid         text not null,
    public_key  varbinary(32) not null,
    -- Sealed.
    private_key blob not null,
    created_at  bigint not null,
    constraint auth_signing_keys_public_check check (length(public_key) = 32)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_bin;

create table auth_pepper_checks (
    key_id varbinary(8) primary key,
    mac    varbinary(40) not null,
    constraint auth_pepper_checks_key_check check (length(key_id) = 8),
    constraint auth_pepper_checks_mac_check check (length(mac) = 40)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_bin;

-- No foreign keys: an entry outlives those it tells of.
create table auth_audit_events (
    id          binary(16) primary key,
    occurred_at bigint not null,
    kind        varchar(64) not null,
    actor_id    binary(16),
    subject_id  binary(16),
    ip          varchar(45),
    user_agent  text,
    request_id  text,
    detail      text not null
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_bin;

create index auth_audit_events_occurred_at on auth_audit_events (occurred_at, id);
create index auth_audit_events_subject on auth_audit_events (subject_id, occurred_at, id);
create index auth_audit_events_actor on auth_audit_events (actor_id, occurred_at, id);
create index auth_audit_events_kind on auth_audit_events (kind, occurred_at, id);
