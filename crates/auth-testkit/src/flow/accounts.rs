//! Accounts as others change them: moves of address, roles, suspension and deletion, raced against each other.

use auth_core::domain::{Content, Email, Link, MailKind, Role, Secret, Signed, Status, User};
use auth_core::flow::account::Export;
use auth_core::flow::change_email::{self, ChangeProof};
use auth_core::flow::session::Authenticated;
use auth_core::flow::{Actor, AdminError, account, change_password, profile, reset_password, roles, sign_out, users};

use super::World;
use super::world::{OTHER, PASSWORD, context, password};
use crate::given;
use crate::race::race;

/// VT9: of two moves asked for at once each mail proves its own address, and one of them counts.
pub async fn vt9_a_mail_proves_its_own_address(world: World) {
    let signed = member(&world).await;
    let addresses = [given::email(), given::email()];
    let asked = race(2, |i| {
        let (auth, signed, to) = (world.nodes[i].clone(), signed.clone(), addresses[i].clone());
        async move { change_email::request(&auth, &signed, &to, &context(1)).await }
    });
    asked.await.0.into_iter().for_each(|outcome| {
        outcome.expect("asked for");
    });
    world.deliver().await;

    let mut moved = None;
    for to in &addresses {
        let link = change_link(&world, to);
        if let Ok(user) = change_email::confirm(world.auth(), ChangeProof::Link(&link), &context(1)).await {
            assert_eq!(user.email, *to, "a mail to one address moved the account to another");
            assert!(moved.replace(to).is_none(), "both counted");
        }
    }
    let found = world.handles[1].find_user(signed.user.id).await.unwrap().unwrap();
    assert_eq!(Some(&found.user.email), moved);
    assert_eq!(found.user.email_verified_at, Some(world.clock_now()));
}

/// EN3: of fifty accounts that move to one address at once one gets there, and the others stay where they are.
pub async fn en3_one_account_gets_an_address(world: World) {
    let to = given::email();
    let mut links = Vec::new();
    for _ in 0..10 {
        let signed = member(&world).await;
        change_email::request(world.auth(), &signed, &to, &context(1)).await.expect("asked for");
        world.deliver().await;
        links.push(change_link(&world, &to));
        world.clock.advance(given::HOUR);
    }
    let outcomes = race(10, |i| {
        let (auth, link) = (world.nodes[i % 2].clone(), links[i].clone());
        async move { change_email::confirm(&auth, ChangeProof::Link(&link), &context(1)).await }
    });
    let outcomes = outcomes.await;
    let winner = outcomes.single_ok();
    let owner = world.handles[0].find_user_by_email(&to).await.unwrap().expect("an owner").user;
    assert_eq!(owner.id, outcomes.0[winner].as_ref().unwrap().id);
}

/// VT9: undoing wins over confirming, before and after: the account is at the address before, and stays there.
pub async fn vt9_undoing_wins(world: World) {
    for raced in [false, true] {
        let signed = member(&world).await;
        let before = signed.user.email.clone();
        let to = given::email();
        change_email::request(world.auth(), &signed, &to, &context(1)).await.expect("asked for");
        world.deliver().await;
        let (change, undo) = (change_link(&world, &to), undo_link(&world, &before));
        if raced {
            let outcomes = race(2, |i| {
                let (auth, change, undo) = (world.nodes[i].clone(), change.clone(), undo.clone());
                async move {
                    match i {
                        0 => drop(change_email::confirm(&auth, ChangeProof::Link(&change), &context(1)).await),
                        _ => drop(change_email::undo(&auth, &undo, &context(1)).await.expect("undone")),
                    }
                }
            });
            outcomes.await;
        } else {
            change_email::confirm(world.auth(), ChangeProof::Link(&change), &context(1)).await.expect("moved");
            // Whoever took the account over asks for another move, to be rid of its owner.
            let thief = Signed { user: user(&world, &signed.user).await, ..signed.clone() };
            change_email::request(world.auth(), &thief, &given::email(), &context(1)).await.expect("asked for");
            change_email::undo(world.auth(), &undo, &context(1)).await.expect("undone");
        }
        assert_eq!(user(&world, &signed.user).await.email, before);
        change_email::confirm(world.auth(), ChangeProof::Link(&change), &context(1)).await.expect_err("dropped");
        change_email::undo(world.auth(), &undo, &context(1)).await.expect_err("spent");
    }
}

