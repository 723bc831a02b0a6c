//! The application's own fields of a user.

use std::sync::Arc;

use auth_core::domain::{Attributes, Purpose, User, UserId};
use auth_core::port::{Change, Rejected, Store};

use super::{account, done, found_session, rejected};
use crate::given;
use crate::race::race;

/// IN2: fields come back as they went in, from every read that carries the user, as much as there may be of them.
pub async fn in2_fields_are_kept_exactly(store: &Arc<dyn Store>) {
    let user = User { attributes: fields(&[("plan", "pro")]), ..given::user() };
    done(store, &[given::create(&user)]).await;
    let session = given::signed_in(&**store, &user).await;
    let token = given::issued(&**store, &user, Purpose::VerifyEmail).await;
    assert_eq!(account(store, user.id).await.user, user);

    // Also those whose shortest text is read back by careful parsers only.
    let fractions = [0.1 + 0.2, 5e-324, f64::MAX, 1.234_567_890_123_456_7e-7, 9_007_199_254_740_993.0, -0.0];
    let numbers = Attributes::default()
        .with("fractions", &fractions)
        .unwrap()
        .with("nested", &serde_json::json!({ "b": [1, -1, 1.5, 1e300, u64::MAX, i64::MIN], "a": { "": null } }))
        .unwrap();
    let all = [
        Attributes::default(),
        numbers,
        fields(&[
            ("", ""),
            ("a.b", "O'Brien \" \\ \\u0041 🦀 { } % _ $1 ?"),
            ("é", "e\u{301}"),
            ("A", "x"),
            ("a", "X"),
        ]),
        fields(&[("long", &"𝕏".repeat(4090))]),
    ];
    let mut from = user.attributes.clone();
    for to in all {
        done(store, &[set(user.id, &from, &to)]).await;
        let expected = User { attributes: to.clone(), ..user.clone() };
        assert_eq!(account(store, user.id).await.user, expected);
        assert_eq!(store.find_user_by_email(&user.email).await.unwrap().unwrap().user, expected);
        assert_eq!(found_session(store, session.id).await.unwrap().user, expected);
        assert_eq!(store.find_token(&token.link.unwrap()).await.unwrap().unwrap().user, expected);
        // Whoever changes them next has read them.
        from = account(store, user.id).await.user.attributes;
    }
}

/// Fields are replaced only while they are what was decided about, to the letter.
pub async fn set_from_what_was_decided_about(store: &Arc<dyn Store>) {
    let user = given::registered(&**store).await;
    let (none, first, second) = (Attributes::default(), fields(&[("plan", "pro ")]), fields(&[("plan", "free")]));
    done(store, &[set(user.id, &none, &first)]).await;
    let near = [fields(&[("plan", "Pro ")]), fields(&[("plan", "pro")]), fields(&[("Plan", "pro ")])];
    for from in near.iter().chain([&none, &second]) {
        assert_eq!(rejected(store, &[set(user.id, from, &second)]).await, Rejected::Attributes);
    }
    assert_eq!(rejected(store, &[set(given::id(), &none, &second)]).await, Rejected::Attributes);
    assert_eq!(account(store, user.id).await.user, User { attributes: first.clone(), ..user.clone() });

    // To the same is no change, and no rejection either.
    done(store, &[set(user.id, &first, &first), set(user.id, &first, &none)]).await;
    assert_eq!(account(store, user.id).await.user, user);
}

/// Of 50 racing changes of one user's fields one wins; none overwrites what it hasn't seen.
pub async fn race_has_one_winner(store: &Arc<dyn Store>) {
    let user = given::registered(&**store).await;
    let all: Vec<Attributes> = (0..50).map(|i| Attributes::default().with("n", &i).unwrap()).collect();
    let outcomes = race(50, |i| {
        let (store, change) = (store.clone(), set(user.id, &Attributes::default(), &all[i]));
        async move { store.commit(&[change]).await }
    })
    .await;
    let winner = outcomes.single_ok();
    outcomes.losers_were_rejected(Rejected::Attributes);
    assert_eq!(account(store, user.id).await.user.attributes, all[winner]);
}

fn fields(fields: &[(&str, &str)]) -> Attributes {
    fields.iter().fold(Attributes::default(), |all, (name, value)| all.with(name, value).expect("an attribute"))
}

fn set(user: UserId, from: &Attributes, to: &Attributes) -> Change {
    Change::SetAttributes { user, from: from.clone(), to: to.clone() }
}
