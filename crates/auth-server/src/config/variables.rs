//! Every variable there is, and those that there are not yet.

/// The names of all variables that configure the server. `.env.example` and the configuration page are checked against
/// this list.
pub(crate) const VARIABLES: &[&str] = &[
    "AUTH_LISTEN",
    "AUTH_PROFILE",
    "PUBLIC_URL",
    "FRONTEND_URL",
    "DATABASE_URL",
    "AUTH_STORE",
    "AUTH_WEB",
    "AUTH_PEPPER",
    "AUTH_PEPPER_OLD",
    "JWT_SECRET",
    "JWT_KEY_FILE",
    "AUTH_AUDIENCE",
    "AUTH_MAILER",
    "MAIL_FROM",
    "MAIL_DIR",
    "SMTP_HOST",
    "SMTP_PORT",
    "SMTP_USER",
    "SMTP_PASS",
    "SMTP_TLS",
    "SES_CONFIGURATION_SET",
    "SESSION_COOKIE_NAME",
    "CSRF_COOKIE_NAME",
    "COOKIE_DOMAIN",
    "SESSION_TTL_DAYS",
    "AUTH_SESSION_IDLE",
    "AUTH_SESSION_MAX",
    "AUTH_ACCESS_TTL",
    "AUTH_REFRESH_TTL",
    "AUTH_REUSE_LEEWAY",
    "AUTH_REUSE",
    "AUTH_ACCESS_CHECK",
    "AUTH_REGISTER_EXISTING",
    "AUTH_UNVERIFIED_SIGN_IN",
    "AUTH_MFA",
    "AUTH_THROTTLE",
    "REDIS_URL",
    "REDIS_PREFIX",
    "AUTH_TRUSTED_PROXIES",
    "AUTH_ALLOWED_ORIGINS",
    "AUTH_METRICS_LISTEN",
    "AUTH_LOG",
];

/// Settings that are planned and that this build lacks, each with the values that say what it does anyway. Any other
/// value is a mistake: a setting that does nothing is one that somebody relies on.
pub(crate) const RESERVED: &[(&str, &[&str])] = &[("AUTH_LOCAL_CACHE", &["0"])];
