//! Users: being created, found and changed.

use std::sync::Arc;

use auth_core::domain::{
    Attributes, Email, Epoch, Factor, Factors, PasswordHash, Profile, ProfileEdit, Purpose, Role, Session, Status,
    Timestamp, User, UserId,
};
use auth_core::port::{Change, Rejected, Store};

use super::{account, done, found_session, rejected};
use crate::given::{self, HOUR, NOW};
use crate::race::race;
use crate::show;

/// What was created is found by id and by address, every field of it.
pub async fn created_is_found(store: &Arc<dyn Store>) {
    let full = User {
        email_verified_at: Some(NOW + HOUR),
        roles_version: u32::MAX,
        factors: Factors::of(&[Factor::Totp, Factor::Email]),
        attributes: Attributes::default().with("plan", "pro").unwrap(),
        profile: Profile {
            name: Some("Zoë".into()),
            image_url: Some("https://example.com/zoe.png".into()),
            phone_number: Some("+4930123456".into()),
            locale: Some("de-AT".into()),
        },
        ..given::user()
    };
    let bare = User { profile: Profile::default(), roles: vec![], status: Status::Suspended, ..given::user() };
    let without_password = given::user();
    for (user, password) in [(full, Some(given::hash())), (bare, Some(given::hash())), (without_password, None)] {
        done(store, &[Change::CreateUser { user: user.clone(), password: password.clone() }]).await;

        let by_id = account(store, user.id).await;
        assert_eq!(show::user(&by_id.user), show::user(&user));
        assert_eq!(by_id.password, password);
        let by_email = store.find_user_by_email(&user.email).await.unwrap().expect("the user");
        assert_eq!(show::account(&by_email), show::account(&by_id));
    }
}

/// Who doesn't exist isn't found.
pub async fn unknown_is_not_found(store: &Arc<dyn Store>) {
    assert!(store.find_user(given::id()).await.unwrap().is_none());
    assert!(store.find_user_by_email(&given::email()).await.unwrap().is_none());
}

/// Roles come back in order of name, on every read that carries the user.
pub async fn roles_are_sorted(store: &Arc<dyn Store>) {
    // No admin: who is the last of them is for other checks to decide.
    let sorted = ["editor", Role::USER].map(|name| Role::parse(name).unwrap());
    let user = User { roles: sorted.iter().rev().cloned().collect(), ..given::user() };
    done(store, &[given::create(&user)]).await;

    assert_eq!(account(store, user.id).await.user.roles, sorted);
    assert_eq!(store.find_user_by_email(&user.email).await.unwrap().unwrap().user.roles, sorted);
    let session = given::signed_in(&**store, &user).await;
    assert_eq!(found_session(store, session.id).await.unwrap().user.roles, sorted);
    let token = given::issued(&**store, &user, Purpose::VerifyEmail).await;
    assert_eq!(store.find_token(&token.link.unwrap()).await.unwrap().unwrap().user.roles, sorted);
}

/// EN3: an address is found however it is spelled, and comes back as its owner spelled it.
pub async fn en3_found_by_any_spelling(store: &Arc<dyn Store>) {
    let typed = given::email_with("Zoë.Example");
    let user = User { email: typed.clone(), ..given::user() };
    done(store, &[given::create(&user)]).await;

    for spelling in [typed.as_str().to_uppercase(), typed.as_str().to_lowercase(), format!(" {} ", typed.as_str())] {
        let found = store.find_user_by_email(&Email::parse(&spelling).unwrap()).await.unwrap().expect("the user");
        assert_eq!(found.user.id, user.id, "{spelling}");
        assert_eq!(found.user.email.as_str(), typed.as_str());
    }
}

/// EN3: an address that is taken rejects, however it is spelled, and the second user doesn't exist.
pub async fn en3_taken_address_rejects(store: &Arc<dyn Store>) {
    let first = given::registered(&**store).await;
    for spelling in [first.email.as_str().to_owned(), first.email.as_str().to_uppercase()] {
        let second = User { email: Email::parse(&spelling).unwrap(), ..given::user() };
        let create = given::create(&second);
        assert_eq!(rejected(store, &[create]).await, Rejected::EmailTaken);
        assert!(store.find_user(second.id).await.unwrap().is_none());
    }
    let one = given::user();
    let twin = User { email: one.email.clone(), ..given::user() };
    let create = [&one, &twin].map(given::create);
    assert_eq!(rejected(store, &create).await, Rejected::EmailTaken);
    assert!(store.find_user(one.id).await.unwrap().is_none());
}

