//! Second factors.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

/// `{email, totp, recoveryCodesLeft}`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FactorsOn {
    /// Whether a sign-in asks for a mailed code.
    pub(crate) email: bool,
    /// Whether it asks for a code of an authenticator app.
    pub(crate) totp: bool,
    /// Recovery codes that are not spent.
    pub(crate) recovery_codes_left: usize,
}

/// `{recoveryCodes}`, or `{}`.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SwitchedOn {
    /// Shown this once, with the first factor only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) recovery_codes: Option<Vec<String>>,
}

/// `{recoveryCodes}`.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RecoveryCodesOnly {
    /// Shown this once.
    pub(crate) recovery_codes: Vec<String>,
}

/// What an authenticator app is to be given.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TotpEnrolment {
    /// In base32, to type in.
    pub(crate) secret: String,
    /// The same as an address.
    pub(crate) otpauth_uri: String,
    /// The address as a picture, to be scanned.
    pub(crate) qr_svg: String,
}

macro_rules! doesnt_print {
    ($($name:ident),*) => {
        $(impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        })*
    };
}
doesnt_print!(SwitchedOn, RecoveryCodesOnly, TotpEnrolment);
