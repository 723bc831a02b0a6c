//! Password hashes through the flows: replaced when outdated, never over a change, and no more of them than allowed.

use auth_core::domain::Account;
use auth_core::flow::proof::Proof;
use auth_core::flow::reset_password;
use auth_core::flow::sign_in::{Credentials, SignInError, sign_in};
use auth_core::port::Change;

use super::World;
use super::world::{OTHER, PASSWORD, WRONG, context, password};
use crate::race::race;
use crate::{FastHasher, Fault};

/// PW3: a hash that is outdated is replaced by the sign-in that verifies it.
pub async fn pw3_outdated_hashes_are_replaced(world: World) {
    let user = world.register().await;
    let epoch = user.epoch;
    let outdated = FastHasher::outdated(&password(PASSWORD));
    let change = Change::SetPassword { user: user.id, epoch, password: outdated.clone() };
    world.handles[0].commit(&[change]).await.unwrap();

    world.sign_in(&user).await;
    let hash = world.handles[0].find_user(user.id).await.unwrap().unwrap().password.unwrap();
    assert_ne!(hash, outdated);
    world.sign_in(&user).await;
}

/// PW3: of sign-ins with an outdated hash racing a change of password, the change wins.
pub async fn pw3_a_rehash_loses_to_a_change(world: World) {
    let user = world.register().await;
    let outdated = FastHasher::outdated(&password(PASSWORD));
    let change = Change::SetPassword { user: user.id, epoch: user.epoch, password: outdated };
    world.handles[0].commit(&[change]).await.unwrap();
    let (_, link) = world.reset_mail(&user).await;
    let Proof::Link(secret) = link else { panic!("not a link") };

    race(20, |i| {
        let (auth, email, secret) = (world.nodes[i % 2].clone(), user.email.clone(), secret.clone());
        async move {
            if i == 0 {
                let link = Proof::Link(secret);
                reset_password::confirm(&auth, &link, &password(OTHER), &context(1)).await.expect("the reset");
            } else {
                let credentials = Credentials { email, password: password(PASSWORD), device: None };
                let _ = sign_in(&auth, credentials, &context(i as u8)).await;
            }
        }
    })
    .await;
    world.try_sign_in(&user.email, OTHER, None).await.expect("the new password");
    world.try_sign_in(&user.email, PASSWORD, None).await.expect_err("the old password");
}

/// PW6: a full queue is an outage, not a wrong password: it isn't counted, and the next attempt succeeds.
pub async fn pw6_a_full_queue_is_no_failure(world: World) {
    let user = world.register().await;
    world.hasher.set_busy(true);
    for _ in 0..30 {
        let refused = world.try_sign_in(&user.email, PASSWORD, None).await;
        assert!(matches!(refused, Err(SignInError::Fault(_))), "{refused:?}");
    }
    world.hasher.set_busy(false);
    world.sign_in(&user).await;
}

/// DF4: a store that fails after the right password was verified uses up none of its owner's attempts.
pub async fn df4_an_outage_is_no_failure(world: World) {
    let user = world.register().await;
    for _ in 0..30 {
        world.store.arm(Fault::Change(0));
        let refused = world.try_sign_in(&user.email, PASSWORD, None).await;
        assert!(matches!(refused, Err(SignInError::Fault(_))), "{refused:?}");
    }
    world.store.disarm();
    world.sign_in(&user).await;
}

/// LT3: of 50 wrong passwords at once, no more are compared than the account's limit.
pub async fn lt3_at_most_the_limit_is_compared(world: World) {
    let auth = world.with(|settings| settings.limits.sign_in_account.uses = 5).await;
    let user = world.register().await;
    world.hasher.take();
    let outcomes = race(50, |i| {
        let (auth, email) = (auth.clone(), user.email.clone());
        async move {
            let credentials = Credentials { email, password: password(WRONG), device: None };
            sign_in(&auth, credentials, &context(i as u8)).await
        }
    })
    .await;
    assert_eq!(world.hasher.take(), 5);
    let throttled = outcomes.0.iter().filter(|outcome| matches!(outcome, Err(SignInError::Throttled(_)))).count();
    assert_eq!(throttled, 45);
    let account: Account = world.handles[0].find_user(user.id).await.unwrap().unwrap();
    assert_eq!(account.user.epoch, user.epoch);
}
