//! Users and their sessions.

use auth_core::domain::{self, device_name};
use schemars::JsonSchema;
use serde::Serialize;

/// A user, as that user sees it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// A UUID.
    #[schemars(extend("format" = "uuid"))]
    pub id: String,
    /// The address, as typed.
    #[schemars(extend("format" = "email"))]
    pub email: String,
    /// Whether the address is proved.
    pub email_verified: bool,
    /// What to call the user.
    pub name: Option<String>,
    /// A picture.
    #[schemars(extend("format" = "uri"))]
    pub image_url: Option<String>,
    /// In E.164 form.
    pub phone_number: Option<String>,
    /// A language tag.
    pub locale: Option<String>,
    /// `active` or `suspended`.
    #[schemars(extend("enum" = ["active", "suspended"]))]
    pub status: &'static str,
    /// Roles held.
    pub roles: Vec<String>,
    /// Whether the user has switched a second factor on.
    pub mfa_enabled: bool,
    /// RFC 3339, UTC.
    #[schemars(extend("format" = "date-time"))]
    pub created_at: String,
}

impl From<&domain::User> for User {
    fn from(user: &domain::User) -> Self {
        Self {
            id: user.id.to_string(),
            email: user.email.as_str().to_owned(),
            email_verified: user.email_verified_at.is_some(),
            name: user.profile.name.clone(),
            image_url: user.profile.image_url.clone(),
            phone_number: user.profile.phone_number.clone(),
            locale: user.profile.locale.clone(),
            status: user.status.as_str(),
            roles: user.roles.iter().map(|role| role.as_str().to_owned()).collect(),
            mfa_enabled: !user.factors.is_empty(),
            created_at: user.created_at.to_rfc3339(),
        }
    }
}

/// A session, as its user sees it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// A UUID: a handle, no credential.
    #[schemars(extend("format" = "uuid"))]
    pub id: String,
    /// Whether it is the one that asks.
    pub current: bool,
    /// RFC 3339, UTC.
    #[schemars(extend("format" = "date-time"))]
    pub created_at: String,
    /// RFC 3339, UTC; true to the minute.
    #[schemars(extend("format" = "date-time"))]
    pub last_seen_at: String,
    /// When it ends if nobody uses it: the earlier of both deadlines. RFC 3339, UTC.
    #[schemars(extend("format" = "date-time"))]
    pub expires_at: String,
    /// The address that signed in.
    pub ip: Option<String>,
    /// The `User-Agent` that signed in.
    pub user_agent: Option<String>,
    /// A readable name of it: `Firefox on Linux`.
    pub device: Option<String>,
}

impl Session {
    /// `session`, as seen from the session `current`.
    pub fn of(session: &domain::Session, current: domain::SessionId) -> Self {
        Self {
            id: session.id.to_string(),
            current: session.id == current,
            created_at: session.created_at.to_rfc3339(),
            last_seen_at: session.last_seen_at.to_rfc3339(),
            expires_at: session.idle_until.min(session.ends_at).to_rfc3339(),
            ip: session.ip.map(|ip| ip.to_string()),
            user_agent: session.user_agent.clone(),
            device: session
                .user_agent
                .as_deref()
                .map(|agent| device_name(agent).unwrap_or("Unknown device".to_owned())),
        }
    }
}
