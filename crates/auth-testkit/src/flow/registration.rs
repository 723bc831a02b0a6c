//! Concealed registration: nothing tells who has an account, and nobody confirms a stranger's password.

use auth_core::Auth;
use auth_core::domain::{AuditKind, Email, MailKind, Password};
use auth_core::flow::proof::Proof;
use auth_core::flow::register::{Registered, Registration, register};
use auth_core::flow::sign_in::SignInError;
use auth_core::flow::{sign_in, verify_email};
use auth_core::port::AuditQuery;

use super::World;
use super::world::{OTHER, PASSWORD, context, password, registration, wrong_code};
use crate::given::{self, DAY, MINUTE};
use crate::race::race;
use crate::{Call, Counting};

/// EN8: of two registrations of one address each mail confirms its own password, and the other dies with it.
pub async fn en8_each_mail_confirms_its_own_password(world: World) {
    for (confirmed, rejected, right, wrong) in [(0, 1, PASSWORD, OTHER), (1, 0, OTHER, PASSWORD)] {
        let auth = world.concealing();
        let email = given::email();
        let first = wait(&world, &auth, &email, PASSWORD, 1).await;
        let second = wait(&world, &auth, &email, OTHER, 2).await;
        let mails = [first, second];
        world.try_sign_in(&email, right, None).await.expect_err("nobody yet");

        verify_email::confirm(&auth, &mails[confirmed].1, &context(3)).await.expect("a user");

        world.try_sign_in(&email, right, None).await.expect("the password of the mail that was confirmed");
        world.try_sign_in(&email, wrong, None).await.expect_err("the password of the other");
        for dead in [&mails[confirmed], &mails[rejected]] {
            verify_email::confirm(&auth, &dead.1, &context(3)).await.expect_err("spent, or dropped");
            verify_email::confirm(&auth, &dead.0, &context(3)).await.expect_err("spent, or dropped");
        }
    }
}

/// EN8: registering and then signing in tells nothing about the address: the same outcomes for one that has an account.
pub async fn en8_registering_and_signing_in_tells_nothing(world: World) {
    let auth = world.concealing();
    let owner = world.register().await;
    for email in [given::email(), owner.email.clone()] {
        let registered = register(&auth, strangers(&email), &context(7)).await.expect("an answer");
        assert!(matches!(registered, Registered::Concealed));
        let credentials = sign_in::Credentials { email, password: password(OTHER), device: None };
        let refused = sign_in::sign_in(&auth, credentials, &context(7)).await.expect_err("nobody's password");
        assert!(matches!(refused, SignInError::Unauthorized), "{refused:?}");
    }
    world.deliver().await;
    assert_eq!(world.inbox.mails_to(&owner.email).iter().filter(|m| m.content.kind() == MailKind::Exists).count(), 1);
}

/// EN2: a free address and a taken one cost the same reads, hashes and commits.
pub async fn en2_free_and_taken_cost_the_same(world: World) {
    let owner = world.register().await;
    let counting = std::sync::Arc::new(Counting::new(world.handles[0].clone()));
    let node = World::node(counting.clone(), &world.clock, &world.hasher, "node pepper", |settings| {
        settings.existing_address = auth_core::settings::ExistingAddress::Conceal;
    });
    let node = node.await.expect("a node");
    let mut work = Vec::new();
    for email in [given::email(), owner.email] {
        counting.take();
        world.hasher.take();
        register(&node, strangers(&email), &context(7)).await.expect("an answer");
        work.push((counting.take(), world.hasher.take()));
    }
    assert_eq!(work[0], work[1]);
    assert_eq!(work[0].0, [Call::FindUserByEmail, Call::PendingsOf, Call::Commit]);
}

