//! Values in full, for comparing and for dumps: what [`Debug`](std::fmt::Debug) keeps private is in it.

use auth_core::domain::{
    Account, Email, LeasedMail, Mac, PasswordHash, PepperCheck, SealedMail, SigningKey, Token, User,
};

/// The user, address included.
pub fn user(user: &User) -> String {
    format!("{user:?} {}", email(&user.email))
}

/// The user with the password's hash.
pub fn account(account: &Account) -> String {
    let password = account.password.as_ref().map(PasswordHash::as_phc);
    format!("{} password={password:?}", user(&account.user))
}

/// The token, with everything that is kept of its link and code.
pub fn token(token: &Token) -> String {
    format!("{token:?} {} link={} code={}", email(&token.email), raw(token.link.as_bytes()), mac(&token.code))
}

/// The mail, recipient and sealed body included.
pub fn mail(mail: &SealedMail) -> String {
    format!("{mail:?} {} body={}", email(&mail.to), raw(mail.body.as_bytes()))
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

/// Bytes, with those that are text left readable: a secret kept as it is would be found.
pub fn raw(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

fn email(email: &Email) -> String {
    format!("email={} canonical={}", email.as_str(), email.canonical())
}
