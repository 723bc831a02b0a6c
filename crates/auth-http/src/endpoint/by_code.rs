//! What is asked for and confirmed under one name: without a code one is mailed, with it the thing is done.

use auth_core::Auth;
use auth_core::domain::Code;
use auth_core::flow::change_email::{self, ChangeProof};
use auth_core::flow::factors::{self, FactorError, Switch};
use auth_core::flow::proof::Proof;
use auth_core::flow::{change_password, reset_password};
use http::StatusCode;

use super::proof::record;
use super::{Outcome, field};
use crate::fields::{Optional, Required, fields};
use crate::mount::Mount;
use crate::openapi::Description;
use crate::problem::{FieldError, Problem, ProblemCode};
use crate::reply::{self, Record, Switched, SwitchedOn, UserOnly};
use crate::request::Incoming;

fields! {
    /// Nothing, to be mailed a code; or what the mail said.
    enum SwitchFactor {
        Confirm {
            /// The six digits in the mail.
            code: Required<field::Code> = "code",
            /// The record that the code belongs to, as the first reply named it.
            token: Optional<field::RecordId> = "token",
        },
        Ask {},
    }
}

/// `{}` → 202 `{token}`; `{code, token}` → 200 `{recoveryCodes}` with the first factor, else `{}`.
pub(super) async fn switch_email_factor(auth: &Auth, to: Switch, request: &Incoming) -> Outcome {
    let (signed, context) = (request.signed()?, &request.context);
    match request.body()? {
        SwitchFactor::Ask {} => {
            let token = factors::request_email(auth, signed, to, context).await?.to_string();
            Ok(reply::json(StatusCode::ACCEPTED, &Switched { token }))
        }
        SwitchFactor::Confirm { code, token } => {
            let confirmed = factors::confirm_email(auth, signed, to, &code, record(token)?, context).await;
            let codes = confirmed.map_err(|error| match error {
                // What isn't on has no code that switches it off.
                FactorError::NotOn => Problem::token_invalid(),
                error => error.into(),
            })?;
            Ok(super::factors::switched(codes.as_ref()))
        }
    }
}

fields! {
    /// What a mail said; nothing, to be mailed one.
    enum Mailed {
        Confirm {
            /// The six digits in the mail.
            code: Required<field::Code> = "code",
            /// The record that the code belongs to, as the first reply named it.
            record: Optional<field::RecordId> = "tokenId",
        },
        Ask {},
    }
}

fields! {
    /// What a mail said, with the new password; nothing, to be mailed one.
    enum MailedForPassword {
        Confirm {
            /// The password that counts from now on.
            password: Required<field::NewPassword> = "password",
            /// The six digits in the mail.
            code: Required<field::Code> = "code",
            /// The record that the code belongs to, as the first reply named it.
            record: Optional<field::RecordId> = "tokenId",
        },
        Ask {},
    }
}

fields! {
    /// Where the account is to move; and what the mail there said.
    struct MoveByCode {
        /// The new address.
        email: Required<field::Email> = "email",
        ..mailed: Mailed,
    }
}

/// `{email}` → 202 `{tokenId}`; `{email, tokenId, code}` → 200 `{user}`.
pub(super) async fn change_email(auth: &Auth, request: &Incoming) -> Outcome {
    let MoveByCode { email, mailed } = request.body()?;
    let (signed, context) = (request.signed()?, &request.context);
    let Mailed::Confirm { code, record: named } = mailed else {
        let id = change_email::request(auth, signed, &email, context).await?;
        return Ok(reply::json(StatusCode::ACCEPTED, &Record::from(id)));
    };
    let (code, record) = (Code::parse(&code).ok_or_else(Problem::token_invalid)?, record(named)?);
    let user = change_email::confirm(auth, ChangeProof::Code(signed, &code, record), context).await?;
    Ok(reply::json(StatusCode::OK, &UserOnly { user: (&user).into() }))
}

fields! {
    /// One's own address, to be mailed a code; and what the mail said, with the new password.
    struct ChangePasswordByCode {
        /// The account's address.
        email: Required<field::Email> = "email",
        ..mailed: MailedForPassword,
    }
}

