//! Second factors, over two nodes.

use std::sync::Arc;

use auth_core::domain::{AuditKind, Factor, FactorId, Factors, MailKind, Role, SecondStep, Secret, Signed, TotpSecret};
use auth_core::flow::authenticate::{self, Presented};
use auth_core::flow::factors::{self, FactorError, Switch};
use auth_core::flow::second_step::{self, SecondStepError};
use auth_core::flow::{Actor, reauthenticate, refresh, report_session, reset_password, roles, sign_out};
use auth_core::keys::{KeyRing, Pepper};
use auth_core::port::{AuditQuery, Change};
use auth_core::settings::SecondFactor;

use super::World;
use super::guarded::{STEP, another, challenge_on};
use super::world::{OTHER, Tokens, context, password};
use crate::Authenticator;
use crate::given::{self, HOUR, MINUTE, TICK};
use crate::race::race;

/// MF1: of 50 who present one code of an app at once, over two nodes and challenges of their own, one is let in; and the code
/// is worth nothing afterwards, nor is the one before it.
pub async fn mf1_a_code_lets_one_in(world: World) {
    let owner = world.with_totp().await;
    let before = owner.code(&world);
    world.clock.advance(STEP);
    let code = owner.code(&world);
    let mut challenges = Vec::new();
    // As many as there may be failures, so that the throttle is not what stops them.
    for _ in 0..20 {
        challenges.push(Arc::new(world.challenge(&owner.user).await));
    }
    let outcomes = race(50, |i| {
        let (auth, code, challenge) = (world.nodes[i % 2].clone(), code.clone(), challenges[i % 20].clone());
        async move { second_step::complete(&auth, &challenge.secret.expose(), None, &code, &context(1)).await }
    })
    .await;
    outcomes.single_ok();
    let challenge = world.challenge(&owner.user).await;
    for spent in [&code, &before] {
        let auth = &world.nodes[0];
        let refused = second_step::complete(auth, &challenge.secret.expose(), None, spent, &context(1)).await;
        assert!(matches!(refused, Err(SecondStepError::WrongCode | SecondStepError::Throttled(_))), "{refused:?}");
    }
}

/// MF1: the present step and the one before are taken, nothing else.
pub async fn mf1_the_last_step_is_taken_too(world: World) {
    let owner = world.with_totp().await;
    world.clock.advance(4 * STEP);
    let code = owner.code(&world);
    world.clock.advance(2 * STEP);
    let challenge = world.challenge(&owner.user).await;
    let late = world.second_step(&challenge, None, &code).await;
    assert!(matches!(late, Err(SecondStepError::WrongCode)), "{late:?}");
    world.clock.set_back(STEP);
    world.second_step(&challenge, None, &code).await.expect("the step before");
}

/// MF2: six ASCII digits are a code, and nothing that looks like them; they count as attempts all the same.
pub async fn mf2_only_six_digits_are_a_code(world: World) {
    let owner = world.with_totp().await;
    let code = owner.code(&world);
    let wide: String = code.chars().map(|digit| char::from_u32(digit as u32 - 0x30 + 0xff10).unwrap()).collect();
    let challenge = world.challenge(&owner.user).await;
    for typed in [wide, format!(" {code}"), format!("+{}", &code[1..]), format!("{code}0")] {
        let refused = world.second_step(&challenge, Some(SecondStep::Totp), &typed).await;
        assert!(matches!(refused, Err(SecondStepError::WrongCode)), "{typed}: {refused:?}");
    }
    world.second_step(&challenge, None, &code).await.expect("the fifth attempt");
}

