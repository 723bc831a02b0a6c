//! Sessions of browsers: found by their secret, which is replaced after a change of roles.

use std::sync::Arc;

use auth_core::domain::{Credential, Digest, Epoch, Session, SessionKey, Signed, User};
use auth_core::port::{Change, Rejected, Store};

use super::{account, done, found_session, rejected};
use crate::given::{self, DAY, HOUR, NOW};
use crate::race::race;

/// SE1: a session is found by its secret's digest and by its id, the same, every field of it; by nothing else.
pub async fn se1_found_by_its_secret(store: &Arc<dyn Store>) {
    let user = User { roles_version: 3, ..given::user() };
    done(store, &[given::create(&user)]).await;
    let session = opened(store, Session { roles_version: 2, ..given::cookie_session(&user) }).await;
    let with_tokens = given::signed_in(&**store, &user).await;
    for found in [by_secret(store, &secret(&session)).await, found_session(store, session.id).await] {
        let found = found.expect("the session");
        assert_eq!((found.session, found.user), (session.clone(), user.clone()));
    }
    assert!(by_secret(store, &given::digest()).await.is_none());
    // Without a secret, a session isn't found by what might stand in its place.
    for nothing in [[0; 32], [0xff; 32]] {
        assert!(by_secret(store, &Digest::from_bytes(nothing)).await.is_none());
    }
    let listed = store.sessions_of(user.id).await.unwrap();
    assert!(listed.contains(&session) && listed.contains(&with_tokens));
}

/// Dead ones are found by their secret as well: whether they live is decided by who asks.
pub async fn dead_is_found_by_its_secret(store: &Arc<dyn Store>) {
    let user = given::registered(&**store).await;
    let closed = opened(store, given::cookie_session(&user)).await;
    let older = opened(store, given::cookie_session(&user)).await;
    let expired = Session { idle_until: NOW, ends_at: NOW, ..given::cookie_session(&user) };
    let expired = opened(store, expired).await;
    done(store, &[Change::CloseSession { user: user.id, session: closed.id, at: NOW + HOUR }]).await;
    done(store, &[Change::AdvanceEpoch { user: user.id }]).await;
    for session in [Session { closed_at: Some(NOW + HOUR), ..closed }, older, expired] {
        let found = by_secret(store, &secret(&session)).await.expect("the session");
        assert_eq!(found.session, session);
        assert_eq!(found.user.epoch, Epoch::FIRST.next());
    }
}

/// SE2: a new secret takes the place of the old one, which finds nothing any more; nothing else changes.
pub async fn se2_new_secret_replaces_the_old(store: &Arc<dyn Store>) {
    let user = given::registered(&**store).await;
    let session = opened(store, given::cookie_session(&user)).await;
    let other = opened(store, given::cookie_session(&user)).await;
    let to = given::digest();
    done(store, &[rotate(&session, &secret(&session), &to, 7)]).await;

    assert!(by_secret(store, &secret(&session)).await.is_none());
    let expected = Session { credential: Credential::Cookie(to), roles_version: 7, ..session.clone() };
    assert_eq!(by_secret(store, &to).await.unwrap().session, expected);
    assert_eq!(found_session(store, session.id).await.unwrap().session, expected);
    assert_eq!(by_secret(store, &secret(&other)).await.unwrap().session, other);
}

/// SE2, SE7: what isn't the current secret of an open session of that user, in their epoch, replaces nothing.
pub async fn se2_only_the_current_secret_rotates(store: &Arc<dyn Store>) {
    let (user, stranger) = (given::registered(&**store).await, given::registered(&**store).await);
    let session = opened(store, given::cookie_session(&user)).await;
    let closed = opened(store, given::cookie_session(&user)).await;
    let with_tokens = given::signed_in(&**store, &user).await;
    done(store, &[Change::CloseSession { user: user.id, session: closed.id, at: NOW }]).await;
    let current = secret(&session);
    let refused = [
        rotate(&session, &given::digest(), &given::digest(), 1),
        rotate(&session, &secret(&closed), &given::digest(), 1),
        rotate(&Session { user: stranger.id, ..session.clone() }, &current, &given::digest(), 1),
        rotate(&Session { user: given::id(), ..session.clone() }, &current, &given::digest(), 1),
        rotate(&Session { id: given::id(), ..session.clone() }, &current, &given::digest(), 1),
        rotate(&closed, &secret(&closed), &given::digest(), 1),
        rotate(&with_tokens, &given::digest(), &given::digest(), 1),
        // Nor does a browser's session take what is meant for one with tokens.
        Change::RotateRefresh {
            user: user.id,
            session: session.id,
            from: 0,
            at: NOW,
            idle_until: NOW + DAY,
            kept_until: NOW + DAY,
        },
    ];
    for change in refused {
        assert_eq!(rejected(store, &[change]).await, Rejected::Session);
    }
    assert_eq!(found_session(store, session.id).await.unwrap().session, session);
    assert_eq!(found_session(store, with_tokens.id).await.unwrap().session, with_tokens);

    done(store, &[Change::AdvanceEpoch { user: user.id }]).await;
    assert_eq!(rejected(store, &[rotate(&session, &current, &given::digest(), 1)]).await, Rejected::Session);
    assert_eq!(by_secret(store, &current).await.unwrap().session, session);
}

/// SE2: of 50 racing replacements of one secret one wins; its secret is the session's.
pub async fn se2_rotate_race_has_one_winner(store: &Arc<dyn Store>) {
    let user = given::registered(&**store).await;
    let session = opened(store, given::cookie_session(&user)).await;
    let secrets: Vec<Digest> = (0..50).map(|_| given::digest()).collect();
    let outcomes = race(50, |i| {
        let change = rotate(&session, &secret(&session), &secrets[i], 1);
        let store = store.clone();
        async move { store.commit(&[change]).await }
    })
    .await;
    let winner = outcomes.single_ok();
    outcomes.losers_were_rejected(Rejected::Session);
    for (i, secret) in secrets.iter().enumerate() {
        assert_eq!(by_secret(store, secret).await.map(|found| found.session.id), (i == winner).then_some(session.id));
    }
}

/// A browser's session is touched and closed like any other.
pub async fn used_and_ended_like_any_other(store: &Arc<dyn Store>) {
    let user = given::registered(&**store).await;
    let session = opened(store, given::cookie_session(&user)).await;
    let (at, idle_until) = (NOW + HOUR, NOW + DAY);
    done(store, &[Change::TouchSession { user: user.id, session: session.id, at, idle_until }]).await;
    done(store, &[Change::CloseSession { user: user.id, session: session.id, at }]).await;
    let found = by_secret(store, &secret(&session)).await.unwrap().session;
    assert_eq!(found, Session { last_seen_at: at, idle_until, closed_at: Some(at), ..session });
    assert_eq!(account(store, user.id).await.user, user);
}

async fn opened(store: &Arc<dyn Store>, session: Session) -> Session {
    done(store, &[Change::OpenSession(session.clone())]).await;
    session
}

async fn by_secret(store: &Arc<dyn Store>, secret: &Digest) -> Option<Signed> {
    store.find_session(&SessionKey::Secret(*secret)).await.unwrap()
}

fn secret(session: &Session) -> Digest {
    *session.credential.secret().expect("a session of a browser")
}

fn rotate(session: &Session, from: &Digest, to: &Digest, roles_version: u32) -> Change {
    Change::RotateSecret { user: session.user, session: session.id, from: *from, to: *to, roles_version }
}