/// `{email}` → 202 `{tokenId}`; `{email, password, tokenId, code}` → 200 *Authenticated*.
pub(super) async fn change_password(mount: &Mount, request: &Incoming) -> Outcome {
    let ChangePasswordByCode { email, mailed } = request.body()?;
    let (auth, signed, context) = (&mount.auth, request.signed()?, &request.context);
    if email != signed.user.email {
        let error = FieldError::new("email", "INVALID", "must be the account's own address");
        return Err(Problem::invalid_fields(vec![error]));
    }
    let MailedForPassword::Confirm { password, code, record: named } = mailed else {
        let id = change_password::request_code(auth, signed, context).await?;
        return Ok(reply::json(StatusCode::ACCEPTED, &Record::from(id)));
    };
    let changed = change_password::change_with_code(auth, signed, &code, record(named)?, &password, context).await;
    let authenticated = changed.map_err(|error| Problem::from(error).about("newPassword", "password"))?;
    Ok(reply::authenticated(mount, request, &authenticated))
}

fields! {
    /// Whose password is to be reset; and what the mail said, with the new password.
    struct ResetByCode {
        /// The account's address.
        email: Required<field::Email> = "email",
        ..mailed: MailedForPassword,
    }
}

/// `{email}` → 202 `{tokenId}`, always alike; `{email, password, tokenId, code}` → 204.
pub(super) async fn reset_password(auth: &Auth, request: &Incoming) -> Outcome {
    let ResetByCode { email, mailed } = request.body()?;
    let MailedForPassword::Confirm { password, code, record: named } = mailed else {
        let id = reset_password::request(auth, &email, &request.context).await?;
        return Ok(reply::json(StatusCode::ACCEPTED, &Record::from(id)));
    };
    let (code, record) = (Code::parse(&code).ok_or_else(Problem::token_invalid)?, record(named)?);
    reset_password::confirm(auth, &Proof::Code { email, code, record }, &password, &request.context).await?;
    Ok(reply::no_content())
}

pub(super) fn switch_on_description() -> Description {
    let details = "Without a body, mails a code. With it, a sign-in asks for a mailed code from now on; the first factor comes \
                   with recovery codes. Wants a fresh session.";
    switches(Description::new("Switch mail on", details))
}

pub(super) fn switch_off_description() -> Description {
    let details = "Without a body, mails a code. With it, a sign-in asks for no mailed code any more; with the last factor the \
                   recovery codes go. Wants a fresh session.";
    switches(Description::new("Switch mail off", details)).problems([ProblemCode::NotFound])
}

fn switches(description: Description) -> Description {
    description
        .body::<SwitchFactor>()
        .reply::<Switched>(StatusCode::ACCEPTED, "The code is on its way.")
        .reply::<SwitchedOn>(StatusCode::OK, "It is done.")
        .problems([ProblemCode::TokenInvalid, ProblemCode::Forbidden])
}

pub(super) fn change_email_description() -> Description {
    let details = "With the address alone, mails a code there, and a notice with a link that undoes it to the old one. With the \
                   code, moves the account. Wants a fresh session.";
    Description::new("Move the account", details)
        .body::<MoveByCode>()
        .reply::<Record>(StatusCode::ACCEPTED, "Alike for an address that has an account.")
        .reply::<UserOnly>(StatusCode::OK, "The user, with the new address.")
        .problems([ProblemCode::TokenInvalid, ProblemCode::Forbidden])
}

pub(super) fn change_password_description(mount: &Mount) -> Description {
    let details = "With one's address alone, mails a code there. With the code, sets the password: all other sessions end, and \
                   this one goes on under a new credential.";
    Description::new("Change the password by code", details)
        .body::<ChangePasswordByCode>()
        .reply::<Record>(StatusCode::ACCEPTED, "The code is on its way.")
        .authenticated(mount)
        .problems([ProblemCode::TokenInvalid])
}

pub(super) fn reset_password_description() -> Description {
    let details = "With the address alone, mails a code there, if it has an account. With the code, sets the password, and ends \
                   every session.";
    Description::new("Reset a password by code", details)
        .body::<ResetByCode>()
        .reply::<Record>(StatusCode::ACCEPTED, "Always alike, whether or not the address has an account.")
        .no_content("The password is set.")
        .problems([ProblemCode::TokenInvalid])
}
