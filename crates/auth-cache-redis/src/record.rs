//! A session and its user as bytes.

use std::borrow::Cow;
use std::net::IpAddr;

use auth_core::domain::{
    Attributes, Credential, Digest, Email, Epoch, Factors, Methods, Profile, RefreshState, Role, Session, Signed,
    Status, Timestamp, User,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Names the form of the records below, in their keys: nodes of two versions, side by side, keep copies apart, and neither reads
/// what it doesn't know.
pub(crate) const FORM: &str = "1";

/// What there is of a session, as [postcard](https://postcard.jamesmunns.com/wire-format) writes it: fields in order, numbers as
/// short as they are.
#[derive(Serialize, Deserialize)]
struct Record<'a> {
    session: Uuid,
    user: Uuid,
    epoch: u32,
    roles_version: u32,
    credential: CredentialRecord,
    created_at: i64,
    authenticated_at: i64,
    last_seen_at: i64,
    idle_until: i64,
    ends_at: i64,
    kept_until: i64,
    methods: Cow<'a, str>,
    device: Uuid,
    ip: Option<IpAddr>,
    user_agent: Option<Cow<'a, str>>,
    closed_at: Option<i64>,
    email: Cow<'a, str>,
    /// `None` where it is as typed.
    canonical: Option<Cow<'a, str>>,
    email_verified_at: Option<i64>,
    name: Option<Cow<'a, str>>,
    image_url: Option<Cow<'a, str>>,
    phone_number: Option<Cow<'a, str>>,
    locale: Option<Cow<'a, str>>,
    is_active: bool,
    user_epoch: u32,
    roles: Vec<Cow<'a, str>>,
    user_roles_version: u32,
    factors: Cow<'a, str>,
    /// `None` where there are none.
    attributes: Option<Cow<'a, str>>,
    user_created_at: i64,
}

#[derive(Serialize, Deserialize)]
enum CredentialRecord {
    Tokens { salt: [u8; 16], counter: u32, rotated_at: i64 },
    Cookie([u8; 32]),
}

/// For Redis to keep; `None` where it can't be written, which nothing that there is can't.
pub(crate) fn write(signed: &Signed) -> Option<Vec<u8>> {
    let Signed { session, user } = signed;
    let micros = |at: Timestamp| at.as_micros();
    let record = Record {
        session: session.id.as_uuid(),
        user: user.id.as_uuid(),
        epoch: session.epoch.number(),
        roles_version: session.roles_version,
        credential: match session.credential {
            Credential::Tokens(RefreshState { salt, counter, rotated_at }) => {
                CredentialRecord::Tokens { salt, counter, rotated_at: rotated_at.as_micros() }
            }
            Credential::Cookie(digest) => CredentialRecord::Cookie(*digest.as_bytes()),
        },
        created_at: session.created_at.as_micros(),
        authenticated_at: session.authenticated_at.as_micros(),
        last_seen_at: session.last_seen_at.as_micros(),
        idle_until: session.idle_until.as_micros(),
        ends_at: session.ends_at.as_micros(),
        kept_until: session.kept_until.as_micros(),
        methods: session.methods.to_text().into(),
        device: session.device.as_uuid(),
        ip: session.ip,
        user_agent: session.user_agent.as_deref().map(Cow::Borrowed),
        closed_at: session.closed_at.map(micros),
        email: user.email.as_str().into(),
        canonical: (user.email.as_str() != user.email.canonical()).then(|| user.email.canonical().into()),
        email_verified_at: user.email_verified_at.map(micros),
        name: user.profile.name.as_deref().map(Cow::Borrowed),
        image_url: user.profile.image_url.as_deref().map(Cow::Borrowed),
        phone_number: user.profile.phone_number.as_deref().map(Cow::Borrowed),
        locale: user.profile.locale.as_deref().map(Cow::Borrowed),
        is_active: user.status == Status::Active,
        user_epoch: user.epoch.number(),
        roles: user.roles.iter().map(|role| role.as_str().into()).collect(),
        user_roles_version: user.roles_version,
        factors: user.factors.to_text().into(),
        attributes: user.attributes.iter().next().map(|_| user.attributes.to_text().into()),
        user_created_at: user.created_at.as_micros(),
    };
    postcard::to_allocvec(&record).ok()
}

/// What Redis kept; `None` where it can't be read, or isn't that whole: the store is asked then.
pub(crate) fn read(bytes: &[u8]) -> Option<Signed> {
    let (record, rest) = postcard::take_from_bytes::<Record<'_>>(bytes).ok()?;
    if !rest.is_empty() {
        return None;
    }
    let at = Timestamp::from_micros;
    let text = |text: Option<Cow<'_, str>>| text.map(Cow::into_owned);
    let user = User {
        id: record.user.into(),
        email: Email::from_stored(&*record.email, record.canonical.as_deref().unwrap_or(&record.email)),
        email_verified_at: record.email_verified_at.map(at),
        profile: Profile {
            name: text(record.name),
            image_url: text(record.image_url),
            phone_number: text(record.phone_number),
            locale: text(record.locale),
        },
        status: if record.is_active { Status::Active } else { Status::Suspended },
        epoch: Epoch::from_number(record.user_epoch),
        roles: record.roles.iter().map(|role| Role::parse(role)).collect::<Option<_>>()?,
        roles_version: record.user_roles_version,
        factors: Factors::from_text(&record.factors)?,
        attributes: match &record.attributes {
            Some(attributes) => Attributes::from_stored(attributes).ok()?,
            None => Attributes::default(),
        },
        created_at: at(record.user_created_at),
    };
    let session = Session {
        id: record.session.into(),
        user: user.id,
        epoch: Epoch::from_number(record.epoch),
        roles_version: record.roles_version,
        credential: match record.credential {
            CredentialRecord::Tokens { salt, counter, rotated_at } => {
                Credential::Tokens(RefreshState { salt, counter, rotated_at: at(rotated_at) })
            }
            CredentialRecord::Cookie(digest) => Credential::Cookie(Digest::from_bytes(digest)),
        },
        created_at: at(record.created_at),
        authenticated_at: at(record.authenticated_at),
        last_seen_at: at(record.last_seen_at),
        idle_until: at(record.idle_until),
        ends_at: at(record.ends_at),
        kept_until: at(record.kept_until),
        methods: Methods::from_text(&record.methods),
        device: record.device.into(),
        ip: record.ip,
        user_agent: record.user_agent.map(Cow::into_owned),
        closed_at: record.closed_at.map(at),
    };
    Some(Signed { session, user })
}

#[cfg(test)]
mod tests {
    use auth_testkit::given;

    use super::*;

    /// What is damaged is no session, however it is damaged; and nothing panics over it.
    #[test]
    fn damaged_records_are_none() {
        let user = given::user();
        let whole = write(&Signed { session: given::session(&user), user }).unwrap();
        assert!(read(&whole).is_some());
        for length in 0..whole.len() {
            assert!(read(&whole[..length]).is_none(), "{length} of {} bytes", whole.len());
        }
        assert!(read(&[&whole[..], b"x"].concat()).is_none());
        for place in 0..whole.len() {
            let mut other = whole.clone();
            other[place] ^= 0xff;
            read(&other);
        }
    }
}
