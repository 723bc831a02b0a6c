//! One-time tokens: issued, attempted and spent.

use std::sync::Arc;

use auth_core::domain::{Email, Epoch, PasswordHash, Purpose, Token, TokenId, User, UserId};
use auth_core::port::{Change, Rejected, Store};

use super::{account, done, rejected};
use crate::given::{self, HOUR, MINUTE, NOW, TICK};
use crate::race::race;
use crate::show;

const BOTH: [Purpose; 2] = [Purpose::VerifyEmail, Purpose::ResetPassword];

/// What was issued is found by its link, with its user, every field of it.
pub async fn issued_is_found(store: &Arc<dyn Store>) {
    let user = given::registered(&**store).await;
    for purpose in BOTH {
        let token = Token {
            link_until: NOW + TICK,
            code_until: NOW + 2 * TICK,
            created_at: NOW + 3 * TICK,
            attempts: 3,
            ..given::token(&user, purpose)
        };
        done(store, &[given::issue(token.clone())]).await;
        let found = store.find_token(&token.link.unwrap()).await.unwrap().expect("the token");
        assert_eq!(show::token(&found.token), show::token(&token));
        assert_eq!(found.user, user);
        let listed = store.tokens_of(user.id, purpose).await.unwrap();
        assert_eq!(shown(&listed), shown(&[token]));
    }
    assert!(store.find_token(&given::digest()).await.unwrap().is_none());
}

/// Expired tokens are found as well: whether they are good is decided by who asks.
pub async fn expired_is_found(store: &Arc<dyn Store>) {
    let user = given::registered(&**store).await;
    let long_ago = NOW.before(1000 * HOUR);
    let token = Token { link_until: long_ago, code_until: long_ago, ..given::token(&user, Purpose::VerifyEmail) };
    done(store, &[given::issue(token.clone())]).await;
    assert!(store.find_token(&token.link.unwrap()).await.unwrap().is_some());
    assert_eq!(store.tokens_of(user.id, Purpose::VerifyEmail).await.unwrap().len(), 1);
}

/// VT5: a token is issued at the user's address of that moment only.
pub async fn vt5_issued_at_the_users_address(store: &Arc<dyn Store>) {
    let (user, other) = (given::registered(&**store).await, given::registered(&**store).await);
    for email in [other.email, given::email()] {
        let token = Token { email, ..given::token(&user, Purpose::ResetPassword) };
        assert_eq!(rejected(store, &[given::issue(token.clone())]).await, Rejected::EmailChanged);
        assert!(store.find_token(&token.link.unwrap()).await.unwrap().is_none());
    }
    let nobodys = given::token(&given::user(), Purpose::ResetPassword);
    assert_eq!(rejected(store, &[given::issue(nobodys)]).await, Rejected::EmailChanged);

    let spelling = Email::parse(&user.email.as_str().to_uppercase()).unwrap();
    done(store, &[given::issue(Token { email: spelling, ..given::token(&user, Purpose::ResetPassword) })]).await;
}

/// A user's tokens are listed newest first, those of that purpose only.
pub async fn listed_newest_first(store: &Arc<dyn Store>) {
    let (user, other) = (given::registered(&**store).await, given::registered(&**store).await);
    let tokens = issue_at_minutes(store, &user, Purpose::VerifyEmail, &[2, 0, 3, 1]).await;
    given::issued(&**store, &user, Purpose::ResetPassword).await;
    given::issued(&**store, &other, Purpose::VerifyEmail).await;

    let newest_first = [2, 0, 3, 1].map(|i| tokens[i].clone());
    let listed = store.tokens_of(user.id, Purpose::VerifyEmail).await.unwrap();
    assert_eq!(shown(&listed), shown(&newest_first));
    assert!(store.tokens_of(given::id(), Purpose::VerifyEmail).await.unwrap().is_empty());
}

