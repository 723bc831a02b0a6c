//! Reading users.

use async_trait::async_trait;
use auth_core::domain::{Account, Email, Epoch, PasswordHash, Profile, Role, Status, User, UserId};
use auth_core::port::{StoreError, UserQuery, Users};
use auth_store::read;
use auth_store::search::containing;
use sqlx::Row as _;
use uuid::Uuid;

use super::parts::Parts;
use super::row::{Fields, failed};
use super::{Row, Statement, Store, sql, store_error};

/// The epoch of `auth_users u`: the user's own and everybody's.
macro_rules! epoch {
    () => {
        "(u.epoch + (select epoch from auth_epoch))"
    };
}
pub(super) use epoch;

/// What [`user`] reads, of `auth_users u`.
macro_rules! user_columns {
    () => {
        concat!(
            "u.id, u.email, u.email_canonical, u.email_verified_at, u.name, u.image_url, u.phone_number, u.locale, u.status, ",
            epoch!(),
            ", u.roles_version, u.factors, u.attributes, u.created_at"
        )
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

    async fn users(&self, query: &UserQuery) -> Result<Vec<User>, StoreError> {
        let rows = self.rows(|| newest(query)).await?;
        let id = |row: &Row| row.try_get::<Uuid, _>(0).ok();
        let of_one = rows.chunk_by(|row, next| id(row) == id(next));
        of_one.map(|rows| user(&mut Fields::of(&rows[0]), rows)).collect()
    }
}

/// One query with all their roles: the limit is on users, not on rows.
fn newest(query: &UserQuery) -> Statement {
    const USERS: &str = concat!("select ", user_columns!(), ", r.role from (select * from auth_users where true");
    let users = Parts::of(USERS).with_any(" and id < ", query.before.map(UserId::as_uuid));
    let users = match &query.search {
        Some(text) => users.with(" and email_canonical like ", &*containing(text)).then(" escape '!'"),
        None => users,
    };
    let users = users.with(" order by id desc limit ", query.limit);
    users.then(concat!(") as u", join_roles!(), "order by u.id desc")).statement()
}

fn account(rows: &[Row]) -> Result<Option<Account>, StoreError> {
    let Some(row) = rows.first() else { return Ok(None) };
    let mut fields = Fields::of(row);
    let user = user(&mut fields, rows)?;
    let password = fields.take::<Option<&str>>()?.map(PasswordHash::from_stored);
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
        roles_version: fields.number("version of roles")?,
        factors: fields.factors()?,
        attributes: fields.attributes()?,
        created_at: fields.time()?,
        roles: roles(rows)?,
    })
}

fn roles(rows: &[Row]) -> Result<Vec<Role>, StoreError> {
    let mut roles = Vec::with_capacity(rows.len());
    for row in rows {
        if let Some(name) = row.try_get::<Option<&str>, _>(row.len() - 1).map_err(store_error)? {
            roles.push(read::role(name).map_err(failed)?);
        }
    }
    roles.sort_unstable();
    Ok(roles)
}
