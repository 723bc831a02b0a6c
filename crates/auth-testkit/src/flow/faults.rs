//! Every flow, cut short at every place: all of it has happened, or nothing.

use std::time::Duration;

use auth_core::domain::{Email, MailKind, ProfileEdit, User};
use auth_core::flow::authenticate::{Presented, authenticate};
use auth_core::flow::profile;
use auth_core::flow::proof::Proof;
use auth_core::flow::refresh::refresh;
use auth_core::flow::register::register;
use auth_core::flow::session::Authenticated;
use auth_core::flow::sign_in::{Credentials, sign_in};
use auth_core::flow::{change_password, reset_password, sessions, sign_out, verify_email};
use auth_core::port::Change;

use super::World;
use super::world::{OTHER, PASSWORD, Tokens, context, password, registration};
use crate::fault::abandon;
use crate::picture::Picture;
use crate::{Fault, given};

/// What users do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    Register,
    VerifyRequest,
    VerifyByLink,
    VerifyByCode,
    SignIn,
    Refresh,
    SignOut,
    SignOutEverywhere,
    EndSession,
    ResetRequest,
    ResetByLink,
    ResetByCode,
    ChangePassword,
    EditProfile,
}

impl Flow {
    const ALL: [Self; 14] = [
        Self::Register,
        Self::VerifyRequest,
        Self::VerifyByLink,
        Self::VerifyByCode,
        Self::SignIn,
        Self::Refresh,
        Self::SignOut,
        Self::SignOutEverywhere,
        Self::EndSession,
        Self::ResetRequest,
        Self::ResetByLink,
        Self::ResetByCode,
        Self::ChangePassword,
        Self::EditProfile,
    ];

    /// A code's attempt is committed before the code is compared: those flows have a commit before the one that counts.
    const fn is_one_commit(self) -> bool {
        !matches!(self, Self::VerifyByCode | Self::ResetByCode)
    }

    /// How many mails it causes.
    const fn mails(self) -> usize {
        match self {
            Self::Register
            | Self::VerifyRequest
            | Self::ResetRequest
            | Self::ResetByLink
            | Self::ResetByCode
            | Self::ChangePassword => 1,
            _ => 0,
        }
    }
}

/// Somebody with an account, a session, and mails to act on.
struct Case {
    user: User,
    session: Authenticated,
    other: Authenticated,
    verify: (Proof, Proof),
    reset: (Proof, Proof),
    newcomer: Email,
}

impl Case {
    async fn prepare(world: &World) -> Self {
        // Throttles must not be what stops a sweep.
        world.clock.advance(Duration::from_secs(3600));
        let user = world.register().await;
        let (session, other) = (world.sign_in(&user).await, world.sign_in(&user).await);
        let reset = world.reset_mail(&user).await;
        let verify = world.proofs(&user, MailKind::Verify);
        world.inbox.clear();
        Self { user, session, other, verify, reset, newcomer: given::email() }
    }

