//! Second factors: switched on and off, and spent.

use std::sync::Arc;

use auth_core::domain::{Factor, FactorId, Factors, Mac, Purpose, Sealed, TotpSecret, User, UserId};
use auth_core::port::{Change, Rejected, Store};

use super::{account, done, found_session, rejected};
use crate::given::{self, HOUR, NOW, TICK};
use crate::race::race;
use crate::show;

/// Which factors are on comes back from every read that carries the user.
pub async fn those_that_are_on_are_found(store: &Arc<dyn Store>) {
    let user = given::registered(&**store).await;
    let session = given::signed_in(&**store, &user).await;
    let token = given::issued(&**store, &user, Purpose::VerifyEmail).await;
    let mut from = Factors::default();
    for to in [&[Factor::Totp][..], &[Factor::Email, Factor::Totp], &[Factor::Email], &[]].map(Factors::of) {
        done(store, &[set(user.id, &from, &to)]).await;
        let expected = User { factors: to.clone(), ..user.clone() };
        assert_eq!(account(store, user.id).await.user, expected);
        assert_eq!(store.find_user_by_email(&user.email).await.unwrap().unwrap().user, expected);
        assert_eq!(found_session(store, session.id).await.unwrap().user, expected);
        assert_eq!(store.find_token(&token.link.unwrap()).await.unwrap().unwrap().user, expected);
        from = to;
    }
}

/// Factors are replaced only while they are those that were decided about.
pub async fn set_from_what_was_decided_about(store: &Arc<dyn Store>) {
    let (user, other) = (given::registered(&**store).await, given::registered(&**store).await);
    let [none, totp, email, both] =
        [&[][..], &[Factor::Totp], &[Factor::Email], &[Factor::Totp, Factor::Email]].map(Factors::of);
    done(store, &[set(user.id, &none, &totp)]).await;
    for from in [&none, &email, &both] {
        assert_eq!(rejected(store, &[set(user.id, from, &none)]).await, Rejected::Factors);
    }
    assert_eq!(rejected(store, &[set(given::id(), &none, &totp)]).await, Rejected::Factors);
    assert_eq!(account(store, user.id).await.user, User { factors: totp.clone(), ..user.clone() });
    assert_eq!(account(store, other.id).await.user, other);

    // To the same is no change, and no rejection either.
    done(store, &[set(user.id, &totp, &totp), set(user.id, &totp, &both), set(user.id, &both, &none)]).await;
    assert_eq!(account(store, user.id).await.user, user);
}

/// Of 50 racing changes of one user's factors one wins; none switches off what it hasn't seen.
pub async fn set_race_has_one_winner(store: &Arc<dyn Store>) {
    let user = given::registered(&**store).await;
    let sets = [&[Factor::Totp][..], &[Factor::Email], &[Factor::Totp, Factor::Email]].map(Factors::of);
    let outcomes = race(50, |i| {
        let (store, change) = (store.clone(), set(user.id, &Factors::default(), &sets[i % 3]));
        async move { store.commit(&[change]).await }
    })
    .await;
    let winner = outcomes.single_ok();
    outcomes.losers_were_rejected(Rejected::Factors);
    assert_eq!(account(store, user.id).await.user.factors, sets[winner % 3]);
}

/// What is enrolled comes back as it went in, to its user only; nobody enrols for a user who isn't there.
pub async fn enrolled_is_found(store: &Arc<dyn Store>) {
    let (user, other) = (given::registered(&**store).await, given::registered(&**store).await);
    let secret = TotpSecret { pending_until: Some(NOW + TICK), ..given::totp_secret(&user) };
    done(store, &[Change::EnrolTotp(secret.clone())]).await;
    assert_eq!(shown(store, user.id).await, [show::totp_secret(&secret)]);
    assert_eq!(shown(store, other.id).await, [""; 0]);
    assert_eq!(account(store, user.id).await.user, user, "enrolled isn't on");

    let nobodys = given::totp_secret(&given::user());
    assert_eq!(rejected(store, &[Change::EnrolTotp(nobodys)]).await, Rejected::User);
}

