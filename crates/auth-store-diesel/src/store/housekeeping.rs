//! What the store does on its own account.

use async_trait::async_trait;
use auth_core::domain::{LeaseId, Timestamp};
use auth_core::port::{Housekeeping, StoreError};
use diesel::dsl::max;
use diesel::{QueryDsl as _, QueryResult};
use diesel_async::RunQueryDsl;
use futures_util::FutureExt as _;

use super::dialect::{Connection, writes};
use super::{Id, Parts, Store, auth_schema_version};

async fn run(statement: Option<Parts>, connection: &mut Connection) -> QueryResult<usize> {
    match statement {
        Some(statement) => statement.execute(connection).await,
        None => Ok(0),
    }
}

#[async_trait]
impl Housekeeping for Store {
    async fn ping(&self) -> Result<(), StoreError> {
        let query = || auth_schema_version::table.select(max(auth_schema_version::version));
        self.rows::<Option<i64>, _>(query).await.map(drop)
    }

    async fn missing_migrations(&self) -> Result<Vec<String>, StoreError> {
        Ok(self.check_schema().await?.iter().map(ToString::to_string).collect())
    }

    async fn sweep(&self, now: Timestamp, mail_before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let (now, mail_before, limit) = (now.as_micros(), mail_before.as_micros(), i64::from(limit));
        let mut gone = 0;
        // Each by itself: what one deletes needs no other.
        for i in 0..writes::sweep(now, mail_before, limit).len() {
            let statement = move || writes::sweep(now, mail_before, limit).into_iter().nth(i);
            gone += self.execute(move |connection| run(statement(), connection).boxed()).await?;
        }
        Ok(u64::try_from(gone).unwrap_or(u64::MAX))
    }

    async fn acquire(&self, name: &str, holder: LeaseId, now: Timestamp, until: Timestamp) -> Result<bool, StoreError> {
        let (name, holder) = (name.to_owned(), Id(holder.as_uuid()));
        let (now, until) = (now.as_micros(), until.as_micros());
        self.execute(move |connection| writes::acquire(connection, name.clone(), holder, now, until).boxed()).await
    }
}
