//! What each purpose of a one-time token allows: one table for all.

use std::time::Duration;

use crate::domain::{Budget, Purpose};
use crate::settings::{hours, minutes};

/// The terms of one purpose.
pub(crate) struct Terms {
    /// How long the link lives; `None` where there is no link.
    pub(crate) link: Option<Duration>,
    /// How long the code lives; `None` where there is no code.
    pub(crate) code: Option<Duration>,
    /// The page that the link opens; empty where none is mailed.
    pub(crate) page: &'static str,
}

impl Purpose {
    /// The figures of the documentation; codes within ASVS 6.6.3, links within 6.4.x.
    pub(crate) const fn terms(self) -> Terms {
        let (link, code, page) = match self {
            Self::VerifyEmail => (Some(hours(24)), Some(hours(24)), "verify-email"),
            Self::ResetPassword => (Some(hours(1)), Some(minutes(10)), "reset-password"),
            Self::ChangeEmail => (Some(hours(24)), Some(minutes(10)), "confirm-email"),
            Self::UndoEmail => (Some(hours(24)), None, "undo-email"),
            // The challenge itself: its secret is handed to the client.
            Self::SecondStep => (Some(minutes(15)), Some(minutes(10)), ""),
            Self::EnableEmailFactor | Self::DisableEmailFactor | Self::Reauthenticate | Self::ChangePassword => {
                (None, Some(minutes(10)), "")
            }
            Self::ReportSession => (Some(hours(24)), None, "report-session"),
        };
        Terms { link, code, page }
    }

    /// What attempts at its codes are charged to in the store; `None` where there is no code, or where somebody has to be signed
    /// in, or to know the password, to try one: the throttle counts those by account.
    pub(crate) const fn budget(self) -> Option<Budget> {
        match self {
            Self::VerifyEmail => Some(Budget::VerifyCode),
            Self::ResetPassword => Some(Budget::ResetCode),
            Self::ChangeEmail => Some(Budget::ChangeCode),
            _ => None,
        }
    }
}

/// Attempts at one code, and at one challenge (ASVS 6.6.3).
pub(crate) const CODE_ATTEMPTS: u32 = 5;
/// Failed codes per account and purpose, over all codes: 5 an hour and 10 a day.
pub(crate) const CODE_BUDGETS: [(u32, Duration); 2] = [(5, hours(1)), (10, hours(24))];
/// Records of one purpose that live at once: a stranger's request must not kill the owner's mail.
pub(crate) const LIVE_RECORDS: u32 = 3;
/// Challenges that live at once.
pub(crate) const LIVE_CHALLENGES: u32 = 20;
