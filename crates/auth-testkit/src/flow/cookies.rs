//! Sessions that are used with a browser's cookie.

use std::sync::Arc;
use std::time::Duration;

use auth_core::Auth;
use auth_core::domain::{FRESH, Role, Secret, Signed, User};
use auth_core::flow::authenticate::{AuthenticateError, Presented, authenticate, rotate};
use auth_core::flow::session::{Authenticated, Fresh};
use auth_core::flow::{Actor, account::AccountError};
use auth_core::flow::{account, change_password, reauthenticate, sign_out, users};
use auth_core::port::Change;
use auth_core::settings::AccessCheck;

use super::World;
use super::world::{OTHER, PASSWORD, Tokens, context, password};
use crate::given::{DAY, TICK};
use crate::race::race;

/// SE4: a browser's session ends when nobody uses it and when its time is over; while it lives its row does too.
pub async fn se4_idle_and_absolute_ends(world: World) {
    let auth = world.concealing();
    let user = world.register().await;
    let held = secret(&world.sign_in_on(&auth, &user).await);
    let idle = secret(&world.sign_in_on(&auth, &user).await);
    for _ in 0..6 {
        world.clock.advance(DAY);
        opens(&auth, &held).await.expect("in use");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    world.clock.advance(DAY);
    opens(&auth, &idle).await.expect_err("unused for seven days");
    opens(&auth, &held).await.expect("in use");
    tokio::time::sleep(Duration::from_millis(20)).await;
    world.clock.advance(7 * DAY - TICK);
    sweep(&world).await;
    opens(&auth, &held).await.expect("just in time");
    tokio::time::sleep(Duration::from_millis(20)).await;
    // Day 14 by now, less a moment.
    for _ in 0..2 {
        world.clock.advance(6 * DAY);
        sweep(&world).await;
        opens(&auth, &held).await.expect("in use");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    world.clock.advance(4 * DAY);
    opens(&auth, &held).await.expect("the last moment");
    world.clock.advance(TICK);
    opens(&auth, &held).await.expect_err("the thirtieth day, however much it is used");
}

/// SE3: a secret that a client made up is taken for nothing, and a credential of the one kind opens no session of the other.
pub async fn se3_no_credential_is_adopted(world: World) {
    let auth = world.concealing();
    let user = world.register().await;
    let (browser, tokens) = (world.sign_in_on(&auth, &user).await, world.sign_in(&user).await);
    let made_up = Secret::new(&auth_core::adapter::SystemEntropy).expose();
    let id = browser.session.id.to_string();
    for text in [&*made_up, &*id, "", tokens.credential.access(), tokens.credential.refresh(), &secret(&browser)[1..]] {
        opens(&auth, text).await.expect_err("no secret of ours");
    }
    let token = Presented::AccessToken(tokens.credential.access());
    authenticate(&auth, token).await.expect("its own kind");
    let as_token = secret(&browser);
    authenticate(&auth, Presented::AccessToken(&as_token)).await.expect_err("a secret is no token");
}

/// SE2: of racing requests one gets the new secret after a change of roles; the one before is dead at once.
pub async fn se2_a_change_of_roles_replaces_the_secret(world: World) {
    let auth = world.concealing();
    let user = world.register().await;
    let before = secret(&world.sign_in_on(&auth, &user).await);
    assert!(!opens(&auth, &before).await.expect("open").is_behind_on_roles());
    grant(&world, &user, "editor").await;

    let behind = opens(&auth, &before).await.expect("still open: nobody could tell the browser");
    assert!(behind.is_behind_on_roles());
    assert!(behind.user.roles.contains(&Role::parse("editor").unwrap()), "live roles");
    let outcomes = race(50, |_| {
        let (auth, mut signed) = (auth.clone(), behind.clone());
        async move { rotate(&auth, &mut signed, &context(1)).await.map(|secret| secret.expose()) }
    });
    let outcomes = outcomes.await;
    let winner = outcomes.single_ok();
    let after = outcomes.0[winner].as_ref().unwrap();

    opens(&auth, &before).await.expect_err("replaced");
    let signed = opens(&auth, after).await.expect("the new secret");
    assert!(!signed.is_behind_on_roles());
    assert_eq!(signed.session.id, behind.session.id, "one session, another secret");
}

/// SE2, MF7: proving again who one is makes a fresh session under a new credential; the one before is dead.
pub async fn se2_reauthentication_replaces_the_credential(world: World) {
    let auth = world.concealing();
    let user = world.register().await;
    let first = world.sign_in_on(&auth, &user).await;
    let before = secret(&first);
    world.clock.advance(FRESH - TICK);
    assert!(opens(&auth, &before).await.expect("open").is_fresh(world.clock_now()));
    world.clock.advance(TICK);
    let stale = opens(&auth, &before).await.expect("open");
    assert!(!stale.is_fresh(world.clock_now()));
    let refused = account::delete(&auth, &stale, &context(1)).await.expect_err("stale");
    assert!(matches!(refused, AccountError::Stale));

    reauthenticate::with_password(&auth, &stale, &password(OTHER), &context(1)).await.expect_err("a wrong password");
    let again = reauthenticate::with_password(&auth, &stale, &password(PASSWORD), &context(1)).await.expect("again");
    opens(&auth, &before).await.expect_err("replaced");
    let signed = opens(&auth, &secret(&again)).await.expect("open");
    assert!(signed.is_fresh(world.clock_now()));
    assert_eq!(signed.session.ends_at, first.session.ends_at, "nothing extends the absolute limit");
    account::delete(&auth, &signed, &context(1)).await.expect("deleted");
    opens(&auth, &secret(&again)).await.expect_err("gone with the account");
}

/// SE5, SE7: whatever ends sessions ends a browser's, on the next request, on every node.
pub async fn se5_every_end_ends_a_browsers_session(world: World) {
    let auth = world.concealing();
    let admin = world.admin().await;
    for end in ["sign out", "everywhere", "suspend", "by admin", "all", "change"] {
        let user = world.register().await;
        let (one, other) = (world.sign_in_on(&auth, &user).await, world.sign_in_on(&auth, &user).await);
        let (held, others) = (secret(&one), secret(&other));
        let signed = opens(&auth, &held).await.expect("open");
        let client = &context(1);
        match end {
            "sign out" => sign_out::by_secret(&auth, &held, client).await.expect("signed out"),
            "everywhere" => sign_out::everywhere(&auth, &signed, client).await.expect("signed out"),
            "suspend" => users::suspend(&auth, Actor::Admin(&admin), user.id, client).await.expect("suspended"),
            "by admin" => users::end_sessions(&auth, Actor::Admin(&admin), user.id, client).await.expect("ended"),
            "all" => users::end_all_sessions(&auth, client).await.expect("ended"),
            _ => {
                let (current, new) = (password(PASSWORD), password(OTHER));
                let changed = change_password::change(&auth, &signed, &current, &new, client).await.expect("changed");
                opens(&auth, &secret(&changed)).await.expect("this session goes on");
            }
        }
        opens(&auth, &held).await.expect_err("ended");
        assert_eq!(opens(&auth, &others).await.is_ok(), end == "sign out", "{end}");
        let node = world.nodes[1].with(auth.settings().clone()).expect("a profile");
        opens(&node, &held).await.expect_err("ended on every node");
        if end == "all" {
            // The administrator's too.
            break;
        }
    }
}

/// SE5: trusting tokens without a look at their session is for tokens: a cookie has nothing to be trusted for.
pub async fn se5_a_cookie_is_always_checked(world: World) {
    let mut settings = world.concealing().settings().clone();
    settings.access_check = AccessCheck::Stateless;
    let auth = world.auth().with(settings).expect("a profile");
    let user = world.register().await;
    let held = secret(&world.sign_in_on(&auth, &user).await);
    opens(&auth, &held).await.expect("open");
    sign_out::by_secret(&auth, &held, &context(1)).await.expect("signed out");
    opens(&auth, &held).await.expect_err("dead");
}

/// CS2: a session's CSRF token is its own, whatever becomes of its secret.
pub async fn cs2_tokens_are_the_sessions_own(world: World) {
    let auth = world.concealing();
    let user = world.register().await;
    let (one, other) = (world.sign_in_on(&auth, &user).await, world.sign_in_on(&auth, &user).await);
    let token = auth.csrf_token(&one.session);
    assert!(auth.is_csrf_token(&one.session, &token));
    assert!(world.nodes[1].is_csrf_token(&one.session, &token), "on every node");
    assert!(!auth.is_csrf_token(&other.session, &token));
    for wrong in ["", "x", &token[1..], &format!("{token}A"), &token.replace(&token[20..21], "_")] {
        assert!(wrong == token || !auth.is_csrf_token(&one.session, wrong), "{wrong}");
    }
}

async fn opens(auth: &Auth, secret: &str) -> Result<Arc<Signed>, AuthenticateError> {
    authenticate(auth, Presented::Cookie(secret)).await
}

fn secret(authenticated: &Authenticated) -> String {
    match &authenticated.credential {
        Fresh::Cookie(secret) => secret.expose(),
        Fresh::Tokens { .. } => panic!("a session with tokens has no secret"),
    }
}

async fn sweep(world: &World) {
    world.handles[0].sweep(world.clock_now(), world.clock_now(), 500).await.expect("swept");
}

async fn grant(world: &World, user: &User, role: &str) {
    let grant = Change::GrantRole { user: user.id, role: Role::parse(role).expect("a role") };
    world.handles[0].commit(&[grant]).await.expect("granted");
}
