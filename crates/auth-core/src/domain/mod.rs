//! Values that cannot be wrong: what exists has been parsed.

mod attributes;
mod audit;
mod code;
mod device;
mod email;
mod factor;
mod id;
mod mail;
mod password;
mod pending;
pub mod profile;
mod secret;
mod session;
mod signing_key;
mod time;
mod token;
mod user;

pub use attributes::{Attributes, InvalidAttribute};
pub use audit::{AuditEvent, AuditKind, Context, escape};
pub use code::Code;
pub use device::device_name;
pub use email::{Email, InvalidEmail};
pub use factor::{Factor, Factors, FirstStep, RecoveryCode, SecondStep, TotpSecret};
pub use id::{DeviceId, EventId, FactorId, LeaseId, MailId, SessionId, TokenId, UserId};
pub use mail::{Backlog, Content, LeasedMail, Link, Mail, MailKind, MailRecord, MailState, Notice, SealedMail};
pub use password::{InvalidPassword, Password, PasswordHash, UnusableHash};
pub use pending::Pending;
pub use secret::{Digest, KeyId, Mac, Sealed, Secret};
pub use session::{Credential, FRESH, Method, Methods, RefreshState, Session, SessionKey, Signed};
pub use signing_key::{PepperCheck, SigningKey};
pub use time::Timestamp;
pub use token::{Budget, Issued, Purpose, Subject, Token};
pub use user::{Account, Epoch, Profile, ProfileEdit, Role, Status, User};
