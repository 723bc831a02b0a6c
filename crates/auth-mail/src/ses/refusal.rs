//! What a refusal by SES means for the mail.

use std::error::Error;

use auth_core::port::MailError;
use aws_sdk_sesv2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sesv2::operation::send_email::SendEmailError;

use crate::reason::reason;

/// Permanent only where SES refuses this very message, which `from` sends.
pub(super) fn judge(error: &SdkError<SendEmailError>, from: &str) -> MailError {
    let said = reason("SES", &words(error));
    match error.as_service_error() {
        Some(SendEmailError::MessageRejected(_) | SendEmailError::BadRequestException(_))
            if !is_about_us(error.message().unwrap_or_default(), from) =>
        {
            MailError::Permanent(said)
        }
        _ => MailError::Transient(said),
    }
}

/// Whether `message` is about whoever sends and how their account is set up.
///
/// One code covers both: `MessageRejected` also says "Email address is not verified. The following identities failed the
/// check in region …" and "Sending paused for this account."
fn is_about_us(message: &str, from: &str) -> bool {
    const OURS: [&str; 9] = [
        "verified",
        "authori",
        "account",
        "paused",
        "suspended",
        "disabled",
        "configuration set",
        "quota",
        "rate exceeded",
    ];
    let message = message.to_ascii_lowercase();
    OURS.iter().any(|word| message.contains(word)) || message.contains(&from.to_ascii_lowercase())
}

/// The refusal's status, code and message; without one, what went wrong, and all causes of that.
fn words(error: &SdkError<SendEmailError>) -> String {
    let status = error.raw_response().map(|response| format!("HTTP {} ", response.status().as_u16()));
    let said = match (error.code(), error.message()) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code.to_owned(),
        (None, _) => causes(error),
    };
    status.unwrap_or_default() + &said
}

fn causes(error: &dyn Error) -> String {
    let causes = std::iter::successors(Some(error), |error| (*error).source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