/// Trimming keeps the newest of that user and purpose, and touches no others.
pub async fn trimming_keeps_the_newest(store: &Arc<dyn Store>) {
    let (user, other) = (given::registered(&**store).await, given::registered(&**store).await);
    let tokens = issue_at_minutes(store, &user, Purpose::ResetPassword, &[1, 3, 0, 2]).await;
    given::issued(&**store, &user, Purpose::VerifyEmail).await;
    given::issued(&**store, &other, Purpose::ResetPassword).await;
    let trim = |keep| [Change::TrimTokens { user: user.id, purpose: Purpose::ResetPassword, keep }];

    for (keep, left) in [(u32::MAX, &[1, 3, 0, 2][..]), (4, &[1, 3, 0, 2]), (2, &[1, 3]), (1, &[1]), (0, &[])] {
        done(store, &trim(keep)).await;
        let expected: Vec<Token> = left.iter().map(|&i| tokens[i].clone()).collect();
        let listed = store.tokens_of(user.id, Purpose::ResetPassword).await.unwrap();
        assert_eq!(shown(&listed), shown(&expected), "keeping {keep}");
    }
    done(store, &trim(3)).await;
    assert_eq!(store.tokens_of(user.id, Purpose::VerifyEmail).await.unwrap().len(), 1);
    assert_eq!(store.tokens_of(other.id, Purpose::ResetPassword).await.unwrap().len(), 1);
}

/// Trimming counts right where several tokens are of one instant, and a token issued in the same list is among them.
pub async fn trimming_counts_equals(store: &Arc<dyn Store>) {
    let user = given::registered(&**store).await;
    issue_at_minutes(store, &user, Purpose::ResetPassword, &[1, 1, 1, 1]).await;
    let newest = Token { created_at: NOW + HOUR, ..given::token(&user, Purpose::ResetPassword) };
    let issue = given::issue(newest.clone());
    done(store, &[issue, Change::TrimTokens { user: user.id, purpose: Purpose::ResetPassword, keep: 3 }]).await;
    let listed = store.tokens_of(user.id, Purpose::ResetPassword).await.unwrap();
    assert_eq!(listed.len(), 3);
    assert_eq!(listed[0].id, newest.id);
}

/// VT6: attempts count up to the limit; then the code is dead and its link is not.
pub async fn vt6_attempts_are_limited(store: &Arc<dyn Store>) {
    let (user, other) = (given::registered(&**store).await, given::registered(&**store).await);
    let token = given::issued(&**store, &user, Purpose::VerifyEmail).await;
    let untouched = given::issued(&**store, &user, Purpose::VerifyEmail).await;
    for attempt in 1..=5 {
        done(store, &[claim(user.id, token.id, 5)]).await;
        assert_eq!(store.find_token(&token.link.unwrap()).await.unwrap().unwrap().token.attempts, attempt);
    }
    assert_eq!(rejected(store, &[claim(user.id, token.id, 5)]).await, Rejected::Attempts);
    assert_eq!(store.find_token(&token.link.unwrap()).await.unwrap().unwrap().token.attempts, 5);
    done(store, &[claim(user.id, token.id, 6)]).await;

    let unknown = given::id();
    let refused = [
        claim(user.id, untouched.id, 0),
        claim(user.id, unknown, 5),
        claim(other.id, untouched.id, 5),
        claim(given::id(), untouched.id, 5),
    ];
    for change in refused {
        assert_eq!(rejected(store, &[change]).await, Rejected::Attempts);
    }
    assert_eq!(store.find_token(&untouched.link.unwrap()).await.unwrap().unwrap().token.attempts, 0);
    done(store, &[spend(user.id, token.id)]).await;
    assert_eq!(rejected(store, &[claim(user.id, token.id, 5)]).await, Rejected::Attempts);
}

/// VT6: of 50 racing attempts at one code with a limit of 5, exactly 5 may compare.
pub async fn vt6_claim_race_is_exact(store: &Arc<dyn Store>) {
    let user = given::registered(&**store).await;
    let token = given::issued(&**store, &user, Purpose::ResetPassword).await;
    let outcomes = race(50, |_| {
        let (store, change) = (store.clone(), claim(user.id, token.id, 5));
        async move { store.commit(&[change]).await }
    })
    .await;
    assert_eq!(outcomes.winners().len(), 5, "{outcomes:?}");
    outcomes.losers_were_rejected(Rejected::Attempts);
    assert_eq!(store.find_token(&token.link.unwrap()).await.unwrap().unwrap().token.attempts, 5);
}

