//! Statements about users.

use async_trait::async_trait;
use auth_core::domain::{Attributes, Email, Epoch, PasswordHash, ProfileEdit, Status, Timestamp, User, UserId};
use auth_store::commit::{UserStatements, Written};
use diesel::dsl::case_when;
use diesel::prelude::{
    BoolExpressionMethods as _, ExpressionMethods as _, Insertable as _, IntoSql as _, QueryDsl as _,
};
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel_async::RunQueryDsl;

use super::super::dialect::{self, IdType};
use super::super::users::common_epoch;
use super::super::{Id, auth_audit_events, auth_epoch, auth_users};
use super::Tx;
use crate::error::Error;

#[async_trait]
impl UserStatements for Tx<'_> {
    /// Selected from the common epoch's one row, which the user's own is stored without.
    async fn insert_user(&mut self, user: &User, password: Option<&PasswordHash>) -> Result<Written, Error> {
        let (factors, attributes) = (user.factors.to_text(), user.attributes.to_text());
        let row = (
            Id(user.id.as_uuid()).into_sql::<IdType>(),
            user.email.as_str().into_sql::<Text>(),
            user.email.canonical().into_sql::<Text>(),
            user.email_verified_at.map(Timestamp::as_micros).into_sql::<Nullable<BigInt>>(),
            password.map(PasswordHash::as_str).into_sql::<Nullable<Text>>(),
            user.profile.name.as_deref().into_sql::<Nullable<Text>>(),
            user.profile.image_url.as_deref().into_sql::<Nullable<Text>>(),
            user.profile.phone_number.as_deref().into_sql::<Nullable<Text>>(),
            user.profile.locale.as_deref().into_sql::<Nullable<Text>>(),
            user.status.as_str().into_sql::<Text>(),
            auth_epoch::epoch * -1_i64 + i64::from(user.epoch.number()),
            i64::from(user.roles_version).into_sql::<BigInt>(),
            attributes.as_str().into_sql::<Text>(),
            user.created_at.as_micros().into_sql::<BigInt>(),
            factors.as_str().into_sql::<Text>(),
        );
        let insert = auth_epoch::table.select(row).insert_into(auth_users::table).into_columns(auth_users::all_columns);
        self.run_unless_taken(insert, dialect::EMAIL_TAKEN).await
    }

    async fn edit_profile(&mut self, user: UserId, edit: &ProfileEdit) -> Result<u64, Error> {
        let changes = (
            // So that there is always something to set: the row count says whether there is such a user.
            auth_users::status.eq(auth_users::status),
            edit.name.as_ref().map(|name| auth_users::name.eq(name.as_deref())),
            edit.image_url.as_ref().map(|url| auth_users::image_url.eq(url.as_deref())),
            edit.phone_number.as_ref().map(|number| auth_users::phone_number.eq(number.as_deref())),
            edit.locale.as_ref().map(|locale| auth_users::locale.eq(locale.as_deref())),
        );
        self.run(diesel::update(auth_users::table.find(Id(user.as_uuid()))).set(changes)).await
    }

    async fn verify_email(&mut self, user: UserId, email: &Email, at: Timestamp) -> Result<u64, Error> {
        let verified_at =
            case_when(auth_users::email_verified_at.is_null(), Some(at.as_micros()).into_sql::<Nullable<BigInt>>())
                .otherwise(auth_users::email_verified_at);
        let still =
            auth_users::table.find(Id(user.as_uuid())).filter(auth_users::email_canonical.eq(email.canonical()));
        self.run(diesel::update(still).set(auth_users::email_verified_at.eq(verified_at))).await
    }

    async fn change_email(&mut self, user: UserId, from: &Email, to: &Email, at: Timestamp) -> Result<Written, Error> {
        let still = auth_users::table.find(Id(user.as_uuid())).filter(auth_users::email_canonical.eq(from.canonical()));
        let change = diesel::update(still).set((
            auth_users::email.eq(to.as_str()),
            auth_users::email_canonical.eq(to.canonical()),
            auth_users::email_verified_at.eq(at.as_micros()),
        ));
        self.run_unless_taken(change, dialect::EMAIL_TAKEN).await
    }

    async fn set_password(&mut self, user: UserId, epoch: Epoch, password: &PasswordHash) -> Result<u64, Error> {
        let still = auth_users::table
            .find(Id(user.as_uuid()))
            .filter((auth_users::epoch + common_epoch()).eq(i64::from(epoch.number())));
        let set = diesel::update(still)
            .set((auth_users::password_hash.eq(password.as_str()), auth_users::epoch.eq(auth_users::epoch + 1_i64)));
        self.run(set).await
    }

    async fn rehash(&mut self, user: UserId, from: &PasswordHash, to: &PasswordHash) -> Result<u64, Error> {
        let still = auth_users::table.find(Id(user.as_uuid())).filter(auth_users::password_hash.eq(from.as_str()));
        self.run(diesel::update(still).set(auth_users::password_hash.eq(to.as_str()))).await
    }

    async fn set_attributes(&mut self, user: UserId, from: &Attributes, to: &Attributes) -> Result<u64, Error> {
        let still = auth_users::table.find(Id(user.as_uuid())).filter(auth_users::attributes.eq(from.to_text()));
        self.run(diesel::update(still).set(auth_users::attributes.eq(to.to_text()))).await
    }

    async fn set_status(&mut self, user: UserId, status: Status, epochs: u32) -> Result<u64, Error> {
        let other = auth_users::table.find(Id(user.as_uuid())).filter(auth_users::status.ne(status.as_str()));
        let set = diesel::update(other)
            .set((auth_users::status.eq(status.as_str()), auth_users::epoch.eq(auth_users::epoch + i64::from(epochs))));
        self.run(set).await
    }

    async fn delete_user(&mut self, user: UserId) -> Result<u64, Error> {
        self.run(diesel::delete(auth_users::table.find(Id(user.as_uuid())))).await
    }

    async fn pseudonymise(&mut self, user: UserId) -> Result<u64, Error> {
        let user = Id(user.as_uuid());
        let about_or_by = auth_audit_events::table
            .filter(auth_audit_events::subject_id.eq(user).or(auth_audit_events::actor_id.eq(user)));
        let forget = diesel::update(about_or_by).set((
            auth_audit_events::ip.eq(None::<&str>),
            auth_audit_events::user_agent.eq(None::<&str>),
            auth_audit_events::request_id.eq(None::<&str>),
            auth_audit_events::detail.eq("{}"),
        ));
        self.run(forget).await
    }

    async fn advance_epoch(&mut self, user: UserId) -> Result<u64, Error> {
        let user = auth_users::table.find(Id(user.as_uuid()));
        self.run(diesel::update(user).set(auth_users::epoch.eq(auth_users::epoch + 1_i64))).await
    }

    async fn advance_all_epochs(&mut self) -> Result<u64, Error> {
        self.run(diesel::update(auth_epoch::table).set(auth_epoch::epoch.eq(auth_epoch::epoch + 1_i64))).await
    }

    async fn is_unverified(&mut self, user: UserId, email: &Email) -> Result<bool, Error> {
        let unverified = auth_users::table
            .find(Id(user.as_uuid()))
            .filter(auth_users::email_canonical.eq(email.canonical()))
            .filter(auth_users::email_verified_at.is_null())
            .select(auth_users::id);
        Ok(!unverified.load::<Id>(self.0).await?.is_empty())
    }

    async fn has_user(&mut self, user: UserId, address: Option<&Email>) -> Result<bool, Error> {
        let user = auth_users::table.find(Id(user.as_uuid())).select(auth_users::email_canonical);
        let found: Vec<String> = user.load(self.0).await?;
        Ok(found.iter().any(|canonical| address.is_none_or(|address| address.canonical() == canonical)))
    }
}
