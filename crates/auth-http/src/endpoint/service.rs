//! The profile `service`: signing up, signing in and refreshing in its manner.

use auth_core::Auth;
use auth_core::domain::Attributes;
use auth_core::flow::register::{self, Registered, Registration};
use auth_core::flow::sign_in::{self, Credentials};
use auth_core::flow::{refresh, second_step, verify_email};
use auth_core::settings::ExistingAddress;
use http::StatusCode;

use super::{Outcome, field};
use crate::bearer;
use crate::fields::{Optional, Required, fields};
use crate::idempotency;
use crate::identity::{self, Use};
use crate::mount::Mount;
use crate::openapi::Description;
use crate::problem::{Problem, ProblemCode};
use crate::reply::{self, Record, SecondStepInToken, Tokens, UserAndRecord};
use crate::request::Incoming;

fields! {
    /// What an account is made of.
    struct SignUp {
        /// What to call the user, without control characters.
        name: Optional<field::Name> = "name",
        /// Where mail goes, and what the user signs in with.
        email: Required<field::Email> = "email",
        /// Not a common one, not easy to guess, and not made of the user's own address or name.
        password: Required<field::NewPassword> = "password",
        /// A language tag (BCP 47): the language of mail.
        locale: Optional<field::Locale> = "locale",
    }
}

/// `{name?, email, password, locale?}` → 201 `{user, tokenId}`; concealed: 202 `{}`, always alike.
pub(super) async fn sign_up(auth: &Auth, request: &Incoming) -> Outcome {
    let SignUp { name, email, password, locale } = request.body()?;
    let registration = Registration { email, password, name, locale, attributes: Attributes::default() };
    Ok(match register::register(auth, registration, &request.context).await? {
        Registered::Created(user, token) => {
            let body = UserAndRecord { user: (&*user).into(), token_id: token.to_string() };
            reply::json(StatusCode::CREATED, &body)
        }
        Registered::Concealed => reply::json(StatusCode::ACCEPTED, &reply::Nothing {}),
    })
}

fields! {
    /// Address and password; and, where a second step was asked for, what takes it.
    struct SignInAtOnce {
        /// The account's address.
        email: Required<field::Email> = "email",
        /// The account's password.
        password: Required<field::Password> = "password",
        /// The six digits of the authenticator app or of the mail, or a recovery code.
        code: Optional<field::FactorCode> = "code",
        /// The challenge that the first call was answered with.
        token: Optional<field::OpaqueToken> = "token",
        /// Of an earlier sign-in from this client.
        device: Optional<field::OpaqueToken> = "deviceToken",
    }
}

/// `{email, password, deviceToken?}` → 200 *Authenticated*, or `{mfaRequired, token, methods, expiresIn}`; the same with
/// `{code, token}` → 200 *Authenticated*. The challenge stands for the password, which isn't looked at again.
pub(super) async fn sign_in(mount: &Mount, request: &Incoming) -> Outcome {
    let SignInAtOnce { email, password, code, token, device } = request.body()?;
    let (auth, context) = (&mount.auth, &request.context);
    let authenticated = match code {
        Some(code) => second_step::complete(auth, &token.unwrap_or_default(), None, &code, context).await?,
        None => match sign_in::sign_in(auth, Credentials { email, password, device }, context).await? {
            sign_in::SignIn::Complete(authenticated) => *authenticated,
            sign_in::SignIn::SecondStep(challenge) => {
                return Ok(reply::json(StatusCode::OK, &SecondStepInToken::from(&challenge)));
            }
            step => return Err(Problem::internal(format!("a step of signing in without a reply: {step:?}"))),
        },
    };
    Ok(reply::authenticated(mount, request, &authenticated))
}

fields! {
    /// Which address is to be verified; nothing for one's own.
    struct ResendVerification {
        /// The account's address.
        email: Optional<field::Email> = "email",
    }
}

/// `{email}`, or nothing when signed in → 202 `{tokenId}`, always alike.
pub(super) async fn resend(mount: &Mount, request: &Incoming) -> Outcome {
    let ResendVerification { email } = request.body()?;
    let email = match email {
        Some(email) => email,
        None => identity::authenticated(mount, &request.head, None, Use::Decide).await?.user.email.clone(),
    };
    let id = verify_email::request(&mount.auth, &email, &request.context).await?;
    Ok(reply::json(StatusCode::ACCEPTED, &Record::from(id)))
}

fields! {
    /// The refresh token, where it isn't the bearer.
    struct RefreshByBearer {
        /// The latest refresh token of the session.
        token: Optional<field::OpaqueToken> = "refreshToken",
    }
}

/// `{refreshToken}`, whatever the bearer is, or the refresh token as bearer → 200 *Authenticated*.
pub(super) async fn refresh(mount: &Mount, request: &Incoming) -> Outcome {
    let RefreshByBearer { token } = request.body()?;
    let token = token.or_else(|| bearer::token(&request.head.headers).map(str::to_owned));
    let token = token.ok_or_else(Problem::unauthorized)?;
    let authenticated = refresh::refresh(&mount.auth, &token, &request.context).await?;
    Ok(reply::authenticated(mount, request, &authenticated))
}

pub(super) fn sign_up_description(mount: &Mount) -> Description {
    let details = "A mail is on its way, whose code and link prove the address. With an `Idempotency-Key` a repeated request \
                   happens once, and is answered as the first was. For guests.";
    let description = idempotency::describe(Description::new("Make an account", details))
        .body::<SignUp>()
        .problems([ProblemCode::Forbidden]);
    match mount.auth.settings().existing_address {
        ExistingAddress::Conflict => description
            .reply::<UserAndRecord>(StatusCode::CREATED, "The account, its address not verified yet.")
            .problems([ProblemCode::Conflict]),
        ExistingAddress::Conceal => description
            .reply::<reply::Nothing>(StatusCode::ACCEPTED, "Always alike, whether or not the address has an account."),
    }
}

pub(super) fn sign_in_description() -> Description {
    let details = "Starts a session with address and password. Where a second step is asked for, the first call is answered \
                   with a `token`, and the second repeats it with `code` and `token`. For guests.";
    Description::new("Sign in", details)
        .body::<SignInAtOnce>()
        .one_of::<Tokens, SecondStepInToken>(StatusCode::OK, "New credentials, or a challenge.")
        .problems([
            ProblemCode::Unauthorized,
            ProblemCode::CodeInvalid,
            ProblemCode::Forbidden,
            ProblemCode::EmailNotVerified,
        ])
}

pub(super) fn resend_description() -> Description {
    let details =
        "Mails a code and a link to the address, or to that of whoever is signed in, if there is anything to prove.";
    Description::new("Ask for a verification mail", details)
        .takes_credential()
        .body::<ResendVerification>()
        .reply::<Record>(StatusCode::ACCEPTED, "Always alike, whether or not the address has an account.")
        .problems([ProblemCode::Unauthorized])
}

pub(super) fn refresh_description(mount: &Mount) -> Description {
    let details = "The refresh token is the bearer, or stands in the body beside an access token that may have expired. Each is \
                   good for one exchange.";
    Description::new("Exchange the refresh token", details)
        .takes_credential()
        .body::<RefreshByBearer>()
        .authenticated(mount)
        .problems([ProblemCode::Unauthorized])
}