/// EN3: of 50 racing registrations of one address in several spellings one wins, and the user is that winner's.
pub async fn en3_register_race_has_one_winner(store: &Arc<dyn Store>) {
    let email = given::email_with("ann");
    let users: Vec<User> = (0..50)
        .map(|i| {
            let text = if i % 2 == 0 { email.as_str().to_owned() } else { email.as_str().to_uppercase() };
            User { email: Email::parse(&text).unwrap(), ..given::user() }
        })
        .collect();
    let outcomes = race(50, |i| {
        let (store, user) = (store.clone(), users[i].clone());
        async move { store.commit(&[given::create(&user)]).await }
    })
    .await;

    let winner = outcomes.single_ok();
    outcomes.losers_were_rejected(Rejected::EmailTaken);
    assert_eq!(store.find_user_by_email(&email).await.unwrap().unwrap().user, users[winner]);
    for (i, user) in users.iter().enumerate() {
        assert_eq!(store.find_user(user.id).await.unwrap().is_some(), i == winner);
    }
}

/// EN3: addresses that differ are different, also where a collation thinks otherwise: accents, ligatures, kana, letters
/// without weight. Stores compare the canonical form byte by byte.
pub async fn en3_lookalikes_are_different_users(store: &Arc<dyn Store>) {
    let unique = given::id::<UserId>().as_uuid().simple().to_string();
    let lookalikes = [
        "strasse", "straße", "jose", "josé", "mike", "mıke", "aether", "æther", "か", "カ", "が", "σ", "ς", "e", "е",
        "ё", "o", "ø", "x", "x\u{640}", "n", "ñ", "ł", "l",
    ];
    let mut users = Vec::new();
    for local in lookalikes {
        let email = Email::parse(&format!("{local}.{unique}@example.com")).unwrap();
        let user = User { email, ..given::user() };
        done(store, &[given::create(&user)]).await;
        users.push(user);
    }
    for user in users {
        let found = store.find_user_by_email(&user.email).await.unwrap().expect("the user");
        assert_eq!(show::user(&found.user), show::user(&user));
    }
}

/// IN2: text comes back as it went in, character by character, and an empty one isn't none.
pub async fn in2_text_is_kept_exactly(store: &Arc<dyn Store>) {
    let user = given::registered(&**store).await;
    let names = [
        "Zoë 李 🦀 👩\u{200d}👩\u{200d}👧",
        "O'Brien'; drop table users; -- \" ` \\ \\' \\0 %_ ${x} ?1 $1 :a @b",
        "  space around  ",
        "",
        "null",
        // Composed and decomposed are different texts; what should be one was normalised before.
        "\u{e9} e\u{301}",
        "עברית العربية",
        "\u{10ffff}\u{fffd}\u{feff}",
        "tab\tand\r\nlines",
        &"𝕏".repeat(200),
    ];
    for name in names {
        let profile = Profile {
            name: Some(name.to_owned()),
            image_url: Some(format!("https://example.com/{}", "a".repeat(2048 - 20))),
            phone_number: Some("+123456789012345".into()),
            locale: Some("zh-Hant-TW-x-abcdefgh-abcdefgh-abcd".into()),
        };
        let edit = ProfileEdit {
            name: Some(profile.name.clone()),
            image_url: Some(profile.image_url.clone()),
            phone_number: Some(profile.phone_number.clone()),
            locale: Some(profile.locale.clone()),
        };
        done(store, &[Change::EditProfile { user: user.id, edit }]).await;
        assert_eq!(account(store, user.id).await.user.profile, profile);
    }
}

