//! Reading users.

use async_trait::async_trait;
use auth_core::domain::{Account, Email, Epoch, PasswordHash, Profile, Role, Status, User, UserId};
use auth_core::port::{StoreError, Users};
use sqlx::Row as _;

use super::row::{Fields, unreadable};
use super::{Row, Store, sql, store_error};

/// What [`user`] reads, of `auth_users u`.
macro_rules! user_columns {
    () => {
        "u.id, u.email, u.email_canonical, u.email_verified_at, u.name, u.image_url, u.phone_number, u.locale, u.status, u.epoch, \
         u.created_at"
    };
}
pub(super) use user_columns;

/// Brings the roles of `auth_users u`: a row for each, and one for a user without any.
macro_rules! join_roles {
    () => {
        " left join auth_user_roles r on r.user_id = u.id "
    };
}
pub(super) use join_roles;

const BY_ID: &str = concat!(
    "select ",
    user_columns!(),
    ", u.password_hash, r.role from auth_users u",
    join_roles!(),
    "where u.id = $1"
);

const BY_EMAIL: &str = concat!(
    "select ",
    user_columns!(),
    ", u.password_hash, r.role from auth_users u",
    join_roles!(),
    "where u.email_canonical = $1"
);

#[async_trait]
impl Users for Store {
    async fn find_user(&self, id: UserId) -> Result<Option<Account>, StoreError> {
        account(&self.rows(|| sql(BY_ID).bind(id.as_uuid())).await?)
    }

    async fn find_user_by_email(&self, email: &Email) -> Result<Option<Account>, StoreError> {
        account(&self.rows(|| sql(BY_EMAIL).bind(email.canonical())).await?)
    }
}

fn account(rows: &[Row]) -> Result<Option<Account>, StoreError> {
    let Some(row) = rows.first() else { return Ok(None) };
    let mut fields = Fields::of(row);
    let user = user(&mut fields, rows)?;
    let password = fields.take::<Option<&str>>()?.map(PasswordHash::from_phc);
    Ok(Some(Account { user, password }))
}

/// The user of `rows`, which differ in their last column only: a role each.
pub(super) fn user(fields: &mut Fields<'_>, rows: &[Row]) -> Result<User, StoreError> {
    Ok(User {
        id: fields.id()?,
        email: fields.email()?,
        email_verified_at: fields.maybe_time()?,
        profile: Profile {
            name: fields.take()?,
            image_url: fields.take()?,
            phone_number: fields.take()?,
            locale: fields.take()?,
        },
        status: fields.parsed("status", Status::parse)?,
        epoch: Epoch::from_number(fields.number("epoch")?),
        created_at: fields.time()?,
        roles: roles(rows)?,
    })
}

fn roles(rows: &[Row]) -> Result<Vec<Role>, StoreError> {
    let mut roles = Vec::with_capacity(rows.len());
    for row in rows {
        if let Some(name) = row.try_get::<Option<&str>, _>(row.len() - 1).map_err(store_error)? {
            roles.push(Role::parse(name).ok_or_else(|| unreadable("role"))?);
        }
    }
    roles.sort_unstable();
    Ok(roles)
}