/// Enrolling takes the place of what wasn't confirmed, and leaves the secret that is on, and everybody else's.
pub async fn enrolling_replaces_what_was_not_confirmed(store: &Arc<dyn Store>) {
    let (user, other) = (given::registered(&**store).await, given::registered(&**store).await);
    let others = given::totp_secret(&other);
    let on = switched_on(store, &user, 1).await;
    let [first, second] = [(), ()].map(|()| given::totp_secret(&user));
    done(store, &[Change::EnrolTotp(others.clone()), Change::EnrolTotp(first)]).await;
    done(store, &[Change::EnrolTotp(second.clone())]).await;
    assert_eq!(secrets(store, user.id).await, sorted([on, second]));
    assert_eq!(secrets(store, other.id).await, [others]);
}

/// What is enrolled is switched on once, with the step that was shown, in place of the secret that was on.
pub async fn confirming_replaces_the_one_that_was_on(store: &Arc<dyn Store>) {
    let (user, other) = (given::registered(&**store).await, given::registered(&**store).await);
    let (old, others) = (switched_on(store, &user, 7).await, switched_on(store, &other, 7).await);
    let new = given::totp_secret(&user);
    done(store, &[Change::EnrolTotp(new.clone())]).await;
    let refused = [
        confirm(user.id, given::id(), 8),
        confirm(user.id, old.id, 8),
        confirm(other.id, new.id, 8),
        confirm(given::id(), new.id, 8),
    ];
    for change in refused {
        assert_eq!(rejected(store, &[change]).await, Rejected::Factors);
    }
    assert_eq!(secrets(store, user.id).await, sorted([old, new.clone()]));

    // A step before the last one of the old secret: each counts for itself.
    done(store, &[confirm(user.id, new.id, 3)]).await;
    let on = TotpSecret { last_step: Some(3), pending_until: None, ..new };
    assert_eq!(secrets(store, user.id).await, std::slice::from_ref(&on));
    assert_eq!(secrets(store, other.id).await, [others]);
    assert_eq!(rejected(store, &[confirm(user.id, on.id, 9)]).await, Rejected::Factors);
    assert_eq!(secrets(store, user.id).await, [on]);
}

/// MF1: of 50 who confirm one enrolment one does, and that one's step is spent.
pub async fn mf1_confirm_race_has_one_winner(store: &Arc<dyn Store>) {
    let user = given::registered(&**store).await;
    let secret = given::totp_secret(&user);
    done(store, &[Change::EnrolTotp(secret.clone())]).await;
    let outcomes = race(50, |i| {
        let (store, change) = (store.clone(), confirm(user.id, secret.id, i as u64));
        async move { store.commit(&[change]).await }
    })
    .await;
    let winner = outcomes.single_ok();
    outcomes.losers_were_rejected(Rejected::Factors);
    assert_eq!(secrets(store, user.id).await[0].last_step, Some(winner as u64));
}

/// MF1: of 50 who present one time step one is let in, and no earlier step is good afterwards.
pub async fn mf1_a_time_step_is_spent_once(store: &Arc<dyn Store>) {
    let user = given::registered(&**store).await;
    // Beyond 32 bits.
    let step = 1 << 33;
    let on = switched_on(store, &user, step).await;
    let outcomes = race(50, |_| {
        let (store, change) = (store.clone(), spend_step(user.id, on.id, step + 2));
        async move { store.commit(&[change]).await }
    })
    .await;
    outcomes.single_ok();
    outcomes.losers_were_rejected(Rejected::Factors);
    for spent in [0, step, step + 1, step + 2] {
        assert_eq!(rejected(store, &[spend_step(user.id, on.id, spent)]).await, Rejected::Factors, "{spent}");
    }
    let twice = [spend_step(user.id, on.id, step + 3), spend_step(user.id, on.id, step + 3)];
    assert_eq!(rejected(store, &twice).await, Rejected::Factors);
    assert_eq!(secrets(store, user.id).await, [TotpSecret { last_step: Some(step + 2), ..on.clone() }]);
    done(store, &[spend_step(user.id, on.id, step + 3)]).await;
    assert_eq!(secrets(store, user.id).await, [TotpSecret { last_step: Some(step + 3), ..on }]);
}