/// VT3, VT5: a token is spent once, by its user, and leaves the others.
pub async fn vt3_spent_once(store: &Arc<dyn Store>) {
    let (user, other) = (given::registered(&**store).await, given::registered(&**store).await);
    let token = given::issued(&**store, &user, Purpose::VerifyEmail).await;
    let sibling = given::issued(&**store, &user, Purpose::VerifyEmail).await;
    for (user, token) in [(other.id, token.id), (given::id(), token.id), (user.id, given::id())] {
        assert_eq!(rejected(store, &[spend(user, token)]).await, Rejected::Token);
    }
    assert!(store.find_token(&token.link.unwrap()).await.unwrap().is_some());

    assert_eq!(rejected(store, &[spend(user.id, token.id), spend(user.id, token.id)]).await, Rejected::Token);
    done(store, &[spend(user.id, token.id)]).await;
    assert_eq!(rejected(store, &[spend(user.id, token.id)]).await, Rejected::Token);
    assert!(store.find_token(&token.link.unwrap()).await.unwrap().is_none());
    assert!(store.find_token(&sibling.link.unwrap()).await.unwrap().is_some());
}

/// VT3: of 50 racing spenders of one token one wins, and the password is that winner's.
pub async fn vt3_spend_race_has_one_winner(store: &Arc<dyn Store>) {
    let user = given::registered(&**store).await;
    let token = given::issued(&**store, &user, Purpose::ResetPassword).await;
    let hashes: Vec<PasswordHash> = (0..50).map(|_| given::hash()).collect();
    let outcomes = race(50, |i| {
        let password = hashes[i].clone();
        let changes = [
            spend(user.id, token.id),
            Change::SetPassword { user: user.id, epoch: Epoch::FIRST, password },
            Change::DropTokens { user: user.id, purpose: Purpose::ResetPassword },
        ];
        let store = store.clone();
        async move { store.commit(&changes).await }
    })
    .await;

    let winner = outcomes.single_ok();
    outcomes.losers_were_rejected(Rejected::Token);
    assert_eq!(account(store, user.id).await.password.as_ref(), Some(&hashes[winner]));
}

/// VT7: dropping takes every token of that purpose and user, and no other.
pub async fn vt7_dropping_takes_all_of_a_purpose(store: &Arc<dyn Store>) {
    let (user, other) = (given::registered(&**store).await, given::registered(&**store).await);
    for purpose in BOTH {
        issue_at_minutes(store, &user, purpose, &[0, 1, 2]).await;
        issue_at_minutes(store, &other, purpose, &[0]).await;
    }
    done(store, &[Change::DropTokens { user: user.id, purpose: Purpose::ResetPassword }]).await;
    assert!(store.tokens_of(user.id, Purpose::ResetPassword).await.unwrap().is_empty());
    assert_eq!(store.tokens_of(user.id, Purpose::VerifyEmail).await.unwrap().len(), 3);
    assert_eq!(store.tokens_of(other.id, Purpose::ResetPassword).await.unwrap().len(), 1);
    done(store, &[Change::DropTokens { user: user.id, purpose: Purpose::ResetPassword }]).await;
}

/// Attempts use all of their 32 bits.
pub async fn attempts_are_unsigned(store: &Arc<dyn Store>) {
    let user = given::registered(&**store).await;
    let token = Token { attempts: u32::MAX - 1, ..given::token(&user, Purpose::VerifyEmail) };
    done(store, &[given::issue(token.clone()), claim(user.id, token.id, u32::MAX)]).await;
    assert_eq!(store.find_token(&token.link.unwrap()).await.unwrap().unwrap().token.attempts, u32::MAX);
    assert_eq!(rejected(store, &[claim(user.id, token.id, u32::MAX)]).await, Rejected::Attempts);
}

async fn issue_at_minutes(store: &Arc<dyn Store>, user: &User, purpose: Purpose, minutes: &[u32]) -> Vec<Token> {
    let mut tokens = Vec::new();
    for &minute in minutes {
        let token = Token { created_at: NOW + minute * MINUTE, ..given::token(user, purpose) };
        done(store, &[given::issue(token.clone())]).await;
        tokens.push(token);
    }
    tokens
}

fn shown(tokens: &[Token]) -> Vec<String> {
    tokens.iter().map(show::token).collect()
}

fn claim(user: UserId, token: TokenId, limit: u32) -> Change {
    Change::ClaimAttempt { user, token, limit }
}

fn spend(user: UserId, token: TokenId) -> Change {
    Change::SpendToken { user, token }
}
