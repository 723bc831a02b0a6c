//! Two nodes on one database: nothing that must happen once depends on what one process remembers.

use std::sync::Arc;
use std::time::Duration;

use auth_core::domain::{Email, MailKind, Password, Purpose};
use auth_core::flow::authenticate::{self, Presented};
use auth_core::flow::idempotency::{self, Begin};
use auth_core::flow::proof::Proof;
use auth_core::flow::refresh::{RefreshError, refresh};
use auth_core::flow::register::{RegisterError, Registration, register};
use auth_core::flow::reset_password::{self, ConfirmError};
use auth_core::flow::session::Authenticated;
use auth_core::flow::sign_in::{Credentials, SignIn, SignInError, sign_in};
use auth_core::flow::{sign_out, verify_email};
use auth_core::settings::Reuse;
use auth_core::{Auth, StartError};

use super::World;
use super::world::{OTHER, PASSWORD, Tokens, WRONG, context, created, password, registration, wrong_code};
use crate::given;
use crate::race::race;

/// EN3: of 50 registrations of one mailbox, in five spellings, one makes a user.
pub async fn en3_one_user(world: World) {
    let email = given::email();
    let (local, domain) = email.as_str().split_once('@').unwrap();
    let spellings = [
        email.as_str().to_owned(),
        email.as_str().to_uppercase(),
        format!(" {email} "),
        format!("{local}＠{domain}"),
        format!("{}@{}", local.to_uppercase(), domain.to_uppercase()),
    ];
    let outcomes = race(50, |i| {
        let auth = world.nodes[i % 2].clone();
        let email = Email::parse(&spellings[i % 5]).unwrap();
        async move { register(&auth, registration(email), &context(i as u8)).await.map(created) }
    })
    .await;

    let winner = outcomes.single_ok();
    let user = outcomes.0[winner].as_ref().unwrap();
    for error in outcomes.0.iter().filter_map(|outcome| outcome.as_ref().err()) {
        assert!(matches!(error, RegisterError::EmailTaken), "{error:?}");
    }
    assert_eq!(world.handles[1].find_user_by_email(&email).await.unwrap().unwrap().user.id, user.id);
    world.deliver().await;
    assert_eq!(world.inbox.mails().len(), 1, "one user, one mail");
}

/// VT3: of 50 resets with one link one happens, and the password is that one's.
pub async fn vt3_a_reset_happens_once(world: World) {
    let user = world.register().await;
    let (_, link) = world.reset_mail(&user).await;
    let Proof::Link(secret) = link else { panic!("not a link") };
    let outcomes = race(50, |i| {
        let (auth, proof) = (world.nodes[i % 2].clone(), Proof::Link(secret.clone()));
        async move { reset_password::confirm(&auth, &proof, &numbered(i), &context(i as u8)).await }
    })
    .await;

    let winner = outcomes.single_ok();
    for error in outcomes.0.iter().filter_map(|outcome| outcome.as_ref().err()) {
        assert!(matches!(error, ConfirmError::Invalid), "{error:?}");
    }
    let credentials = Credentials { email: user.email.clone(), password: numbered(winner), device: None };
    sign_in(&world.nodes[0], credentials, &context(1)).await.expect("the winner's password");
}

fn numbered(i: usize) -> Password {
    password(&format!("quartz lantern {i} violet harbour"))
}

/// VT6: of 50 guesses at one code, over two nodes, at most five are compared: the right one, guessed after five wrong
/// ones, is refused.
pub async fn vt6_five_attempts_at_a_code(world: World) {
    let user = world.register().await;
    let (code, link) = world.reset_mail(&user).await;
    race(50, |i| {
        let (auth, wrong) = (world.nodes[i % 2].clone(), wrong_code(&user.email, &code));
        async move { reset_password::confirm(&auth, &wrong, &password(OTHER), &context(i as u8)).await }
    })
    .await;
    let user_tokens = world.handles[0].tokens_of(user.id, Purpose::ResetPassword).await.unwrap();
    assert_eq!(user_tokens[0].attempts, 5);

    let late = reset_password::confirm(world.auth(), &code, &password(OTHER), &context(1)).await;
    assert!(matches!(late, Err(ConfirmError::Invalid)), "{late:?}");
    // Wrong codes spend codes, never links.
    reset_password::confirm(world.auth(), &link, &password(OTHER), &context(1)).await.expect("the link");
}

