//! Signing keys and pepper checks.

use std::sync::Arc;

use auth_core::domain::{PepperCheck, SigningKey};
use auth_core::port::{Change, Rejected, Store};

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

async fn checks_of(store: &Arc<dyn Store>, check: &PepperCheck) -> Vec<String> {
    let all = store.pepper_checks().await.unwrap();
    all.iter().filter(|found| found.key == check.key).map(show::pepper_check).collect()
}