/// An edit changes the fields that it names, to a text or to none, and nothing else: of racing edits of different fields
/// all are there in the end.
pub async fn profile_is_edited_by_field(store: &Arc<dyn Store>) {
    let user = given::registered(&**store).await;
    let before = account(store, user.id).await;
    let text = |text: &str| Some(Some(text.to_owned()));
    let edits = [
        ProfileEdit { name: Some(None), ..ProfileEdit::default() },
        ProfileEdit { image_url: text("https://example.com/new.png"), ..ProfileEdit::default() },
        ProfileEdit { phone_number: text("+4930123456"), ..ProfileEdit::default() },
        ProfileEdit { locale: text("de"), ..ProfileEdit::default() },
    ];
    let outcomes = race(4, |i| {
        let (store, edit) = (store.clone(), edits[i].clone());
        async move { store.commit(&[Change::EditProfile { user: user.id, edit }]).await }
    })
    .await;
    assert_eq!(outcomes.winners().len(), 4, "{outcomes:?}");
    let after = account(store, user.id).await;
    let expected = Profile {
        name: None,
        image_url: Some("https://example.com/new.png".into()),
        phone_number: Some("+4930123456".into()),
        locale: Some("de".into()),
    };
    assert_eq!(after.user, User { profile: expected, ..before.user });
    assert_eq!(after.password, before.password);

    done(store, &[Change::EditProfile { user: user.id, edit: ProfileEdit::default() }]).await;
    assert_eq!(account(store, user.id).await.user, after.user);
    let nobody = Change::EditProfile { user: given::id(), edit: ProfileEdit::default() };
    assert_eq!(rejected(store, &[nobody]).await, Rejected::User);
}

/// The first proof of an address is kept: a second one doesn't move it.
pub async fn email_is_verified_once(store: &Arc<dyn Store>) {
    let user = given::registered(&**store).await;
    let other_spelling = Email::parse(&user.email.as_str().to_uppercase()).unwrap();
    done(store, &[Change::VerifyEmail { user: user.id, email: other_spelling, at: NOW + HOUR }]).await;
    done(store, &[Change::VerifyEmail { user: user.id, email: user.email.clone(), at: NOW + 2 * HOUR }]).await;

    let found = account(store, user.id).await.user;
    assert_eq!(found.email_verified_at, Some(NOW + HOUR));
    assert_eq!(found.email.as_str(), user.email.as_str(), "verifying doesn't change the spelling");
    assert_eq!(found.epoch, Epoch::FIRST);
}

/// VT5: what was proved about another address says nothing about this one.
pub async fn vt5_other_address_is_not_verified(store: &Arc<dyn Store>) {
    let (user, other) = (given::registered(&**store).await, given::registered(&**store).await);
    let verify = |user, email| [Change::VerifyEmail { user, email, at: NOW }];
    assert_eq!(rejected(store, &verify(user.id, other.email.clone())).await, Rejected::EmailChanged);
    assert_eq!(rejected(store, &verify(user.id, given::email())).await, Rejected::EmailChanged);
    assert_eq!(rejected(store, &verify(given::id(), user.email.clone())).await, Rejected::EmailChanged);
    assert_eq!(account(store, user.id).await.user.email_verified_at, None);
    assert_eq!(account(store, other.id).await.user.email_verified_at, None);
}

/// A new password begins a new epoch, and is only set by who decided in the current one.
pub async fn password_is_set_in_its_epoch(store: &Arc<dyn Store>) {
    let user = given::registered(&**store).await;
    let (first, second) = (given::hash(), given::hash());
    let set = |user, epoch, password: &PasswordHash| [Change::SetPassword { user, epoch, password: password.clone() }];
    done(store, &set(user.id, Epoch::FIRST, &first)).await;
    assert_eq!(account(store, user.id).await.password, Some(first.clone()));
    assert_eq!(account(store, user.id).await.user, User { epoch: Epoch::FIRST.next(), ..user.clone() });

    for epoch in [Epoch::FIRST, Epoch::from_number(2)] {
        assert_eq!(rejected(store, &set(user.id, epoch, &second)).await, Rejected::Epoch);
    }
    assert_eq!(rejected(store, &set(given::id(), Epoch::FIRST, &second)).await, Rejected::Epoch);
    assert_eq!(account(store, user.id).await.password, Some(first));
    assert_eq!(account(store, user.id).await.user.epoch, Epoch::FIRST.next());
}