/// VT6: failures count per account, over codes and nodes: five an hour and ten a day, then the link only.
pub async fn vt6_five_failures_an_hour(world: World) {
    let user = world.register().await;
    for hour in 0..4 {
        // Asking again gives a fresh code, and no fresh budget.
        for round in 0..3_u8 {
            let (code, _) = world.reset_mail(&user).await;
            for _ in 0..4 {
                let wrong = wrong_code(&user.email, &code);
                let auth = &world.nodes[usize::from(round % 2)];
                let _ = reset_password::confirm(auth, &wrong, &password(OTHER), &context(1)).await;
            }
        }
        let (code, link) = world.reset_mail(&user).await;
        let right = reset_password::confirm(world.auth(), &code, &password(OTHER), &context(1)).await;
        assert!(matches!(right, Err(ConfirmError::Invalid)), "hour {hour}: the budget is used up");
        if hour == 3 {
            reset_password::confirm(world.auth(), &link, &password(OTHER), &context(1)).await.expect("the link");
        }
        world.clock.advance(Duration::from_secs(3600));
    }
    // Success forgets what was counted.
    let (code, _) = world.reset_mail(&user).await;
    reset_password::confirm(world.auth(), &code, &password(PASSWORD), &context(1)).await.expect("the code");
}

/// RR3: of 50 uses of one refresh token one gets a successor, and the session lives on with it.
pub async fn rr3_one_successor(world: World) {
    let user = world.register().await;
    let session = world.sign_in(&user).await;
    let outcomes = race(50, |i| {
        let (auth, token) = (world.nodes[i % 2].clone(), session.credential.refresh().to_owned());
        async move { refresh(&auth, &token, &context(i as u8)).await }
    })
    .await;

    let winner = outcomes.single_ok();
    for error in outcomes.0.iter().filter_map(|outcome| outcome.as_ref().err()) {
        assert!(matches!(error, RefreshError::Unauthorized), "{error:?}");
    }
    let next = outcomes.0[winner].as_ref().unwrap();
    refresh(&world.nodes[1], next.credential.refresh(), &context(1)).await.expect("the successor");
}

/// RR3: with `resume` all 50 get a successor, and it is one and the same.
pub async fn rr3_resumed_successors_are_equal(world: World) {
    let auth = world.with(|settings| settings.reuse = Reuse::Resume).await;
    let user = world.register().await;
    let session = world.sign_in(&user).await;
    let outcomes = race(50, |_| {
        let (auth, token) = (auth.clone(), session.credential.refresh().to_owned());
        async move { refresh(&auth, &token, &context(1)).await.map(|next| next.credential.refresh().to_owned()) }
    })
    .await;
    let mut successors: Vec<String> = outcomes.0.into_iter().map(|outcome| outcome.expect("resumed")).collect();
    successors.dedup();
    assert_eq!(successors.len(), 1);
}

/// RR2: a token replayed on one node ends the session on the other, and no other session.
pub async fn rr2_theft_shows_on_every_node(world: World) {
    let user = world.register().await;
    let (stolen, other) = (world.sign_in(&user).await, world.sign_in(&user).await);
    let next = refresh(&world.nodes[0], stolen.credential.refresh(), &context(1)).await.unwrap();
    let next = refresh(&world.nodes[1], next.credential.refresh(), &context(1)).await.unwrap();

    let replay = refresh(&world.nodes[0], stolen.credential.refresh(), &context(2)).await;
    assert!(matches!(replay, Err(RefreshError::Unauthorized)));
    let after = refresh(&world.nodes[1], next.credential.refresh(), &context(1)).await;
    assert!(matches!(after, Err(RefreshError::Unauthorized)));
    authenticate::authenticate(&world.nodes[1], Presented::AccessToken(next.credential.access()))
        .await
        .expect_err("dead with its session");
    refresh(&world.nodes[1], other.credential.refresh(), &context(1)).await.expect("the other session");
}

