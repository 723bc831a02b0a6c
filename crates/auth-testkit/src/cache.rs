//! The conformance suite of caches of sessions.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use auth_core::domain::{
    Attributes, Credential, Epoch, Factor, Factors, Method, Methods, Profile, Role, Session, SessionKey, Signed,
    Status, User,
};
use auth_core::port::{Cached, SessionCache, Ticket};

use crate::given::{self, HOUR, NOW};
use crate::race::race;

/// Makes a test of every check of [`SessionCache`].
///
/// Takes the name of an `async fn() -> Arc<C>`, where `C` implements the port, in the module that calls it. The cache may be
/// a new one each time; where it is always the same, checks must not run at once, as one of them forgets everybody. Copies must
/// live long enough for a check to find them.
///
/// ```
/// mod conformance {
///     use std::sync::Arc;
///
///     use auth_core::adapter::LocalSessions; // yours
///
///     async fn open() -> Arc<LocalSessions> {
///         Arc::default()
///     }
///
///     auth_testkit::cache_suite!(open);
/// }
/// ```
#[macro_export]
macro_rules! cache_suite {
    ($make:ident) => {
        mod cache {
            $crate::__checks! { $make, SessionCache, [cache],
                kept_is_found
                nothing_is_lost_of_a_copy
                keys_and_users_are_apart
                kept_again_is_replaced
                se5_forgotten_is_not_found
                se5_everybody_is_forgotten
                se5_what_raced_a_revocation_is_not_kept
                se5_what_was_revoked_is_never_found
            }
        }
    };
}

/// What was kept is found, by whoever asks next.
pub async fn kept_is_found(cache: &Arc<dyn SessionCache>) {
    let signed = signed();
    let ticket = missed(cache, &signed).await;
    missed(cache, &signed).await;
    cache.keep(ticket, &signed).await;
    for _ in 0..3 {
        found(cache, &signed).await;
    }
}

/// A copy says all that the store said.
pub async fn nothing_is_lost_of_a_copy(cache: &Arc<dyn SessionCache>) {
    let bare = User { profile: Profile::default(), roles: Vec::new(), email_verified_at: None, ..given::user() };
    let full = User {
        email_verified_at: Some(NOW),
        profile: Profile {
            name: Some("Ännchen \u{1f600}".into()),
            image_url: Some("https://example.com/a.png".into()),
            phone_number: Some("+4930123456".into()),
            locale: Some("de-AT".into()),
        },
        status: Status::Suspended,
        epoch: Epoch::from_number(u32::MAX),
        roles: vec![Role::admin(), Role::parse("editor").expect("a role"), Role::user()],
        roles_version: u32::MAX,
        factors: Factors::of(&[Factor::Email, Factor::Totp]),
        attributes: Attributes::default()
            .with("plan", "pro")
            .and_then(|them| them.with("team", ""))
            .expect("attributes"),
        ..given::user()
    };
    for user in [bare, full] {
        let tokens = Session {
            methods: Methods::of(&[Method::Password, Method::Totp, Method::RecoveryCode, Method::EmailCode]),
            closed_at: Some(NOW + HOUR),
            ip: Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1))),
            ..given::session(&user)
        };
        let browser = Session { ip: None, user_agent: None, ..given::cookie_session(&user) };
        let refreshed = match tokens.credential {
            Credential::Tokens(state) => {
                let state = auth_core::domain::RefreshState { counter: u32::MAX, ..state };
                Session { id: given::id(), credential: Credential::Tokens(state), ..tokens.clone() }
            }
            Credential::Cookie(_) => unreachable!("given with tokens"),
        };
        for session in [tokens, browser, refreshed] {
            let signed = Arc::new(Signed { session, user: user.clone() });
            keep(cache, &signed).await;
            found(cache, &signed).await;
        }
    }
}

/// A copy is found by the key that it was kept under, as that user's, and by nothing else.
pub async fn keys_and_users_are_apart(cache: &Arc<dyn SessionCache>) {
    let user = given::user();
    let of = |session| Arc::new(Signed { session, user: user.clone() });
    let browser = of(given::cookie_session(&user));
    keep(cache, &browser).await;
    let by_id = SessionKey::Id(browser.session.id);
    assert!(matches!(cache.find(&by_id, user.id).await, Cached::Miss(_)), "it was kept by its secret");
    assert!(matches!(cache.find(&key(&browser), given::id()).await, Cached::Miss(_)), "it is somebody else's");
    let (first, second) = (of(given::session(&user)), of(given::session(&user)));
    keep(cache, &first).await;
    missed(cache, &second).await;
    for kept in [&browser, &first] {
        found(cache, kept).await;
    }
}

/// What is kept later is what is found.
pub async fn kept_again_is_replaced(cache: &Arc<dyn SessionCache>) {
    let signed = signed();
    let tickets = [missed(cache, &signed).await, missed(cache, &signed).await];
    for (ticket, name) in tickets.into_iter().zip(["Ann", "Ben"]) {
        let mut later = Signed::clone(&signed);
        later.user.profile.name = Some(name.into());
        let later = Arc::new(later);
        cache.keep(ticket, &later).await;
        found(cache, &later).await;
    }
}

