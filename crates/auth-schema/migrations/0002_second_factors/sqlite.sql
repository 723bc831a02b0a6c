-- Second factors, challenges between the two steps of a sign-in, and tokens that are about a session.

-- The second factors that are on, by name, separated by blanks.
alter table auth_users add column factors text not null default '';

-- Of a challenge: the epoch in which the password was right, the device where it was known, and how the user proved who they
-- are so far.
alter table auth_one_time_tokens add column epoch integer;
alter table auth_one_time_tokens add column device_id blob;
alter table auth_one_time_tokens add column methods text;
-- The session that the token is about.
alter table auth_one_time_tokens add column session_id blob;

-- What authenticator apps share with us.
create table auth_totp_secrets (
    id            blob primary key,
    user_id       blob not null references auth_users (id) on delete cascade,
    -- Sealed.
    secret        blob not null,
    -- The last time step that was spent; null until the secret is on.
    last_step     integer,
    -- The end of an enrolment that isn't confirmed; null once it is.
    pending_until integer,
    constraint auth_totp_secrets_state_check check ((last_step is null) = (pending_until is not null))
) strict;

create index auth_totp_secrets_user on auth_totp_secrets (user_id);
create index auth_totp_secrets_pending_until on auth_totp_secrets (pending_until);

create table auth_recovery_codes (
    user_id  blob not null references auth_users (id) on delete cascade,
    code_mac blob not null,
    constraint auth_recovery_codes_pkey primary key (user_id, code_mac),
    constraint auth_recovery_codes_check check (length(code_mac) = 40)
) strict;
