//! Ids as columns hold them: a UUID where the dialect has those, else its sixteen bytes.

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::serialize::{self, Output, ToSql};
use uuid::Uuid;

use super::dialect::{self, Db};

/// An id of whatever kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = dialect::IdType)]
pub(crate) struct Id(pub(crate) Uuid);

impl ToSql<dialect::IdType, Db> for Id {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Db>) -> serialize::Result {
        ToSql::<dialect::IdType, Db>::to_sql(dialect::id_to_column(&self.0), out)
    }
}

impl FromSql<dialect::IdType, Db> for Id {
    fn from_sql(value: <Db as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        dialect::id_from_column(value).map(Self)
    }
}
