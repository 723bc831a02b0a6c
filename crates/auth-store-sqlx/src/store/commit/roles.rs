//! Statements about who holds which role.

use async_trait::async_trait;
use auth_core::domain::{Role, UserId};
use auth_store::commit::{Hold, RoleStatements};
use sqlx::Row as _;

use super::super::{dialect, sql};
use super::Tx;

#[async_trait]
impl RoleStatements for Tx<'_> {
    async fn is_active_holder(&mut self, user: UserId, role: &Role) -> sqlx::Result<bool> {
        const HOLDS: &str = "
            select 1 from auth_users u join auth_user_roles r on r.user_id = u.id
            where u.id = $1 and u.status = 'active' and r.role = $2";
        self.finds(sql(HOLDS).bind(user.as_uuid()).bind(role.as_str())).await
    }

    async fn insert_holder(&mut self, user: UserId, role: &Role) -> sqlx::Result<Hold> {
        match dialect::writes::hold_role(self.0, user, role).await {
            // The role is there, so it is the user who isn't.
            Err(sqlx::Error::Database(error)) if error.is_foreign_key_violation() => Ok(Hold::NoUser),
            outcome => outcome.map(|rows| if rows == 1 { Hold::New } else { Hold::Unchanged }),
        }
    }

    async fn insert_role(&mut self, role: &Role) -> sqlx::Result<()> {
        self.run(sql(dialect::ADD_ROLE).bind(role.as_str())).await.map(drop)
    }

    async fn delete_holder(&mut self, user: UserId, role: &Role) -> sqlx::Result<u64> {
        const DELETE: &str = "delete from auth_user_roles where user_id = $1 and role = $2";
        self.run(sql(DELETE).bind(user.as_uuid()).bind(role.as_str())).await
    }

    async fn counted_roles(&mut self, user: UserId) -> sqlx::Result<Vec<String>> {
        const COUNTED: &str = "
            select r.name from auth_users u
            join auth_user_roles h on h.user_id = u.id join auth_roles r on r.name = h.role
            where u.id = $1 and u.status = 'active' and r.holders is not null order by r.name";
        let rows = sql(COUNTED).bind(user.as_uuid()).fetch_all(&mut *self.0).await?;
        rows.iter().map(|row| row.try_get(0)).collect()
    }

    async fn count_holder_in(&mut self, role: &str) -> sqlx::Result<u64> {
        self.run(sql("update auth_roles set holders = holders + 1 where name = $1").bind(role)).await
    }

    async fn count_holder_out(&mut self, role: &str) -> sqlx::Result<u64> {
        self.run(sql("update auth_roles set holders = holders - 1 where name = $1 and holders > 1").bind(role)).await
    }

    async fn advance_roles_version(&mut self, user: UserId) -> sqlx::Result<u64> {
        const ADVANCE: &str = "update auth_users set roles_version = roles_version + 1 where id = $1";
        self.run(sql(ADVANCE).bind(user.as_uuid())).await
    }
}