/// Of 50 racing changes of one password one wins; the password is that winner's, one epoch later.
pub async fn password_race_has_one_winner(store: &Arc<dyn Store>) {
    let user = given::registered(&**store).await;
    let hashes: Vec<PasswordHash> = (0..50).map(|_| given::hash()).collect();
    let outcomes = race(50, |i| {
        let change = Change::SetPassword { user: user.id, epoch: Epoch::FIRST, password: hashes[i].clone() };
        let store = store.clone();
        async move { store.commit(&[change]).await }
    })
    .await;

    let winner = outcomes.single_ok();
    outcomes.losers_were_rejected(Rejected::Epoch);
    let found = account(store, user.id).await;
    assert_eq!(found.password.as_ref(), Some(&hashes[winner]));
    assert_eq!(found.user.epoch, Epoch::FIRST.next());
}

/// PW3: a stronger hash replaces the one it was made from and no other; sessions go on.
pub async fn pw3_rehash_replaces_only_what_was_verified(store: &Arc<dyn Store>) {
    let user = given::registered(&**store).await;
    let old = account(store, user.id).await.password.unwrap();
    let rehash =
        |user, from: &PasswordHash, to: &PasswordHash| [Change::Rehash { user, from: from.clone(), to: to.clone() }];
    let new = given::hash();
    // Hashes are base64, where case matters: a collation that doesn't see it would take one for the other.
    let other_case = PasswordHash::from_stored(old.as_str().to_lowercase());
    for from in [&given::hash(), &other_case] {
        done(store, &rehash(user.id, from, &new)).await;
        assert_eq!(account(store, user.id).await.password, Some(old.clone()));
    }
    done(store, &rehash(user.id, &old, &new)).await;
    let found = account(store, user.id).await;
    assert_eq!(found.password, Some(new.clone()));
    assert_eq!(found.user, user);

    done(store, &rehash(user.id, &old, &given::hash())).await;
    done(store, &rehash(given::id(), &old, &given::hash())).await;
    assert_eq!(account(store, user.id).await.password, Some(new));
}

/// PW3: a rehash never undoes a change of password that it races.
pub async fn pw3_rehash_never_beats_a_change(store: &Arc<dyn Store>) {
    for _ in 0..10 {
        let user = given::registered(&**store).await;
        let (old, new) = (account(store, user.id).await.password.unwrap(), given::hash());
        let outcomes = race(4, |i| {
            let change = if i == 0 {
                Change::SetPassword { user: user.id, epoch: Epoch::FIRST, password: new.clone() }
            } else {
                Change::Rehash { user: user.id, from: old.clone(), to: given::hash() }
            };
            let store = store.clone();
            async move { store.commit(&[change]).await }
        })
        .await;
        assert_eq!(outcomes.winners().len(), 4, "{outcomes:?}");
        assert_eq!(account(store, user.id).await.password, Some(new));
    }
}

/// SE5: suspending ends everything at once; reactivating brings nothing back.
pub async fn se5_suspending_begins_a_new_epoch(store: &Arc<dyn Store>) {
    let user = given::registered(&**store).await;
    let session = given::signed_in(&**store, &user).await;
    let set = |user, status| [Change::SetStatus { user, status }];

    done(store, &set(user.id, Status::Suspended)).await;
    let suspended = account(store, user.id).await.user;
    assert_eq!(suspended, User { status: Status::Suspended, epoch: Epoch::FIRST.next(), ..user.clone() });
    done(store, &set(user.id, Status::Active)).await;
    let active = account(store, user.id).await.user;
    assert_eq!(active, User { epoch: Epoch::FIRST.next(), ..user.clone() });
    // What hangs on a status changes once: the second of two is told.
    assert_eq!(rejected(store, &set(user.id, Status::Active)).await, Rejected::User);

    let found = found_session(store, session.id).await.expect("the session");
    assert!(!found.session.is_live(&found.user, NOW));
    assert_eq!(rejected(store, &set(given::id(), Status::Suspended)).await, Rejected::User);
    assert_eq!(rejected(store, &set(given::id(), Status::Active)).await, Rejected::User);
}

/// Of 50 racing suspensions one happens, and advances the epoch once.
pub async fn se5_status_race_has_one_winner(store: &Arc<dyn Store>) {
    let user = given::registered(&**store).await;
    let outcomes = race(50, |_| {
        let store = store.clone();
        async move { store.commit(&[Change::SetStatus { user: user.id, status: Status::Suspended }]).await }
    })
    .await;
    outcomes.single_ok();
    outcomes.losers_were_rejected(Rejected::User);
    let found = account(store, user.id).await.user;
    assert_eq!(found, User { status: Status::Suspended, epoch: Epoch::FIRST.next(), ..user });
}

