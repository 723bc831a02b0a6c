//! Registrations that wait for their proof.

use std::sync::Arc;

use auth_core::domain::{Attributes, Email, Pending, TokenId, User, UserId};
use auth_core::port::{Change, Rejected, Store};

use super::{done, rejected};
use crate::given::{self, HOUR, MINUTE, NOW, TICK};
use crate::race::race;
use crate::show;

/// What waits is found by its link and by its address, every field of it.
pub async fn kept_is_found(store: &Arc<dyn Store>) {
    let typed = Email::parse(&given::email_with("Zoë").as_str().replace("example.com", "BÜCHER.example")).unwrap();
    let full = Pending {
        email: typed,
        slot: u32::MAX,
        attributes: Attributes::default().with("plan", "pro \"'\\ 🦀").unwrap().with("seats", &[1, 2]).unwrap(),
        link_until: NOW + TICK,
        code_until: NOW + 2 * TICK,
        created_at: NOW + 3 * TICK,
        attempts: 3,
        ..given::pending()
    };
    let bare = Pending { name: None, locale: None, ..given::pending() };
    let empty = Pending { name: Some(String::new()), ..given::pending() };
    for pending in [full, bare, empty] {
        done(store, &[add(&pending)]).await;
        let found = store.find_pending(&pending.link).await.unwrap().expect("the registration");
        assert_eq!(show::pending(&found), show::pending(&pending));
        let spelled = Email::parse(&pending.email.as_str().to_uppercase()).unwrap();
        assert_eq!(shown(&store.pendings_of(&spelled).await.unwrap()), shown(&[pending]));
    }
    assert!(store.find_pending(&given::digest()).await.unwrap().is_none());
    assert!(store.pendings_of(&given::email()).await.unwrap().is_empty());
}

/// Expired ones are found as well: whether they are good is decided by who asks.
pub async fn expired_is_found(store: &Arc<dyn Store>) {
    let long_ago = NOW.before(1000 * HOUR);
    let pending = Pending { link_until: long_ago, code_until: long_ago, ..given::pending() };
    done(store, &[add(&pending)]).await;
    assert!(store.find_pending(&pending.link).await.unwrap().is_some());
    assert_eq!(store.pendings_of(&pending.email).await.unwrap().len(), 1);
}

/// Those of an address are listed newest first, and no others.
pub async fn listed_newest_first(store: &Arc<dyn Store>) {
    let email = given::email();
    let mut pendings = Vec::new();
    for (slot, minute) in [(0, 2), (1, 0), (2, 3), (3, 1)] {
        let created_at = NOW + minute * MINUTE;
        pendings.push(Pending { email: email.clone(), slot, created_at, ..given::pending() });
    }
    let changes: Vec<Change> = pendings.iter().map(add).collect();
    done(store, &changes).await;
    done(store, &[add(&given::pending())]).await;
    let newest_first = [2, 0, 3, 1].map(|i| pendings[i].clone());
    assert_eq!(shown(&store.pendings_of(&email).await.unwrap()), shown(&newest_first));
}

/// EN8: each record keeps the password that it was made with: a stranger's registration of the address is another one.
pub async fn en8_each_keeps_its_own_password(store: &Arc<dyn Store>) {
    let anns = given::pending();
    let strangers = Pending { email: anns.email.clone(), slot: 1, ..given::pending() };
    done(store, &[add(&anns), add(&strangers)]).await;
    for pending in [&anns, &strangers] {
        let found = store.find_pending(&pending.link).await.unwrap().unwrap();
        assert_eq!(found.password, pending.password);
    }
    assert!(store.find_user_by_email(&anns.email).await.unwrap().is_none(), "it isn't an account");
}

/// A slot is taken by one record of its address, however that is spelled, until the record is gone.
pub async fn slot_is_taken_once(store: &Arc<dyn Store>) {
    let email = given::email_with("ann");
    let shouted = Email::parse(&email.as_str().to_uppercase()).unwrap();
    let at = |email: &Email, slot| Pending { email: email.clone(), slot, ..given::pending() };
    let (first, second) = (at(&email, 0), at(&shouted, 1));
    done(store, &[add(&first), add(&second), add(&at(&given::email(), 0))]).await;
    for (email, slot) in [(&email, 0), (&shouted, 0), (&email, 1), (&shouted, 1)] {
        let late = at(email, slot);
        assert_eq!(rejected(store, &[add(&late)]).await, Rejected::TooManyTokens);
        assert!(store.find_pending(&late.link).await.unwrap().is_none());
    }
    // What has expired takes its slot too, until somebody drops it.
    let expired = Pending { link_until: NOW, code_until: NOW, ..at(&email, 2) };
    done(store, &[add(&expired)]).await;
    let late = Pending { created_at: NOW + HOUR, ..at(&email, 2) };
    assert_eq!(rejected(store, &[add(&late)]).await, Rejected::TooManyTokens);

    done(store, &[spend(first.id), add(&at(&shouted, 0))]).await;
    done(store, &[Change::DropPendings { email: email.clone() }, add(&at(&email, 0)), add(&at(&email, 1))]).await;
    assert_eq!(store.pendings_of(&email).await.unwrap().len(), 2);
}