/// SE5: what was forgotten of a user isn't found, whichever of their sessions it is; and may be kept anew.
pub async fn se5_forgotten_is_not_found(cache: &Arc<dyn SessionCache>) {
    let (first, other) = (signed(), signed());
    let user = &first.user;
    let second = Arc::new(Signed { session: given::cookie_session(user), user: user.clone() });
    for kept in [&first, &second, &other] {
        keep(cache, kept).await;
    }
    cache.forget(&[]).await;
    cache.forget(&[given::id(), user.id, given::id()]).await;
    for forgotten in [&first, &second] {
        missed(cache, forgotten).await;
        keep(cache, forgotten).await;
        found(cache, forgotten).await;
    }
    cache.forget(&[user.id, other.user.id]).await;
    for forgotten in [&first, &second, &other] {
        missed(cache, forgotten).await;
    }
}

/// SE5: everybody is forgotten at once.
pub async fn se5_everybody_is_forgotten(cache: &Arc<dyn SessionCache>) {
    let everybody: Vec<Arc<Signed>> = (0..20).map(|_| signed()).collect();
    for signed in &everybody {
        keep(cache, signed).await;
    }
    let raced = signed();
    let ticket = missed(cache, &raced).await;
    cache.forget_all().await;
    cache.keep(ticket, &raced).await;
    for signed in everybody.iter().chain([&raced]) {
        missed(cache, signed).await;
    }
}

/// SE5: what was read before a revocation isn't kept after it, by whichever key it was read.
pub async fn se5_what_raced_a_revocation_is_not_kept(cache: &Arc<dyn SessionCache>) {
    let user = given::user();
    for session in [given::session(&user), given::cookie_session(&user)] {
        let signed = Arc::new(Signed { session, user: user.clone() });
        let early = missed(cache, &signed).await;
        cache.forget(&[user.id]).await;
        let later = missed(cache, &signed).await;
        cache.keep(early, &signed).await;
        missed(cache, &signed).await;
        cache.keep(later, &signed).await;
        found(cache, &signed).await;
    }
}

/// SE5: while sessions are found, kept and forgotten at once, nobody finds what was revoked before they asked.
pub async fn se5_what_was_revoked_is_never_found(cache: &Arc<dyn SessionCache>) {
    const WRITERS: usize = 2;
    let user = given::user();
    // What the store would say, and what somebody was told that it says.
    let (truth, told) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let session = given::session(&user);
    race(8, |i| {
        let (cache, truth, told) = (cache.clone(), truth.clone(), told.clone());
        let (user, session) = (user.clone(), session.clone());
        async move {
            for _ in 0..200 {
                if i < WRITERS {
                    let version = truth.fetch_add(1, Ordering::SeqCst) + 1;
                    cache.forget(&[user.id]).await;
                    told.fetch_max(version, Ordering::SeqCst);
                    tokio::time::sleep(Duration::from_millis(2)).await;
                    continue;
                }
                let known = told.load(Ordering::SeqCst);
                match cache.find(&SessionKey::Id(session.id), user.id).await {
                    Cached::Hit(signed) => assert!(signed.user.roles_version >= known, "a revoked copy"),
                    Cached::Miss(ticket) => {
                        let roles_version = truth.load(Ordering::SeqCst);
                        tokio::task::yield_now().await;
                        let user = User { roles_version, ..user.clone() };
                        cache.keep(ticket, &Arc::new(Signed { session: session.clone(), user })).await;
                    }
                }
            }
        }
    })
    .await;
}

fn signed() -> Arc<Signed> {
    let user = given::user();
    Arc::new(Signed { session: given::session(&user), user })
}

/// What a session is looked up by.
fn key(signed: &Signed) -> SessionKey {
    match &signed.session.credential {
        Credential::Cookie(digest) => SessionKey::Secret(*digest),
        Credential::Tokens(_) => SessionKey::Id(signed.session.id),
    }
}

/// Expects it not to be found.
async fn missed(cache: &Arc<dyn SessionCache>, signed: &Signed) -> Ticket {
    match cache.find(&key(signed), signed.user.id).await {
        Cached::Miss(ticket) => ticket,
        Cached::Hit(found) => panic!("found: {found:?}"),
    }
}

/// Expects it to be found as it is.
async fn found(cache: &Arc<dyn SessionCache>, signed: &Signed) {
    match cache.find(&key(signed), signed.user.id).await {
        Cached::Hit(found) => {
            assert_eq!((&found.session, &found.user), (&signed.session, &signed.user));
        }
        Cached::Miss(_) => panic!("not found: {signed:?}"),
    }
}

/// Keeps it, as nobody has before.
async fn keep(cache: &Arc<dyn SessionCache>, signed: &Arc<Signed>) {
    cache.keep(missed(cache, signed).await, signed).await;
}
