//! Everything that users, administrators and browsers do, each ready to be done.

use std::sync::Arc;
use std::time::Duration;

use auth_core::Auth;
use auth_core::domain::{Content, Email, Link, MailKind, ProfileEdit, Role, Secret, Signed, TokenId, User};
use auth_core::flow::change_email::{self, ChangeProof};
use auth_core::flow::proof::Proof;
use auth_core::flow::refresh::refresh;
use auth_core::flow::register::register;
use auth_core::flow::session::Authenticated;
use auth_core::flow::sign_in::{Credentials, sign_in};
use auth_core::flow::{
    Actor, account, authenticate, change_password, profile, reauthenticate, reset_password, roles, sessions, sign_out,
    users, verify_email,
};
use auth_core::port::Change;

use super::World;
use super::factor_case::{FactorCase, FactorFlow};
use super::world::{OTHER, PASSWORD, Tokens, context, password, registration};
use crate::given;
use crate::picture::Picture;

/// What users do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
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
    RegisterConcealed,
    RegisterConcealedTaken,
    ConfirmWaiting,
    RenewWaiting,
    Reauthenticate,
    ChangeEmailRequest,
    ChangeEmailByLink,
    UndoEmail,
    Delete,
    Suspend,
    GrantRole,
    RevokeRole,
    SetAttribute,
    RotateSecret,
    Factors(FactorFlow),
}

impl Flow {
    pub(super) const ALL: [Self; 43] = [
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
        Self::RegisterConcealed,
        Self::RegisterConcealedTaken,
        Self::ConfirmWaiting,
        Self::RenewWaiting,
        Self::Reauthenticate,
        Self::ChangeEmailRequest,
        Self::ChangeEmailByLink,
        Self::UndoEmail,
        Self::Delete,
        Self::Suspend,
        Self::GrantRole,
        Self::RevokeRole,
        Self::SetAttribute,
        Self::RotateSecret,
        Self::Factors(FactorFlow::Challenge),
        Self::Factors(FactorFlow::CompleteByApp),
        Self::Factors(FactorFlow::CompleteByRecoveryCode),
        Self::Factors(FactorFlow::Resend),
        Self::Factors(FactorFlow::RequestEmail),
        Self::Factors(FactorFlow::ConfirmEmail),
        Self::Factors(FactorFlow::EnrolTotp),
        Self::Factors(FactorFlow::ConfirmTotp),
        Self::Factors(FactorFlow::SwitchOff),
        Self::Factors(FactorFlow::RenewRecoveryCodes),
        Self::Factors(FactorFlow::RequestReauthentication),
        Self::Factors(FactorFlow::Reauthenticate),
        Self::Factors(FactorFlow::RequestPasswordCode),
        Self::Factors(FactorFlow::ChangePasswordByCode),
        Self::Factors(FactorFlow::ReportSession),
    ];

    /// A code's attempt is committed before the code is compared: those flows have a commit before the one that counts.
    pub(super) const fn is_one_commit(self) -> bool {
        match self {
            Self::VerifyByCode | Self::ResetByCode => false,
            Self::Factors(flow) => flow.is_one_commit(),
            _ => true,
        }
    }

    /// How many mails it causes.
    const fn mails(self) -> usize {
        match self {
            Self::ChangeEmailRequest => 2,
            Self::Factors(flow) => flow.mails(),
            // The case's browsers and apps are known; this one is new.
            Self::SignIn
            | Self::Register
            | Self::VerifyRequest
            | Self::ResetRequest
            | Self::ResetByLink
            | Self::ResetByCode
            | Self::ChangePassword
            | Self::RegisterConcealed
            | Self::RegisterConcealedTaken
            | Self::RenewWaiting
            | Self::ChangeEmailByLink
            | Self::Delete => 1,
            _ => 0,
        }
    }
}

/// Somebody with an account, sessions, and mails to act on; an administrator; and somebody whose registration waits.
pub(super) struct Case {
    /// The one whom everything is done by or to.
    pub(super) user: User,
    /// Their session.
    pub(super) session: Authenticated,
    other: Authenticated,
    verify: (Proof, Proof),
    reset: (Proof, Proof),
    newcomer: Email,
    /// A profile that conceals who has an account, and whose sessions are used with cookies.
    concealing: Arc<Auth>,
    browser: Authenticated,
    admin: Signed,
    waiting: (Email, Proof, TokenId),
    change: Secret,
    undo: Secret,
    factors: Option<FactorCase>,
}