/// LT2: who holds a session renews its device token as often as he likes, and gets no fresh budget of failures for it.
pub async fn lt2_a_renewed_device_keeps_its_budget(world: World) {
    let user = world.register().await;
    let first = world.sign_in(&user).await;
    let renewed = refresh(world.auth(), first.credential.refresh(), &context(1)).await.unwrap();
    let token = |of: &Authenticated| Some(of.device.expose().to_owned());
    for _ in 0..10 {
        let wrong = world.try_sign_in(&user.email, WRONG, token(&first)).await;
        assert!(matches!(wrong, Err(SignInError::Unauthorized)), "{wrong:?}");
    }
    // The device's own budget is used up: what is left is the account's.
    for _ in 0..10 {
        let wrong = world.try_sign_in(&user.email, WRONG, token(&renewed)).await;
        assert!(matches!(wrong, Err(SignInError::Unauthorized)), "{wrong:?}");
    }
    for device in [token(&first), token(&renewed), None] {
        let throttled = world.try_sign_in(&user.email, PASSWORD, device).await;
        assert!(matches!(throttled, Err(SignInError::Throttled(_))), "{throttled:?}");
    }
}

/// LT2: device tokens from before a reset are worth nothing after it: who once knew the password keeps no stock of
/// budgets, and the owner, who starts anew, is not held to what failed before.
pub async fn lt2_a_reset_ends_device_budgets(world: World) {
    let user = world.register().await;
    let before = world.sign_in(&user).await;
    let (_, link) = world.reset_mail(&user).await;
    reset_password::confirm(world.auth(), &link, &password(OTHER), &context(1)).await.expect("the reset");
    for _ in 0..10 {
        world.try_sign_in(&user.email, WRONG, None).await.expect_err("a wrong password");
    }
    let device = Some(before.device.expose().to_owned());
    let throttled = world.try_sign_in(&user.email, OTHER, device).await;
    assert!(matches!(throttled, Err(SignInError::Throttled(_))), "{throttled:?}");
}

/// VT6: three live at once, over nodes and under race, and a stranger's requests take the place of his own.
pub async fn vt6_a_stranger_replaces_his_own(world: World) {
    let user = world.register().await;
    race(10, |i| {
        let (auth, email) = (world.nodes[i % 2].clone(), user.email.clone());
        async move { reset_password::request(&auth, &email, &context(66)).await }
    })
    .await;
    let live = world.handles[0].tokens_of(user.id, Purpose::ResetPassword).await.unwrap();
    assert_eq!(live.len(), 3);

    world.clock.advance(Duration::from_secs(3500));
    world.deliver().await;
    world.inbox.clear();
    let auth = world.with(|_| {}).await;
    reset_password::request(&auth, &user.email, &context(1)).await.expect("the owner's");
    world.deliver().await;
    let (_, owners) = world.proofs(&user, MailKind::Reset);
    reset_password::request(&auth, &user.email, &context(66)).await.expect("the stranger's");
    reset_password::confirm(&auth, &owners, &password(OTHER), &context(1)).await.expect("the owner's link");
}

/// A password that is refused for the owner's name costs no attempt at the code: the name isn't known before it.
pub async fn vt6_a_refused_password_spends_nothing(world: World) {
    let auth = world.auth();
    let registration = Registration { name: Some("Bartholomew Quillington".into()), ..registration(given::email()) };
    let user = created(register(auth, registration, &context(1)).await.expect("registered"));
    let (code, _) = world.reset_mail(&user).await;
    for _ in 0..12 {
        let refused = reset_password::confirm(auth, &code, &password("Bartholomew Quillington"), &context(1)).await;
        assert!(matches!(refused, Err(ConfirmError::Weak(_))), "{refused:?}");
    }
    reset_password::confirm(auth, &code, &password(OTHER), &context(1)).await.expect("a better password");
}