    async fn run(&self, world: &World, flow: Flow) -> Result<(), String> {
        let (auth, client) = (world.auth(), &context(9));
        let signed = auth_core::domain::Signed { session: self.session.session.clone(), user: self.user.clone() };
        let text = |error: &dyn std::fmt::Debug| format!("{error:?}");
        match flow {
            Flow::Register => {
                let outcome = register(auth, registration(self.newcomer.clone()), client).await;
                outcome.map(drop).map_err(|error| text(&error))
            }
            Flow::VerifyRequest => {
                verify_email::request(auth, &self.user.email, client).await.map_err(|error| text(&error))
            }
            Flow::VerifyByLink => {
                verify_email::confirm(auth, &self.verify.1, client).await.map(drop).map_err(|error| text(&error))
            }
            Flow::VerifyByCode => {
                verify_email::confirm(auth, &self.verify.0, client).await.map(drop).map_err(|error| text(&error))
            }
            Flow::SignIn => {
                let email = self.user.email.clone();
                let credentials = Credentials { email, password: password(PASSWORD), device: None };
                sign_in(auth, credentials, client).await.map(drop).map_err(|error| text(&error))
            }
            Flow::Refresh => {
                let token = self.session.credential.refresh();
                refresh(auth, token, client).await.map(drop).map_err(|error| text(&error))
            }
            Flow::SignOut => sign_out::sign_out(auth, &signed, client).await.map_err(|error| text(&error)),
            Flow::SignOutEverywhere => sign_out::everywhere(auth, &signed, client).await.map_err(|error| text(&error)),
            Flow::EndSession => {
                let id = self.other.session.id;
                sessions::end(auth, &signed, id, client).await.map_err(|error| text(&error))
            }
            Flow::ResetRequest => {
                reset_password::request(auth, &self.user.email, client).await.map_err(|error| text(&error))
            }
            Flow::ResetByLink => {
                let outcome = reset_password::confirm(auth, &self.reset.1, &password(OTHER), client).await;
                outcome.map_err(|error| text(&error))
            }
            Flow::ResetByCode => {
                let outcome = reset_password::confirm(auth, &self.reset.0, &password(OTHER), client).await;
                outcome.map_err(|error| text(&error))
            }
            Flow::ChangePassword => {
                let (current, new) = (password(PASSWORD), password(OTHER));
                let outcome = change_password::change(auth, &signed, &current, &new, client).await;
                outcome.map(drop).map_err(|error| text(&error))
            }
            Flow::EditProfile => {
                let edit = ProfileEdit { name: Some(Some("Ann".into())), ..ProfileEdit::default() };
                profile::edit(auth, &signed, edit, client).await.map(drop).map_err(|error| text(&error))
            }
        }
    }

    async fn picture(&self, world: &World) -> Picture {
        Picture::of(&*world.handles[1], self.user.id).await
    }

    /// Account and sessions only: what a code's attempt leaves alone.
    async fn account(&self, world: &World) -> String {
        let account = world.handles[1].find_user(self.user.id).await.expect("the user");
        let sessions = world.handles[1].sessions_of(self.user.id).await.expect("the sessions");
        format!("{} {sessions:?}", account.as_ref().map(crate::show::account).unwrap_or_default())
    }

    /// Nothing of `flow` has happened: the store shows what it showed `before`, and no mail leaves.
    async fn expect_nothing(&self, world: &World, flow: Flow, before: &(Picture, String), place: &str) {
        if flow.is_one_commit() {
            assert_eq!(self.picture(world).await, before.0, "{flow:?}, {place}");
        }
        assert_eq!(self.account(world).await, before.1, "{flow:?}, {place}");
        assert!(!self.newcomer_exists(world).await, "{flow:?}, {place}: a user came into being");
        world.deliver().await;
        assert_eq!(world.inbox.mails().len(), 0, "{flow:?}, {place}: mail has left");
    }

    /// All of `flow` has happened, its mail included.
    async fn expect_all(&self, world: &World, flow: Flow, before: &(Picture, String), place: &str) {
        let is_changed = self.picture(world).await != before.0 || self.newcomer_exists(world).await;
        assert!(is_changed, "{flow:?}, {place}: nothing has happened");
        world.deliver().await;
        assert_eq!(world.inbox.mails().len(), flow.mails(), "{flow:?}, {place}");
    }

    async fn newcomer_exists(&self, world: &World) -> bool {
        world.handles[1].find_user_by_email(&self.newcomer).await.expect("an answer").is_some()
    }

    async fn before(&self, world: &World) -> (Picture, String) {
        (self.picture(world).await, self.account(world).await)
    }
}

/// DF1, AU4: for every flow and every k, the k-th change fails: nothing has changed, and no mail leaves.
pub async fn df1_every_change_of_every_flow(world: World) {
    sweep(&world, Fault::Change).await;
}

/// DF1: for every flow and every k, the k-th call doesn't reach the store: nothing has changed, and no mail leaves.
pub async fn df1_every_call_of_every_flow(world: World) {
    sweep(&world, Fault::Call).await;
}

