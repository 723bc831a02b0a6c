//! Signing keys and pepper checks.

use std::sync::Arc;

use auth_core::domain::{PepperCheck, Sealed, SigningKey};
use auth_core::port::{Change, Rejected, Store};

use super::alone::alone;
use super::{done, rejected};
use crate::race::race;
use crate::{given, show};

/// JW5: what was added is found, every field of it, highest number first.
pub async fn jw5_added_is_found(store: &Arc<dyn Store>) {
    let mut keys: Vec<SigningKey> = (0..4).map(|_| given::signing_key()).collect();
    for key in &keys {
        done(store, &[Change::AddSigningKey(key.clone())]).await;
    }
    keys.sort_unstable_by_key(|key| std::cmp::Reverse(key.number));

    let all = store.signing_keys().await.unwrap();
    assert!(all.is_sorted_by_key(|key| std::cmp::Reverse(key.number)));
    let ours: Vec<_> = all.iter().filter(|key| keys.iter().any(|ours| ours.kid == key.kid)).collect();
    assert_eq!(
        ours.into_iter().map(show::signing_key).collect::<Vec<_>>(),
        keys.iter().map(show::signing_key).collect::<Vec<_>>()
    );
}

/// JW5: a number is given once, up to the highest there is.
pub async fn jw5_number_is_unique(store: &Arc<dyn Store>) {
    let key = SigningKey { number: u32::MAX - u32::from(given::bytes::<1>()[0]), ..given::signing_key() };
    // Another run of the suite may have taken the number; then it rejects already.
    let _ = store.commit(&[Change::AddSigningKey(key.clone())]).await;
    let second = SigningKey { number: key.number, ..given::signing_key() };
    assert_eq!(rejected(store, &[Change::AddSigningKey(second.clone())]).await, Rejected::Key);
    assert!(store.signing_keys().await.unwrap().iter().all(|key| key.kid != second.kid));
}

/// JW5: of 50 nodes that make one key at once, one wins.
pub async fn jw5_number_race_has_one_winner(store: &Arc<dyn Store>) {
    let number = given::signing_key().number;
    let keys: Vec<SigningKey> = (0..50).map(|_| SigningKey { number, ..given::signing_key() }).collect();
    let outcomes = race(50, |i| {
        let (store, key) = (store.clone(), keys[i].clone());
        async move { store.commit(&[Change::AddSigningKey(key)]).await }
    })
    .await;
    let winner = outcomes.single_ok();
    outcomes.losers_were_rejected(Rejected::Key);
    let found = store.signing_keys().await.unwrap();
    let found: Vec<_> = found.iter().filter(|key| key.number == number).collect();
    assert_eq!(found.len(), 1);
    assert_eq!(show::signing_key(found[0]), show::signing_key(&keys[winner]));
}

/// SC3: a pepper's first check stays, whoever adds another one; of racing nodes none fails.
pub async fn sc3_first_pepper_check_stays(store: &Arc<dyn Store>) {
    let first = given::pepper_check();
    done(store, &[Change::AddPepperCheck(first.clone())]).await;
    let later = PepperCheck { key: first.key, mac: given::mac() };
    let outcomes = race(20, |_| {
        let (store, later) = (store.clone(), later.clone());
        async move { store.commit(&[Change::AddPepperCheck(later)]).await }
    })
    .await;
    assert_eq!(outcomes.winners().len(), 20, "{outcomes:?}");
    assert_eq!(checks_of(store, &first).await, [show::pepper_check(&first)]);

    let raced = given::pepper_check();
    let outcomes = race(20, |_| {
        let (store, raced) = (store.clone(), raced.clone());
        async move { store.commit(&[Change::AddPepperCheck(raced)]).await }
    })
    .await;
    assert_eq!(outcomes.winners().len(), 20, "{outcomes:?}");
    assert_eq!(checks_of(store, &raced).await, [show::pepper_check(&raced)]);
}

/// SC4: a key's sealed form is replaced only while it is what was sealed anew; nothing else of the key changes.
pub async fn sc4_resealed_from_what_was_opened(store: &Arc<dyn Store>) {
    let (key, other) = (given::signing_key(), given::signing_key());
    done(store, &[Change::AddSigningKey(key.clone()), Change::AddSigningKey(other.clone())]).await;
    let to = given::sealed();
    for (number, from) in [(key.number, &to), (key.number, &other.private), (!key.number, &key.private)] {
        assert_eq!(rejected(store, &[reseal(number, from, &to)]).await, Rejected::Key);
    }
    done(store, &[reseal(key.number, &key.private, &to)]).await;
    assert_eq!(rejected(store, &[reseal(key.number, &key.private, &given::sealed())]).await, Rejected::Key);
    let expected = SigningKey { private: to, ..key };
    for key in [expected, other] {
        assert_eq!(key_of(store, key.number).await, Some(show::signing_key(&key)));
    }
}

/// SC4: of 20 nodes that seal one key anew at once, one wins.
pub async fn sc4_reseal_race_has_one_winner(store: &Arc<dyn Store>) {
    let key = given::signing_key();
    done(store, &[Change::AddSigningKey(key.clone())]).await;
    let sealed: Vec<Sealed> = (0..20).map(|_| given::sealed()).collect();
    let outcomes = race(20, |i| {
        let (store, change) = (store.clone(), reseal(key.number, &key.private, &sealed[i]));
        async move { store.commit(&[change]).await }
    })
    .await;
    let winner = outcomes.single_ok();
    outcomes.losers_were_rejected(Rejected::Key);
    let expected = SigningKey { private: sealed[winner].clone(), ..key };
    assert_eq!(key_of(store, expected.number).await, Some(show::signing_key(&expected)));
}

/// JW5: keys below a number go, and no others; none there is no reason to reject.
pub async fn jw5_retired_keys_are_dropped(store: &Arc<dyn Store>) {
    alone(store, async || {
        let latest = given::signing_key();
        let drop_below = |number| [Change::DropSigningKeys { number }];
        done(store, &drop_below(10)).await;
        let add = |number| Change::AddSigningKey(SigningKey { number, ..given::signing_key() });
        done(store, &[add(0), add(4), add(9), Change::AddSigningKey(latest.clone())]).await;
        let left = async || {
            let mut left = Vec::new();
            for number in [0, 4, 9, latest.number] {
                left.extend(key_of(store, number).await.map(|_| number));
            }
            left
        };
        for (number, expected) in [(0, &[0, 4, 9][..]), (4, &[4, 9]), (4, &[4, 9]), (5, &[9]), (10, &[])] {
            done(store, &drop_below(number)).await;
            assert_eq!(left().await, [expected, &[latest.number]].concat(), "those from {number} on");
        }
        // The number is free again: it is for the core to count on.
        done(store, &[add(4)]).await;
        done(store, &drop_below(10)).await;
    })
    .await;
}

fn reseal(number: u32, from: &Sealed, to: &Sealed) -> Change {
    Change::ResealSigningKey { number, from: from.clone(), to: to.clone() }
}

/// The key of that number, shown.
async fn key_of(store: &Arc<dyn Store>, number: u32) -> Option<String> {
    store.signing_keys().await.unwrap().iter().find(|key| key.number == number).map(show::signing_key)
}

async fn checks_of(store: &Arc<dyn Store>, check: &PepperCheck) -> Vec<String> {
    let all = store.pepper_checks().await.unwrap();
    all.iter().filter(|found| found.key == check.key).map(show::pepper_check).collect()
}