/// VT9: whoever took an account over, and moved it twice, can't take back that its owner undid it.
pub async fn vt9_undoing_is_not_undone(world: World) {
    let signed = member(&world).await;
    let owner = signed.user.email.clone();
    let stolen = given::email();
    change_email::request(world.auth(), &signed, &stolen, &context(1)).await.expect("asked for");
    world.deliver().await;
    change_email::confirm(world.auth(), ChangeProof::Link(&change_link(&world, &stolen)), &context(1)).await.unwrap();
    world.clock.advance(std::time::Duration::from_secs(1));
    let thief = Signed { user: user(&world, &signed.user).await, ..signed.clone() };
    change_email::request(world.auth(), &thief, &given::email(), &context(1)).await.expect("asked for");
    world.deliver().await;
    change_email::undo(world.auth(), &undo_link(&world, &owner), &context(1)).await.expect("undone");
    change_email::undo(world.auth(), &undo_link(&world, &stolen), &context(1)).await.expect_err("a later link");
    assert_eq!(user(&world, &signed.user).await.email, owner);
}

/// VT9: a move that was asked for before the password was reset or changed doesn't happen any more.
pub async fn vt9_a_new_password_stops_a_move(world: World) {
    for by_reset in [false, true] {
        let signed = member(&world).await;
        let to = given::email();
        change_email::request(world.auth(), &signed, &to, &context(1)).await.expect("asked for");
        world.deliver().await;
        let link = change_link(&world, &to);
        if by_reset {
            let (_, reset) = world.reset_mail(&signed.user).await;
            reset_password::confirm(world.auth(), &reset, &password(OTHER), &context(1)).await.expect("reset");
        } else {
            let (from, to) = (password(PASSWORD), password(OTHER));
            change_password::change(world.auth(), &signed, &from, &to, &context(1)).await.expect("changed");
        }
        change_email::confirm(world.auth(), ChangeProof::Link(&link), &context(1)).await.expect_err("stopped");
        assert_eq!(user(&world, &signed.user).await.email, signed.user.email);
    }
}

/// VT5: what was mailed to the address before is good for nothing at the new one.
pub async fn vt5_tokens_dont_move_along(world: World) {
    let signed = member(&world).await;
    let (_, reset) = world.reset_mail(&signed.user).await;
    let to = given::email();
    change_email::request(world.auth(), &signed, &to, &context(1)).await.expect("asked for");
    world.deliver().await;
    let link = change_link(&world, &to);
    change_email::confirm(world.auth(), ChangeProof::Link(&link), &context(1)).await.expect("moved");
    reset_password::confirm(world.auth(), &reset, &password(OTHER), &context(1))
        .await
        .expect_err("bound to the address");
    world.try_sign_in(&to, PASSWORD, None).await.expect("the same password, another address");
}

/// EN4: asking for a taken address sends its owner word, and the same mail to the old address; and what is stored of it is
/// exported like what is stored of a free one.
pub async fn en4_a_taken_address_is_not_told(world: World) {
    let (signed, owner) = (member(&world).await, world.register().await);
    world.deliver().await;
    world.inbox.clear();
    change_email::request(world.auth(), &signed, &owner.email, &context(1)).await.expect("the same answer");
    world.deliver().await;
    let kinds = |to: &Email| world.inbox.mails_to(to).iter().map(|mail| mail.content.kind()).collect::<Vec<_>>();
    assert_eq!(kinds(&owner.email), [MailKind::Exists]);
    assert_eq!(kinds(&signed.user.email), [MailKind::Notice]);
    let mut exported = Vec::new();
    for to in [&owner.email, &given::email()] {
        let asker = member(&world).await;
        change_email::request(world.auth(), &asker, to, &context(1)).await.expect("the same answer");
        world.deliver().await;
        let Export { tokens, mails, events, .. } = account::export(world.auth(), &asker, &context(1)).await.unwrap();
        // All of one moment, and so in no order.
        let mut all: Vec<&str> = tokens.iter().map(|token| token.purpose.as_str()).collect();
        all.extend(mails.iter().map(|mail| mail.kind.as_str()));
        all.extend(events.iter().map(|event| event.kind.as_str()));
        all.sort_unstable();
        exported.push(all.join(" "));
    }
    assert_eq!(exported[0], exported[1], "taken and free");
}

