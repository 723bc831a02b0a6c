//! A profile for each user: a table of the application's own.

use async_trait::async_trait;
use diesel::{ExpressionMethods as _, QueryDsl as _};
use diesel_async::{RunQueryDsl as _, SimpleAsyncConnection as _};
use portcullis::diesel::postgres::{Connection, Participant, Pool, Refusal};
use portcullis::domain::User;
use portcullis::port::Change;
use portcullis::rocket::CurrentUser;
use rocket::http::Status;
use rocket::serde::json::Json;
use rocket::{State, get, put};
use serde::{Deserialize, Serialize};

use schema::profiles;

/// As diesel has it: a module of its own, since what the macro makes has no documentation.
mod schema {
    diesel::table! {
        profiles (user_id) {
            user_id -> Uuid,
            nickname -> Text,
        }
    }
}

/// Writes the profile of each new user. Where that fails, there is no user either.
#[derive(Debug)]
pub struct Profiles;

#[async_trait]
impl Participant for Profiles {
    async fn take_part(&self, changes: &[Change], connection: &mut Connection) -> Result<(), Refusal> {
        for change in changes {
            if let Change::CreateUser { user, .. } = change {
                diesel::insert_into(profiles::table)
                    .values((profiles::user_id.eq(user.id.as_uuid()), profiles::nickname.eq(nickname(user))))
                    .execute(connection)
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
pub async fn migrate(pool: &Pool) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let table = "create table if not exists profiles (
        user_id uuid not null primary key references auth_users (id) on delete cascade,
        nickname text not null)";
    Ok(pool.get().await?.batch_execute(table).await?)
}

/// What people see of each other.
#[derive(Debug, Serialize, Deserialize)]
pub struct Profile {
    nickname: String,
}

/// One's own.
#[get("/profile")]
pub(crate) async fn show(user: CurrentUser, pool: &State<Pool>) -> Result<Json<Profile>, Status> {
    let theirs = profiles::table.find(user.id.as_uuid()).select(profiles::nickname);
    let mut connection = pool.get().await.map_err(|_| Status::ServiceUnavailable)?;
    let nickname = theirs.first(&mut connection).await.map_err(|_| Status::InternalServerError)?;
    Ok(Json(Profile { nickname }))
}

/// Another nickname.
#[put("/profile", data = "<profile>")]
pub(crate) async fn edit(user: CurrentUser, pool: &State<Pool>, profile: Json<Profile>) -> Result<Status, Status> {
    let theirs = profiles::table.find(user.id.as_uuid());
    let edit = diesel::update(theirs).set(profiles::nickname.eq(profile.into_inner().nickname));
    let mut connection = pool.get().await.map_err(|_| Status::ServiceUnavailable)?;
    edit.execute(&mut connection).await.map_err(|_| Status::InternalServerError)?;
    Ok(Status::NoContent)
}