/// EN3, EN8: fifty registrations of one address leave three mails that are good, and each confirmation but one fails.
pub async fn en3_many_waiting_one_user(world: World) {
    let auth = world.with(|settings| {
        settings.existing_address = auth_core::settings::ExistingAddress::Conceal;
        settings.limits.mail_account.uses = 1000;
    });
    let auth = auth.await;
    let email = given::email();
    let outcomes = race(50, |i| {
        let (auth, email) = (auth.clone(), email.clone());
        async move { register(&auth, registration(email), &context(i as u8)).await }
    });
    for outcome in outcomes.await.0 {
        outcome.expect("the same answer for all");
    }
    let waiting = world.handles[1].pendings_of(&email).await.unwrap();
    assert!((1..=3).contains(&waiting.len()), "{} wait", waiting.len());
    world.deliver().await;
    let mails = world.inbox.mails_to(&email);
    assert!(mails.len() >= waiting.len());

    let links: Vec<String> = mails.iter().map(|mail| link(&mail.content)).collect();
    let count = links.len();
    let confirmed = race(count, |i| {
        let (auth, link) = (world.nodes[i % 2].clone(), links[i].clone());
        let proof = Proof::Link(auth_core::domain::Secret::parse(&link).expect("a secret"));
        async move { verify_email::confirm(&auth, &proof, &context(i as u8)).await }
    });
    confirmed.await.single_ok();
    assert!(world.handles[1].pendings_of(&email).await.unwrap().is_empty());
    world.try_sign_in(&email, PASSWORD, None).await.expect("the one user");
}

/// VT6: a waiting registration's code has five attempts, raced or not; wrong ones spend no link.
pub async fn vt6_five_attempts_at_a_waiting_code(world: World) {
    let auth = world.concealing();
    let email = given::email();
    let (code, link) = wait(&world, &auth, &email, PASSWORD, 1).await;
    let Proof::Code { code: wrong, .. } = wrong_code(&email, &code) else { panic!("not a code") };
    let guesses = race(50, |i| {
        let proof = Proof::Code { email: email.clone(), code: wrong.clone(), record: None };
        let auth = world.nodes[i % 2].clone();
        async move { verify_email::confirm(&auth, &proof, &context(i as u8)).await }
    });
    guesses.await.0.into_iter().for_each(|outcome| drop(outcome.expect_err("a wrong code")));
    let attempts = world.handles[0].pendings_of(&email).await.unwrap()[0].attempts;
    assert_eq!(attempts, 5);
    verify_email::confirm(&auth, &code, &context(1)).await.expect_err("no attempts left, though right");
    verify_email::confirm(&auth, &link, &context(1)).await.expect("the link is as good as before");
}

/// VT6: asking anew renews the attempts of a code, but not the account's five failures an hour.
pub async fn vt6_renewed_codes_share_a_budget(world: World) {
    let auth = world.concealing();
    let email = given::email();
    let (mut code, _) = wait(&world, &auth, &email, PASSWORD, 1).await;
    for round in 0..2 {
        for _ in 0..3 {
            let wrong = wrong_code(&email, &code);
            verify_email::confirm(&auth, &wrong, &context(9)).await.expect_err("a wrong code");
        }
        verify_email::request(&auth, &email, &context(1)).await.expect("another mail");
        world.deliver().await;
        code = proofs(&world, &email).0;
        assert!(round < 2);
    }
    verify_email::confirm(&auth, &code, &context(1)).await.expect_err("six failures within the hour");
    world.clock.advance(61 * MINUTE);
    verify_email::confirm(&auth, &code, &context(1)).await.expect("an hour later");
}

/// EN8: another mail is sent to whoever registered, not to whoever else wants the owner to confirm.
pub async fn en8_only_ones_own_registration_is_renewed(world: World) {
    let auth = world.concealing();
    let email = given::email();
    let (_, owners) = wait(&world, &auth, &email, PASSWORD, 1).await;
    let _strangers = wait(&world, &auth, &email, OTHER, 2).await;
    world.inbox.clear();

    verify_email::request(&auth, &email, &context(3)).await.expect("the same answer");
    world.deliver().await;
    assert!(world.inbox.mails().is_empty(), "nobody at that address registered anything");
    verify_email::request(&auth, &email, &context(1)).await.expect("the same answer");
    world.deliver().await;
    verify_email::confirm(&auth, &owners, &context(1)).await.expect_err("replaced by the newer mail");
    verify_email::confirm(&auth, &proofs(&world, &email).1, &context(1)).await.expect("the newer mail");
    world.try_sign_in(&email, PASSWORD, None).await.expect("the owner's password");
}

