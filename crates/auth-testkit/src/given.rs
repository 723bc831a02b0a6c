//! Valid values to start a test from, each different from every other; and the same, stored.
//!
//! Ids, addresses, hashes and secrets are random, times are fixed. Change what the test is about:
//!
//! ```
//! use auth_core::domain::{Status, User};
//! use auth_testkit::given;
//!
//! let suspended = User { status: Status::Suspended, ..given::user() };
//! ```

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use auth_core::adapter::SystemEntropy;
use auth_core::domain::{
    Attributes, AuditEvent, AuditKind, Credential, Digest, Email, Epoch, Factors, KeyId, Mac, MailKind, Method,
    Methods, PasswordHash, Pending, PepperCheck, Profile, Purpose, RefreshState, Role, Sealed, SealedMail, Secret,
    Session, SigningKey, Status, Timestamp, Token, TotpSecret, User, UserId,
};
use auth_core::port::{Change, Claimed, Entropy, Store};
use uuid::Uuid;

/// 2026-01-01T00:00:00.123457Z: an odd number of microseconds, so that a store which rounds is caught.
pub const NOW: Timestamp = Timestamp::from_micros(1_767_225_600_123_457);

/// The smallest step of time.
pub const TICK: Duration = Duration::from_micros(1);
/// A minute.
pub const MINUTE: Duration = Duration::from_secs(60);
/// An hour.
pub const HOUR: Duration = Duration::from_secs(60 * 60);
/// A day.
pub const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A user who has just registered. Not stored.
pub fn user() -> User {
    User {
        id: id(),
        email: email(),
        email_verified_at: None,
        profile: Profile { name: Some("Ann Example".into()), locale: Some("en".into()), ..Profile::default() },
        status: Status::Active,
        epoch: Epoch::FIRST,
        roles: vec![Role::user()],
        roles_version: 0,
        factors: Factors::default(),
        attributes: Attributes::default(),
        created_at: NOW,
    }
}

/// A session of `user` with tokens, in their epoch. Not stored.
pub fn session(user: &User) -> Session {
    Session {
        id: id(),
        user: user.id,
        epoch: user.epoch,
        roles_version: user.roles_version,
        credential: Credential::Tokens(RefreshState::new(NOW, &SystemEntropy)),
        created_at: NOW,
        authenticated_at: NOW,
        last_seen_at: NOW,
        idle_until: NOW + 7 * DAY,
        ends_at: NOW + 30 * DAY,
        kept_until: NOW + 31 * DAY,
        methods: Methods::of(&[Method::Password]),
        device: id(),
        ip: Some(IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1))),
        user_agent: Some("Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0".into()),
        closed_at: None,
    }
}

/// A session of `user` in a browser, in their epoch. Not stored.
pub fn cookie_session(user: &User) -> Session {
    Session { credential: Credential::Cookie(digest()), ..session(user) }
}

/// A registration of an address that nobody has, in its first slot. Not stored.
pub fn pending() -> Pending {
    Pending {
        id: id(),
        email: email(),
        slot: 0,
        password: hash(),
        name: Some("Ann Example".into()),
        locale: Some("en".into()),
        attributes: Attributes::default(),
        link: digest(),
        link_until: NOW + DAY,
        code: mac(),
        code_until: NOW + DAY,
        attempts: 0,
        requested_from: digest(),
        created_at: NOW,
    }
}

/// A token of `user` with link and code, mailed to their address and good as long as they have it. Not stored.
pub fn token(user: &User, purpose: Purpose) -> Token {
    Token {
        id: id(),
        user: user.id,
        purpose,
        email: user.email.clone(),
        account: Some(user.email.clone()),
        link: Some(digest()),
        link_until: NOW + DAY,
        code: Some(mac()),
        code_until: NOW + 10 * MINUTE,
        attempts: 0,
        requested_from: digest(),
        sign_in: None,
        session: None,
        created_at: NOW,
    }
}

/// What an authenticator app of `user` is to share with us, enrolled and good for an hour. Not stored.
pub fn totp_secret(user: &User) -> TotpSecret {
    TotpSecret { id: id(), user: user.id, secret: sealed(), last_step: None, pending_until: Some(NOW + HOUR) }
}

