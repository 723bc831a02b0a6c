//! Moving an account to another address.

use std::sync::Arc;

use auth_core::domain::{Email, Purpose, Timestamp, Token, User, UserId};
use auth_core::port::{Change, Rejected, Store};

use super::{account, done, rejected};
use crate::given::{self, HOUR, NOW};
use crate::race::race;
use crate::show;

/// The account moves, the new address counts as proved, and nothing else changes; the old one is free.
pub async fn account_moves(store: &Arc<dyn Store>) {
    let user = given::registered(&**store).await;
    let before = account(store, user.id).await;
    let to = given::email_with("Ann.New");
    done(store, &[Change::VerifyEmail { user: user.id, email: user.email.clone(), at: NOW }]).await;
    done(store, &[move_to(user.id, &user.email, &to)]).await;

    let after = account(store, user.id).await;
    let expected = User { email: to.clone(), email_verified_at: Some(later()), ..user.clone() };
    assert_eq!(show::user(&after.user), show::user(&expected));
    assert_eq!(after.password, before.password);
    assert_eq!(store.find_user_by_email(&to).await.unwrap().unwrap().user, expected);
    assert!(store.find_user_by_email(&user.email).await.unwrap().is_none());
    done(store, &[given::create(&User { email: user.email, ..given::user() })]).await;
}

/// VT9: who decided about another address than the account has moves nothing.
pub async fn vt9_moves_from_the_decided_address_only(store: &Arc<dyn Store>) {
    let (user, other) = (given::registered(&**store).await, given::registered(&**store).await);
    for (id, from) in [(user.id, &other.email), (user.id, &given::email()), (given::id(), &user.email)] {
        assert_eq!(rejected(store, &[move_to(id, from, &given::email())]).await, Rejected::EmailChanged);
        // Named first, where the other address is taken as well.
        assert_eq!(rejected(store, &[move_to(id, from, &other.email)]).await, Rejected::EmailChanged);
    }
    assert_eq!(account(store, user.id).await.user, user);
    let spelled = Email::parse(&user.email.as_str().to_uppercase()).unwrap();
    done(store, &[move_to(user.id, &spelled, &given::email())]).await;
}

/// VT9: room is made only by who never proved the address, and not by who does so at the same moment.
pub async fn vt9_who_proves_an_address_keeps_it(store: &Arc<dyn Store>) {
    let squatter = given::registered(&**store).await;
    let require = |user, email: &Email| Change::RequireUnverified { user, email: email.clone() };
    for (user, email) in [(squatter.id, &given::email()), (given::id(), &squatter.email)] {
        assert_eq!(rejected(store, &[require(user, email)]).await, Rejected::EmailTaken);
    }
    let spelled = Email::parse(&squatter.email.as_str().to_uppercase()).unwrap();
    done(store, &[require(squatter.id, &spelled)]).await;

    let make_room = [require(squatter.id, &squatter.email), Change::DeleteUser { user: squatter.id }];
    let verify = [Change::VerifyEmail { user: squatter.id, email: squatter.email.clone(), at: later() }];
    let outcomes = race(2, |i| {
        let (store, changes) = (store.clone(), if i == 0 { make_room.to_vec() } else { verify.to_vec() });
        async move { store.commit(&changes).await }
    });
    outcomes.await.single_ok();
    let left = store.find_user(squatter.id).await.unwrap();
    if let Some(account) = left {
        assert_eq!(account.user.email_verified_at, Some(later()));
        assert_eq!(rejected(store, &make_room).await, Rejected::EmailTaken);
    }
}

