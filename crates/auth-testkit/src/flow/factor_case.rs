//! What users do with second factors, each ready to be done.

use auth_core::domain::{Factor, MailKind, Secret, Signed, User};
use auth_core::flow::factors::{self, Switch};
use auth_core::flow::sign_in::{Credentials, sign_in};
use auth_core::flow::{change_password, reauthenticate, report_session, second_step};

use super::World;
use super::guarded::{Guarded, STEP};
use super::world::{OTHER, PASSWORD, context, password};
use crate::Authenticator;

/// What users do with second factors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FactorFlow {
    Challenge,
    CompleteByApp,
    CompleteByRecoveryCode,
    Resend,
    RequestEmail,
    ConfirmEmail,
    EnrolTotp,
    ConfirmTotp,
    SwitchOff,
    RenewRecoveryCodes,
    RequestReauthentication,
    Reauthenticate,
    RequestPasswordCode,
    ChangePasswordByCode,
    ReportSession,
}

impl FactorFlow {
    /// An attempt is committed before a code is compared: those flows have a commit before the one that counts.
    pub(super) const fn is_one_commit(self) -> bool {
        !matches!(
            self,
            Self::CompleteByApp | Self::CompleteByRecoveryCode | Self::ConfirmEmail | Self::ChangePasswordByCode
        )
    }

    /// How many mails it causes.
    pub(super) const fn mails(self) -> usize {
        match self {
            // That a code was used, and that a new device has signed in.
            Self::CompleteByRecoveryCode => 2,
            Self::CompleteByApp
            | Self::RequestEmail
            | Self::ConfirmEmail
            | Self::ConfirmTotp
            | Self::SwitchOff
            | Self::RenewRecoveryCodes
            | Self::RequestPasswordCode
            | Self::ChangePasswordByCode
            | Self::ReportSession => 1,
            // An app has nothing to mail.
            Self::Challenge | Self::Resend | Self::EnrolTotp | Self::RequestReauthentication | Self::Reauthenticate => {
                0
            }
        }
    }
}

/// Somebody whose authenticator app is on, half-way through everything that can be done then.
pub(super) struct FactorCase {
    owner: Guarded,
    /// Somebody without an app, to whom codes are mailed that stand in for the password.
    other: Guarded,
    /// Of a sign-in whose second step is to be taken.
    challenge: String,
    /// What the mail says that switches the second factor by mail on.
    email_code: String,
    /// What the mail says that stands in for the password.
    password_code: String,
    /// Another app, enrolled.
    next_app: Authenticator,
    /// Of a mail about a new device.
    report: Secret,
}

impl FactorCase {
    pub(super) async fn prepare(world: &World) -> Self {
        let (auth, owner) = (world.auth(), world.with_totp().await);
        let signed = owner.signed();
        let stranger = world.challenge(&owner.user).await;
        world.second_step(&stranger, None, &owner.code(world)).await.expect("a new device");
        world.clock.advance(STEP);
        let challenge = world.challenge(&owner.user).await.secret.expose();
        let other = world.with_email_factor().await;
        change_password::request_code(auth, &other.signed(), &context(1)).await.expect("a code");
        factors::request_email(auth, &signed, Switch::On, &context(1)).await.expect("a code");
        let next = factors::enrol_totp(auth, &signed, &context(1)).await.expect("enrolled");
        world.deliver().await;
        let code = |kind| world.inbox.code(&owner.user.email, kind);
        Self {
            challenge,
            email_code: code(MailKind::SecondFactor),
            password_code: world.inbox.code(&other.user.email, MailKind::Reauthenticate),
            next_app: Authenticator::scanned(&next.uri()),
            report: Secret::parse(&world.inbox.token(&owner.user.email, MailKind::NewDevice)).expect("a token"),
            owner,
            other,
        }
    }

    /// Whom that flow is about.
    pub(super) const fn user(&self, flow: FactorFlow) -> &User {
        match flow {
            FactorFlow::RequestPasswordCode | FactorFlow::ChangePasswordByCode => &self.other.user,
            _ => &self.owner.user,
        }
    }

    pub(super) async fn run(&self, world: &World, flow: FactorFlow) -> Result<(), String> {
        let (auth, client, now) = (world.auth(), &context(9), world.clock_now());
        let signed: &Signed = &self.owner.signed();
        let code = self.owner.app.code(now);
        let text = |error: &dyn std::fmt::Debug| format!("{error:?}");
        match flow {
            FactorFlow::Challenge => {
                let email = self.owner.user.email.clone();
                let credentials = Credentials { email, password: password(PASSWORD), device: None };
                sign_in(auth, credentials, client).await.map(drop).map_err(|error| text(&error))
            }
            FactorFlow::CompleteByApp => {
                let outcome = second_step::complete(auth, &self.challenge, None, &code, client).await;
                outcome.map(drop).map_err(|error| text(&error))
            }
            FactorFlow::CompleteByRecoveryCode => {
                let code = self.owner.recovery[0].expose();
                let outcome = second_step::complete(auth, &self.challenge, None, &code, client).await;
                outcome.map(drop).map_err(|error| text(&error))
            }
            FactorFlow::Resend => {
                second_step::resend(auth, &self.challenge, client).await.map_err(|error| text(&error))
            }
            FactorFlow::RequestEmail => {
                let outcome = factors::request_email(auth, signed, Switch::On, client).await;
                outcome.map(|_| ()).map_err(|error| text(&error))
            }
            FactorFlow::ConfirmEmail => {
                let outcome = factors::confirm_email(auth, signed, Switch::On, &self.email_code, None, client).await;
                outcome.map(drop).map_err(|error| text(&error))
            }
            FactorFlow::EnrolTotp => {
                factors::enrol_totp(auth, signed, client).await.map(drop).map_err(|error| text(&error))
            }
            FactorFlow::ConfirmTotp => {
                let code = self.next_app.code(now);
                factors::confirm_totp(auth, signed, &code, client).await.map(drop).map_err(|error| text(&error))
            }
            FactorFlow::SwitchOff => {
                factors::switch_off(auth, signed, Factor::Totp, client).await.map_err(|error| text(&error))
            }
            FactorFlow::RenewRecoveryCodes => {
                factors::renew_recovery_codes(auth, signed, client).await.map(drop).map_err(|error| text(&error))
            }
            FactorFlow::RequestReauthentication => {
                reauthenticate::request(auth, signed, client).await.map_err(|error| text(&error))
            }
            FactorFlow::Reauthenticate => {
                let outcome = reauthenticate::with_code(auth, signed, None, &code, client).await;
                outcome.map(drop).map_err(|error| text(&error))
            }
            FactorFlow::RequestPasswordCode => {
                let outcome = change_password::request_code(auth, &self.other.signed(), client).await;
                outcome.map(|_| ()).map_err(|error| text(&error))
            }
            FactorFlow::ChangePasswordByCode => {
                let (signed, code, new) = (&self.other.signed(), &self.password_code, password(OTHER));
                let outcome = change_password::change_with_code(auth, signed, code, None, &new, client).await;
                outcome.map(drop).map_err(|error| text(&error))
            }
            FactorFlow::ReportSession => {
                report_session::report(auth, &self.report, client).await.map_err(|error| text(&error))
            }
        }
    }
}