/// MF3: failures count by account, over challenges and factors: who begins anew every two guesses gets twenty.
pub async fn mf3_failures_count_over_challenges(world: World) {
    let owner = world.with_totp().await;
    let mut compared = 0;
    'guessing: for round in 0..20 {
        let challenge = world.challenge(&owner.user).await;
        for guess in 0..2 {
            let step = [SecondStep::Totp, SecondStep::Recovery][(round + guess) % 2];
            match world.second_step(&challenge, Some(step), another(&owner.code(&world))).await {
                Err(SecondStepError::WrongCode) => compared += 1,
                Err(SecondStepError::Throttled(_)) => break 'guessing,
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(compared, 20);
    let challenge = world.challenge(&owner.user).await;
    let right = world.second_step(&challenge, None, &owner.code(&world)).await;
    assert!(matches!(right, Err(SecondStepError::Throttled(_))), "{right:?}");
    world.clock.advance(HOUR);
    let challenge = world.challenge(&owner.user).await;
    world.second_step(&challenge, None, &owner.code(&world)).await.expect("an hour later");
}

/// MF4: of 50 wrong codes at once at one challenge, over two nodes, five are compared; then the right one is too late.
pub async fn mf4_a_challenge_takes_five_attempts(world: World) {
    let owner = world.with_email_factor().await;
    let challenge = Arc::new(world.challenge(&owner.user).await);
    let code = world.second_factor_code(&owner.user).await;
    let wrong = another(&code);
    let outcomes = race(50, |i| {
        let (auth, challenge) = (world.nodes[i % 2].clone(), challenge.clone());
        async move { second_step::complete(&auth, &challenge.secret.expose(), None, wrong, &context(1)).await }
    })
    .await;
    let compared = outcomes.0.iter().filter(|outcome| matches!(outcome, Err(SecondStepError::WrongCode))).count();
    assert_eq!(compared, 5);
    world.clock.advance(HOUR);
    world.clock.set_back(HOUR);
    let auth = world.with(|_| {}).await;
    let late = second_step::complete(&auth, &challenge.secret.expose(), None, &code, &context(1)).await;
    assert!(matches!(late, Err(SecondStepError::Unauthorized)), "{late:?}");
}

/// MF4: of 50 right codes at once at one challenge one opens a session.
pub async fn mf4_a_challenge_is_spent_once(world: World) {
    let owner = world.with_email_factor().await;
    let challenge = Arc::new(world.challenge(&owner.user).await);
    let code = world.second_factor_code(&owner.user).await;
    let outcomes = race(50, |i| {
        let (auth, challenge, code) = (world.nodes[i % 2].clone(), challenge.clone(), code.clone());
        async move { second_step::complete(&auth, &challenge.secret.expose(), None, &code, &context(1)).await }
    })
    .await;
    outcomes.single_ok();
    assert_eq!(world.handles[1].sessions_of(owner.user.id).await.unwrap().len(), 2);
}

/// MF4: a challenge lives for 15 minutes and its code for 10; it is bound to its user, and to the password that was right.
pub async fn mf4_a_challenge_is_bound(world: World) {
    let (owner, other) = (world.with_email_factor().await, world.with_email_factor().await);
    let challenge = world.challenge(&owner.user).await;
    let code = world.second_factor_code(&owner.user).await;
    let theirs = world.challenge(&other.user).await;
    let crossed = world.second_step(&theirs, None, &code).await;
    assert!(matches!(crossed, Err(SecondStepError::WrongCode)), "{crossed:?}");

    world.clock.advance(10 * MINUTE);
    let stale = world.second_step(&challenge, None, &code).await;
    assert!(matches!(stale, Err(SecondStepError::WrongCode)), "{stale:?}");
    second_step::resend(world.auth(), &challenge.secret.expose(), &context(1)).await.expect("another code");
    let code = world.second_factor_code(&owner.user).await;
    world.clock.advance(5 * MINUTE - TICK);
    let signed = world.second_step(&challenge, None, &code).await.expect("the last moment");

    let challenge = world.challenge(&owner.user).await;
    let code = world.second_factor_code(&owner.user).await;
    world.clock.advance(15 * MINUTE);
    let dead = world.second_step(&challenge, None, &code).await;
    assert!(matches!(dead, Err(SecondStepError::Unauthorized)), "{dead:?}");
    let dead = second_step::resend(world.auth(), &challenge.secret.expose(), &context(1)).await;
    assert!(matches!(dead, Err(SecondStepError::Unauthorized)), "{dead:?}");

    // The first step counts no longer.
    let challenge = world.challenge(&owner.user).await;
    let code = world.second_factor_code(&owner.user).await;
    let signed = Signed { session: signed.session, user: owner.user.clone() };
    sign_out::everywhere(world.auth(), &signed, &context(1)).await.expect("signed out");
    let dead = world.second_step(&challenge, None, &code).await;
    assert!(matches!(dead, Err(SecondStepError::Unauthorized)), "{dead:?}");
}

/// A resent code takes the place of the one before, and renews no attempt.
pub async fn mf4_a_resent_code_renews_no_attempt(world: World) {
    let owner = world.with_email_factor().await;
    let challenge = world.challenge(&owner.user).await;
    let first = world.second_factor_code(&owner.user).await;
    for _ in 0..3 {
        world.second_step(&challenge, None, another(&first)).await.expect_err("a wrong code");
    }
    second_step::resend(world.auth(), &challenge.secret.expose(), &context(1)).await.expect("another code");
    let second = world.second_factor_code(&owner.user).await;
    if first != second {
        world.second_step(&challenge, None, &first).await.expect_err("the code before");
    }
    world.second_step(&challenge, None, &second).await.expect("the last attempt");
}

/// MF5: of 50 who present one recovery code at once one is let in; the owner hears of it, and nine are left. New ones end them.
pub async fn mf5_a_recovery_code_lets_one_in(world: World) {
    let owner = world.with_totp().await;
    let code = owner.recovery[0].expose();
    let mut challenges = Vec::new();
    for _ in 0..20 {
        challenges.push(Arc::new(world.challenge(&owner.user).await));
    }
    let outcomes = race(50, |i| {
        let (auth, code, challenge) = (world.nodes[i % 2].clone(), code.clone(), challenges[i % 20].clone());
        async move { second_step::complete(&auth, &challenge.secret.expose(), None, &code, &context(1)).await }
    })
    .await;
    outcomes.single_ok();
    assert_eq!(factors::overview(world.auth(), &owner.user).await.unwrap().recovery_codes_left, 9);
    world.deliver().await;
    assert_eq!(world.inbox.last(&owner.user.email, MailKind::Notice).content.kind(), MailKind::Notice);

    let auth = world.with(|_| {}).await;
    let renewed = factors::renew_recovery_codes(&auth, &owner.signed(), &context(1)).await.expect("new codes");
    assert_eq!(renewed.0.len(), 10);
    let challenge = challenge_on(&auth, &owner.user).await.secret.expose();
    let old = second_step::complete(&auth, &challenge, None, &owner.recovery[1].expose(), &context(1)).await;
    assert!(matches!(old, Err(SecondStepError::WrongCode)), "{old:?}");
    let typed = renewed.0[9].expose().to_uppercase().replace('-', " ");
    second_step::complete(&auth, &challenge, None, &typed, &context(1)).await.expect("a new code");
}

/// MF6: no way round: after a reset the second step is still asked for, by every profile, and the session from before goes on
/// by itself only.
pub async fn mf6_a_reset_is_no_way_round(world: World) {
    let owner = world.with_totp().await;
    refresh::refresh(world.auth(), owner.session.credential.refresh(), &context(1)).await.expect("the same session");
    let (_, link) = world.reset_mail(&owner.user).await;
    reset_password::confirm(world.auth(), &link, &password(OTHER), &context(1)).await.expect("the reset");
    refresh::refresh(world.auth(), owner.session.credential.refresh(), &context(1)).await.expect_err("a dead session");
    for policy in [SecondFactor::Off, SecondFactor::Optional, SecondFactor::EmailRequired] {
        let mut settings = world.concealing().settings().clone();
        settings.second_factor = policy;
        let auth = world.auth().with(settings).expect("a profile");
        let credentials = auth_core::flow::sign_in::Credentials {
            email: owner.user.email.clone(),
            password: password(OTHER),
            device: Some(owner.session.device.expose().to_owned()),
        };
        let step = auth_core::flow::sign_in::sign_in(&auth, credentials, &context(1)).await.expect("a right password");
        let auth_core::flow::sign_in::SignIn::SecondStep(challenge) = step else { panic!("{policy:?}: {step:?}") };
        assert_eq!(challenge.steps, [SecondStep::Totp, SecondStep::Recovery], "{policy:?}");
    }
}

/// MF7: a factor is inert until it is confirmed, and its owner is told of every switch; what wants fresh authentication is
/// refused ten minutes later.
pub async fn mf7_switching_wants_a_fresh_session(world: World) {
    let owner = world.with_totp().await;
    let (auth, signed) = (world.auth(), owner.signed());
    let user = world.register().await;
    let session = world.sign_in(&user).await;
    let fresh = Signed { session: session.session.clone(), user: user.clone() };
    factors::enrol_totp(auth, &fresh, &context(1)).await.expect("enrolled");
    factors::request_email(auth, &fresh, Switch::On, &context(1)).await.expect("asked for");
    world.sign_in(&user).await;

    factors::switch_off(auth, &signed, Factor::Totp, &context(1)).await.expect("switched off");
    let after = world.reread(&owner.user).await;
    assert!(after.factors.is_empty());
    assert_eq!(factors::overview(auth, &after).await.unwrap().recovery_codes_left, 0);
    world.deliver().await;
    let notices = world.inbox.mails_to(&owner.user.email);
    assert_eq!(notices.iter().filter(|mail| mail.content.kind() == MailKind::Notice).count(), 2);
    world.sign_in(&after).await;

    world.clock.advance(10 * MINUTE);
    let stale = |outcome: Result<(), FactorError>| assert!(matches!(outcome, Err(FactorError::Stale)), "{outcome:?}");
    stale(factors::request_email(auth, &signed, Switch::On, &context(1)).await.map(drop_id));
    stale(factors::confirm_email(auth, &signed, Switch::On, "000000", None, &context(1)).await.map(drop));
    stale(factors::enrol_totp(auth, &signed, &context(1)).await.map(drop));
    stale(factors::confirm_totp(auth, &signed, "000000", &context(1)).await.map(drop));
    stale(factors::switch_off(auth, &signed, Factor::Totp, &context(1)).await);
    stale(factors::renew_recovery_codes(auth, &signed, &context(1)).await.map(drop));
}

fn drop_id<T>(_: T) {}

/// The first factor comes with recovery codes, the second doesn't; of two that are switched on at one moment, one is first.
pub async fn mf5_one_factor_is_the_first(world: World) {
    let user = world.register().await;
    let session = world.sign_in(&user).await;
    let signed = Signed { session: session.session.clone(), user: user.clone() };
    let enrolment = factors::enrol_totp(world.auth(), &signed, &context(1)).await.expect("enrolled");
    let app = Authenticator::typed(&enrolment.key.to_base32());
    let code = app.code(world.clock_now());
    factors::request_email(world.auth(), &signed, Switch::On, &context(1)).await.expect("a code");
    let mailed = world.second_factor_code(&user).await;
    let outcomes = race(2, |i| {
        let (auth, signed, code, mailed) = (world.nodes[i].clone(), signed.clone(), code.clone(), mailed.clone());
        async move {
            match i {
                0 => factors::confirm_totp(&auth, &signed, &code, &context(1)).await,
                _ => factors::confirm_email(&auth, &signed, Switch::On, &mailed, None, &context(1)).await,
            }
        }
    })
    .await;
    // Both decided about a user without a factor: the later one is told to try again.
    let codes = outcomes.0.iter().filter(|outcome| matches!(outcome, Ok(Some(_)))).count();
    let contended = outcomes.0.iter().filter(|outcome| matches!(outcome, Err(FactorError::Fault(_)))).count();
    assert_eq!((codes, contended), (1, 1), "{outcomes:?}");
    assert_eq!(factors::overview(world.auth(), &user).await.unwrap().recovery_codes_left, 10);
}

/// What the settings demand is asked of everybody, or of holders of a role, and can't be switched off.
pub async fn policy_decides_who_takes_a_second_step(world: World) {
    let user = world.register().await;
    let everybody = world.with(|settings| settings.second_factor = SecondFactor::EmailRequired).await;
    let challenge = challenge_on(&everybody, &user).await;
    assert_eq!(challenge.steps, [SecondStep::Email]);
    let code = world.second_factor_code(&user).await;
    let session = second_step::complete(&everybody, &challenge.secret.expose(), None, &code, &context(1)).await;
    let session = session.expect("signed in");
    let mut signed = Signed { session: session.session.clone(), user: user.clone() };
    let off = factors::switch_off(&everybody, &signed, Factor::Email, &context(1)).await;
    assert!(matches!(off, Err(FactorError::Forbidden)), "{off:?}");

    let admins = world.with(|settings| settings.second_factor_roles = vec![Role::admin()]).await;
    world.sign_in(&user).await;
    let admin = world.admin().await;
    assert_eq!(challenge_on(&admins, &admin.user).await.steps, [SecondStep::Email]);

    let nobody = world.with(|settings| settings.second_factor = SecondFactor::Off).await;
    let on = factors::request_email(&nobody, &signed, Switch::On, &context(1)).await;
    assert!(matches!(on, Err(FactorError::Forbidden)), "{on:?}");
    let on = factors::enrol_totp(&nobody, &signed, &context(1)).await;
    assert!(matches!(on, Err(FactorError::Forbidden)), "{on:?}");
    // Codes for a factor that isn't there.
    signed.user.factors = Factors::default();
    let codes = factors::renew_recovery_codes(world.auth(), &signed, &context(1)).await;
    assert!(matches!(codes, Err(FactorError::Forbidden)), "{codes:?}");
}

/// SE2, MF6: a factor or a mailed code proves again who one is; where an app is on, mailed codes don't.
pub async fn se2_factors_prove_again_who_one_is(world: World) {
    let owner = world.with_totp().await;
    let (auth, signed) = (world.auth(), owner.signed());
    reauthenticate::request(auth, &signed, &context(1)).await.expect("the same answer");
    world.deliver().await;
    let mails = world.inbox.mails_to(&owner.user.email);
    assert!(mails.iter().all(|mail| mail.content.kind() != MailKind::Reauthenticate));
    let proved =
        reauthenticate::with_code(auth, &signed, None, &owner.code(&world), &context(1)).await.expect("proved");
    assert_eq!(proved.session.methods.amr(), ["pwd", "otp", "mfa"]);
    let again = reauthenticate::with_code(auth, &signed, None, &owner.code(&world), &context(1)).await;
    again.expect_err("a code that is spent, and a session that is dead");

    let user = world.register().await;
    let session = world.sign_in(&user).await;
    let elsewhere = world.sign_in(&user).await;
    let signed = Signed { session: session.session.clone(), user: user.clone() };
    let other = Signed { session: elsewhere.session.clone(), user: user.clone() };
    reauthenticate::request(auth, &signed, &context(1)).await.expect("a code");
    world.deliver().await;
    let code = world.inbox.code(&user.email, MailKind::Reauthenticate);
    let stolen = reauthenticate::with_code(auth, &other, None, &code, &context(1)).await;
    stolen.expect_err("the code of another session");
    let proved = reauthenticate::with_code(auth, &signed, None, &code, &context(1)).await.expect("proved");
    assert_eq!(proved.session.methods.amr(), ["pwd", "otp"]);
    reauthenticate::with_code(auth, &other, None, &code, &context(1)).await.expect_err("once");
}

/// A sign-in from a device that wasn't seen before is told of, unless it is the account's first; the link ends it, once, and
/// mails a reset.
pub async fn new_devices_are_told_of(world: World) {
    let user = world.register().await;
    let first = world.sign_in(&user).await;
    let known = Some(first.device.expose().to_owned());
    world.try_sign_in(&user.email, super::world::PASSWORD, known).await.expect("a known device");
    world.deliver().await;
    let told = |world: &World| {
        world.inbox.mails_to(&user.email).iter().filter(|mail| mail.content.kind() == MailKind::NewDevice).count()
    };
    assert_eq!(told(&world), 0);
    let stranger = world.sign_in(&user).await;
    world.deliver().await;
    assert_eq!(told(&world), 1);
    // By then the stranger has carried that session on, and signed in again from what is a known device now.
    let signed = Signed { session: stranger.session.clone(), user: user.clone() };
    let (password, context) = (password(super::world::PASSWORD), context(1));
    let carried_on = reauthenticate::with_password(world.auth(), &signed, &password, &context).await;
    let carried_on = carried_on.expect("the password is known");
    let known = Some(stranger.device.expose().to_owned());
    let again = world.try_sign_in(&user.email, super::world::PASSWORD, known).await.expect("a known device");
    world.deliver().await;
    assert_eq!(told(&world), 1);
    let secret = Secret::parse(&world.inbox.token(&user.email, MailKind::NewDevice)).expect("a token");
    report_session::report(world.auth(), &secret, &context).await.expect("reported");
    let sessions = world.handles[1].sessions_of(user.id).await.unwrap();
    let is_closed = |id| sessions.iter().find(|session| session.id == id).unwrap().closed_at.is_some();
    for session in [stranger, carried_on, again] {
        assert!(is_closed(session.session.id));
    }
    assert!(!is_closed(first.session.id));
    world.deliver().await;
    world.inbox.token(&user.email, MailKind::Reset);
    report_session::report(world.auth(), &secret, &context).await.expect_err("once");
}

/// RL1: whoever signs in over and over to an account whose address is somebody else's sends them no more mail than five an hour;
/// nor do new recovery codes and factors that are switched off.
pub async fn rl1_news_is_throttled(world: World) {
    let user = world.register().await;
    for _ in 0..9 {
        world.sign_in(&user).await;
    }
    world.deliver().await;
    let told = |kind| world.inbox.mails_to(&user.email).iter().filter(|mail| mail.content.kind() == kind).count();
    assert_eq!(told(MailKind::NewDevice), 5);

    let owner = world.with_totp().await;
    for _ in 0..5 {
        factors::renew_recovery_codes(world.auth(), &owner.signed(), &context(1)).await.expect("new codes");
    }
    let sixth = factors::renew_recovery_codes(world.auth(), &owner.signed(), &context(1)).await;
    assert!(matches!(sixth, Err(FactorError::Throttled(_))), "{sixth:?}");
}

/// MF6: whoever is given a role that demands a second factor takes the step before they hold it: sessions from before are over.
pub async fn mf6_a_role_comes_with_its_second_step(world: World) {
    let (user, operator) = (world.register().await, Actor::Operator);
    let before = world.sign_in(&user).await;
    let auth = world.with(|settings| settings.second_factor_roles = vec![Role::admin()]).await;
    let editor = Role::parse("editor").expect("a role");
    roles::grant(&auth, operator, user.id, editor, &context(1)).await.expect("granted");
    let access = before.credential.access();
    authenticate::authenticate(&auth, Presented::AccessToken(access)).await.expect("a role that demands nothing");
    roles::grant(&auth, operator, user.id, Role::admin(), &context(1)).await.expect("granted");
    authenticate::authenticate(&auth, Presented::AccessToken(access)).await.expect_err("no second step was taken");
    challenge_on(&auth, &user).await;
}

/// MF7: an operator switches off what was lost. Sessions are over, the owner is told, and the password is enough again.
pub async fn mf7_an_operator_switches_off_what_was_lost(world: World) {
    let owner = world.with_totp().await;
    for _ in 0..2 {
        factors::drop_all(world.auth(), Actor::Operator, owner.user.id, &context(1)).await.expect("none on is fine");
    }
    let access = owner.session.credential.access();
    authenticate::authenticate(world.auth(), Presented::AccessToken(access)).await.expect_err("ended");
    world.deliver().await;
    let is_told = |mail: &auth_core::domain::Mail| mail.content.kind() == MailKind::Notice;
    assert!(world.inbox.mails_to(&owner.user.email).iter().any(is_told));
    world.sign_in(&owner.user).await;
    assert_eq!(world.handles[1].totp_secrets(owner.user.id).await.unwrap().len(), 0);
    assert_eq!(world.handles[1].recovery_codes(owner.user.id).await.unwrap().len(), 0);
}

/// What was enrolled while second factors could be switched on isn't confirmed when they can't any more.
pub async fn off_is_off_for_enrolments(world: World) {
    let user = world.register().await;
    let signed = Signed { session: world.sign_in(&user).await.session, user };
    let enrolment = factors::enrol_totp(world.auth(), &signed, &context(1)).await.expect("enrolled");
    let code = Authenticator::scanned(&enrolment.uri()).code(world.clock_now());
    let auth = world.with(|settings| settings.second_factor = SecondFactor::Off).await;
    let refused = factors::confirm_totp(&auth, &signed, &code, &context(1)).await;
    assert!(matches!(refused, Err(FactorError::Forbidden)), "{refused:?}");
}

/// SC4: a secret that was sealed under an old pepper is sealed anew when it is used.
pub async fn sc4_a_used_secret_is_sealed_anew(world: World) {
    let owner = world.with_totp().await;
    let pepper = |text: &str| {
        Pepper::new(format!("{text}: 0123456789 abcdefghijklmnopqrstuvwxyz").into_bytes()).expect("a pepper")
    };
    let newer = KeyRing::new(&pepper("newer pepper"), &[pepper("node pepper")]);
    let auth = auth_core::Auth::start(auth_core::Parts {
        cache: None,
        idempotency: None,
        clock: world.clock.clone(),
        hasher: world.hasher.clone(),
        ..auth_core::Parts::new(world.store.clone(), newer, world.auth().settings().clone()).expect("parts")
    })
    .await
    .expect("a node");
    let secrets = async || world.handles[1].totp_secrets(owner.user.id).await.unwrap();
    let before = secrets().await;
    let challenge = challenge_on(&auth, &owner.user).await.secret.expose();
    second_step::complete(&auth, &challenge, None, &owner.code(&world), &context(1)).await.expect("signed in");
    let after = secrets().await;
    assert_ne!(before[0].secret.key(), after[0].secret.key());
    world.clock.advance(STEP);
    let challenge = challenge_on(&auth, &owner.user).await.secret.expose();
    second_step::complete(&auth, &challenge, None, &owner.code(&world), &context(1)).await.expect("signed in");
}

/// MF2, SC4: a row copied into another account opens nothing there: the secret is sealed to its record and user.
pub async fn sc4_a_swapped_secret_gains_nothing(world: World) {
    let (owner, victim) = (world.with_totp().await, world.with_totp().await);
    let secrets = world.handles[0].totp_secrets(owner.user.id).await.unwrap();
    let planted = TotpSecret {
        id: given::id::<FactorId>(),
        user: victim.user.id,
        secret: secrets[0].secret.clone(),
        last_step: None,
        pending_until: Some(world.clock_now() + HOUR),
    };
    let step = 1;
    let changes =
        [Change::EnrolTotp(planted.clone()), Change::ConfirmTotp { user: victim.user.id, factor: planted.id, step }];
    world.handles[0].commit(&changes).await.expect("planted");
    let challenge = world.challenge(&victim.user).await;
    let opened = world.second_step(&challenge, None, &owner.code(&world)).await;
    assert!(matches!(opened, Err(SecondStepError::Fault(_))), "{opened:?}");
}

/// AU1: every step and switch, taken or refused, leaves its entry.
pub async fn au1_factors_leave_entries(world: World) {
    let owner = world.with_totp().await;
    let challenge = world.challenge(&owner.user).await;
    world.second_step(&challenge, None, another(&owner.code(&world))).await.expect_err("a wrong code");
    world.second_step(&challenge, None, &owner.code(&world)).await.expect("signed in");
    factors::renew_recovery_codes(world.auth(), &owner.signed(), &context(1)).await.expect("new codes");
    factors::switch_off(world.auth(), &owner.signed(), Factor::Totp, &context(1)).await.expect("switched off");
    let query = AuditQuery { user: Some(owner.user.id), limit: 100, ..AuditQuery::default() };
    let events = world.handles[1].audit_events(&query).await.unwrap();
    let kinds: Vec<AuditKind> = events.iter().map(|event| event.kind).collect();
    for kind in [
        AuditKind::FactorRequested,
        AuditKind::FactorOn,
        AuditKind::SecondStepAsked,
        AuditKind::CodeTried,
        AuditKind::SecondStepFailed,
        AuditKind::RecoveryCodesRenewed,
        AuditKind::FactorOff,
    ] {
        assert!(kinds.contains(&kind), "{kind:?} is not among {kinds:?}");
    }
    let opened = events.iter().find(|event| event.kind == AuditKind::SignedIn).unwrap();
    assert_eq!(opened.detail["methods"], "pwd totp");
}
