//! Statements about users.

use async_trait::async_trait;
use auth_core::domain::{Attributes, Email, Epoch, PasswordHash, ProfileEdit, Status, Timestamp, User, UserId};
use auth_store::commit::{UserStatements, Written};

use super::super::users::epoch;
use super::super::{dialect, sql};
use super::Tx;

#[async_trait]
impl UserStatements for Tx<'_> {
    async fn insert_user(&mut self, user: &User, password: Option<&PasswordHash>) -> sqlx::Result<Written> {
        const INSERT: &str = "
            insert into auth_users (id, email, email_canonical, email_verified_at, password_hash, name, image_url,
                phone_number, locale, status, epoch, roles_version, factors, attributes, created_at)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11 - (select epoch from auth_epoch), $12, $13, $14, $15)";
        let query = sql(INSERT)
            .bind(user.id.as_uuid())
            .bind(user.email.as_str())
            .bind(user.email.canonical())
            .bind(user.email_verified_at.map(Timestamp::as_micros))
            .bind(password.map(PasswordHash::as_str))
            .bind(user.profile.name.as_deref())
            .bind(user.profile.image_url.as_deref())
            .bind(user.profile.phone_number.as_deref())
            .bind(user.profile.locale.as_deref())
            .bind(user.status.as_str())
            .bind(i64::from(user.epoch.number()))
            .bind(i64::from(user.roles_version))
            .bind(user.factors.to_text())
            .bind(user.attributes.to_text())
            .bind(user.created_at.as_micros());
        self.run_unless_taken(query, dialect::EMAIL_TAKEN).await
    }

    async fn edit_profile(&mut self, user: UserId, edit: &ProfileEdit) -> sqlx::Result<u64> {
        const EDIT: &str = "
            update auth_users set
                name = case when $1 then $2 else name end,
                image_url = case when $3 then $4 else image_url end,
                phone_number = case when $5 then $6 else phone_number end,
                locale = case when $7 then $8 else locale end
            where id = $9";
        let mut query = sql(EDIT);
        for field in [&edit.name, &edit.image_url, &edit.phone_number, &edit.locale] {
            query = query.bind(field.is_some()).bind(field.as_ref().and_then(Option::as_deref));
        }
        self.run(query.bind(user.as_uuid())).await
    }

    async fn verify_email(&mut self, user: UserId, email: &Email, at: Timestamp) -> sqlx::Result<u64> {
        const VERIFY: &str = "
            update auth_users set email_verified_at = coalesce(email_verified_at, $1)
            where id = $2 and email_canonical = $3";
        self.run(sql(VERIFY).bind(at.as_micros()).bind(user.as_uuid()).bind(email.canonical())).await
    }

    async fn change_email(&mut self, user: UserId, from: &Email, to: &Email, at: Timestamp) -> sqlx::Result<Written> {
        const CHANGE: &str = "
            update auth_users set email = $1, email_canonical = $2, email_verified_at = $3
            where id = $4 and email_canonical = $5";
        let query = sql(CHANGE)
            .bind(to.as_str())
            .bind(to.canonical())
            .bind(at.as_micros())
            .bind(user.as_uuid())
            .bind(from.canonical());
        self.run_unless_taken(query, dialect::EMAIL_TAKEN).await
    }

    async fn set_password(&mut self, user: UserId, epoch: Epoch, password: &PasswordHash) -> sqlx::Result<u64> {
        const SET: &str = concat!(
            "update auth_users as u set password_hash = $1, epoch = epoch + 1 where u.id = $2 and ",
            epoch!(),
            " = $3"
        );
        self.run(sql(SET).bind(password.as_str()).bind(user.as_uuid()).bind(i64::from(epoch.number()))).await
    }

    async fn rehash(&mut self, user: UserId, from: &PasswordHash, to: &PasswordHash) -> sqlx::Result<u64> {
        const SET: &str = "update auth_users set password_hash = $1 where id = $2 and password_hash = $3";
        self.run(sql(SET).bind(to.as_str()).bind(user.as_uuid()).bind(from.as_str())).await
    }

    async fn set_attributes(&mut self, user: UserId, from: &Attributes, to: &Attributes) -> sqlx::Result<u64> {
        const SET: &str = "update auth_users set attributes = $1 where id = $2 and attributes = $3";
        self.run(sql(SET).bind(to.to_text()).bind(user.as_uuid()).bind(from.to_text())).await
    }

    async fn set_status(&mut self, user: UserId, status: Status, epochs: u32) -> sqlx::Result<u64> {
        const SET: &str = "update auth_users set status = $1, epoch = epoch + $2 where id = $3 and status <> $4";
        let query = sql(SET).bind(status.as_str()).bind(i64::from(epochs)).bind(user.as_uuid());
        self.run(query.bind(status.as_str())).await
    }

    async fn delete_user(&mut self, user: UserId) -> sqlx::Result<u64> {
        self.run(sql("delete from auth_users where id = $1").bind(user.as_uuid())).await
    }

    async fn pseudonymise(&mut self, user: UserId) -> sqlx::Result<u64> {
        const FORGET: &str = "
            update auth_audit_events set ip = null, user_agent = null, request_id = null, detail = '{}'
            where subject_id = $1 or actor_id = $2";
        self.run(sql(FORGET).bind(user.as_uuid()).bind(user.as_uuid())).await
    }

    async fn advance_epoch(&mut self, user: UserId) -> sqlx::Result<u64> {
        self.run(sql("update auth_users set epoch = epoch + 1 where id = $1").bind(user.as_uuid())).await
    }

    async fn advance_all_epochs(&mut self) -> sqlx::Result<u64> {
        self.run(sql("update auth_epoch set epoch = epoch + 1")).await
    }

    async fn is_unverified(&mut self, user: UserId, email: &Email) -> sqlx::Result<bool> {
        const IS: &str =
            "select 1 from auth_users where id = $1 and email_canonical = $2 and email_verified_at is null";
        self.finds(sql(IS).bind(user.as_uuid()).bind(email.canonical())).await
    }

    async fn has_user(&mut self, user: UserId, address: Option<&Email>) -> sqlx::Result<bool> {
        const HAS: &str = "select 1 from auth_users where id = $1 and email_canonical = coalesce($2, email_canonical)";
        self.finds(sql(HAS).bind(user.as_uuid()).bind(address.map(Email::canonical))).await
    }
}