/// EN3: an address that somebody else has rejects, however it is spelled; one's own in another spelling doesn't.
pub async fn en3_taken_address_rejects(store: &Arc<dyn Store>) {
    let (user, other) = (given::registered(&**store).await, given::registered(&**store).await);
    for spelling in [other.email.as_str().to_owned(), other.email.as_str().to_uppercase()] {
        let to = Email::parse(&spelling).unwrap();
        assert_eq!(rejected(store, &[move_to(user.id, &user.email, &to)]).await, Rejected::EmailTaken);
    }
    assert_eq!(account(store, user.id).await.user, user);
    assert_eq!(account(store, other.id).await.user, other);

    let own = Email::parse(&user.email.as_str().to_uppercase()).unwrap();
    done(store, &[move_to(user.id, &user.email, &own)]).await;
    let found = account(store, user.id).await.user;
    assert_eq!((found.email.as_str(), found.email_verified_at), (own.as_str(), Some(later())));
}

/// VT5: what was bound to the address before is good for nothing afterwards.
pub async fn vt5_old_address_is_worth_nothing(store: &Arc<dyn Store>) {
    let user = given::registered(&**store).await;
    let moving = move_to(user.id, &user.email, &given::email());
    let verify = Change::VerifyEmail { user: user.id, email: user.email.clone(), at: NOW };
    let issue = given::issue(given::token(&user, Purpose::ResetPassword));
    assert_eq!(rejected(store, &[moving.clone(), verify]).await, Rejected::EmailChanged);
    assert_eq!(rejected(store, &[moving.clone(), issue]).await, Rejected::EmailChanged);
    done(store, std::slice::from_ref(&moving)).await;
    assert_eq!(rejected(store, &[moving]).await, Rejected::EmailChanged);
}

/// VT9: of 50 racing moves of one account, each with its token, one wins; the address is that winner's.
pub async fn vt9_move_race_has_one_winner(store: &Arc<dyn Store>) {
    let user = given::registered(&**store).await;
    let mut tokens = Vec::new();
    for _ in 0..50 {
        let token = Token { email: given::email(), ..given::token(&user, Purpose::ChangeEmail) };
        done(store, &[given::issue(token.clone())]).await;
        tokens.push(token);
    }
    let outcomes = race(50, |i| {
        let token = &tokens[i];
        let spend = Change::SpendToken { user: user.id, token: token.id };
        let changes = [spend, move_to(user.id, &user.email, &token.email)];
        let store = store.clone();
        async move { store.commit(&changes).await }
    })
    .await;
    let winner = outcomes.single_ok();
    outcomes.losers_were_rejected(Rejected::EmailChanged);
    assert_eq!(account(store, user.id).await.user.email, tokens[winner].email);
}

/// EN3: of 50 accounts and newcomers that race for one address one gets it; the others stay where they are.
pub async fn en3_address_race_has_one_winner(store: &Arc<dyn Store>) {
    let to = given::email();
    let mut users = Vec::new();
    for i in 0..50 {
        let is_newcomer = i % 2 == 0;
        users.push(if is_newcomer { given::user() } else { given::registered(&**store).await });
    }
    let outcomes = race(50, |i| {
        let user = &users[i];
        let change = if i % 2 == 0 {
            given::create(&User { email: to.clone(), ..user.clone() })
        } else {
            move_to(user.id, &user.email, &to)
        };
        let store = store.clone();
        async move { store.commit(&[change]).await }
    })
    .await;
    let winner = outcomes.single_ok();
    outcomes.losers_were_rejected(Rejected::EmailTaken);
    assert_eq!(store.find_user_by_email(&to).await.unwrap().unwrap().user.id, users[winner].id);
    for (i, user) in users.iter().enumerate().filter(|(i, _)| *i != winner) {
        let found = store.find_user(user.id).await.unwrap().map(|found| found.user);
        assert_eq!(found.as_ref(), (i % 2 == 1).then_some(user));
    }
}

/// When accounts move.
fn later() -> Timestamp {
    NOW + HOUR
}

fn move_to(user: UserId, from: &Email, to: &Email) -> Change {
    Change::ChangeEmail { user, from: from.clone(), to: to.clone(), at: later() }
}
