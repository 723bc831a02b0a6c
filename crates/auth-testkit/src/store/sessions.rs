//! Sessions: opening, using, rotating and ending them.

use std::sync::Arc;

use auth_core::domain::{Credential, Epoch, Methods, RefreshState, Session, Status, Timestamp, User, UserId};
use auth_core::port::{Change, Rejected, Store};

use super::{done, found_session, live_sessions, rejected};
use crate::given::{self, DAY, HOUR, MINUTE, NOW, TICK};
use crate::race::race;

/// What was opened is found with its user, every field of it.
pub async fn opened_is_found(store: &Arc<dyn Store>) {
    let user = given::registered(&**store).await;
    let usual = given::session(&user);
    let each_time_its_own = Session {
        created_at: NOW + TICK,
        authenticated_at: NOW + 2 * TICK,
        last_seen_at: NOW + 3 * TICK,
        idle_until: NOW + 4 * TICK,
        ends_at: NOW + 5 * TICK,
        kept_until: NOW + 6 * TICK,
        credential: Credential::Tokens(RefreshState { salt: given::bytes(), counter: 7, rotated_at: NOW + 7 * TICK }),
        ..given::session(&user)
    };
    let bare = Session { ip: None, user_agent: None, methods: Methods::default(), ..given::session(&user) };
    for session in [usual, each_time_its_own, bare] {
        done(store, &[Change::OpenSession(session.clone())]).await;
        let found = found_session(store, session.id).await.expect("the session");
        assert_eq!(found.session, session);
        assert_eq!(found.user, user);
    }
    assert!(found_session(store, given::id()).await.is_none());
}

