//! A profile for each user: a table of the application's own, written in the transaction that makes the user.

use async_trait::async_trait;
use portcullis::domain::{User, UserId};
use portcullis::port::Change;
use portcullis::sqlx::sqlite::{Connection, Participant, Refusal};
use sqlx::SqlitePool;

/// Writes the profile of each new user. Where that fails, there is no user either.
#[derive(Debug)]
pub struct Profiles;

#[async_trait]
impl Participant for Profiles {
    async fn take_part(&self, changes: &[Change], connection: &mut Connection) -> Result<(), Refusal> {
        for change in changes {
            if let Change::CreateUser { user, .. } = change {
                sqlx::query("insert into profiles (user_id, nickname) values ($1, $2)")
                    .bind(user.id.as_uuid())
                    .bind(nickname(user))
                    .execute(&mut *connection)
                    .await?;
            }
        }
        Ok(())
    }
}

/// What to begin with: the name, else what stands before the `@`.
fn nickname(user: &User) -> &str {
    let before_at = user.email.as_str().split('@').next().unwrap_or_default();
    user.profile.name.as_deref().unwrap_or(before_at)
}

/// Makes the table. Its rows go with their users.
///
/// # Errors
/// What the database says.
pub async fn migrate(pool: &SqlitePool) -> sqlx::Result<()> {
    let table = "create table if not exists profiles (
        user_id blob not null primary key references auth_users (id) on delete cascade,
        nickname text not null)";
    sqlx::query(table).execute(pool).await.map(drop)
}

/// The user's nickname.
///
/// # Errors
/// What the database says.
pub async fn nickname_of(pool: &SqlitePool, user: UserId) -> sqlx::Result<String> {
    sqlx::query_scalar("select nickname from profiles where user_id = $1").bind(user.as_uuid()).fetch_one(pool).await
}