/// Of 50 racing registrations of one address, in several spellings, that go for one slot, one gets it.
pub async fn slot_race_has_one_winner(store: &Arc<dyn Store>) {
    let email = given::email_with("ann");
    let pendings: Vec<Pending> = (0..50)
        .map(|i| {
            let text = if i % 2 == 0 { email.as_str().to_owned() } else { email.as_str().to_uppercase() };
            Pending { email: Email::parse(&text).unwrap(), ..given::pending() }
        })
        .collect();
    let outcomes = race(50, |i| {
        let (store, change) = (store.clone(), add(&pendings[i]));
        async move { store.commit(&[change]).await }
    })
    .await;
    let winner = outcomes.single_ok();
    outcomes.losers_were_rejected(Rejected::TooManyTokens);
    assert_eq!(shown(&store.pendings_of(&email).await.unwrap()), shown(&[pendings[winner].clone()]));
}

/// EN3: addresses that differ have slots of their own, also where a collation thinks them equal, or where one is how another
/// begins: a store that puts its keys together must end each part.
pub async fn en3_lookalikes_have_their_own_slots(store: &Arc<dyn Store>) {
    let unique = given::id::<UserId>().as_uuid().simple().to_string();
    let locals = ["jose", "josé", "strasse", "straße", "か", "カ", "が", "e", "е", "x", "x\u{301}"];
    let addresses = locals.map(|local| format!("{local}.{unique}@example.com"));
    for address in addresses.into_iter().chain([format!("x.{unique}@example.co")]) {
        let email = Email::parse(&address).unwrap();
        let pending = Pending { email, ..given::pending() };
        done(store, &[add(&pending)]).await;
        assert_eq!(shown(&store.pendings_of(&pending.email).await.unwrap()), shown(&[pending]));
    }
}

/// VT6: attempts count up to the limit, of that record alone; of 50 racing ones with a limit of 5, exactly 5 may compare.
pub async fn vt6_claims_are_exact(store: &Arc<dyn Store>) {
    let (pending, untouched) = (given::pending(), given::pending());
    done(store, &[add(&pending), add(&untouched)]).await;
    assert_eq!(rejected(store, &[claim(pending.id, 0)]).await, Rejected::Attempts);
    assert_eq!(rejected(store, &[claim(given::id(), 5)]).await, Rejected::Attempts);
    let outcomes = race(50, |_| {
        let (store, change) = (store.clone(), claim(pending.id, 5));
        async move { store.commit(&[change]).await }
    })
    .await;
    assert_eq!(outcomes.winners().len(), 5, "{outcomes:?}");
    outcomes.losers_were_rejected(Rejected::Attempts);
    assert_eq!(store.find_pending(&pending.link).await.unwrap().unwrap().attempts, 5);
    assert_eq!(store.find_pending(&untouched.link).await.unwrap().unwrap().attempts, 0);
    done(store, &[claim(pending.id, 6)]).await;
}

/// VT3: of 50 racing confirmations of one record one wins; the account is that winner's.
pub async fn vt3_spend_race_has_one_winner(store: &Arc<dyn Store>) {
    let (pending, sibling) = (given::pending(), given::pending());
    done(store, &[add(&pending), add(&sibling)]).await;
    assert_eq!(rejected(store, &[spend(given::id())]).await, Rejected::Token);
    assert_eq!(rejected(store, &[spend(pending.id), spend(pending.id)]).await, Rejected::Token);

    let user = || User { email: pending.email.clone(), ..given::user() };
    let users: Vec<_> = (0..50).map(|_| user()).collect();
    let outcomes = race(50, |i| {
        let changes = [spend(pending.id), given::create(&users[i])];
        let store = store.clone();
        async move { store.commit(&changes).await }
    })
    .await;
    let winner = outcomes.single_ok();
    outcomes.losers_were_rejected(Rejected::Token);
    assert_eq!(store.find_user_by_email(&pending.email).await.unwrap().unwrap().user, users[winner]);
    assert!(store.find_pending(&pending.link).await.unwrap().is_none());
    assert!(store.find_pending(&sibling.link).await.unwrap().is_some());
    assert_eq!(rejected(store, &[spend(pending.id)]).await, Rejected::Token);
}

/// VT7: dropping takes every record of that address, however it is spelled, and no other.
pub async fn vt7_dropping_takes_all_of_an_address(store: &Arc<dyn Store>) {
    let (email, other) = (given::email_with("ann"), given::pending());
    let at = |slot| Pending { email: email.clone(), slot, ..given::pending() };
    done(store, &[add(&at(0)), add(&at(1)), add(&at(2)), add(&other)]).await;
    let shouted = Email::parse(&email.as_str().to_uppercase()).unwrap();
    done(store, &[Change::DropPendings { email: shouted.clone() }]).await;
    assert!(store.pendings_of(&email).await.unwrap().is_empty());
    assert_eq!(store.pendings_of(&other.email).await.unwrap().len(), 1);
    done(store, &[Change::DropPendings { email: shouted }]).await;
}

fn add(pending: &Pending) -> Change {
    Change::AddPending(pending.clone())
}

fn claim(pending: TokenId, limit: u32) -> Change {
    Change::ClaimPending { pending, limit }
}

fn spend(pending: TokenId) -> Change {
    Change::SpendPending { pending }
}

fn shown(pendings: &[Pending]) -> Vec<String> {
    pendings.iter().map(show::pending).collect()
}