/// MF1: a secret that is only enrolled lets nobody in, nor does another user's.
pub async fn mf1_only_ones_own_secret_that_is_on_is_spent(store: &Arc<dyn Store>) {
    let (user, other) = (given::registered(&**store).await, given::registered(&**store).await);
    let (on, enrolled) = (switched_on(store, &user, 1).await, given::totp_secret(&user));
    switched_on(store, &other, 1).await;
    done(store, &[Change::EnrolTotp(enrolled.clone())]).await;
    let refused = [
        spend_step(user.id, enrolled.id, 9),
        spend_step(user.id, given::id(), 9),
        spend_step(other.id, on.id, 9),
        spend_step(given::id(), on.id, 9),
    ];
    for change in refused {
        assert_eq!(rejected(store, &[change]).await, Rejected::Factors);
    }
    assert_eq!(secrets(store, user.id).await, sorted([on, enrolled]));
}

/// SC4: a secret is sealed anew only while it is as it was opened; otherwise nothing happens.
pub async fn sc4_resealed_from_what_was_opened(store: &Arc<dyn Store>) {
    let (user, other) = (given::registered(&**store).await, given::registered(&**store).await);
    let on = switched_on(store, &user, 1).await;
    let reseal = |user, factor, from: &Sealed, to: &Sealed| Change::ResealTotp {
        user,
        factor,
        from: from.clone(),
        to: to.clone(),
    };
    let (opened, new) = (on.secret.clone(), given::sealed());
    let without_effect = [
        reseal(user.id, on.id, &given::sealed(), &new),
        reseal(user.id, given::id(), &opened, &new),
        reseal(other.id, on.id, &opened, &new),
    ];
    done(store, &without_effect).await;
    assert_eq!(shown(store, user.id).await, [show::totp_secret(&on)]);

    done(store, &[reseal(user.id, on.id, &opened, &new), reseal(user.id, on.id, &opened, &given::sealed())]).await;
    assert_eq!(shown(store, user.id).await, [show::totp_secret(&TotpSecret { secret: new, ..on })]);
}

/// Dropping takes all secrets of the user, on or enrolled, and nothing else.
pub async fn dropping_takes_all_secrets_of_a_user(store: &Arc<dyn Store>) {
    let (user, other) = (given::registered(&**store).await, given::registered(&**store).await);
    switched_on(store, &user, 1).await;
    let (others, codes) = (switched_on(store, &other, 1).await, [given::mac()]);
    done(store, &[Change::EnrolTotp(given::totp_secret(&user)), set_codes(user.id, &codes)]).await;
    for _ in 0..2 {
        done(store, &[Change::DropTotp { user: user.id }]).await;
        assert_eq!(secrets(store, user.id).await, []);
    }
    assert_eq!(secrets(store, other.id).await, [others]);
    assert_eq!(recovery_codes(store, user.id).await, shown_codes(&codes));
}

/// MF5: of 50 who present one recovery code one is let in; the others stay good.
pub async fn mf5_a_recovery_code_is_spent_once(store: &Arc<dyn Store>) {
    let user = given::registered(&**store).await;
    let codes: Vec<Mac> = (0..10).map(|_| given::mac()).collect();
    done(store, &[set_codes(user.id, &codes)]).await;
    assert_eq!(recovery_codes(store, user.id).await, shown_codes(&codes));
    let outcomes = race(50, |_| {
        let (store, change) = (store.clone(), spend_code(user.id, codes[4]));
        async move { store.commit(&[change]).await }
    })
    .await;
    outcomes.single_ok();
    outcomes.losers_were_rejected(Rejected::Factors);
    let left = [&codes[..4], &codes[5..]].concat();
    assert_eq!(recovery_codes(store, user.id).await, shown_codes(&left));

    let twice = [spend_code(user.id, codes[0]), spend_code(user.id, codes[0])];
    assert_eq!(rejected(store, &twice).await, Rejected::Factors);
    done(store, &left.iter().map(|code| spend_code(user.id, *code)).collect::<Vec<_>>()).await;
    assert_eq!(recovery_codes(store, user.id).await, [""; 0]);
}

