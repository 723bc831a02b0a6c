//! `GET /mfa` and what is below it.

use auth_core::Auth;
use auth_core::domain::Factor;
use auth_core::flow::factors::{self, RecoveryCodes, Switch};
use http::StatusCode;
use qrcode::render::svg;
use qrcode::{EcLevel, QrCode};

use super::{Outcome, field};
use crate::fields::{Required, fields};
use crate::openapi::Description;
use crate::problem::{Problem, ProblemCode};
use crate::reply::{self, FactorsOn, Nothing, RecoveryCodesOnly, SwitchedOn, TotpEnrolment};
use crate::request::Incoming;

fields! {
    /// What shows that a factor works.
    struct ConfirmFactor {
        /// The six digits.
        code: Required<field::Code> = "code",
    }
}

/// → 200 `{email, totp, recoveryCodesLeft}`.
pub(super) async fn show(auth: &Auth, request: &Incoming) -> Outcome {
    let overview = factors::overview(auth, &request.signed()?.user).await?;
    let body = FactorsOn {
        email: overview.factors.contains(Factor::Email),
        totp: overview.factors.contains(Factor::Totp),
        recovery_codes_left: overview.recovery_codes_left,
    };
    Ok(reply::json(StatusCode::OK, &body))
}

/// → 202 `{}`: a code is mailed.
pub(super) async fn request_email(auth: &Auth, request: &Incoming) -> Outcome {
    factors::request_email(auth, request.signed()?, Switch::On, &request.context).await?;
    Ok(reply::json(StatusCode::ACCEPTED, &Nothing {}))
}

/// `{code}` → 200 `{recoveryCodes}` with the first factor, else `{}`.
pub(super) async fn confirm_email(auth: &Auth, request: &Incoming) -> Outcome {
    let ConfirmFactor { code } = request.body()?;
    let signed = request.signed()?;
    let codes = factors::confirm_email(auth, signed, Switch::On, &code, None, &request.context).await?;
    Ok(switched(codes.as_ref()))
}

/// → 200 `{secret, otpauthUri, qrSvg}`.
pub(super) async fn enrol_totp(auth: &Auth, request: &Incoming) -> Outcome {
    let enrolment = factors::enrol_totp(auth, request.signed()?, &request.context).await?;
    let uri = enrolment.uri();
    let qr_svg = picture(&uri).ok_or_else(|| Problem::internal("an address that makes no QR code"))?;
    let body = TotpEnrolment { secret: enrolment.key.to_base32(), otpauth_uri: uri, qr_svg };
    Ok(reply::json(StatusCode::OK, &body))
}

/// `{code}` → 200 as above.
pub(super) async fn confirm_totp(auth: &Auth, request: &Incoming) -> Outcome {
    let ConfirmFactor { code } = request.body()?;
    let codes = factors::confirm_totp(auth, request.signed()?, &code, &request.context).await?;
    Ok(switched(codes.as_ref()))
}

/// → 204.
pub(super) async fn drop(auth: &Auth, factor: Factor, request: &Incoming) -> Outcome {
    factors::switch_off(auth, request.signed()?, factor, &request.context).await?;
    Ok(reply::no_content())
}

/// → 200 `{recoveryCodes}`.
pub(super) async fn renew_recovery_codes(auth: &Auth, request: &Incoming) -> Outcome {
    let codes = factors::renew_recovery_codes(auth, request.signed()?, &request.context).await?;
    Ok(reply::json(StatusCode::OK, &RecoveryCodesOnly { recovery_codes: texts(&codes) }))
}

/// What is said of a switch.
pub(super) fn switched(codes: Option<&RecoveryCodes>) -> http::Response<bytes::Bytes> {
    reply::json(StatusCode::OK, &SwitchedOn { recovery_codes: codes.map(texts) })
}

fn texts(codes: &RecoveryCodes) -> Vec<String> {
    codes.0.iter().map(auth_core::domain::RecoveryCode::expose).collect()
}

/// A QR code (ISO/IEC 18004) as a picture that scales: black on white with the margin that scanners need, without a script or
/// a style.
fn picture(text: &str) -> Option<String> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    let picture = code.render::<svg::Color<'_>>().min_dimensions(200, 200).build();
    // It goes into a page of the client's, where a declaration in front would be wrong.
    Some(picture.split_once("?>").map_or(picture.clone(), |(_, svg)| svg.trim_start().to_owned()))
}

pub(super) fn show_description() -> Description {
    Description::new(
        "Show second factors",
        "Which second factors a sign-in asks for, and how many recovery codes are left.",
    )
    .reply::<FactorsOn>(StatusCode::OK, "The factors.")
}

pub(super) fn request_email_description() -> Description {
    Description::new(
        "Ask for a code that switches mail on",
        "Mails a code to the account's address. Wants a fresh session.",
    )
    .reply::<Nothing>(StatusCode::ACCEPTED, "It is on its way.")
    .problems([ProblemCode::Forbidden])
}

pub(super) fn confirm_email_description() -> Description {
    let details = "From now on a sign-in asks for a mailed code. The first factor comes with recovery codes. Wants a fresh \
                   session.";
    switches_on(Description::new("Switch mail on", details))
}

pub(super) fn drop_email_description() -> Description {
    switches_off(Description::new(
        "Switch mail off",
        "Wants a fresh session. With the last factor the recovery codes go.",
    ))
}

pub(super) fn enrol_totp_description() -> Description {
    let details = "Makes a secret for an authenticator app (RFC 6238: SHA-1, six digits, 30 seconds). It does nothing until it \
                   is confirmed, within an hour. Wants a fresh session.";
    Description::new("Enrol an authenticator app", details)
        .reply::<TotpEnrolment>(StatusCode::OK, "The secret, shown this once.")
        .problems([ProblemCode::Forbidden])
}

pub(super) fn confirm_totp_description() -> Description {
    let details = "From now on a sign-in asks for a code of the app, in place of an app before. The first factor comes with \
                   recovery codes. Wants a fresh session.";
    switches_on(Description::new("Switch the authenticator app on", details))
}

pub(super) fn drop_totp_description() -> Description {
    let details = "Wants a fresh session. With the last factor the recovery codes go.";
    switches_off(Description::new("Switch the authenticator app off", details))
}

pub(super) fn renew_recovery_codes_description() -> Description {
    Description::new(
        "Make new recovery codes",
        "Those before are dead. Wants a fresh session, and a factor that is on.",
    )
    .reply::<RecoveryCodesOnly>(StatusCode::OK, "The codes, shown this once.")
    .problems([ProblemCode::Forbidden])
}

fn switches_on(description: Description) -> Description {
    description
        .body::<ConfirmFactor>()
        .reply::<SwitchedOn>(StatusCode::OK, "The factor is on.")
        .problems([ProblemCode::TokenInvalid, ProblemCode::Forbidden])
}

fn switches_off(description: Description) -> Description {
    description.no_content("The factor is off.").problems([ProblemCode::Forbidden, ProblemCode::NotFound])
}