impl Case {
    /// Ready for `flow`.
    pub(super) async fn prepare_for(world: &World, flow: Flow) -> Self {
        let mut case = Self::prepare(world).await;
        if let Flow::Factors(flow) = flow {
            let factors = FactorCase::prepare(world).await;
            case.user = factors.user(flow).clone();
            case.factors = Some(factors);
        }
        world.deliver().await;
        world.inbox.clear();
        case
    }

    /// Ready for everything but second factors.
    pub(super) async fn prepare(world: &World) -> Self {
        // Throttles must not be what stops a sweep.
        world.clock.advance(Duration::from_secs(3600));
        let user = world.register().await;
        let (session, other) = (world.sign_in(&user).await, world.sign_in(&user).await);
        let reset = world.reset_mail(&user).await;
        let verify = world.proofs(&user, MailKind::Verify);
        let signed = Signed { session: session.session.clone(), user: user.clone() };

        let admin = world.admin().await;
        let concealing = world.concealing();
        let waiting = given::email();
        register(&concealing, registration(waiting.clone()), &context(9)).await.expect("waiting");
        change_email::request(world.auth(), &signed, &given::email(), &context(1)).await.expect("asked for");
        world.deliver().await;
        let mails = world.inbox.mails();
        let link = |wanted: fn(&Content) -> Option<&Link>| {
            let link = mails.iter().rev().find_map(|mail| wanted(&mail.content)).expect("a mail with a link");
            Secret::parse(link.expose().split_once("token=").expect("a token").1).expect("a secret")
        };
        let verify_waiting =
            Proof::Link(Secret::parse(&world.inbox.token(&waiting, MailKind::Verify)).expect("a token"));
        let change = link(|content| match content {
            Content::ChangeEmail { link, .. } => Some(link),
            _ => None,
        });
        let undo = link(|content| match content {
            Content::UndoEmail { link, .. } => Some(link),
            _ => None,
        });

        let waits = world.handles[0].pendings_of(&waiting).await.expect("an answer")[0].id;
        let browser = world.sign_in_on(&concealing, &user).await;
        // An editor before and after: so a role can be taken, and another given.
        let editor = Change::GrantRole { user: user.id, role: role("editor") };
        world.handles[0].commit(&[editor]).await.expect("an editor");
        world.deliver().await;
        world.inbox.clear();
        Self {
            user,
            session,
            other,
            verify,
            reset,
            newcomer: given::email(),
            concealing,
            browser,
            admin,
            waiting: (waiting, verify_waiting, waits),
            change,
            undo,
            factors: None,
        }
    }