/// RB3: two administrators who demote, suspend or delete each other, or leave, at one moment, whichever each does: one of
/// them is one afterwards.
pub async fn rb3_an_administrator_stays(world: World) {
    const DEEDS: [&str; 4] = ["demote", "suspend", "delete oneself", "step down"];
    let mut survivor = world.admin().await;
    for (first, second) in DEEDS.iter().flat_map(|first| DEEDS.map(|second| (*first, second))) {
        let admins = [survivor, world.admin().await];
        race(2, |i| {
            let (auth, one, other) = (world.nodes[i].clone(), admins[i].clone(), admins[1 - i].user.id);
            let deed = if i == 0 { first } else { second };
            async move {
                let (actor, client) = (Actor::Admin(&one), &context(1));
                match deed {
                    "demote" => drop(roles::revoke(&auth, actor, other, Role::admin(), client).await),
                    "suspend" => drop(users::suspend(&auth, actor, other, client).await),
                    "step down" => drop(roles::revoke(&auth, actor, one.user.id, Role::admin(), client).await),
                    _ => drop(account::delete(&auth, &one, client).await),
                }
            }
        })
        .await;
        let mut left = Vec::new();
        for admin in &admins {
            let found = world.handles[0].find_user(admin.user.id).await.unwrap();
            let is_admin = |user: &User| user.status == Status::Active && user.roles.contains(&Role::admin());
            left.extend(found.map(|account| account.user).filter(is_admin));
        }
        // The count is right: of two one may go, the last stays.
        let revoke = async |user| roles::revoke(world.auth(), Actor::Operator, user, Role::admin(), &context(1)).await;
        if let [one, _] = &left[..] {
            revoke(one.id).await.expect("one of two");
        }
        let last = left.last().unwrap_or_else(|| panic!("{first} and {second} left nobody")).clone();
        let refused = revoke(last.id).await;
        assert!(matches!(refused, Err(AdminError::LastHolder)), "{first} and {second}: {refused:?}");
        world.clock.advance(given::MINUTE);
        let Authenticated { user, session, .. } = world.sign_in(&last).await;
        survivor = Signed { session, user };
    }
}

/// RB3: nobody grants anything to themselves, and whoever was an administrator a moment ago does nothing.
pub async fn rb3_authority_holds_when_it_happens(world: World) {
    let (admin, other, member) = (world.admin().await, world.admin().await, member(&world).await);
    let client = &context(1);
    let (actor, subject) = (Actor::Admin(&admin), member.user.id);
    let own = roles::grant(world.auth(), actor, admin.user.id, Role::parse("editor").unwrap(), client).await;
    assert!(matches!(own, Err(AdminError::Forbidden)), "{own:?}");
    let by_member = users::suspend(world.auth(), Actor::Admin(&member), admin.user.id, client).await;
    assert!(matches!(by_member, Err(AdminError::Forbidden)), "{by_member:?}");

    roles::revoke(world.auth(), Actor::Admin(&other), admin.user.id, Role::admin(), client).await.expect("demoted");
    // As read before that.
    assert!(admin.user.roles.contains(&Role::admin()));
    for outcome in [
        users::suspend(world.auth(), actor, subject, client).await,
        users::end_sessions(world.auth(), actor, subject, client).await,
        roles::grant(world.auth(), actor, subject, Role::admin(), client).await,
    ] {
        assert!(matches!(outcome, Err(AdminError::Forbidden)), "{outcome:?}");
    }
    let found = user(&world, &member.user).await;
    assert_eq!((found.status, found.roles), (Status::Active, vec![Role::user()]));
}