/// Issuing a token, however many there are.
pub fn issue(token: Token) -> Change {
    Change::IssueToken { token, at_most: u32::MAX }
}

/// A mail about nobody's account, enqueued at `at`, good for a day. Not stored.
pub fn mail(at: Timestamp) -> SealedMail {
    SealedMail {
        id: id(),
        user: None,
        to: email(),
        kind: MailKind::Verify,
        body: sealed(),
        created_at: at,
        expires_at: at + DAY,
    }
}

/// An audit entry about `subject`. Not stored.
pub fn event(subject: UserId) -> AuditEvent {
    AuditEvent {
        id: id(),
        at: NOW,
        kind: AuditKind::Registered,
        actor: Some(subject),
        subject: Some(subject),
        ip: Some(IpAddr::from([192, 0, 2, 7])),
        user_agent: Some("curl/8.11.1".into()),
        request_id: Some(id::<UserId>().to_string()),
        detail: [("method".to_owned(), "password".to_owned())].into(),
    }
}

/// A signing key of a number that is probably free. Not stored.
pub fn signing_key() -> SigningKey {
    SigningKey {
        number: u32::from_le_bytes(bytes()),
        kid: Secret::new(&SystemEntropy).expose(),
        public: bytes(),
        private: sealed(),
        created_at: NOW,
    }
}

/// A pepper check. Not stored.
pub fn pepper_check() -> PepperCheck {
    let mac = mac();
    PepperCheck { key: mac.key(), mac }
}

/// A claim of a new idempotency key at [`NOW`], good for a minute, its reply for a day.
pub fn claimed() -> Claimed {
    Claimed { key: digest(), fingerprint: mac(), claim: id(), claimed_until: NOW + MINUTE, expires_at: NOW + DAY }
}

/// A new id, of whatever type is asked for.
pub fn id<T: From<Uuid>>() -> T {
    T::from(uuid::Builder::from_random_bytes(bytes()).into_uuid())
}

/// A new address.
pub fn email() -> Email {
    email_with("u")
}

/// A new address whose local part begins with `start`.
pub fn email_with(start: &str) -> Email {
    let unique = id::<UserId>().as_uuid().simple().to_string();
    Email::parse(&format!("{start}-{unique}@example.com")).expect("an address")
}

/// What looks like an Argon2id hash, in both cases as base64 is.
pub fn hash() -> PasswordHash {
    let output = Secret::new(&SystemEntropy).expose().replace(['-', '_'], "+");
    PasswordHash::from_stored(format!("$argon2id$v=19$m=19456,t=2,p=1,keyid=Y2EwZg$Zm9vYmFyYmF6cXV4$aB{output}"))
}

/// A new digest.
pub fn digest() -> Digest {
    Secret::new(&SystemEntropy).digest()
}

/// A new MAC under a new key.
pub fn mac() -> Mac {
    let mut stored = [0; Mac::LEN];
    stored[..8].copy_from_slice(KeyId::from_fingerprint(bytes()).as_bytes());
    stored[8..].copy_from_slice(&bytes::<32>());
    Mac::from_bytes(&stored).expect("a MAC")
}

/// What looks like a sealed value; every byte value is in it.
pub fn sealed() -> Sealed {
    let mut stored: Vec<u8> = (0..=255).collect();
    stored.extend(bytes::<32>());
    Sealed::from_bytes(stored)
}

/// Random bytes.
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    SystemEntropy.fill(&mut bytes);
    bytes
}

/// Creating `user` with a password.
pub fn create(user: &User) -> Change {
    Change::CreateUser { user: user.clone(), password: Some(hash()) }
}

/// A user who is stored, with a password.
pub async fn registered(store: &dyn Store) -> User {
    let user = user();
    store.commit(&[create(&user)]).await.expect("to register a user");
    user
}

/// A session of `user` with tokens that is stored.
pub async fn signed_in(store: &dyn Store, user: &User) -> Session {
    let session = session(user);
    store.commit(&[Change::OpenSession(session.clone())]).await.expect("to open a session");
    session
}

/// A token of `user` that is stored.
pub async fn issued(store: &dyn Store, user: &User, purpose: Purpose) -> Token {
    let token = token(user, purpose);
    store.commit(&[issue(token.clone())]).await.expect("to issue a token");
    token
}