    pub(super) async fn run(&self, world: &World, flow: Flow) -> Result<(), String> {
        let (auth, client) = (world.auth(), &context(9));
        let signed = Signed { session: self.session.session.clone(), user: self.user.clone() };
        let text = |error: &dyn std::fmt::Debug| format!("{error:?}");
        match flow {
            Flow::Register => {
                let outcome = register(auth, registration(self.newcomer.clone()), client).await;
                outcome.map(drop).map_err(|error| text(&error))
            }
            Flow::VerifyRequest => {
                verify_email::request(auth, &self.user.email, client).await.map(drop).map_err(|error| text(&error))
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
                reset_password::request(auth, &self.user.email, client).await.map(drop).map_err(|error| text(&error))
            }
            Flow::ResetByLink => {
                let outcome = reset_password::confirm(auth, &self.reset.1, &password(OTHER), client).await;
                outcome.map(drop).map_err(|error| text(&error))
            }
            Flow::ResetByCode => {
                let outcome = reset_password::confirm(auth, &self.reset.0, &password(OTHER), client).await;
                outcome.map(drop).map_err(|error| text(&error))
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
            Flow::RegisterConcealed => {
                let outcome = register(&self.concealing, registration(self.newcomer.clone()), client).await;
                outcome.map(drop).map_err(|error| text(&error))
            }
            Flow::RegisterConcealedTaken => {
                let outcome = register(&self.concealing, registration(self.user.email.clone()), client).await;
                outcome.map(drop).map_err(|error| text(&error))
            }
            Flow::ConfirmWaiting => {
                let outcome = verify_email::confirm(&self.concealing, &self.waiting.1, client).await;
                outcome.map(drop).map_err(|error| text(&error))
            }
            Flow::RenewWaiting => {
                let outcome = verify_email::request(&self.concealing, &self.waiting.0, client).await;
                outcome.map(drop).map_err(|error| text(&error))
            }
            Flow::Reauthenticate => {
                let outcome = reauthenticate::with_password(auth, &signed, &password(PASSWORD), client).await;
                outcome.map(drop).map_err(|error| text(&error))
            }
            Flow::ChangeEmailRequest => {
                let outcome = change_email::request(auth, &signed, &self.newcomer, client).await;
                outcome.map(drop).map_err(|error| text(&error))
            }
            Flow::ChangeEmailByLink => {
                let outcome = change_email::confirm(auth, ChangeProof::Link(&self.change), client).await;
                outcome.map(drop).map_err(|error| text(&error))
            }
            Flow::UndoEmail => {
                let outcome = change_email::undo(auth, &self.undo, client).await;
                outcome.map(drop).map_err(|error| text(&error))
            }
            Flow::Delete => account::delete(auth, &signed, client).await.map_err(|error| text(&error)),
            Flow::Suspend => {
                let outcome = users::suspend(auth, Actor::Admin(&self.admin), self.user.id, client).await;
                outcome.map(drop).map_err(|error| text(&error))
            }
            Flow::GrantRole => {
                let outcome = roles::grant(auth, Actor::Admin(&self.admin), self.user.id, role("author"), client).await;
                outcome.map(drop).map_err(|error| text(&error))
            }
            Flow::RevokeRole => {
                let outcome =
                    roles::revoke(auth, Actor::Admin(&self.admin), self.user.id, role("editor"), client).await;
                outcome.map(drop).map_err(|error| text(&error))
            }
            Flow::SetAttribute => {
                let outcome = profile::set_attribute(auth, self.user.id, "plan", "pro", client).await;
                outcome.map(drop).map_err(|error| text(&error))
            }
            Flow::RotateSecret => {
                let user = world.handles[1].find_user(self.user.id).await.expect("the user").expect("the user").user;
                let mut signed = Arc::new(Signed { session: self.browser.session.clone(), user });
                let outcome = authenticate::rotate(&self.concealing, &mut signed, client).await;
                outcome.map(drop).map_err(|error| text(&error))
            }
            Flow::Factors(flow) => self.factors.as_ref().expect("a case of second factors").run(world, flow).await,
        }
    }

    pub(super) async fn picture(&self, world: &World) -> Picture {
        Picture::of(&*world.handles[1], self.user.id).await
    }

    /// Account, sessions and second factors only: what a code's attempt leaves alone.
    async fn account(&self, world: &World) -> String {
        let secrets = world.handles[1].totp_secrets(self.user.id).await.expect("the secrets");
        let codes = world.handles[1].recovery_codes(self.user.id).await.expect("the codes");
        let account = world.handles[1].find_user(self.user.id).await.expect("the user");
        let sessions = world.handles[1].sessions_of(self.user.id).await.expect("the sessions");
        let account = account.as_ref().map(crate::show::account).unwrap_or_default();
        format!("{account} {sessions:?} {secrets:?} {:?}", codes.iter().map(crate::show::mac).collect::<Vec<_>>())
    }

    /// Nothing of `flow` has happened: the store shows what it showed `before`, and no mail leaves.
    pub(super) async fn expect_nothing(&self, world: &World, flow: Flow, before: &(Picture, String), place: &str) {
        if flow.is_one_commit() {
            assert_eq!(self.picture(world).await, before.0, "{flow:?}, {place}");
        }
        assert_eq!(self.account(world).await, before.1, "{flow:?}, {place}");
        assert!(!self.newcomer_exists(world).await, "{flow:?}, {place}: a user came into being");
        world.deliver().await;
        assert_eq!(world.inbox.mails().len(), 0, "{flow:?}, {place}: mail has left");
    }

    /// All of `flow` has happened, its mail included.
    pub(super) async fn expect_all(&self, world: &World, flow: Flow, before: &(Picture, String), place: &str) {
        let is_changed = self.picture(world).await != before.0 || self.newcomer_exists(world).await;
        assert!(is_changed, "{flow:?}, {place}: nothing has happened");
        world.deliver().await;
        assert_eq!(world.inbox.mails().len(), flow.mails(), "{flow:?}, {place}");
    }

    /// Whether somebody has come into being, or waits for it, who didn't before.
    pub(super) async fn newcomer_exists(&self, world: &World) -> bool {
        let exists = async |email| world.handles[1].find_user_by_email(email).await.expect("an answer").is_some();
        let waits = world.handles[1].pendings_of(&self.newcomer).await.expect("an answer");
        let renewed = world.handles[1].pendings_of(&self.waiting.0).await.expect("an answer");
        let is_renewed = renewed.iter().all(|pending| pending.id != self.waiting.2);
        exists(&self.newcomer).await || exists(&self.waiting.0).await || !waits.is_empty() || is_renewed
    }

    pub(super) async fn before(&self, world: &World) -> (Picture, String) {
        (self.picture(world).await, self.account(world).await)
    }
}

fn role(name: &str) -> Role {
    Role::parse(name).expect("a role")
}