/// SE7: suspension, deletion and signing out everywhere, raced against sign-ins, leave no live credential behind.
pub async fn se7_no_credential_survives_suspension_or_deletion(world: World) {
    for end in ["suspend", "delete", "everywhere"] {
        let signed = member(&world).await;
        let email = signed.user.email.clone();
        let outcomes = race(20, |i| {
            let (auth, signed, email) = (world.nodes[i % 2].clone(), signed.clone(), email.clone());
            async move {
                let client = &context(i as u8);
                match (i, end) {
                    (7, "suspend") => users::suspend(&auth, Actor::Operator, signed.user.id, client).await.is_err(),
                    (7, "delete") => account::delete(&auth, &signed, client).await.is_err(),
                    (7, _) => sign_out::everywhere(&auth, &signed, client).await.is_err(),
                    _ => {
                        let credentials =
                            auth_core::flow::sign_in::Credentials { email, password: password(PASSWORD), device: None };
                        drop(auth_core::flow::sign_in::sign_in(&auth, credentials, client).await);
                        false
                    }
                }
            }
        });
        assert!(outcomes.await.0.iter().all(|failed| !failed), "{end}");
        let sessions = world.handles[1].sessions_of(signed.user.id).await.unwrap();
        let account = world.handles[1].find_user(signed.user.id).await.unwrap();
        let live = account.map_or(0, |account| {
            let user = account.user;
            let earlier = |session: &auth_core::domain::Session| session.id == signed.session.id;
            sessions
                .iter()
                .filter(|session| {
                    session.is_live(&user, world.clock_now()) && (end != "everywhere" || earlier(session))
                })
                .count()
        });
        assert_eq!(live, 0, "{end}");
    }
}

/// Fields that are set at one moment all stay set.
pub async fn attributes_are_all_kept(world: World) {
    let member = member(&world).await;
    let outcomes = race(5, |i| {
        let (auth, user) = (world.nodes[i % 2].clone(), member.user.id);
        async move { profile::set_attribute(&auth, user, &format!("field-{i}"), &i, &context(1)).await }
    });
    outcomes.await.0.into_iter().for_each(|outcome| drop(outcome.expect("set")));
    let attributes = user(&world, &member.user).await.attributes;
    for i in 0..5 {
        assert_eq!(attributes.get::<usize>(&format!("field-{i}")).unwrap(), Some(i));
    }
    profile::remove_attribute(world.auth(), member.user.id, "field-0", &context(1)).await.expect("removed");
    assert_eq!(user(&world, &member.user).await.attributes.iter().count(), 4);
}

/// Somebody new, signed in just now.
async fn member(world: &World) -> Signed {
    let registered = world.register().await;
    let Authenticated { user, session, .. } = world.sign_in(&registered).await;
    Signed { session, user }
}

async fn user(world: &World, user: &User) -> User {
    world.handles[1].find_user(user.id).await.unwrap().expect("the user").user
}

fn change_link(world: &World, to: &Email) -> Secret {
    link(world, to, |content| match content {
        Content::ChangeEmail { link, .. } => Some(link),
        _ => None,
    })
}

fn undo_link(world: &World, to: &Email) -> Secret {
    link(world, to, |content| match content {
        Content::UndoEmail { link, .. } => Some(link),
        _ => None,
    })
}

fn link(world: &World, to: &Email, wanted: fn(&Content) -> Option<&Link>) -> Secret {
    let mails = world.inbox.mails_to(to);
    let link = mails.iter().rev().find_map(|mail| wanted(&mail.content)).expect("a mail with a link");
    Secret::parse(link.expose().split_once("token=").expect("a token").1).expect("a secret")
}