/// MF5: new codes end the old ones, and none end all; nobody has any who isn't there.
pub async fn mf5_new_codes_end_the_old(store: &Arc<dyn Store>) {
    let (user, other) = (given::registered(&**store).await, given::registered(&**store).await);
    let [old, new, others] = [(), (), ()].map(|()| [given::mac(), given::mac(), given::mac()]);
    done(store, &[set_codes(user.id, &old), set_codes(other.id, &others)]).await;
    done(store, &[set_codes(user.id, &new)]).await;
    assert_eq!(recovery_codes(store, user.id).await, shown_codes(&new));
    assert_eq!(rejected(store, &[spend_code(user.id, old[0])]).await, Rejected::Factors);

    for _ in 0..2 {
        done(store, &[set_codes(user.id, &[])]).await;
        assert_eq!(recovery_codes(store, user.id).await, [""; 0]);
    }
    for codes in [&new[..], &[]] {
        assert_eq!(rejected(store, &[set_codes(given::id(), codes)]).await, Rejected::User);
    }
    assert_eq!(recovery_codes(store, other.id).await, shown_codes(&others));
}

/// MF5: a code lets in whose it is: named under somebody else it is none, and stays good. One that two have is spent by each.
pub async fn mf5_another_users_code_is_never_spent(store: &Arc<dyn Store>) {
    let (user, other) = (given::registered(&**store).await, given::registered(&**store).await);
    let (theirs, both) = (given::mac(), given::mac());
    done(store, &[set_codes(user.id, &[theirs, both]), set_codes(other.id, &[both])]).await;
    for (user, code) in [(other.id, theirs), (given::id(), theirs), (user.id, given::mac())] {
        assert_eq!(rejected(store, &[spend_code(user, code)]).await, Rejected::Factors);
    }
    done(store, &[spend_code(other.id, both)]).await;
    assert_eq!(recovery_codes(store, user.id).await, shown_codes(&[theirs, both]));
    assert_eq!(recovery_codes(store, other.id).await, [""; 0]);
}

/// A secret of the user's that is on, with `step` spent, and stored.
async fn switched_on(store: &Arc<dyn Store>, user: &User, step: u64) -> TotpSecret {
    let secret = TotpSecret { pending_until: Some(NOW + HOUR), ..given::totp_secret(user) };
    done(store, &[Change::EnrolTotp(secret.clone()), confirm(user.id, secret.id, step)]).await;
    TotpSecret { last_step: Some(step), pending_until: None, ..secret }
}

/// The user's secrets, in order of id.
async fn secrets(store: &Arc<dyn Store>, user: UserId) -> Vec<TotpSecret> {
    sorted(store.totp_secrets(user).await.unwrap())
}

fn sorted(secrets: impl IntoIterator<Item = TotpSecret>) -> Vec<TotpSecret> {
    let mut secrets: Vec<TotpSecret> = secrets.into_iter().collect();
    secrets.sort_unstable_by_key(|secret| secret.id);
    secrets
}

async fn shown(store: &Arc<dyn Store>, user: UserId) -> Vec<String> {
    secrets(store, user).await.iter().map(show::totp_secret).collect()
}

/// The user's recovery codes, in order.
async fn recovery_codes(store: &Arc<dyn Store>, user: UserId) -> Vec<String> {
    shown_codes(&store.recovery_codes(user).await.unwrap())
}

fn shown_codes(codes: &[Mac]) -> Vec<String> {
    let mut codes: Vec<String> = codes.iter().map(show::mac).collect();
    codes.sort_unstable();
    codes
}

fn set(user: UserId, from: &Factors, to: &Factors) -> Change {
    Change::SetFactors { user, from: from.clone(), to: to.clone() }
}

fn confirm(user: UserId, factor: FactorId, step: u64) -> Change {
    Change::ConfirmTotp { user, factor, step }
}

fn spend_step(user: UserId, factor: FactorId, step: u64) -> Change {
    Change::SpendTotpStep { user, factor, step }
}

fn set_codes(user: UserId, codes: &[Mac]) -> Change {
    Change::SetRecoveryCodes { user, codes: codes.to_vec() }
}

fn spend_code(user: UserId, code: Mac) -> Change {
    Change::SpendRecoveryCode { user, code }
}
