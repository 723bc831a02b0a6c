//! One-time tokens: issued, attempted and spent.

use std::sync::Arc;

use auth_core::domain::{
    Digest, Email, Epoch, FirstStep, Method, Methods, PasswordHash, Purpose, Timestamp, Token, TokenId, User, UserId,
};
use auth_core::port::{Change, Rejected, Store};

use super::{account, done, rejected};
use crate::given::{self, HOUR, MINUTE, NOW, TICK};
use crate::race::race;
use crate::show;

/// What was issued is found by its link, with its user, every field of it.
pub async fn issued_is_found(store: &Arc<dyn Store>) {
    let user = given::registered(&**store).await;
    for purpose in Purpose::ALL {
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
        let token = Token { account: Some(email), ..given::token(&user, Purpose::ResetPassword) };
        assert_eq!(rejected(store, &[given::issue(token.clone())]).await, Rejected::EmailChanged);
        assert!(store.find_token(&token.link.unwrap()).await.unwrap().is_none());
    }
    let nobodys = given::token(&given::user(), Purpose::ResetPassword);
    assert_eq!(rejected(store, &[given::issue(nobodys)]).await, Rejected::EmailChanged);

    let spelling = Email::parse(&user.email.as_str().to_uppercase()).unwrap();
    let spelled = Token { account: Some(spelling), ..given::token(&user, Purpose::ResetPassword) };
    done(store, &[given::issue(spelled.clone())]).await;
    let found = store.find_token(&spelled.link.unwrap()).await.unwrap().expect("the token");
    assert_eq!(show::token(&found.token), show::token(&spelled));
}

/// VT5, VT9: where a token is mailed to is another matter: one that moves the account goes to the address that it is to
/// have. One that is bound to no address is issued whichever the account has.
pub async fn vt9_mailed_elsewhere_is_issued(store: &Arc<dyn Store>) {
    let user = given::registered(&**store).await;
    let moving = Token { email: given::email(), ..given::token(&user, Purpose::ChangeEmail) };
    let unbound = Token { account: None, ..given::token(&user, Purpose::UndoEmail) };
    done(store, &[given::issue(moving.clone()), given::issue(unbound.clone())]).await;
    for token in [&moving, &unbound] {
        let found = store.find_token(&token.link.unwrap()).await.unwrap().expect("the token");
        assert_eq!(show::token(&found.token), show::token(token));
    }
    let to = moving.email.clone();
    done(store, &[Change::ChangeEmail { user: user.id, from: user.email.clone(), to, at: NOW }]).await;
    let late = Token { account: None, ..given::token(&user, Purpose::UndoEmail) };
    done(store, &[given::issue(late)]).await;
    let late = given::token(&user, Purpose::UndoEmail);
    assert_eq!(rejected(store, &[given::issue(late)]).await, Rejected::EmailChanged);
    let nobodys = Token { account: None, ..given::token(&given::user(), Purpose::UndoEmail) };
    assert_eq!(rejected(store, &[given::issue(nobodys)]).await, Rejected::EmailChanged);
}

/// A mail may carry only a code, or only a link: what isn't there is found by nobody, and any number may lack it.
pub async fn either_link_or_code_may_be_missing(store: &Arc<dyn Store>) {
    let user = given::registered(&**store).await;
    let [first, second] = [0, 1].map(|minute| code_only(&user, NOW + minute * MINUTE));
    let link_only = Token { code: None, code_until: NOW, ..given::token(&user, Purpose::UndoEmail) };
    done(store, &[&first, &second, &link_only].map(|token| given::issue(token.clone()))).await;
    let listed = store.tokens_of(user.id, first.purpose).await.unwrap();
    assert_eq!(shown(&listed), shown(&[second.clone(), first.clone()]));
    let found = store.find_token(&link_only.link.unwrap()).await.unwrap().expect("the token");
    assert_eq!(show::token(&found.token), show::token(&link_only));
    for nothing in [[0; 32], [0xff; 32]] {
        assert!(store.find_token(&Digest::from_bytes(nothing)).await.unwrap().is_none());
    }
    done(store, &[claim(user.id, first.id, 1), spend(user.id, first.id), spend(user.id, link_only.id)]).await;
    assert_eq!(shown(&store.tokens_of(user.id, first.purpose).await.unwrap()), shown(&[second]));
}

/// A challenge comes back with how far its sign-in has come, on a device that is known or not, and any token with the session
/// that it is about.
pub async fn challenges_are_kept_exactly(store: &Arc<dyn Store>) {
    let user = given::registered(&**store).await;
    let first_step = FirstStep {
        epoch: Epoch::from_number(u32::MAX),
        device: Some(given::id()),
        methods: Methods::of(&[Method::Password, Method::EmailCode]),
    };
    let challenge = |sign_in| Token { sign_in, ..given::token(&user, Purpose::SecondStep) };
    let tokens = [
        challenge(Some(first_step.clone())),
        challenge(Some(FirstStep { epoch: Epoch::FIRST, device: None, ..first_step.clone() })),
        challenge(Some(FirstStep { methods: Methods::of(&[]), ..first_step.clone() })),
        challenge(None),
        Token { session: Some(given::id()), ..given::token(&user, Purpose::Reauthenticate) },
        Token { session: Some(given::id()), ..challenge(Some(first_step)) },
    ];
    for token in tokens {
        done(store, &[given::issue(token.clone())]).await;
        let found = store.find_token(&token.link.unwrap()).await.unwrap().expect("the token");
        assert_eq!(show::token(&found.token), show::token(&token));
        let listed = store.tokens_of(user.id, token.purpose).await.unwrap();
        assert!(shown(&listed).contains(&show::token(&token)), "{listed:?}");
    }
}

