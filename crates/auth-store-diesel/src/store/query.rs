//! Queries as values that can be asked again.

use diesel::QueryResult;
use diesel::deserialize::FromSqlRow;
use diesel::expression::QueryMetadata;
use diesel::query_builder::{AsQuery, AstPass, QueryFragment, QueryId};
use diesel::query_dsl::CompatibleType;
use diesel_async::RunQueryDsl;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::dialect::{Db, Reader};

/// A query whose rows are read as `U`s.
pub(crate) trait Select<U>: Send + 'static {
    /// All of them.
    fn all(self, reader: Reader<'_>) -> BoxFuture<'_, QueryResult<Vec<U>>>;
}

impl<Q, U, ST> Select<U> for Q
where
    Q: AsQuery + Send + 'static,
    Q::Query: QueryFragment<Db> + QueryId + Send + 'static,
    Q::SqlType: CompatibleType<U, Db, SqlType = ST>,
    U: FromSqlRow<ST, Db> + Send + 'static,
    Db: QueryMetadata<Q::SqlType>,
    ST: 'static,
{
    fn all(self, mut reader: Reader<'_>) -> BoxFuture<'_, QueryResult<Vec<U>>> {
        async move { RunQueryDsl::load(self, &mut reader).await }.boxed()
    }
}

/// A statement that is prepared once a connection, by its text.
///
/// diesel takes updates and upserts for statements whose text has no bounds, and prepares them anew each time: one more
/// round trip for each. Ours have few texts.
pub(crate) struct Prepared<Q>(pub(crate) Q);

impl<Q: QueryFragment<Db>> QueryFragment<Db> for Prepared<Q> {
    fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, Db>) -> QueryResult<()> {
        self.0.walk_ast(pass)
    }

    fn is_safe_to_cache_prepared(&self, _backend: &Db) -> QueryResult<bool> {
        Ok(true)
    }
}

/// Known by its text, not by its type: one type may have several.
impl<Q> QueryId for Prepared<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