/// Epochs advance one by one, and none is lost in a race.
pub async fn epochs_advance_one_by_one(store: &Arc<dyn Store>) {
    let user = given::registered(&**store).await;
    let advance = Change::AdvanceEpoch { user: user.id };
    done(store, &[advance.clone(), advance.clone()]).await;
    assert_eq!(account(store, user.id).await.user.epoch, Epoch::from_number(2));

    let outcomes = race(50, |_| {
        let (store, advance) = (store.clone(), advance.clone());
        async move { store.commit(&[advance]).await }
    })
    .await;
    assert_eq!(outcomes.winners().len(), 50, "contention is the store's to settle: {outcomes:?}");
    assert_eq!(account(store, user.id).await.user.epoch, Epoch::from_number(52));
    assert_eq!(rejected(store, &[Change::AdvanceEpoch { user: given::id() }]).await, Rejected::User);
}

/// SE7: everybody's epoch advances at once, by one, and whatever asks for an epoch asks for the new one. Shown in lists that
/// are rejected in the end, since nobody else's sessions are to die of it.
pub async fn se7_all_epochs_advance(store: &Arc<dyn Store>) {
    let (user, other, newcomer) = (given::registered(&**store).await, given::registered(&**store).await, given::user());
    done(store, &[Change::AdvanceEpoch { user: other.id }]).await;
    let (with_tokens, in_a_browser) = (given::signed_in(&**store, &user).await, given::cookie_session(&user));
    done(store, &[Change::OpenSession(in_a_browser.clone())]).await;

    let at = |epoch| Epoch::from_number(epoch);
    let open = |user: &User, epoch| Change::OpenSession(Session { epoch: at(epoch), ..given::session(user) });
    let set = |epoch| Change::SetPassword { user: user.id, epoch: at(epoch), password: given::hash() };
    let rotate_refresh = Change::RotateRefresh {
        user: user.id,
        session: with_tokens.id,
        from: 0,
        at: NOW,
        idle_until: NOW + HOUR,
        kept_until: NOW + HOUR,
    };
    let rotate_secret = Change::RotateSecret {
        user: user.id,
        session: in_a_browser.id,
        from: *in_a_browser.credential.secret().unwrap(),
        to: given::digest(),
        roles_version: 0,
    };
    let in_the_end = Change::SpendToken { user: user.id, token: given::id() };
    let outcomes = [
        (vec![open(&user, 1), open(&other, 2)], Rejected::Token),
        (vec![open(&user, 0)], Rejected::Epoch),
        (vec![open(&other, 1)], Rejected::Epoch),
        (vec![set(1), open(&user, 2)], Rejected::Token),
        (vec![set(0)], Rejected::Epoch),
        (vec![Change::AdvanceEpoch { user: user.id }, open(&user, 2)], Rejected::Token),
        (vec![Change::AdvanceAllEpochs, open(&user, 2), open(&other, 3)], Rejected::Token),
        (vec![rotate_refresh], Rejected::Session),
        (vec![rotate_secret], Rejected::Session),
        // Who comes afterwards begins like everybody else.
        (vec![given::create(&newcomer), open(&newcomer, 0)], Rejected::Token),
    ];
    for (then, why) in outcomes {
        let mut changes = vec![Change::AdvanceAllEpochs];
        changes.extend(then);
        changes.push(in_the_end.clone());
        assert_eq!(rejected(store, &changes).await, why, "{changes:?}");
    }
    assert_eq!(account(store, user.id).await.user, user);
}

/// Times come back to the microsecond, whenever they are.
pub async fn times_are_kept_to_the_microsecond(store: &Arc<dyn Store>) {
    let year_9999 = 253_402_300_799_999_999;
    for micros in [0, 1, -1, -62_135_596_800_000_000, 1_767_225_600_999_999, year_9999, i64::from(u32::MAX) * 1_000_000]
    {
        let at = Timestamp::from_micros(micros);
        let user = User { created_at: at, email_verified_at: Some(at), ..given::user() };
        done(store, &[given::create(&user)]).await;
        assert_eq!(account(store, user.id).await.user, user);
    }
}
