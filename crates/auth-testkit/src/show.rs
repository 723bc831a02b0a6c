//! Values in full, for comparing and for dumps: what [`Debug`](std::fmt::Debug) keeps private is in it.

use auth_core::domain::{
    Account, Digest, Email, LeasedMail, Mac, MailRecord, PasswordHash, Pending, PepperCheck, SealedMail, Session,
    SigningKey, Token, TotpSecret, User,
};

/// The user, address included.
pub fn user(user: &User) -> String {
    format!("{user:?} {}", email(&user.email))
}

/// The user with the password's hash.
pub fn account(account: &Account) -> String {
    let password = account.password.as_ref().map(PasswordHash::as_str);
    format!("{} password={password:?}", user(&account.user))
}

/// The session, with what is kept of its secret.
pub fn session(session: &Session) -> String {
    format!("{session:?} secret={:?}", session.credential.secret().map(digest))
}

/// The token, with everything that is kept of its link and code.
pub fn token(token: &Token) -> String {
    let account = token.account.as_ref().map(email);
    let (link, code) = (token.link.as_ref().map(digest), token.code.as_ref().map(mac));
    format!("{token:?} {} account={account:?} link={link:?} code={code:?}", email(&token.email))
}

/// The waiting registration, with everything that is kept of its password, link and code.
pub fn pending(pending: &Pending) -> String {
    let (link, code, password) = (digest(&pending.link), mac(&pending.code), pending.password.as_str());
    format!("{pending:?} {} password={password:?} link={link} code={code}", email(&pending.email))
}

/// The authenticator's secret, sealed as it is.
pub fn totp_secret(secret: &TotpSecret) -> String {
    format!("{secret:?} secret={}", raw(secret.secret.as_bytes()))
}

/// The mail, recipient and sealed body included.
pub fn mail(mail: &SealedMail) -> String {
    format!("{mail:?} {} body={}", email(&mail.to), raw(mail.body.as_bytes()))
}

/// What is told of a mail, recipient included.
pub fn mail_record(record: &MailRecord) -> String {
    format!("{record:?} {}", email(&record.to))
}

/// The leased mail.
pub fn leased(leased: &LeasedMail) -> String {
    format!("{} lease={} attempts={}", mail(&leased.mail), leased.lease, leased.attempts)
}

/// The signing key, its sealed half included.
pub fn signing_key(key: &SigningKey) -> String {
    format!("{key:?} private={}", raw(key.private.as_bytes()))
}

/// The pepper check.
pub fn pepper_check(check: &PepperCheck) -> String {
    format!("{:?} mac={}", check.key, mac(&check.mac))
}

/// The MAC, key id first.
pub fn mac(mac: &Mac) -> String {
    raw(&mac.to_bytes())
}

/// The digest.
pub fn digest(digest: &Digest) -> String {
    raw(digest.as_bytes())
}

/// Bytes, with those that are text left readable: a secret kept as it is would be found.
pub fn raw(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

fn email(email: &Email) -> String {
    format!("email={} canonical={}", email.as_str(), email.canonical())
}
