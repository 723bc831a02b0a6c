//! Reading users.

use async_trait::async_trait;
use auth_core::domain::{Account, Email, Epoch, PasswordHash, Profile, Role, Status, Timestamp, User, UserId};
use auth_core::port::{StoreError, UserQuery, Users};
use auth_store::search::containing;
use diesel::dsl::{AsSelect, AssumeNotNull, Select, SingleValue, SqlTypeOf};
use diesel::prelude::{ExpressionMethods as _, NullableExpressionMethods as _, QueryDsl as _, Queryable, Selectable};
use diesel::{EscapeExpressionMethods as _, SelectableHelper as _, TextExpressionMethods as _};

use super::dialect::Db;
use super::row::{self, number, parsed};
use super::{Id, Parts, Store, auth_epoch, auth_user_roles, auth_users};

/// A user, without password and roles.
#[derive(Queryable, Selectable)]
#[diesel(table_name = auth_users, check_for_backend(Db))]
pub(super) struct UserRow {
    id: Id,
    email: String,
    email_canonical: String,
    email_verified_at: Option<i64>,
    name: Option<String>,
    image_url: Option<String>,
    phone_number: Option<String>,
    locale: Option<String>,
    status: String,
    epoch: i64,
    roles_version: i64,
    factors: String,
    attributes: String,
    created_at: i64,
}

/// A user, everybody's epoch, and one of the user's roles, of users joined with those: a row for each role, and one for a
/// user without any.
#[derive(Queryable, Selectable)]
#[diesel(table_name = auth_users, check_for_backend(Db))]
pub(super) struct UserAndRole {
    #[diesel(embed)]
    user: UserRow,
    #[diesel(select_expression = common_epoch(), select_expression_type = CommonEpoch)]
    common_epoch: i64,
    #[diesel(select_expression = auth_user_roles::role.nullable(), select_expression_type = MaybeRole)]
    role: Option<String>,
}

type MaybeRole = diesel::dsl::Nullable<auth_user_roles::role>;

pub(super) type CommonEpoch = AssumeNotNull<SingleValue<Select<auth_epoch::table, auth_epoch::epoch>>>;

/// Everybody's epoch. A user's is this and their own.
pub(super) fn common_epoch() -> CommonEpoch {
    // There is one row, always.
    auth_epoch::table.select(auth_epoch::epoch).single_value().assume_not_null()
}

#[async_trait]
impl Users for Store {
    async fn find_user(&self, id: UserId) -> Result<Option<Account>, StoreError> {
        let query = || {
            auth_users::table
                .left_join(auth_user_roles::table)
                .filter(auth_users::id.eq(Id(id.as_uuid())))
                .select((UserAndRole::as_select(), auth_users::password_hash))
        };
        account(self.rows(query).await?)
    }

    async fn find_user_by_email(&self, email: &Email) -> Result<Option<Account>, StoreError> {
        let query = || {
            auth_users::table
                .left_join(auth_user_roles::table)
                .filter(auth_users::email_canonical.eq(email.canonical().to_owned()))
                .select((UserAndRole::as_select(), auth_users::password_hash))
        };
        account(self.rows(query).await?)
    }

    async fn users(&self, query: &UserQuery) -> Result<Vec<User>, StoreError> {
        let mut users = Vec::new();
        let mut rows = self.list(|| newest(query)).await?.into_iter().peekable();
        while let Some(first) = rows.next() {
            let id = first.user.id;
            let others = std::iter::from_fn(|| rows.next_if(|next| next.user.id == id));
            users.push(user(first, others)?);
        }
        Ok(users)
    }
}

/// One query with all their roles: the limit is on users, not on rows. diesel selects from no subquery, so the frame is
/// ours; it goes by the table's name, which the columns are qualified with.
fn newest(query: &UserQuery) -> Parts<SqlTypeOf<AsSelect<UserAndRole, Db>>> {
    let mut users = auth_users::table.select(auth_users::all_columns).into_boxed::<Db>();
    if let Some(before) = query.before {
        users = users.filter(auth_users::id.lt(Id(before.as_uuid())));
    }
    if let Some(text) = &query.search {
        users = users.filter(auth_users::email_canonical.like(containing(text)).escape('!'));
    }
    let users = users.order(auth_users::id.desc()).limit(query.limit.into());
    Parts::of("select ")
        .query(UserAndRole::as_select())
        .sql(" from (")
        .query(users)
        .sql(") as auth_users left join auth_user_roles on auth_user_roles.user_id = auth_users.id ")
        .sql("order by auth_users.id desc")
}

fn account(rows: Vec<(UserAndRole, Option<String>)>) -> Result<Option<Account>, StoreError> {
    let mut rows = rows.into_iter();
    let Some((first, password)) = rows.next() else { return Ok(None) };
    let user = user(first, rows.map(|(row, _)| row))?;
    Ok(Some(Account { user, password: password.map(PasswordHash::from_stored) }))
}

/// The user of rows that differ in their role only.
pub(super) fn user(first: UserAndRole, others: impl Iterator<Item = UserAndRole>) -> Result<User, StoreError> {
    let UserAndRole { user: row, common_epoch, role } = first;
    Ok(User {
        id: UserId::from(row.id.0),
        email: Email::from_stored(row.email, row.email_canonical),
        email_verified_at: row::maybe_time(row.email_verified_at),
        profile: Profile {
            name: row.name,
            image_url: row.image_url,
            phone_number: row.phone_number,
            locale: row.locale,
        },
        status: parsed(Status::parse(&row.status), "status")?,
        epoch: Epoch::from_number(number(row.epoch.saturating_add(common_epoch), "epoch")?),
        roles_version: number(row.roles_version, "version of roles")?,
        factors: row::factors(&row.factors)?,
        attributes: row::attributes(&row.attributes)?,
        created_at: Timestamp::from_micros(row.created_at),
        roles: sorted([role].into_iter().chain(others.map(|row| row.role)))?,
    })
}

fn sorted(names: impl Iterator<Item = Option<String>>) -> Result<Vec<Role>, StoreError> {
    let mut roles: Vec<Role> = names.flatten().map(|name| row::role(&name)).collect::<Result<_, _>>()?;
    roles.sort_unstable();
    Ok(roles)
}
