//! Statements about who holds which role.

use async_trait::async_trait;
use auth_core::domain::{Role, UserId};
use auth_store::commit::{Hold, RoleStatements};
use diesel::prelude::{ExpressionMethods as _, QueryDsl as _};
use diesel::result::{DatabaseErrorKind, Error as QueryError};
use diesel_async::RunQueryDsl;

use super::super::dialect::writes;
use super::super::{Id, auth_roles, auth_user_roles, auth_users};
use super::Tx;
use crate::error::Error;

#[async_trait]
impl RoleStatements for Tx<'_> {
    async fn is_active_holder(&mut self, user: UserId, role: &Role) -> Result<bool, Error> {
        let held = auth_user_roles::table
            .inner_join(auth_users::table)
            .filter(auth_user_roles::user_id.eq(Id(user.as_uuid())))
            .filter(auth_user_roles::role.eq(role.as_str()))
            .filter(auth_users::status.eq("active"))
            .select(auth_users::id);
        Ok(!held.load::<Id>(self.0).await?.is_empty())
    }

    async fn insert_holder(&mut self, user: UserId, role: &Role) -> Result<Hold, Error> {
        match writes::hold_role(self.0, Id(user.as_uuid()), role.as_str()).await {
            Ok(1) => Ok(Hold::New),
            Ok(_) => Ok(Hold::Unchanged),
            // The role is there, so it is the user who isn't.
            Err(QueryError::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, _)) => Ok(Hold::NoUser),
            Err(error) => Err(error.into()),
        }
    }

    async fn insert_role(&mut self, role: &Role) -> Result<(), Error> {
        self.run(writes::role(role.as_str())).await.map(drop)
    }

    async fn delete_holder(&mut self, user: UserId, role: &Role) -> Result<u64, Error> {
        self.run(diesel::delete(auth_user_roles::table.find((Id(user.as_uuid()), role.as_str())))).await
    }

    async fn counted_roles(&mut self, user: UserId) -> Result<Vec<String>, Error> {
        let counted = auth_user_roles::table
            .inner_join(auth_users::table)
            .inner_join(auth_roles::table)
            .filter(auth_user_roles::user_id.eq(Id(user.as_uuid())))
            .filter(auth_users::status.eq("active"))
            .filter(auth_roles::holders.is_not_null())
            .order(auth_roles::name)
            .select(auth_roles::name);
        Ok(counted.load(self.0).await?)
    }

    async fn count_holder_in(&mut self, role: &str) -> Result<u64, Error> {
        let role = auth_roles::table.find(role);
        self.run(diesel::update(role).set(auth_roles::holders.eq(auth_roles::holders + 1_i64))).await
    }

    async fn count_holder_out(&mut self, role: &str) -> Result<u64, Error> {
        let role = auth_roles::table.find(role).filter(auth_roles::holders.gt(1));
        self.run(diesel::update(role).set(auth_roles::holders.eq(auth_roles::holders - 1_i64))).await
    }

    async fn advance_roles_version(&mut self, user: UserId) -> Result<u64, Error> {
        let user = auth_users::table.find(Id(user.as_uuid()));
        self.run(diesel::update(user).set(auth_users::roles_version.eq(auth_users::roles_version + 1_i64))).await
    }
}