/// Another code for a token leaves all else of it as it is, the attempts above all: asking for codes must not buy guesses.
pub async fn renewed_code_keeps_its_attempts(store: &Arc<dyn Store>) {
    let (user, other) = (given::registered(&**store).await, given::registered(&**store).await);
    let token = Token { code: None, ..given::token(&user, Purpose::SecondStep) };
    let untouched = given::issued(&**store, &user, Purpose::SecondStep).await;
    let renew = |user, token, code, until| Change::RenewCode { user, token, code, until };
    done(store, &[given::issue(token.clone()), claim(user.id, token.id, 1)]).await;
    // The first code of a token that had none, then one in its place.
    for until in [NOW + HOUR, NOW + 2 * HOUR] {
        let code = given::mac();
        done(store, &[renew(user.id, token.id, code, until)]).await;
        let renewed = Token { code: Some(code), code_until: until, attempts: 1, ..token.clone() };
        let found = store.find_token(&token.link.unwrap()).await.unwrap().expect("the token");
        assert_eq!(show::token(&found.token), show::token(&renewed));
    }
    assert_eq!(rejected(store, &[claim(user.id, token.id, 1)]).await, Rejected::Attempts);

    for (user, token) in [(other.id, untouched.id), (given::id(), untouched.id), (user.id, given::id())] {
        assert_eq!(rejected(store, &[renew(user, token, given::mac(), NOW)]).await, Rejected::Token);
    }
    let found = store.find_token(&untouched.link.unwrap()).await.unwrap().expect("the token");
    assert_eq!(show::token(&found.token), show::token(&untouched));
}

/// As many tokens of a purpose live at once as may: counted are those whose link or code lives on, to the microsecond.
pub async fn live_tokens_are_limited(store: &Arc<dyn Store>) {
    let (user, other) = (given::registered(&**store).await, given::registered(&**store).await);
    let purpose = Purpose::ResetPassword;
    let now = NOW + HOUR;
    let issue = |token: &Token, at_most| [Change::IssueToken { token: token.clone(), at_most }];
    let until = |link_until, code_until| Token { link_until, code_until, ..given::token(&user, purpose) };
    // Dead at that moment.
    let dead = [
        until(now, now),
        Token { link: None, link_until: NOW, ..until(now, now) },
        Token { code: None, code_until: NOW, ..until(now, now) },
    ];
    done(store, &dead.map(given::issue)).await;
    let next = Token { created_at: now, ..given::token(&user, purpose) };
    assert_eq!(rejected(store, &issue(&next, 0)).await, Rejected::TooManyTokens);
    let alive = [
        until(now + TICK, now),
        until(now, now + TICK),
        Token { link: None, link_until: NOW, ..until(now, now + TICK) },
        Token { code: None, code_until: NOW, ..until(now + TICK, now) },
    ];
    for (count, token) in (0..).zip(alive) {
        assert_eq!(rejected(store, &issue(&next, count)).await, Rejected::TooManyTokens, "{count} live");
        // There would be room: shown in a list that is rejected in the end.
        let mut with_room = issue(&next, count + 1).to_vec();
        with_room.push(spend(user.id, given::id()));
        assert_eq!(rejected(store, &with_room).await, Rejected::Token, "{count} live");
        done(store, &[given::issue(token)]).await;
    }
    assert_eq!(rejected(store, &issue(&next, 4)).await, Rejected::TooManyTokens);
    // Of other purposes and users there are none.
    done(store, &issue(&Token { created_at: now, ..given::token(&user, Purpose::VerifyEmail) }, 1)).await;
    done(store, &issue(&Token { created_at: now, ..given::token(&other, purpose) }, 1)).await;
    // What is wrong with the address is named first.
    let elsewhere = Token { account: Some(given::email()), ..next.clone() };
    assert_eq!(rejected(store, &issue(&elsewhere, 0)).await, Rejected::EmailChanged);
    done(store, &issue(&next, 5)).await;
}

/// Of 50 racing requests for a token, of which three may live at once, exactly three get one; half have a code only.
pub async fn live_tokens_race_is_exact(store: &Arc<dyn Store>) {
    let user = given::registered(&**store).await;
    let outcomes = race(50, |i| {
        let token = if i % 2 == 0 { code_only(&user, NOW) } else { given::token(&user, Purpose::ResetPassword) };
        let (store, change) = (store.clone(), Change::IssueToken { token, at_most: 3 });
        async move { store.commit(&[change]).await }
    })
    .await;
    assert_eq!(outcomes.winners().len(), 3, "{outcomes:?}");
    outcomes.losers_were_rejected(Rejected::TooManyTokens);
    assert_eq!(store.tokens_of(user.id, Purpose::ResetPassword).await.unwrap().len(), 3);
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
    for purpose in Purpose::ALL {
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

/// A token of a mail that carries a code and no link.
fn code_only(user: &User, created_at: Timestamp) -> Token {
    Token { link: None, link_until: created_at, created_at, ..given::token(user, Purpose::ResetPassword) }
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