/// VT6: a stranger who keeps registering an address takes the place of his own records, not of the owner's.
pub async fn vt6_a_stranger_takes_his_own_places(world: World) {
    let auth = world.with(|settings| {
        settings.existing_address = auth_core::settings::ExistingAddress::Conceal;
        settings.limits.mail_account.uses = 1000;
    });
    let auth = auth.await;
    let email = given::email();
    let (_, owners) = wait(&world, &auth, &email, PASSWORD, 1).await;
    for _ in 0..8 {
        register(&auth, strangers(&email), &context(66)).await.expect("an answer");
    }
    verify_email::confirm(&auth, &owners, &context(1)).await.expect("the owner's mail");
    world.try_sign_in(&email, PASSWORD, None).await.expect("the owner's password");
}

/// VT2: a waiting registration's mail is good for 24 hours, to the microsecond; then cleaning takes the record.
pub async fn vt2_a_waiting_registration_expires(world: World) {
    let auth = world.concealing();
    for (late, is_good) in [(given::TICK, false), (std::time::Duration::ZERO, true)] {
        let email = given::email();
        let (_, link) = wait(&world, &auth, &email, PASSWORD, 1).await;
        world.clock.advance(DAY - given::TICK + late);
        let outcome = verify_email::confirm(&auth, &link, &context(1)).await;
        assert_eq!(outcome.is_ok(), is_good);
        world.handles[0].sweep(world.clock_now(), world.clock_now(), 500).await.unwrap();
        assert_eq!(world.handles[1].pendings_of(&email).await.unwrap().len(), 0);
    }
}

/// AU1: what is concealed from clients is on record.
pub async fn au1_concealed_registrations_are_recorded(world: World) {
    let auth = world.concealing();
    let owner = world.register().await;
    world.clock.advance(given::TICK);
    register(&auth, strangers(&owner.email), &context(7)).await.expect("an answer");
    register(&auth, strangers(&given::email()), &context(7)).await.expect("an answer");
    let newest = AuditQuery { limit: 2, ..AuditQuery::default() };
    let events = world.handles[0].audit_events(&newest).await.unwrap();
    let mut kinds: Vec<_> = events.iter().map(|event| (event.kind.as_str(), event.subject)).collect();
    kinds.sort_unstable();
    let (pending, refused) = (AuditKind::RegistrationPending.as_str(), AuditKind::RegistrationRefused.as_str());
    assert_eq!(kinds, [(pending, None), (refused, Some(owner.id))]);
}

/// Registers `email` from 192.0.2.`n`, and reads the mail.
async fn wait(world: &World, auth: &Auth, email: &Email, text: &str, n: u8) -> (Proof, Proof) {
    let registration = Registration { password: password(text), ..registration(email.clone()) };
    register(auth, registration, &context(n)).await.expect("waiting");
    world.deliver().await;
    proofs(world, email)
}

fn proofs(world: &World, email: &Email) -> (Proof, Proof) {
    let code = world.inbox.code(email, MailKind::Verify);
    let link = world.inbox.token(email, MailKind::Verify);
    let code = auth_core::domain::Code::parse(&code).expect("a code");
    (
        Proof::Code { email: email.clone(), code, record: None },
        Proof::Link(auth_core::domain::Secret::parse(&link).expect("a token")),
    )
}

fn strangers(email: &Email) -> Registration {
    let password: Password = password(OTHER);
    Registration { password, ..registration(email.clone()) }
}

fn link(content: &auth_core::domain::Content) -> String {
    match content {
        auth_core::domain::Content::Verify { link, .. } => {
            link.expose().split_once("token=").expect("a token").1.to_owned()
        }
        other => panic!("no verification: {other:?}"),
    }
}