/// IN2: addresses and user agents come back as they went in, as long as they may be.
pub async fn in2_client_is_kept_exactly(store: &Arc<dyn Store>) {
    let user = given::registered(&**store).await;
    let ips =
        ["127.0.0.1", "255.255.255.255", "::", "::1", "::ffff:192.0.2.1", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"];
    // The longest that `Context` lets through: 256 characters of four bytes, or as many escapes.
    let agents =
        ["🦀".repeat(256), "\\u{202e}".repeat(256), String::new(), "'; -- \" \\ %".into(), " space around ".into()];
    for (ip, agent) in ips.iter().zip(agents.iter().cycle()) {
        let session =
            Session { ip: Some(ip.parse().unwrap()), user_agent: Some(agent.clone()), ..given::session(&user) };
        done(store, &[Change::OpenSession(session.clone())]).await;
        assert_eq!(found_session(store, session.id).await.unwrap().session, session);
    }
}

/// SE7: a session opens for an active user in the current epoch only.
pub async fn se7_opens_in_the_current_epoch_only(store: &Arc<dyn Store>) {
    let user = given::registered(&**store).await;
    let open = |user: &User, epoch| Change::OpenSession(Session { epoch, ..given::session(user) });
    done(store, &[Change::AdvanceEpoch { user: user.id }]).await;
    let now = Epoch::FIRST.next();
    for epoch in [Epoch::FIRST, now.next()] {
        assert_eq!(rejected(store, &[open(&user, epoch)]).await, Rejected::Epoch);
    }
    done(store, &[open(&user, now)]).await;
    assert_eq!(rejected(store, &[open(&given::user(), Epoch::FIRST)]).await, Rejected::Epoch);

    done(store, &[Change::SetStatus { user: user.id, status: Status::Suspended }]).await;
    for epoch in [now, now.next()] {
        assert_eq!(rejected(store, &[open(&user, epoch)]).await, Rejected::Epoch);
    }
    assert!(live_sessions(store, user.id, NOW).await.is_empty());
}

/// Dead sessions are found as well: whether they live is decided by who asks.
pub async fn dead_is_found(store: &Arc<dyn Store>) {
    let user = given::registered(&**store).await;
    let closed = given::signed_in(&**store, &user).await;
    let older = given::signed_in(&**store, &user).await;
    done(store, &[Change::CloseSession { user: user.id, session: closed.id, at: NOW + HOUR }]).await;
    done(store, &[Change::AdvanceEpoch { user: user.id }]).await;

    let found = found_session(store, closed.id).await.expect("the closed session");
    assert_eq!(found.session, Session { closed_at: Some(NOW + HOUR), ..closed });
    let found = found_session(store, older.id).await.expect("the session of an earlier epoch");
    assert_eq!(found.session, older);
    assert_eq!(found.user.epoch, Epoch::FIRST.next());
}

/// SE6: the list holds all of that user's sessions whose rows are there, dead ones too, newest first.
pub async fn se6_list_holds_one_users_sessions(store: &Arc<dyn Store>) {
    let (user, other) = (given::registered(&**store).await, given::registered(&**store).await);
    let mut sessions = Vec::new();
    for hours in [1, 0, 3, 2] {
        let session = Session { created_at: NOW + hours * HOUR, ..given::session(&user) };
        done(store, &[Change::OpenSession(session.clone())]).await;
        sessions.push(session);
    }
    let expired =
        Session { created_at: NOW.before(HOUR), idle_until: NOW, ends_at: NOW, ..given::cookie_session(&user) };
    done(store, &[Change::OpenSession(expired.clone()), Change::OpenSession(given::session(&other))]).await;
    done(store, &[Change::CloseSession { user: user.id, session: sessions[0].id, at: NOW }]).await;
    done(store, &[Change::AdvanceEpoch { user: user.id }]).await;
    sessions[0].closed_at = Some(NOW);

    let newest_first = [&sessions[2], &sessions[3], &sessions[0], &sessions[1], &expired].map(Clone::clone);
    assert_eq!(store.sessions_of(user.id).await.unwrap(), newest_first);
    assert!(store.sessions_of(given::id()).await.unwrap().is_empty());
}

/// Rotating advances the counter and the times that go with it, and nothing else.
pub async fn rotating_advances_the_counter(store: &Arc<dyn Store>) {
    let user = given::registered(&**store).await;
    let session = given::signed_in(&**store, &user).await;
    let rotate = Change::RotateRefresh {
        user: user.id,
        session: session.id,
        from: 0,
        at: NOW + TICK,
        idle_until: NOW + 2 * TICK,
        kept_until: NOW + 3 * TICK,
    };
    done(store, &[rotate]).await;
    let expected = Session {
        credential: Credential::Tokens(RefreshState { counter: 1, rotated_at: NOW + TICK, ..state(&session) }),
        last_seen_at: NOW + TICK,
        idle_until: NOW + 2 * TICK,
        kept_until: NOW + 3 * TICK,
        ..session
    };
    assert_eq!(found_session(store, expected.id).await.unwrap().session, expected);
}

/// RR2, RR4: what isn't the current token of a living session of that user rotates nothing.
pub async fn rr4_only_the_current_token_rotates(store: &Arc<dyn Store>) {
    let (user, other) = (given::registered(&**store).await, given::registered(&**store).await);
    let session = given::signed_in(&**store, &user).await;
    done(store, &[rotate(&session, 0)]).await;
    for from in [0, 2, u32::MAX] {
        assert_eq!(rejected(store, &[rotate(&session, from)]).await, Rejected::Session);
    }
    let of_other = Session { user: other.id, ..session.clone() };
    assert_eq!(rejected(store, &[rotate(&of_other, 1)]).await, Rejected::Session);
    let of_nobody = Session { user: given::id(), ..session.clone() };
    assert_eq!(rejected(store, &[rotate(&of_nobody, 1)]).await, Rejected::Session);
    assert_eq!(rejected(store, &[rotate(&given::session(&user), 0)]).await, Rejected::Session);

    let closed = given::signed_in(&**store, &user).await;
    done(store, &[Change::CloseSession { user: user.id, session: closed.id, at: NOW }]).await;
    assert_eq!(rejected(store, &[rotate(&closed, 0)]).await, Rejected::Session);

    assert_eq!(state(&found_session(store, session.id).await.unwrap().session).counter, 1);
    done(store, &[Change::AdvanceEpoch { user: user.id }]).await;
    assert_eq!(rejected(store, &[rotate(&session, 1)]).await, Rejected::Session);
}

/// RR3: of 50 racing rotations of one token one wins, and the session lives.
pub async fn rr3_rotate_race_has_one_winner(store: &Arc<dyn Store>) {
    let user = given::registered(&**store).await;
    let session = given::signed_in(&**store, &user).await;
    let outcomes = race(50, |_| {
        let (store, change) = (store.clone(), rotate(&session, 0));
        async move { store.commit(&[change]).await }
    })
    .await;
    outcomes.single_ok();
    outcomes.losers_were_rejected(Rejected::Session);
    let found = found_session(store, session.id).await.unwrap();
    assert_eq!(state(&found.session).counter, 1);
    assert!(found.session.is_live(&found.user, NOW));
}

/// Counters use all of their 32 bits.
pub async fn counters_are_unsigned(store: &Arc<dyn Store>) {
    let user = given::registered(&**store).await;
    let session = given::session(&user);
    let last_but_one = RefreshState { counter: u32::MAX - 1, ..state(&session) };
    let session = Session { credential: Credential::Tokens(last_but_one), ..session };
    done(store, &[Change::OpenSession(session.clone()), rotate(&session, u32::MAX - 1)]).await;
    assert_eq!(state(&found_session(store, session.id).await.unwrap().session).counter, u32::MAX);
}

/// SE4: use moves the idle deadline and never the absolute one.
pub async fn se4_touch_moves_the_idle_deadline(store: &Arc<dyn Store>) {
    let user = given::registered(&**store).await;
    let session = given::signed_in(&**store, &user).await;
    let idle_until = NOW + 100 * DAY;
    done(store, &[touch(&session, user.id, NOW + HOUR, idle_until)]).await;
    let expected = Session { last_seen_at: NOW + HOUR, idle_until, ..session };
    assert_eq!(found_session(store, expected.id).await.unwrap().session, expected);
}

/// Touching a session that is closed, was seen later, or is somebody else's does nothing, and is no error.
pub async fn touch_never_turns_back(store: &Arc<dyn Store>) {
    let (user, other) = (given::registered(&**store).await, given::registered(&**store).await);
    let session = given::signed_in(&**store, &user).await;
    let closed = given::signed_in(&**store, &user).await;
    done(store, &[Change::CloseSession { user: user.id, session: closed.id, at: NOW }]).await;
    let later = NOW + 30 * DAY;
    let changes = [
        touch(&session, user.id, NOW.before(TICK), later),
        touch(&session, other.id, NOW + HOUR, later),
        touch(&closed, user.id, NOW + HOUR, later),
        touch(&given::session(&user), user.id, NOW + HOUR, later),
        touch(&session, given::id(), NOW + HOUR, later),
    ];
    for change in changes {
        done(store, &[change]).await;
    }
    assert_eq!(found_session(store, session.id).await.unwrap().session, session);
    let found = found_session(store, closed.id).await.unwrap().session;
    assert_eq!(found, Session { closed_at: Some(NOW), ..closed });
}

/// Of racing touches the latest stays.
pub async fn touch_race_keeps_the_latest(store: &Arc<dyn Store>) {
    let user = given::registered(&**store).await;
    let session = given::signed_in(&**store, &user).await;
    let outcomes = race(20, |i| {
        // From both ends, so that the latest is not simply the last to start.
        let minutes = if i % 2 == 0 { i } else { 20 - i } as u32;
        let at = NOW + minutes * MINUTE;
        let (store, change) = (store.clone(), touch(&session, user.id, at, at + DAY));
        async move { store.commit(&[change]).await }
    })
    .await;
    assert_eq!(outcomes.winners().len(), 20, "{outcomes:?}");
    let found = found_session(store, session.id).await.unwrap().session;
    assert_eq!((found.last_seen_at, found.idle_until), (NOW + 19 * MINUTE, NOW + 19 * MINUTE + DAY));
}

/// SE6: a session is closed once, by its user.
pub async fn se6_closed_once_by_its_user(store: &Arc<dyn Store>) {
    let (user, other) = (given::registered(&**store).await, given::registered(&**store).await);
    let session = given::signed_in(&**store, &user).await;
    let close = |user, at| [Change::CloseSession { user, session: session.id, at }];
    assert_eq!(rejected(store, &close(other.id, NOW)).await, Rejected::Session);
    assert_eq!(rejected(store, &close(given::id(), NOW)).await, Rejected::Session);
    let unknown = Change::CloseSession { user: user.id, session: given::id(), at: NOW };
    assert_eq!(rejected(store, &[unknown]).await, Rejected::Session);
    assert_eq!(found_session(store, session.id).await.unwrap().session, session);

    done(store, &close(user.id, NOW + TICK)).await;
    assert_eq!(rejected(store, &close(user.id, NOW + HOUR)).await, Rejected::Session);
    let found = found_session(store, session.id).await.unwrap().session;
    assert_eq!(found, Session { closed_at: Some(NOW + TICK), ..session });
}

/// A device's sessions are closed together, and nobody else's: not the user's on other devices, not another user's on that one.
/// One that was closed before was closed then.
pub async fn a_devices_sessions_close_together(store: &Arc<dyn Store>) {
    let (user, other) = (given::registered(&**store).await, given::registered(&**store).await);
    let first = given::signed_in(&**store, &user).await;
    let second = Session { device: first.device, ..given::session(&user) };
    let closed = Session { device: first.device, ..given::session(&user) };
    let elsewhere = given::session(&user);
    let others = Session { device: first.device, ..given::session(&other) };
    let opened = [&second, &closed, &elsewhere, &others].map(|session| Change::OpenSession(session.clone()));
    done(store, &opened).await;
    done(store, &[Change::CloseSession { user: user.id, session: closed.id, at: NOW }]).await;

    let close = [Change::CloseDevice { user: user.id, device: first.device, at: NOW + HOUR }];
    done(store, &close).await;
    // With nothing to close as well.
    done(store, &close).await;
    let ends =
        [(first, Some(NOW + HOUR)), (second, Some(NOW + HOUR)), (closed, Some(NOW)), (elsewhere, None), (others, None)];
    for (session, end) in ends {
        assert_eq!(found_session(store, session.id).await.unwrap().session.closed_at, end, "{session:?}");
    }
}

/// A session whose time is over, or whose epoch is, can still be closed: logging out is never an error for that.
pub async fn dead_can_be_closed(store: &Arc<dyn Store>) {
    let user = given::registered(&**store).await;
    let expired = Session { idle_until: NOW, ends_at: NOW, ..given::session(&user) };
    let older = given::session(&user);
    done(store, &[Change::OpenSession(expired.clone()), Change::OpenSession(older.clone())]).await;
    done(store, &[Change::AdvanceEpoch { user: user.id }]).await;
    for session in [expired, older] {
        done(store, &[Change::CloseSession { user: user.id, session: session.id, at: NOW + HOUR }]).await;
        let found = found_session(store, session.id).await.unwrap().session;
        assert_eq!(found.closed_at, Some(NOW + HOUR));
    }
}

/// Of 50 racing ends of one session one ends it.
pub async fn close_race_has_one_winner(store: &Arc<dyn Store>) {
    let user = given::registered(&**store).await;
    let session = given::signed_in(&**store, &user).await;
    let outcomes = race(50, |i| {
        let at = NOW + (i as u32) * MINUTE;
        let (store, change) = (store.clone(), Change::CloseSession { user: user.id, session: session.id, at });
        async move { store.commit(&[change]).await }
    })
    .await;
    let winner = outcomes.single_ok();
    outcomes.losers_were_rejected(Rejected::Session);
    let found = found_session(store, session.id).await.unwrap().session;
    assert_eq!(found.closed_at, Some(NOW + (winner as u32) * MINUTE));
}

/// SE7: "log out everywhere" racing sign-ins and refreshes leaves no earlier credential alive.
pub async fn se7_nothing_survives_a_new_epoch(store: &Arc<dyn Store>) {
    let user = given::registered(&**store).await;
    let held = given::signed_in(&**store, &user).await;
    let opened: Vec<Session> = (0..50).map(|_| given::session(&user)).collect();
    let outcomes = race(50, |i| {
        let change = match i % 3 {
            0 => Change::OpenSession(opened[i].clone()),
            1 => rotate(&held, 0),
            _ if i == 26 => Change::AdvanceEpoch { user: user.id },
            _ => touch(&held, user.id, NOW + HOUR, NOW + 7 * DAY),
        };
        let store = store.clone();
        async move { store.commit(&[change]).await }
    })
    .await;
    assert!(outcomes.0[26].is_ok(), "{:?}", outcomes.0[26]);

    assert_eq!(live_sessions(store, user.id, NOW).await, []);
    for session in opened.iter().chain([&held]) {
        let Some(found) = found_session(store, session.id).await else { continue };
        assert!(!found.session.is_live(&found.user, NOW), "{found:?}");
        let next = state(&found.session).counter;
        assert_eq!(rejected(store, &[rotate(session, next)]).await, Rejected::Session);
    }
}

/// SE8: one list changes the password, ends all sessions and opens the one that goes on.
pub async fn se8_one_session_goes_on_after_a_change(store: &Arc<dyn Store>) {
    let user = given::registered(&**store).await;
    let (old, other) = (given::signed_in(&**store, &user).await, given::signed_in(&**store, &user).await);
    let next = Session { epoch: Epoch::FIRST.next(), ..given::session(&user) };
    let set = Change::SetPassword { user: user.id, epoch: Epoch::FIRST, password: given::hash() };
    let open = Change::OpenSession(next.clone());

    assert_eq!(rejected(store, &[open.clone(), set.clone()]).await, Rejected::Epoch, "changes are applied in order");
    done(store, &[set, open]).await;
    assert_eq!(live_sessions(store, user.id, NOW).await, [next]);
    for dead in [old, other] {
        let found = found_session(store, dead.id).await.unwrap();
        assert!(!found.session.is_live(&found.user, NOW));
    }
}

/// What the session's refresh token is derived from.
fn state(session: &Session) -> RefreshState {
    *session.credential.refresh().expect("a session with tokens")
}

fn rotate(session: &Session, from: u32) -> Change {
    Change::RotateRefresh {
        user: session.user,
        session: session.id,
        from,
        at: NOW,
        idle_until: NOW + 7 * DAY,
        kept_until: NOW + 7 * DAY,
    }
}

fn touch(session: &Session, user: UserId, at: Timestamp, idle_until: Timestamp) -> Change {
    Change::TouchSession { user, session: session.id, at, idle_until }
}
