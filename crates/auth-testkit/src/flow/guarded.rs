//! Somebody with second factors.

use std::time::Duration;

use auth_core::Auth;
use auth_core::domain::{MailKind, RecoveryCode, SecondStep, Signed, User};
use auth_core::flow::factors::{self, Switch};
use auth_core::flow::second_step::{self, Challenge, SecondStepError};
use auth_core::flow::session::Authenticated;
use auth_core::flow::sign_in::{Credentials, SignIn, sign_in};

use super::World;
use super::world::{PASSWORD, context, password};
use crate::Authenticator;

/// Somebody with second factors, signed in just now.
pub(super) struct Guarded {
    pub(super) user: User,
    /// Their session, from before a factor was on.
    pub(super) session: Authenticated,
    /// What was shown with the first factor.
    pub(super) recovery: Vec<RecoveryCode>,
    pub(super) app: Authenticator,
}

impl Guarded {
    pub(super) fn signed(&self) -> Signed {
        Signed { session: self.session.session.clone(), user: self.user.clone() }
    }

    /// What the app shows now.
    pub(super) fn code(&self, world: &World) -> String {
        self.app.code(world.clock_now())
    }
}

impl World {
    /// Somebody whose authenticator app is on. The step in which it was switched on is over.
    pub(super) async fn with_totp(&self) -> Guarded {
        let user = self.register().await;
        let session = self.sign_in(&user).await;
        let (auth, signed) = (self.auth(), Signed { session: session.session.clone(), user: user.clone() });
        let enrolment = factors::enrol_totp(auth, &signed, &context(1)).await.expect("enrolled");
        let app = Authenticator::scanned(&enrolment.uri());
        let code = app.code(self.clock_now());
        let codes = factors::confirm_totp(auth, &signed, &code, &context(1)).await.expect("confirmed");
        self.clock.advance(STEP);
        let recovery = codes.expect("recovery codes with the first factor").0;
        Guarded { user: self.reread(&user).await, session, recovery, app }
    }

    /// Somebody whose second factor by mail is on.
    pub(super) async fn with_email_factor(&self) -> Guarded {
        let user = self.register().await;
        let session = self.sign_in(&user).await;
        let (auth, signed) = (self.auth(), Signed { session: session.session.clone(), user: user.clone() });
        factors::request_email(auth, &signed, Switch::On, &context(1)).await.expect("a code");
        let code = self.second_factor_code(&user).await;
        let codes = factors::confirm_email(auth, &signed, Switch::On, &code, None, &context(1)).await;
        let recovery = codes.expect("confirmed").expect("recovery codes with the first factor").0;
        let app = Authenticator::typed("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        Guarded { user: self.reread(&user).await, session, recovery, app }
    }

    /// The user, as they are now.
    pub(super) async fn reread(&self, user: &User) -> User {
        self.handles[1].find_user(user.id).await.expect("an answer").expect("the user").user
    }

    /// The last mailed code of a second factor.
    pub(super) async fn second_factor_code(&self, user: &User) -> String {
        self.deliver().await;
        self.inbox.code(&user.email, MailKind::SecondFactor)
    }

    /// Signs in with the right password as far as the second step.
    pub(super) async fn challenge(&self, user: &User) -> Challenge {
        challenge_on(self.auth(), user).await
    }

    /// Takes the second step on the first node.
    pub(super) async fn second_step(
        &self,
        challenge: &Challenge,
        step: Option<SecondStep>,
        code: &str,
    ) -> Result<Authenticated, SecondStepError> {
        second_step::complete(self.auth(), &challenge.secret.expose(), step, code, &context(1)).await
    }
}

/// Signs in with the right password as far as the second step.
pub(super) async fn challenge_on(auth: &Auth, user: &User) -> Challenge {
    let credentials = Credentials { email: user.email.clone(), password: password(PASSWORD), device: None };
    match sign_in(auth, credentials, &context(1)).await.expect("a right password") {
        SignIn::SecondStep(challenge) => challenge,
        other => panic!("no second step: {other:?}"),
    }
}

/// A time step of authenticator apps.
pub(super) const STEP: Duration = Duration::from_secs(30);

/// A code that isn't that one.
pub(super) fn another(code: &str) -> &'static str {
    if code == "000000" { "000001" } else { "000000" }
}