/// SE7: signing out everywhere, racing 50 sign-ins and rotations: what was handed out before is dead, and what is alive
/// belongs to the new epoch.
pub async fn se7_everywhere_beats_sign_in_and_refresh(world: World) {
    let user = world.register().await;
    let held: Vec<_> = {
        let mut held = Vec::new();
        for _ in 0..10 {
            held.push(Arc::new(world.sign_in(&user).await));
        }
        held
    };
    let first =
        authenticate::authenticate(world.auth(), Presented::AccessToken(held[0].credential.access())).await.unwrap();
    let outcomes = race(50, |i| {
        let (auth, email) = (world.nodes[i % 2].clone(), user.email.clone());
        let (held, first) = (held[i % 10].clone(), first.clone());
        async move {
            match i {
                0 => {
                    sign_out::everywhere(&auth, &first, &context(1)).await.expect("signed out");
                    None
                }
                1..25 => {
                    let credentials = Credentials { email, password: password(PASSWORD), device: None };
                    // Several addresses: this is no race for the address's budget.
                    match sign_in(&auth, credentials, &context(i as u8)).await {
                        Ok(SignIn::Complete(authenticated)) => Some(*authenticated),
                        _ => None,
                    }
                }
                _ => refresh(&auth, held.credential.refresh(), &context(i as u8)).await.ok(),
            }
        }
    })
    .await;

    let epoch = world.handles[0].find_user(user.id).await.unwrap().unwrap().user.epoch;
    assert_eq!(epoch.number(), 1);
    for earlier in &held {
        let known =
            authenticate::authenticate(&world.nodes[1], Presented::AccessToken(earlier.credential.access())).await;
        assert!(known.is_err(), "an access token from before is alive");
        assert!(refresh(&world.nodes[1], earlier.credential.refresh(), &context(1)).await.is_err());
    }
    for authenticated in outcomes.0.into_iter().flatten() {
        let lives =
            authenticate::authenticate(&world.nodes[1], Presented::AccessToken(authenticated.credential.access()))
                .await
                .is_ok();
        assert_eq!(lives, authenticated.session.epoch == epoch, "alive if and only if born afterwards");
    }
}

/// ID1: of 50 requests with one key one runs; another body is a mismatch; a crashed one frees the key.
pub async fn id1_one_effect(world: World) {
    let header = given::email().as_str().to_owned();
    let begin = |auth: Arc<Auth>, header: String, body: &'static [u8]| async move {
        idempotency::begin(&auth, "register", b"client", &header, body).await.expect("an answer")
    };
    let outcomes = race(50, |i| begin(world.nodes[i % 2].clone(), header.clone(), b"body")).await;
    let mut tickets = Vec::new();
    for outcome in outcomes.0 {
        match outcome {
            Begin::Run(ticket) => tickets.push(ticket),
            Begin::InProgress => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(tickets.len(), 1);
    assert!(matches!(begin(world.nodes[1].clone(), header.clone(), b"other").await, Begin::Mismatch));

    // The one that ran crashes: a minute later the key is free, and its late reply isn't kept.
    world.clock.advance(Duration::from_secs(61));
    let Begin::Run(second) = begin(world.nodes[1].clone(), header.clone(), b"body").await else { panic!("not free") };
    idempotency::finish(world.auth(), tickets.remove(0), b"late").await.unwrap();
    idempotency::finish(&world.nodes[1], second, b"reply").await.unwrap();
    let Begin::Replay(reply) = begin(world.nodes[0].clone(), header.clone(), b"body").await else { panic!("not kept") };
    assert_eq!(*reply, b"reply");
    assert!(matches!(begin(world.nodes[1].clone(), header.clone(), b"other").await, Begin::Mismatch));

    world.clock.advance(Duration::from_secs(24 * 3600));
    assert!(matches!(begin(world.nodes[0].clone(), header, b"other").await, Begin::Run(_)), "forgotten after a day");
}

/// SC3: a node with another pepper doesn't start on this store.
pub async fn sc3_a_foreign_pepper_does_not_start(world: World) {
    let foreign = World::node(world.handles[0].clone(), &world.clock, &world.hasher, "another pepper", |_| {}).await;
    assert!(matches!(foreign, Err(StartError::ForeignPepper(1))), "{foreign:?}");
}

/// JW5: a token that one node issues is good on the other; they share one key, whichever made it.
pub async fn jw5_nodes_share_one_signing_key(world: World) {
    let user = world.register().await;
    let session = world.sign_in(&user).await;
    authenticate::authenticate(&world.nodes[1], Presented::AccessToken(session.credential.access()))
        .await
        .expect("the other node's token");
    assert_eq!(world.nodes[0].jwks(), world.nodes[1].jwks());
    assert_eq!(world.handles[0].signing_keys().await.unwrap().len(), 1);

    let (code, _) = {
        world.deliver().await;
        world.proofs(&user, MailKind::Verify)
    };
    verify_email::confirm(&world.nodes[1], &code, &context(1)).await.expect("the other node's code");
}