async fn sweep(world: &World, fault: impl Fn(usize) -> Fault) {
    for flow in Flow::ALL {
        for k in 0.. {
            let case = Case::prepare(world).await;
            let before = case.before(world).await;
            world.store.arm(fault(k));
            let outcome = case.run(world, flow).await;
            world.store.disarm();
            let place = format!("{:?}", fault(k));
            if !world.store.has_fired() {
                outcome.unwrap_or_else(|error| panic!("{flow:?} without a fault: {error}"));
                case.expect_all(world, flow, &before, &place).await;
                assert!(k > 0, "{flow:?} has no place to fail at");
                break;
            }
            let error = outcome.expect_err("a fault is no success");
            assert!(error.contains("faulty"), "{flow:?}, {place}: the fault is told as {error}");
            case.expect_nothing(world, flow, &before, &place).await;
        }
    }
}

/// DF1: a commit is applied and the connection breaks before the answer: the caller hears of a fault, and everything has
/// happened, its mail included.
pub async fn df1_lost_answers(world: World) {
    for flow in Flow::ALL.into_iter().filter(|flow| flow.is_one_commit()) {
        let case = Case::prepare(&world).await;
        let before = case.before(&world).await;
        world.store.arm(Fault::Answer(0));
        let outcome = case.run(&world, flow).await;
        world.store.disarm();
        assert!(outcome.expect_err("a lost answer is no success").contains("faulty"), "{flow:?}");
        case.expect_all(&world, flow, &before, "answer lost").await;
    }
}

/// DF7: a caller that goes away at any await point leaves all or nothing.
pub async fn df7_dropped_at_every_await(world: World) {
    for flow in Flow::ALL.into_iter().filter(|flow| flow.is_one_commit()) {
        for polls in 1.. {
            assert!(polls < 500, "{flow:?} doesn't end");
            let case = Case::prepare(&world).await;
            let before = case.before(&world).await;
            let outcome = abandon(polls, case.run(&world, flow)).await;
            settle(&world, &case).await;
            let place = format!("dropped after {polls} polls");
            if let Some(outcome) = outcome {
                outcome.unwrap_or_else(|error| panic!("{flow:?} undisturbed: {error}"));
                case.expect_all(&world, flow, &before, &place).await;
                break;
            }
            let has_happened = case.picture(&world).await != before.0 || case.newcomer_exists(&world).await;
            if has_happened {
                case.expect_all(&world, flow, &before, &place).await;
            } else {
                case.expect_nothing(&world, flow, &before, &place).await;
            }
        }
    }
}

/// Waits for a commit that goes on without its caller: a later commit of the same user queues up behind it.
async fn settle(world: &World, case: &Case) {
    tokio::time::sleep(Duration::from_millis(20)).await;
    let nothing =
        Change::TrimTokens { user: case.user.id, purpose: auth_core::domain::Purpose::ResetPassword, keep: 99 };
    world.handles[0].commit(&[nothing]).await.expect("a commit");
}

/// DF6: a clock set back revives nothing: no spent link, no ended session, no used-up attempt.
pub async fn df6_clock_set_back(world: World) {
    let case = Case::prepare(&world).await;
    let access = case.session.credential.access();
    for flow in [Flow::VerifyByLink, Flow::Refresh, Flow::ResetByLink] {
        case.run(&world, flow).await.expect("done once");
    }
    authenticate(world.auth(), Presented::AccessToken(access)).await.expect_err("dead since the reset");

    world.clock.set_back(Duration::from_secs(300));
    for flow in [Flow::VerifyByLink, Flow::VerifyByCode, Flow::Refresh, Flow::ResetByLink, Flow::ResetByCode] {
        case.run(&world, flow).await.expect_err("done twice");
    }
    authenticate(world.auth(), Presented::AccessToken(access)).await.expect_err("alive again");
    world.try_sign_in(&case.user.email, PASSWORD, None).await.expect_err("the old password");
    world.try_sign_in(&case.user.email, OTHER, None).await.expect("the new password");
}
