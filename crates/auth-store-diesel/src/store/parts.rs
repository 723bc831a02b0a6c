//! Statements that diesel's own language can't say, put together from parts.

use std::marker::PhantomData;

use diesel::QueryResult;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Binary, Text};

use super::dialect::{Db, IdType};
use super::id::Id;

/// A statement whose rows, if it has any, are of the SQL type `Rows`. Values never become text: each gets a placeholder.
///
/// Prepared once a connection, by its text.
pub(crate) struct Parts<Rows = ()> {
    parts: Vec<Part>,
    rows: PhantomData<fn() -> Rows>,
}

enum Part {
    Sql(&'static str),
    Id(Id),
    Number(i64),
    Text(String),
    Bytes(Vec<u8>),
    Query(Box<dyn QueryFragment<Db> + Send>),
}

impl<Rows> Parts<Rows> {
    pub(crate) fn of(sql: &'static str) -> Self {
        Self { parts: vec![Part::Sql(sql)], rows: PhantomData }
    }

    /// One that diesel can say as it is.
    #[allow(dead_code, reason = "on MySQL, what would need it is all parts")]
    pub(crate) fn whole(query: impl QueryFragment<Db> + Send + 'static) -> Self {
        Self { parts: Vec::new(), rows: PhantomData }.query(query)
    }

    fn and(mut self, part: Part) -> Self {
        self.parts.push(part);
        self
    }

    pub(crate) fn sql(self, sql: &'static str) -> Self {
        self.and(Part::Sql(sql))
    }

    pub(crate) fn id(self, id: Id) -> Self {
        self.and(Part::Id(id))
    }

    pub(crate) fn number(self, number: i64) -> Self {
        self.and(Part::Number(number))
    }

    pub(crate) fn text(self, text: &str) -> Self {
        self.and(Part::Text(text.to_owned()))
    }

    pub(crate) fn bytes(self, bytes: &[u8]) -> Self {
        self.and(Part::Bytes(bytes.to_vec()))
    }

    /// What diesel can say.
    pub(crate) fn query(self, query: impl QueryFragment<Db> + Send + 'static) -> Self {
        self.and(Part::Query(Box::new(query)))
    }
}

impl<Rows> QueryFragment<Db> for Parts<Rows> {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, Db>) -> QueryResult<()> {
        for part in &self.parts {
            match part {
                Part::Sql(sql) => pass.push_sql(sql),
                Part::Id(id) => pass.push_bind_param::<IdType, _>(id)?,
                Part::Number(number) => pass.push_bind_param::<BigInt, _>(number)?,
                Part::Text(text) => pass.push_bind_param::<Text, _>(text)?,
                Part::Bytes(bytes) => pass.push_bind_param::<Binary, _>(bytes)?,
                Part::Query(query) => query.walk_ast(pass.reborrow())?,
            }
        }
        Ok(())
    }
}

impl<Rows> QueryId for Parts<Rows> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Rows> Query for Parts<Rows> {
    type SqlType = Rows;
}
